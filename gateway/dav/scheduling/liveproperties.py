"""Properties of scheduling: where the mailboxes are, what may be done there, tags of meetings (RFC 6638 2, 9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from gateway.dav.scheduling import availability, defaultcalendar, mailboxes, tag, transparency
from gateway.dav.scheduling.put import addresses_of
from gateway.dav.scheduling.transparency import makes_busy

if TYPE_CHECKING:
    from gateway.dav.scope import RequestScope

_D: Final = "{DAV:}"
_C: Final = "{urn:ietf:params:xml:ns:caldav}"
SCHEDULE_TAG: Final = f"{_C}schedule-tag"
_PRIVILEGES: Final = {
    mailboxes.INBOX: (
        f"{_D}read", f"{_D}write-properties", f"{_D}unbind", f"{_C}schedule-deliver", f"{_C}schedule-deliver-invite",
        f"{_C}schedule-deliver-reply", f"{_C}schedule-query-freebusy",
    ),
    mailboxes.OUTBOX: (
        f"{_D}read", f"{_C}schedule-send", f"{_C}schedule-send-invite", f"{_C}schedule-send-reply",
        f"{_C}schedule-send-freebusy",
    ),
}  # fmt: skip


def _mailbox_url(name: str) -> Callable[[RequestScope, list[str], ET.Element], bool]:
    def fill(scope: RequestScope, parts: list[str], element: ET.Element) -> bool:
        if len(parts) != 1 or not scope.mailboxes(parts[0]):
            return False
        return _with_href(element, f"/{parts[0]}/{name}/")

    return fill


def _default_calendar(scope: RequestScope, parts: list[str], element: ET.Element) -> bool:
    """schedule-default-calendar-URL: where invitations go (RFC 6638 9.2)."""
    if not _is_inbox(parts) and len(parts) != 1:
        return False
    if not scope.mailboxes(parts[0]):
        return False
    store, places = scope.wait(scope.homes.own).store, scope.places(parts[0])
    place = scope.wait(lambda: defaultcalendar.read(store, places))
    return place is not None and _with_href(element, f"/{parts[0]}/{place.name}/")


def _resource_type(scope: RequestScope, parts: list[str], element: ET.Element) -> bool:
    if not _is_mailbox(scope, parts):
        return False
    element.clear()
    ET.SubElement(element, f"{_D}collection")
    ET.SubElement(element, f"{_C}{parts[1]}")
    return True


def _privileges(scope: RequestScope, parts: list[str], element: ET.Element) -> bool:
    if not _is_mailbox(scope, parts):
        return False
    element.clear()
    for name in _PRIVILEGES[parts[1]]:
        ET.SubElement(ET.SubElement(element, f"{_D}privilege"), name)
    return True


def _transparency(scope: RequestScope, parts: list[str], element: ET.Element) -> bool:
    place = scope.place(parts[0], parts[1]) if len(parts) == 2 and scope.shared.schedules else None
    if place is None or place.kind.name != "calendar" or not place.is_own:
        return False
    element.clear()
    busy = makes_busy(place, is_default=place.is_default)
    ET.SubElement(element, f"{_C}{'opaque' if busy else 'transparent'}")
    return True


def _schedule_tag(scope: RequestScope, parts: list[str], element: ET.Element) -> bool:
    place = scope.place(parts[0], parts[1]) if len(parts) == 3 and scope.shared.schedules else None
    if place is None or place.kind.name != "calendar":
        return False
    entry = scope.listing(place).by_href.get(parts[2])
    if entry is None:
        return False
    text = scope.texts(place, [entry]).get(entry.source_key, b"")
    element.text = tag.tag_of(text, addresses_of(scope.rendering(place).ical))
    return bool(element.text)


def _availability(scope: RequestScope, parts: list[str], element: ET.Element) -> bool:
    place = scope.mailboxes(parts[0]).get(mailboxes.INBOX) if _is_inbox(parts) else None
    if place is None or place.home is None:
        return False
    store = place.home.store
    text = scope.wait(lambda: availability.read(store, scope.shared.zone))
    element.clear()
    element.text = text
    return text is not None


def _is_inbox(parts: list[str]) -> bool:
    return len(parts) == 2 and parts[1] == mailboxes.INBOX


def _is_mailbox(scope: RequestScope, parts: list[str]) -> bool:
    return len(parts) == 2 and parts[1] in scope.mailboxes(parts[0])


def _with_href(element: ET.Element, path: str) -> bool:
    element.clear()
    ET.SubElement(element, f"{_D}href").text = quote(path)
    return True


#: Tag to what fills it; True puts it among the properties that were found.
FILL: Final[dict[str, Callable[[RequestScope, list[str], ET.Element], bool]]] = {
    f"{_C}schedule-inbox-URL": _mailbox_url(mailboxes.INBOX),
    f"{_C}schedule-outbox-URL": _mailbox_url(mailboxes.OUTBOX),
    defaultcalendar.PROPERTY: _default_calendar,
    transparency.PROPERTY: _transparency,
    f"{_D}resourcetype": _resource_type,
    f"{_D}current-user-privilege-set": _privileges,
    SCHEDULE_TAG: _schedule_tag,
    **dict.fromkeys(availability.PROPERTIES, _availability),
}
