"""Journal entries and notes as VJOURNAL, both ways (MS-OXOJRNL, MS-OXONOTE, RFC 5545 3.6.3).

The subject of a note is the first line of its body; it has no other.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.blocks import Block
from gateway.convert.ical.events_in import copied
from gateway.convert.ical.files import read_files, write_files
from gateway.convert.ical.identity import read_uid, stamps, uid_of, write_ids
from gateway.convert.ical.itemzone import start_zone, write_zones
from gateway.convert.ical.layout import ZonesUsed
from gateway.convert.ical.marks import read_class, write_class
from gateway.convert.ical.moments import Zones, filetime, local, naive_utc, time_line
from gateway.convert.ical.options import Options
from gateway.convert.ical.retained import Retained, restore
from gateway.convert.ical.texts import read_texts, write_texts
from gateway.convert.ical.timezones import UTC_ZONE
from gateway.convert.ical.values import number, text
from gateway.convert.lines import Component
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent

_NOTE: Final = "ipm.stickynote"
_NOTE_ICON: Final = 0x300
_YELLOW: Final = 3
_LONGEST_SUBJECT: Final = 255


def write_journal(content: MessageContent, kept: Retained, zones: ZonesUsed, options: Options) -> Block:
    """The VJOURNAL of a journal entry or a note."""
    props = content.props
    block = Block("VJOURNAL")
    block.text("UID", uid_of(props))
    block.lines += stamps(props, options)
    start = naive_utc(number(props, ids.LOG_START)) or naive_utc(number(props, ids.COMMON_START))
    if start is not None:
        zone = start_zone(props, start.year, recurring=False)
        if props.get(ids.ALL_DAY):
            wall = local(start, zone or options.zone)
            block.lines.append(time_line("DTSTART", wall, None, is_date=True))
        else:
            zones.add(zone, start.year)
            block.lines.append(time_line("DTSTART", local(start, zone or UTC_ZONE), zone))
    write_texts(block, props, html=options.html or kept.of("").html)
    write_class(block, props)
    if content.attachments:
        write_files(block, content.attachments, options)
    restore(block, kept.of(""))
    return block


def read_journal(
    calendar: Component, component: Component, existing: MessageContent | None, options: Options
) -> MessageContent:
    """The journal entry or note of a VJOURNAL (ParseError)."""
    if any(line.value.strip() for name in ("RRULE", "RDATE", "RECURRENCE-ID") for line in component.all(name)):
        raise ParseError("a recurring journal entry has no form in MAPI")
    zones = Zones(calendar, options.zone)
    content = copied(existing)
    props = content.props
    props.setdefault(pt.PR_MESSAGE_CLASS, options.note_class)
    write_ids(props, read_uid(component))
    read_texts(component, props)
    read_class(component, props)
    read_files(component, content, options)
    stamp = component.first("DTSTAMP")
    if stamp is not None:
        with suppress(ParseError):
            props[ids.OWNER_CHANGE] = filetime(zones.when(stamp).utc)
    line = component.first("DTSTART")
    if line is not None and line.value.strip():
        when = zones.when(line)
        props[ids.LOG_START] = props[ids.COMMON_START] = filetime(when.utc)
        props.setdefault(ids.LOG_DURATION, 0)
        props[ids.LOG_END] = props[ids.LOG_START] + (number(props, ids.LOG_DURATION) or 0) * 600_000_000
        props[ids.COMMON_END] = props[ids.LOG_END]
        props[ids.ALL_DAY] = when.is_date
        write_zones(props, when.zone, when.zone, when.wall.year, recurring=False)
    else:
        for key in (ids.LOG_START, ids.LOG_END, ids.LOG_DURATION, ids.COMMON_START, ids.COMMON_END):
            props.pop(key, None)
    if text(props, pt.PR_MESSAGE_CLASS).lower().startswith(_NOTE):
        props.setdefault(ids.NOTE_COLOR, _YELLOW)
        props.setdefault(pt.PR_ICON_INDEX, _NOTE_ICON + _YELLOW)
        if not text(props, pt.PR_SUBJECT):
            first = text(props, pt.PR_BODY).strip().partition("\n")[0].strip()
            props[pt.PR_SUBJECT] = first[:_LONGEST_SUBJECT]
    else:
        props.setdefault(ids.LOG_TYPE, "Journal")
    return content
