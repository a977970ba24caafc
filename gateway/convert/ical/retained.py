"""What iCalendar carries and MAPI does not, kept beside the item in one binary property.

After a text has been read the item is written again, and what the client wrote otherwise is kept: properties that
MAPI has no place for, the client's own wording of those it has, its alarms, its rule. Each piece remembers the line
it belongs to, by a digest: when a MAPI client has changed what that line says, the piece is dropped.

The form is a format byte (1 plain, 2 zlib) and JSON. Pieces beyond the limits are left out, the longest first.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterable
from contextlib import suppress
from hashlib import blake2b
from typing import Final

import msgspec

from gateway.convert.errors import ParseError
from gateway.convert.ical.blocks import Block, block_of, flat
from gateway.convert.ical.people import calendar_address
from gateway.convert.lines import Component, Line, line_text, parse_line

MAX_SIZE: Final = 64 * 1024
"""Octets of JSON."""
MAX_LINE: Final = 16 * 1024
_PLAIN: Final = b"\1"
_PACKED: Final = b"\2"
_WORTH_PACKING: Final = 512
#: Properties that the item says itself, or that nobody should get back.
_NOT_KEPT: Final = frozenset(
    [
        "UID", "DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "DTSTART", "DTEND", "DUE", "DURATION", "COMPLETED",
        "RECURRENCE-ID", "RRULE", "RDATE", "EXDATE", "EXRULE", "CATEGORIES", "CONTACT", "DESCRIPTION", "X-ALT-DESC",
        "TRANSP", "STATUS", "METHOD", "PERCENT-COMPLETE", "X-ENTOURAGE_UUID", "X-LIC-ERROR", "X-LIC-LOCATION",
        "X-RADICALE-NAME", "X-NEXTCLOUD-BC-FIELD-TYPE", "X-OC-GROUP-ID", "X-MICROSOFT-RTF",
        "X-MICROSOFT-DISALLOW-COUNTER", "X-CALENDARSERVER-DTSTAMP", "X-CALENDARSERVER-AUTO-ACCEPT",
    ]
)  # fmt: skip
_NOT_KEPT_PREFIXES: Final = ("X-MICROSOFT-CDO-", "X-MICROSOFT-MSNCALENDAR-", "X-EVOLUTION-")
#: Properties that describe another one, and are wrong when that has changed.
_BELONGS: Final = {
    "GEO": "LOCATION",
    "X-APPLE-STRUCTURED-LOCATION": "LOCATION",
    "X-APPLE-TRAVEL-START": "LOCATION",
    "X-APPLE-TRAVEL-DURATION": "DTSTART",
    "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR": "LOCATION",
    "X-MICROSOFT-LOCATIONS": "LOCATION",
    "X-CALENDARSERVER-ACCESS": "CLASS",
    "X-CALENDARSERVER-PRIVATE-COMMENT": "ORGANIZER",
}
_MANAGED: Final = "MANAGED-ID"
_STATE_PARAMS: Final = frozenset(
    ("CN", "PARTSTAT", "RSVP", "EMAIL", "SCHEDULE-STATUS", "ROLE", "CUTYPE", "DELEGATED-TO")
)


_NAME: Final = re.compile("[A-Z0-9-]+")
#: Properties of which the first counts.
_ONCE: Final = frozenset(("SUMMARY", "LOCATION", "URL", "ORGANIZER", "CLASS", "PRIORITY"))
#: Properties that are not there when the item does not have them, whatever a client wrote.
_ONLY_IF_STORED: Final = frozenset(("SUMMARY", "LOCATION", "URL", "ORGANIZER"))


class Piece(msgspec.Struct, array_like=True):
    """A line as the client wrote it."""

    key: str
    owner: str
    """Key of the line it belongs to, its own for another wording."""
    digest: str
    """Of that line as the item gives it; empty when the item gave none."""
    line: str


class Kept(msgspec.Struct, omit_defaults=True):
    """What is kept for one component."""

    pieces: list[Piece] = []
    alarms: list[list[str]] = []
    """All alarms of the client, when they say more than the one reminder."""
    alarms_of: str = ""
    """Digest of the reminder they belong to."""
    parts: list[list[str]] = []
    """Components that MAPI has no place for."""
    rules: list[str] = []
    dates: list[int] = []
    rule_of: str = ""
    """Digest of the listed pattern that stands for the rules and dates."""
    only_instances: bool = False
    """Whether the client has no series, only the modified instances of that pattern."""
    html: bool = False
    """Whether the client wrote the HTML body."""


class Retained(msgspec.Struct, omit_defaults=True):
    """What is kept for an item."""

    calendar: list[str] = []
    """Properties of the calendar object."""
    components: dict[str, Kept] = {}
    """By RECURRENCE-ID as the item gives it, empty for the series."""

    def of(self, key: str) -> Kept:
        """What is kept for a component."""
        return self.components.get(key) or _NOTHING


_NOTHING: Final = Kept()
_EMPTY: Final = Retained()
_DECODER: Final = msgspec.json.Decoder(Retained)


def read(blob: bytes) -> Retained:
    """What a property holds; what cannot be read is nothing."""
    if not blob:
        return _EMPTY
    try:
        data = blob[1:]
        if blob[:1] == _PACKED:
            data = zlib.decompressobj().decompress(data, 4 * MAX_SIZE)
        return _DECODER.decode(data)
    except (msgspec.MsgspecError, zlib.error, ValueError, RecursionError):
        return _EMPTY


def written(kept: Retained) -> bytes:
    """The property for what is kept, empty when that is nothing."""
    kept.components = {key: one for key, one in kept.components.items() if one != _NOTHING}
    if not kept.components and not kept.calendar:
        return b""
    data = msgspec.json.encode(kept, order="deterministic")
    while len(data) > MAX_SIZE:
        _drop_longest(kept)
        data = msgspec.json.encode(kept, order="deterministic")
    return _PLAIN + data if len(data) < _WORTH_PACKING else _PACKED + zlib.compress(data)


def _drop_longest(kept: Retained) -> None:
    """Make room: drop the component that keeps the most, or the calendar's lines when those are all."""
    if not kept.components:
        kept.calendar = []
        return
    sizes = {key: len(msgspec.json.encode(one)) for key, one in kept.components.items()}
    key = max(sizes, key=lambda each: sizes[each])
    one = kept.components[key]
    if one.pieces:
        one.pieces.remove(max(one.pieces, key=lambda piece: len(piece.line)))
    elif one.parts or one.alarms:
        one.parts, one.alarms = [], []
    else:
        del kept.components[key]


def digest(value: str) -> str:
    """What tells one line from another."""
    return blake2b(value.encode("utf-8", "replace"), digest_size=6).hexdigest()


def said_of(one: Kept, key: str) -> Line | None:
    """The line that is kept under a key, as the client wrote it; None for none that can be read."""
    for piece in one.pieces:
        if piece.key == key:
            with suppress(ParseError):
                return parse_line(piece.line)
    return None


# Comparing


def differences(component: Component, block: Block, files: Collection[str] = ()) -> Kept:
    """What a client's component says beyond what the item gives back; ``files`` are the item's MANAGED-IDs."""
    given = _by_key(block.lines)
    kept = Kept(html=component.first("X-ALT-DESC") is not None)
    seen: set[str] = set()
    is_event = component.name == "VEVENT"  # MAPI has people of meetings only
    for line in component.lines:
        if line.name in _NOT_KEPT or line.name.startswith(_NOT_KEPT_PREFIXES):
            continue
        key = _key(line)
        repeated = key in seen and (key in given or line.name in _ONCE)
        seen.add(key)
        only_if_stored = line.name in _ONLY_IF_STORED and (line.name != "ORGANIZER" or is_event)
        if repeated or not line.value.strip() or (only_if_stored and key not in given):
            continue
        # The MANAGED-ID of a file that is not the item's means nothing here (RFC 8607 4.3).
        params = {name: value for name, value in line.params.items() if name != _MANAGED}
        text = line_text(line.name, line.value, params, line.group)
        if len(text) > MAX_LINE or given.get(key) == text or _is_stored(line, files):
            continue
        owner = _BELONGS.get(line.name, key)
        if (
            is_event and line.name == "ATTENDEE" and key not in given
        ):  # of the organizer, or without a known address
            owner = "ORGANIZER"
            if owner not in given:
                continue
        kept.pieces.append(Piece(key, owner, digest(given[owner]) if owner in given else "", text))
    # In the order in which they are given back, so that reading that again keeps the same.
    place = {key: number for number, key in enumerate(given)}
    kept.pieces.sort(key=lambda piece: place.get(piece.key, len(place)))
    _keep_alarms(component, block, kept)
    kept.parts = [_lines(block_of(child)) for child in component.children if child.name != "VALARM"]
    return kept


def _is_stored(line: Line, files: Collection[str]) -> bool:
    """Whether an ATTACH is an attachment of the item."""
    return line.name == "ATTACH" and (line.param("VALUE").upper() == "BINARY" or line.param(_MANAGED) in files)


def _keep_alarms(component: Component, block: Block, kept: Kept) -> None:
    theirs = [block_of(alarm) for alarm in component.components("VALARM")]
    ours = [child for child in block.children if child.name == "VALARM"]
    for alarm in theirs:
        _make_visible(alarm)
    found = [_lines(alarm) for alarm in theirs]
    if sorted(map(sorted, found)) != sorted(sorted(_lines(alarm)) for alarm in ours):
        kept.alarms = found
        kept.alarms_of = _alarms_digest(ours)


def _make_visible(alarm: Block) -> None:
    """Give an alarm back as one that is shown: what it would play is not stored here."""
    if "ACTION:AUDIO" not in alarm.lines:
        return
    alarm.lines = [
        "ACTION:DISPLAY" if line == "ACTION:AUDIO" else line
        for line in alarm.lines
        if not line.startswith(("ATTACH:", "ATTACH;"))
    ]
    if not any(line.startswith("DESCRIPTION") for line in alarm.lines):
        alarm.lines.append("DESCRIPTION:Reminder")


def _alarms_digest(alarms: Iterable[Block]) -> str:
    return digest("\n".join("\n".join(_lines(alarm)) for alarm in alarms))


def _lines(block: Block) -> list[str]:
    out: list[str] = []
    flat(block, out)
    return out


def _key(line: Line) -> str:
    if line.name != "ATTENDEE":
        return line.name
    return f"ATTENDEE {calendar_address(line).lower() or line.value}"


def _key_of_given(text: str) -> str:
    """The key of a line that an item gives."""
    if text.startswith("ATTENDEE"):
        return f"ATTENDEE {text.rpartition(':mailto:')[2].lower()}"
    match = _NAME.match(text)
    return match[0] if match is not None else text


def _by_key(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        found.setdefault(_key_of_given(line), line)
    return found


# Giving back


def restore(block: Block, kept: Kept) -> None:
    """Give a component what is kept for it, as far as it is still true."""
    given = _by_key(block.lines) if kept.pieces else {}
    for piece in kept.pieces:
        own = given.get(piece.owner)
        holds = piece.digest == (digest(own) if own is not None else "")
        if piece.key != piece.owner or own is None:
            if holds:
                block.lines.append(piece.line)
        elif own in block.lines and holds:
            block.lines[block.lines.index(own)] = piece.line
        elif own in block.lines and piece.key.startswith(("ATTENDEE", "ORGANIZER")):
            block.lines[block.lines.index(own)] = _with_params(own, piece.line)
    block.children += [_block(part) for part in kept.parts if part]
    ours = [child for child in block.children if child.name == "VALARM"]
    if kept.alarms_of and kept.alarms_of == _alarms_digest(ours):
        block.children = [child for child in block.children if child.name != "VALARM"]
        block.children += [_block(alarm) for alarm in kept.alarms if alarm]


def _with_params(own: str, theirs: str) -> str:
    """A line with those parameters of the client's that say nothing about its state."""
    try:
        line, other = parse_line(own), parse_line(theirs)
    except ParseError:
        return own
    more = {key: value for key, value in other.params.items() if key not in _STATE_PARAMS}
    return line_text(line.name, line.value, {**more, **line.params})


def _block(lines: list[str]) -> Block:
    """A kept component; its lines are written as they are, with those that begin and end it."""
    return Block(lines[0].removeprefix("BEGIN:"), lines[1:-1])
