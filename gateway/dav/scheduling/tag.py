"""Schedule tags: they change with what a user changes, not with the answers that come in (RFC 6638 3.2.10)."""

from __future__ import annotations

import re
from collections.abc import Collection
from hashlib import blake2b
from typing import Final

from gateway.convert.ical.people import calendar_address
from gateway.convert.lines import Line, logical_lines

HEADER: Final = "Schedule-Tag"
_TIMES: Final = frozenset(("DTSTAMP", "CREATED", "LAST-MODIFIED"))
_IN_EVENT: Final = re.compile(rb"^BEGIN:VEVENT\r?$", re.M)


def tag_of(text: bytes, own: Collection[str]) -> str:
    """The tag of a calendar object with its quotes; "" for one that is no meeting.

    ``own`` are the addresses of the calendar's owner: his own answer is what he changes himself.
    """
    if b"\nORGANIZER" not in text or b"\nATTENDEE" not in text or not _IN_EVENT.search(text):
        return ""
    addresses = {each.lower() for each in own}
    found = blake2b(digest_size=12)
    for line in logical_lines(text[text.find(b"BEGIN:VEVENT") :]):
        if line.name not in _TIMES:
            found.update(repr(_kept(line, addresses)).encode("utf-8", "replace"))
    return f'"{found.hexdigest()}"'


def _kept(line: Line, own: Collection[str]) -> tuple[object, ...]:
    if line.name not in ("ATTENDEE", "ORGANIZER"):
        return line.name, line.value, sorted(line.params.items())
    # How a person is written changes with his answer too: only who it is counts.
    address = calendar_address(line).lower() or line.value
    answer = line.param("PARTSTAT").upper() if line.name == "ATTENDEE" and address in own else ""
    return line.name, address, line.param("SCHEDULE-AGENT").upper(), answer


def matches(header: str, tag: str) -> bool:
    """Whether an If-Schedule-Tag-Match names a tag (RFC 6638 8.3)."""
    return bool(tag) and header.strip().strip('"') == tag.strip('"')
