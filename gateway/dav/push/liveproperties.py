"""Properties of push: transports, topic, supported-triggers (draft section 2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from gateway.dav.principalprops import FOUND
from gateway.dav.push.register import P, can_push

if TYPE_CHECKING:
    from gateway.dav.resource import Resource


def _available(resource: Resource) -> bool:
    return resource.scope.shared.push is not None and resource.is_collection and can_push(resource.place)


def transports(resource: Resource, element: ET.Element) -> int | None:
    """Web Push, with the gateway's key."""
    push = resource.scope.shared.push
    if push is None or not _available(resource):
        return None
    key = ET.SubElement(ET.SubElement(element, f"{P}web-push"), f"{P}vapid-public-key", {"type": "p256ecdsa"})
    key.text = push.key.public
    return FOUND


def topic(resource: Resource, element: ET.Element) -> int | None:
    """What names the collection in messages."""
    push, place = resource.scope.shared.push, resource.place
    if push is None or place is None or not _available(resource):
        return None
    element.text = push.key.topic(place.source_key)
    return FOUND


def triggers(resource: Resource, element: ET.Element) -> int | None:
    """Changes of items."""
    if not _available(resource):
        return None
    ET.SubElement(ET.SubElement(element, f"{P}content-update"), "{DAV:}depth").text = "1"
    return FOUND


#: Tag to what fills it.
FILL: Final = {f"{P}transports": transports, f"{P}topic": topic, f"{P}supported-triggers": triggers}
