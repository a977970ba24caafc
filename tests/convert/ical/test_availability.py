"""Working hours and VAVAILABILITY (RFC 7953), both ways."""

from __future__ import annotations

import json

import pytest

from gateway.convert.errors import ParseError
from gateway.convert.ical.availability import (
    MAX_SIZE,
    availability_of,
    beside,
    unavailable,
    working_hours_of,
    written,
)
from gateway.convert.ical.busytimes import Busy
from gateway.convert.ical.workinghours import WorkingHours, hours_of, with_hours
from gateway.convert.lines import parse
from tests.convert.ical.items import BERLIN, OPTIONS, at, calendar, line

assert BERLIN is not None


def settings(**main: object) -> str:
    return json.dumps({"settings": {"zarafa": {"v1": {"main": {"language": "de_DE", **main}}, "x": 1}}})


def available(*lines: str, uid: str = "a1") -> str:
    return "\r\n".join(["BEGIN:AVAILABLE", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:AVAILABLE"])


def availability(*inner: str) -> str:
    return "\r\n".join(
        ["BEGIN:VAVAILABILITY", "UID:v", "DTSTAMP:20260101T000000Z", *inner, "END:VAVAILABILITY"]
    )


def hours(days: str, start: str, end: str, uid: str = "a1", *more: str) -> str:
    zone = ";TZID=Europe/Berlin:20260713T"
    return available(
        f"DTSTART{zone}{start}00", f"DTEND{zone}{end}00", f"RRULE:FREQ=WEEKLY;BYDAY={days}", *more, uid=uid
    )


WEEK = frozenset((1, 2, 3, 4, 5))


@pytest.mark.parametrize(
    ("main", "expected"),
    [
        (
            {"working_days": [1, 2, 0], "start_working_hour": 480, "end_working_hour": 990},
            (frozenset((0, 1, 2)), 480, 990),
        ),
        ({"start_working_hour": 600}, (WEEK, 600, 1020)),
        ({"working_days": []}, (frozenset(), 540, 1020)),
        ({"working_days": ["x", 9, 1], "end_working_hour": "x"}, (frozenset((1,)), 540, 1020)),
    ],
)
def test_hours_in_settings(main: dict[str, object], expected: tuple[frozenset[int], int, int]) -> None:
    assert hours_of(settings(**main)) == WorkingHours(*expected)


@pytest.mark.parametrize(
    "text", ["", "{}", "x", "[]", settings(), '{"settings":{"zarafa":[]}}', settings(start_working_hour=1200)]
)
def test_settings_without_hours(text: str) -> None:
    assert hours_of(text) is None


def test_setting_hours_leaves_everything_else() -> None:
    wanted = WorkingHours(frozenset((1, 6)), 450, 900)
    after = json.loads(with_hours(settings(working_days=[1]), wanted))["settings"]["zarafa"]
    main = {"language": "de_DE", "working_days": [1, 6], "start_working_hour": 450, "end_working_hour": 900}
    assert after == {"v1": {"main": main}, "x": 1}
    assert hours_of(with_hours("", wanted)) == wanted
    assert hours_of(with_hours(with_hours("", wanted), None)) is None
    for broken in ("x", "[]", '{"settings":3}'):
        with pytest.raises(ParseError):
            with_hours(broken, wanted)


def test_written_and_read_again() -> None:
    wanted = WorkingHours(WEEK, 8 * 60 + 30, 17 * 60)
    text = written(wanted, BERLIN)
    (found,) = parse(text)
    zone, part = found.children
    assert (zone.name, part.name) == ("VTIMEZONE", "VAVAILABILITY")
    assert line(part, "BUSYTYPE") == ":BUSY-UNAVAILABLE"
    (times,) = part.components("AVAILABLE")
    assert line(times, "DTSTART") == ";TZID=Europe/Berlin:20000103T083000"
    assert line(times, "DTEND") == ";TZID=Europe/Berlin:20000103T170000"
    assert line(times, "RRULE") == ":FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
    assert working_hours_of(text, BERLIN) == wanted
    assert written(wanted, BERLIN) == text
    never = WorkingHours(frozenset())
    assert working_hours_of(written(never, BERLIN), BERLIN).days == never.days


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((hours("MO,TU,WE,TH,FR", "0800", "1600"),), (WEEK, 480, 960)),
        ((hours("MO,TU,WE,TH", "0800", "1600"), hours("FR", "0900", "1200", "a2")), (WEEK, 480, 960)),
        ((hours("MO", "0800", "1200"), hours("MO", "1300", "1700", "a2")), (frozenset((1,)), 480, 1020)),
        ((available("DTSTART:20260713T060000Z", "DURATION:PT8H", "RRULE:FREQ=DAILY"),), (frozenset(range(7)), 480, 960)),
        ((available("DTSTART:20260714T060000Z", "DURATION:PT8H", "RRULE:FREQ=WEEKLY"),), (frozenset((2,)), 480, 960)),
        ((hours("MO;COUNT=3", "0800", "1600"),), (frozenset(), 540, 1020)),
        ((hours("MO", "2200", "2200"), available("DTSTART:20260713T060000Z")), (frozenset(), 540, 1020)),
        ((available("DTSTART:20260713T200000Z", "DURATION:PT8H", "RRULE:FREQ=DAILY"),), (frozenset(range(7)), 1320, 1440)),
    ],
    ids=["week", "a-short-day", "with-a-pause", "daily", "a-weekday", "ends", "empty", "over-midnight"],
)  # fmt: skip
def test_the_hours_that_come_nearest(parts: tuple[str, ...], expected: tuple[frozenset[int], int, int]) -> None:
    assert working_hours_of(calendar(availability(*parts)), BERLIN) == WorkingHours(*expected)


FRIDAYS = calendar(availability(hours("MO,TU,WE,TH", "0800", "1600"), hours("FR", "0900", "1200", "a2")))


def test_a_client_gets_its_own_text_back() -> None:
    now = with_hours(settings(), working_hours_of(FRIDAYS, BERLIN))
    assert availability_of(now, FRIDAYS, BERLIN) == FRIDAYS
    assert availability_of(settings(), FRIDAYS, BERLIN) == FRIDAYS
    later = with_hours(now, WorkingHours(WEEK, 600, 900))
    text = availability_of(later, FRIDAYS, BERLIN)
    assert text is not None
    assert working_hours_of(text, BERLIN) == WorkingHours(WEEK, 600, 900)
    assert availability_of(later, b"broken", BERLIN) == text
    assert availability_of(settings(), b"", BERLIN) is None


def periods(text: bytes, first: str, last: str) -> list[tuple[str, str, int]]:
    found = unavailable(text, at(first), at(last), OPTIONS)
    names = {
        at(f"2026-07-{day:02d} {hour:02d}:{minute:02d}"): f"{day} {hour:02d}:{minute:02d}"
        for day in range(10, 22)
        for hour in range(24)
        for minute in (0, 30)
    }
    return [(names[each.start], names[each.end], each.status) for each in found]


def test_times_outside_of_the_working_hours() -> None:
    text = written(WorkingHours(WEEK, 8 * 60, 16 * 60), BERLIN)
    # Friday to Tuesday; Berlin is two hours ahead of UTC.
    assert periods(text, "2026-07-17 00:00", "2026-07-21 00:00") == [
        ("17 00:00", "17 06:00", 3),
        ("17 14:00", "20 06:00", 3),
        ("20 14:00", "21 00:00", 3),
    ]


def test_a_higher_priority_counts() -> None:
    weekly = availability("PRIORITY:5", hours("MO,TU,WE,TH,FR", "0800", "1600"))
    trip = availability(
        "PRIORITY:1", "BUSYTYPE:BUSY-TENTATIVE", "DTSTART:20260714T000000Z", "DTEND:20260715T000000Z",
        available("DTSTART:20260714T100000Z", "DTEND:20260714T110000Z"),
    )  # fmt: skip
    for order in ((weekly, trip), (trip, weekly)):
        assert periods(calendar(*order), "2026-07-14 00:00", "2026-07-15 12:00") == [
            ("14 00:00", "14 10:00", 1),
            ("14 11:00", "15 00:00", 1),
            ("15 00:00", "15 06:00", 3),
        ]


def test_exceptions_of_available_times() -> None:
    zone = ";TZID=Europe/Berlin:"
    moved = available(
        f"RECURRENCE-ID{zone}20260715T080000", f"DTSTART{zone}20260715T100000", f"DTEND{zone}20260715T120000"
    )
    text = calendar(
        availability(hours("MO,TU,WE,TH,FR", "0800", "1600", "a1", f"EXDATE{zone}20260714T080000"), moved)
    )
    assert periods(text, "2026-07-14 00:00", "2026-07-16 00:00") == [
        ("14 00:00", "15 08:00", 3),
        ("15 10:00", "16 00:00", 3),
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"x",
        calendar(),
        calendar("BEGIN:VEVENT\r\nUID:x\r\nEND:VEVENT"),
        calendar(availability(*[available("DTSTART:20260714T100000Z")] * 300)),
        calendar(availability("X-A:" + "a" * MAX_SIZE)),
        calendar(availability("DTSTART:x", available("SUMMARY:no start"))),
    ],
    ids=["nothing", "no-calendar", "empty", "an-event", "many", "long", "broken"],
)
def test_what_is_no_availability(text: bytes) -> None:
    with pytest.raises(ParseError):
        unavailable(text, at("2026-07-14 00:00"), at("2026-07-15 00:00"), OPTIONS)
    with pytest.raises(ParseError):
        working_hours_of(text, BERLIN)


@pytest.mark.parametrize(
    ("taken", "left"),
    [
        ([], [(0, 10), (20, 30)]),
        ([(10, 20), (30, 40)], [(0, 10), (20, 30)]),
        ([(2, 4), (6, 8)], [(0, 2), (4, 6), (8, 10), (20, 30)]),
        ([(0, 10)], [(20, 30)]),
        ([(5, 25)], [(0, 5), (25, 30)]),
        ([(5, 22), (22, 24), (28, 99)], [(0, 5), (24, 28)]),
        ([(-5, 99)], []),
    ],
)
def test_meetings_count_before_hours(taken: list[tuple[int, int]], left: list[tuple[int, int]]) -> None:
    away = [Busy(0, 10, 3), Busy(20, 30, 3)]
    assert beside(away, [Busy(*each, 2) for each in taken]) == [Busy(*each, 3) for each in left]
