"""Time zones of calendar items (cases CT01-CT26)."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

import pytest

from gateway.convert.ical.timezones import (
    UTC_ZONE,
    Zone,
    zone_of_definition,
    zone_of_iana,
    zone_of_struct,
    zone_of_tzid,
)
from gateway.convert.ical.zoneblobs import (
    Definition,
    DefinitionRule,
    read_definition,
    read_struct,
    write_definition,
    write_struct,
)
from gateway.convert.ical.zonerule import RuleZone, Switch, ZoneRule
from gateway.convert.lines import Component, parse, write

STRUCTS = {
    "Europe/Berlin": "c4ffffff00000000c4ffffff000000000a00000005000300000000000000000000000300000005000200000000000000",
    "America/New_York": "2c01000000000000c4ffffff000000000b00000001000200000000000000000000000300000002000200000000000000",
    "Australia/Sydney": "a8fdffff00000000c4ffffff000000000400000001000300000000000000000000000a00000001000200000000000000",
    "Asia/Kolkata": "b6feffff00000000c4ffffff000000000000000000000000000000000000000000000000000000000000000000000000",
    "UTC": "00" * 48,
}
SUMMER = {
    "Europe/Berlin": 120,
    "America/New_York": -240,
    "Australia/Sydney": 600,
    "Asia/Kolkata": 330,
    "UTC": 0,
}
DEFINITION = bytes.fromhex(
    "020134000200170057002e0020004500750072006f007000650020005300740061006e0064006100720064002000540069006d0065000100"
    "02013e00020041060000000000000000000000000000c4ffffff00000000c4ffffff00000a0000000500030000000000000000000300000005"
    "000200000000000000"
)
TEN = datetime(2026, 7, 14, 10)


def _zone(name: str) -> Zone:
    found = zone_of_iana(name)
    assert found is not None
    return found


BERLIN = _zone("Europe/Berlin")


def _vtimezone(*lines: str) -> Component:
    text = "\r\n".join(["BEGIN:VTIMEZONE", *lines, "END:VTIMEZONE", ""])
    return parse(text)[0]


def _standard(*lines: str) -> tuple[str, ...]:
    return ("BEGIN:STANDARD", *lines, "END:STANDARD")


def _daylight(*lines: str) -> tuple[str, ...]:
    return ("BEGIN:DAYLIGHT", *lines, "END:DAYLIGHT")


def _utc(zone: Zone, local: datetime = TEN) -> str:
    return f"{zone.to_utc(local):%H:%M}"


@pytest.mark.parametrize("name", STRUCTS)
def test_CT01_structures_both_ways(name: str) -> None:
    blob = bytes.fromhex(STRUCTS[name])
    rule = read_struct(blob)
    assert write_struct(rule) == blob
    assert RuleZone("x", {1601: rule}).utcoffset(TEN) == timedelta(minutes=SUMMER[name])
    assert _zone(name).offset(TEN) == timedelta(minutes=SUMMER[name])
    if name != "Asia/Kolkata":  # its vector has a daylight bias that nothing uses
        assert _zone(name).struct(2026) == blob


@pytest.mark.parametrize("name", STRUCTS)
def test_CT01_structure_gives_the_zone(name: str) -> None:
    found = zone_of_struct(bytes.fromhex(STRUCTS[name]), 2026)
    assert found is not None
    assert found.name == name


def test_CT02_definition() -> None:
    definition = read_definition(DEFINITION)
    assert definition.key == "W. Europe Standard Time"
    assert [(each.year, each.flags) for each in definition.rules] == [(1601, 2)]
    assert write_definition(definition) == DEFINITION
    assert BERLIN.definition(2026) == DEFINITION
    found = zone_of_definition(DEFINITION, 2026)
    assert found is not None
    assert found.name == "Europe/Berlin"


def test_CT03_the_clients_name_survives_the_definition() -> None:
    amsterdam = zone_of_tzid("Europe/Amsterdam", UTC_ZONE)
    assert amsterdam.name == "Europe/Amsterdam"
    found = zone_of_definition(amsterdam.definition(2026), 2026, "Europe/Amsterdam")
    assert found is not None
    assert found.name == "Europe/Amsterdam"
    changed = zone_of_definition(_zone("Asia/Tokyo").definition(2026), 2026, "Europe/Amsterdam")
    assert changed is not None
    assert changed.name == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("tzid", "name"),
    [
        pytest.param("W. Europe Standard Time", "Europe/Berlin", id="CT04"),
        pytest.param("/freeassociation.sourceforge.net/Tzfile/Europe/Berlin", "Europe/Berlin", id="CT05"),
        pytest.param("/mozilla.org/20050126_1/America/New_York", "America/New_York", id="CT06"),
        pytest.param("tzone://Microsoft/Utc", "UTC", id="CT09"),
        pytest.param(
            "(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Amsterdam", id="CT10"
        ),
        pytest.param("Asia/Calcutta", "Asia/Calcutta", id="CT16"),
        ("/citadel.org/20210210_1/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("/Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ('"Europe/Berlin"\r\n', "Europe/Berlin"),
        ("Eastern Standard Time", "America/New_York"),
        ("(GMT-05:00) Eastern Time (US & Canada)", "America/New_York"),
        ("(GMT+01.00) Sarajevo, Skopje, Warsaw, Zagreb", "Europe/Sarajevo"),
        ("(UTC) Coordinated Universal Time", "UTC"),
        ("Z", "UTC"),
    ],
)
def test_names(tzid: str, name: str) -> None:
    assert zone_of_tzid(tzid, _zone("Asia/Tokyo")).name == name


def test_CT07_unknown_name_with_a_fixed_offset() -> None:
    part = _standard("DTSTART:16010101T000000", "TZOFFSETFROM:+0530", "TZOFFSETTO:+0530")
    found = zone_of_tzid("Foo", BERLIN, _vtimezone("TZID:Foo", *part))
    assert found.name == "Foo"
    assert _utc(found) == "04:30"


@pytest.mark.parametrize(
    "tzid", ["Foo", "", "/", "tzone://Microsoft/Custom", "../../etc/passwd", "x" * 5000, "GMT+99"]
)
def test_CT08_unknown_name_is_the_owners_zone(tzid: str) -> None:
    assert zone_of_tzid(tzid, BERLIN) is BERLIN


def test_offset_in_the_name() -> None:
    found = zone_of_tzid("GMT +0100 (Standard) / GMT +0200 (Daylight)", _zone("Asia/Tokyo"))
    assert (_utc(found), found.name) == ("09:00", "UTC+01:00")
    assert _utc(zone_of_tzid("(UTC+05:30) Nowhere", BERLIN)) == "04:30"


EU = (
    *_standard(
        "DTSTART:16010101T030000",
        "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
    ),
    *_daylight(
        "DTSTART:16010101T020000",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0200",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
    ),
)


def test_CT11_dtstart_of_1601() -> None:
    found = zone_of_tzid("Custom", UTC_ZONE, _vtimezone("TZID:Custom", *EU))
    assert _utc(found) == "08:00"
    assert _utc(found, datetime(2026, 1, 14, 10)) == "09:00"
    assert found.struct(2026).hex() == STRUCTS["Europe/Berlin"]


def test_CT12_offset_with_seconds() -> None:
    part = _standard("DTSTART:18830101T000000", "TZOFFSETFROM:+001730", "TZOFFSETTO:+001730")
    assert zone_of_tzid("Foo", UTC_ZONE, _vtimezone(*part)).offset(TEN) == timedelta(minutes=17, seconds=30)


def test_CT13_only_standard_or_only_daylight() -> None:
    part = ("DTSTART:20000101T000000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0300")
    assert _utc(zone_of_tzid("Foo", UTC_ZONE, _vtimezone(*_standard(*part)))) == "07:00"
    assert _utc(zone_of_tzid("Foo", UTC_ZONE, _vtimezone(*_daylight(*part)))) == "07:00"


@pytest.mark.parametrize("name", ["Europe/Kyiv", "Europe/Kiev"])
def test_CT15_renamed_zone(name: str) -> None:
    zone = _zone(name)
    assert zone.name == name
    assert read_definition(zone.definition(2026)).key == "FLE Standard Time"
    kept = zone_of_definition(zone.definition(2026), 2026, name)
    assert kept is not None
    assert kept.name == name


def test_CT16_CT17_offsets_that_are_no_whole_hours() -> None:
    assert _utc(_zone("Asia/Calcutta")) == "04:30"
    assert read_definition(_zone("Asia/Calcutta").definition(2026)).key == "India Standard Time"
    assert _utc(_zone("Asia/Kathmandu")) == "04:15"


@pytest.mark.parametrize("zone", [BERLIN, Zone("r", RuleZone("r", {1601: BERLIN.rule(2026)}))])
def test_CT18_CT19_skipped_and_doubled_times(zone: Zone) -> None:
    assert _utc(zone, datetime(2026, 3, 29, 2, 30)) == "01:30"
    assert _utc(zone, datetime(2026, 10, 25, 2, 30)) == "00:30"


def test_CT20_dublin_summer() -> None:
    assert _utc(_zone("Europe/Dublin")) == "09:00"
    rule = _zone("Europe/Dublin").rule(2026)
    assert (rule.bias, rule.daylight_bias, rule.daylight.month, rule.standard.month) == (0, -60, 3, 10)


def test_CT21_casablanca() -> None:
    zone = _zone("Africa/Casablanca")
    assert _utc(zone) == "09:00"
    assert read_struct(zone.struct(2024)) == ZoneRule(bias=-60)
    assert _utc(zone, datetime(2024, 3, 20, 10)) == "10:00"
    found = zone_of_definition(zone.definition(2024), 2024, "Africa/Casablanca")
    assert found is not None
    assert found.name == "Africa/Casablanca"


def test_CT22_start_and_end_in_different_zones() -> None:
    end = _zone("America/New_York")
    assert BERLIN.definition(2026) != end.definition(2026)
    assert (_utc(BERLIN), _utc(end, datetime(2026, 7, 14, 8))) == ("08:00", "12:00")


def test_CT23_structure_with_a_useless_description() -> None:
    found = zone_of_struct(bytes.fromhex(STRUCTS["Europe/Berlin"]), 2026, "(GMT+01:00) ...")
    assert found is not None
    assert found.name == "Europe/Berlin"


def test_a_rule_that_no_zone_has_keeps_its_own() -> None:
    rule = ZoneRule(-100, 0, -60, Switch(9, 3, 2, 4), Switch(2, 1, 1, 3))
    found = zone_of_struct(write_struct(rule), 2026)
    assert found is not None
    assert (found.name, found.struct(2030)) == ("UTC+01:40 (2/1-9/2)", write_struct(rule))
    assert found.offset(TEN) == timedelta(minutes=160)
    assert found.offset(datetime(2026, 12, 1)) == timedelta(minutes=100)


def test_CT24_rule_with_dates_of_one_year() -> None:
    rule = ZoneRule(-60, 0, -60, Switch(10, 0, 25, 3, year=2026), Switch(3, 0, 29, 2, year=2026))
    found = zone_of_struct(write_struct(rule), 2026)
    assert found is not None
    assert _utc(found) == "08:00"
    assert _utc(found, datetime(2027, 7, 14, 10)) == "09:00"


def test_CT25_rule_of_the_events_year() -> None:
    old = ZoneRule(300, 0, -60, Switch(10, 0, 5, 2), Switch(4, 0, 1, 2))
    new = ZoneRule(300, 0, -60, Switch(11, 0, 1, 2), Switch(3, 0, 2, 2))
    rules = (DefinitionRule(1601, ZoneRule(300)), DefinitionRule(1987, old), DefinitionRule(2007, new, 2))
    blob = write_definition(Definition("Custom Eastern", rules))
    found = zone_of_definition(blob, 2026)
    assert found is not None
    assert found.name == "Custom Eastern"
    march = datetime(2026, 3, 20, 10)
    assert _utc(found, march) == "14:00"
    assert _utc(found, march.replace(year=2006)) == "15:00"
    assert _utc(found, datetime(1980, 7, 1, 10)) == "15:00"


def test_CT26_the_same_text_every_time() -> None:
    assert (
        write(BERLIN.vtimezone(2026))
        == write(_zone("Europe/Berlin").vtimezone(2026))
        == write(BERLIN.vtimezone(2001))
    )


def test_known_name_gives_way_to_a_text_that_disagrees() -> None:
    wrong = _vtimezone(*_standard("DTSTART:20000101T000000", "TZOFFSETFROM:+0900", "TZOFFSETTO:+0900"))
    assert zone_of_tzid("Europe/Berlin", UTC_ZONE, wrong, TEN).offset(TEN) == timedelta(hours=9)
    assert zone_of_tzid("Europe/Berlin", UTC_ZONE, _vtimezone(*EU), TEN).tzinfo is BERLIN.tzinfo


@pytest.mark.parametrize(
    "blob", [b"", b"x" * 20, DEFINITION[:60], struct.pack("<BBHHH", 2, 1, 6, 2, 0) + b"\0\0", bytes(200)]
)
def test_broken_blobs_give_no_zone(blob: bytes) -> None:
    assert zone_of_definition(blob, 2026) is None
    assert zone_of_struct(blob[:47], 2026) is None


def test_ends_of_the_calendar() -> None:
    for zone in (BERLIN, Zone("r", RuleZone("r", {1601: BERLIN.rule(2026)}))):
        for moment in (datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59)):
            assert abs(zone.to_utc(moment) - moment.replace(tzinfo=UTC)) <= timedelta(hours=2)
            zone.to_local(moment.replace(tzinfo=UTC))
    assert BERLIN.struct(1) == BERLIN.struct(1602)
    assert BERLIN.struct(20_000) == BERLIN.struct(9990)
