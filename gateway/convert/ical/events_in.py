"""VEVENTs as an appointment: merged into the stored one, so that what iCalendar cannot say stays.

Whoever was invited to a meeting may answer and change his own copy; its time is the organizer's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.events_out import Event, event_of, original_start
from gateway.convert.ical.exceptions import is_exception
from gateway.convert.ical.fields import note_sequence, read_fields
from gateway.convert.ical.globalid import InstanceDate
from gateway.convert.ical.identity import read_uid, write_ids
from gateway.convert.ical.instances import first_instance, original_time, series_of_instances
from gateway.convert.ical.moments import Zones, filetime, utc_of
from gateway.convert.ical.options import Options
from gateway.convert.ical.overrides import read_overrides
from gateway.convert.ical.series import Series, clear_series, first_span, is_series, read_series, write_series
from gateway.convert.ical.spans import read_span
from gateway.convert.ical.timezones import UTC_ZONE
from gateway.convert.ical.values import number, octets
from gateway.convert.lines import Component
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from gateway.mapi.props import NamedProps

CLASS: Final = "IPM.Appointment"
_SIDE_EFFECTS: Final = 0x171
_ICONS: Final = {(False, False): 0x400, (True, False): 0x401, (False, True): 0x402, (True, True): 0x403}


@dataclass(slots=True)
class ReadEvent:
    """What a text became, with the components that its parts came from (keys as in `events_out.write_event`)."""

    content: MessageContent
    components: dict[str, Component]
    series: Series | None = None


def read_event(
    calendar: Component, components: list[Component], existing: MessageContent | None, options: Options
) -> ReadEvent:
    """The appointment of all VEVENTs of an object, merged into ``existing``, which is not changed (ParseError)."""
    zones = Zones(calendar, options.zone)
    masters = [each for each in components if each.first("RECURRENCE-ID") is None]
    overrides = [each for each in components if each.first("RECURRENCE-ID") is not None]
    if overrides and len(masters) == 1 and masters[0].text("X-MOZ-FAKED-MASTER") is not None:
        masters = []
    if len(masters) > 1:
        raise ParseError("two events with the same UID and without RECURRENCE-ID")
    for each in overrides:
        _refuse_range(each)
    content = copied(existing)
    before = _before(existing, options)
    if masters:
        return _read_master(masters[0], overrides, content, before, zones, options)
    # Of two that are for the same instance the last counts, as in a series.
    distinct = list({original_time(each, zones).utc: each for each in overrides}.values())
    if len(distinct) > 1:
        return _read_instances(distinct, content, before, zones, options)
    return _read_single_instance(distinct[0], content, before, zones, options)


def _refuse_range(component: Component) -> None:
    line = component.first("RECURRENCE-ID")
    if line is not None and line.param("RANGE"):
        raise ParseError(f"RECURRENCE-ID with RANGE={line.param('RANGE')[:20]} has no form in MAPI")


def copied(existing: MessageContent | None) -> MessageContent:
    """A copy whose properties and rows can be changed; attachments are shared until they are replaced."""
    if existing is None:
        return MessageContent()
    rows = [dict(row) for row in existing.recipients]
    return MessageContent(dict(existing.props), rows, list(existing.attachments))


def _before(existing: MessageContent | None, options: Options) -> Event | None:
    """The stored event, None when there is none that has a time."""
    if existing is None:
        return None
    try:
        event = event_of(existing, options)
    except ParseError:
        return None
    if event.pattern is None and octets(existing.props, ids.RECUR) and existing.props.get(ids.RECURRING):
        raise ParseError(
            "a series that counts in another calendar, or that cannot be read, must not be replaced"
        )
    return event


# One event


def _read_master(
    component: Component,
    overrides: list[Component],
    content: MessageContent,
    before: Event | None,
    zones: Zones,
    options: Options,
) -> ReadEvent:
    span = read_span(component, zones, options)
    if is_series(component):
        span = span.to_minutes()
    series = read_series(component, span, zones)
    if overrides and series is None:
        raise ParseError("an instance (RECURRENCE-ID) of an event that does not repeat")
    _name_whole(component, content.props)
    if series is None:
        read_fields(component, content, span, before, zones, options)
        clear_series(content.props)
        content.attachments = [each for each in content.attachments if not is_exception(each)]
        _complete(content.props)
        return ReadEvent(content, {"": component})
    span = first_span(series.pattern, span)
    read_fields(component, content, span, before, zones, options, series)
    _complete(content.props, recurring=True)
    pattern, keys = read_overrides(content, series, overrides, span, before, zones, options)
    series = replace(series, pattern=pattern)
    write_series(content.props, pattern)
    note_sequence(component, content.props, before, span, options)
    return ReadEvent(content, {"": component, **keys}, series)


def _name_whole(component: Component, props: NamedProps) -> None:
    """Make an item the whole event of a UID, not one instance of it."""
    write_ids(props, read_uid(component))
    props.pop(ids.REPLACE_TIME, None)
    props[ids.IS_EXCEPTION] = False


def _read_instances(
    components: list[Component],
    content: MessageContent,
    before: Event | None,
    zones: Zones,
    options: Options,
) -> ReadEvent:
    """Several instances of somebody's series, without the series: a series of nothing but these."""
    series, span = series_of_instances(components, zones, options)
    component = first_instance(components, zones)
    _name_whole(component, content.props)
    # What is stored for an instance is merged with that instance below; a first one may have come before it.
    read_fields(component, content, span, None, zones, options, series)
    _complete(content.props, recurring=True)
    stored = before if before is not None and before.pattern is not None else None
    pattern, keys = read_overrides(content, series, components, span, stored, zones, options)
    series = replace(series, pattern=pattern)
    write_series(content.props, pattern)
    return ReadEvent(content, keys, series)


def _read_single_instance(
    component: Component, content: MessageContent, before: Event | None, zones: Zones, options: Options
) -> ReadEvent:
    """An instance of somebody's series, without the series."""
    span = read_span(component, zones, options)
    line = component.first("RECURRENCE-ID")
    if line is None:
        raise ParseError("no RECURRENCE-ID")
    when = zones.when(line)
    zone = span.zone or UTC_ZONE
    wall = when.wall_in(zone)
    write_ids(content.props, read_uid(component), InstanceDate(wall.year, wall.month, wall.day))
    content.props[ids.IS_EXCEPTION] = True
    content.props[ids.REPLACE_TIME] = filetime(utc_of(wall, zone))
    if before is not None and original_start(before.content.props, before.span) is None:
        before = None
    read_fields(component, content, span, before, zones, options)
    clear_series(content.props)
    content.attachments = [each for each in content.attachments if not is_exception(each)]
    _complete(content.props)
    return ReadEvent(content, {"": component})


def _complete(props: NamedProps, *, recurring: bool = False) -> None:
    """What every appointment has; MAPI clients rely on it."""
    props.setdefault(pt.PR_MESSAGE_CLASS, CLASS)
    props.setdefault(ids.SIDE_EFFECTS, _SIDE_EFFECTS)
    props.setdefault(ids.COLOR, 0)
    meeting = bool((number(props, ids.STATE) or 0) & ids.IS_MEETING)
    if props.get(pt.PR_ICON_INDEX) in (None, *_ICONS.values()):
        props[pt.PR_ICON_INDEX] = _ICONS[recurring, meeting]
