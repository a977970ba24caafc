"""Since when the server schedules for a user, and what of his Inbox he has dealt with before.

Programs that know nothing of PR_PROCESSED leave no mark on a message. Of the invitations that lay there when the server
first looked, only those that nobody has read, and whose events nobody has thrown away, become new events.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gateway.convert.ical import globalid
from gateway.dav.kinds import CALENDAR
from gateway.dav.places import Home
from gateway.dav.scheduling import kept
from gateway.mapi import proptags as pr
from gateway.mapi.errors import MapiError
from gateway.mapi.propnames import PidLidGlobalObjectId, PSETID_Gateway
from gateway.mapi.props import PT_SYSTIME, NamedProps, NamedTag, PropName, Props
from gateway.mapi.restrictions import And, Content, Fuzzy, Property, Relop
from gateway.mapi.times import from_unix
from gateway.mapiclient.store import Store
from gateway.mapiclient.table import Table, rows_of

#: A property of the user's store (FILETIME).
SINCE: Final = NamedTag(PropName(PSETID_Gateway, "scheduling-since"), PT_SYSTIME)
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
_READ: Final = 1


async def read(store: Store) -> int | None:
    """Since when the server schedules for the owner of a store (FILETIME); None when it never did."""
    value = await kept.read(store.session, store.entryid, SINCE)
    return value if isinstance(value, int) else None


async def write(store: Store, now: float) -> int:
    """Remember that the server schedules from now (Unix time) on."""
    since = from_unix(now - _MARGIN)
    props: NamedProps = {SINCE: since}
    await store.set_props(props)
    return since


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
