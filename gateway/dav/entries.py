"""Entries: the items of a folder as rows of its table, with what clients ask of all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import compress
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
from gateway.mapi.props import PT_BOOLEAN, PT_ERROR, PT_LONG, PT_SYSTIME, Props, PropTag
from gateway.mapi.restrictions import And, Content, Fuzzy, Or, Property, Relop, Restriction
from gateway.mapi.tables import Row, TableFlags
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
_CLASS: Final = 3
_BUSY: Final = static(PSETID_Appointment, 0x8205, PT_LONG)
_EVENT_COLUMNS: Final = (PidLidAppointmentStartWhole, PidLidAppointmentEndWhole, _RECURRING, _CLIP_END, _BUSY)
_BATCH: Final = 2000
_PRIVATE_FROM: Final = 2
#: Unix times of what has no beginning or no end.
FIRST: Final = -(1 << 62)
LAST: Final = 1 << 62
_ALWAYS: Final = (FIRST, LAST, True, 2)


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
    return next(iter(_entries(kind, [[(tag, props.get(tag)) for tag in columns]])), None)


async def columns_of(session: Session, place: Place, *, times: bool = True) -> list[PropTag]:
    """What is read of the items of a place, events with their times or without."""
    kind = place.kind
    named = await Names(session).tags(
        [DAV_RESOURCE_NAME] if kind.is_calendar else [DAV_RESOURCE_NAME, VCARD_UID]
    )
    return [*_COLUMNS, *named, *(_EVENT_COLUMNS if times and has_times(kind) else ())]


async def entries_in(
    session: Session, place: Place, restriction: Restriction | None, *, times: bool = True
) -> list[Entry]:
    """The items of a place, or those that a restriction matches.

    Without their ``times`` events may be at any time and repeat: a third less has to be read.
    """
    if place.kind.is_mailbox:
        restriction = messages_of(place, restriction)
    found: list[Entry] = []
    async for rows in _rows(session, place, await columns_of(session, place, times=times), restriction):
        found += _entries(place.kind, rows)
    return found


async def _rows(
    session: Session, place: Place, columns: Sequence[PropTag], restriction: Restriction | None
) -> AsyncIterator[list[Row]]:
    table = Table.contents(
        session, place.entryid, columns, restriction=restriction, flags=TableFlags.NOCAP, batch=_BATCH
    )
    async with table:
        async for rows in table.batches():
            yield rows


def has_times(kind: Kind) -> bool:
    """Whether the table tells when items are."""
    return kind.name == "calendar"


async def times_in(session: Session, place: Place) -> dict[bytes, tuple[int, int, bool, int]]:
    """Source key to the last four fields of the entries of a calendar."""
    found: dict[bytes, tuple[int, int, bool, int]] = {}
    async for rows in _rows(session, place, (pr.PR_SOURCE_KEY, *_EVENT_COLUMNS), None):
        keys, *event = _values(rows)
        found.update(zip(keys, zip(*_times(event), strict=True), strict=True))
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


def _entries(kind: Kind, rows: Sequence[Row]) -> list[Entry]:
    """The entries of a table's rows, those left out that are no items. Column by column: it is done for thousands."""
    columns = _columns(kind, rows)
    if not columns:
        return []
    components, entryids, keys, change_keys, modified, sensitivities, private, goids, names, *more = columns
    uids, event = (goids, more) if kind.is_calendar else (more[0], [])
    firsts, lasts, recurring, busy = _times(event) if event else ([each] * len(keys) for each in _ALWAYS)
    found = zip(
        [hrefs.item_href(name, key, kind.suffix) for name, key in zip(names, keys, strict=True)],
        [f'"{(change_key or key).hex()}"' for change_key, key in zip(change_keys, keys, strict=True)],
        keys,
        entryids,
        [_uid(kind, *each) for each in zip(keys, uids, goids, strict=True)],
        components,
        [when or 0 for when in modified],
        [bool(flag) or (word or 0) >= _PRIVATE_FROM for flag, word in zip(private, sensitivities, strict=True)],
        firsts,
        lasts,
        recurring,
        busy,
        strict=True,
    )
    return [*map(Entry._make, found)]


def _columns(kind: Kind, rows: Sequence[Row]) -> list[list[Any]]:
    """The values of the items' columns, None for what is missing, components in the place of message classes and first."""
    columns = _values(rows)
    if columns:
        columns.insert(0, [kind.component_of(each or "") for each in columns.pop(_CLASS)])
        are_items = [*map(all, zip(*columns[:3], strict=True))]
        if not all(are_items):
            columns = [[*compress(column, are_items)] for column in columns]
    return columns


def _values(rows: Sequence[Row]) -> list[list[Any]]:
    """The columns of rows, None for what is missing."""
    return [
        [None if tag & 0xFFFF == PT_ERROR else value for tag, value in column]
        for column in zip(*rows, strict=True)
    ]


def _uid(kind: Kind, key: bytes, uid: str | None, goid: bytes | None) -> str:
    """The UID that the converter gives the item."""
    if kind.is_calendar:
        return globalid.to_uid(goid) if goid else key.hex().upper()
    return bare(uid or (globalid.to_uid(goid) if goid else uid_of_key(key)))


def _times(columns: Sequence[Sequence[Any]]) -> Sequence[list[int]]:
    """When events begin and end as Unix times, whether they are series, and how busy they keep somebody."""
    *times, busy = columns
    spans = [_span(*each) for each in zip(*times, strict=True)]
    return *([span[part] for span in spans] for part in range(3)), [
        2 if each is None else each for each in busy
    ]


def _span(
    start: int | None, end: int | None, recurring: bool | None, clip_end: int | None
) -> tuple[int, int, bool]:
    if not start:
        return FIRST, LAST, True
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
