"""iTIP messages as text, made from meetings (RFC 5546 3.2, RFC 6638 3.2).

Parameters that are between client and server are not for others (RFC 6638 7); neither are alarms, categories and
what programs note for themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.convert.ical.blocks import Block, block_of, encoded, flat
from gateway.convert.ical.delegation import DELEGATED, TO, delegates
from gateway.convert.ical.layout import PRODID
from gateway.convert.lines import Component, Line, escape
from gateway.dav.scheduling.meeting import Meeting, View, length_of, wall

_BETWEEN: Final = frozenset(("SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND"))
_NOT_SENT: Final = frozenset(
    ("DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "CATEGORIES", "ACKNOWLEDGED", "REQUEST-STATUS")
)
_NOTES: Final = ("X-MOZ-", "X-EVOLUTION-", "X-CALENDARSERVER-", "X-APPLE-TRAVEL-", "X-LIC-", "X-RADICALE-")
#: What an answer repeats of the meeting.
_OF_ANSWER: Final = ("UID", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION", "ORGANIZER", "COMMENT")


def request(meeting: Meeting, view: View, now: float) -> bytes:
    """The REQUEST that tells guests everything that they are invited to."""
    chosen: list[Component] = []
    if view.whole:
        series = meeting.components[""]
        gone = [_exdate(meeting.components[key]) for key in sorted(view.without)]
        chosen.append(Component(series.name, [*series.lines, *gone], series.children))
    chosen += [meeting.components[key] for key in meeting.components if key in view.instances]
    return _written(meeting, "REQUEST", [_sent(each, meeting.sequence, now) for each in chosen])


def cancellation(meeting: Meeting, view: View, guests: Collection[str], sequence: int, now: float) -> bytes:
    """The CANCEL of all that guests were invited to."""
    keys = [""] if view.whole else [key for key in meeting.components if key in view.instances]
    chosen = [_called_off(meeting.components[key], meeting, guests) for key in keys]
    return _written(meeting, "CANCEL", [_sent(each, sequence, now) for each in chosen])


def cancelled_instance(
    meeting: Meeting, key: str, place: Line, guests: Collection[str], sequence: int, now: float
) -> bytes:
    """The CANCEL of one instance of a series; ``place`` is its RECURRENCE-ID."""
    component = instance(meeting, key, place)
    chosen = _called_off(component, meeting, guests)
    return _written(meeting, "CANCEL", [_sent(chosen, sequence, now)])


def instance(meeting: Meeting, key: str, place: Line) -> Component:
    """An instance of a series as a component: the modified one, or one as the series has it."""
    found = meeting.components.get(key)
    if found is not None:
        return found
    series = meeting.main
    lines = [
        line
        for line in series.lines
        if line.name not in ("RRULE", "RDATE", "EXDATE", "DTSTART", "DTEND", "DURATION")
    ]
    lines += [Line("RECURRENCE-ID", key, place.params), Line("DTSTART", key, place.params)]
    length, first = length_of(series), wall(key)
    if isinstance(length, float) and first is not None:
        lines.append(Line("DTEND", _like(key, first + timedelta(seconds=length)), place.params))
    elif duration := series.first("DURATION"):
        lines.append(duration)
    return Component(series.name, lines, [])


def _like(value: str, moment: datetime) -> str:
    """A time in the form of another value."""
    if "T" not in value:
        return f"{moment:%Y%m%d}"
    return f"{moment:%Y%m%dT%H%M%S}" + ("Z" if value.endswith("Z") else "")


def answer(meeting: Meeting, component: Component, attendee: Line, status: str, now: float) -> bytes:
    """The REPLY of a guest to one component."""
    lines = [line for line in component.lines if line.name in _OF_ANSWER]
    lines += [line for line in component.lines if line.name == "SUMMARY"]
    left_out = ("RSVP", "PARTSTAT") if status == DELEGATED else ("RSVP", "PARTSTAT", TO)
    params = {key: value for key, value in attendee.params.items() if key not in left_out}
    lines.append(Line("ATTENDEE", attendee.value, {**params, "PARTSTAT": (status,)}))
    if status == DELEGATED and component.first("COMMENT") is None:
        lines.append(Line("COMMENT", escape(f"Delegated to {', '.join(delegates(attendee))}")))
    reply = Component(component.name, lines)
    return _written(meeting, "REPLY", [_sent(reply, meeting.sequence, now)])


def _exdate(component: Component) -> Line:
    line = component.first("RECURRENCE-ID")
    return Line("EXDATE", "", {}) if line is None else Line("EXDATE", line.value, line.params)


def _called_off(component: Component, meeting: Meeting, guests: Collection[str]) -> Component:
    """A component that is cancelled for some."""
    left_out = ("ATTENDEE", "STATUS", "RDATE", "EXDATE", "ATTACH")
    keep = [line for line in component.lines if line.name not in left_out]
    people = [_line_of(meeting, guest) for guest in guests]
    return Component(component.name, [*keep, *filter(None, people), Line("STATUS", "CANCELLED")])


def _line_of(meeting: Meeting, guest: str) -> Line | None:
    return next((line for key in meeting.components if (line := meeting.attendees(key).get(guest))), None)


def _sent(component: Component, sequence: int, now: float) -> Component:
    """A component as others see it."""
    lines = [
        Line(line.name, line.value, {key: value for key, value in line.params.items() if key not in _BETWEEN})
        for line in component.lines
        if line.name not in _NOT_SENT and not line.name.startswith(_NOTES)
    ]
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    lines += [Line("DTSTAMP", stamp), Line("SEQUENCE", str(sequence))]
    return Component(component.name, lines, [each for each in component.children if each.name != "VALARM"])


def _written(meeting: Meeting, method: str, components: Iterable[Component]) -> bytes:
    lines: list[str] = []
    head = ["VERSION:2.0", f"PRODID:{PRODID}", f"METHOD:{method}"]
    zones = [block_of(each) for each in meeting.calendar.components("VTIMEZONE")]
    flat(Block("VCALENDAR", head, [*zones, *map(block_of, components)]), lines)
    return encoded(lines)
