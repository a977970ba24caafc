"""Recurrence: blobs, rules and instances agree with each other and with an independent library."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.convert.errors import ParseError
from gateway.convert.ical.civil import DAY, civil, days_from_civil
from gateway.convert.ical.expand import days, occurrences
from gateway.convert.ical.pattern import (
    NEVER_ENDS,
    Days,
    EndType,
    Frequency,
    Instance,
    Pattern,
    PatternType,
)
from gateway.convert.ical.recurblob import decode, encode
from gateway.convert.ical.rrule import from_rrule, to_rrule
from gateway.convert.ical.rruleparts import Unrepresentable

EPOCH = datetime(1601, 1, 1)


def rtime(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int((moment - EPOCH) / timedelta(minutes=1))


def text(value: int) -> str:
    return (EPOCH + timedelta(minutes=value)).strftime("%Y-%m-%d")


def until(value: int) -> str:
    return (EPOCH + timedelta(minutes=value)).strftime("%Y%m%dT%H%M%S")


def first(pattern: Pattern, count: int) -> list[str]:
    found = days(pattern, pattern.start, pattern.start + 60 * 366 * DAY)
    return [text(day) for _, day in zip(range(count), found, strict=False)]


HALF_PAST_TEN = 630
#: id, rule, start, blob (10:00-10:30 unless the rule's start says otherwise)
VECTORS = [
    (
        "CR01",
        "FREQ=DAILY;INTERVAL=2;COUNT=5",
        "2026-07-14 10:00",
        (
            "043004300a200000000000000000400b0000000000002220000005000000000000000000000000000000c008570dc035570d"
            "0630000009300000580200007602000000000000000000000000"
        ),
    ),
    (
        "CR02",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;WKST=MO;UNTIL=20260812T100000",
        "2026-07-13 10:00",
        (
            "043004300b20010000006027000002000000000000000a00000021200000060000000100000000000000000000002003570d"
            "e0ab570d0630000009300000580200007602000000000000000000000000"
        ),
    ),
    (
        "CR11",
        "FREQ=MONTHLY;BYDAY=-1FR;WKST=SU",
        "2026-07-31 10:00",
        (
            "043004300c20030000000000000001000000000000002000000005000000232000000a000000000000000000000000000000"
            "6068570ddf80e95a0630000009300000580200007602000000000000000000000000"
        ),
    ),
    (
        "CR14",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=2;WKST=SU",
        "2026-07-02 10:00",
        (
            "043004300c20030000000000000001000000000000003e00000002000000232000000a000000000000000000000000000000"
            "40c5560ddf80e95a0630000009300000580200007602000000000000000000000000"
        ),
    ),
    (
        "CR18",
        "FREQ=YEARLY;COUNT=3;WKST=SU",
        "2026-07-14 10:00",
        (
            "043004300d200200000020fa03000c000000000000000e0000002220000003000000000000000000000000000000c008570d"
            "a018670d0630000009300000580200007602000000000000000000000000"
        ),
    ),
    (
        "CR19",
        "FREQ=YEARLY;INTERVAL=2;WKST=SU",
        "2026-07-14 10:00",
        (
            "043004300d200200000040ff0b0018000000000000000e000000232000000a000000000000000000000000000000c008570d"
            "df80e95a0630000009300000580200007602000000000000000000000000"
        ),
    ),
    (
        "CR21",
        "FREQ=YEARLY;BYMONTH=7;BYDAY=3TU;WKST=SU",
        "2026-07-21 10:00",
        (
            "043004300d200300000020fa03000c000000000000000400000003000000232000000a0000000000000000000000000000002"
            "030570ddf80e95a0630000009300000580200007602000000000000000000000000"
        ),
    ),
    (
        "CR22",
        "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15;WKST=SU",
        "2026-07-15 10:00",
        (
            "043004300c20020000000000000003000000000000000f000000232000000a000000000000000000000000000000600e570d"
            "df80e95a0630000009300000580200007602000000000000000000000000"
        ),
    ),
]


@pytest.mark.parametrize(("rule", "start", "blob"), [v[1:] for v in VECTORS], ids=[v[0] for v in VECTORS])
def test_a_rule_becomes_this_blob(rule: str, start: str, blob: str) -> None:
    pattern = from_rrule(rule, rtime(start), end_offset=HALF_PAST_TEN)
    if "WKST" not in rule:
        pattern = Pattern(**{**_fields(pattern), "first_day_of_week": 0})
    assert encode(pattern).hex() == blob
    assert decode(bytes.fromhex(blob)) == pattern


def _fields(pattern: Pattern) -> dict[str, object]:
    return {name: getattr(pattern, name) for name in Pattern.__slots__}


def test_cr03_the_rule_of_the_blob() -> None:
    pattern = decode(bytes.fromhex(VECTORS[1][3]))
    assert to_rrule(pattern, until) == "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20260812T100000" or (
        to_rrule(pattern, until) == "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;WKST=MO;UNTIL=20260812T100000"
    )
    assert pattern.count == 6


@pytest.mark.parametrize(
    ("case", "rule", "start", "expected"),
    [
        ("CR01", "FREQ=DAILY;INTERVAL=2;COUNT=5", "2026-07-14", "07-14 07-16 07-18 07-20 07-22"),
        ("CR04-MO", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=MO", "2026-07-13", "07-13 07-19 07-27 08-02"),
        ("CR04-SU", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU", "2026-07-13", "07-13 07-26 07-27 08-09"),
        ("CR05", "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "2026-07-16", "07-16 07-17 07-20 07-21"),
        ("CR11", "FREQ=MONTHLY;BYDAY=-1FR", "2026-07-31", "07-31 08-28 09-25 10-30"),
        ("CR12", "FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1", "2026-07-31", "07-31 08-28 09-25 10-30"),
        ("CR14", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=2", "2026-07-02", "07-02 08-04 09-02"),
        ("CR15", "FREQ=MONTHLY;BYDAY=SU,SA;BYSETPOS=-1", "2026-07-26", "07-26 08-30 09-27 10-31"),
        ("CR17", "FREQ=MONTHLY;BYMONTHDAY=1", "2026-07-01", "07-01 08-01 09-01"),
        ("CR24", "FREQ=DAILY;COUNT=99;UNTIL=20260716", "2026-07-14", "07-14 07-15 07-16"),
        ("CR28", "FREQ=DAILY;INTERVAL=0;COUNT=2", "2026-07-14", "07-14 07-15"),
        ("CR29", "FREQ=WEEKLY;BYDAY=WE", "2026-07-14", "07-15 07-22"),
    ],
)
def test_instances_of_a_rule(case: str, rule: str, start: str, expected: str) -> None:
    wanted = expected.split()
    assert [day[5:] for day in first(from_rrule(rule, rtime(start)), len(wanted))] == wanted, case


def test_cr25_until_a_date_takes_that_day_in() -> None:
    pattern = from_rrule("FREQ=DAILY;UNTIL=20260812", rtime("2026-08-10 10:00"))
    assert first(pattern, 9) == ["2026-08-10", "2026-08-11", "2026-08-12"]


def test_cr26_until_a_floating_midnight_is_local() -> None:
    pattern = from_rrule("FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260812T000000", rtime("2026-08-03 10:00"))
    assert first(pattern, 9)[-1] == "2026-08-10"


def test_until_in_utc_is_made_local() -> None:
    pattern = from_rrule(
        "FREQ=DAILY;UNTIL=20260812T080000Z", rtime("2026-08-10 10:00"), local=lambda utc: utc + 120
    )
    assert first(pattern, 9)[-1] == "2026-08-12"


@pytest.mark.parametrize(
    ("case", "rule", "start"),
    [
        ("CR07", "FREQ=MONTHLY;BYMONTHDAY=31", "2026-07-31"),
        ("CR13", "FREQ=MONTHLY;BYDAY=5FR", "2026-07-31"),
        ("CR20", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2028-02-29"),
        ("CR23", "FREQ=HOURLY", "2026-07-14"),
        ("CR23", "FREQ=YEARLY;BYWEEKNO=3", "2026-07-14"),
        ("CR23", "FREQ=YEARLY;BYYEARDAY=3", "2026-07-14"),
        ("CR23", "FREQ=MONTHLY;BYMONTHDAY=1,15", "2026-07-01"),
        ("CR23", "FREQ=DAILY;BYHOUR=9,17", "2026-07-14"),
        ("CR23", "FREQ=WEEKLY;BYMONTH=7", "2026-07-14"),
    ],
)
def test_what_mapi_cannot_express_is_said(case: str, rule: str, start: str) -> None:
    with pytest.raises(Unrepresentable, match="MAPI"):
        from_rrule(rule, rtime(start))


@pytest.mark.parametrize(
    "rule", ["", "FREQ", "FREQ=DAILY;COUNT=x", "FREQ=WEEKLY;BYDAY=XX", "FREQ=DAILY;COUNT=0"]
)
def test_a_broken_rule_is_refused(rule: str) -> None:
    with pytest.raises(ParseError):
        from_rrule(rule, rtime("2026-07-14"))


def test_cr27_a_series_that_ends_before_it_begins() -> None:
    with pytest.raises(ParseError, match="ends before it begins"):
        from_rrule("FREQ=DAILY;UNTIL=20260101", rtime("2026-07-14 10:00"))


def monthly(day: int, start: str) -> Pattern:
    return Pattern(Frequency.MONTHLY, PatternType.MONTH, 1, rtime(start), day_of_month=day, start_offset=600)


def test_cr08_day_31_is_the_last_day() -> None:
    pattern = monthly(31, "2026-01-31")
    assert to_rrule(pattern, until) == "FREQ=MONTHLY;BYMONTHDAY=-1"
    assert first(pattern, 4) == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]


def test_cr09_cr10_day_30_clamps_and_comes_back() -> None:
    pattern = monthly(30, "2026-01-30")
    rule = to_rrule(pattern, until)
    assert rule == "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1"
    assert first(pattern, 3) == ["2026-01-30", "2026-02-28", "2026-03-30"]
    assert from_rrule(rule, rtime("2026-01-30 10:00")).day_of_month == 30


def test_cr16_the_last_of_all_days_is_the_last_day() -> None:
    pattern = Pattern(Frequency.MONTHLY, PatternType.MONTH_NTH, 1, rtime("2026-07-31"), days=Days.ALL, nth=5)
    assert to_rrule(pattern, until) == "FREQ=MONTHLY;BYMONTHDAY=-1"


def test_cr32_without_end() -> None:
    pattern = from_rrule("FREQ=DAILY", rtime("2026-07-14 10:00"))
    assert (pattern.end_type, pattern.count, pattern.end) == (EndType.NEVER, 10, NEVER_ENDS)
    assert to_rrule(pattern, until) == "FREQ=DAILY"


@pytest.mark.parametrize(
    ("case", "end_type", "expected"),
    [
        ("CR33", "ffffffff", EndType.NEVER),
        ("CR34", "21000000", EndType.DATE),
        ("CR34", "22000000", EndType.COUNT),
    ],
)
def test_end_types_as_real_writers_put_them(case: str, end_type: str, expected: EndType) -> None:
    blob = bytearray.fromhex(VECTORS[0][3])
    blob[22:26] = bytes.fromhex(end_type)
    assert decode(bytes(blob)).end_type is expected


def test_cr41_deletions_are_a_set() -> None:
    pattern = decode(bytes.fromhex(VECTORS[0][3]))
    blob = bytearray(encode(pattern))
    twice = [pattern.start + 4 * DAY, pattern.start + 2 * DAY + 600, pattern.start + 4 * DAY]
    blob[34:38] = (3).to_bytes(4, "little") + b"".join(day.to_bytes(4, "little") for day in twice)
    assert decode(bytes(blob)).deleted == (pattern.start + 2 * DAY, pattern.start + 4 * DAY)


def test_cr42_a_blob_cut_after_the_end_date_has_no_times() -> None:
    assert decode(bytes.fromhex(VECTORS[0][3])[:50]).start_offset is None


def test_cr43_another_calendar_is_not_gregorian() -> None:
    pattern = Pattern(Frequency.MONTHLY, PatternType.MONTH, 1, 0, day_of_month=1, calendar=6)
    with pytest.raises(Unrepresentable):
        to_rrule(decode(encode(pattern)), until)


CX01 = bytes.fromhex(
    "043004300b2001000000c0210000010000000000000004000000222000000400000000000000020000002030570d8057570d0100"
    "0000c035570dc008570de07e570d0630000009300000580200007602000001005438570d9038570d7832570d1100080007004d6f"
    "7665642080030002005232000000000400000000000000000000005438570d9038570d7832570d07004d006f0076006500640020"
    "00ac200200520032000000000000000000"
)


def test_cx02_a_series_with_a_moved_and_a_deleted_instance() -> None:
    pattern = decode(CX01)
    moved = Instance(
        rtime("2026-07-22 11:00"),
        rtime("2026-07-22 12:00"),
        rtime("2026-07-21 10:00"),
        subject="Moved €",
        location="R2",
    )
    assert pattern.modified == (moved,)
    assert [text(day) for day in pattern.exdates] == ["2026-07-28"]
    assert encode(pattern) == CX01
    found = occurrences(pattern, rtime("2026-07-01"), rtime("2026-09-01"))
    assert [(text(o.start), o.changed is not None) for o in found] == [
        ("2026-07-14", False),
        ("2026-07-22", True),
        ("2026-08-04", False),
    ]


def test_cx20_an_older_blob_has_its_subject_in_eight_bits() -> None:
    cut = CX01[:119]
    older = cut.replace(bytes.fromhex("0630000009300000"), bytes.fromhex("0630000008300000"))
    assert decode(older).modified[0].subject == "Moved €"


rules = st.one_of(
    st.builds(lambda n: f"FREQ=DAILY;INTERVAL={n}", st.integers(1, 40)),
    st.builds(
        lambda n, d, w: f"FREQ=WEEKLY;INTERVAL={n};BYDAY={','.join(sorted(d))};WKST={w}",
        st.integers(1, 5),
        st.sets(st.sampled_from(["SU", "MO", "TU", "WE", "TH", "FR", "SA"]), min_size=1),
        st.sampled_from(["SU", "MO", "TU", "WE", "TH", "FR", "SA"]),
    ),
    st.builds(
        lambda n, d: f"FREQ=MONTHLY;INTERVAL={n};BYMONTHDAY={d}", st.integers(1, 30), st.integers(-1, 28)
    ),
    st.builds(
        lambda n, p, d: f"FREQ=MONTHLY;INTERVAL={n};BYDAY={p}{d}",
        st.integers(1, 12),
        st.sampled_from((1, 2, 3, 4, -1)),
        st.sampled_from(["SU", "MO", "TU", "WE", "TH", "FR", "SA"]),
    ),
    st.builds(
        lambda p, d: f"FREQ=MONTHLY;BYDAY={d};BYSETPOS={p}",
        st.sampled_from((1, 2, 3, 4, -1)),
        st.sampled_from(("MO,TU,WE,TH,FR", "SA,SU", "SU,MO,TU,WE,TH,FR,SA")),
    ),
    st.builds(
        lambda n, m, d: f"FREQ=YEARLY;INTERVAL={n};BYMONTH={m};BYMONTHDAY={d}",
        st.integers(1, 4),
        st.integers(1, 12),
        st.integers(1, 28),
    ),
    st.just("FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1"),
)
starts = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)).map(
    lambda d: d.replace(second=0, microsecond=0)
)


@given(rules, starts)
def test_cr47_instances_agree_with_an_independent_library(rule: str, start: datetime) -> None:
    assume("BYMONTHDAY=0" not in rule)
    pattern = from_rrule(rule, rtime(start.isoformat(" ")))
    reference = rrulestr(rule, dtstart=start)
    end = start + timedelta(days=3650)
    expected = [moment.strftime("%Y-%m-%d") for moment in reference.between(start, end, inc=True)]
    there = days(pattern, pattern.start, rtime(end.strftime("%Y-%m-%d")))
    found = [text(day) for day in there if day + pattern.start_offset <= rtime(end.isoformat(" "))]
    assert found == expected


@given(rules, starts, st.integers(1, 50))
def test_cr47_a_rule_survives_the_blob(rule: str, start: datetime, count: int) -> None:
    assume("BYMONTHDAY=0" not in rule)
    pattern = from_rrule(f"{rule};COUNT={count}", rtime(start.isoformat(" ")))
    back = decode(encode(pattern))
    assert back == pattern
    again = from_rrule(to_rrule(back, until), back.start + (back.start_offset or 0))
    assert first(again, count) == first(pattern, count)


@given(st.binary(max_size=300))
def test_any_blob_is_a_pattern_or_refused(blob: bytes) -> None:
    with suppress(ParseError):
        decode(blob)


@given(st.binary(min_size=1, max_size=4), st.integers(0, 172))
def test_a_damaged_blob_is_a_pattern_or_refused(damage: bytes, place: int) -> None:
    blob = CX01[:place] + damage + CX01[place + len(damage) :]
    try:
        found = occurrences(decode(blob), rtime("2026-07-01"), rtime("2026-09-01"), limit=100)
    except ParseError:
        return
    assert len(found) < 200


@given(st.integers(0, 3_000_000))
def test_dates_are_numbers_both_ways(day: int) -> None:
    assert days_from_civil(*civil(day)) == day
    if day < 2_900_000:
        moment = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(days=day)
        assert civil(day) == (moment.year, moment.month, moment.day)
