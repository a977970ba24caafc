"""Alarms, tasks, journal entries, zones of items and free/busy, by the ids of the case tables (AL, TK, CT, FB)."""

from dataclasses import replace

import pytest

from gateway.convert.errors import ParseError
from gateway.convert.ical import (
    Busy,
    busy_of_published,
    busy_periods,
    from_ical,
    published,
    read_freebusy,
    to_ical,
    write_freebusy,
)
from gateway.convert.ical import propids as ids
from gateway.convert.ical.timezones import zone_of_iana
from gateway.convert.ical.zoneblobs import read_definition
from gateway.convert.lines import parse
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from tests.convert.ical.items import (
    BERLIN,
    OPTIONS,
    alarm,
    at,
    calendar,
    component,
    event,
    first,
    line,
    read,
    stored,
    vevent,
)

ZULU = ("DTSTART:20260714T080000Z", "DTEND:20260714T090000Z")


def delta(content: MessageContent) -> int | None:
    return content.props[ids.REMINDER_DELTA] if content.props[ids.REMINDER_SET] else None


@pytest.mark.parametrize(
    ("trigger", "minutes"),
    [
        pytest.param("TRIGGER:-PT15M", 15, id="AL01"),
        pytest.param("TRIGGER;RELATED=END:-PT15M", 0, id="AL02"),
        pytest.param("TRIGGER;RELATED=END:-PT90M", 30, id="related to the end"),
        pytest.param("TRIGGER:PT10M", 0, id="AL03"),
        pytest.param("TRIGGER;VALUE=DATE-TIME:20260714T070000Z", 60, id="AL04"),
        pytest.param("TRIGGER:-P1D", 1440, id="a day"),
        pytest.param("TRIGGER:nonsense", None, id="broken"),
        pytest.param("TRIGGER:-P999999W", None, id="before all time"),
        pytest.param("TRIGGER:-P9999W", 60 * 24 * 366 * 5, id="too long ago"),
    ],
)
def test_triggers(trigger: str, minutes: int | None) -> None:
    assert delta(event(alarm(trigger), times=ZULU)) == minutes


def test_al01_when_it_fires() -> None:
    props = event(alarm("TRIGGER:-PT15M"), times=ZULU).props
    assert props[ids.REMINDER_SIGNAL] == at("2026-07-14 07:45") == 0x01DD1364AC56A600
    assert props[ids.REMINDER_TIME] == at("2026-07-14 08:00")


def test_al05_no_alarm() -> None:
    content = event(alarm("TRIGGER:-PT15M"))
    assert event(existing=content).props[ids.REMINDER_SET] is False


def test_al06_the_default() -> None:
    content = stored(REMINDER_SET=True, REMINDER_DELTA=1525252321)
    (shown,) = first(content).children
    assert line(shown, "TRIGGER") == ":-PT15M"
    put = from_ical(to_ical(content, OPTIONS), content, OPTIONS)
    assert put.props[ids.REMINDER_DELTA] == 1525252321


def test_al07_two_alarms() -> None:
    content = event(alarm("TRIGGER:-PT15M", "DESCRIPTION:x"), alarm("TRIGGER:-P1D", "DESCRIPTION:y"))
    assert delta(content) == 15
    assert [line(each, "TRIGGER") for each in first(content).children] == [":-PT15M", ":-P1D"]
    content.props[ids.REMINDER_DELTA] = 5
    assert [line(each, "TRIGGER") for each in first(content).children] == [":-PT5M"]


def test_al08_no_default_alarm() -> None:
    content = event(alarm("TRIGGER;VALUE=DATE-TIME:19760401T005545Z", action="NONE"))
    assert delta(content) is None
    (back,) = first(content).children
    assert line(back, "ACTION") == ":NONE"


def test_al09_a_sound() -> None:
    content = event(alarm("TRIGGER:-PT15M", "ATTACH;VALUE=URI:Basso", "X-WR-ALARMUID:1", action="AUDIO"))
    assert delta(content) == 15
    (back,) = first(content).children
    assert (line(back, "ACTION"), line(back, "DESCRIPTION"), line(back, "ATTACH")) == (
        ":DISPLAY",
        ":Reminder",
        None,
    )
    assert line(back, "X-WR-ALARMUID") == ":1"


def test_al10_snoozed() -> None:
    content = event(alarm("TRIGGER:-PT15M"), "X-MOZ-SNOOZE-TIME:20260714T081000Z")
    assert content.props[ids.REMINDER_SIGNAL] == at("2026-07-14 08:10")
    assert line(first(content), "X-MOZ-SNOOZE-TIME") == ":20260714T081000Z"


def test_al11_the_next_instance() -> None:
    content = event(alarm("TRIGGER:-PT15M"), "RRULE:FREQ=DAILY;COUNT=5", "X-MOZ-LASTACK:20260714T074600Z")
    assert content.props[ids.REMINDER_SIGNAL] == at("2026-07-15 07:45")
    assert content.props[ids.REMINDER_TIME] == at("2026-07-15 08:00")
    assert content.props[ids.LAST_ACK] == at("2026-07-14 07:46")


def test_al12_all_day() -> None:
    content = event(alarm("TRIGGER:-PT15H"), times=("DTSTART;VALUE=DATE:20260714",))
    assert delta(content) == 900
    assert content.props[ids.REMINDER_SIGNAL] == at("2026-07-13 07:00")


def test_alarms_of_other_peoples_calendars() -> None:
    other = replace(OPTIONS, alarms=False)
    content = event(alarm("TRIGGER:-PT15M", "DESCRIPTION:x"), alarm("TRIGGER:-P1D", "DESCRIPTION:y"))
    assert first(content, other).children == []
    put = from_ical(to_ical(content, other), content, other)
    assert delta(put) == 15
    assert len(first(put).children) == 2


# Tasks


def task(*lines: str, existing: MessageContent | None = None) -> MessageContent:
    return read(component("VTODO", *lines), existing=existing)


def test_tk01_a_due_date() -> None:
    content = task("DUE;VALUE=DATE:20260717")
    assert content.props[ids.TASK_DUE] == at("2026-07-17 00:00")
    assert content.props[ids.COMMON_END] == at("2026-07-16 22:00")
    assert content.props[pt.PR_MESSAGE_CLASS] == "IPM.Task"
    assert line(first(content), "DUE") == ";VALUE=DATE:20260717"


def progress(content: MessageContent) -> tuple[object, ...]:
    return tuple(content.props.get(key) for key in (ids.TASK_COMPLETE, ids.TASK_STATUS, ids.TASK_PERCENT))


def test_tk02_done() -> None:
    content = task("STATUS:COMPLETED", "COMPLETED:20260714T101500Z")
    assert progress(content) == (True, 2, 1.0)
    assert content.props[ids.TASK_COMPLETED] == at("2026-07-14 10:15")
    assert line(first(content), "COMPLETED") == ":20260714T101500Z"


def test_tk03_done_by_its_share() -> None:
    assert progress(task("PERCENT-COMPLETE:100")) == (True, 2, 1.0)


def test_tk04_not_done_after_all() -> None:
    content = task("STATUS:NEEDS-ACTION", existing=task("STATUS:COMPLETED"))
    assert progress(content) == (False, 0, 0.0)
    assert ids.TASK_COMPLETED not in content.props


def test_tk05_partly_done() -> None:
    content = task("STATUS:IN-PROCESS", "PERCENT-COMPLETE:40")
    assert progress(content) == (False, 1, 0.4)
    for share in range(101):
        assert (
            line(first(task("STATUS:IN-PROCESS", f"PERCENT-COMPLETE:{share}")), "PERCENT-COMPLETE") or ":0"
        ) == f":{share}"


@pytest.mark.parametrize(
    ("status", "word"), [pytest.param(3, "NEEDS-ACTION", id="TK06"), pytest.param(4, "CANCELLED", id="TK07")]
)
def test_statuses_that_survive(status: int, word: str) -> None:
    content = task("SUMMARY:x")
    content.props[ids.TASK_STATUS] = status
    assert line(first(content), "STATUS") == f":{word}"
    assert from_ical(to_ical(content, OPTIONS), content, OPTIONS).props[ids.TASK_STATUS] == status


@pytest.mark.parametrize(
    ("trigger", "fires"),
    [
        pytest.param("TRIGGER;VALUE=DATE-TIME:20260714T070000Z", "2026-07-14 07:00", id="TK08"),
        pytest.param("TRIGGER;RELATED=END:-PT1H", "2026-07-16 21:00", id="due"),
        pytest.param("TRIGGER:-PT1H", "2026-07-15 21:00", id="start"),
    ],
)
def test_alarms_of_tasks(trigger: str, fires: str) -> None:
    content = task("DTSTART;VALUE=DATE:20260716", "DUE;VALUE=DATE:20260717", alarm(trigger))
    assert content.props[ids.REMINDER_TIME] == content.props[ids.REMINDER_SIGNAL] == at(fires)


def test_tk09_a_recurring_task() -> None:
    content = task(
        "DTSTART;VALUE=DATE:20260717", "DUE;VALUE=DATE:20260717", "RRULE:FREQ=WEEKLY;BYDAY=FR;WKST=SU"
    )
    assert content.props[ids.TASK_RECUR].hex() == (
        "043004300b2001000000c0210000010000000000000020000000232000000a000000000000000000000000000000a019570ddf80e95a"
    )
    assert content.props[ids.TASK_RECURRING] is True
    assert line(first(content), "RRULE") == ":FREQ=WEEKLY;BYDAY=FR"
    assert task("DTSTART;VALUE=DATE:20260717", existing=content).props[ids.TASK_RECURRING] is False
    with pytest.raises(ParseError, match="DTSTART or DUE"):
        task("RRULE:FREQ=DAILY")


def test_cr44_a_task_that_begins_anew_when_done() -> None:
    content = task("DUE;VALUE=DATE:20260714")
    blob = bytes.fromhex(
        "043004300a2000000000a00500006027000001000000232000000a000000000000000000000000000000c008570ddf80e95a"
    )
    content.props |= {ids.TASK_RECUR: blob, ids.TASK_RECURRING: True}
    assert first(content).first("RRULE") is None
    assert from_ical(to_ical(content, OPTIONS), content, OPTIONS).props[ids.TASK_RECUR] == blob


def test_tk10_due_before_its_start() -> None:
    part = first(task("DTSTART;VALUE=DATE:20260720", "DUE;VALUE=DATE:20260717"))
    assert line(part, "DTSTART") == ";VALUE=DATE:20260720"


def test_tk11_no_date_at_all() -> None:
    content = task()
    content.props |= {ids.TASK_DUE: ids.NO_DATE, ids.COMMON_END: ids.NO_DATE}
    assert first(content).first("DUE") is None


def test_tk12_no_dates() -> None:
    content = task("SUMMARY:x", "RELATED-TO;RELTYPE=PARENT:other", "X-APPLE-SORT-ORDER:1")
    assert ids.TASK_DUE not in content.props
    part = first(content)
    assert (part.first("DUE"), part.first("DTSTART")) == (None, None)
    assert line(part, "RELATED-TO") == ";RELTYPE=PARENT:other"


def test_a_task_with_times_keeps_them() -> None:
    given = ("DTSTART;TZID=Europe/Berlin:20260716T090000", "DUE;TZID=Europe/Berlin:20260717T180000")
    part = first(task(*given))
    assert line(part, "DTSTART") == given[0].removeprefix("DTSTART")
    assert line(part, "DUE") == given[1].removeprefix("DUE")


def test_a_text_of_another_kind_is_refused() -> None:
    with pytest.raises(ParseError, match="VEVENT"):
        event(existing=task())
    with pytest.raises(ParseError, match="several kinds"):
        read(vevent(), component("VTODO"))


def test_people_of_a_task_are_kept() -> None:
    """MAPI has none: what the client wrote is given back."""
    people = (
        "ORGANIZER;CN=Boss:mailto:boss@x.example",
        "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:owner@x.example",
        "ATTENDEE;PARTSTAT=IN-PROCESS:mailto:ann@x.example",
        "ATTENDEE:urn:uuid:1",
    )
    content = task("DUE;VALUE=DATE:20260717", *people)
    assert content.recipients == []
    text = to_ical(content, OPTIONS).decode()
    assert all(f"\r\n{each}\r\n" in text for each in people)
    again = from_ical(text, content, OPTIONS)
    assert again == content
    without = task("DUE;VALUE=DATE:20260717", existing=content)
    assert "ATTENDEE" not in to_ical(without, OPTIONS).decode()


# Journal entries and notes


def test_a_journal_entry() -> None:
    content = read(
        component(
            "VJOURNAL", "DTSTART;VALUE=DATE:20260714", "SUMMARY:s", "DESCRIPTION:d", "CATEGORIES:c", "X-A:b"
        )
    )
    assert content.props[pt.PR_MESSAGE_CLASS] == "IPM.Activity"
    part = first(content)
    assert (part.name, line(part, "DTSTART"), line(part, "X-A")) == ("VJOURNAL", ";VALUE=DATE:20260714", ":b")
    assert from_ical(to_ical(content, OPTIONS), content, OPTIONS) == content


def test_a_note() -> None:
    options = replace(OPTIONS, note_class="IPM.StickyNote")
    content = read(component("VJOURNAL", "DESCRIPTION:first\\nsecond"), options=options)
    assert content.props[pt.PR_SUBJECT] == "first"
    assert content.props[pt.PR_ICON_INDEX] == 0x303
    assert first(content).text("DESCRIPTION") == "first\nsecond"


# Zones


def zoned(tzid: str, *more: str) -> MessageContent:
    data = calendar(
        *more, vevent(times=(f"DTSTART;TZID={tzid}:20260714T100000", f"DTEND;TZID={tzid}:20260714T103000"))
    )
    return from_ical(data, None, OPTIONS)


FOO = "\r\n".join(
    ["BEGIN:VTIMEZONE", "TZID:Foo", "BEGIN:STANDARD", "DTSTART:16010101T000000", "TZOFFSETFROM:+0530", "TZOFFSETTO:+0530",
     "END:STANDARD", "END:VTIMEZONE"]
)  # fmt: skip


@pytest.mark.parametrize(
    ("tzid", "start"),
    [
        pytest.param("Europe/Amsterdam", "08:00", id="CT03"),
        pytest.param("W. Europe Standard Time", "08:00", id="CT04"),
        pytest.param("/freeassociation.sourceforge.net/Tzfile/Europe/Berlin", "08:00", id="CT05"),
        pytest.param("/mozilla.org/20050126_1/America/New_York", "14:00", id="CT06"),
        pytest.param("Foo", "08:00", id="CT08"),
        pytest.param("tzone://Microsoft/Utc", "10:00", id="CT09"),
        pytest.param("Asia/Calcutta", "04:30", id="CT16"),
        pytest.param("Asia/Kathmandu", "04:15", id="CT17"),
        pytest.param("Europe/Dublin", "09:00", id="CT20"),
        pytest.param("Africa/Casablanca", "09:00", id="CT21"),
    ],
)
def test_zones(tzid: str, start: str) -> None:
    assert zoned(tzid).props[ids.START] == at(f"2026-07-14 {start}")


@pytest.mark.parametrize("tzid", ["Europe/Amsterdam", "Europe/Kiev", "Asia/Calcutta", "America/New_York"])
def test_ct03_ct15_the_name_of_a_zone_stays(tzid: str) -> None:
    assert line(first(zoned(tzid)), "DTSTART") == f";TZID={tzid}:20260714T100000"


def test_ct07_ct11_ct13_ct14_a_zone_of_the_object() -> None:
    content = zoned("Foo", FOO, FOO)
    assert content.props[ids.START] == at("2026-07-14 04:30")
    (written,) = parse(to_ical(content, OPTIONS))
    zone = next(written.components("VTIMEZONE"))
    assert line(first(content), "DTSTART") == f";TZID={zone.text('TZID')}:20260714T100000"


def test_ct18_ct19_times_that_a_clock_skips_or_shows_twice() -> None:
    gap = event(times=("DTSTART;TZID=Europe/Berlin:20260329T023000",))
    twice = event(times=("DTSTART;TZID=Europe/Berlin:20261025T023000",))
    assert gap.props[ids.START] == at("2026-03-29 01:30")
    assert twice.props[ids.START] == at("2026-10-25 00:30")


def test_ct22_two_zones() -> None:
    content = event(
        times=("DTSTART;TZID=Europe/Berlin:20260714T100000", "DTEND;TZID=America/New_York:20260714T060000")
    )
    assert content.props[ids.END] == at("2026-07-14 10:00")
    assert read_definition(content.props[ids.ZONE_END]).key == "Eastern Standard Time"
    part = first(content)
    assert line(part, "DTEND") == ";TZID=America/New_York:20260714T060000"
    assert to_ical(content, OPTIONS).count(b"BEGIN:VTIMEZONE") == 2


def test_ct23_a_zone_by_its_rule() -> None:
    assert BERLIN is not None
    content = stored(ZONE_STRUCT=BERLIN.struct(2026), ZONE_NAME="(GMT+01:00) Something")
    assert line(first(content), "DTSTART") == ";TZID=Europe/Berlin:20260714T100000"


def test_ct26_the_same_text_every_time() -> None:
    content = zoned("Europe/Amsterdam")
    assert to_ical(content, OPTIONS) == to_ical(content, OPTIONS)
    assert to_ical(zoned("Foo", FOO), OPTIONS) == to_ical(zoned("Foo", FOO), OPTIONS)


def test_ct27_the_zone_of_a_feed() -> None:
    content = from_ical(
        calendar("X-WR-TIMEZONE:America/New_York", vevent(times=("DTSTART:20260714T100000",))), None, OPTIONS
    )
    assert content.props[ids.START] == at("2026-07-14 14:00")


def test_a_stored_zone_that_means_the_same_stays() -> None:
    new_york = zone_of_iana("America/New_York")
    assert new_york is not None
    content = stored(ZONE_START=new_york.definition(2020), ZONE_END=new_york.definition(2020))
    put = from_ical(to_ical(content, OPTIONS), content, OPTIONS)
    assert put.props[ids.ZONE_START] == content.props[ids.ZONE_START]
    assert ids.ZONE_NAME not in put.props


# Free and busy

WINDOW = at("2026-07-14 00:00"), at("2026-07-21 00:00")


def test_fb01_kinds_of_busy() -> None:
    items = [stored(f"2026-07-14 0{hour}:00", f"2026-07-14 0{hour}:30", BUSY_STATUS=hour) for hour in range(5)]
    text = write_freebusy(
        busy_periods(items, *WINDOW, OPTIONS), *WINDOW, now=at("2026-07-01 00:00"), attendee="a@x.example"
    )
    part = next(parse(text)[0].components("VFREEBUSY"))
    assert [(each.param("FBTYPE"), each.value[9:13]) for each in part.all("FREEBUSY")] == [
        ("BUSY-TENTATIVE", "0100"),
        ("BUSY", "0200"),
        ("BUSY-UNAVAILABLE", "0300"),
    ]
    assert read_freebusy(text, OPTIONS) == busy_periods(items, *WINDOW, OPTIONS)


def test_fb02_an_instance_that_moved_into_the_window() -> None:
    content = read(
        vevent("RRULE:FREQ=WEEKLY;COUNT=4"),
        component(
            "VEVENT", "RECURRENCE-ID:20260721T080000Z", "DTSTART:20260716T080000Z", "DTEND:20260716T090000Z"
        ),
    )
    assert busy_periods([content], *WINDOW, OPTIONS) == [
        Busy(at("2026-07-14 08:00"), at("2026-07-14 08:30"), 2),
        Busy(at("2026-07-16 08:00"), at("2026-07-16 09:00"), 2),
    ]
    later = at("2026-07-21 00:00"), at("2026-07-22 00:00")
    assert busy_periods([content], *later, OPTIONS) == []


def test_overlapping_times_are_merged() -> None:
    items = [stored("2026-07-14 08:00", "2026-07-14 10:00"), stored("2026-07-14 09:00", "2026-07-14 11:00", BUSY_STATUS=3),
             stored("2026-07-14 11:00", "2026-07-14 12:00", BUSY_STATUS=3), stored(STATE=7)]  # fmt: skip
    assert busy_periods(items, *WINDOW, OPTIONS) == [
        Busy(at("2026-07-14 08:00"), at("2026-07-14 09:00"), 2),
        Busy(at("2026-07-14 09:00"), at("2026-07-14 12:00"), 3),
    ]


def test_fb03_the_published_message() -> None:
    periods = [
        Busy(at("2026-07-14 08:00"), at("2026-07-14 08:30"), 2),
        Busy(at("2026-07-31 23:00"), at("2026-08-01 01:00"), 3),
    ]
    props = published(
        periods, at("2026-07-01 00:00"), at("2026-09-01 00:00"), "a@x.example", at("2026-07-01 00:00")
    )
    assert props[pt.PR_FREEBUSY_BUSY_MONTHS] == (32423,)
    assert props[pt.PR_FREEBUSY_OOF_MONTHS] == (32423, 32424)
    assert props[pt.PR_FREEBUSY_BUSY_EVENTS] == (
        (13 * 1440 + 480).to_bytes(2, "little") + (13 * 1440 + 510).to_bytes(2, "little"),
    )
    assert len(props[pt.PR_FREEBUSY_ALL_EVENTS]) == 2
    assert busy_of_published(props) == periods


def test_a_published_window_is_bounded() -> None:
    with pytest.raises(ParseError, match="months"):
        published([], at("2026-07-01 00:00"), at("2126-07-01 00:00"), "", 0)
