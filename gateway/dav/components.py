"""What a client's text is, before it is converted: its component and its UID (RFC 4791 4.1, RFC 6352 5.1)."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from datetime import UTC
from typing import Final

from gateway.convert.ical.timezones import Zone, zone_of_tzid
from gateway.convert.vcard import bare
from gateway.dav.errors import Refused
from gateway.dav.kinds import Kind

_FOLDED: Final = re.compile(rb"\r?\n[ \t]")
_COMPONENT: Final = re.compile(
    rb"^BEGIN:(VEVENT|VTODO|VJOURNAL|VFREEBUSY|VCARD|VAVAILABILITY)[ \t]*\r?$", re.M | re.I
)
_UID: Final = re.compile(rb"^(?:[A-Za-z0-9-]+\.)?UID(?:;[^:\r\n]*)?:([^\r\n]*)", re.M | re.I)
#: The zones that times of an item name; Exchange writes "tzone://Microsoft/Utc" without quotes, which ends at its colon.
_NAMED: Final = re.compile(
    rb'^(?:DTSTART|DTEND|DUE|RECURRENCE-ID|RDATE|EXDATE)[^:\r\n"]*;TZID=("[^"\r\n]*"|(?!tzone:)[^;:\r\n"]*)',
    re.M,
)
_DEFINED: Final = re.compile(rb"^TZID[^:\r\n]*:([^\r\n]*)", re.M)
_NOBODYS: Final = Zone("", UTC)
_METHOD: Final = re.compile(rb"^METHOD(?:;[^:\r\n]*)?:", re.M | re.I)


def uid_of(body: bytes) -> str:
    """The first UID of a text, "" when it has none."""
    found = _UID.search(_without_alarms(_FOLDED.sub(b"", body)))
    return found[1].decode("utf-8", "replace").strip() if found else ""


def check_body(kind: Kind, body: bytes) -> tuple[str, str]:
    """The component and the UID of a text ("" when it has none); Refused when it does not belong into the collection."""
    unfolded = _FOLDED.sub(b"", body.removeprefix(BOM_UTF8))
    components = {match.upper().decode() for match in _COMPONENT.findall(unfolded)}
    uids = {match.decode("utf-8", "replace").strip() for match in _UID.findall(_without_alarms(unfolded))}
    if kind.is_calendar:
        return _calendar(kind, unfolded, components, uids)
    if components != {"VCARD"} or len(uids) > 1:
        raise Refused(403, "CR:valid-address-data", "an item is one vCard")
    return "VCARD", bare(next(iter(uids), ""))


def _calendar(kind: Kind, unfolded: bytes, components: set[str], uids: set[str]) -> tuple[str, str]:
    if not components or b"BEGIN:VCALENDAR" not in unfolded.upper():
        raise Refused(403, "C:valid-calendar-data", "no event, task or note in it")
    if len(components) > 1 or len(uids) > 1:
        raise Refused(
            403, "C:valid-calendar-object-resource", "an item is one event, task or note with one UID"
        )
    if _METHOD.search(unfolded):
        raise Refused(403, "C:valid-calendar-object-resource", "an item has no METHOD")
    unknown = next(_unknown_zones(unfolded), None)
    if unknown is not None:
        raise Refused(403, "C:valid-calendar-data", f"{unknown} is no known time zone, and has no VTIMEZONE")
    component = next(iter(components))
    if component not in kind.components:
        raise Refused(
            403, "C:supported-calendar-component", f"this collection holds {', '.join(kind.components)}"
        )
    return component, next(iter(uids), "")


def _unknown_zones(unfolded: bytes) -> Iterator[str]:
    """Names of zones that nobody can tell: neither well known (RFC 7809 3.1.2) nor defined in the text (RFC 5545 3.2.19)."""
    if b"TZID=" not in unfolded:
        return
    defined = {_plain(each) for each in _DEFINED.findall(unfolded)}
    for name in dict.fromkeys(map(_plain, _NAMED.findall(unfolded))):
        if name and name not in defined and zone_of_tzid(name, _NOBODYS) is _NOBODYS:
            yield name[:60]


def _plain(name: bytes) -> str:
    return name.decode("utf-8", "replace").replace('"', "").strip()


def _without_alarms(unfolded: bytes) -> bytes:
    """The text without its alarms, which have UIDs of their own (RFC 9074)."""
    return re.sub(rb"BEGIN:VALARM.*?END:VALARM", b"", unfolded, flags=re.S | re.I)
