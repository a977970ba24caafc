"""The parts of an RRULE as values (RFC 5545 3.3.10); what MAPI has no form for is said here and in `rrule`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical.civil import DAY
from gateway.convert.ical.pattern import NO_DAYS, Days

NAMES: Final = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_BYDAY: Final = re.compile(r"([+-]?\d{1,2})?(SU|MO|TU|WE|TH|FR|SA)")
_SUPPORTED: Final = frozenset(
    [
        "FREQ",
        "INTERVAL",
        "COUNT",
        "UNTIL",
        "WKST",
        "BYDAY",
        "BYMONTHDAY",
        "BYMONTH",
        "BYSETPOS",
        "BYHOUR",
        "BYMINUTE",
        "BYSECOND",
        "RSCALE",
        "SKIP",
    ]
)


class Unrepresentable(ParseError):
    """A rule that is valid but has no form in MAPI; the text says which part."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The parts of a rule."""

    freq: str
    interval: int
    days: tuple[tuple[int, int], ...]
    """BYDAY as (number or 0, weekday with Sunday 0)."""
    month_days: tuple[int, ...]
    months: tuple[int, ...]
    positions: tuple[int, ...]
    week_start: int
    count: int | None
    until: str | None
    backward: bool
    """RFC 7529: SKIP=BACKWARD, what MAPI does in short months."""

    @property
    def mask(self) -> Days:
        """The weekdays, whatever their numbers."""
        mask = NO_DAYS
        for _, weekday in self.days:
            mask |= Days(1 << weekday)
        return mask


def parse(text: str, start: int) -> Rule:
    """The parts of a rule for a series that starts at a local rtime (ParseError, `Unrepresentable`)."""
    parts: dict[str, str] = {}
    for part in text.strip().strip(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals:
            raise ParseError(f"RRULE part {part!r} has no value")
        parts[name.strip().upper()] = value.strip().upper()
    unknown = parts.keys() - _SUPPORTED
    if unknown:
        raise Unrepresentable(f"RRULE part {min(unknown)} has no form in MAPI")
    if parts.get("RSCALE", "GREGORIAN") != "GREGORIAN":
        raise Unrepresentable(f"RRULE calendar {parts['RSCALE']} has no form in MAPI")
    _check_time_parts(parts, start)
    return Rule(
        parts.get("FREQ", ""),
        max(_numbers(parts, "INTERVAL")[0] if "INTERVAL" in parts else 1, 1),
        _byday(parts.get("BYDAY", "")),
        _numbers(parts, "BYMONTHDAY"),
        _numbers(parts, "BYMONTH"),
        _numbers(parts, "BYSETPOS"),
        _weekday(parts.get("WKST", "MO")),
        _numbers(parts, "COUNT")[0] if "COUNT" in parts else None,
        parts.get("UNTIL"),
        parts.get("SKIP") == "BACKWARD",
    )


def _check_time_parts(parts: dict[str, str], start: int) -> None:
    time = {"BYHOUR": start % DAY // 60, "BYMINUTE": start % 60, "BYSECOND": 0}
    for name, value in time.items():
        if name in parts and _numbers(parts, name) != (value,):
            raise Unrepresentable(f"RRULE part {name} other than the start's has no form in MAPI")


def _numbers(parts: dict[str, str], name: str) -> tuple[int, ...]:
    text = parts.get(name)
    if text is None:
        return ()
    try:
        values = tuple(int(value) for value in text.split(","))
    except ValueError:
        raise ParseError(f"RRULE part {name}={text} is not a list of numbers") from None
    if any(abs(value) > 1_000_000 for value in values):
        raise ParseError(f"RRULE part {name}={text} is out of range")
    return values


def _byday(text: str) -> tuple[tuple[int, int], ...]:
    found = []
    for item in filter(None, text.split(",")):
        match = _BYDAY.fullmatch(item.strip())
        if match is None:
            raise ParseError(f"RRULE day {item!r} is not a weekday")
        found.append((int(match[1] or 0), NAMES.index(match[2])))
    return tuple(dict.fromkeys(found))


def _weekday(text: str) -> int:
    if text not in NAMES:
        raise ParseError(f"RRULE week start {text!r} is not a weekday")
    return NAMES.index(text)
