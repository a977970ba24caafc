"""What the server changes in a text that a client puts: parameters of the people in it (RFC 6638 3.2.1, 7)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical.blocks import block_of, encoded, flat
from gateway.convert.ical.delegation import delegates
from gateway.convert.ical.people import calendar_address
from gateway.convert.lines import Component, Line, Params, parse
from gateway.dav.errors import Refused
from gateway.dav.scheduling.meeting import NEEDS_ACTION, Meeting

FORCE: Final = "SCHEDULE-FORCE-SEND"
STATUS: Final = "SCHEDULE-STATUS"


@dataclass(slots=True)
class Edits:
    """What is to be changed. Addresses are in small letters."""

    forces: bool = False
    """Whether the text asks to send again; that is done once, and not stored."""
    statuses: dict[str, str] = field(default_factory=dict)
    """What became of the message to somebody."""
    answers: dict[tuple[str, str], str] = field(default_factory=dict)
    """Component and address to the answer that counts."""

    def __bool__(self) -> bool:
        return self.forces or bool(self.statuses) or bool(self.answers)


def forced(body: bytes) -> dict[str, str]:
    """Whom the client wants to be told again: address to REQUEST or REPLY (RFC 6638 7.2)."""
    if FORCE.encode() not in body.upper():
        return {}
    found: dict[str, str] = {}
    for event in _events(body):
        for line in event.lines:
            if line.name in ("ATTENDEE", "ORGANIZER") and (word := line.param(FORCE).upper()):
                found[calendar_address(line).lower()] = word
    return found


def check_organizers(body: bytes) -> None:
    """Refuse several organizers in one object (RFC 6638 3.2.4.2)."""
    if body.upper().count(b"ORGANIZER") < 2:
        return
    lines = [line for event in _events(body) for line in event.all("ORGANIZER")]
    if len({(calendar_address(line) or line.value.strip()).lower() for line in lines}) > 1:
        raise Refused(403, "C:same-organizer-in-all-components", "all instances have the same organizer")


def _events(body: bytes) -> Iterator[Component]:
    try:
        calendars = parse(body)
    except ParseError:
        return  # the converter says what is wrong with it
    for calendar in calendars:
        yield from calendar.components("VEVENT")


def anew(old: Meeting, new: Meeting, own: Collection[str]) -> dict[tuple[str, str], str]:
    """The answers that a change of times makes void: those who gave them must be asked again (RFC 6638 3.2.1.2).

    Of who sends somebody else, that one is asked.
    """
    found: dict[tuple[str, str], str] = {}
    moved = _moved(old, new, "")
    for key in new.components:
        if moved or (key in old.components and _moved(old, new, key)):
            for address, line in new.attendees(key).items():
                if address != new.organizer and address not in own and not delegates(line):
                    found[key, address] = NEEDS_ACTION
    return found


def _moved(old: Meeting, new: Meeting, key: str) -> bool:
    return old.times(key) != new.times(key)


def known(old: Meeting, new: Meeting, own: Collection[str]) -> dict[tuple[str, str], str]:
    """The answers that came in since the client read the meeting: it does not know them (RFC 6638 3.2.10.1)."""
    found: dict[tuple[str, str], str] = {}
    for key in new.components:
        before = old.attendees(key)
        for address, line in new.attendees(key).items():
            if address in before and address not in own:
                stored = before[address].param("PARTSTAT").upper() or NEEDS_ACTION
                if stored != (line.param("PARTSTAT").upper() or NEEDS_ACTION):
                    found[key, address] = stored
    return found


def edited(body: bytes, edits: Edits) -> bytes:
    """The text with the changes (ParseError)."""
    calendars = parse(body)
    for calendar in calendars:
        for each in calendar.children:
            place = each.first("RECURRENCE-ID")
            key = place.value.strip() if place is not None else ""
            each.lines = [edited_line(line, key, edits) for line in each.lines]
    lines: list[str] = []
    for calendar in calendars:
        flat(block_of(calendar), lines)
    return encoded(lines)


def edited_line(line: Line, key: str, edits: Edits) -> Line:
    """One line with the changes."""
    if line.name not in ("ATTENDEE", "ORGANIZER"):
        return line
    address = calendar_address(line).lower()
    params = {name: value for name, value in line.params.items() if name != FORCE}
    if address in edits.statuses:
        params[STATUS] = (edits.statuses[address],)
    answer = edits.answers.get((key, address)) if line.name == "ATTENDEE" else None
    if answer is not None:
        params = _answered(params, answer)
    return Line(line.name, line.value, params, line.group)


def _answered(params: Params, answer: str) -> dict[str, tuple[str, ...]]:
    found = {name: value for name, value in params.items() if name not in ("PARTSTAT", "RSVP")}
    found["PARTSTAT"] = (answer,)
    if answer == NEEDS_ACTION:
        found["RSVP"] = ("TRUE",)
    return found
