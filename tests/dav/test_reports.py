"""What reports tell of an item, and which items filters find (RFC 4791 7.8 to 9.9, RFC 6352 8.6, 10)."""

from __future__ import annotations

import re

import pytest

from tests.dav.server import CR, C, Client, D, card, event, multiget, unfolded

CALDAV = 'xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns="DAV:"'
JUNE = 'start="20260601T000000Z" end="20260701T000000Z"'
SERIES = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n"
    "BEGIN:STANDARD\r\nDTSTART:19961027T030000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\n"
    "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:19960331T020000\r\n"
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nEND:DAYLIGHT\r\n"
    "END:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\n"
    "DTSTART;TZID=Europe/Berlin:20260601T100000\r\nDTEND;TZID=Europe/Berlin:20260601T110000\r\n"
    "RRULE:FREQ=WEEKLY;COUNT=6\r\nEXDATE;TZID=Europe/Berlin:20260608T100000\r\nSUMMARY:Series\r\nEND:VEVENT\r\n"
    "BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID;TZID=Europe/Berlin:20260615T100000\r\n"
    "DTSTART;TZID=Europe/Berlin:20260616T120000\r\nDTEND;TZID=Europe/Berlin:20260616T123000\r\n"
    "SUMMARY:Moved\r\nEND:VEVENT\r\n"
    "BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID;TZID=Europe/Berlin:20260706T100000\r\n"
    "DTSTART;TZID=Europe/Berlin:20260706T120000\r\nDTEND;TZID=Europe/Berlin:20260706T123000\r\n"
    "SUMMARY:Later\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
ALL_DAY = event("day", "Holiday").replace(
    "DTSTART:20261201T100000Z\r\nDURATION:PT1H", "DTSTART;VALUE=DATE:20260610"
)


def query(
    data: str, inner: str = "", *, component: str = "VEVENT", more: str = "", attributes: str = ""
) -> str:
    return (
        f"<C:calendar-query {CALDAV}><prop><getetag/><C:calendar-data{attributes}>{data}</C:calendar-data></prop>"
        f'<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="{component}">{inner}</C:comp-filter>'
        f"</C:comp-filter></C:filter>{more}</C:calendar-query>"
    )


def text_of(client: Client, path: str, body: str) -> str:
    answer = client("REPORT", path.rpartition("/")[0] + "/", body, Depth="1")
    assert answer.status == 207, answer.text
    return unfolded(answer.found(path, f"{C}calendar-data") or "")


def lines(text: str, name: str) -> list[str]:
    return [line for line in text.splitlines() if re.match(rf"{name}[;:]", line)]


@pytest.fixture
def series(client: Client) -> str:
    path = client.collection("calendar") + "series.ics"
    assert client("PUT", path, SERIES).status == 201
    return path


# Parts of calendar objects


def test_only_the_named_components_and_properties_are_told(client: Client, series: str) -> None:
    data = (
        '<C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT"><C:prop name="SUMMARY"/>'
        '<C:prop name="UID"/><C:prop name="DTSTAMP" novalue="yes"/></C:comp><C:comp name="VTIMEZONE"/></C:comp>'
    )
    text = text_of(client, series, query(data))
    assert lines(text, "VERSION") == ["VERSION:2.0"]
    assert not lines(text, "PRODID")
    assert lines(text, "SUMMARY") == ["SUMMARY:Series", "SUMMARY:Moved", "SUMMARY:Later"]
    assert set(lines(text, "DTSTAMP")) == {"DTSTAMP:"}
    assert "RECURRENCE-ID" not in text
    assert lines(text, "TZID") == ["TZID:Europe/Berlin"]
    assert "BEGIN:DAYLIGHT" in text


def test_all_properties_but_no_parts(client: Client, series: str) -> None:
    text = text_of(client, series, query('<C:comp name="VCALENDAR"><C:allprop/></C:comp>'))
    assert "VERSION:2.0" in text
    assert "BEGIN:VEVENT" not in text
    everything = text_of(client, series, query('<C:comp name="VCALENDAR"><C:allprop/><C:allcomp/></C:comp>'))
    assert everything == text_of(client, series, query(""))


def test_multiget_tells_parts_too(client: Client, series: str) -> None:
    body = multiget("calendar", series).replace(
        '<calendar-data xmlns="urn:ietf:params:xml:ns:caldav"/>',
        f'<C:calendar-data {CALDAV}><C:comp name="VCALENDAR"><C:comp name="VEVENT"><C:prop name="SUMMARY"/></C:comp></C:comp></C:calendar-data>',
    )
    assert lines(text_of(client, series, body), "SUMMARY") == [
        "SUMMARY:Series",
        "SUMMARY:Moved",
        "SUMMARY:Later",
    ]


@pytest.mark.parametrize("attributes", [' content-type="text/html"', ' version="3.0"'])
def test_other_forms_of_calendar_data_are_refused(client: Client, attributes: str) -> None:
    answer = client("REPORT", client.collection("calendar"), query("", attributes=attributes))
    assert answer.status == 403
    assert answer.xml.find(f"{C}supported-calendar-data") is not None


# Series


def test_a_series_is_expanded_in_utc(client: Client, series: str) -> None:
    text = text_of(client, series, query(f"<C:expand {JUNE}/>", f"<C:time-range {JUNE}/>"))
    assert sorted(lines(text, "DTSTART")) == [
        "DTSTART:20260601T080000Z", "DTSTART:20260616T100000Z", "DTSTART:20260622T080000Z", "DTSTART:20260629T080000Z",
    ]  # fmt: skip
    assert sorted(lines(text, "DTEND")) == [
        "DTEND:20260601T090000Z", "DTEND:20260616T103000Z", "DTEND:20260622T090000Z", "DTEND:20260629T090000Z",
    ]  # fmt: skip
    assert sorted(lines(text, "RECURRENCE-ID")) == [
        "RECURRENCE-ID:20260601T080000Z", "RECURRENCE-ID:20260615T080000Z", "RECURRENCE-ID:20260622T080000Z",
        "RECURRENCE-ID:20260629T080000Z",
    ]  # fmt: skip
    assert "SUMMARY:Moved" in text
    for absent in ("RRULE", "EXDATE", "VTIMEZONE", "TZID", "Later"):
        assert absent not in text


def test_instances_are_expanded_and_cut_to_their_properties(client: Client, series: str) -> None:
    part = '<C:comp name="VCALENDAR"><C:comp name="VEVENT"><C:prop name="DTSTART"/></C:comp></C:comp>'
    text = text_of(client, series, query(f"{part}<C:expand {JUNE}/>", f"<C:time-range {JUNE}/>"))
    assert len(lines(text, "DTSTART")) == 4
    assert "SUMMARY" not in text


def test_an_expanded_all_day_series_has_dates(client: Client) -> None:
    path = client.collection("calendar") + "days.ics"
    data = ALL_DAY.replace("SUMMARY", "RRULE:FREQ=DAILY;COUNT=3\r\nSUMMARY")
    assert client("PUT", path, data).status == 201
    text = text_of(client, path, query(f"<C:expand {JUNE}/>", f"<C:time-range {JUNE}/>"))
    assert lines(text, "DTSTART") == [f"DTSTART;VALUE=DATE:202606{day}" for day in (10, 11, 12)]
    assert lines(text, "RECURRENCE-ID") == [f"RECURRENCE-ID;VALUE=DATE:202606{day}" for day in (10, 11, 12)]


def test_a_single_event_is_expanded_to_itself(client: Client) -> None:
    path = client.collection("calendar") + "one.ics"
    client("PUT", path, event("one", "One", "20260610T080000Z"))
    text = text_of(client, path, query(f"<C:expand {JUNE}/>", f"<C:time-range {JUNE}/>"))
    assert lines(text, "DTSTART") == ["DTSTART:20260610T080000Z"]
    assert "RECURRENCE-ID" not in text


def test_changed_instances_outside_of_a_range_are_left_out(client: Client, series: str) -> None:
    text = text_of(client, series, query(f"<C:limit-recurrence-set {JUNE}/>"))
    assert lines(text, "SUMMARY") == ["SUMMARY:Series", "SUMMARY:Moved"]
    assert "RRULE" in text
    july = 'start="20260701T000000Z" end="20260801T000000Z"'
    assert lines(text_of(client, series, query(f"<C:limit-recurrence-set {july}/>")), "SUMMARY") == [
        "SUMMARY:Series", "SUMMARY:Later",
    ]  # fmt: skip
    # Where it was before it was moved counts as well.
    before = 'start="20260615T000000Z" end="20260616T000000Z"'
    assert "SUMMARY:Moved" in text_of(client, series, query(f"<C:limit-recurrence-set {before}/>"))


def test_a_limit_of_busy_times_changes_nothing_of_events(client: Client, series: str) -> None:
    """RFC 4791 9.6.7: it is for VFREEBUSY, of which there are none in collections; its range has to be one."""
    limited = text_of(client, series, query(f"<C:limit-freebusy-set {JUNE}/>"))
    assert limited == text_of(client, series, query(""))
    answer = client("REPORT", series, query("<C:limit-freebusy-set/>"))
    assert answer.xml.find(f"{C}valid-calendar-data") is not None


def test_too_long_a_range_to_expand_is_refused(client: Client) -> None:
    path = client.collection("calendar")
    client("PUT", path + "daily.ics", event("daily", "Daily", "20260101T080000Z", "RRULE:FREQ=DAILY"))
    years = 'start="20260101T000000Z" end="20500101T000000Z"'
    answer = client("REPORT", path, query(f"<C:expand {years}/>", f"<C:time-range {years}/>"))
    assert answer.status == 507
    assert answer.xml.find(f"{D}number-of-matches-within-limits") is not None


@pytest.mark.parametrize(
    "bounds", ["", 'start="20260601T000000Z"', 'start="20260602T000000Z" end="20260601T000000Z"']
)
def test_a_range_to_expand_has_two_ends(client: Client, bounds: str) -> None:
    answer = client("REPORT", client.collection("calendar"), query(f"<C:expand {bounds}/>"))
    assert answer.status == 403


# Filters


def found(client: Client, inner: str, *, component: str = "VEVENT", more: str = "", path: str = "") -> set[str]:
    collection = path or client.collection("calendar")
    answer = client("REPORT", collection, query("", inner, component=component, more=more), Depth="1")
    assert answer.status == 207, answer.text
    return {each.removeprefix(collection).removesuffix(".ics") for each in answer.hrefs}


def test_a_changed_instance_is_found_at_its_time_only(client: Client, series: str) -> None:
    def at(day: str) -> set[str]:
        return found(client, f'<C:time-range start="202606{day}T000000Z" end="202606{day}T235959Z"/>')

    assert [bool(at(day)) for day in ("01", "08", "15", "16", "22", "23")] == [
        True,
        False,
        False,
        True,
        True,
        False,
    ]


def test_text_and_time_must_be_those_of_the_same_instance(client: Client, series: str) -> None:
    moved = '<C:prop-filter name="SUMMARY"><C:text-match>Moved</C:text-match></C:prop-filter>'
    there = '<C:time-range start="20260616T000000Z" end="20260617T000000Z"/>'
    elsewhere = '<C:time-range start="20260622T000000Z" end="20260623T000000Z"/>'
    assert found(client, there + moved) == {"series"}
    assert found(client, elsewhere + moved) == set()


@pytest.mark.parametrize(
    ("zone", "day_before", "day", "day_after"),
    [
        ("Europe/Berlin", True, True, False),
        ("Pacific/Auckland", True, False, False),
        ("America/Los_Angeles", False, True, True),
    ],
)
def test_the_zone_of_a_query_says_when_a_day_begins(
    client: Client, zone: str, day_before: bool, day: bool, day_after: bool
) -> None:
    client("PUT", client.collection("calendar") + "day.ics", ALL_DAY)
    calendar = SERIES[: SERIES.index("BEGIN:VTIMEZONE")]
    ranges = {
        "before": 'start="20260609T220000Z" end="20260609T230000Z"',
        "on": 'start="20260610T180000Z" end="20260610T190000Z"',
        "after": 'start="20260610T230000Z" end="20260611T010000Z"',
    }
    offsets = {"Europe/Berlin": "+0200", "Pacific/Auckland": "+1200", "America/Los_Angeles": "-0700"}
    described = (
        f"{calendar}BEGIN:VTIMEZONE\r\nTZID:{zone}\r\nBEGIN:STANDARD\r\nDTSTART:20000101T000000\r\n"
        f"TZOFFSETFROM:{offsets[zone]}\r\nTZOFFSETTO:{offsets[zone]}\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nEND:VCALENDAR"
    )
    for more in (f"<C:timezone>{described}</C:timezone>", f"<C:timezone-id>{zone}</C:timezone-id>"):
        seen = [bool(found(client, f"<C:time-range {each}/>", more=more)) for each in ranges.values()]
        assert seen == [day_before, day, day_after]


def test_the_zone_of_the_collection_is_that_of_its_queries(client: Client) -> None:
    path = client.home + "auckland/"
    body = f"<C:mkcalendar {CALDAV}><set><prop><C:calendar-timezone-id>Pacific/Auckland</C:calendar-timezone-id></prop></set></C:mkcalendar>"
    assert client("MKCALENDAR", path, body).status == 201
    client("PUT", path + "day.ics", ALL_DAY)
    assert found(client, '<C:time-range start="20260609T123000Z" end="20260609T124500Z"/>', path=path) == {
        "day"
    }
    assert found(client, '<C:time-range start="20260610T180000Z" end="20260610T190000Z"/>', path=path) == set()


def test_a_zone_that_does_not_exist_is_refused(client: Client) -> None:
    calendar = client.collection("calendar")
    answer = client("REPORT", calendar, query("", more="<C:timezone-id>Mars/Olympus</C:timezone-id>"))
    assert answer.xml.find(f"{C}valid-timezone") is not None
    answer = client("REPORT", calendar, query("", more="<C:timezone>nonsense</C:timezone>"))
    assert answer.xml.find(f"{C}valid-calendar-data") is not None


NOT_DEFINED = "<C:is-not-defined/>"


def prop(name: str, inner: str = "") -> str:
    return f'<C:prop-filter name="{name}">{inner}</C:prop-filter>'


def text(words: str, **attributes: str) -> str:
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f"<C:text-match{more}>{words}</C:text-match>"


ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT15M", "END:VALARM")


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (prop("SUMMARY", text("breakfast")), {"a"}),
        (prop("SUMMARY", text("breakfast", collation="i;octet")), set()),
        (prop("SUMMARY", text("BREAKFAST", collation="i;ascii-casemap")), {"a"}),
        (prop("SUMMARY", text("ÄPFEL", collation="i;unicode-casemap")), {"b"}),
        (prop("SUMMARY", text("breakfast", negate_condition="yes")), {"b", "c"}),
        (prop("UID", text("uid-b")), {"b"}),
        (prop("LOCATION", NOT_DEFINED), {"b", "c"}),
        (prop("LOCATION"), {"a"}),
        (prop("CATEGORIES", text("red")), {"a"}),
        (prop("CATEGORIES", text("blue")), {"a", "b"}),
        (prop("X-OWN", text("kept")), {"c"}),
        (prop("ATTENDEE", text("mailto:guest@example.org")), {"b"}),
        (prop("ATTENDEE", '<C:param-filter name="PARTSTAT"><C:text-match>DECLINED</C:text-match></C:param-filter>'), {"b"}),
        (prop("ATTENDEE", '<C:param-filter name="PARTSTAT"><C:text-match>ACCEPTED</C:text-match></C:param-filter>'), set()),
        (prop("ATTENDEE", '<C:param-filter name="X-NONE"><C:is-not-defined/></C:param-filter>'), {"b"}),
        (prop("DTSTART", '<C:time-range start="20260602T000000Z" end="20260603T000000Z"/>'), {"b"}),
        ('<C:comp-filter name="VALARM"/>', {"c"}),
        (f'<C:comp-filter name="VALARM">{NOT_DEFINED}</C:comp-filter>', {"a", "b"}),
        ('<C:comp-filter name="VALARM"><C:time-range start="20260603T094000Z" end="20260603T095000Z"/></C:comp-filter>', {"c"}),
        ('<C:comp-filter name="VALARM"><C:time-range start="20260603T095000Z" end="20260603T100000Z"/></C:comp-filter>', set()),
        (prop("SUMMARY", text("fruit")) + prop("LOCATION", text("kitchen")), set()),
        (prop("SUMMARY", text("breakfast")) + prop("LOCATION", text("kitchen")), {"a"}),
    ],
)  # fmt: skip
def test_events_are_filtered(client: Client, inner: str, expected: set[str]) -> None:
    calendar = client.collection("calendar")
    put = {
        "a": event("uid-a", "Breakfast", "20260601T100000Z", "LOCATION:Kitchen", "CATEGORIES:Red,Blue"),
        "b": event(
            "uid-b", "Äpfel", "20260602T100000Z", "CATEGORIES:Blue", "ORGANIZER:mailto:boss@example.org",
            "ATTENDEE;PARTSTAT=DECLINED:mailto:guest@example.org",
        ),
        "c": event("uid-c", "Fruit", "20260603T100000Z", "X-OWN:kept as it is", *ALARM),
    }  # fmt: skip
    for name, data in put.items():
        assert client("PUT", f"{calendar}{name}.ics", data).status == 201
    assert found(client, inner) == expected


@pytest.mark.parametrize(
    ("filter_", "precondition"),
    [
        ('<C:comp-filter name="VEVENT"/>', "valid-filter"),
        ("", "valid-filter"),
        ('<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range/></C:comp-filter></C:comp-filter>', "valid-filter"),
        ('<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="yesterday"/></C:comp-filter></C:comp-filter>', "valid-filter"),
        ('<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="20260601T000000"/></C:comp-filter></C:comp-filter>', "valid-filter"),
        ('<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:magic/></C:comp-filter></C:comp-filter>', "supported-filter"),
        ('<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="SUMMARY"><C:text-match collation="i;klingon">x</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter>', "supported-collation"),
    ],
)  # fmt: skip
def test_filters_without_a_meaning_are_refused(client: Client, filter_: str, precondition: str) -> None:
    body = (
        f"<C:calendar-query {CALDAV}><prop><getetag/></prop><C:filter>{filter_}</C:filter></C:calendar-query>"
    )
    answer = client("REPORT", client.collection("calendar"), body)
    assert answer.status == 403, answer.text
    assert answer.xml.find(f"{C}{precondition}") is not None


def test_a_report_that_does_not_exist_is_refused(client: Client) -> None:
    for path in (client.home, client.collection("calendar")):
        answer = client("REPORT", path, '<version-tree xmlns="DAV:"/>')
        assert answer.status == 403
        assert answer.xml.find(f"{D}supported-report") is not None


def test_a_query_of_one_item(client: Client) -> None:
    calendar = client.collection("calendar")
    for name in ("a", "b"):
        client("PUT", f"{calendar}{name}.ics", event(name, f"Same {name}"))
    assert client("REPORT", calendar + "a.ics", query("", prop("SUMMARY", text("same")))).hrefs == [
        calendar + "a.ics"
    ]
    assert client("REPORT", calendar + "a.ics", query("", prop("SUMMARY", text("other")))).hrefs == []


# Cards


def test_only_the_named_properties_of_a_card_are_told(client: Client) -> None:
    book = client.collection("addressbook")
    client(
        "PUT", book + "a.vcf", card("uid-a", "Anna Miller", "EMAIL:anna@example.org", "TEL:123", "NOTE:words")
    )
    data = (
        '<CR:address-data xmlns:CR="urn:ietf:params:xml:ns:carddav"{}><CR:prop name="FN"/><CR:prop name="EMAIL"/>'
        '<CR:prop name="NOTE" novalue="yes"/></CR:address-data>'
    )
    plain = '<address-data xmlns="urn:ietf:params:xml:ns:carddav"/>'
    for version in ("3.0", "4.0"):
        body = multiget("addressbook", book + "a.vcf").replace(plain, data.format(f' version="{version}"'))
        told = unfolded(client("REPORT", book, body).found(book + "a.vcf", f"{CR}address-data") or "")
        names = [re.split("[:;]", line)[0] for line in told.splitlines()]
        assert names == ["BEGIN", "VERSION", "FN", "EMAIL", "NOTE", "END"]
        assert f"VERSION:{version}" in told
        assert "NOTE:\n" in told.replace("\r", "")


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ('<CR:prop-filter name="TEL"><CR:param-filter name="TYPE"><CR:text-match>home</CR:text-match></CR:param-filter></CR:prop-filter>', {"a"}),
        ('<CR:prop-filter name="TEL"><CR:is-not-defined/></CR:prop-filter>', {"b"}),
        ('<CR:prop-filter name="EMAIL" test="allof"><CR:text-match>anna</CR:text-match><CR:text-match>example.com</CR:text-match></CR:prop-filter>', set()),
        ('<CR:prop-filter name="EMAIL" test="anyof"><CR:text-match>anna</CR:text-match><CR:text-match>example.com</CR:text-match></CR:prop-filter>', {"a", "b"}),
        ('<CR:prop-filter name="FN"><CR:text-match negate-condition="yes">anna</CR:text-match></CR:prop-filter>', {"b"}),
        ('<CR:prop-filter name="N"><CR:text-match match-type="equals">Miller</CR:text-match></CR:prop-filter>', {"a"}),
        ('<CR:prop-filter name="item1.X-LABEL"><CR:text-match>special</CR:text-match></CR:prop-filter>', {"b"}),
        ('<CR:prop-filter name="item2.X-LABEL"><CR:text-match>special</CR:text-match></CR:prop-filter>', set()),
    ],
)  # fmt: skip
def test_cards_are_filtered(client: Client, inner: str, expected: set[str]) -> None:
    book = client.collection("addressbook")
    client("PUT", book + "a.vcf", card("a", "Anna Miller", "EMAIL:anna@example.org", "TEL;TYPE=HOME:123"))
    client("PUT", book + "b.vcf", card("b", "Bob Young", "EMAIL:bob@example.com", "item1.X-LABEL:Special"))
    body = (
        '<CR:addressbook-query xmlns:CR="urn:ietf:params:xml:ns:carddav" xmlns="DAV:"><prop><getetag/></prop>'
        f"<CR:filter>{inner}</CR:filter></CR:addressbook-query>"
    )
    answer = client("REPORT", book, body)
    assert {path.removeprefix(book).removesuffix(".vcf") for path in answer.hrefs} == expected
