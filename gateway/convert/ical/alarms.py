"""Reminders and VALARM (MS-OXORMDR 2.2.1, MS-OXCICAL 2.1.3.1.1.20.61). MAPI has one reminder for an item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.blocks import Block
from gateway.convert.ical.moments import When, Zones, filetime, naive_utc, parse_duration, utc_text
from gateway.convert.ical.values import number
from gateway.convert.lines import Component, Line
from gateway.mapi.props import NamedProps, signed32

DEFAULT_MINUTES: Final = 15
_LONGEST: Final = 60 * 24 * 366 * 5
_SHOWN: Final = ("DISPLAY", "AUDIO")
_SNOOZED: Final = "X-MOZ-SNOOZE-TIME"


# Writing


def delta(props: NamedProps) -> int:
    """Minutes from reminder to start."""
    found = number(props, ids.REMINDER_DELTA)
    if found is None or found == ids.DEFAULT_DELTA:
        return DEFAULT_MINUTES
    return max(signed32(found), 0)


def write_alarm(block: Block, props: NamedProps) -> None:
    """The VALARM of an event."""
    if props.get(ids.REMINDER_SET):
        minutes = delta(props)
        block.children.append(_alarm(f"TRIGGER:-PT{minutes}M" if minutes else "TRIGGER:PT0S"))


def write_task_alarm(block: Block, props: NamedProps) -> None:
    """The VALARM of a task, which is at a time of its own."""
    when = utc_text(number(props, ids.REMINDER_TIME))
    if props.get(ids.REMINDER_SET) and when is not None:
        block.children.append(_alarm(f"TRIGGER;VALUE=DATE-TIME:{when}"))


def _alarm(trigger: str) -> Block:
    return Block("VALARM", ["ACTION:DISPLAY", trigger, "DESCRIPTION:Reminder"])


# Reading


def chosen(component: Component) -> Component | None:
    """The alarm that becomes the reminder: the first that is shown or heard, else the first of another kind."""
    usable = [alarm for alarm in component.components("VALARM") if _trigger(alarm) is not None]
    shown = (alarm for alarm in usable if _action(alarm) in _SHOWN)
    return next(shown, usable[0] if usable else None)


def _action(alarm: Component) -> str:
    return (alarm.text("ACTION") or "DISPLAY").strip().upper()


def _trigger(alarm: Component) -> Line | None:
    """The trigger of an alarm that is meant to go off (Apple's ACTION:NONE is not)."""
    line = alarm.first("TRIGGER")
    return None if line is None or not line.value.strip() or _action(alarm) == "NONE" else line


def _when(line: Line, start: datetime, end: datetime, zones: Zones) -> datetime:
    """The naive UTC time at which a trigger fires (ParseError)."""
    value = line.value.strip()
    if line.param("VALUE").upper() == "DATE-TIME" or value[:1].isdigit():
        return zones.read(line, value).utc
    offset = parse_duration(value).total
    try:
        anchor = end if line.param("RELATED").upper() == "END" else start
        return anchor + timedelta(seconds=offset)
    except OverflowError:
        raise ParseError("an alarm outside of the calendar") from None


def alarm_minutes(component: Component, start: datetime, end: datetime, zones: Zones) -> int | None:
    """Minutes before the start, at least 0, of the alarm of an event; None without one. Times are UTC."""
    alarm = chosen(component)
    line = None if alarm is None else _trigger(alarm)
    if line is None:
        return None
    try:
        fires = _when(line, start, end, zones)
    except ParseError:
        return None
    return min(max((start - fires) // timedelta(minutes=1), 0), _LONGEST)


def read_alarm(
    component: Component,
    props: NamedProps,
    times: tuple[datetime, datetime],
    zones: Zones,
    following: Callable[[datetime], datetime],
) -> None:
    """Set the reminder of an event.

    ``times`` are its start and end in UTC, of a series the first instance's; ``following`` gives the start of the
    first instance at or after a UTC time, and the last one when there is none.
    """
    minutes = alarm_minutes(component, *times, zones)
    acked = _acknowledged(component, zones)
    if acked is not None:
        props[ids.LAST_ACK] = filetime(acked)
    if minutes is None:
        props[ids.REMINDER_SET] = False
        return
    same = bool(props.get(ids.REMINDER_SET)) and delta(props) == minutes
    if not same or ids.REMINDER_DELTA not in props:
        props[ids.REMINDER_DELTA] = minutes
    props[ids.REMINDER_SET] = True
    before = timedelta(minutes=minutes)
    # An alarm that has been seen is over: the next instance's is due (X-MOZ-LASTACK, RFC 9074 6.1).
    start = times[0] if acked is None else following(acked + before + timedelta(seconds=1))
    snoozed = _snoozed(component, zones)
    if same and acked is None and snoozed is None and _is_due(props, times[0]):
        return
    props[ids.REMINDER_TIME] = filetime(start)
    props[ids.REMINDER_SIGNAL] = filetime(start - before if snoozed is None else snoozed)


def _is_due(props: NamedProps, start: datetime) -> bool:
    """Whether a stored reminder is for this start, or for a later instance."""
    stored = naive_utc(number(props, ids.REMINDER_TIME))
    return ids.REMINDER_SIGNAL in props and stored is not None and stored >= start


def _acknowledged(component: Component, zones: Zones) -> datetime | None:
    alarms = (alarm.first("ACKNOWLEDGED") for alarm in component.components("VALARM"))
    return _latest([component.first("X-MOZ-LASTACK"), *alarms], zones)


def _snoozed(component: Component, zones: Zones) -> datetime | None:
    lines = [line for line in component.lines if line.name.startswith(_SNOOZED)]
    return _latest(lines, zones)


def _latest(lines: Sequence[Line | None], zones: Zones) -> datetime | None:
    found = []
    for line in lines:
        if line is not None:
            try:
                found.append(zones.when(line).utc)
            except ParseError:
                continue
    return max(found, default=None)


def read_task_alarm(
    component: Component, props: NamedProps, start: When | None, due: When | None, zones: Zones
) -> None:
    """Set the reminder of a task: a time, which may be told relative to its start or its due date."""
    alarm = chosen(component)
    line = None if alarm is None else _trigger(alarm)
    first, last = start or due, due or start
    fires = None
    if line is not None:
        try:
            anchors = (first.utc, last.utc) if first and last else (None, None)
            if anchors[0] is not None and anchors[1] is not None:
                fires = _when(line, anchors[0], anchors[1], zones)
            elif line.value.strip()[:1].isdigit():
                fires = zones.read(line, line.value).utc
        except ParseError:
            fires = None
    props[ids.REMINDER_SET] = fires is not None
    if fires is None:
        return
    moment = filetime(fires)
    if props.get(ids.REMINDER_TIME) != moment or ids.REMINDER_SIGNAL not in props:
        props[ids.REMINDER_TIME] = props[ids.REMINDER_SIGNAL] = moment
    if (snoozed := _snoozed(component, zones)) is not None:
        props[ids.REMINDER_SIGNAL] = filetime(snoozed)
