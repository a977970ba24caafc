"""Dates as numbers: days and minutes since 1601-01-01, the arithmetic under recurrence blobs.

Python's dates end in 9999 and cost an object each; a series may run to 4500 and be expanded thousands of times.
"""

from __future__ import annotations

from typing import Final

DAY: Final = 1440
"""Minutes of a day."""
#: Days from 0000-03-01, where the arithmetic of Gregorian dates is easiest, to 1601-01-01.
_SHIFT: Final = 584_694


def civil(day: int) -> tuple[int, int, int]:
    """Year, month and day of a day counted from 1601-01-01; years beyond 9999 are fine."""
    era, rest = divmod(day + _SHIFT, 146_097)
    year_of_era = (rest - rest // 1460 + rest // 36_524 - rest // 146_096) // 365
    day_of_year = rest - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    return year, month, day_of_year - (153 * shifted + 2) // 5 + 1


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days from 1601-01-01 to a date."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146_097 + day_of_era - _SHIFT


def month_length(year: int, month: int) -> int:
    """Days of a month."""
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    return days_from_civil(*following, 1) - days_from_civil(year, month, 1)


def week_start(rtime: int, first_day_of_week: int) -> int:
    """Midnight of the first day of the week that holds a moment. 1601-01-01 was a Monday."""
    day = rtime // DAY
    weekday = (day + 1) % 7
    return (day - (weekday - first_day_of_week) % 7) * DAY


def year_and_month(rtime: int) -> tuple[int, int]:
    """Year and month of a moment."""
    year, month, _ = civil(rtime // DAY)
    return year, month


def month_start(year: int, month: int) -> int:
    """Midnight of the first of a month."""
    return days_from_civil(year, month, 1) * DAY
