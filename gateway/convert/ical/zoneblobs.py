"""The two forms in which MAPI stores a time zone: PidLidTimeZoneStruct (MS-OXOCAL 2.2.1.39) and time zone definitions.

Reading is bounded by the blob and raises ParseError; unknown lengths inside are honoured, unknown flags kept.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical.zonerule import Switch, ZoneRule

EFFECTIVE: Final = 2
"""Flag of the rule that was in force when the definition was written (MS-OXOCAL 2.2.1.41.1)."""
RECURRING: Final = 1
"""Flag of the rule that a recurring series was made with."""

_BIASES: Final = struct.Struct("<iii")
_SYSTEMTIME: Final = struct.Struct("<8H")
_STRUCT_SIZE: Final = 48
_HEAD: Final = struct.Struct("<BBHHH")
_RULE: Final = struct.Struct("<BBHHH14x")
_RULE_SIZE: Final = 66
_KEY_VALID: Final = 2
_LARGEST_BIAS: Final = 18 * 60
_MOST_RULES: Final = 1024


@dataclass(frozen=True, slots=True)
class DefinitionRule:
    """A rule of a definition, in force from the year's beginning."""

    year: int
    rule: ZoneRule
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Definition:
    """A time zone definition (MS-OXOCAL 2.2.1.41): a key name and rules in order of their years."""

    key: str
    rules: tuple[DefinitionRule, ...]


def read_struct(blob: bytes) -> ZoneRule:
    """The rule in a PidLidTimeZoneStruct (ParseError when it is cut short)."""
    if len(blob) < _STRUCT_SIZE:
        raise ParseError(f"time zone structure of {len(blob)} bytes, expected {_STRUCT_SIZE}")
    return _rule(blob, 0, 14, 32)


def write_struct(rule: ZoneRule) -> bytes:
    """A PidLidTimeZoneStruct, 48 bytes."""
    return b"".join(
        [
            _BIASES.pack(rule.bias, rule.standard_bias, rule.daylight_bias),
            struct.pack("<H", rule.standard.year),
            _systemtime(rule.standard),
            struct.pack("<H", rule.daylight.year),
            _systemtime(rule.daylight),
        ]
    )


def read_definition(blob: bytes) -> Definition:
    """A time zone definition (ParseError when it is cut short or has no rule)."""
    if len(blob) < _HEAD.size:
        raise ParseError("time zone definition is cut short in its header")
    _, _, header, flags, characters = _HEAD.unpack_from(blob)
    key = blob[8 : 8 + 2 * characters].decode("utf-16-le", "replace") if flags & _KEY_VALID else ""
    # The header's length counts from the flags on; it holds the number of rules at its end.
    position = 4 + header
    count = int.from_bytes(blob[position - 2 : position], "little")
    if position > len(blob) or not 0 < count <= _MOST_RULES or position + 26 > len(blob):
        raise ParseError("time zone definition without a rule")
    rules = []
    for _ in range(count):
        rule, position = _definition_rule(blob, position)
        rules.append(rule)
    return Definition(key.rstrip("\0"), tuple(sorted(rules, key=lambda each: each.year)))


def write_definition(definition: Definition) -> bytes:
    """A time zone definition as bytes."""
    key = definition.key.encode("utf-16-le", "surrogatepass")
    head = _HEAD.pack(2, 1, 6 + len(key), _KEY_VALID, len(key) // 2)
    parts = [head, key, struct.pack("<H", len(definition.rules))]
    for each in definition.rules:
        rule = each.rule
        parts += [
            _RULE.pack(2, 1, _RULE_SIZE - 4, each.flags, each.year),
            _BIASES.pack(rule.bias, rule.standard_bias, rule.daylight_bias),
            _systemtime(rule.standard),
            _systemtime(rule.daylight),
        ]
    return b"".join(parts)


def _definition_rule(blob: bytes, position: int) -> tuple[DefinitionRule, int]:
    if position + _RULE_SIZE > len(blob):
        raise ParseError("time zone definition is cut short in a rule")
    _, _, size, flags, year = _RULE.unpack_from(blob, position)
    rule = _rule(blob, position + 22, position + 34, position + 50)
    return DefinitionRule(year, rule, flags), position + max(size + 4, _RULE_SIZE)


def _rule(blob: bytes, biases: int, standard: int, daylight: int) -> ZoneRule:
    """The rule whose fields lie at these offsets."""
    bias, standard_bias, daylight_bias = _BIASES.unpack_from(blob, biases)
    if max(abs(bias + standard_bias), abs(bias + daylight_bias)) > _LARGEST_BIAS:
        raise ParseError(f"time zone with biases {bias}, {standard_bias}, {daylight_bias} minutes")
    return ZoneRule(bias, standard_bias, daylight_bias, _switch(blob, standard), _switch(blob, daylight))


def _switch(blob: bytes, offset: int) -> Switch:
    year, month, weekday, day, hour, minute, second, millisecond = _SYSTEMTIME.unpack_from(blob, offset)
    return Switch(month, weekday, day, hour, minute, second, millisecond, year)


def _systemtime(switch: Switch) -> bytes:
    return _SYSTEMTIME.pack(
        switch.year,
        switch.month,
        switch.weekday,
        switch.day,
        switch.hour,
        switch.minute,
        switch.second,
        switch.millisecond,
    )
