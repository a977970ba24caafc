"""Fuzz: time zones. Any blob, VTIMEZONE or name gives a zone that answers for every time, none, or ParseError."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.convert.errors import ParseError
from gateway.convert.ical.observances import read_vtimezone
from gateway.convert.ical.timezones import UTC_ZONE, Zone, zone_of_definition, zone_of_struct, zone_of_tzid
from gateway.convert.lines import Component, Line, write

MOMENTS = st.datetimes(datetime(1602, 1, 1), datetime(9990, 1, 1))
WORDS = st.lists(st.integers(0, 65535) | st.integers(0, 12), min_size=24, max_size=24)
STRUCTS = WORDS.map(lambda words: struct.pack("<24H", *words))
RULES = STRUCTS.map(
    lambda rule: struct.pack("<BBHHH14x", 2, 1, 62, 2, 2000) + rule[:12] + rule[14:30] + rule[32:48]
)
DEFINITIONS = st.lists(RULES | st.binary(max_size=80), max_size=4).map(
    lambda rules: (
        struct.pack("<BBHHH", 2, 1, 8, 2, 1)
        + "x".encode("utf-16-le")
        + struct.pack("<H", len(rules))
        + b"".join(rules)
    )
)
VALUES = st.sampled_from(
    ["+0100", "-1100", "+0530", "19700329T020000", "16010101T000000", "99991231T235959", "", "x", "20260101"]
) | st.text(max_size=12)
RRULES = st.lists(
    st.sampled_from(
        ["FREQ=YEARLY", "BYMONTH=3", "BYMONTH=99", "BYDAY=-1SU", "BYDAY=SU", "BYDAY=7XX", "BYMONTHDAY=1,31,99", "COUNT=2",
         "COUNT=99999999999", "UNTIL=20100101T000000Z", "UNTIL=00000000", "INTERVAL=0", "="]
    ),
    max_size=5,
).map(";".join)  # fmt: skip
LINES = st.lists(
    st.builds(Line, st.sampled_from(["DTSTART", "TZOFFSETTO", "TZOFFSETFROM", "RDATE", "TZNAME"]), VALUES)
    | st.builds(Line, st.just("RRULE"), RRULES),
    max_size=6,
)
PARTS = st.lists(st.builds(Component, st.sampled_from(["STANDARD", "DAYLIGHT"]), LINES), max_size=4)


def _answers(zone: Zone, moment: datetime) -> None:
    aware = zone.to_utc(moment)
    assert aware.tzinfo is UTC
    zone.to_local(aware)
    assert len(zone.struct(moment.year)) == 48
    assert zone_of_definition(zone.definition(moment.year), moment.year) is not None


@settings(deadline=None)
@given(STRUCTS | st.binary(max_size=60), MOMENTS)
def test_any_structure(blob: bytes, moment: datetime) -> None:
    zone = zone_of_struct(blob, moment.year)
    if zone is not None:
        _answers(zone, moment)


@settings(deadline=None)
@given(DEFINITIONS | st.binary(max_size=150), MOMENTS)
def test_any_definition(blob: bytes, moment: datetime) -> None:
    zone = zone_of_definition(blob, moment.year)
    if zone is not None:
        _answers(zone, moment)


@settings(deadline=None)
@given(PARTS, MOMENTS)
def test_any_vtimezone(parts: list[Component], moment: datetime) -> None:
    component = Component("VTIMEZONE", [Line("TZID", "x")], parts)
    try:
        read_vtimezone(component)
    except ParseError:
        return
    zone = zone_of_tzid("x", UTC_ZONE, component, moment)
    _answers(zone, moment)
    assert write(zone.vtimezone(moment.year))


@settings(deadline=None)
@given(st.text() | st.text("()+-:/GMTUC 0123456789", max_size=20), MOMENTS)
def test_any_name(name: str, moment: datetime) -> None:
    _answers(zone_of_tzid(name, UTC_ZONE), moment)
