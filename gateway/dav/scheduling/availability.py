"""calendar-availability of the scheduling Inbox: the user's working hours (RFC 7953 7.2), and those of others.

The web client's settings hold the hours, a property of the store beside them the text as the client wrote it. A store
lets everybody read both of its owner.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from weakref import WeakKeyDictionary
from xml.etree import ElementTree as ET

from twisted.internet.defer import Deferred, gatherResults

from gateway.convert.ical import availability_of, with_hours, working_hours_of
from gateway.convert.ical.timezones import Zone
from gateway.dav.homes import UserHomes
from gateway.dav.scheduling import kept
from gateway.mapi import proptags as pr
from gateway.mapi.errors import MapiError
from gateway.mapi.ids import without_server
from gateway.mapi.propnames import PSETID_Gateway
from gateway.mapi.props import PT_UNICODE, NamedProps, NamedTag, PropName
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.store import Store
from gateway.mapiclient.wire.calls_store import ResolveUserStore

KEPT: Final = NamedTag(PropName(PSETID_Gateway, "calendar-availability"), PT_UNICODE)
#: The standard's name, and the one that Apple's programs use.
PROPERTIES: Final = frozenset(
    (
        "{urn:ietf:params:xml:ns:caldav}calendar-availability",
        "{http://calendarserver.org/ns/}calendar-availability",
    )
)
#: How long (seconds) what was read of somebody else counts.
AGE: Final = 300.0
_AT_ONCE: Final = 10
_PRIVATE: Final = 1
_NEVER: Final = (float("-inf"), b"")
#: For each user who asked: login name to when (Unix time) the availability was read, empty when there is none.
_known: WeakKeyDictionary[UserHomes, dict[str, tuple[float, bytes]]] = WeakKeyDictionary()


async def read(store: Store, zone: Zone) -> str | None:
    """The availability of a store's owner, None when he never set working hours."""
    found = await _read(store.session, store.entryid, zone)
    return None if found is None else found.decode("utf-8")


async def of_users(
    homes: UserHomes, session: Caller, logins: Iterable[str], zone: Zone, now: float
) -> dict[str, bytes]:
    """The availability of users by login name, those left out who have none or whose store cannot be read."""
    wanted = list(logins)
    known = _known.setdefault(homes, {})
    # His own may have been changed this moment.
    found = {each: known.get(each, _NEVER) if each != homes.user else _NEVER for each in wanted}
    missing = [each for each in wanted if now - found[each][0] > AGE]
    for start in range(0, len(missing), _AT_ONCE):
        batch = missing[start : start + _AT_ONCE]
        work = [Deferred.fromCoroutine(_of_user(session, each, zone)) for each in batch]
        for login, text in zip(batch, await gatherResults(work, consumeErrors=True), strict=True):
            found[login] = known[login] = now, text
    return {login: text for login, (_, text) in found.items() if text}


async def _of_user(session: Caller, login: str, zone: Zone) -> bytes:
    try:
        where, found = await session.follow(ResolveUserStore(user_name=login, store_type_mask=_PRIVATE))
        return await _read(where, without_server(found.store_id), zone) or b""
    except (MapiError, TransportError):
        return b""  # no store, or not now


async def _read(session: Caller, store: bytes, zone: Zone) -> bytes | None:
    settings = await kept.text(session, store, pr.PR_EC_WEBACCESS_SETTINGS_JSON)
    own = await kept.text(session, store, KEPT)
    return availability_of(settings, own.encode("utf-8", "replace"), zone)


async def changes(store: Store, element: ET.Element | None, zone: Zone) -> NamedProps:
    """The store's properties after a client has set its availability, or taken it away (ParseError)."""
    text = (element.text or "").strip() if element is not None else ""
    before = await kept.text(store.session, store.entryid, pr.PR_EC_WEBACCESS_SETTINGS_JSON)
    hours = working_hours_of(text.encode("utf-8", "replace"), zone) if element is not None else None
    return {pr.PR_EC_WEBACCESS_SETTINGS_JSON: with_hours(before, hours), KEPT: text}
