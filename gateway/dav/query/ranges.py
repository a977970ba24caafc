"""Time ranges (RFC 4791 9.9): the element, and whether components of each kind lie in one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as ET

from gateway.dav.errors import Refused

_TIME: Final = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_FIRST: Final = datetime.min
_LAST: Final = datetime.max


@dataclass(frozen=True, slots=True)
class Range:
    """From ``start`` on, before ``end``; naive UTC times."""

    start: datetime = _FIRST
    end: datetime = _LAST

    def holds(self, start: datetime, end: datetime) -> bool:
        """Whether a stretch of time lies in it in part; an instant when it does."""
        if end <= start:
            return self.start <= start < self.end
        return start < self.end and end > self.start

    @property
    def seconds(self) -> tuple[int, int]:
        """Both ends as Unix times."""
        return _unix(self.start), _unix(self.end)


def _unix(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp())


def read_range(element: ET.Element, precondition: str = "C:valid-filter", *, both: bool = False) -> Range:
    """The range of a time-range, expand or limit element (Refused with the precondition)."""
    start, end = element.get("start", ""), element.get("end", "")
    if not (start and end if both else start or end):
        raise Refused(403, precondition, "a time range has a start or an end")
    found = Range(
        _moment(start, precondition) if start else _FIRST, _moment(end, precondition) if end else _LAST
    )
    if found.start >= found.end:
        raise Refused(403, precondition, "a time range ends after it starts")
    return found


def _moment(text: str, precondition: str) -> datetime:
    try:
        if _TIME.fullmatch(text.strip()) is None:
            raise ValueError("not in this form")
        return datetime.strptime(text.strip(), "%Y%m%dT%H%M%SZ")
    except ValueError as error:
        raise Refused(403, precondition, f"{text[:40]!r} is not a time in UTC") from error


@dataclass(frozen=True, slots=True)
class Times:
    """The times of one instance as far as it has them; naive UTC. ``end`` is DTEND, DUE or DTSTART with DURATION."""

    start: datetime | None = None
    end: datetime | None = None
    has_duration: bool = False
    completed: datetime | None = None
    created: datetime | None = None


def event_overlaps(times: Times, within: Range) -> bool:
    """VEVENT and VJOURNAL; without a start an instance lies nowhere."""
    if times.start is None:
        return False
    return within.holds(times.start, times.end if times.end is not None else times.start)


def task_overlaps(times: Times, within: Range) -> bool:
    """VTODO, the eight rows of the table."""
    start, due = times.start, times.end
    if start is not None and due is not None:
        if times.has_duration:
            return within.start <= due and (within.end > start or within.end >= due)
        return (within.start < due or within.start <= start) and (within.end > start or within.end >= due)
    if start is not None:
        return within.start <= start < within.end
    if due is not None:
        return within.start < due <= within.end
    return _done_overlaps(times.completed, times.created, within)


def _done_overlaps(completed: datetime | None, created: datetime | None, within: Range) -> bool:
    if completed is not None and created is not None:
        return within.start <= max(created, completed) and within.end >= min(created, completed)
    if completed is not None:
        return within.start <= completed <= within.end
    return created is None or within.end > created


OVERLAPS: Final[dict[str, Callable[[Times, Range], bool]]] = {
    "VEVENT": event_overlaps,
    "VTODO": task_overlaps,
    "VJOURNAL": event_overlaps,
}
