"""Events: times, fields and what a PUT must not lose, by the ids of the case tables (CG, CE, CD)."""

import pytest

from gateway.convert.errors import ParseError
from gateway.convert.ical import from_ical, to_ical
from gateway.convert.ical import propids as ids
from gateway.convert.ical.timezones import zone_of_iana
from gateway.convert.ical.zoneblobs import read_definition
from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.propnames import KEYWORDS
from gateway.mapi.props import PT_MV_STRING8, NamedTag
from tests.convert.ical.items import (
    OPTIONS,
    at,
    calendar,
    event,
    first,
    line,
    lines,
    read,
    stored,
    vevent,
    written,
)

NEW_YORK = zone_of_iana("America/New_York")
assert NEW_YORK is not None


def test_cg09_a_uid_with_special_characters() -> None:
    content = from_ical(calendar(vevent(uid="a\\;ä\\,b")), None, OPTIONS)
    assert first(content).text("UID") == "a;ä,b"
    assert "UID:a\\;ä\\,b" in to_ical(content, OPTIONS).decode()


def test_cg12_an_item_without_id_has_the_same_uid_every_time() -> None:
    content = stored()
    before = dict(content.props)
    assert line(first(content), "UID") == line(first(content), "UID") == ":" + bytes(range(22)).hex().upper()
    assert content.props == before


def test_cg13_an_event_without_uid_is_refused() -> None:
    with pytest.raises(ParseError, match="UID"):
        read("BEGIN:VEVENT\r\nDTSTART:20260714T100000Z\r\nEND:VEVENT")


def test_the_form_of_a_stored_id_stays() -> None:
    first_put = event()
    kopano = first_put.props[ids.GLOBAL_ID] + b"\0"
    first_put.props[ids.GLOBAL_ID] = first_put.props[ids.CLEAN_GLOBAL_ID] = kopano
    assert event("SUMMARY:x", existing=first_put).props[ids.CLEAN_GLOBAL_ID] == kopano


# Times


def test_ce01_a_time_in_summer() -> None:
    props = event().props
    assert props[ids.START] == at("2026-07-14 08:00") == 0x01DD1366C4C7C000
    assert props[ids.END] == at("2026-07-14 08:30")
    assert props[ids.DURATION] == 30
    assert read_definition(props[ids.ZONE_START]).key == "W. Europe Standard Time"
    assert props[ids.COMMON_START] == props[pt.PR_START_DATE] == props[ids.CLIP_START] == props[ids.START]


def test_ce02_a_time_in_winter() -> None:
    times = ("DTSTART;TZID=Europe/Berlin:20260114T100000", "DTEND;TZID=Europe/Berlin:20260114T103000")
    assert event(times=times).props[ids.START] == at("2026-01-14 09:00")


def test_ce03_a_time_in_utc() -> None:
    content = event(times=("DTSTART:20260714T080000Z", "DTEND:20260714T083000Z"))
    assert content.props[ids.START] == at("2026-07-14 08:00")
    assert line(first(content), "DTSTART") == ":20260714T080000Z"


def test_ce04_a_floating_time_is_in_the_owners_zone() -> None:
    assert event(times=("DTSTART:20260714T100000",)).props[ids.START] == at("2026-07-14 08:00")


def test_ce05_no_end() -> None:
    props = event(times=("DTSTART:20260714T080000Z",)).props
    assert props[ids.END] == props[ids.START]


def test_ce06_a_duration() -> None:
    assert event(times=("DTSTART:20260714T080000Z", "DURATION:PT1H30M")).props[ids.DURATION] == 90


def test_ce07_a_day_over_the_change_of_the_clock() -> None:
    props = event(times=("DTSTART;TZID=Europe/Berlin:20260328T100000", "DURATION:P1D")).props
    assert props[ids.END] == at("2026-03-29 08:00")
    assert props[ids.DURATION] == 23 * 60


def test_ce08_an_end_before_the_start() -> None:
    props = event(times=("DTSTART:20260714T080000Z", "DTEND:20260714T070000Z")).props
    assert props[ids.END] == props[ids.START]


@pytest.mark.parametrize("duration", ["-PT1H", "PT0S"])
def test_durations_that_end_nothing(duration: str) -> None:
    assert event(times=("DTSTART:20260714T080000Z", f"DURATION:{duration}")).props[ids.DURATION] == 0


def test_seconds_of_a_single_event_stay() -> None:
    content = event(times=("DTSTART:20260714T080017Z", "DTEND:20260714T083059Z"))
    assert line(first(content), "DTSTART") == ":20260714T080017Z"


# Fields


def test_ce09_an_escaped_summary() -> None:
    content = event("SUMMARY:a\\nb\\, c\\; d\\\\e")
    assert content.props[pt.PR_SUBJECT] == "a b, c; d\\e"
    assert first(content).text("SUMMARY") == "a\nb, c; d\\e"  # the client's own wording
    del content.props[ids.RETAINED]
    assert first(content).text("SUMMARY") == "a b, c; d\\e"


def test_ce10_a_long_description() -> None:
    long = "ä" * 150_000
    content = event(f"DESCRIPTION:{long}")
    assert content.props[pt.PR_BODY] == long
    assert first(content).text("DESCRIPTION") == long


def test_ce11_two_descriptions() -> None:
    content = event("X-ALT-DESC;FMTTYPE=text/html:<b>hi\\, all</b>", "DESCRIPTION:hi\\, all")
    assert content.props[pt.PR_HTML] == b"<b>hi, all</b>"
    assert content.props[pt.PR_BODY] == "hi, all"
    assert first(content).text("X-ALT-DESC") == "<b>hi, all</b>"
    content.props[pt.PR_HTML] = b"<i>changed</i>"
    assert first(content).text("X-ALT-DESC") == "<i>changed</i>"


def with_html() -> MessageContent:
    return stored(PR_HTML=b"<p>one</p><p>two <b>three</b></p>", PR_INTERNET_CPID=65001)


def test_ce12_html_survives_an_unchanged_description() -> None:
    content = with_html()
    description = first(content).text("DESCRIPTION") or ""
    put = event("DESCRIPTION:" + description.replace("\n", "\\n") + "  ", existing=content)
    assert put.props[pt.PR_HTML] == content.props[pt.PR_HTML]


def test_ce13_html_goes_with_a_changed_description() -> None:
    put = event("DESCRIPTION:other", existing=with_html())
    assert pt.PR_HTML not in put.props
    assert put.props[pt.PR_BODY] == "other"


def test_html_that_comes_back_with_another_text_is_stale() -> None:
    content = event("X-ALT-DESC;FMTTYPE=text/html:<b>hi</b>", "DESCRIPTION:hi")
    put = event("X-ALT-DESC;FMTTYPE=text/html:<b>hi</b>", "DESCRIPTION:new", existing=content)
    assert pt.PR_HTML not in put.props


@pytest.mark.parametrize(
    ("given", "busy"),
    [
        pytest.param(["TRANSP:TRANSPARENT"], 0, id="CE14"),
        pytest.param(["X-MICROSOFT-CDO-BUSYSTATUS:OOF", "TRANSP:OPAQUE"], 3, id="CE15"),
        pytest.param(["STATUS:TENTATIVE"], 1, id="CE18"),
        pytest.param(["STATUS:CANCELLED"], 0, id="cancelled"),
        pytest.param(["STATUS:CONFIRMED"], 2, id="confirmed"),
        pytest.param(["x-microsoft-cdo-busystatus:workingelsewhere"], 4, id="small letters"),
        pytest.param(["X-MICROSOFT-MSNCALENDAR-BUSYSTATUS:FREE"], 0, id="second choice"),
        pytest.param([], 2, id="silent"),
    ],
)
def test_busy_status(given: list[str], busy: int) -> None:
    assert event(*given).props[ids.BUSY_STATUS] == busy


def test_ce15_both_forms_are_written() -> None:
    part = first(event("X-MICROSOFT-CDO-BUSYSTATUS:OOF", "TRANSP:OPAQUE"))
    assert (line(part, "TRANSP"), line(part, "X-MICROSOFT-CDO-BUSYSTATUS")) == (":OPAQUE", ":OOF")


@pytest.mark.parametrize(
    ("before", "transp", "after"), [(3, "OPAQUE", 3), (3, "TRANSPARENT", 0), (4, "TRANSPARENT", 4)]
)
def test_ce16_out_of_office_survives(before: int, transp: str, after: int) -> None:
    assert event(f"TRANSP:{transp}", existing=stored(BUSY_STATUS=before)).props[ids.BUSY_STATUS] == after


def test_ce17_working_elsewhere() -> None:
    part = first(stored(BUSY_STATUS=4))
    assert (line(part, "TRANSP"), line(part, "X-MICROSOFT-CDO-BUSYSTATUS")) == (
        ":TRANSPARENT",
        ":WORKINGELSEWHERE",
    )


@pytest.mark.parametrize(
    ("given", "sensitivity", "private"),
    [
        pytest.param("CLASS:PRIVATE", 2, True, id="CE19"),
        pytest.param("CLASS:X-FOO", 2, True, id="CE21"),
        pytest.param("CLASS:CONFIDENTIAL", 3, True, id="confidential"),
        pytest.param("CLASS:PUBLIC", 0, False, id="public"),
        pytest.param("X-CALENDARSERVER-ACCESS:CONFIDENTIAL", 2, True, id="Apple"),
        pytest.param("X-NOTHING:1", 0, False, id="silent"),
    ],
)
def test_privacy(given: str, sensitivity: int, private: bool) -> None:
    props = event(given).props
    assert (props[pt.PR_SENSITIVITY], props[ids.PRIVATE]) == (sensitivity, private)


def test_ce20_a_private_mark_alone() -> None:
    assert line(first(stored(PRIVATE=True)), "CLASS") == ":PRIVATE"


@pytest.mark.parametrize(("priority", "importance"), [(1, 2), (5, 1), (9, 0), (0, 1), (4, 2), (6, 0)])
def test_ce22_priority(priority: int, importance: int) -> None:
    content = event(f"PRIORITY:{priority}")
    assert content.props[pt.PR_IMPORTANCE] == importance
    assert line(first(content), "PRIORITY") == f":{priority}"
    content.props[pt.PR_IMPORTANCE] = 0 if importance else 2
    assert line(first(content), "PRIORITY") == (":9" if importance else ":1")


def test_ce23_a_comma_in_a_category() -> None:
    content = event("CATEGORIES:A\\,B,C")
    assert content.props[KEYWORDS] == ("A,B", "C")
    assert first(content).first("CATEGORIES").value == "A\\,B,C"  # type: ignore[union-attr]


def test_ce24_two_lines_of_categories() -> None:
    assert event("CATEGORIES:A, B", "CATEGORIES:a,C").props[KEYWORDS] == ("A", "B", "C")


def test_ce25_categories_in_8_bit() -> None:
    content = stored()
    content.props[NamedTag(KEYWORDS.name, PT_MV_STRING8)] = ("x", "y")
    assert line(first(content), "CATEGORIES") == ":x,y"
    put = event("CATEGORIES:y", existing=content)
    assert put.props[KEYWORDS] == ("y",)
    assert NamedTag(KEYWORDS.name, PT_MV_STRING8) not in put.props


def test_ce26_a_file() -> None:
    given = "ATTACH;FMTTYPE=application/pdf;VALUE=BINARY;ENCODING=BASE64;X-FILENAME=ä.pdf:JVBERg=="
    content = event(given)
    (file,) = content.attachments
    assert file.data == b"%PDF"
    assert file.props[pt.PR_ATTACH_LONG_FILENAME] == "ä.pdf"
    assert file.props[pt.PR_ATTACH_MIME_TAG] == "application/pdf"
    assert line(first(content), "ATTACH") == given.removeprefix("ATTACH")
    assert event(given, existing=content).attachments == [file]


def test_ce27_a_link_comes_back() -> None:
    content = event("ATTACH;FMTTYPE=text/html:https://x.example/a,b;c")
    assert content.attachments == []
    assert lines(first(content), "ATTACH") == ["https://x.example/a,b;c"]


def test_ce28_attachments_survive() -> None:
    content = stored()
    content.attachments.append(
        AttachmentContent({pt.PR_ATTACH_METHOD: 1, pt.PR_ATTACH_LONG_FILENAME: "a"}, b"x")
    )
    (kept,) = event(existing=content).attachments
    assert kept is content.attachments[0]  # so that who saves it knows that it need not be written again


def test_ce29_no_control_characters() -> None:
    out = to_ical(stored(PR_BODY="a\x01b\x85c\x7fd\ud800"), OPTIONS)
    assert b"DESCRIPTION:abcd\r\n" in out


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_ce30_loose_syntax(start: bytes) -> None:
    loose = start + calendar(vevent("summary:x")).replace(b"\r\n", b"\n").replace(b"DTSTART", b"dtstart")
    content = from_ical(loose, None, OPTIONS)
    assert content.props[pt.PR_SUBJECT] == "x"


def test_ce31_a_character_that_is_cut_in_two() -> None:
    data = calendar(vevent("SUMMARY:ä")).replace("ä".encode(), b"\xc3\r\n \xa4")
    assert from_ical(data, None, OPTIONS).props[pt.PR_SUBJECT] == "ä"


def test_ce32_unknown_properties_come_back() -> None:
    content = event('X-FOO;X-P="a:b":bar\\,x', "GEO:1.0;2.0", "COMMENT:one", "COMMENT:two", "COLOR:red")
    part = first(content)
    assert line(part, "X-FOO") == ";X-P=a:b:bar\\,x"
    assert lines(part, "COMMENT") == ["one", "two"]
    assert line(part, "COLOR") == ":red"
    assert first(event(existing=content)).first("X-FOO") is None


def test_what_belongs_to_a_place_goes_with_it() -> None:
    content = event("LOCATION:here", "GEO:1.0;2.0")
    assert line(first(content), "GEO") == ":1.0;2.0"
    content.props[ids.LOCATION] = "there"
    part = first(content)
    assert (line(part, "GEO"), line(part, "LOCATION")) == (None, ":there")


def test_parameters_come_back_until_the_value_changes() -> None:
    content = event("SUMMARY;LANGUAGE=de:eins")
    assert line(first(content), "SUMMARY") == ";LANGUAGE=de:eins"
    content.props[pt.PR_SUBJECT] = "zwei"
    assert line(first(content), "SUMMARY") == ":zwei"


def test_ce33_a_method_is_not_stored() -> None:
    content = from_ical(calendar(vevent(), method="PUBLISH"), None, OPTIONS)
    assert b"METHOD" not in to_ical(content, OPTIONS)


def test_ce34_two_uids() -> None:
    with pytest.raises(ParseError, match="UID"):
        read(vevent(), vevent(uid="other"))


def test_ce35_dtstamp_stays() -> None:
    content = stored(PR_LAST_MODIFICATION_TIME=at("2026-02-03 04:05"))
    assert line(first(content), "DTSTAMP") == ":20260203T040500Z"
    assert to_ical(content, OPTIONS) == to_ical(content, OPTIONS)


def test_unknown_mapi_properties_survive() -> None:
    content = stored()
    content.props[0x1090_0003] = 2
    content.props[0x8AAA_001F] = "mine"
    put = event(existing=content)
    assert (put.props[0x1090_0003], put.props[0x8AAA_001F]) == (2, "mine")
    assert pt.PR_SUBJECT in content.props
    assert content.props[pt.PR_SUBJECT] == "stored"


def test_a_place_with_a_link() -> None:
    content = event('LOCATION;ALTREP="https://x.example/":R1', "URL:https://x.example/u", "CONTACT:Me\\, you")
    assert content.props[ids.LOCATION_URL] == "https://x.example/"
    assert content.props[ids.WHERE] == "R1"
    assert content.props[ids.CONTACTS] == ("Me, you",)
    assert lines(first(content), "URL") == ["https://x.example/u"]


# All-day events


def all_day(*times: str) -> MessageContent:
    return event(times=times)


def test_cd01_a_day() -> None:
    props = all_day("DTSTART;VALUE=DATE:20260714", "DTEND;VALUE=DATE:20260715").props
    assert props[ids.ALL_DAY] is True
    assert props[ids.START] == at("2026-07-13 22:00")
    assert props[ids.END] == at("2026-07-14 22:00")
    assert props[ids.DURATION] == 1440


@pytest.mark.parametrize(
    ("content", "zone"),
    [
        pytest.param(stored("2026-07-14 00:00", "2026-07-15 00:00", ALL_DAY=True), None, id="CD02"),
        pytest.param(
            stored("2026-07-14 04:00", "2026-07-15 04:00", ALL_DAY=True, ZONE_START=NEW_YORK.definition(2026)),
            None,
            id="CD03",
        ),
        pytest.param(stored("2026-07-13 22:00", "2026-07-14 22:00", ALL_DAY=True), None, id="CD04"),
        pytest.param(stored("2026-07-13 22:30", "2026-07-14 22:30", ALL_DAY=True), None, id="CD05"),
    ],
)
def test_a_day_however_it_is_stored(content: MessageContent, zone: None) -> None:
    part = first(content)
    assert line(part, "DTSTART") == ";VALUE=DATE:20260714"
    assert line(part, "DTEND") == ";VALUE=DATE:20260715"
    put = event(times=("DTSTART;VALUE=DATE:20260714", "DTEND;VALUE=DATE:20260715"), existing=content)
    assert put.props[ids.START] == content.props[ids.START]
    assert line(first(put), "DTSTART") == ";VALUE=DATE:20260714"


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(["DTSTART;VALUE=DATE:20260714"], id="CD06"),
        pytest.param(["DTSTART;VALUE=DATE:20260714", "DTEND;VALUE=DATE:20260714"], id="CD07"),
        pytest.param(["DTSTART;VALUE=DATE:20260714", "DURATION:P1D"], id="duration"),
        pytest.param(["DTSTART:20260714", "DTEND:20260715"], id="no VALUE"),
        pytest.param(["DTSTART;VALUE=DATE:20260714", "DTEND:20260715T120000"], id="mixed"),
    ],
)
def test_one_day(times: list[str]) -> None:
    part = first(all_day(*times))
    assert (line(part, "DTSTART"), line(part, "DTEND")) == (";VALUE=DATE:20260714", ";VALUE=DATE:20260715")


MIDNIGHTS = ("DTSTART;TZID=Europe/Berlin:20260714T000000", "DTEND;TZID=Europe/Berlin:20260715T000000")


@pytest.mark.parametrize(
    ("times", "flag", "whole"),
    [
        pytest.param(MIDNIGHTS, "TRUE", True, id="CD08"),
        pytest.param(MIDNIGHTS, "FALSE", False, id="CD09"),
        pytest.param(("DTSTART:20260714T080000Z", "DTEND:20260714T090000Z"), "TRUE", False, id="CD10"),
    ],
)
def test_midnights(times: tuple[str, ...], flag: str, whole: bool) -> None:
    assert event(f"X-MICROSOFT-CDO-ALLDAYEVENT:{flag}", times=times).props[ids.ALL_DAY] is whole


def test_cd11_days_over_the_change_of_the_clock() -> None:
    content = all_day("DTSTART;VALUE=DATE:20260328", "DTEND;VALUE=DATE:20260330")
    assert content.props[ids.END] - content.props[ids.START] == 47 * 36_000_000_000
    assert content.props[ids.DURATION] == 2880
    assert line(first(content), "DTEND") == ";VALUE=DATE:20260330"


def test_cd12_a_birthday_in_auckland() -> None:
    auckland = zone_of_iana("Pacific/Auckland")
    assert auckland is not None
    options = type(OPTIONS)(zone=auckland)
    content = event("RRULE:FREQ=YEARLY", times=("DTSTART;VALUE=DATE:20260714",), options=options)
    for reader in (options, OPTIONS):
        assert line(first(content, reader), "DTSTART") == ";VALUE=DATE:20260714"
        assert line(first(content, reader), "RRULE") == ":FREQ=YEARLY;BYMONTH=7;BYMONTHDAY=14"


def test_cd13_a_series_of_days_has_its_dates_in_the_blob() -> None:
    content = event("RRULE:FREQ=WEEKLY;COUNT=2", times=("DTSTART;VALUE=DATE:20260714",))
    for key in (ids.ZONE_START, ids.ZONE_END, ids.ZONE_RECUR, ids.ZONE_STRUCT, ids.ZONE_NAME):
        del content.props[key]
    content.props[ids.START] = at("2026-07-14 00:00")
    content.props[ids.END] = at("2026-07-15 00:00")
    part = first(content)
    assert (line(part, "DTSTART"), line(part, "DTEND")) == (";VALUE=DATE:20260714", ";VALUE=DATE:20260715")


# Sequence


def test_the_organizers_sequence_grows_with_a_new_time() -> None:
    people = ("ORGANIZER:mailto:owner@x.example", "ATTENDEE:mailto:a@x.example")
    content = event(*people)
    later = ("DTSTART;TZID=Europe/Berlin:20260715T100000", "DTEND;TZID=Europe/Berlin:20260715T103000")
    assert event(*people, existing=content).props[ids.SEQUENCE] == 0
    assert event(*people, times=later, existing=content).props[ids.SEQUENCE] == 1
    assert event(*people, "SEQUENCE:7", times=later, existing=content).props[ids.SEQUENCE] == 7


def test_nothing_is_written_for_an_item_without_start() -> None:
    content = stored()
    del content.props[ids.START]
    with pytest.raises(ParseError):
        to_ical(content, OPTIONS)
    assert written(stored())
