"""Recurrence patterns: a series as MAPI understands it, as a value.

All times are minutes since 1601-01-01 ("rtime") of the series' local wall clock (MS-OXOCAL 2.2.1.44).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from gateway.convert.ical.civil import DAY

NEVER_ENDS: Final = 0x5AE980DF
"""End date of a series without end: 4500-12-31 23:59."""
ENDLESS_COUNT: Final = 10
"""What the count field of a series without end says."""


class Frequency(IntEnum):
    """RecurFrequency."""

    DAILY = 0x200A
    WEEKLY = 0x200B
    MONTHLY = 0x200C
    YEARLY = 0x200D


class PatternType(IntEnum):
    """PatternType."""

    DAY = 0
    WEEK = 1
    MONTH = 2
    MONTH_NTH = 3
    MONTH_END = 4
    HIJRI_MONTH = 0xA
    HIJRI_MONTH_NTH = 0xB
    HIJRI_MONTH_END = 0xC


class EndType(IntEnum):
    """EndType."""

    DATE = 0x2021
    COUNT = 0x2022
    NEVER = 0x2023


class Days(IntFlag):
    """A set of weekdays."""

    SU = 1
    MO = 2
    TU = 4
    WE = 8
    TH = 16
    FR = 32
    SA = 64
    WEEKDAYS = 62
    WEEKEND = 65
    ALL = 127


NO_DAYS: Final = Days(0)


class Override(IntFlag):
    """Which values of an exception differ from the series (OverrideFlags)."""

    SUBJECT = 0x1
    MEETING_TYPE = 0x2
    REMINDER_DELTA = 0x4
    REMINDER_SET = 0x8
    LOCATION = 0x10
    BUSY_STATUS = 0x20
    ATTACHMENT = 0x40
    ALL_DAY = 0x80
    COLOR = 0x100
    BODY = 0x200


@dataclass(frozen=True, slots=True)
class Instance:
    """A modified instance. A value of None is the series' own; ``body`` tells that the text differs."""

    start: int
    end: int
    original: int
    """Start before the change, with the time of day."""
    subject: str | None = None
    meeting_type: int | None = None
    reminder_delta: int | None = None
    reminder_set: bool | None = None
    location: str | None = None
    busy_status: int | None = None
    attachment: bool | None = None
    all_day: bool | None = None
    color: int | None = None
    body: bool = False

    @property
    def overrides(self) -> Override:
        """The flags of the values that are not the series' own."""
        flags = Override(0)
        for flag, name, _ in OVERRIDABLE:
            if getattr(self, name) is not None:
                flags |= flag
        return flags | (Override.BODY if self.body else Override(0))


@dataclass(frozen=True, slots=True)
class Pattern:
    """A series. ``period`` counts minutes (daily), weeks, or months, as in the blob."""

    frequency: Frequency
    type: PatternType
    period: int
    start: int
    """Midnight of the first instance."""
    end: int = NEVER_ENDS
    """Midnight of the last instance."""
    end_type: EndType = EndType.NEVER
    count: int = ENDLESS_COUNT
    days: Days = NO_DAYS
    nth: int = 0
    """Which of the days of a month, 1 to 4, 5 for the last (MONTH_NTH)."""
    day_of_month: int = 0
    first_day_of_week: int = 0
    """0 is Sunday."""
    calendar: int = 0
    sliding: bool = False
    """A task that begins anew when it is done."""
    deleted: tuple[int, ...] = ()
    """Midnights of instances that were deleted or modified, by their original day, ascending."""
    modified: tuple[Instance, ...] = ()
    start_offset: int | None = None
    """Minutes from midnight to the start; None in the task form, which has no times."""
    end_offset: int = 0

    @property
    def is_gregorian(self) -> bool:
        """Whether months are those of the Gregorian calendar (MS-OXOCAL 2.2.1.44.1, CalendarType)."""
        return self.type < PatternType.HIJRI_MONTH and self.calendar in _GREGORIAN

    @property
    def exdates(self) -> tuple[int, ...]:
        """Midnights of the instances that are gone, not merely modified."""
        kept = {instance.original // DAY * DAY for instance in self.modified}
        return tuple(day for day in self.deleted if day not in kept)


_GREGORIAN: Final = frozenset((0, 1, 2, 3, 4, 5, 7, 9, 0xA, 0xB, 0xC))
#: Overridable values in the order of the blob: flag, attribute, how it travels.
OVERRIDABLE: Final = (
    (Override.SUBJECT, "subject", "text"),
    (Override.MEETING_TYPE, "meeting_type", "number"),
    (Override.REMINDER_DELTA, "reminder_delta", "number"),
    (Override.REMINDER_SET, "reminder_set", "flag"),
    (Override.LOCATION, "location", "text"),
    (Override.BUSY_STATUS, "busy_status", "number"),
    (Override.ATTACHMENT, "attachment", "flag"),
    (Override.ALL_DAY, "all_day", "flag"),
    (Override.COLOR, "color", "number"),
)
