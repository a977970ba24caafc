"""New collections: MKCALENDAR and extended MKCOL (RFC 4791 5.3.1, RFC 5689), completely or not at all."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

from gateway.dav import hrefs, writing
from gateway.dav.changes import COMPONENTS, Errors, changed, changes_in, errors_in, propstats
from gateway.dav.errors import Answer, Refused
from gateway.dav.kinds import Kind, kind_of_components
from gateway.dav.scope import RequestScope

_D: Final = "{DAV:}"
_C: Final = "{urn:ietf:params:xml:ns:caldav}"
_CR: Final = "{urn:ietf:params:xml:ns:carddav}"
_TYPE: Final = f"{_D}resourcetype"
#: Method to the root of its body, and the answer that tells what is wrong with it.
_ROOTS: Final = {
    "MKCOL": (f"{_D}mkcol", '<mkcol-response xmlns="DAV:">', "</mkcol-response>"),
    "MKCALENDAR": (
        f"{_C}mkcalendar",
        '<C:mkcalendar-response xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">',
        "</C:mkcalendar-response>",
    ),
}
_DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>\n'
#: What is said once, when a collection is made.
_ONCE: Final = (_TYPE, COMPONENTS)


def make(scope: RequestScope, method: str, path: str, root: ET.Element | None) -> Answer:
    """Make the collection of a path that is free (Refused)."""
    wanted, begin, end = _ROOTS[method]
    if root is not None and root.tag != wanted:
        raise Refused(415, "", f"the body of {method} is a {wanted.rpartition('}')[2]}")
    parts = hrefs.split_path(path)
    if len(parts) != 2 or parts[0] != scope.user or not hrefs.is_name(parts[1]):
        where = "C:calendar-collection-location-ok" if method == "MKCALENDAR" else ""
        raise Refused(403, where, "collections are made directly in your own home")
    changes = changes_in(root) if root is not None else {}
    kind, errors = _kind(method, changes.get(_TYPE), changes.get(COMPONENTS))
    errors |= errors_in(scope, changes, _ONCE)
    if kind is None and not errors:
        raise Refused(403, "D:valid-resourcetype", "only calendars and address books can be made")
    if errors or kind is None:
        text = f"{_DECLARATION}{begin}{propstats(changes, errors)}{end}\n"
        return Answer(403, {"Content-Type": "application/xml; charset=utf-8"}, text.encode())
    kept = changed({}, {tag: element for tag, element in changes.items() if tag not in _ONCE})
    made = kind
    scope.wait(lambda: writing.create_place(scope, parts[1], made, kept))
    scope.stale()
    return Answer(201, {"Cache-Control": "no-cache"})


def _kind(method: str, types: ET.Element | None, components: ET.Element | None) -> tuple[Kind | None, Errors]:
    """The kind of collection that is meant, or what is wrong with its type and components."""
    named = {each.tag for each in types} if types is not None else set()
    if method == "MKCALENDAR":
        named |= {f"{_C}calendar"}
    is_calendar, is_book = f"{_C}calendar" in named, f"{_CR}addressbook" in named
    if is_calendar is is_book:
        return None, {_TYPE: "D:valid-resourcetype"} if types is not None else {}
    names = (
        [each.get("name", "") for each in components.iterfind(f"{_C}comp")] if components is not None else []
    )
    kind = kind_of_components("VCALENDAR" if is_calendar else "VADDRESSBOOK", ",".join(names))
    return kind, {} if kind is not None else {COMPONENTS: "C:supported-calendar-component"}
