"""Recurrence blobs: PidLidAppointmentRecur and PidLidTaskRecurrence as patterns, both ways.

Layout: MS-OXOCAL 2.2.1.44.1 (RecurrencePattern) and 2.2.1.44.5 (AppointmentRecurrencePattern). Reading is
tolerant of everything real writers got wrong; writing is exact.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical.civil import DAY, month_start, week_start, year_and_month
from gateway.convert.ical.pattern import (
    NEVER_ENDS,
    OVERRIDABLE,
    Days,
    EndType,
    Frequency,
    Instance,
    Override,
    Pattern,
    PatternType,
)

#: Lists longer than this are refused: fifty years of daily instances are fewer.
MAX_INSTANCES: Final = 20_000
_HEAD: Final = struct.Struct("<HHHHHIII")
_TAIL: Final = struct.Struct("<III")
_TIMES: Final = struct.Struct("<IIII")
_EXCEPTION: Final = struct.Struct("<IIIH")
_VERSION: Final = 0x3004
_READER2: Final = 0x3006
_WRITER2: Final = 0x3009
_WIDE: Final = Override.SUBJECT | Override.LOCATION


# Reading


class _Reader:
    """Takes a blob apart from the front; ParseError at its end."""

    def __init__(self, blob: bytes) -> None:
        self.blob = blob
        self.place = 0

    def take(self, length: int) -> bytes:
        chunk = self.blob[self.place : self.place + length]
        if len(chunk) < length:
            raise ParseError("the recurrence ends in the middle of a value")
        self.place += length
        return chunk

    def unpack(self, layout: struct.Struct) -> tuple[int, ...]:
        return layout.unpack(self.take(layout.size))

    def u16(self) -> int:
        return int.from_bytes(self.take(2), "little")

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def u32s(self) -> tuple[int, ...]:
        count = self.u32()
        if count > MAX_INSTANCES:
            raise ParseError(f"the recurrence has {count} deleted or modified instances")
        return struct.unpack(f"<{count}I", self.take(4 * count))

    def block(self) -> bytes:
        return self.take(self.u32())


def decode(blob: bytes) -> Pattern:
    """The series of a blob, with or without the appointment's part (ParseError)."""
    reader = _Reader(blob)
    pattern = _decode_pattern(reader)
    try:
        _, writer2, start_offset, end_offset = reader.unpack(_TIMES)
    except ParseError:
        return pattern
    pattern = replace(pattern, start_offset=start_offset, end_offset=end_offset)
    return replace(pattern, modified=_decode_instances(reader, writer2))


def _decode_pattern(reader: _Reader) -> Pattern:
    _, _, frequency, kind, calendar, _, period, sliding = reader.unpack(_HEAD)
    try:
        how_often, what = Frequency(frequency), PatternType(kind)
    except ValueError as error:
        raise ParseError(f"unknown recurrence pattern: {error}") from None
    days, nth, day_of_month = _decode_specific(reader, what)
    end_type, count, first_day = reader.unpack(_TAIL)
    deleted = sorted({day // DAY * DAY for day in reader.u32s()})
    reader.u32s()  # days of modified instances: the instances themselves say it better
    start, end = reader.u32(), reader.u32()
    kind_of_end = _END_TYPES.get(end_type & 0xFF, EndType.NEVER)
    return Pattern(
        how_often,
        what,
        max(period, 1),
        start // DAY * DAY,
        end,
        EndType.NEVER if end == NEVER_ENDS and kind_of_end is not EndType.COUNT else kind_of_end,
        count,
        days,
        nth,
        day_of_month,
        first_day if first_day < 7 else 0,
        calendar,
        bool(sliding),
        tuple(deleted),
    )


_END_TYPES: Final = {0x21: EndType.DATE, 0x22: EndType.COUNT, 0x23: EndType.NEVER}


def _decode_specific(reader: _Reader, kind: PatternType) -> tuple[Days, int, int]:
    if kind is PatternType.DAY:
        return Days(0), 0, 0
    if kind is PatternType.WEEK:
        return Days(reader.u32() & Days.ALL), 0, 0
    if kind in (PatternType.MONTH_NTH, PatternType.HIJRI_MONTH_NTH):
        return Days(reader.u32() & Days.ALL), reader.u32(), 0
    return Days(0), 0, reader.u32()


def _decode_instances(reader: _Reader, writer2: int) -> tuple[Instance, ...]:
    """Modified instances; what a truncated or older blob does not say is left as the 8-bit part has it."""
    instances: list[Instance] = []
    extended: list[Instance] = []
    try:
        instances.extend(_decode_instance(reader) for _ in range(reader.u16()))
        reader.block()
        extended.extend(_decode_extended(reader, instance, writer2) for instance in instances)
    except ParseError:
        pass
    instances[: len(extended)] = extended
    unique = {instance.original: instance for instance in instances}
    return tuple(sorted(unique.values(), key=lambda instance: instance.start))


def _decode_instance(reader: _Reader) -> Instance:
    start, end, original, flags = reader.unpack(_EXCEPTION)
    values: dict[str, object] = {}
    for flag, name, how in OVERRIDABLE:
        if not flags & flag:
            continue
        if how == "text":
            reader.u16()
            values[name] = reader.take(reader.u16()).decode("cp1252", "replace")
        else:
            number = reader.u32()
            values[name] = bool(number) if how == "flag" else number
    return Instance(start, end, original, body=bool(flags & Override.BODY), **values)  # type: ignore[arg-type]


def _decode_extended(reader: _Reader, instance: Instance, writer2: int) -> Instance:
    if writer2 >= _WRITER2:
        reader.block()  # change highlight
    reader.block()
    if not instance.overrides & _WIDE:
        return instance
    reader.take(12)
    subject, location = instance.subject, instance.location
    if subject is not None:
        subject = reader.take(2 * reader.u16()).decode("utf-16-le", "replace")
    if location is not None:
        location = reader.take(2 * reader.u16()).decode("utf-16-le", "replace")
    reader.block()
    return replace(instance, subject=subject, location=location)


# Writing


def encode(pattern: Pattern) -> bytes:
    """The blob of a series; without times (``start_offset`` None) the task form."""
    modified = sorted(pattern.modified, key=lambda instance: instance.start)
    originals = {instance.original // DAY * DAY for instance in modified}
    deleted = sorted({day // DAY * DAY for day in pattern.deleted} | originals)
    parts = [
        _HEAD.pack(
            _VERSION,
            _VERSION,
            pattern.frequency,
            pattern.type,
            pattern.calendar,
            first_date_time(pattern),
            pattern.period,
            pattern.sliding,
        ),
        _encode_specific(pattern),
        _TAIL.pack(pattern.end_type, pattern.count, pattern.first_day_of_week),
        _u32s(deleted),
        _u32s([instance.start // DAY * DAY for instance in modified]),
        struct.pack("<II", pattern.start, pattern.end),
    ]
    if pattern.start_offset is not None:
        parts.append(_TIMES.pack(_READER2, _WRITER2, pattern.start_offset, pattern.end_offset))
        parts.append(len(modified).to_bytes(2, "little"))
        parts += map(_encode_instance, modified)
        parts.append(bytes(4))
        parts += map(_encode_extended, modified)
        parts.append(bytes(4))
    return b"".join(parts)


def _encode_specific(pattern: Pattern) -> bytes:
    if pattern.type is PatternType.DAY:
        return b""
    if pattern.type is PatternType.WEEK:
        return struct.pack("<I", pattern.days)
    if pattern.type in (PatternType.MONTH_NTH, PatternType.HIJRI_MONTH_NTH):
        return struct.pack("<II", pattern.days, pattern.nth)
    return struct.pack("<I", pattern.day_of_month)


def _u32s(values: list[int]) -> bytes:
    return struct.pack(f"<{len(values) + 1}I", len(values), *values)


def _encode_instance(instance: Instance) -> bytes:
    parts = [_EXCEPTION.pack(instance.start, instance.end, instance.original, instance.overrides)]
    for _, name, how in OVERRIDABLE:
        value = getattr(instance, name)
        if value is None:
            continue
        if how == "text":
            text = value.encode("cp1252", "replace")[:0xFFFE]
            parts.append(struct.pack("<HH", len(text) + 1, len(text)) + text)
        else:
            parts.append(struct.pack("<I", int(value)))
    return b"".join(parts)


def _encode_extended(instance: Instance) -> bytes:
    parts = [struct.pack("<II", 4, 0), bytes(4)]
    if instance.overrides & _WIDE:
        parts.append(struct.pack("<III", instance.start, instance.end, instance.original))
        for text in (instance.subject, instance.location):
            if text is not None:
                wide = text.encode("utf-16-le", "surrogatepass")[: 2 * 0xFFFF]
                parts.append(struct.pack("<H", len(wide) // 2) + wide)
        parts.append(bytes(4))
    return b"".join(parts)


def first_date_time(pattern: Pattern) -> int:
    """FirstDateTime: where the interval's phase begins (MS-OXOCAL 2.2.1.44.1.1)."""
    if pattern.type is PatternType.DAY:
        return pattern.start % pattern.period
    if pattern.type is PatternType.WEEK:
        # A daily rule for weekdays counts weeks too, one by one.
        weeks = 1 if pattern.frequency is Frequency.DAILY else pattern.period
        return week_start(pattern.start, pattern.first_day_of_week) % (weeks * 7 * DAY)
    year, month = year_and_month(pattern.start)
    months = ((year - 1601) * 12 + month - 1) % pattern.period
    return month_start(1601 + months // 12, months % 12 + 1)
