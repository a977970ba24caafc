"""Since when the server schedules for a user, and what of his Inbox he has dealt with before.

Programs that know nothing of PR_PROCESSED leave no mark on a message. Of the invitations that lay there when the server
first looked, or looked again after a long time, only those that nobody has read, and whose events nobody has thrown away,
become new events.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from gateway.convert.ical import globalid
from gateway.dav.kinds import CALENDAR
from gateway.dav.places import Home
from gateway.dav.scheduling import kept
from gateway.mapi import proptags as pr
from gateway.mapi.errors import MapiError
from gateway.mapi.propnames import PidLidGlobalObjectId, PSETID_Gateway
from gateway.mapi.props import PT_SYSTIME, NamedProps, NamedTag, PropName, Props
from gateway.mapi.restrictions import And, Content, Fuzzy, Property, Relop
from gateway.mapi.times import from_unix, to_unix
from gateway.mapiclient.store import Store
from gateway.mapiclient.table import Table, rows_of

#: Properties of the user's store (FILETIMEs).
SINCE: Final = NamedTag(PropName(PSETID_Gateway, "scheduling-since"), PT_SYSTIME)
NOTED: Final = NamedTag(PropName(PSETID_Gateway, "scheduling-noted"), PT_SYSTIME)
#: What is asked of waiting messages.
COLUMNS: Final = (
    pr.PR_ENTRYID,
    pr.PR_MESSAGE_FLAGS,
    pr.PR_MESSAGE_DELIVERY_TIME,
    pr.PR_CREATION_TIME,
    PidLidGlobalObjectId,
)
#: How far (seconds) the clocks of those who deliver and of the gateway may differ.
_MARGIN: Final = 60.0
#: After so long (seconds) without the server the user has seen to his messages otherwise.
_GAP: Final = 14 * 86_400.0
_DAY: Final = 86_400.0
_READ: Final = 1


class Beginning(NamedTuple):
    """What a store remembers."""

    since: int | None = None
    """Since when the server schedules for its owner (FILETIME); None when it never did, or not for long."""
    noted: float = float("-inf")
    """When it was last noted that it does (Unix time)."""


async def read(store: Store, now: float) -> Beginning:
    """What is remembered, at a time (Unix time)."""
    since, noted = [await kept.read(store.session, store.entryid, key) for key in (SINCE, NOTED)]
    if not isinstance(since, int) or not isinstance(noted, int) or to_unix(noted) < now - _GAP:
        return Beginning()
    return Beginning(since, to_unix(noted))


async def write(store: Store, now: float) -> Beginning:
    """Remember that the server schedules from now on."""
    since = from_unix(now - _MARGIN)
    props: NamedProps = {SINCE: since, NOTED: from_unix(now)}
    await store.set_props(props)
    return Beginning(since, now)


async def note(store: Store, known: Beginning, now: float) -> Beginning:
    """Remember that the server still does; once a day is enough."""
    if known.since is None or now - known.noted < _DAY:
        return known
    props: NamedProps = {NOTED: from_unix(now)}
    await store.set_props(props)
    return known._replace(noted=now)


def came_since(row: Props, since: int) -> bool:
    """Whether a message came in then or later; of one that was never delivered it counts when it was made."""
    return (row.get(pr.PR_MESSAGE_DELIVERY_TIME) or row.get(pr.PR_CREATION_TIME) or 0) >= since


async def dealt_with(home: Home, rows: Iterable[Props], since: int) -> set[bytes]:
    """Which messages are not to become new events: entry ids. What changed before ``since`` is not looked at."""
    thrown = await _thrown_away(home, since)
    return {
        row[pr.PR_ENTRYID] for row in rows if (row.get(pr.PR_MESSAGE_FLAGS) or 0) & _READ or _uid(row) in thrown
    }


async def _thrown_away(home: Home, since: int) -> set[str]:
    """The UIDs of the events in the wastebasket."""
    if not home.wastebasket:
        return set()
    (name,) = CALENDAR.classes
    tag, changed = pr.PR_MESSAGE_CLASS, pr.PR_LAST_MODIFICATION_TIME
    wanted = And(
        (
            Content(Fuzzy.PREFIX | Fuzzy.IGNORECASE, tag, (tag, name)),
            Property(Relop.GE, changed, (changed, since)),
        )
    )
    table = Table.contents(home.store.session, home.wastebasket, (PidLidGlobalObjectId,), restriction=wanted)
    try:
        return {_uid(row) for row in await rows_of(table)} - {""}
    except MapiError:
        return set()  # a store without a wastebasket that can be read


def _uid(row: Props) -> str:
    found = row.get(PidLidGlobalObjectId)
    return globalid.to_uid(found) if found else ""
