"""The calendar that invitations go to: the one of MAPI clients, unless its owner has chosen another (RFC 6638 9.2).

The choice is kept in his store as the folder's source key, so that it survives a new name and another gateway; a chosen
calendar that is gone counts as none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from gateway.dav import hrefs, properties, writing
from gateway.dav.places import Place
from gateway.dav.scheduling import kept, transparency
from gateway.mapi.propnames import PSETID_Gateway
from gateway.mapi.props import PT_UNICODE, NamedProps, NamedTag, PropName
from gateway.mapi.rights import Rights
from gateway.mapiclient.store import Store

if TYPE_CHECKING:
    from gateway.dav.scope import RequestScope

PROPERTY: Final = "{urn:ietf:params:xml:ns:caldav}schedule-default-calendar-URL"
#: A property of the user's store: a source key in hexadecimal, "" for no choice.
CHOSEN: Final = NamedTag(PropName(PSETID_Gateway, "schedule-default-calendar"), PT_UNICODE)


async def read(store: Store, places: Iterable[Place]) -> Place | None:
    """The default calendar of a store's owner among his places."""
    own = [each for each in places if each.is_own and each.kind.name == "calendar"]
    chosen = await kept.text(store.session, store.entryid, CHOSEN)
    found = next((each for each in own if each.source_key.hex() == chosen), None)
    return found or next((each for each in own if each.is_default), None)


def wanted(scope: RequestScope, element: ET.Element | None) -> Place | None:
    """The calendar that a client names (LookupError when it names none of the user's own).

    None for the default calendar of MAPI clients: to take the property away, or to name no address, is to want it again.
    """
    href = (element.findtext("{DAV:}href") or "").strip() if element is not None else ""
    if not href:
        return None
    parts = hrefs.split_path(hrefs.path_of(href))
    place = scope.place(*parts) if len(parts) == 2 and parts[0] == scope.user else None
    if place is None or not place.is_own or place.kind.name != "calendar" or not place.rights & Rights.CREATE:
        raise LookupError(href)
    return None if place.is_default else place


def changes(place: Place | None) -> NamedProps:
    """The store's property after a choice."""
    return {CHOSEN: place.source_key.hex() if place is not None else ""}


async def keep_busy(scope: RequestScope, place: Place) -> None:
    """Have the events of a chosen calendar keep their owner busy, unless he has said what they do."""
    key = properties.tree_key(transparency.PROPERTY)
    if key not in place.stored:
        said = properties.meta_of(place) | properties.trees_of(place) | {key: transparency.OPAQUE}
        await writing.change_place(scope, place, said)
