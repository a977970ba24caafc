"""VTIMEZONE: what is written reads back as the same zone; what real calendars contain is understood."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from dateutil.tz import tzical  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.convert.errors import ParseError
from gateway.convert.ical.observances import read_vtimezone
from gateway.convert.ical.transitions import offset_at, rule_of, transitions
from gateway.convert.ical.vtimezone import write_vtimezone
from gateway.convert.ical.zonedata import iana_name, iana_names, iana_zone
from gateway.convert.ical.zonerule import RuleZone, Switch
from gateway.convert.lines import parse, write

ZONES = [
    "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Moscow", "Europe/Istanbul", "America/New_York",
    "America/Sao_Paulo", "America/Nuuk", "America/Mexico_City", "Asia/Jerusalem", "Asia/Tehran", "Asia/Kathmandu",
    "Asia/Gaza", "Africa/Casablanca", "Africa/Cairo", "Australia/Lord_Howe", "Antarctica/Troll", "Pacific/Apia", "UTC",
]  # fmt: skip
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2036, 12, 1))


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(ZONES), st.lists(MOMENTS, min_size=5, max_size=20), st.integers(1971, 2030))
def test_what_is_written_reads_back(name: str, moments: list[datetime], first_year: int) -> None:
    zone = iana_zone(name)
    assert zone is not None
    found = read_vtimezone(parse(write(write_vtimezone(name, zone, first_year)))[0])
    for moment in moments:
        if moment.year >= first_year:
            assert offset_at(found, moment) == offset_at(zone, moment), moment


def _a_day_later(match: re.Match[str]) -> str:
    return f"UNTIL={datetime.strptime(match[1], '%Y%m%d') + timedelta(days=1):%Y%m%d}T"


@pytest.mark.parametrize("name", ZONES)
def test_an_independent_reader_agrees(name: str) -> None:
    zone = iana_zone(name)
    assert zone is not None
    text = b"BEGIN:VCALENDAR\r\n" + write(write_vtimezone(name, zone, 2020)) + b"END:VCALENDAR\r\n"
    # The library compares UNTIL, which is UTC, with wall-clock times: a day more makes no difference but to it.
    lenient = re.sub(r"UNTIL=(\d{8})T", _a_day_later, text.decode().replace("\r\n", "\n"))
    oracle = tzical(StringIO(lenient)).get()
    for days in range(0, 3000, 11):
        local = datetime(2021, 1, 1, 12) + timedelta(days=days)
        assert local.replace(tzinfo=oracle).utcoffset() == local.replace(tzinfo=zone).utcoffset(), local


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(ZONES), MOMENTS)
def test_zone_of_a_years_rule_agrees_within_the_year(name: str, moment: datetime) -> None:
    zone = iana_zone(name)
    assert zone is not None
    rule = rule_of(zone, moment.year)
    changes = transitions(zone, moment.year)
    if rule.has_daylight or not changes:
        assert offset_at(RuleZone("r", {1601: rule}), moment) == offset_at(zone, moment)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(ZONES[:6]), MOMENTS, st.booleans())
def test_rule_zones_follow_pep_495(name: str, wall: datetime, fold: bool) -> None:
    zone = iana_zone(name)
    assert zone is not None
    rule = rule_of(zone, 2026)
    own, wall = RuleZone("r", {1601: rule}), wall.replace(year=2026)
    for each in [*(change.wall for change in transitions(zone, 2026)), wall]:
        for minutes in (-61, -60, -30, -1, 0, 1, 30, 59, 60, 61):
            moment = (each + timedelta(minutes=minutes)).replace(fold=int(fold))
            assert moment.replace(tzinfo=own).utcoffset() == moment.replace(tzinfo=zone).utcoffset(), moment
            utc = moment.replace(tzinfo=UTC)
            assert utc.astimezone(own).replace(tzinfo=None) == utc.astimezone(zone).replace(tzinfo=None)
            assert utc.astimezone(own).fold == utc.astimezone(zone).fold


def test_a_zone_of_today_has_two_parts() -> None:
    zone = iana_zone("Europe/Berlin")
    assert zone is not None
    assert write(write_vtimezone("Europe/Berlin", zone, 2026)).decode().splitlines() == [
        "BEGIN:VTIMEZONE",
        "TZID:Europe/Berlin",
        "BEGIN:DAYLIGHT",
        "DTSTART:19810329T020000",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0200",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
        "TZNAME:CEST",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "DTSTART:19961027T030000",
        "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100",
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
        "TZNAME:CET",
        "END:STANDARD",
        "END:VTIMEZONE",
    ]


def _read(*parts: str) -> object:
    return read_vtimezone(parse("\r\n".join(["BEGIN:VTIMEZONE", "TZID:x", *parts, "END:VTIMEZONE", ""]))[0])


def _part(
    rule: str,
    start: str = "19700101T020000",
    name: str = "DAYLIGHT",
    before: str = "+0200",
    after: str = "+0300",
) -> list[str]:
    return [
        f"BEGIN:{name}", f"DTSTART:{start}", f"TZOFFSETFROM:{before}", f"TZOFFSETTO:{after}", rule, f"END:{name}",
    ]  # fmt: skip


STANDARD = _part("RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU", name="STANDARD", before="+0300", after="+0200")


@pytest.mark.parametrize(
    ("rule", "day"),
    [
        ("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", 29),
        ("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-2SU", 22),
        ("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU", 8),
        ("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=SU;BYMONTHDAY=8,9,10,11,12,13,14", 8),
        ("RRULE:FREQ=YEARLY;BYDAY=FR;BYMONTHDAY=23,24,25,26,27,28,29;BYMONTH=3", 27),
        ("RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8", 8),
        ("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;COUNT=100;UNTIL=20500101T000000Z", 29),
        ("rrule:freq=yearly;bymonth=3;byday=-1su", 29),
        ("RDATE:20250330T020000,20260329T020000", 29),
    ],
)
def test_forms_of_rules(rule: str, day: int) -> None:
    zone = _read(*_part(rule), *STANDARD)
    offset = offset_at(zone, datetime(2026, 3, day, 0, 0))  # type: ignore[arg-type]
    assert offset == timedelta(hours=3)
    assert offset_at(zone, datetime(2026, 3, day) - timedelta(seconds=1)) == timedelta(hours=2)  # type: ignore[arg-type]


def test_rule_without_month_or_day_repeats_its_start() -> None:
    zone = _read(*_part("RRULE:FREQ=YEARLY", "20000329T020000"), *STANDARD)
    assert offset_at(zone, datetime(2026, 3, 29)) == timedelta(hours=3)  # type: ignore[arg-type]


def test_rules_end_with_until_or_count() -> None:
    for end in ("UNTIL=20100328T000000Z", "COUNT=41"):
        zone = _read(*_part(f"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;{end}"), *STANDARD)
        assert offset_at(zone, datetime(2010, 7, 1)) == timedelta(hours=3)  # type: ignore[arg-type]
        assert offset_at(zone, datetime(2011, 7, 1)) == timedelta(hours=2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "parts",
    [
        [],
        ["BEGIN:STANDARD", "DTSTART:20000101T000000", "END:STANDARD"],
        ["BEGIN:STANDARD", "TZOFFSETTO:nonsense", "END:STANDARD"],
    ],
)
def test_no_usable_part(parts: list[str]) -> None:
    with pytest.raises(ParseError):
        _read(*parts)


@pytest.mark.parametrize(
    "lines",
    [
        ["TZOFFSETTO:+0100"],
        ["TZOFFSETTO:+0100", "DTSTART:garbage"],
        ["TZOFFSETTO:+0100", "DTSTART;TZID=x:20000101T000000Z", "TZOFFSETFROM:+2500"],
        ["TZOFFSETTO:+01:00", "DTSTART:20000101", "RRULE:FREQ=WEEKLY;BYDAY=XX;BYMONTH=99;BYMONTHDAY=77"],
        ["TZOFFSETTO:+0100", "DTSTART:20000101T000000", "RRULE:;=;COUNT=-5;UNTIL=99999999"],
    ],
)
def test_defects_are_tolerated(lines: list[str]) -> None:
    zone = _read("BEGIN:STANDARD", *lines, "END:STANDARD")
    assert offset_at(zone, datetime(2026, 7, 1)) == timedelta(hours=1)  # type: ignore[arg-type]


def test_number_of_parts_is_limited() -> None:
    with pytest.raises(ParseError, match="parts"):
        _read(*STANDARD * 401)


@pytest.mark.parametrize(
    ("switch", "year", "expected"),
    [
        (Switch(3, 0, 5, 2), 2026, datetime(2026, 3, 29, 2)),
        (Switch(2, 0, 5, 2), 2032, datetime(2032, 2, 29, 2)),
        (Switch(11, 0, 1, 2), 2026, datetime(2026, 11, 1, 2)),
        (Switch(12, 4, 5, 23, 59, 59, 999), 2026, datetime(2026, 12, 31, 23, 59, 59)),
        (Switch(), 2026, None),
        (Switch(13, 0, 1), 2026, None),
        (Switch(2, 0, 30, year=2026), 2026, None),
        (Switch(3, 0, 29, 2, year=2026), 2025, None),
        (Switch(3, 65535, 65535, 65535), 2026, datetime(2026, 3, 29) + timedelta(hours=65535)),
    ],
)
def test_switches(switch: Switch, year: int, expected: datetime | None) -> None:
    found = switch.moment(year)
    if switch.weekday == 65535:
        assert found is not None
    else:
        assert found == expected


def test_every_zone_of_the_data_loads_and_has_a_rule() -> None:
    for name in iana_names()[::9]:
        zone = iana_zone(name)
        assert zone is not None
        rule_of(zone, 2026)


def test_names_of_zones() -> None:
    assert iana_name("EUROPE/berlin") == "Europe/Berlin"
    assert iana_zone("../zones") is None
    assert iana_zone("") is None
