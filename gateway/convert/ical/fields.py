"""The fields that an event and each of its modified instances have, read from a VEVENT into properties."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from gateway.convert.errors import OrganizersOnly, ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.alarms import read_alarm
from gateway.convert.ical.attendees import read_people
from gateway.convert.ical.civil import DAY
from gateway.convert.ical.events_out import Event
from gateway.convert.ical.expand import days
from gateway.convert.ical.files import read_files
from gateway.convert.ical.marks import read_busy, read_class, read_priority
from gateway.convert.ical.moments import Zones, filetime, local, of_rtime, rtime, utc_of
from gateway.convert.ical.options import Options
from gateway.convert.ical.people import REPRESENTING, address_of
from gateway.convert.ical.series import Series
from gateway.convert.ical.spans import Span, write_span
from gateway.convert.ical.texts import read_texts
from gateway.convert.ical.timezones import UTC_ZONE
from gateway.convert.ical.values import number, octets, text
from gateway.convert.lines import Component
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from gateway.mapi.props import NamedProps, unsigned32

_SEQUENCE_LIMIT: Final = 0x7FFFFFFF
_WINDOW: Final = 366 * 12 * DAY
"""How far the next instance of a series is looked for: past a leap day that a century leaves out."""


def read_fields(
    component: Component,
    content: MessageContent,
    span: Span,
    before: Event | None,
    zones: Zones,
    options: Options,
    series: Series | None = None,
) -> None:
    """Set everything of an event but its rule; ``before`` is what is stored, for what depends on a change."""
    props = content.props
    sequence = sequence_of(component)
    only_own = before is not None and _is_guest(before.content, sequence, options)
    if only_own and before is not None and _moves(before, span):
        raise OrganizersOnly("only the organizer can move this meeting")
    read_texts(component, props)
    read_class(component, props)
    read_priority(component, props)
    read_busy(component, props, stored=before is not None)
    read_people(component, content, options, only_own=only_own)
    _read_state(component, props)
    _read_rest(component, props, zones)
    read_files(component, content, options)
    if series is None:
        note_sequence(component, props, before, span, options)
    write_span(props, span, options, recurring=series is not None)
    if options.alarms:
        times = span.utc_start, span.utc_end
        read_alarm(component, props, times, zones, lambda moment: _following(moment, span, series))


def _following(moment: datetime, span: Span, series: Series | None) -> datetime:
    """The start of the first instance at or after a time; all are UTC."""
    if series is None:
        return span.utc_start
    zone, offset = span.zone or UTC_ZONE, series.pattern.start_offset or 0
    first = rtime(local(moment, zone)) - offset
    gone = set(series.pattern.deleted)
    last = span.utc_start
    for day in days(series.pattern, first // DAY * DAY, first + _WINDOW):
        if day not in gone:
            last = utc_of(of_rtime(day + offset), zone)
            if last >= moment:
                return last
    return last


def _read_state(component: Component, props: NamedProps) -> None:
    state = number(props, ids.STATE) or 0
    canceled = (component.text("STATUS") or "").strip().upper() == "CANCELLED"
    props[ids.STATE] = state | ids.IS_CANCELED if canceled else state & ~ids.IS_CANCELED


def _read_rest(component: Component, props: NamedProps, zones: Zones) -> None:
    line = component.first("DTSTAMP")
    if line is not None:
        with suppress(ParseError):
            props[ids.OWNER_CHANGE] = filetime(zones.when(line).utc)
    word = (component.text("X-MICROSOFT-DISALLOW-COUNTER") or "").strip().upper()
    if word in ("TRUE", "FALSE"):
        props[ids.NO_COUNTER] = word == "TRUE"
    owner_id = (component.text("X-MICROSOFT-CDO-OWNERAPPTID") or "").strip()
    if owner_id.lstrip("-").isdecimal() and len(owner_id) < 12:
        props[pt.PR_OWNER_APPT_ID] = unsigned32(int(owner_id))


# Sequence and rights


def sequence_of(component: Component) -> int:
    """The revision that a component has, 0 when it does not say."""
    found = 0
    for name in ("SEQUENCE", "X-MICROSOFT-CDO-APPT-SEQUENCE"):
        word = (component.text(name) or "").strip()
        if word.isascii() and word.isdigit() and len(word) < 12:
            found = max(found, min(int(word), _SEQUENCE_LIMIT))
    return found


def note_sequence(
    component: Component, props: NamedProps, before: Event | None, span: Span, options: Options
) -> None:
    """Set the sequence: the organizer's grows with what guests must agree to anew (RFC 5546 2.1.4)."""
    found = sequence_of(component)
    if before is not None:
        stored = number(before.content.props, ids.SEQUENCE) or 0
        old = before.content.props
        organizes = (number(props, ids.STATE) or 0) & (ids.IS_MEETING | ids.IS_RECEIVED) == ids.IS_MEETING
        changed = _moves(before, span) or octets(old, ids.RECUR) != octets(props, ids.RECUR)
        changed = changed or text(old, ids.LOCATION) != text(props, ids.LOCATION)
        found = max(found, stored + 1 if organizes and changed else stored)
    props[ids.SEQUENCE] = min(found, _SEQUENCE_LIMIT)


def _moves(before: Event, span: Span) -> bool:
    old = before.span
    if old.all_day != span.all_day:
        return True
    if span.all_day:
        return (old.start, old.end) != (span.start, span.end)
    return _minutes(old) != _minutes(span)


def _minutes(span: Span) -> tuple[datetime, datetime]:
    return (
        span.utc_start - timedelta(seconds=span.utc_start.second),
        span.utc_end - timedelta(seconds=span.utc_end.second),
    )


def _is_guest(stored: MessageContent, sequence: int, options: Options) -> bool:
    """Whether the owner was invited to a stored meeting, and this is no later word of its organizer."""
    if options.from_organizer:
        return False
    state = number(stored.props, ids.STATE) or 0
    organizer = address_of(stored.props, REPRESENTING)
    if not state & ids.IS_RECEIVED or not options.owner or not organizer or options.owns(organizer):
        return False
    return sequence <= (number(stored.props, ids.SEQUENCE) or 0)
