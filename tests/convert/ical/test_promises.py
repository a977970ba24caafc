"""Promises for any item: instances agree with an independent library, writing and reading again changes nothing."""

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.convert.errors import ParseError
from gateway.convert.ical import Options, from_ical, happenings, to_ical
from gateway.convert.ical.timezones import zone_of_iana
from gateway.mapi.content import MessageContent
from tests.convert.ical.items import EPOCH, OPTIONS, alarm, at, calendar, component

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "UTC")
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
WINDOW = at("2026-01-01 00:00"), at("2036-01-01 00:00")
DAY_NAMES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def instances(content: MessageContent) -> list[tuple[datetime, datetime]]:
    found = happenings(content, *WINDOW, OPTIONS)
    return [
        tuple((EPOCH + timedelta(microseconds=end // 10)).replace(tzinfo=UTC) for end in each[:2])
        for each in found
    ]  # type: ignore[misc]


def expected(text: bytes) -> list[tuple[datetime, datetime]]:
    found = recurring_ical_events.of(icalendar.Calendar.from_ical(text)).between(FIRST, LAST)
    return sorted((each.start.astimezone(UTC), each.end.astimezone(UTC)) for each in found)


def time_text(name: str, wall: datetime, zone: str) -> str:
    return f"{name}:{wall:%Y%m%dT%H%M%S}Z" if zone == "UTC" else f"{name};TZID={zone}:{wall:%Y%m%dT%H%M%S}"


@st.composite
def series(draw: st.DrawFn) -> bytes:
    """A series whose start meets its rule, with some instances deleted and moved."""
    zone = draw(st.sampled_from(ZONES))
    start = draw(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 28))).replace(
        second=0, microsecond=0, hour=draw(st.integers(4, 20))
    )
    day, nth = DAY_NAMES[start.weekday()], (start.day - 1) // 7 + 1
    also = draw(st.sampled_from(DAY_NAMES))
    rules = [
        f"FREQ=DAILY;INTERVAL={draw(st.integers(1, 9))}",
        f"FREQ=WEEKLY;INTERVAL={draw(st.integers(1, 4))};BYDAY={day},{also}",
    ]
    if start.day <= 28:
        rules += [f"FREQ=MONTHLY;INTERVAL={draw(st.integers(1, 5))};BYMONTHDAY={start.day}", "FREQ=YEARLY"]
        rules += [f"FREQ=MONTHLY;BYDAY={nth}{day}", f"FREQ=YEARLY;BYMONTH={start.month};BYDAY={nth}{day}"]
    end = draw(
        st.sampled_from(["COUNT=7", "COUNT=40", f"UNTIL={start + timedelta(days=500):%Y%m%dT%H%M%S}Z", ""])
    )
    rule = draw(st.sampled_from(rules)) + (f";{end}" if end else "")
    minutes = timedelta(minutes=draw(st.integers(1, 200)))
    head = [time_text("DTSTART", start, zone), time_text("DTEND", start + minutes, zone), f"RRULE:{rule}"]
    plain = icalendar.Calendar.from_ical(calendar(component("VEVENT", *head)))
    found = recurring_ical_events.of(plain).between(FIRST, LAST)[:12]
    walls = sorted(each.start.replace(tzinfo=None) for each in found)
    gone = draw(st.sets(st.sampled_from(walls), max_size=3)) if walls else set()
    moved = draw(st.sets(st.sampled_from(walls), max_size=2)) - gone if walls else set()
    head += [time_text("EXDATE", wall, zone) for wall in sorted(gone)]
    overrides = [
        component(
            "VEVENT",
            time_text("RECURRENCE-ID", wall, zone),
            time_text("DTSTART", wall + timedelta(hours=1), zone),
            time_text("DTEND", wall + timedelta(hours=2), zone),
            "SUMMARY:moved",
        )
        for wall in sorted(moved)
    ]
    return calendar(component("VEVENT", *head), *overrides)


@settings(deadline=None, max_examples=25)
@given(series())
def test_instances_are_those_of_an_independent_library(text: bytes) -> None:
    content = from_ical(text, None, OPTIONS)
    assert instances(content) == expected(text)
    assert expected(to_ical(content, OPTIONS)) == expected(text)


def _list(values: st.SearchStrategy[object]) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=4, unique=True).map(lambda each: ",".join(map(str, each)))


_DAYS = st.sampled_from(DAY_NAMES)
_NUMBERED = st.builds(lambda number, day: f"{number}{day}", st.sampled_from([1, 2, 3, 4, 5, -1, -2]), _DAYS)
PARTS = {
    "INTERVAL": st.integers(1, 6),
    "BYDAY": _list(_DAYS) | _list(_NUMBERED) | st.sampled_from(["MO,TU,WE,TH,FR", "SU,SA"]),
    "BYMONTHDAY": _list(st.integers(1, 31)) | _list(st.integers(-4, -1)) | st.just("28,29,30,31"),
    "BYMONTH": _list(st.integers(1, 12)) | st.just("1,2,3,4,5,6,7,8,9,10,11,12"),
    "BYSETPOS": _list(st.sampled_from([1, 2, 3, 4, 5, -1, -2])),
    "BYYEARDAY": _list(st.sampled_from([1, 60, 200, 366, -1])),
    "BYWEEKNO": _list(st.sampled_from([1, 20, 52, 53])),
    "WKST": st.sampled_from(["MO", "SU", "WE"]),
    "COUNT": st.sampled_from([1, 2, 10, 60]),
    "UNTIL": st.sampled_from(["20270615T120000", "20280101", "20360101T000000"]),
}
RULE_PARTS = st.fixed_dictionaries(
    {"FREQ": st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])}, optional=PARTS
)


@settings(deadline=None)
@given(RULE_PARTS, st.sampled_from(ZONES), st.datetimes(datetime(2026, 1, 3), datetime(2026, 12, 31)))
def test_any_rule_is_kept_as_it_is_or_refused(parts: dict[str, object], zone: str, start: datetime) -> None:
    """Every rule that is not refused has the same instances for ten years, whatever the clocks do meanwhile."""
    start = start.replace(second=0, microsecond=0)
    if "COUNT" in parts:
        parts = {name: value for name, value in parts.items() if name != "UNTIL"}
    rule = ";".join(f"{name}={value}" for name, value in parts.items())
    text = calendar(component("VEVENT", time_text("DTSTART", start, zone), "DURATION:PT1H", f"RRULE:{rule}"))
    try:
        content = from_ical(text, None, OPTIONS)
    except ParseError:
        return
    bounded = rule if parts.keys() & {"COUNT", "UNTIL"} else f"{rule};UNTIL=20360101T000000"
    # A date includes its day (RFC 5545 3.3.10); the library takes its midnight.
    rules = rrulestr(bounded.replace("UNTIL=20280101", "UNTIL=20280101T235959"), dtstart=start)
    walls = [
        wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for wall in takewhile(lambda wall: wall.year < 2036, rules)
    ]
    inside = [wall for wall in walls if FIRST <= wall < LAST - timedelta(days=2)]
    assert [begin for begin, _ in instances(content) if begin < LAST - timedelta(days=2)] == inside
    assert instances(from_ical(to_ical(content, OPTIONS), None, OPTIONS)) == instances(content)


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
SAFE = WORDS.map(lambda text: text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,"))
FIELDS = st.one_of(
    SAFE.map(lambda text: f"SUMMARY:{text}"),
    SAFE.map(lambda text: f"DESCRIPTION:{text}"),
    SAFE.map(lambda text: f"LOCATION:{text}"),
    SAFE.map(lambda text: f"CATEGORIES:{text},b"),
    SAFE.map(lambda text: f"X-FOO;X-P=v:{text}"),
    SAFE.map(lambda text: f"COMMENT:{text}"),
    st.sampled_from(
        [
            "CLASS:PRIVATE", "CLASS:X-FOO", "PRIORITY:3", "TRANSP:TRANSPARENT", "STATUS:CANCELLED", "STATUS:TENTATIVE",
            "SEQUENCE:4", "URL:https://x.example/a;b", "X-MICROSOFT-CDO-BUSYSTATUS:OOF", "ATTACH:https://x.example/",
            "ATTACH;VALUE=BINARY;ENCODING=BASE64;X-FILENAME=a:AAAA", "ORGANIZER;CN=B:mailto:b@x.example",
            "ORGANIZER:mailto:owner@x.example", "ATTENDEE;CUTYPE=ROOM;CN=A:mailto:a@x.example", "GEO:1;2",
            "ATTENDEE;PARTSTAT=TENTATIVE;X-Q=1:mailto:owner@x.example", "ATTENDEE:urn:x", "X-MOZ-LASTACK:20260801T000000Z",
            "X-ALT-DESC;FMTTYPE=text/html:<p>x</p>", "PERCENT-COMPLETE:33", "COMPLETED:20260101T000000Z",
            alarm("TRIGGER:-PT5M"), alarm("TRIGGER;RELATED=END:-PT5M", action="AUDIO"), alarm("TRIGGER:-P1D", action="EMAIL"),
        ]
    ),
)  # fmt: skip
STARTS = st.sampled_from(
    [
        ("DTSTART;TZID=Europe/Berlin:20260714T100000", "DTEND;TZID=America/New_York:20260714T113000"),
        ("DTSTART:20260714T100000Z", "DURATION:PT1H"),
        ("DTSTART;VALUE=DATE:20260714",),
        ("DTSTART:20260714T100001", "DTEND:20260714T100059"),
        ("DTSTART;TZID=Asia/Tokyo:20261231T233000", "DURATION:P2D"),
    ]
)
RULES = st.sampled_from(
    [
        "X-NO:1",
        "RRULE:FREQ=WEEKLY",
        "RRULE:FREQ=DAILY;COUNT=3\r\nEXDATE;VALUE=DATE:20260715",
        "RRULE:FREQ=MONTHLY;BYMONTHDAY=14,15;COUNT=4",
    ]
)


@settings(deadline=None, max_examples=80)
@given(st.sampled_from(["VEVENT", "VTODO", "VJOURNAL"]), STARTS, RULES, st.lists(FIELDS, max_size=8))
def test_writing_and_reading_again_changes_nothing(
    kind: str, times: tuple[str, ...], rule: str, fields: list[str]
) -> None:
    text = calendar(component(kind, *times, rule, *fields))
    try:
        content = from_ical(text, None, OPTIONS)
    except ParseError:
        return
    out = to_ical(content, OPTIONS)
    again = from_ical(out, content, OPTIONS)
    assert again == content
    assert to_ical(again, OPTIONS) == out
    fresh = from_ical(out, None, OPTIONS)
    assert to_ical(fresh, OPTIONS) == out


@pytest.mark.parametrize("name", ["America/New_York", "Pacific/Auckland"])
@given(times=STARTS)
def test_another_reader_sees_the_same_times(name: str, times: tuple[str, ...]) -> None:
    zone = zone_of_iana(name)
    assert zone is not None
    content = from_ical(calendar(component("VEVENT", *times)), None, OPTIONS)
    assert to_ical(content, Options(zone=zone)) == to_ical(content, OPTIONS)
