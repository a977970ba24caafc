"""Series and their exceptions in items, by the ids of the case tables (CR, CX)."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.convert.errors import ParseError
from gateway.convert.ical import Unrepresentable, from_ical, happenings, to_ical
from gateway.convert.ical import propids as ids
from gateway.convert.ical.civil import DAY
from gateway.convert.ical.moments import of_rtime
from gateway.convert.ical.pattern import Instance, Override
from gateway.convert.ical.recurblob import decode, encode
from gateway.convert.ical.series import packed_date, packed_time, unpacked_time
from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, MessageContent
from tests.convert.ical.items import (
    OPTIONS,
    OWNER,
    TIMES,
    alarm,
    at,
    component,
    event,
    first,
    line,
    lines,
    read,
    rtime,
    vevent,
    written,
)

CX01 = bytes.fromhex(
    "043004300b2001000000c0210000010000000000000004000000222000000400000000000000020000002030570d8057570d0100"
    "0000c035570dc008570de07e570d0630000009300000580200007602000001005438570d9038570d7832570d1100080007004d6f"
    "7665642080030002005232000000000400000000000000000000005438570d9038570d7832570d07004d006f0076006500640020"
    "00ac200200520032000000000000000000"
)


def series(
    *more: str, times: tuple[str, ...] = TIMES, existing: MessageContent | None = None
) -> MessageContent:
    return event(*more, times=times, existing=existing)


def override(original: str, start: str, end: str, *more: str) -> str:
    zone = ";TZID=Europe/Berlin"
    times = (f"DTSTART{zone}:{start}", f"DTEND{zone}:{end}")
    rid = original if ":" in original else f"{zone}:{original}"
    return component("VEVENT", f"RECURRENCE-ID{rid}", *times, *more)


WEEKLY = vevent("RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=4")
MOVED = override("20260721T100000", "20260722T110000", "20260722T120000", "SUMMARY:Moved €", "LOCATION:R2")


def cx01(*more: str, existing: MessageContent | None = None) -> MessageContent:
    master = vevent(
        "RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=4;WKST=SU",
        "EXDATE;TZID=Europe/Berlin:20260728T100000",
        "SUMMARY:Weekly",
    )
    return read(master, MOVED, *more, existing=existing)


def starts(content: MessageContent, year: int = 2026) -> list[str]:
    found = happenings(content, at(f"{year}-01-01 00:00"), at(f"{year + 2}-01-01 00:00"), OPTIONS)
    return [f"{of_rtime(each.start // 600_000_000):%Y-%m-%d %H:%M}" for each in found]


def refused(*rule: str, times: tuple[str, ...] = TIMES) -> str:
    with pytest.raises(ParseError) as caught:
        series(*rule, times=times)
    return str(caught.value)


ABROAD = ("DTSTART;TZID=Europe/Berlin:20260714T100000", "DTEND;TZID=America/Detroit:20260714T063000")
NEIGHBOURS = ("DTSTART;TZID=Europe/Berlin:20260714T100000", "DTEND;TZID=Europe/Amsterdam:20260714T103000")


@pytest.mark.parametrize("times", [ABROAD, NEIGHBOURS])
@pytest.mark.parametrize("rule", ["X-NO:1", "RRULE:FREQ=WEEKLY;COUNT=4"])
def test_ct22_the_end_in_a_zone_of_its_own(rule: str, times: tuple[str, str]) -> None:
    zone, end = times[1].removeprefix("DTEND;TZID=").split(":")
    days = [vevent(rule, times=times)]
    if rule.startswith("RRULE"):
        moved = (when.replace("0714T", "0722T") for when in times)
        days.append(component("VEVENT", "RECURRENCE-ID:20260721T080000Z", *moved))
    content = read(*days)
    for part, date in zip(written(content), ("20260714T", "20260722T"), strict=False):
        assert line(part, "DTSTART") == f";TZID=Europe/Berlin:{date}100000"
        assert line(part, "DTEND") == f";TZID={zone}:{end.replace('20260714T', date)}"
    assert f"TZID:{zone}\r\n" in to_ical(content, OPTIONS).decode()
    assert len(written(content)) == len(days)
    home = series(rule, existing=content)
    assert line(first(home), "DTEND") == ";TZID=Europe/Berlin:20260714T103000"
    assert ids.END_ZONE_NAME not in home.props


# Rules in items


def test_companions_of_a_series() -> None:
    props = series("RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=4").props
    assert props[ids.RECURRING] is True
    assert props[ids.RECURRENCE_TYPE] == 2
    assert props[ids.CLIP_START] == at("2026-07-14 00:00")
    assert props[ids.CLIP_END] == at("2026-08-04 00:00")
    assert len(props[ids.ZONE_STRUCT]) == 48
    assert props[pt.PR_ICON_INDEX] == 0x401
    single = event(existing=MessageContent(props))
    assert single.props[ids.RECURRING] is False
    assert ids.RECUR not in single.props
    assert single.props[ids.CLIP_END] == single.props[ids.END]


def test_cr32_a_series_without_end() -> None:
    content = series("RRULE:FREQ=DAILY")
    assert content.props[ids.CLIP_END] == 0x0CB345578019FA00
    assert line(first(content), "RRULE") == ":FREQ=DAILY"


@pytest.mark.parametrize("rule", ["FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"])
def test_cr07_cr20_days_that_months_lack(rule: str) -> None:
    assert "short months" in refused(f"RRULE:{rule}", times=("DTSTART;TZID=Europe/Berlin:20280229T100000",))


def test_cr13_a_fifth_friday() -> None:
    assert "position 5" in refused("RRULE:FREQ=MONTHLY;BYDAY=5FR")


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY",
        "FREQ=YEARLY;BYWEEKNO=20",
        "FREQ=YEARLY;BYYEARDAY=100",
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "FREQ=HOURLY;COUNT=3",
    ],
)
def test_cr23_rules_that_mapi_lacks(rule: str) -> None:
    with pytest.raises(Unrepresentable, match=r"RRULE"):
        series(f"RRULE:{rule}")


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=14,20;COUNT=4", ["07-14", "07-20", "08-14", "08-20"]),
        ("FREQ=MONTHLY;BYMONTHDAY=14,20;UNTIL=20260820T080000Z", ["07-14", "07-20", "08-14", "08-20"]),
        ("FREQ=DAILY;BYDAY=TU,TH;INTERVAL=2;COUNT=3", ["07-14", "07-16", "07-28"]),
    ],
)
def test_finite_rules_that_mapi_lacks_are_kept(rule: str, days: list[str]) -> None:
    content = series(f"RRULE:{rule}")
    assert [start[5:10] for start in starts(content)] == days
    part = first(content)
    assert line(part, "RRULE") == f":{rule}"
    assert lines(part, "EXDATE") == []
    pattern = decode(content.props[ids.RECUR])
    gone = encode(
        type(pattern)(**{**_fields(pattern), "deleted": (*pattern.deleted, rtime("2026-07-14 00:00"))})
    )
    content.props[ids.RECUR] = gone
    assert lines(first(content), "EXDATE") == ["20260714T100000"]
    content.props[ids.RECUR] = series("RRULE:FREQ=DAILY").props[ids.RECUR]
    assert line(first(content), "RRULE") == ":FREQ=DAILY"


def _fields(pattern: object) -> dict[str, object]:
    return {name: getattr(pattern, name) for name in pattern.__slots__}  # type: ignore[attr-defined]


def test_a_set_of_too_many_days_is_refused() -> None:
    assert "several days" in refused("RRULE:FREQ=MONTHLY;BYMONTHDAY=14,20;COUNT=2000")
    assert "RRULE" in refused("RRULE:FREQ=MONTHLY;BYMONTHDAY=14,20;UNTIL=44000101T000000Z")
    assert "RRULE" in refused("RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=5")


def test_cr06_every_weekday_as_some_clients_store_it() -> None:
    content = series("RRULE:FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=7")
    blob = bytearray(content.props[ids.RECUR])
    blob[4] = 0x0A  # daily, with the weekdays of a weekly pattern
    content.props[ids.RECUR] = bytes(blob)
    assert line(first(content), "RRULE") == ":FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=7"
    assert [start[8:10] for start in starts(content)] == ["14", "15", "16", "17", "20", "21", "22"]


def test_a_yearly_rule_in_another_month_than_its_start() -> None:
    content = series("RRULE:FREQ=YEARLY;BYMONTH=9;COUNT=2")
    assert starts(content) == ["2026-09-14 08:00", "2027-09-14 08:00"]
    last = ("DTSTART;TZID=Europe/Berlin:20260831T100000", "DTEND;TZID=Europe/Berlin:20260831T103000")
    assert "short months" in refused("RRULE:FREQ=YEARLY;BYMONTH=9", times=last)


def test_a_rule_that_never_happens_is_given_up() -> None:
    for rule in (
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=5",
        "FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=31;UNTIL=44990101T000000Z",
    ):
        started = time.process_time()
        refused(f"RRULE:{rule}")
        assert time.process_time() - started < 2
    content = series(
        "RRULE:FREQ=YEARLY;BYYEARDAY=60,366;COUNT=3", times=("DTSTART;TZID=Europe/Berlin:20280229T100000",)
    )
    assert starts(content, 2028) == ["2028-02-29 09:00", "2028-12-31 09:00", "2029-03-01 09:00"]


def test_cr27_an_end_before_the_beginning() -> None:
    assert "ends before it begins" in refused("RRULE:FREQ=DAILY;UNTIL=20200101T000000Z")


def test_cr29_a_start_off_the_rule() -> None:
    content = series("RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=2")
    assert starts(content) == ["2026-07-15 08:00", "2026-07-22 08:00"]
    part = first(content)
    assert line(part, "DTSTART") == ";TZID=Europe/Berlin:20260715T100000"
    assert line(part, "DTEND") == ";TZID=Europe/Berlin:20260715T103000"


def test_cr30_a_wall_clock_over_the_change() -> None:
    times = ("DTSTART;TZID=America/New_York:20260306T090000", "DTEND;TZID=America/New_York:20260306T100000")
    content = series("RRULE:FREQ=WEEKLY;COUNT=2", times=times)
    assert starts(content) == ["2026-03-06 14:00", "2026-03-13 13:00"]
    pattern = decode(content.props[ids.RECUR])
    assert (pattern.start_offset, pattern.end_offset) == (540, 600)


def test_cr31_past_midnight() -> None:
    times = ("DTSTART;TZID=Europe/Berlin:20260714T230000", "DTEND;TZID=Europe/Berlin:20260715T010000")
    content = series("RRULE:FREQ=DAILY;COUNT=3", times=times)
    assert decode(content.props[ids.RECUR]).end_offset == 1500
    assert line(first(content), "DTEND") == ";TZID=Europe/Berlin:20260715T010000"


@pytest.mark.parametrize(
    "exdates",
    [
        pytest.param(["EXDATE;TZID=Europe/Berlin:20260721T100000,20260728T100000"], id="CR35"),
        pytest.param(["EXDATE:20260721T080000Z", "EXDATE:20260728T080000Z"], id="CR36"),
        pytest.param(["EXDATE;VALUE=DATE:20260721,20260728"], id="CR37"),
        pytest.param(["EXDATE:20260721T080000Z,20260728T080000Z,20260729T080000Z"], id="CR38"),
    ],
)
def test_deleted_instances(exdates: list[str]) -> None:
    content = series("RRULE:FREQ=WEEKLY;COUNT=4", *exdates)
    assert decode(content.props[ids.RECUR]).deleted == (rtime("2026-07-21 00:00"), rtime("2026-07-28 00:00"))
    assert lines(first(content), "EXDATE") == ["20260721T100000", "20260728T100000"]


def test_cr39_deleted_days() -> None:
    content = series(
        "RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE;VALUE=DATE:20260721", times=("DTSTART;VALUE=DATE:20260714",)
    )
    assert line(first(content), "EXDATE") == ";VALUE=DATE:20260721"


def test_cr40_single_dates() -> None:
    content = series("RDATE;TZID=Europe/Berlin:20260716T100000,20260720T100000")
    assert starts(content) == ["2026-07-14 08:00", "2026-07-16 08:00", "2026-07-20 08:00"]
    part = first(content)
    assert lines(part, "RDATE") == ["20260716T100000", "20260720T100000"]
    assert (lines(part, "RRULE"), lines(part, "EXDATE")) == ([], [])
    assert "time of the day" in refused("RDATE:20260716T110000Z")
    assert "length" in refused("RDATE;VALUE=PERIOD:20260716T080000Z/PT2H")
    assert series("RDATE;VALUE=PERIOD:20260716T080000Z/PT30M").props[ids.RECURRING]


def test_a_rule_with_more_dates() -> None:
    content = series("RRULE:FREQ=WEEKLY;COUNT=2", "RDATE:20260716T080000Z")
    assert [start[5:10] for start in starts(content)] == ["07-14", "07-16", "07-21"]
    assert line(first(content), "RRULE") == ":FREQ=WEEKLY;COUNT=2"
    assert "RDATE" in refused("RRULE:FREQ=WEEKLY", "RDATE:20260716T090000Z")
    assert "no end" in refused("RRULE:FREQ=WEEKLY", "RDATE:20260716T080000Z")
    assert "EXRULE" in refused("RRULE:FREQ=WEEKLY", "EXRULE:FREQ=MONTHLY")


def test_cr42_a_blob_without_times() -> None:
    content = series("RRULE:FREQ=WEEKLY;COUNT=4")
    content.props[ids.RECUR] = content.props[ids.RECUR][:54]
    part = first(content)
    assert line(part, "DTSTART") == ";TZID=Europe/Berlin:20260714T100000"
    assert line(part, "DTEND") == ";TZID=Europe/Berlin:20260714T103000"
    assert len(starts(content)) == 4


def test_cr43_another_calendar_is_shown_and_not_replaced() -> None:
    content = series("RRULE:FREQ=MONTHLY;COUNT=4")
    blob = bytearray(content.props[ids.RECUR])
    blob[8] = 6
    content.props[ids.RECUR] = bytes(blob)
    assert first(content).first("RRULE") is None
    with pytest.raises(ParseError, match="another calendar"):
        event(existing=content)


def test_cr45_two_thousand_deletions() -> None:
    days = ",".join(f"{of_rtime(rtime('2026-07-15 08:00') + n * DAY):%Y%m%dT%H%M%S}Z" for n in range(2000))
    content = series(
        "RRULE:FREQ=DAILY", f"EXDATE:{days}", times=("DTSTART:20260714T080000Z", "DTEND:20260714T083000Z")
    )
    assert len(decode(content.props[ids.RECUR]).deleted) == 2000
    assert len(lines(first(content), "EXDATE")) == 2000


@pytest.mark.parametrize("blob", [None, b"", b"\4\x30"])
def test_cr46_a_series_without_pattern(blob: bytes | None) -> None:
    content = event()
    content.props[ids.RECURRING] = True
    if blob is not None:
        content.props[ids.RECUR] = blob
    assert first(content).first("RRULE") is None
    assert len(starts(content)) == 1


def test_cr48_an_end_in_2038_ends_nothing() -> None:
    content = series("RRULE:FREQ=WEEKLY")
    content.props[ids.CLIP_END] = at("2038-01-19 03:14")
    assert len(starts(content, 2040)) == 105


def test_cr49_packed_times() -> None:
    assert packed_date(of_rtime(rtime("2026-07-14 00:00"))) == 0xFD4EE
    assert packed_time(630) == 0xA780
    assert unpacked_time(0xA780) == 630


def test_an_empty_rule_says_nothing() -> None:
    assert series("RRULE:").props[ids.RECURRING] is False


def test_a_blob_that_means_the_same_stays() -> None:
    content = series("RRULE:FREQ=WEEKLY;COUNT=4")
    content.props[ids.RECUR] += b"\0\0"
    assert series("RRULE:FREQ=WEEKLY;COUNT=4", existing=content).props[ids.RECUR] == content.props[ids.RECUR]


# Exceptions


def test_cx01_the_blob() -> None:
    assert cx01().props[ids.RECUR] == CX01


def test_cx02_the_components() -> None:
    master, moved = written(cx01())
    assert line(master, "RRULE") == ":FREQ=WEEKLY;BYDAY=TU;COUNT=4"
    assert lines(master, "EXDATE") == ["20260728T100000"]
    assert line(moved, "RECURRENCE-ID") == ";TZID=Europe/Berlin:20260721T100000"
    assert line(moved, "DTSTART") == ";TZID=Europe/Berlin:20260722T110000"
    assert (moved.text("SUMMARY"), moved.text("LOCATION")) == ("Moved €", "R2")


def test_cx03_only_the_time_differs() -> None:
    content = read(
        vevent("RRULE:FREQ=WEEKLY;COUNT=4", "SUMMARY:same"),
        override("20260721T100000", "20260722T110000", "20260722T120000", "SUMMARY:same"),
    )
    (instance,) = decode(content.props[ids.RECUR]).modified
    assert instance.overrides == Override(0)


def test_cx04_the_attachment() -> None:
    (attachment,) = cx01().attachments
    props = attachment.props
    assert (props[pt.PR_ATTACH_METHOD], props[pt.PR_ATTACHMENT_FLAGS]) == (5, 2)
    assert props[pt.PR_ATTACHMENT_HIDDEN] is True
    assert props[pt.PR_EXCEPTION_STARTTIME] == at("2026-07-22 11:00")
    embedded = attachment.embedded
    assert embedded is not None
    assert embedded.props[ids.START] == at("2026-07-22 09:00")
    assert embedded.props[ids.REPLACE_TIME] == at("2026-07-21 08:00")
    assert embedded.props[pt.PR_MESSAGE_CLASS] == "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}"
    assert embedded.props[ids.GLOBAL_ID][16:20].hex() == "07ea0715"
    assert embedded.props[ids.CLEAN_GLOBAL_ID][16:20] == bytes(4)


@pytest.mark.parametrize(
    "rid",
    [
        pytest.param(":20260721T080000Z", id="CX05"),
        pytest.param(";VALUE=DATE:20260721", id="CX06"),
        pytest.param(";TZID=America/New_York:20260721T040000", id="another zone"),
    ],
)
def test_ways_to_name_an_instance(rid: str) -> None:
    content = read(WEEKLY, override(rid, "20260722T110000", "20260722T120000"))
    (instance,) = decode(content.props[ids.RECUR]).modified
    assert instance.original == rtime("2026-07-21 10:00")


def test_cx07_a_cancelled_instance_is_deleted() -> None:
    content = read(
        WEEKLY, override("20260721T100000", "20260721T100000", "20260721T103000", "STATUS:CANCELLED")
    )
    assert decode(content.props[ids.RECUR]).exdates == (rtime("2026-07-21 00:00"),)
    assert content.attachments == []


def test_cx08_an_override_that_is_gone() -> None:
    content = read(vevent("RRULE:FREQ=WEEKLY;COUNT=4"), existing=cx01())
    assert content.attachments == []
    pattern = decode(content.props[ids.RECUR])
    assert (pattern.modified, pattern.deleted) == ((), ())


def test_cx09_an_instance_without_attachment() -> None:
    content = cx01()
    content.attachments = []
    moved = written(content)[1]
    assert line(moved, "DTSTART") == ";TZID=Europe/Berlin:20260722T110000"
    assert (moved.text("SUMMARY"), moved.text("LOCATION")) == ("Moved €", "R2")


def test_cx10_an_attachment_without_instance() -> None:
    content = cx01()
    content.props[ids.RECUR] = series("RRULE:FREQ=WEEKLY;COUNT=4").props[ids.RECUR]
    assert len(written(content)) == 1
    assert len(starts(content)) == 4


def test_cx11_two_instances_on_a_day() -> None:
    with pytest.raises(ParseError, match="2026-07-28"):
        read(WEEKLY, override("20260721T100000", "20260728T120000", "20260728T130000"))
    with pytest.raises(ParseError, match="2026-07-22"):
        read(
            WEEKLY,
            override("20260721T100000", "20260722T120000", "20260722T130000"),
            override("20260728T100000", "20260722T140000", "20260722T150000"),
        )
    both = read(
        WEEKLY,
        override("20260721T100000", "20260728T120000", "20260728T130000"),
        override("20260728T100000", "20260721T120000", "20260721T130000"),
    )
    assert len(decode(both.props[ids.RECUR]).modified) == 2


PEOPLE = ("ORGANIZER:mailto:owner@x.example", "ATTENDEE:mailto:a@x.example")


def test_cx12_other_attendees() -> None:
    content = read(
        vevent("RRULE:FREQ=WEEKLY;COUNT=4", *PEOPLE),
        override(
            "20260721T100000", "20260721T110000", "20260721T120000", *PEOPLE, "ATTENDEE:mailto:b@x.example"
        ),
        override("20260728T100000", "20260728T110000", "20260728T120000", *PEOPLE),
    )
    one, two = (each.embedded for each in content.attachments)
    assert one is not None
    assert two is not None
    assert (one.props[ids.EXCEPTIONAL_ATTENDEES], two.props[ids.EXCEPTIONAL_ATTENDEES]) == (True, False)
    _, first_one, second = written(content)
    assert lines(first_one, "ATTENDEE") == ["mailto:a@x.example", "mailto:b@x.example"]
    assert lines(second, "ATTENDEE") == ["mailto:a@x.example"]
    one.recipients[-1][pt.PR_RECIPIENT_FLAGS] = 0x21
    assert lines(written(content)[1], "ATTENDEE") == ["mailto:a@x.example"]


def test_cx13_an_instance_without_alarm() -> None:
    content = read(
        vevent("RRULE:FREQ=WEEKLY;COUNT=4", alarm("TRIGGER:-PT15M", "DESCRIPTION:Reminder")),
        override("20260721T100000", "20260721T110000", "20260721T120000"),
    )
    (instance,) = decode(content.props[ids.RECUR]).modified
    assert (instance.overrides, instance.reminder_set) == (Override.REMINDER_SET, False)
    master, moved = written(content)
    assert (len(master.children), len(moved.children)) == (1, 0)


def test_cx14_an_alarm_without_time() -> None:
    content = series("RRULE:FREQ=WEEKLY;COUNT=4")
    pattern = decode(content.props[ids.RECUR])
    place = rtime("2026-07-21 10:00")
    changed = Instance(place, place + 30, place, reminder_set=True)
    content.props[ids.RECUR] = encode(type(pattern)(**{**_fields(pattern), "modified": (changed,)}))
    (shown,) = written(content)[1].components("VALARM")
    assert line(shown, "TRIGGER") == ":-PT15M"


def test_cx15_an_instance_of_somebodys_series() -> None:
    content = read(override("20260721T100000", "20260722T110000", "20260722T120000"))
    assert content.props[ids.IS_EXCEPTION] is True
    assert content.props[ids.GLOBAL_ID][16:20].hex() == "07ea0715"
    assert content.props[ids.REPLACE_TIME] == at("2026-07-21 08:00")
    part = first(content)
    assert line(part, "RECURRENCE-ID") == ";TZID=Europe/Berlin:20260721T100000"
    del content.props[ids.REPLACE_TIME]
    content.props[ids.START_TIME] = packed_time(600)
    assert line(first(content), "RECURRENCE-ID") == ";TZID=Europe/Berlin:20260721T100000"


LATER = override("20260728T100000", "20260728T110000", "20260728T120000", "SUMMARY:Later")


def test_several_instances_of_somebodys_series() -> None:
    content = read(LATER, MOVED)
    assert content.props[ids.IS_EXCEPTION] is False
    assert content.props[ids.GLOBAL_ID][16:20] == bytes(4)
    assert starts(content) == ["2026-07-22 09:00", "2026-07-28 09:00"]
    moved, later = written(content)
    assert line(moved, "RECURRENCE-ID") == ";TZID=Europe/Berlin:20260721T100000"
    assert (moved.text("SUMMARY"), line(moved, "DTSTART")) == ("Moved €", ";TZID=Europe/Berlin:20260722T110000")
    assert line(later, "RECURRENCE-ID") == ";TZID=Europe/Berlin:20260728T100000"
    assert (later.text("SUMMARY"), line(later, "RRULE"), line(later, "RDATE")) == ("Later", None, None)
    out = to_ical(content, OPTIONS)
    assert to_ical(from_ical(out, content, OPTIONS), OPTIONS) == out
    assert to_ical(from_ical(out, None, OPTIONS), OPTIONS) == out


def test_one_more_instance_of_somebodys_series_and_then_the_series() -> None:
    guest = ("ORGANIZER:mailto:boss@x.example", f"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{OWNER}")
    one = override("20260721T100000", "20260722T110000", "20260722T120000", *guest)
    two = override("20260714T100000", "20260714T110000", "20260714T120000", *guest)
    three = override("20260728T100000", "20260728T110000", "20260728T120000", *guest)
    content = read(one, two, three, existing=read(one, three, existing=read(one)))
    assert starts(content) == ["2026-07-14 09:00", "2026-07-22 09:00", "2026-07-28 09:00"]
    assert [line(each, "ORGANIZER") for each in written(content)] == [":mailto:boss@x.example"] * 3
    fewer = read(three, existing=content)
    assert line(first(fewer), "RECURRENCE-ID") == ";TZID=Europe/Berlin:20260728T100000"
    assert (len(written(fewer)), fewer.attachments) == (1, [])
    whole = read(vevent("RRULE:FREQ=WEEKLY;COUNT=4", "SEQUENCE:1", *guest), one, existing=content)
    assert [line(each, "RRULE") for each in written(whole)] == [":FREQ=WEEKLY;BYDAY=TU;COUNT=4", None]


def test_an_instance_of_several_is_deleted_elsewhere() -> None:
    content = read(LATER, MOVED)
    pattern = decode(content.props[ids.RECUR])
    content.props[ids.RECUR] = encode(replace(pattern, modified=pattern.modified[1:]))
    (left,) = written(content)
    assert left.text("SUMMARY") == "Later"


def test_whole_days_of_somebodys_series() -> None:
    days = [
        component("VEVENT", f"RECURRENCE-ID;VALUE=DATE:202607{day}", f"DTSTART;VALUE=DATE:202607{day}")
        for day in (21, 28)
    ]
    content = read(*days)
    assert [line(each, "RECURRENCE-ID") for each in written(content)] == [
        ";VALUE=DATE:20260721",
        ";VALUE=DATE:20260728",
    ]


def test_the_same_instance_twice() -> None:
    content = read(override("20260721T100000", "20260722T110000", "20260722T120000", "SUMMARY:before"), MOVED)
    (only,) = written(content)
    assert (only.text("SUMMARY"), content.props[ids.IS_EXCEPTION]) == ("Moved €", True)


def test_one_instance_that_became_a_whole_day() -> None:
    day = component("VEVENT", "RECURRENCE-ID;TZID=Europe/Berlin:20260721T100000", "DTSTART;VALUE=DATE:20260722")
    content = read(day)
    assert line(first(content), "RECURRENCE-ID") == ":20260721T080000Z"
    assert from_ical(to_ical(content, OPTIONS), content, OPTIONS) == content


def test_instances_at_different_times_of_the_day() -> None:
    with pytest.raises(ParseError, match="different times"):
        read(MOVED, override("20260728T110000", "20260728T110000", "20260728T120000"))
    # In UTC the summer and the winter differ, on the wall clock they do not.
    utc = [
        override(":20260721T080000Z", "20260721T100000", "20260721T110000"),
        override(":20261124T090000Z", "20261124T100000", "20261124T110000"),
    ]
    assert len(written(read(*utc))) == 2


def test_cx16_a_series_that_moves_with_its_exceptions() -> None:
    later = ("DTSTART;TZID=Europe/Berlin:20260714T110000", "DTEND;TZID=Europe/Berlin:20260714T113000")
    content = read(
        vevent("RRULE:FREQ=WEEKLY;COUNT=4", times=later),
        override("20260721T110000", "20260722T110000", "20260722T120000", "SUMMARY:Moved €", "LOCATION:R2"),
        existing=cx01(),
    )
    _, moved = written(content)
    assert line(moved, "RECURRENCE-ID") == ";TZID=Europe/Berlin:20260721T110000"
    assert len(content.attachments) == 1


def test_cx17_this_and_future() -> None:
    with pytest.raises(ParseError, match="RANGE"):
        read(WEEKLY, override(";RANGE=THISANDFUTURE:20260721T080000Z", "20260722T110000", "20260722T120000"))


def test_cx18_what_an_override_cannot_carry_survives() -> None:
    content = cx01()
    embedded = content.attachments[0].embedded
    assert embedded is not None
    embedded.props |= {
        pt.PR_HTML: b"<b>own</b>",
        pt.PR_INTERNET_CPID: 65001,
        ids.EXCEPTIONAL_BODY: True,
        0x8AAA001F: "x",
    }
    file = AttachmentContent({pt.PR_ATTACH_METHOD: 1, pt.PR_ATTACH_LONG_FILENAME: "f"}, b"data")
    embedded.attachments.append(file)
    moved = written(content)[1]
    assert moved.text("DESCRIPTION") == "own"
    again = from_ical(to_ical(content, OPTIONS), content, OPTIONS).attachments[0].embedded
    assert again is not None
    assert again.props[pt.PR_HTML] == b"<b>own</b>"
    assert again.props[0x8AAA001F] == "x"
    assert again.attachments == [file]


def test_cx19_a_message_that_somebody_attached() -> None:
    content = series("RRULE:FREQ=WEEKLY;COUNT=4")
    forwarded = AttachmentContent(
        {pt.PR_ATTACH_METHOD: 5, pt.PR_EXCEPTION_STARTTIME: ids.NO_DATE},
        None,
        MessageContent({pt.PR_SUBJECT: "m"}),
    )
    content.attachments.append(forwarded)
    assert len(written(content)) == 1
    assert series("RRULE:FREQ=DAILY", existing=content).attachments == [forwarded]


def test_cx20_an_old_blob() -> None:
    content = cx01()
    content.attachments = []
    content.props[ids.RECUR] = CX01.replace(b"\x09\x30\0\0", b"\x08\x30\0\0")[: CX01.index(b"R2") + 2]
    moved = written(content)[1]
    assert (moved.text("SUMMARY"), moved.text("LOCATION")) == ("Moved €", "R2")


def test_an_override_of_no_instance_is_stale() -> None:
    content = read(WEEKLY, override("20260723T100000", "20260723T110000", "20260723T120000"))
    assert decode(content.props[ids.RECUR]).modified == ()


def test_values_of_the_series_reach_instances_that_do_not_differ() -> None:
    content = read(
        vevent("RRULE:FREQ=WEEKLY;COUNT=4", "SUMMARY:old", "CATEGORIES:a"),
        override("20260721T100000", "20260722T110000", "20260722T120000", "SUMMARY:old", "CATEGORIES:a"),
    )
    content.props[pt.PR_SUBJECT] = "new"
    assert written(content)[1].text("SUMMARY") == "new"


def test_unknown_properties_of_an_override_come_back() -> None:
    content = read(WEEKLY, override("20260721T100000", "20260722T110000", "20260722T120000", "X-FOO:bar"))
    master, moved = written(content)
    assert (line(master, "X-FOO"), line(moved, "X-FOO")) == (None, ":bar")


def test_a_faked_master_is_none() -> None:
    content = read(
        vevent("X-MOZ-FAKED-MASTER:1", "RRULE:FREQ=WEEKLY"),
        override("20260721T100000", "20260722T110000", "20260722T120000"),
    )
    assert content.props[ids.IS_EXCEPTION] is True


def test_an_all_day_series_with_a_moved_day() -> None:
    content = read(
        vevent("RRULE:FREQ=WEEKLY;COUNT=3", times=("DTSTART;VALUE=DATE:20260714", "DTEND;VALUE=DATE:20260715")),
        component(
            "VEVENT",
            "RECURRENCE-ID;VALUE=DATE:20260721",
            "DTSTART;VALUE=DATE:20260722",
            "DTEND;VALUE=DATE:20260724",
        ),
    )
    _, moved = written(content)
    assert line(moved, "RECURRENCE-ID") == ";VALUE=DATE:20260721"
    assert line(moved, "DTSTART") == ";VALUE=DATE:20260722"
    assert line(moved, "DTEND") == ";VALUE=DATE:20260724"


def test_writing_and_reading_again_changes_nothing() -> None:
    content = cx01()
    text = to_ical(content, OPTIONS)
    again = from_ical(text, content, OPTIONS)
    assert to_ical(again, OPTIONS) == text
    assert again == content


def test_a_year_of_minutes_is_bounded() -> None:
    content = series("RRULE:FREQ=DAILY")
    found = happenings(content, at("2026-01-01 00:00"), at("4000-01-01 00:00"), OPTIONS)
    assert len(found) == 10_000
    assert found[0].end - found[0].start == timedelta(minutes=30) // timedelta(microseconds=1) * 10
