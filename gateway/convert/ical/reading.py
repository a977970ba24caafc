"""Calendar objects as items: parsed, checked, merged into what is stored (RFC 4791 4.1, 5.3.2.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.events_in import ReadEvent, read_event
from gateway.convert.ical.events_out import pattern_digest
from gateway.convert.ical.files import managed_ids
from gateway.convert.ical.identity import read_uid
from gateway.convert.ical.journals import read_journal
from gateway.convert.ical.kinds import kind_of
from gateway.convert.ical.layout import ZonesUsed
from gateway.convert.ical.options import DEFAULTS, Options
from gateway.convert.ical.privacy import hides
from gateway.convert.ical.retained import Kept, Retained, differences, read, written
from gateway.convert.ical.tasks_in import read_task
from gateway.convert.ical.values import octets
from gateway.convert.ical.writing import components
from gateway.convert.lines import Component, line_text, parse
from gateway.mapi.content import MessageContent

MAX_SIZE: Final = 32 * 1024 * 1024
"""Octets of a calendar object; the largest carry files."""
KINDS: Final = ("VEVENT", "VTODO", "VJOURNAL")
_CALENDAR_LINES: Final = 20
_LINE: Final = 2000


def from_ical(
    data: bytes | str, existing: MessageContent | None = None, options: Options = DEFAULTS
) -> MessageContent:
    """The whole item that a calendar object makes of a stored one (None: of nothing); ``existing`` stays as it is.

    Properties of ``existing`` that the result lacks are to be deleted from the store; recipients and attachments
    are those of the result, the objects of unchanged attachments are the very same. METHOD is ignored.

    Raises ParseError, with a text for the client: no object or more than one, components of several kinds or UIDs,
    no UID, broken times, a recurrence that MAPI has no form for (`rrule.Unrepresentable`), a private item of
    somebody else, another time of a meeting that the owner was invited to.
    """
    return item_of(single_calendar(data), existing, options)


def item_of(calendar: Component, existing: MessageContent | None, options: Options) -> MessageContent:
    """`from_ical` of a calendar object that has been parsed."""
    found = items(calendar)
    kind = found[0].name
    if existing is not None:
        if hides(existing, options):
            raise ParseError("a private item can be changed by its owner only")
        if kind_of(existing.props) not in (kind, None):
            raise ParseError(f"the stored item is no {kind}")
    return _with_retained(calendar, _read(calendar, found, existing, options), existing, options)


def _read(
    calendar: Component, found: list[Component], existing: MessageContent | None, options: Options
) -> ReadEvent:
    if found[0].name == "VEVENT":
        return read_event(calendar, found, existing, options)
    if len(found) > 1:
        raise ParseError(f"more than one {found[0].name} with the same UID")
    reader = read_task if found[0].name == "VTODO" else read_journal
    return ReadEvent(reader(calendar, found[0], existing, options), {"": found[0]})


def single_calendar(data: bytes | str) -> Component:
    """The one VCALENDAR in a text; several, as some programs write them, are joined (ParseError)."""
    if len(data) > MAX_SIZE:
        raise ParseError(f"a calendar object of more than {MAX_SIZE} octets")
    found = [component for component in parse(data) if component.name == "VCALENDAR"]
    if not found:
        raise ParseError("no VCALENDAR")
    for other in found[1:]:
        found[0].children += other.children
    return found[0]


def items(calendar: Component) -> list[Component]:
    """The events, tasks or journal entries of an object, which must be of one kind and UID (ParseError)."""
    found = [child for child in calendar.children if child.name in KINDS]
    if not found:
        raise ParseError("neither VEVENT nor VTODO nor VJOURNAL")
    if len({child.name for child in found}) > 1:
        raise ParseError("components of several kinds in one calendar object")
    if len({read_uid(child) for child in found}) > 1:
        raise ParseError("components with different UIDs in one calendar object")
    return found


def _with_retained(
    calendar: Component, event: ReadEvent, existing: MessageContent | None, options: Options
) -> MessageContent:
    """The item with what its text says beyond it."""
    content = event.content
    content.props.pop(ids.RETAINED, None)
    plain = replace(options, alarms=True, html=False, inline=0, sees_private=True)
    before = read(octets(existing.props, ids.RETAINED)) if existing is not None else Retained()
    kept, files = Retained(_calendar_lines(calendar)), managed_ids(content)
    for key, block in components(content, Retained(), ZonesUsed(), plain):
        component = event.components.get(key)
        if component is None:
            continue
        one = differences(component, block, files)
        if not options.alarms:
            old = before.of(key)
            one.alarms, one.alarms_of = old.alarms, old.alarms_of
        kept.components[key] = one
    if event.series is not None and event.series.is_listed:
        one = kept.components.setdefault("", Kept())
        one.rules, one.dates = list(event.series.rules), list(event.series.dates)
        one.rule_of = pattern_digest(event.series.pattern)
        one.only_instances = event.series.only_instances
    blob = written(kept)
    if blob:
        content.props[ids.RETAINED] = blob
    return content


def _calendar_lines(calendar: Component) -> list[str]:
    """Properties of the calendar object that nobody here knows."""
    unknown = (
        line for line in calendar.lines if line.name.startswith("X-") and not line.name.startswith("X-WR-")
    )
    lines = [line_text(line.name, line.value, line.params, line.group) for line in unknown]
    return [line for line in lines if len(line) <= _LINE][:_CALENDAR_LINES]
