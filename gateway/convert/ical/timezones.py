"""Time zones of calendar items: from a TZID or a MAPI blob to a zone, and back (MS-OXCICAL 2.1.3.1.1.19, RFC 5545).

A zone is wanted for every event and is never a reason to refuse one: what cannot be recognised falls back to
the calendar owner's zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical.observances import read_vtimezone
from gateway.convert.ical.transitions import rule_of
from gateway.convert.ical.tznames import iana_of_tzid, offset_of_tzid
from gateway.convert.ical.vtimezone import write_vtimezone
from gateway.convert.ical.zoneblobs import (
    EFFECTIVE,
    RECURRING,
    Definition,
    DefinitionRule,
    read_definition,
    read_struct,
    write_definition,
    write_struct,
)
from gateway.convert.ical.zonedata import iana_name, iana_zone
from gateway.convert.ical.zonerule import RuleZone, ZoneRule
from gateway.convert.lines import Component
from gateway.convert.windowszones import all_windows, to_iana, to_windows

_YEARS: Final = (1602, 9990)
_FIRST_YEAR: Final = 1601
"""Year of a definition's first rule."""
#: Zones that are tried before all others when only a rule is known: of the many with equal rules, the best known.
_LIKELY: Final = (
    "UTC",
    "W. Europe Standard Time",
    "GMT Standard Time",
    "FLE Standard Time",
    "Eastern Standard Time",
    "Central Standard Time",
    "Mountain Standard Time",
    "Pacific Standard Time",
    "India Standard Time",
    "China Standard Time",
    "Tokyo Standard Time",
    "AUS Eastern Standard Time",
)


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone with the name under which calendars know it."""

    name: str
    """The TZID: IANA's name where there is one."""
    tzinfo: tzinfo

    def to_utc(self, local: datetime) -> datetime:
        """The aware UTC time of a wall-clock time; a skipped one moves forward, of two the first is meant.

        Times at the very ends of the calendar are taken as they are.
        """
        try:
            return local.replace(tzinfo=self.tzinfo, fold=0).astimezone(UTC)
        except OverflowError:
            return local.replace(tzinfo=UTC)

    def to_local(self, moment: datetime) -> datetime:
        """The naive wall-clock time of an aware time."""
        try:
            return moment.astimezone(self.tzinfo).replace(tzinfo=None, fold=0)
        except OverflowError:
            return moment.replace(tzinfo=None)

    def offset(self, local: datetime) -> timedelta:
        """The offset in force at a wall-clock time."""
        return local.replace(tzinfo=self.tzinfo, fold=0).utcoffset() or timedelta(0)

    def rule(self, year: int) -> ZoneRule:
        """The rule of a year."""
        if isinstance(self.tzinfo, RuleZone):
            return self.tzinfo.rule(year)
        return rule_of(self.tzinfo, min(max(year, _YEARS[0]), _YEARS[1]))

    def struct(self, year: int) -> bytes:
        """PidLidTimeZoneStruct with the rule of a year."""
        return write_struct(self.rule(year))

    def definition(self, year: int, recurring: bool = False) -> bytes:
        """A time zone definition with the rule of a year, for a series (8260) or else for start or end (825E, 825F).

        Its key is the Windows name: programs there know no other.
        """
        flags = EFFECTIVE | RECURRING if recurring else EFFECTIVE
        key = to_windows(self.name) or self.name
        return write_definition(Definition(key, (DefinitionRule(_FIRST_YEAR, self.rule(year), flags),)))

    def vtimezone(self, first_year: int) -> Component:
        """The VTIMEZONE for events from a year on."""
        return write_vtimezone(self.name, self.tzinfo, first_year)


UTC_ZONE: Final = Zone("UTC", UTC)


def zone_of_iana(name: str) -> Zone | None:
    """The zone of an IANA name or alias, as it is written; None when there is none."""
    zone = iana_zone(name)
    return None if zone is None else Zone(iana_name(name) or name, zone)


def zone_of_tzid(
    tzid: str, default: Zone, vtimezone: Component | None = None, at: datetime | None = None
) -> Zone:
    """The zone that a TZID means, ``default`` when nobody can tell.

    ``vtimezone`` is what the calendar object says about it. A known name wins over that when both give the
    same offset at ``at`` (the wall-clock time it is needed for), since such texts are often cut short.
    """
    return chosen_zone(tzid, default, described_zone(tzid, vtimezone), at)


def chosen_zone(tzid: str, default: Zone, described: Zone | None, at: datetime | None = None) -> Zone:
    """`zone_of_tzid` with what the calendar object says already read."""
    known = _known(tzid)
    if known is None or described is None:
        return known or described or _fixed(tzid) or default
    agree = at is None or known.offset(at) == described.offset(at)
    return known if agree else described


def _known(tzid: str) -> Zone | None:
    name = iana_of_tzid(tzid)
    return zone_of_iana(name) if name is not None else None


def described_zone(tzid: str, vtimezone: Component | None) -> Zone | None:
    """The zone of a VTIMEZONE, under the name that is asked for; None when there is none that can be read."""
    if vtimezone is None:
        return None
    try:
        found = read_vtimezone(vtimezone)
    except ParseError:
        return None
    return Zone(tzid.strip().strip('"') or found.name, found)


def _fixed(tzid: str) -> Zone | None:
    """A zone of the offset that the name tells ("GMT+0100")."""
    offset = offset_of_tzid(tzid)
    if offset is None:
        return None
    return _rule_zone(ZoneRule(bias=-int(offset.total_seconds() // 60)))


def zone_of_definition(blob: bytes, year: int, description: str = "") -> Zone | None:
    """The zone of a time zone definition in a year, None when the blob cannot be read.

    ``description`` (PidLidTimeZoneDescription) may hold the name that a client gave: it is kept when it names
    a zone of the same rule.
    """
    try:
        definition = read_definition(blob)
    except ParseError:
        return None
    rules = {each.year: each.rule for each in definition.rules}
    rule = RuleZone("", rules).rule(year)
    for name in (description, definition.key):
        found = _known(name)
        if found is not None and _alike(found, rule, year):
            return found
    if len(rules) == 1:
        found = _zone_of_rule(rule, year)
        if found is not None:
            return found
    return Zone(definition.key or _offset_name(rule), RuleZone(definition.key, rules))


def zone_of_struct(blob: bytes, year: int, description: str = "") -> Zone | None:
    """The zone of a PidLidTimeZoneStruct in a year, None when the blob cannot be read."""
    try:
        rule = read_struct(blob)
    except ParseError:
        return None
    found = _known(description)
    if found is not None and _alike(found, rule, year):
        return found
    return _zone_of_rule(rule, year) or _rule_zone(rule)


def _rule_zone(rule: ZoneRule) -> Zone:
    name = _offset_name(rule)
    return Zone(name, RuleZone(name, {_FIRST_YEAR: rule}))


def _offset_name(rule: ZoneRule) -> str:
    """A name for a rule that nobody named, the same for the same rule."""
    minutes = int(rule.standard_offset.total_seconds() // 60)
    name = f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    if not rule.has_daylight:
        return name
    return f"{name} ({rule.daylight.month}/{rule.daylight.day}-{rule.standard.month}/{rule.standard.day})"


def _alike(zone: Zone, rule: ZoneRule, year: int) -> bool:
    """Whether a zone has the offsets of a rule in a year; days of change may differ by what either side knows."""
    own = zone.rule(year)
    return (own.standard_offset, own.daylight_offset, own.standard.month, own.daylight.month) == (
        rule.standard_offset,
        rule.daylight_offset,
        rule.standard.month if rule.has_daylight else 0,
        rule.daylight.month if rule.has_daylight else 0,
    )


@lru_cache(maxsize=512)
def _zone_of_rule(rule: ZoneRule, year: int) -> Zone | None:
    """The best known IANA zone that has exactly this rule, in this year."""
    for windows in (*_LIKELY, *all_windows()):
        name = to_iana(windows)
        found = zone_of_iana(name) if name is not None else None
        if found is not None and _alike(found, rule, year) and _same_days(found.rule(year), rule):
            return found
    return None


def _same_days(own: ZoneRule, rule: ZoneRule) -> bool:
    return not rule.has_daylight or (own.standard, own.daylight) == (rule.standard, rule.daylight)
