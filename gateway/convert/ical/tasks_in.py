"""VTODO as a task, merged into the stored one (MS-OXOTASK 2.2.2)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.alarms import read_task_alarm
from gateway.convert.ical.civil import DAY
from gateway.convert.ical.events_in import copied
from gateway.convert.ical.fields import sequence_of
from gateway.convert.ical.files import read_files
from gateway.convert.ical.identity import read_uid, write_ids
from gateway.convert.ical.itemzone import write_zones
from gateway.convert.ical.marks import read_class, read_priority
from gateway.convert.ical.moments import When, Zones, filetime, later, local, of_rtime, parse_duration, rtime
from gateway.convert.ical.options import Options
from gateway.convert.ical.recurblob import decode, encode
from gateway.convert.ical.rrule import from_rrule
from gateway.convert.ical.series import falls_on
from gateway.convert.ical.tasks_out import (
    COMPLETE,
    DEFERRED,
    IN_PROGRESS,
    NOT_STARTED,
    WAITING,
    is_complete,
    percent,
    task_pattern,
)
from gateway.convert.ical.texts import read_texts
from gateway.convert.ical.values import number, octets
from gateway.convert.lines import Component
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from gateway.mapi.props import NamedProps

_ICONS: Final = (0x500, 0x501)
_FULL: Final = 100


def read_task(
    calendar: Component, component: Component, existing: MessageContent | None, options: Options
) -> MessageContent:
    """The task of a VTODO (ParseError)."""
    if component.first("RECURRENCE-ID") is not None:
        raise ParseError("an instance of a recurring task has no form in MAPI")
    zones = Zones(calendar, options.zone)
    content = copied(existing)
    props = content.props
    write_ids(props, read_uid(component))
    read_texts(component, props)
    read_class(component, props)
    read_priority(component, props)
    line = component.first("DTSTAMP")
    if line is not None:
        with suppress(ParseError):
            props[ids.OWNER_CHANGE] = filetime(zones.when(line).utc)
    if sequence := sequence_of(component):
        props[ids.SEQUENCE] = sequence
    start, due = _read_dates(component, props, zones)
    _read_progress(component, props, zones)
    _read_rule(component, props, start or due, zones)
    if options.alarms:
        read_task_alarm(component, props, start, due, zones)
    read_files(component, content, options)
    _complete(props, options)
    return content


def _read_dates(component: Component, props: NamedProps, zones: Zones) -> tuple[When | None, When | None]:
    """Set start and due date, each as a date of the wall and as a UTC time."""
    start = _when(component, "DTSTART", zones)
    due = _when(component, "DUE", zones)
    line = component.first("DURATION")
    if due is None and start is not None and line is not None and line.value.strip():
        due = start._replace(wall=later(start, parse_duration(line.value)))
    for when, own, common in ((start, ids.TASK_START, ids.COMMON_START), (due, ids.TASK_DUE, ids.COMMON_END)):
        if when is None:
            props.pop(own, None)
            props.pop(common, None)
            continue
        day = when.wall.replace(hour=0, minute=0, second=0)
        if props.get(own) != filetime(day):
            props[own] = filetime(day)
        props[common] = filetime(when.utc)
    timed = next((when for when in (start, due) if when is not None and not when.is_date), None)
    if timed is not None:
        write_zones(props, timed.zone, timed.zone, 2000, recurring=False)
    else:
        for key in (ids.ZONE_START, ids.ZONE_END, ids.ZONE_NAME, ids.END_ZONE_NAME, ids.ZONE_STRUCT):
            props.pop(key, None)
    return start, due


def _when(component: Component, name: str, zones: Zones) -> When | None:
    line = component.first(name)
    return None if line is None or not line.value.strip() else zones.when(line)


def _read_progress(component: Component, props: NamedProps, zones: Zones) -> None:
    """Set status, share and completion; done is what any of the three says is done."""
    status = (component.text("STATUS") or "").strip().upper()
    share = _share(component)
    when = None
    with suppress(ParseError):
        when = _when(component, "COMPLETED", zones)
    if status == "COMPLETED" or share == _FULL or (when is not None and status in ("", "COMPLETED")):
        props[ids.TASK_COMPLETE] = True
        props[ids.TASK_STATUS] = COMPLETE
        props[ids.TASK_PERCENT] = 1.0
        if when is not None:
            props[ids.TASK_COMPLETED] = filetime(when.utc)
        elif ids.TASK_COMPLETED not in props:
            stamp = number(props, ids.OWNER_CHANGE)
            if stamp is not None:
                props[ids.TASK_COMPLETED] = stamp
        return
    before = NOT_STARTED if is_complete(props) else number(props, ids.TASK_STATUS) or NOT_STARTED
    props[ids.TASK_COMPLETE] = False
    props.pop(ids.TASK_COMPLETED, None)
    props[ids.TASK_STATUS] = _status(status, share, before)
    if percent(props) != share or ids.TASK_PERCENT not in props or is_complete(props):
        props[ids.TASK_PERCENT] = share / _FULL


def _share(component: Component) -> int:
    word = (component.text("PERCENT-COMPLETE") or "").strip()
    return min(int(word), _FULL) if word.isascii() and word.isdigit() and len(word) < 9 else 0


def _status(word: str, share: int, before: int) -> int:
    """The status of a task that is not done; two that iCalendar does not tell apart stay what they are."""
    if word == "IN-PROCESS":
        return IN_PROGRESS
    if word == "CANCELLED":
        return DEFERRED
    if before == WAITING:
        return WAITING
    return IN_PROGRESS if not word and share else NOT_STARTED


def _read_rule(component: Component, props: NamedProps, anchor: When | None, zones: Zones) -> None:
    """Set the recurrence. A task that begins anew when done has no RRULE, and stays one when none comes."""
    before = task_pattern(props)
    lines = [line for line in component.all("RRULE") if line.value.strip()]
    if (
        any(line.value.strip() for name in ("RDATE", "EXRULE") for line in component.all(name))
        or len(lines) > 1
    ):
        raise ParseError("a task with RDATE, EXRULE or several RRULEs has no form in MAPI")
    if not lines:
        if before is None or not before.sliding:
            props.pop(ids.TASK_RECUR, None)
            props[ids.TASK_RECURRING] = False
        return
    if anchor is None:
        raise ParseError("a recurring task needs DTSTART or DUE")
    zone = anchor.zone
    start = rtime(anchor.wall)
    pattern = from_rrule(lines[0].value, start, local=lambda utc: rtime(local(of_rtime(utc), zone)))
    gone = {rtime(wall) // DAY * DAY for wall in _exdates(component, anchor, zones)}
    deleted = tuple(sorted(day for day in gone if falls_on(pattern, day)))
    blob = encode(replace(pattern, start_offset=None, end_offset=0, deleted=deleted))
    if not _means(octets(props, ids.TASK_RECUR), blob):
        props[ids.TASK_RECUR] = blob
    props[ids.TASK_RECURRING] = True
    props[ids.TASK_DEAD] = False
    props.setdefault(ids.TASK_RESET_REMINDER, False)


def _means(stored: bytes, blob: bytes) -> bool:
    try:
        return bool(stored) and encode(decode(stored)) == blob
    except ParseError:
        return False


def _exdates(component: Component, anchor: When, zones: Zones) -> list[datetime]:
    return [
        zones.when(line, value).wall_in(anchor.zone)
        for line in component.all("EXDATE")
        for value in filter(None, map(str.strip, line.value.split(",")))
    ]


def _complete(props: NamedProps, options: Options) -> None:
    """What every task has; MAPI clients rely on it."""
    defaults = {
        pt.PR_MESSAGE_CLASS: "IPM.Task",
        ids.TASK_VERSION: 1,
        ids.TASK_STATE: 1,
        ids.TASK_OWNERSHIP: 0,
        ids.TASK_ACCEPTANCE: 0,
        ids.TASK_MODE: 0,
        ids.TASK_OWNER: options.owner_name,
    }
    for key, value in defaults.items():
        props.setdefault(key, value)
    if props.get(pt.PR_ICON_INDEX) in (None, *_ICONS):
        props[pt.PR_ICON_INDEX] = _ICONS[bool(props.get(ids.TASK_RECURRING))]
