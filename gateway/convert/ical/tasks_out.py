"""Tasks as VTODO (MS-OXOTASK 2.2.2, RFC 5545 3.6.2). Dates of tasks are local midnights as if they were UTC."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.alarms import write_task_alarm
from gateway.convert.ical.blocks import Block
from gateway.convert.ical.civil import DAY
from gateway.convert.ical.files import write_files
from gateway.convert.ical.identity import stamps, uid_of
from gateway.convert.ical.itemzone import start_zone
from gateway.convert.ical.layout import ZonesUsed
from gateway.convert.ical.marks import write_class, write_priority
from gateway.convert.ical.moments import local, naive_utc, rtime, stamp, time_line
from gateway.convert.ical.options import Options
from gateway.convert.ical.pattern import Pattern
from gateway.convert.ical.recurblob import decode
from gateway.convert.ical.retained import Retained, restore
from gateway.convert.ical.rruleparts import Unrepresentable
from gateway.convert.ical.series import exdate_lines, rule_lines
from gateway.convert.ical.texts import write_texts
from gateway.convert.ical.values import number, octets
from gateway.mapi.content import MessageContent
from gateway.mapi.props import NamedProps

NOT_STARTED, IN_PROGRESS, COMPLETE, WAITING, DEFERRED = range(5)
_STATUSES: Final = {
    NOT_STARTED: "NEEDS-ACTION",
    IN_PROGRESS: "IN-PROCESS",
    COMPLETE: "COMPLETED",
    WAITING: "NEEDS-ACTION",
    DEFERRED: "CANCELLED",
}


def is_complete(props: NamedProps) -> bool:
    """Whether a task is done, by any of its marks."""
    return bool(props.get(ids.TASK_COMPLETE)) or number(props, ids.TASK_STATUS) == COMPLETE


def percent(props: NamedProps) -> int:
    """How much of a task is done, in percent."""
    found = props.get(ids.TASK_PERCENT)
    if not isinstance(found, (int, float)) or not 0 < found <= 1:
        return 0
    return round(found * 100)


def task_pattern(props: NamedProps) -> Pattern | None:
    """The pattern of a recurring task, None when there is none or it cannot be read."""
    blob = octets(props, ids.TASK_RECUR)
    if not blob or props.get(ids.TASK_RECURRING) is False:
        return None
    try:
        return decode(blob)
    except ParseError:
        return None


def write_task(content: MessageContent, kept: Retained, zones: ZonesUsed, options: Options) -> Block:
    """The VTODO of a task."""
    props = content.props
    block = Block("VTODO")
    block.text("UID", uid_of(props))
    block.lines += stamps(props, options)
    block.lines += _dates(props, zones, options)
    write_texts(block, props, html=options.html or kept.of("").html)
    write_class(block, props)
    write_priority(block, props)
    if sequence := number(props, ids.SEQUENCE):
        block.lines.append(f"SEQUENCE:{sequence}")
    _write_progress(block, props, options)
    if content.attachments:
        write_files(block, content.attachments, options)
    if options.alarms:
        write_task_alarm(block, props)
    restore(block, kept.of(""))
    return block


def _write_progress(block: Block, props: NamedProps, options: Options) -> None:
    done = is_complete(props)
    status = COMPLETE if done else number(props, ids.TASK_STATUS) or NOT_STARTED
    block.lines.append(f"STATUS:{_STATUSES.get(status, 'NEEDS-ACTION')}")
    share = 100 if done else percent(props)
    if share:
        block.lines.append(f"PERCENT-COMPLETE:{share}")
    when = naive_utc(number(props, ids.TASK_COMPLETED)) if done else None
    if when is not None:
        block.lines.append(f"COMPLETED:{stamp(when)}Z")


def task_day(props: NamedProps, key: int, common: int, options: Options) -> datetime | None:
    """A date of a task: its midnight; from the common property (UTC) where the task's own is missing."""
    own = naive_utc(number(props, key))
    if own is not None:
        return own.replace(hour=0, minute=0, second=0, microsecond=0)
    moment = naive_utc(number(props, common))
    return (
        None
        if moment is None
        else local(moment, options.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    )


def _dates(props: NamedProps, zones: ZonesUsed, options: Options) -> list[str]:
    """DTSTART, DUE and RRULE; times of the day are written only if the task has a zone."""
    lines: list[str] = []
    timed = start_zone(props, 2000, recurring=False)
    start = task_day(props, ids.TASK_START, ids.COMMON_START, options)
    due = task_day(props, ids.TASK_DUE, ids.COMMON_END, options)
    for name, day, common in (("DTSTART", start, ids.COMMON_START), ("DUE", due, ids.COMMON_END)):
        moment = naive_utc(number(props, common))
        if day is None:
            continue
        if timed is not None and moment is not None:
            zones.add(timed, moment.year)
            lines.append(time_line(name, local(moment, timed), timed))
        else:
            lines.append(time_line(name, day, None, is_date=True))
    pattern = task_pattern(props)
    anchor = start or due
    if pattern is None or anchor is None or not pattern.is_gregorian or pattern.sliding:
        return lines
    if start is None:
        lines.insert(0, lines[0].replace("DUE", "DTSTART", 1))  # a rule counts from DTSTART
    offset = 0
    if timed is not None:
        moment = naive_utc(number(props, ids.COMMON_START)) or naive_utc(number(props, ids.COMMON_END))
        offset = rtime(local(moment, timed)) % DAY if moment is not None else 0
    whole_days = timed is None
    pattern = replace(pattern, start_offset=offset)
    try:
        lines += rule_lines(pattern, timed, all_day=whole_days)
    except Unrepresentable:
        return lines
    return lines + exdate_lines(pattern, pattern.exdates, timed, all_day=whole_days)
