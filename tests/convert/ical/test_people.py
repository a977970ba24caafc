"""Attendees, invitations, answers and private items, by the ids of the case tables (CA)."""

from dataclasses import replace

import pytest

from gateway.convert.errors import ParseError
from gateway.convert.ical import calendar_part, from_ical, meeting_content, scheduling, to_ical
from gateway.convert.ical import propids as ids
from gateway.convert.ical.recurblob import decode
from gateway.convert.lines import Component, parse
from gateway.convert.mime import FromMimeOptions, ToMimeOptions, from_mime, to_mime
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from tests.convert.ical.items import (
    OPTIONS,
    OWNER,
    TIMES,
    alarm,
    at,
    calendar,
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

BOSS = "ORGANIZER;CN=Boss:mailto:boss@x.example"
MINE = f"ORGANIZER;CN=Owner:mailto:{OWNER}"
TWO = ("ATTENDEE;CN=A:mailto:a@x.example", "ATTENDEE;CN=B:mailto:b@x.example")
INVITED = (
    BOSS,
    f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{OWNER}",
    "ATTENDEE;PARTSTAT=ACCEPTED:mailto:b@x.example",
)


def rows(content: MessageContent) -> dict[str, dict]:
    return {row[pt.PR_SMTP_ADDRESS]: row for row in content.recipients}


def test_ca01_a_meeting_of_the_owner() -> None:
    content = event(MINE, *TWO)
    assert (content.props[ids.STATE], content.props[ids.RESPONSE]) == (1, 1)
    assert content.props[pt.PR_SENT_REPRESENTING_EMAIL_ADDRESS] == OWNER
    assert [row[pt.PR_RECIPIENT_TYPE] for row in content.recipients] == [1, 1, 1]
    assert rows(content)[OWNER][pt.PR_RECIPIENT_FLAGS] == 3
    assert content.props[ids.ALL_ATTENDEES] == "A; B"
    assert content.props[pt.PR_ICON_INDEX] == 0x402
    part = first(content)
    assert line(part, "ORGANIZER") == f";CN=Owner:mailto:{OWNER}"
    assert lines(part, "ATTENDEE") == ["mailto:a@x.example", "mailto:b@x.example"]


def test_ca02_a_meeting_to_which_the_owner_is_invited() -> None:
    content = event(*INVITED)
    assert (content.props[ids.STATE], content.props[ids.RESPONSE]) == (3, 5)


def test_ca03_an_organizer_alone() -> None:
    content = event(MINE)
    assert content.props[ids.STATE] == 0
    assert content.recipients == []
    assert first(content).first("ORGANIZER") is None


@pytest.mark.parametrize(
    ("params", "kind"),
    [
        pytest.param(";ROLE=OPT-PARTICIPANT", 2, id="CA04"),
        pytest.param(";CUTYPE=ROOM", 3, id="CA05"),
        pytest.param(";ROLE=NON-PARTICIPANT", 3, id="non-participant"),
        pytest.param(";ROLE=CHAIR", 1, id="chair"),
    ],
)
def test_kinds_of_attendees(params: str, kind: int) -> None:
    content = event(MINE, f"ATTENDEE{params}:mailto:a@x.example")
    assert rows(content)["a@x.example"][pt.PR_RECIPIENT_TYPE] == kind
    (back,) = first(content).all("ATTENDEE")
    name, value = params[1:].split("=")
    assert back.param(name) == value


def test_ca06_an_answer() -> None:
    content = event(MINE, "ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@x.example")
    assert rows(content)["a@x.example"][pt.PR_RECIPIENT_TRACKSTATUS] == 3
    (back,) = first(content).all("ATTENDEE")
    assert (back.param("PARTSTAT"), back.param("RSVP")) == ("ACCEPTED", "")


def test_ca07_no_answer() -> None:
    (back,) = first(
        event(MINE, "ATTENDEE;CN=A;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:a@x.example")
    ).all("ATTENDEE")
    assert (back.param("PARTSTAT"), back.param("RSVP")) == ("NEEDS-ACTION", "TRUE")


def test_ca08_the_organizer_among_the_attendees() -> None:
    content = event(MINE, f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{OWNER.upper()}", TWO[0])
    assert len(content.recipients) == 2


def test_ca09_addresses_in_capitals() -> None:
    content = event(MINE, "ATTENDEE:MAILTO:A@X.EXAMPLE")
    row = content.recipients[-1]
    row[pt.PR_ENTRYID] = b"address book"
    again = event(MINE, "ATTENDEE:mailto:a@x.example", existing=content)
    assert len(again.recipients) == 2
    assert again.recipients[-1][pt.PR_ENTRYID] == b"address book"
    assert event("ORGANIZER:MAILTO:OWNER@X.example", TWO[0]).props[ids.STATE] == 1


def test_ca10_an_address_in_a_parameter() -> None:
    content = event(MINE, "ATTENDEE;EMAIL=a@x.example:/principals/__uids__/x/")
    assert "a@x.example" in rows(content)


def test_ca11_an_address_that_nobody_knows() -> None:
    content = event(MINE, TWO[0], "ATTENDEE;CN=X:urn:uuid:1234")
    assert set(rows(content)) == {OWNER, "a@x.example"}
    assert lines(first(content), "ATTENDEE") == ["mailto:a@x.example", "urn:uuid:1234"]


def test_ca12_sent_by() -> None:
    content = event('ORGANIZER;SENT-BY="mailto:s@x.example":mailto:boss@x.example', *TWO)
    assert content.props[pt.PR_SENDER_EMAIL_ADDRESS] == "s@x.example"
    assert content.props[pt.PR_SENT_REPRESENTING_EMAIL_ADDRESS] == "boss@x.example"
    (back,) = first(content).all("ORGANIZER")
    assert back.param("SENT-BY") == "mailto:s@x.example"


def test_ca13_an_organizer_without_name() -> None:
    content = event("ORGANIZER:mailto:boss@x.example", *TWO)
    del content.props[ids.RETAINED]
    assert line(first(content), "ORGANIZER") == ";CN=boss@x.example:mailto:boss@x.example"


def test_unknown_parameters_of_attendees() -> None:
    content = event(
        MINE,
        'ATTENDEE;CN=A;ROLE=REQ-PARTICIPANT;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:c@x.example";X-NUM-GUESTS=2:mailto:a@x.example',
    )
    (back,) = first(content).all("ATTENDEE")
    assert (back.param("PARTSTAT"), back.param("DELEGATED-TO")) == ("DELEGATED", "mailto:c@x.example")
    content.recipients[-1][pt.PR_RECIPIENT_TRACKSTATUS] = 3
    (back,) = first(content).all("ATTENDEE")
    assert (back.param("PARTSTAT"), back.param("X-NUM-GUESTS")) == ("ACCEPTED", "2")


# Mails

REQUEST = vevent(BOSS, f"ATTENDEE;RSVP=TRUE:mailto:{OWNER}", "SUMMARY:Talk", "X-MICROSOFT-CDO-BUSYSTATUS:BUSY")


def mailed(*components: str, method: str, part_method: str = "") -> MessageContent | None:
    return meeting_content(calendar(*components, method=method), part_method, options=OPTIONS)


def got(*components: str, method: str) -> MessageContent:
    found = mailed(*components, method=method)
    assert found is not None
    return found


def test_ca14_a_request() -> None:
    props = got(REQUEST, method="REQUEST").props
    assert props[pt.PR_MESSAGE_CLASS] == "IPM.Schedule.Meeting.Request"
    assert (props[ids.INTENDED_BUSY], props[ids.BUSY_STATUS]) == (2, 1)
    assert props[pt.PR_RESPONSE_REQUESTED] is True
    assert (props[ids.STATE], props[ids.RESPONSE]) == (3, 5)


def test_a_request_for_a_series_has_the_old_fields() -> None:
    props = got(vevent(BOSS, *TWO, "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3"), method="REQUEST").props
    assert (props[ids.START_DATE], props[ids.START_TIME]) == (0xFD4EE, 10 * 4096)
    assert (props[ids.WEEK_INTERVAL], props[ids.OLD_RECURRENCE_TYPE]) == (2, 48)


def answer(*more: str, partstat: str = "DECLINED", stamp: str = "") -> str:
    text = vevent(BOSS.replace("boss", "owner"), f"ATTENDEE;CN=A;PARTSTAT={partstat}:mailto:a@x.example", *more)
    return text.replace("20260101T000000Z", stamp) if stamp else text


@pytest.mark.parametrize(
    ("partstat", "name"), [("DECLINED", "Neg"), ("ACCEPTED", "Pos"), ("TENTATIVE", "Tent")]
)
def test_ca15_an_answer(partstat: str, name: str) -> None:
    content = got(answer(partstat=partstat), method="REPLY")
    assert content.props[pt.PR_MESSAGE_CLASS] == f"IPM.Schedule.Meeting.Resp.{name}"
    assert content.props[ids.ATTENDEE_CHANGE] == at("2026-01-01 00:00")
    assert content.props[pt.PR_SENT_REPRESENTING_EMAIL_ADDRESS] == "a@x.example"


def test_ca16_an_answer_of_two() -> None:
    assert mailed(answer(TWO[1]), method="REPLY") is None


def test_ca17_a_proposal() -> None:
    original = ("X-MS-OLK-ORIGINALSTART:20260713T080000Z", "X-MS-OLK-ORIGINALEND:20260713T083000Z")
    props = got(answer(*original), method="COUNTER").props
    assert props[pt.PR_MESSAGE_CLASS] == "IPM.Schedule.Meeting.Resp.Tent"
    assert props[ids.COUNTER] is True
    assert (props[ids.PROPOSED_START], props[ids.PROPOSED_END]) == (
        at("2026-07-14 08:00"),
        at("2026-07-14 08:30"),
    )
    assert (props[ids.START], props[ids.END]) == (at("2026-07-13 08:00"), at("2026-07-13 08:30"))


def organized(*more: str) -> MessageContent:
    return event(MINE, *TWO, *more)


def test_ca18_an_instance_is_cancelled() -> None:
    cancel = got(
        vevent(MINE, *TWO, "RECURRENCE-ID:20260721T080000Z", "STATUS:CANCELLED", "SEQUENCE:1"), method="CANCEL"
    )
    assert cancel.props[pt.PR_MESSAGE_CLASS] == "IPM.Schedule.Meeting.Canceled"
    assert cancel.props[ids.STATE] == 7
    assert cancel.props[ids.GLOBAL_ID][16:20].hex() == "07ea0715"
    after = scheduling.apply_cancellation(organized("RRULE:FREQ=WEEKLY;COUNT=4"), cancel, OPTIONS)
    assert after is not None
    assert decode(after.props[ids.RECUR]).deleted == (rtime("2026-07-21 00:00"),)


def test_a_meeting_is_cancelled() -> None:
    cancel = got(vevent(MINE, *TWO, "SEQUENCE:1"), method="CANCEL")
    after = scheduling.apply_cancellation(organized(), cancel, OPTIONS)
    assert after is not None
    assert line(first(after), "STATUS") == ":CANCELLED"
    assert after.props[ids.BUSY_STATUS] == 0


def test_ca19_an_older_request() -> None:
    request = got(REQUEST, method="REQUEST")
    item = scheduling.apply_request(None, request, OPTIONS)
    assert item is not None
    assert item.props[pt.PR_MESSAGE_CLASS] == "IPM.Appointment"
    item.props[ids.SEQUENCE] = 2
    assert scheduling.apply_request(item, request, OPTIONS) is None
    assert scheduling.is_outdated(item, request)


GUEST = (BOSS, f"ATTENDEE;RSVP=TRUE:mailto:{OWNER}")
MOVED = vevent(
    *GUEST,
    "SUMMARY:Moved",
    "RECURRENCE-ID;TZID=Europe/Berlin:20260721T100000",
    times=("DTSTART;TZID=Europe/Berlin:20260722T110000", "DTEND;TZID=Europe/Berlin:20260722T120000"),
)
LATER = vevent(
    *GUEST,
    "RECURRENCE-ID;TZID=Europe/Berlin:20260728T100000",
    times=("DTSTART;TZID=Europe/Berlin:20260728T110000", "DTEND;TZID=Europe/Berlin:20260728T120000"),
)


def applied(*components: str, item: MessageContent | None) -> MessageContent:
    after = scheduling.apply_request(item, got(*components, method="REQUEST"), OPTIONS)
    assert after is not None
    return after


def test_a_request_for_one_instance_changes_that_instance() -> None:
    item = applied(vevent(*GUEST, "RRULE:FREQ=WEEKLY;COUNT=4", "SUMMARY:Weekly"), item=None)
    item.props |= {ids.RESPONSE: ids.ACCEPTED, pt.PR_BODY: "notes"}
    after = applied(MOVED, item=item)
    whole, one = written(after)
    assert (line(whole, "RRULE"), whole.text("SUMMARY")) == (":FREQ=WEEKLY;BYDAY=TU;COUNT=4", "Weekly")
    assert (line(whole, "ATTENDEE"), whole.text("DESCRIPTION")) != (line(one, "ATTENDEE"), None)
    assert line(one, "DTSTART") == ";TZID=Europe/Berlin:20260722T110000"
    assert (one.text("SUMMARY"), line(one, "RECURRENCE-ID")) == ("Moved", ";TZID=Europe/Berlin:20260721T100000")
    assert [each.param("PARTSTAT", "NEEDS-ACTION") for each in one.all("ATTENDEE")] == ["NEEDS-ACTION"]
    assert applied(MOVED, item=after) == after
    assert len(written(applied(LATER, item=after))) == 3


def test_requests_for_single_instances_come_together() -> None:
    item = applied(LATER, item=applied(MOVED, item=None))
    assert [line(each, "RECURRENCE-ID") for each in written(item)] == [
        ";TZID=Europe/Berlin:20260721T100000",
        ";TZID=Europe/Berlin:20260728T100000",
    ]
    whole = applied(vevent(*GUEST, "RRULE:FREQ=WEEKLY;COUNT=4", "SEQUENCE:1"), item=item)
    assert [line(each, "RRULE") for each in written(whole)] == [":FREQ=WEEKLY;BYDAY=TU;COUNT=4"]
    single = applied(vevent(*GUEST, "SEQUENCE:2"), item=whole)
    assert [line(each, "RRULE") for each in written(single)] == [None]


def test_a_cancellation_of_an_instance_that_the_guest_does_not_have() -> None:
    item = applied(MOVED, item=None)
    other = got(LATER, method="CANCEL")
    assert scheduling.apply_cancellation(item, other, OPTIONS) is None
    own = scheduling.apply_cancellation(item, got(MOVED, method="CANCEL"), OPTIONS)
    assert own is not None
    assert line(first(own), "STATUS") == ":CANCELLED"


def test_ca20_an_older_answer() -> None:
    item = organized()
    reply = got(answer(stamp="20260105T000000Z", partstat="ACCEPTED"), method="REPLY")
    after = scheduling.apply_reply(item, reply, OPTIONS)
    assert after is not None
    assert rows(after)["a@x.example"][pt.PR_RECIPIENT_TRACKSTATUS] == 3
    assert rows(item)["a@x.example"][pt.PR_RECIPIENT_TRACKSTATUS] == 0
    assert scheduling.apply_reply(after, got(answer(), method="REPLY"), OPTIONS) is None
    stranger = got(answer(partstat="ACCEPTED").replace("a@x", "z@x"), method="REPLY")
    assert scheduling.apply_reply(item, stranger, OPTIONS) is None


def test_an_answer_to_one_instance() -> None:
    item = organized("RRULE:FREQ=WEEKLY;COUNT=4", "SUMMARY:Weekly")
    reply = got(answer("RECURRENCE-ID:20260721T080000Z"), method="REPLY")
    after = scheduling.apply_reply(item, reply, OPTIONS)
    assert after is not None
    master, instance = written(after)
    assert line(instance, "RECURRENCE-ID") == ";TZID=Europe/Berlin:20260721T100000"
    assert line(instance, "DTSTART") == ";TZID=Europe/Berlin:20260721T100000"
    assert instance.text("SUMMARY") == "Weekly"
    assert [each.param("PARTSTAT") for each in instance.all("ATTENDEE")] == ["DECLINED", "NEEDS-ACTION"]
    assert [each.param("PARTSTAT", "NEEDS-ACTION") for each in master.all("ATTENDEE")] == ["NEEDS-ACTION"] * 2
    second = got(
        answer("RECURRENCE-ID:20260721T080000Z", partstat="ACCEPTED", stamp="20260109T000000Z"), method="REPLY"
    )
    last = scheduling.apply_reply(after, second, OPTIONS)
    assert last is not None
    assert next(written(last)[1].all("ATTENDEE")).param("PARTSTAT") == "ACCEPTED"
    assert len(last.attachments) == 1


def test_ca21_a_method_that_only_the_part_names() -> None:
    assert mailed(REQUEST, method="") is None
    assert mailed(REQUEST, method="", part_method="request") is not None
    assert from_mail(calendar(REQUEST)).props[pt.PR_MESSAGE_CLASS] == "IPM.Schedule.Meeting.Request"


REPLY = f"ATTENDEE;PARTSTAT=DECLINED:mailto:{OWNER}"


def test_an_answer_without_times() -> None:
    reply = got(vevent(BOSS, REPLY, times=()), method="REPLY")
    assert reply.props[pt.PR_MESSAGE_CLASS] == "IPM.Schedule.Meeting.Resp.Neg"
    assert ids.START not in reply.props
    (part,) = parse(calendar_part(reply, OPTIONS) or b"")
    assert [each.name for each in part.children] == ["VEVENT"]
    assert part.children[0].first("DTSTART") is None
    boss = replace(OPTIONS, owner=("boss@x.example",))
    item = event(BOSS, f"ATTENDEE:mailto:{OWNER}", options=boss)
    noted = scheduling.apply_reply(item, reply, boss)
    assert noted is not None
    assert "PARTSTAT=DECLINED" in to_ical(noted, boss).decode()


def test_an_answer_without_times_to_one_instance() -> None:
    boss = replace(OPTIONS, owner=("boss@x.example",))
    series = event(BOSS, f"ATTENDEE:mailto:{OWNER}", "RRULE:FREQ=WEEKLY;COUNT=3", options=boss)
    when = "RECURRENCE-ID;TZID=Europe/Berlin:20260721T100000"
    reply = got(vevent(BOSS, REPLY, when, times=()), method="REPLY")
    noted = scheduling.apply_reply(series, reply, boss)
    assert noted is not None
    whole, one = written(noted, boss)
    assert line(whole, "ATTENDEE") != line(one, "ATTENDEE")
    assert line(one, "RECURRENCE-ID") == ";TZID=Europe/Berlin:20260721T100000"
    (part,) = parse(calendar_part(reply, OPTIONS) or b"")
    assert line(part.children[0], "RECURRENCE-ID") == ":20260721T080000Z"


def mail(data: bytes) -> bytes:
    part = b"Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n" + data + b"\r\n"
    text = b"Content-Type: text/plain\r\n\r\nhello\r\n"
    file = (
        b"Content-Type: application/ics; name=i.ics\r\nContent-Disposition: attachment\r\n\r\n" + data + b"\r\n"
    )
    inner = (
        b"Content-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n"
        + text
        + b"--i\r\n"
        + part
        + b"--i--\r\n"
    )
    head = b"From: Boss <boss@x.example>\r\nTo: owner@x.example\r\nSubject: Invitation\r\nMIME-Version: 1.0\r\n"
    return (
        head
        + b"Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n"
        + inner
        + b"--o\r\n"
        + file
        + b"--o--\r\n"
    )


def from_mail(data: bytes) -> MessageContent:
    return from_mime(
        mail(data),
        FromMimeOptions(calendar_content=lambda text, method: meeting_content(text, method, options=OPTIONS)),
    )


def test_ca22_a_calendar_twice_in_a_mail() -> None:
    content = from_mail(calendar(REQUEST, method="REQUEST"))
    assert content.props[pt.PR_MESSAGE_CLASS] == "IPM.Schedule.Meeting.Request"
    assert content.props[pt.PR_SUBJECT] == "Invitation"
    assert [each.props[pt.PR_ATTACH_LONG_FILENAME] for each in content.attachments] == ["i.ics"]


def test_ca23_two_events_in_a_mail() -> None:
    content = from_mail(calendar(REQUEST, vevent(uid="other"), method="REQUEST"))
    assert content.props[pt.PR_MESSAGE_CLASS] == "IPM.Note"
    assert len(content.attachments) == 2


def test_a_mail_around_a_meeting() -> None:
    outer = MessageContent({pt.PR_SUBJECT: "Fwd", pt.PR_BODY: "see below", pt.PR_MESSAGE_CLASS: "IPM.Note"})
    found = meeting_content(calendar(REQUEST, method="REQUEST"), "", outer, OPTIONS)
    assert found is not None
    assert (found.props[pt.PR_SUBJECT], found.props[pt.PR_BODY]) == ("Fwd", "see below")
    assert found.props[pt.PR_MESSAGE_CLASS] == "IPM.Schedule.Meeting.Request"


@pytest.mark.parametrize("method", ["PUBLISH", "ADD", "REFRESH", "DECLINECOUNTER", ""])
def test_other_methods_stay_files(method: str) -> None:
    assert mailed(REQUEST, method=method) is None


def part_of(content: MessageContent) -> Component:
    data = calendar_part(content, OPTIONS)
    assert data is not None
    (found,) = parse(data)
    return found


def test_a_request_as_mail() -> None:
    guests = ("ATTENDEE:mailto:a@x.example", "ATTENDEE:mailto:b@x.example")
    message = got(vevent(BOSS, *guests, "SUMMARY:Talk", alarm("TRIGGER:-PT5M")), method="REQUEST")
    part = part_of(message)
    assert part.text("METHOD") == "REQUEST"
    shown = next(part.components("VEVENT"))
    assert lines(shown, "ATTENDEE") == ["mailto:a@x.example", "mailto:b@x.example"]
    assert line(shown, "STATUS") == ":CONFIRMED"
    assert shown.children == []
    raw = b"".join(
        to_mime(message, ToMimeOptions(calendar=lambda content: calendar_part(content, OPTIONS))).chunks()
    )
    assert b"method=REQUEST" in raw
    back = from_mime(
        raw,
        FromMimeOptions(calendar_content=lambda text, method: meeting_content(text, method, options=OPTIONS)),
    )
    assert back.props[pt.PR_MESSAGE_CLASS] == "IPM.Schedule.Meeting.Request"
    assert back.props[ids.START] == message.props[ids.START]


def test_an_answer_as_mail() -> None:
    said = f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{OWNER}"
    reply = got(vevent(BOSS, said, "SEQUENCE:3"), method="REPLY")
    assert [row[pt.PR_SMTP_ADDRESS] for row in reply.recipients] == ["boss@x.example"]
    part = part_of(reply)
    assert part.text("METHOD") == "REPLY"
    shown = next(part.components("VEVENT"))
    assert lines(shown, "ATTENDEE") == [f"mailto:{OWNER}"]
    assert next(shown.all("ATTENDEE")).param("PARTSTAT") == "ACCEPTED"
    assert line(shown, "SEQUENCE") == ":3"
    assert lines(shown, "DTSTAMP") == ["20260101T000000Z"]
    back = meeting_content(calendar_part(reply, OPTIONS) or b"", options=OPTIONS)
    assert back is not None
    assert back.props[pt.PR_MESSAGE_CLASS] == "IPM.Schedule.Meeting.Resp.Pos"


def test_a_proposal_as_mail() -> None:
    original = (
        "X-MS-OLK-ORIGINALSTART:20260713T080000Z",
        "X-MS-OLK-ORIGINALEND:20260713T083000Z",
        "COMMENT:later\\, please",
    )
    counter = got(answer(*original), method="COUNTER")
    part = part_of(counter)
    assert part.text("METHOD") == "COUNTER"
    shown = next(part.components("VEVENT"))
    assert line(shown, "DTSTART") == ":20260714T080000Z"
    assert line(shown, "X-MS-OLK-ORIGINALSTART") == ":20260713T080000Z"
    assert shown.text("COMMENT") == "later, please"


def test_a_cancellation_as_mail() -> None:
    part = part_of(got(vevent(BOSS, "ATTENDEE:mailto:a@x.example", "SEQUENCE:1"), method="CANCEL"))
    assert part.text("METHOD") == "CANCEL"
    shown = next(part.components("VEVENT"))
    assert (line(shown, "STATUS"), line(shown, "SEQUENCE")) == (":CANCELLED", ":1")


def test_what_is_no_calendar_item_has_no_part() -> None:
    assert calendar_part(MessageContent({pt.PR_MESSAGE_CLASS: "IPM.Note"}), OPTIONS) is None
    assert calendar_part(MessageContent({pt.PR_MESSAGE_CLASS: "IPM.Appointment"}), OPTIONS) is None
    assert part_of(event()).text("METHOD") == "PUBLISH"


# The owner's copy


def test_ca24_a_dismissed_alarm_changes_nothing_else() -> None:
    content = event(MINE, *TWO, alarm("TRIGGER:-PT15M"))
    content.recipients[1][pt.PR_RECIPIENT_TRACKSTATUS] = 3
    text = to_ical(content, OPTIONS).replace(b"SEQUENCE:", b"X-MOZ-LASTACK:20260714T075000Z\r\nSEQUENCE:")
    again = from_ical(text, content, OPTIONS)
    assert again.recipients == content.recipients
    assert again.props[ids.SEQUENCE] == content.props[ids.SEQUENCE]


def test_ca25_the_owner_answers() -> None:
    content = event(*INVITED)
    put = event(BOSS, f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{OWNER}", existing=content)
    assert put.props[ids.RESPONSE] == 3
    assert put.recipients == content.recipients
    found = {each.value: each.param("PARTSTAT") for each in first(put).all("ATTENDEE")}
    assert found == {f"mailto:{OWNER}": "ACCEPTED", "mailto:b@x.example": "ACCEPTED"}


def test_ca26_a_guest_moves_a_meeting() -> None:
    content = event(*INVITED)
    later = tuple(time.replace("T10", "T11") for time in TIMES)
    with pytest.raises(ParseError, match="organizer"):
        event(*INVITED, times=(later[0], later[1].replace("1030", "1130")), existing=content)
    moved = event(*INVITED, "SEQUENCE:1", times=later, existing=content)
    assert moved.props[ids.START] == at("2026-07-14 09:00")


def test_ca27_a_private_item_for_others() -> None:
    reader = replace(OPTIONS, sees_private=False)
    content = read(
        vevent("RRULE:FREQ=WEEKLY;COUNT=4", "CLASS:PRIVATE", "SUMMARY:secret", "DESCRIPTION:secret", "LOCATION:secret",
               "X-SECRET:secret", "CATEGORIES:secret", MINE, *TWO, alarm("TRIGGER:-PT15M"), "ATTACH;VALUE=BINARY;ENCODING=BASE64;X-FILENAME=secret:c2VjcmV0"),
        component("VEVENT", "RECURRENCE-ID:20260721T080000Z", "DTSTART:20260722T080000Z", "SUMMARY:secret", "CLASS:PRIVATE", "X-S:secret"),
    )  # fmt: skip
    text = to_ical(content, reader)
    assert b"secret" not in text
    assert b"x.example" not in text.replace(b"abc@example.com", b"")
    assert b"VALARM" not in text
    shown = written(content, reader)
    assert [each.text("SUMMARY") for each in shown] == ["Private Appointment"] * 2
    with pytest.raises(ParseError, match="owner"):
        from_ical(text, content, reader)


def test_a_private_instance_of_an_open_series() -> None:
    content = read(
        vevent("RRULE:FREQ=WEEKLY;COUNT=4", "SUMMARY:open"),
        component(
            "VEVENT",
            "RECURRENCE-ID:20260721T080000Z",
            "DTSTART:20260722T080000Z",
            "SUMMARY:secret",
            "CLASS:PRIVATE",
        ),
    )
    text = to_ical(content, replace(OPTIONS, sees_private=False))
    assert b"secret" not in text


def test_ca28_no_counter_proposals() -> None:
    content = event(MINE, *TWO, "X-MICROSOFT-DISALLOW-COUNTER:TRUE")
    assert content.props[ids.NO_COUNTER] is True
    assert line(first(content), "X-MICROSOFT-DISALLOW-COUNTER") == ":TRUE"
