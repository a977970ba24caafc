"""Guests who send somebody else (RFC 5545 3.2.4 and 3.2.5, RFC 5546 3.2.2.3 and 4.2.5).

MAPI has no such answer. A message that tells of it is one that declines, and what its text says is kept beside it (see
`retained`); the organizer's item has no answer of the guest, keeps his text too, and invites whom he sends.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.convert.ical import propids as ids
from gateway.convert.ical.civil import DAY, civil
from gateway.convert.ical.options import Options
from gateway.convert.ical.people import REPRESENTING, SENDER, address_of, calendar_address
from gateway.convert.ical.reading import item_of
from gateway.convert.ical.retained import read, said_of
from gateway.convert.ical.values import octets
from gateway.convert.ical.writing import to_ical
from gateway.convert.lines import Component, Line, parse
from gateway.mapi.content import MessageContent

DELEGATED: Final = "DELEGATED"
TO: Final = "DELEGATED-TO"
FROM: Final = "DELEGATED-FROM"
_STATE: Final = frozenset(("PARTSTAT", "RSVP", TO))


def delegates(line: Line) -> tuple[str, ...]:
    """Whom an attendee sends in his place: addresses in small letters; nobody when he comes himself."""
    return _people(line, TO) if line.param("PARTSTAT").upper() == DELEGATED else ()


def delegators(line: Line) -> tuple[str, ...]:
    """Who sends an attendee: addresses in small letters."""
    return _people(line, FROM)


def _people(line: Line, name: str) -> tuple[str, ...]:
    found = (calendar_address(Line(name, value)).lower() for value in line.params.get(name, ()))
    return tuple(dict.fromkeys(filter(None, found)))


def in_place_of(line: Line, address: str) -> Line:
    """The ATTENDEE of whom an attendee sends."""
    params = {key: value for key, value in line.params.items() if key in ("ROLE", "CUTYPE")}
    params |= {"PARTSTAT": ("NEEDS-ACTION",), "RSVP": ("TRUE",)}
    return Line("ATTENDEE", f"mailto:{address}", {**params, FROM: (f"mailto:{calendar_address(line)}",)})


def told_by(answer: MessageContent) -> Line | None:
    """The ATTENDEE of who says in an answer that he sends somebody else; None for all other answers."""
    sender = (address_of(answer.props, REPRESENTING) or address_of(answer.props, SENDER)).lower()
    for one in read(octets(answer.props, ids.RETAINED)).components.values():
        line = said_of(one, f"ATTENDEE {sender}")
        if sender and line is not None and delegates(line):
            return line
    return None


def with_delegates(item: MessageContent, said: Line, day: int | None, options: Options) -> MessageContent:
    """The organizer's item after an attendee has sent others (ParseError).

    ``day`` is midnight of the instance that he means (minutes since 1601), None for the event or series.
    """
    plain = replace(options, sees_private=True, alarms=True, html=False, inline=0, method="")
    (calendar,) = parse(to_ical(item, plain))
    for component in _meant(calendar, day):
        component.lines = _sent(component.lines, said)
    return item_of(calendar, item, replace(plain, alarms=False))


def _meant(calendar: Component, day: int | None) -> list[Component]:
    events = list(calendar.components("VEVENT"))
    if day is not None:
        year, month, number = civil(day // DAY)
        date = f"{year:04}{month:02}{number:02}"
        return [each for each in events if (each.text("RECURRENCE-ID") or "").startswith(date)]
    return [each for each in events if each.first("RECURRENCE-ID") is None] or events


def _sent(lines: list[Line], said: Line) -> list[Line]:
    """The lines of a component with what an attendee has said, and those whom he sends."""
    own = calendar_address(said).lower()
    there = {calendar_address(line).lower() for line in lines if line.name in ("ATTENDEE", "ORGANIZER")}
    found: list[Line] = []
    for line in lines:
        if line.name == "ATTENDEE" and calendar_address(line).lower() == own:
            params = {key: value for key, value in line.params.items() if key not in _STATE}
            line = Line(line.name, line.value, {**params, "PARTSTAT": (DELEGATED,), TO: said.params[TO]})
            new = [each for each in delegates(line) if each not in there]
            found += [line, *(in_place_of(line, each) for each in new)]
            continue
        found.append(line)
    return found
