"""Appointments as VEVENTs: one for the item, one for each modified instance (MS-OXCICAL 2.1.3.1.1.20)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import globalid
from gateway.convert.ical import propids as ids
from gateway.convert.ical.alarms import write_alarm
from gateway.convert.ical.attendees import write_people
from gateway.convert.ical.blocks import Block
from gateway.convert.ical.civil import DAY
from gateway.convert.ical.exceptions import Exceptional, exceptions_of, instance_span, whole
from gateway.convert.ical.files import write_files
from gateway.convert.ical.identity import stamps, uid_of
from gateway.convert.ical.layout import ZonesUsed
from gateway.convert.ical.marks import write_busy, write_class, write_priority
from gateway.convert.ical.moments import local, naive_utc, of_rtime, rtime, time_line, utc_of
from gateway.convert.ical.options import Options
from gateway.convert.ical.pattern import Pattern
from gateway.convert.ical.retained import Kept, Retained, digest, restore
from gateway.convert.ical.series import (
    date_lines,
    exdate_lines,
    members,
    midnight,
    rule_lines,
    stored_pattern,
    unpacked_time,
)
from gateway.convert.ical.spans import Span, stored_span
from gateway.convert.ical.texts import write_texts
from gateway.convert.ical.timezones import UTC_ZONE, Zone
from gateway.convert.ical.values import number, octets
from gateway.convert.lines import line_text
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from gateway.mapi.props import NamedProps, signed32

_HALF: Final = DAY // 2


@dataclass(slots=True)
class Event:
    """A stored event, read as far as its times."""

    content: MessageContent
    span: Span
    pattern: Pattern | None = None
    """None for one that does not repeat, or repeats in a way that iCalendar has no words for."""

    @property
    def zone(self) -> Zone:
        """The zone of a series' wall clock."""
        return self.span.zone or UTC_ZONE

    def exceptions(self) -> list[Exceptional]:
        """The modified instances."""
        return [] if self.pattern is None else exceptions_of(self.content, self.pattern, self.zone)


def event_of(content: MessageContent, options: Options) -> Event:
    """The event of an item (ParseError when it has no time)."""
    recurring = bool(content.props.get(ids.RECUR))
    span = stored_span(content.props, options, recurring=recurring)
    if span is None:
        raise ParseError("an appointment without start")
    pattern = stored_pattern(content.props, span) if recurring else None
    if pattern is None:
        return Event(content, span)
    if span.zone is None:  # the pattern counts in local time, and the owner's is the only one known
        zone = options.zone
        span = Span(local(span.start, zone), local(span.end, zone), zone, zone, span.all_day)
    return Event(content, _series_span(pattern, span), pattern if pattern.is_gregorian else None)


def _series_span(pattern: Pattern, span: Span) -> Span:
    """The times of the first instance as the pattern has them: it knows better (MS-OXOCAL 2.2.1.44.5)."""
    first = pattern.start + (pattern.start_offset or 0)
    length = max(pattern.end_offset - (pattern.start_offset or 0), 0)
    if span.all_day:
        days = max((length + _HALF) // DAY, 1)
        start = of_rtime((first + _HALF) // DAY * DAY)
        return span._replace(start=start, end=start + timedelta(days=days))
    start, end = of_rtime(first), of_rtime(first + length)
    if span.end_zone is not span.zone:
        end = local(utc_of(end, span.zone or UTC_ZONE), span.end_zone or UTC_ZONE)
    return span._replace(start=start, end=end)


def write_event(event: Event, kept: Retained, zones: ZonesUsed, options: Options) -> list[tuple[str, Block]]:
    """The components of an event, each with the key under which things are kept for it."""
    master = _block(event.content, event.span, kept.of(""), options)
    zones.add(None if event.span.all_day else event.span.zone, event.span.start.year)
    zones.add(None if event.span.all_day else event.span.end_zone, event.span.start.year)
    _insert(master, _identifying(event, kept.of("")), "DTEND")
    restore(master, kept.of(""))
    blocks = [("", master)]
    for each in event.exceptions():
        key = str(each.instance.original // DAY)
        content = whole(event.content, each, event.zone)
        span = instance_span(content.props, each.instance, event.zone, embedded=each.attachment is not None)
        content.props[ids.ALL_DAY] = span.all_day
        for used in () if span.all_day else (span.zone, span.end_zone):
            zones.add(used, event.span.start.year)
        block = _block(content, span, kept.of(key), options)
        original = of_rtime(each.instance.original)
        line = time_line("RECURRENCE-ID", original, event.zone, is_date=event.span.all_day)
        _insert(block, [line], "UID")
        restore(block, kept.of(key))
        blocks.append((key, block))
    if len(blocks) > 1 and _has_only_instances(event, kept.of("")):
        return blocks[1:]
    return blocks


def _has_only_instances(event: Event, kept: Kept) -> bool:
    """Whether a series stands for single instances of somebody's series, as long as it is that series."""
    return kept.only_instances and event.pattern is not None and kept.rule_of == pattern_digest(event.pattern)


def _insert(block: Block, lines: list[str], after: str) -> None:
    for place, line in enumerate(block.lines):
        if line.startswith(after):
            block.lines[place + 1 : place + 1] = lines
            return


def _identifying(event: Event, kept: Kept) -> list[str]:
    """The rule of a series, or which instance of somebody's series an item is."""
    if event.pattern is None:
        line = recurrence_id(event)
        return [] if line is None else [line]
    pattern, span = event.pattern, event.span
    gone = pattern.exdates
    if kept.rule_of and kept.rule_of == pattern_digest(pattern):
        try:
            days = members(tuple(kept.rules), tuple(kept.dates), span.start, event.zone)
        except ParseError:
            days = set()
        if days:
            gone = tuple(day for day in gone if day in days)
            lines = [line_text("RRULE", rule) for rule in kept.rules]
            offset = pattern.start_offset or 0
            lines += date_lines("RDATE", tuple(kept.dates), offset, span.zone, all_day=span.all_day)
            return lines + exdate_lines(pattern, gone, span.zone, all_day=span.all_day)
    lines = rule_lines(pattern, span.zone, all_day=span.all_day)
    return lines + exdate_lines(pattern, gone, span.zone, all_day=span.all_day)


def pattern_digest(pattern: Pattern) -> str:
    """What tells one pattern from another, whatever instances are gone."""
    p = pattern
    return digest(repr((p.frequency, p.type, p.period, p.start, p.end, p.count, p.start_offset, p.end_offset)))


def recurrence_id(event: Event) -> str | None:
    """RECURRENCE-ID of an item that is a single instance of a series its owner does not have."""
    original = original_start(event.content.props, event.span)
    if original is None:
        return None
    wall, zone = original
    if event.span.all_day and wall % DAY:  # this instance became a whole day, the series has a time
        return time_line("RECURRENCE-ID", utc_of(of_rtime(wall), zone or UTC_ZONE), None)
    return time_line("RECURRENCE-ID", of_rtime(wall), zone, is_date=event.span.all_day)


def original_start(props: NamedProps, span: Span) -> tuple[int, Zone | None] | None:
    """Where the series had the instance that an item is: local rtime and its zone; None for all else."""
    date = globalid.date_of(octets(props, ids.GLOBAL_ID))
    if not props.get(ids.IS_EXCEPTION) and date is None:
        return None
    moment = naive_utc(number(props, ids.REPLACE_TIME))
    if moment is not None:
        return rtime(local(moment, span.zone or UTC_ZONE)), span.zone
    if date is None or not 1 <= date.month <= 12 or not 1 <= date.day <= 31 or date.year < 1602:
        return None
    time = number(props, ids.START_TIME)
    minutes = unpacked_time(time) if time is not None else rtime(span.start) % DAY
    return midnight(*date) + min(minutes, DAY - 1), span.zone


def _block(content: MessageContent, span: Span, kept: Kept, options: Options) -> Block:
    """A VEVENT without what makes it part of a series."""
    props = content.props
    block = Block("VEVENT")
    block.text("UID", uid_of(props))
    block.lines += stamps(props, options)
    block.lines += span.lines()
    write_texts(block, props, html=options.html or kept.html)
    write_class(block, props)
    write_priority(block, props)
    block.lines.append(f"SEQUENCE:{number(props, ids.SEQUENCE) or 0}")
    write_busy(block, props)
    if span.all_day:
        block.lines.append("X-MICROSOFT-CDO-ALLDAYEVENT:TRUE")
    if props.get(ids.NO_COUNTER):
        block.lines.append("X-MICROSOFT-DISALLOW-COUNTER:TRUE")
    owner_id = number(props, pt.PR_OWNER_APPT_ID)
    if owner_id is not None:
        block.lines.append(f"X-MICROSOFT-CDO-OWNERAPPTID:{signed32(owner_id)}")
    if content.recipients:
        write_people(block, content, options)
    if content.attachments:
        write_files(block, content.attachments, options)
    if options.alarms:
        write_alarm(block, props)
    return block
