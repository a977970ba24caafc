"""RRULE and MAPI's patterns, both ways (RFC 5545 3.3.10, MS-OXCICAL 2.1.3.2.2).

MAPI knows fewer rules than iCalendar. What it cannot express raises `Unrepresentable`, with the reason; nothing
is changed silently. MAPI puts day 31 of a short month on its last day where RRULE skips the month, so those
rules travel as ``BYMONTHDAY=28,29,30,31;BYSETPOS=-1``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import islice, takewhile
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical.civil import DAY, civil, days_from_civil, month_start, year_and_month
from gateway.convert.ical.expand import all_days
from gateway.convert.ical.pattern import (
    NEVER_ENDS,
    Days,
    EndType,
    Frequency,
    Pattern,
    PatternType,
)
from gateway.convert.ical.rruleparts import NAMES, Rule, Unrepresentable, parse

#: More instances than this are refused: the store would have to list them.
MAX_COUNT: Final = 20_000
_NTH_MASKS: Final = (Days.WEEKDAYS, Days.WEEKEND, Days.ALL)
_UNTIL: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?")


def from_rrule(
    text: str, start: int, *, end_offset: int | None = None, local: Callable[[int], int] = lambda utc: utc
) -> Pattern:
    """The pattern of a rule (without ``RRULE:``) for a series whose first instance is at ``start``.

    ``start`` is local rtime; ``end_offset`` minutes from the first day's midnight to the end (default: the start);
    ``local`` gives the series' local rtime of a UTC rtime, for UNTIL. When ``start`` does not match the rule the
    series begins with the first day that does. Raises ParseError; `Unrepresentable` when MAPI has no such rule.
    """
    rule = parse(text, start)
    offset = start % DAY
    pattern = replace(
        _pattern(rule, start),
        start_offset=offset,
        end_offset=offset if end_offset is None else end_offset,
        first_day_of_week=rule.week_start,
    )
    first = next(all_days(pattern, pattern.start), None)
    if first is None:
        raise ParseError(f"RRULE {text!r} never happens")
    pattern = _aligned(pattern, first)
    if rule.until is not None:
        return _until(pattern, _until_rtime(rule.until, local))
    if rule.count is not None:
        return _counted(pattern, rule.count)
    return pattern


# Patterns


def _pattern(rule: Rule, start: int) -> Pattern:
    make = _FREQUENCIES.get(rule.freq)
    if make is None:
        raise Unrepresentable(f"RRULE frequency {rule.freq or 'missing'} has no form in MAPI")
    return make(rule, start // DAY * DAY)


def _weekday_of(rtime: int) -> int:
    return (rtime // DAY + 1) % 7


def _daily(rule: Rule, start: int) -> Pattern:
    if rule.days:
        return _daily_by_day(rule, start)
    _must_lack(rule, "months", "month_days", "positions")
    if rule.interval > 999:
        raise Unrepresentable("RRULE interval over 999 days has no form in MAPI")
    return Pattern(Frequency.DAILY, PatternType.DAY, rule.interval * DAY, start)


def _daily_by_day(rule: Rule, start: int) -> Pattern:
    if rule.interval != 1:
        raise Unrepresentable("a daily RRULE with weekdays and an interval has no form in MAPI")
    return _weekly(replace(rule, freq="WEEKLY"), start)


def _weekly(rule: Rule, start: int) -> Pattern:
    _must_lack(rule, "months", "month_days", "positions")
    if any(number for number, _ in rule.days):
        raise Unrepresentable("numbered weekdays in a weekly RRULE have no meaning")
    if rule.interval > 99:
        raise Unrepresentable("RRULE interval over 99 weeks has no form in MAPI")
    mask = rule.mask or Days(1 << _weekday_of(start))
    return Pattern(Frequency.WEEKLY, PatternType.WEEK, rule.interval, start, days=mask)


def _monthly(rule: Rule, start: int) -> Pattern:
    if rule.months and set(rule.months) != set(range(1, 13)):
        raise Unrepresentable("a monthly RRULE limited to some months has no form in MAPI")
    if rule.days and not rule.month_days and not rule.positions and not any(n for n, _ in rule.days):
        if rule.interval == 1:  # every such weekday of every month is every such weekday
            return _weekly(replace(rule, months=()), start)
        raise Unrepresentable("a monthly RRULE with every weekday of a month has no form in MAPI")
    return _in_months(rule, start, Frequency.MONTHLY, rule.interval, None)


def _yearly(rule: Rule, start: int) -> Pattern:
    if set(rule.months) == set(range(1, 13)) and rule.interval == 1:
        return _monthly(replace(rule, months=()), start)
    if len(rule.months) > 1:
        raise Unrepresentable("a yearly RRULE in several months has no form in MAPI")
    if not rule.months and (rule.days or rule.month_days):
        raise Unrepresentable("a yearly RRULE with days but no month has no form in MAPI")
    month = rule.months[0] if rule.months else year_and_month(start)[1]
    if not 1 <= month <= 12:
        raise ParseError(f"RRULE month {month} does not exist")
    if rule.days and not rule.positions and not any(number for number, _ in rule.days):
        raise Unrepresentable("a yearly RRULE with every weekday of a month has no form in MAPI")
    return _in_months(rule, start, Frequency.YEARLY, rule.interval * 12, month)


_FREQUENCIES: Final = {"DAILY": _daily, "WEEKLY": _weekly, "MONTHLY": _monthly, "YEARLY": _yearly}


def _must_lack(rule: Rule, *parts: str) -> None:
    for part in parts:
        if getattr(rule, part):
            raise Unrepresentable(
                f"a {rule.freq.lower()} RRULE with {part.replace('_', ' ')} has no form in MAPI"
            )


def _in_months(rule: Rule, start: int, frequency: Frequency, period: int, month: int | None) -> Pattern:
    if period > 99:
        raise Unrepresentable("RRULE interval over 99 months has no form in MAPI")
    begin = _in_month(start, month, rule.interval)
    if rule.days:
        if rule.month_days:
            raise Unrepresentable("an RRULE with weekdays and days of the month has no form in MAPI")
        mask, nth = _nth(rule)
        return Pattern(frequency, PatternType.MONTH_NTH, period, begin, days=mask, nth=nth)
    day = _day_of_month(rule, start, month)
    return Pattern(frequency, PatternType.MONTH, period, begin, day_of_month=day)


def _in_month(start: int, month: int | None, years: int) -> int:
    """The first day at or after the start that lies in a month of a year that counts."""
    year, own = year_and_month(start)
    if month is None or month == own:
        return start
    return month_start(year + (years if month < own else 0), month)


def _nth(rule: Rule) -> tuple[Days, int]:
    numbers = {number for number, _ in rule.days}
    if numbers == {0}:
        if len(rule.positions) != 1:
            raise Unrepresentable("an RRULE with several positions has no form in MAPI")
        position = rule.positions[0]
    elif len(rule.days) == 1 and rule.positions in ((), (1,), (-1,)):
        position = next(iter(numbers))
    else:
        raise Unrepresentable("an RRULE with several numbered weekdays has no form in MAPI")
    mask = rule.mask
    if mask not in _NTH_MASKS and mask.bit_count() != 1:
        raise Unrepresentable("positions among these weekdays have no form in MAPI")
    if position == -1:
        return mask, 5
    if not 1 <= position <= 4:
        raise Unrepresentable(f"position {position} in a month has no form in MAPI")
    return mask, position


def _day_of_month(rule: Rule, start: int, month: int | None) -> int:
    """The day MAPI counts with; it falls on the last day of months that are too short."""
    days = set(rule.month_days) or {civil(start // DAY)[2]}
    if len(days) > 1:
        top = max(days)
        if rule.positions == (-1,) and days == set(range(28, top + 1)) and 29 <= top <= 31:
            return top
        raise Unrepresentable("an RRULE with several days of the month has no form in MAPI")
    day = days.pop()
    if rule.positions and set(rule.positions) - {1, -1}:
        raise Unrepresentable("a position among one day has no form in MAPI")
    if day == -1:
        return 31
    if not 1 <= day <= 31:
        raise Unrepresentable(f"day {day} of the month has no form in MAPI")
    if day > _SHORTEST.get(month, 31) and not rule.backward:
        raise Unrepresentable(f"day {day} skips short months in iCalendar, MAPI uses their last day")
    return day


#: Days every occurrence of a month has; None stands for any month.
_SHORTEST: Final = {None: 28, 2: 28, 4: 30, 6: 30, 9: 30, 11: 30}


# Ends


def _aligned(pattern: Pattern, first: int) -> Pattern:
    return replace(pattern, start=first)


def _until_rtime(text: str, local: Callable[[int], int]) -> int:
    match = _UNTIL.fullmatch(text)
    if match is None:
        raise ParseError(f"UNTIL {text!r} is neither a date nor a time")
    day = days_from_civil(int(match[1]), int(match[2]), int(match[3])) * DAY
    if match[4] is None:
        return day + DAY - 1
    moment = day + int(match[4]) * 60 + int(match[5])
    return local(moment) if match[7] else moment


def _until(pattern: Pattern, until: int) -> Pattern:
    offset = pattern.start_offset or 0
    found = list(
        islice(takewhile(lambda day: day + offset <= until, all_days(pattern, pattern.start)), MAX_COUNT + 1)
    )
    if len(found) > MAX_COUNT:
        if until >= NEVER_ENDS:
            return pattern
        raise Unrepresentable(f"a series of more than {MAX_COUNT} instances must be without end")
    if not found:
        raise ParseError("the series ends before it begins")
    return replace(pattern, end_type=EndType.DATE, end=found[-1], count=len(found))


def _counted(pattern: Pattern, count: int) -> Pattern:
    if count > MAX_COUNT:
        raise Unrepresentable(f"a series of more than {MAX_COUNT} instances must be without end")
    if count < 1:
        raise ParseError("COUNT must be positive")
    found = list(islice(all_days(pattern, pattern.start), count))
    return replace(pattern, end_type=EndType.COUNT, end=found[-1], count=count)


# Writing


def to_rrule(pattern: Pattern, until: Callable[[int], str]) -> str:
    """The rule of a pattern; ``until`` writes a local rtime as UNTIL wants it.

    Raises `Unrepresentable` for calendars without Gregorian months.
    """
    if not pattern.is_gregorian:
        raise Unrepresentable("a series in another calendar has no RRULE")
    if pattern.type is PatternType.DAY:
        parts = ["FREQ=DAILY", *_interval(max(pattern.period // DAY, 1))]
    elif pattern.type is PatternType.WEEK:
        parts = _weekly_parts(pattern)
    else:
        parts = _monthly_parts(pattern)
    if pattern.end_type is EndType.COUNT:
        parts.append(f"COUNT={pattern.count}")
    elif pattern.end_type is EndType.DATE and pattern.end != NEVER_ENDS:
        parts.append(f"UNTIL={until(pattern.end // DAY * DAY + (pattern.start_offset or 0))}")
    return ";".join(parts)


def _interval(number: int) -> list[str]:
    return [f"INTERVAL={number}"] if number != 1 else []


def _weekly_parts(pattern: Pattern) -> list[str]:
    weeks = 1 if pattern.frequency is Frequency.DAILY else pattern.period
    parts = ["FREQ=WEEKLY", *_interval(weeks), f"BYDAY={_day_names(pattern.days)}"]
    # The week's start matters to every second week only; RFC 5545 takes Monday where nothing is said.
    if weeks > 1:
        parts.append(f"WKST={NAMES[pattern.first_day_of_week]}")
    return parts


def _day_names(mask: Days) -> str:
    return ",".join(name for place, name in enumerate(NAMES) if mask >> place & 1)


def _monthly_parts(pattern: Pattern) -> list[str]:
    yearly = pattern.frequency is Frequency.YEARLY and pattern.period % 12 == 0
    if yearly:
        month = year_and_month(pattern.start)[1]
        parts = ["FREQ=YEARLY", *_interval(pattern.period // 12), f"BYMONTH={month}"]
    else:
        month = None
        parts = ["FREQ=MONTHLY", *_interval(pattern.period)]
    if pattern.type is PatternType.MONTH_NTH:
        return parts + _nth_parts(pattern)
    day = 31 if pattern.type is PatternType.MONTH_END else pattern.day_of_month
    shortest = _SHORTEST.get(month, 31)
    if day >= 31 and shortest < 31:
        parts.append("BYMONTHDAY=-1")
    elif day > shortest:
        choice = ",".join(str(number) for number in range(28, day + 1))
        parts.append(f"BYMONTHDAY={choice};BYSETPOS=-1")
    else:
        parts.append(f"BYMONTHDAY={day}")
    return parts


def _nth_parts(pattern: Pattern) -> list[str]:
    position = -1 if pattern.nth >= 5 else max(pattern.nth, 1)
    if pattern.days == Days.ALL:
        return [f"BYMONTHDAY={position}"]
    if pattern.days.bit_count() == 1:
        return [f"BYDAY={position}{_day_names(pattern.days)}"]
    return [f"BYDAY={_day_names(pattern.days)}", f"BYSETPOS={position}"]
