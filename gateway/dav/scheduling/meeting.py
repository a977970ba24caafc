"""Meetings: what is stored and what a client puts, as the components that scheduling compares (RFC 6638 3.1).

Both sides are read from the text that the converter writes, so that equal means equal whatever a client wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical.people import calendar_address
from gateway.convert.lines import Component, Line, line_text, parse

SERVER: Final = "SERVER"
NEEDS_ACTION: Final = "NEEDS-ACTION"
#: What concerns nobody but whose calendar it is, or changes with every writing.
_PERSONAL: Final = frozenset(
    [
        "DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "ATTENDEE", "ORGANIZER", "TRANSP", "CATEGORIES", "COMMENT",
        "CLASS", "REQUEST-STATUS", "COLOR", "ACKNOWLEDGED", "EXDATE", "CONTACT",
    ]
)  # fmt: skip
#: What tells an instance from its series.
_PLACE: Final = frozenset(("RECURRENCE-ID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE"))
_STAMP: Final = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True)
class View:
    """What of a meeting somebody is invited to."""

    whole: bool
    """Whether to the event itself or the series, rather than to instances only."""
    instances: frozenset[str]
    """Modified instances, by the value of RECURRENCE-ID."""
    without: frozenset[str]
    """Instances of the series that he is left out of."""


class Meeting:
    """An event that people are invited to. Addresses are in small letters."""

    def __init__(self, calendar: Component, components: Iterable[Component]) -> None:
        self.calendar = calendar
        self.components = {_key(each): each for each in components}
        """By the value of RECURRENCE-ID; "" is the event itself or the series."""
        first = next(iter(self.components.values()))
        self.main = self.components.get("", first)
        self.organizer_line = next(filter(None, (each.first("ORGANIZER") for each in self)), None)
        self._people = {key: dict(_attendees(each)) for key, each in self.components.items()}

    def __iter__(self) -> Iterator[Component]:
        return iter(self.components.values())

    @property
    def organizer(self) -> str:
        """The organizer's address, "" when there is none."""
        return calendar_address(self.organizer_line).lower() if self.organizer_line is not None else ""

    @property
    def organizer_agent(self) -> str:
        """Who sends answers to the organizer: SERVER, CLIENT or NONE (RFC 6638 7.1)."""
        return _agent(self.organizer_line) if self.organizer_line is not None else "NONE"

    @property
    def sequence(self) -> int:
        """The revision."""
        found = (self.main.text("SEQUENCE") or "").strip()
        return int(found) if found.isascii() and found.isdigit() and len(found) < 11 else 0

    @property
    def is_cancelled(self) -> bool:
        """Whether the organizer has cancelled it."""
        return (self.main.text("STATUS") or "").upper() == "CANCELLED"

    def attendees(self, key: str = "") -> dict[str, Line]:
        """Who is invited to the event or to an instance, by address."""
        return self._people.get(key, {})

    def invited(self, but: Iterable[str] = ()) -> list[str]:
        """Everybody to whom the server sends, in order, without the organizer and his other addresses."""
        found = {
            address: line for people in reversed(self._people.values()) for address, line in people.items()
        }
        ordered = dict.fromkeys(address for people in self._people.values() for address in people)
        left_out = {self.organizer, *but}
        return [each for each in ordered if each not in left_out and _agent(found[each]) == SERVER]

    def unreachable(self) -> bool:
        """Whether somebody is named by what is no mail address."""
        return any(not calendar_address(line) for each in self for line in each.all("ATTENDEE"))

    def view_of(self, address: str) -> View | None:
        """What somebody is invited to; None for who is not."""
        overrides = [key for key in self.components if key]
        inside = frozenset(key for key in overrides if address in self._people[key])
        whole = address in self.attendees()
        if not whole and not inside:
            return None
        return View(whole, inside, frozenset(overrides) - inside if whole else frozenset())

    def status_of(self, addresses: Iterable[str], key: str = "") -> str:
        """The answer of somebody known under these addresses; "" for who is not invited there."""
        line = self.line_of(addresses, key)
        return "" if line is None else (line.param("PARTSTAT").upper() or NEEDS_ACTION)

    def line_of(self, addresses: Iterable[str], key: str = "") -> Line | None:
        """His ATTENDEE."""
        people = self.attendees(key)
        return next((people[each.lower()] for each in addresses if each.lower() in people), None)

    @property
    def excluded(self) -> dict[str, Line]:
        """Instances that were taken out of the series, each as an EXDATE of its own, by value."""
        found: dict[str, Line] = {}
        for line in self.main.all("EXDATE"):
            for value in line.value.split(","):
                found[value.strip()] = Line("EXDATE", value.strip(), line.params)
        return found

    def times(self, key: str = "") -> tuple[str, ...]:
        """When it takes place: the lines that say so."""
        component = self.components.get(key)
        names = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE")
        if component is None:
            return ()
        return tuple(sorted(_text(line) for line in component.lines if line.name in names))

    def meaning(self, key: str = "") -> frozenset[str]:
        """What guests should hear of when it changes."""
        component = self.components.get(key)
        return frozenset() if component is None else _meaning(component, _PERSONAL)

    def is_plain(self, key: str) -> bool:
        """Whether an instance says nothing that the series does not say."""
        one, series = self.components.get(key), self.components.get("")
        if (
            one is None
            or series is None
            or _meaning(one, _PERSONAL | _PLACE) != _meaning(series, _PERSONAL | _PLACE)
        ):
            return False
        return one.text("DTSTART") == key and length_of(one) == length_of(series)


def length_of(component: Component) -> float | str:
    """How long an event takes by the clock (seconds), or what it says of that."""
    start, end = component.text("DTSTART") or "", component.text("DTEND") or ""
    first, last = wall(start), wall(end)
    if first is None or last is None:
        return component.text("DURATION") or ""
    return (last - first).total_seconds()


def wall(value: str) -> datetime | None:
    """The wall clock of a DATE-TIME or DATE value."""
    text = value.strip().removesuffix("Z")
    try:
        return datetime.strptime(text if "T" in text else f"{text}T000000", _STAMP)
    except ValueError:
        return None


def meeting_of(text: bytes, name: str = "VEVENT") -> Meeting | None:
    """The meeting of a calendar object; None for an event that nobody is invited to, or no event.

    ``name`` is the component's: other things may have guests, too.
    """
    if b"ORGANIZER" not in text or b"ATTENDEE" not in text:
        return None
    try:
        calendar = next((each for each in parse(text) if each.name == "VCALENDAR"), None)
    except ParseError:
        return None
    events = list(calendar.components(name)) if calendar is not None else []
    if calendar is None or not events:
        return None
    found = Meeting(calendar, events)
    return found if found.organizer_line is not None else None


def _key(component: Component) -> str:
    line = component.first("RECURRENCE-ID")
    return line.value.strip() if line is not None else ""


def _attendees(component: Component) -> Iterator[tuple[str, Line]]:
    for line in component.all("ATTENDEE"):
        address = calendar_address(line)
        if address:
            yield address.lower(), line


def _agent(line: Line) -> str:
    found = line.param("SCHEDULE-AGENT").upper()
    return found or SERVER


def _text(line: Line) -> str:
    return line_text(line.name, line.value, line.params)


def _meaning(component: Component, but: frozenset[str]) -> frozenset[str]:
    return frozenset(
        _text(line) for line in component.lines if line.name not in but and not line.name.startswith("X-")
    )
