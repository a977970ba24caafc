"""Dates of mail headers as FILETIME (RFC 5322 3.3 and 4.3), and the other forms that programs write.

Accepted besides: missing or wrong weekdays, two- and three-digit years, missing seconds, month names of
several languages, ``Jul 14 10:00:00 2026`` (asctime), ISO 8601, zones as names, as ``GMT+0200`` or only in a
comment. What is no date is None, never "now".
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, NamedTuple

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "jan ene gen янв",
            "feb fév fev féb фев",
            "mar mär mrt мар",
            "apr avr abr апр",
            "may mai mag maj mei мая",
            "jun giu juin июн",
            "jul lug juil июл",
            "aug aoû ago авг",
            "sep set сен",
            "oct okt ott out окт",
            "nov ноя",
            "dec dez déc dic дек",
        ),
        1,
    )
    for name in names.split()
}
_NAMED_ZONES: Final = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "est": -300, "edt": -240, "cst": -360, "cdt": -300,
    "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600,
    "bst": 60, "ist": 330, "west": 60, "cet": 60, "mez": 60, "met": 60, "cest": 120, "mesz": 120, "mest": 120,
    "eet": 120, "eest": 180, "msk": 180, "jst": 540, "kst": 540, "aest": 600, "aedt": 660, "acst": 570,
    "awst": 480, "nzst": 720, "nzdt": 780,
}  # fmt: skip
_CLOCK: Final = r"(?P<hour>\d{1,2})[:.](?P<minute>\d{1,2})(?:[:.](?P<second>\d{1,2})(?:[.,]\d+)?)?(?:\s*(?P<half>[ap])\.?m\b\.?)?"
_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?:[^\W\d]+[.,]*\s*)?(?P<day>\d{{1,2}})\.?[\s-]+(?P<month>[^\W\d]{{3,12}})\.?[\s-]+(?P<year>\d{{2,4}})[\s,]+{_CLOCK}",
        rf"(?:[^\W\d]+[.,]*\s+)?(?P<month>[^\W\d]{{3,12}})\s+(?P<day>\d{{1,2}})\s+{_CLOCK}\s+(?P<year>\d{{4}})",
        rf"(?:[^\W\d]+[.,]*\s+)?(?P<month>[^\W\d]{{3,12}})\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}})[\s,]+(?:at\s+)?{_CLOCK}",
        rf"(?P<year>\d{{4}})[-/](?P<month>\d{{1,2}})[-/](?P<day>\d{{1,2}})[T\s]+{_CLOCK}",
        r"(?:[^\W\d]+[.,]*\s*)?(?P<day>\d{1,2})\s+(?P<month>[^\W\d]{3,12})\s+(?P<year>\d{4})(?P<hour>)(?P<minute>)(?P<second>)(?P<half>)\s*\Z",
    )
)
_OFFSET: Final = re.compile(r"\s*(?:GMT|UTC|UT)?\s*([+-])\s?(\d{1,2}):?(\d{2})(?!\d)", re.IGNORECASE)
_ZONE: Final = re.compile(r"\s*\(?\s*([A-Za-z]{1,5})\b")
_DAY: Final = 86_400
_TICKS: Final = 10_000_000
_FIRST_DAY: Final = date(1601, 1, 1).toordinal()


class Moment(NamedTuple):
    """A point in time and the day that the sender's calendar showed."""

    filetime: int
    day: int
    """FILETIME of midnight, as if the written day were in UTC."""


def moment(value: str) -> Moment | None:
    """The moment a date names, or None."""
    value = value.strip()[:120]
    for form in _FORMS:
        match = form.match(value)
        if match is not None:
            return _moment(match, value[match.end() :])
    return None


def filetime(value: str) -> int | None:
    """The moment a date names as FILETIME, or None."""
    found = moment(value)
    return None if found is None else found.filetime


def _moment(match: re.Match[str], rest: str) -> Moment | None:
    """The parts of a date put together; None when there is no such day or time."""
    month = match["month"]
    number = int(month) if month.isdecimal() else _month(month.lower())
    try:
        day = date(_year(match["year"]), number, int(match["day"])).toordinal() - _FIRST_DAY
    except ValueError:
        return None
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    if match["half"]:
        hour = hour % 12 + (12 if match["half"] in "pP" else 0)
    if hour > 24 or minute > 59 or second > 60:
        return None
    seconds = day * _DAY + hour * 3600 + minute * 60 + second - _offset(rest) * 60
    return Moment(seconds * _TICKS, day * _DAY * _TICKS) if min(seconds, day) >= 0 else None


def _month(name: str) -> int:
    """The number of a month by the beginning of its name, 0 when it is none."""
    return _MONTHS.get(name[:4]) or _MONTHS.get(name[:3], 0)


def _year(digits: str) -> int:
    """A year, with the century that RFC 5322 4.3 gives to short ones."""
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(digits) == 3 else year


def _offset(rest: str) -> int:
    """Minutes east of UTC; zones that nobody knows are UTC, as are the military ones (RFC 5322 4.3)."""
    match = _OFFSET.match(rest)
    if match is not None:
        minutes = int(match[2]) * 60 + int(match[3])
        if minutes >= 24 * 60:
            return 0
        return -minutes if match[1] == "-" else minutes
    named = _ZONE.match(rest)
    return _NAMED_ZONES.get(named[1].lower(), 0) if named else 0
