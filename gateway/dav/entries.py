"""Entries: the items of a folder as rows of its table, with what clients ask of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from gateway.convert.ical import globalid
from gateway.convert.vcard.fields import VCARD_UID
from gateway.convert.vcard.uid import bare, uid_of_key
from gateway.dav import hrefs
from gateway.dav.kinds import Kind
from gateway.dav.places import Place
from gateway.mapi import proptags as pr
from gateway.mapi.propnames import (
    DAV_RESOURCE_NAME,
    PidLidAppointmentEndWhole,
    PidLidAppointmentStartWhole,
    PidLidGlobalObjectId,
    PidLidPrivate,
    PSETID_Appointment,
    static,
)
from gateway.mapi.props import PT_BOOLEAN, PT_ERROR, PT_LONG, PT_SYSTIME, Prop, Props, PropTag
from gateway.mapi.restrictions import And, Content, Fuzzy, Or, Property, Relop, Restriction
from gateway.mapi.tables import TableFlags
from gateway.mapi.times import to_unix
from gateway.mapiclient.names import Names
from gateway.mapiclient.session import Session
from gateway.mapiclient.table import Table

_RECURRING: Final = static(PSETID_Appointment, 0x8223, PT_BOOLEAN)
_CLIP_END: Final = static(PSETID_Appointment, 0x8236, PT_SYSTIME)
_COLUMNS: Final = (
    pr.PR_ENTRYID,
    pr.PR_SOURCE_KEY,
    pr.PR_CHANGE_KEY,
    pr.PR_MESSAGE_CLASS,
    pr.PR_LAST_MODIFICATION_TIME,
    pr.PR_SENSITIVITY,
    PidLidPrivate,
    PidLidGlobalObjectId,
)
_NAMED: Final = (DAV_RESOURCE_NAME, VCARD_UID)
_BUSY: Final = static(PSETID_Appointment, 0x8205, PT_LONG)
_EVENT_COLUMNS: Final = (PidLidAppointmentStartWhole, PidLidAppointmentEndWhole, _RECURRING, _CLIP_END, _BUSY)
_BUSY_PLACE: Final = len(_COLUMNS) + len(_NAMED) + len(_EVENT_COLUMNS) - 1
_BATCH: Final = 2000
_PRIVATE_FROM: Final = 2
#: Unix times of what has no beginning or no end.
FIRST: Final = -(1 << 62)
LAST: Final = 1 << 62


class Entry(NamedTuple):
    """One item of a collection."""

    href: str
    etag: str
    """With its quotes."""
    source_key: bytes
    entryid: bytes
    uid: str
    component: str
    modified: int
    """FILETIME."""
    private: bool
    first: int
    """Unix time at which its first instance begins; `FIRST` when unknown."""
    last: int
    """Unix time at which its last instance ends; `LAST` when unknown."""
    recurring: bool
    busy: int = 2
    """PidLidBusyStatus: 0 free, 1 tentative, 2 busy, 3 away."""


def entry_of_props(kind: Kind, columns: Sequence[PropTag], props: Props) -> Entry | None:
    """The entry of an item's properties; ``columns`` are those of the listing."""
    return _entry(kind, [(tag, props.get(tag)) for tag in columns])


async def columns_of(session: Session, place: Place) -> list[PropTag]:
    """What is read of the items of a place."""
    columns = [*_COLUMNS, *await Names(session).tags(_NAMED)]
    return [*columns, *_EVENT_COLUMNS] if place.kind.name == "calendar" else columns


async def entries_in(session: Session, place: Place, restriction: Restriction | None) -> list[Entry]:
    """The items of a place, or those that a restriction matches."""
    columns = await columns_of(session, place)
    found: list[Entry] = []
    if place.kind.is_mailbox:
        restriction = messages_of(place, restriction)
    table = Table.contents(
        session, place.entryid, columns, restriction=restriction, flags=TableFlags.NOCAP, batch=_BATCH
    )
    async with table:
        async for rows in table.batches():
            found += filter(None, (_entry(place.kind, row) for row in rows))
    return found


def messages_of(place: Place, restriction: Restriction | None) -> Restriction:
    """What of a folder of mails is shown in a mailbox for scheduling."""
    names = tuple(
        Content(Fuzzy.PREFIX | Fuzzy.IGNORECASE, pr.PR_MESSAGE_CLASS, (pr.PR_MESSAGE_CLASS, name))
        for name in place.kind.classes
    )
    tag = pr.PR_LAST_MODIFICATION_TIME
    recent = Property(Relop.GE, tag, (tag, place.since))
    return And((Or(names), recent, *((restriction,) if restriction is not None else ())))


def _entry(kind: Kind, row: Sequence[Prop]) -> Entry | None:
    values = [None if tag & 0xFFFF == PT_ERROR else value for tag, value in row]
    entryid, key, change_key, message_class, modified, sensitivity, private, goid, name, uid = values[:10]
    component = kind.component_of(message_class or "")
    if not component or not entryid or not key:
        return None
    first, last, recurring = _times(values[10:])
    return Entry(
        hrefs.item_href(name, key, kind.suffix),
        f'"{(change_key or key).hex()}"',
        key,
        entryid,
        _uid(kind, key, uid, goid),
        component,
        modified or 0,
        bool(private) or (sensitivity or 0) >= _PRIVATE_FROM,
        first,
        last,
        recurring,
        _busy(values),
    )


def _uid(kind: Kind, key: bytes, uid: str | None, goid: bytes | None) -> str:
    """The UID that the converter gives the item."""
    if kind.is_calendar:
        return globalid.to_uid(goid) if goid else key.hex().upper()
    return bare(uid or (globalid.to_uid(goid) if goid else uid_of_key(key)))


def _busy(values: Sequence[Any]) -> int:
    """PidLidBusyStatus, busy when it is not there."""
    found = values[_BUSY_PLACE] if len(values) > _BUSY_PLACE else None
    return 2 if found is None else int(found)


def _times(values: Sequence[Any]) -> tuple[int, int, bool]:
    """The time an event covers, as Unix times."""
    if not values or not values[0]:
        return FIRST, LAST, True
    start, end, recurring, clip_end, _ = values
    first = to_unix(start)
    if recurring:
        # The clip end is a local day; exceptions may lie a little outside of the pattern.
        return first - 7 * 86400, to_unix(clip_end) + 7 * 86400 if clip_end else LAST, True
    return first, to_unix(end) if end else first, False


async def matching(session: Session, place: Place, restriction: Restriction) -> set[bytes]:
    """The source keys of the items that a restriction matches."""
    found: set[bytes] = set()
    columns = (pr.PR_SOURCE_KEY,)
    async with Table.contents(session, place.entryid, columns, restriction=restriction, batch=_BATCH) as table:
        async for rows in table.batches():
            found.update(row[0][1] for row in rows if row[0][0] & 0xFFFF != PT_ERROR)
    return found


def visible(entries: Iterable[Entry], place: Place) -> list[Entry]:
    """The items that a user is shown: private contacts and tasks of others are not, private events as times only."""
    if place.sees_private or place.kind.name == "calendar":
        return list(entries)
    return [entry for entry in entries if not entry.private]
