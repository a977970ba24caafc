"""Mail out: meetings, appointments and contacts through the converter that is plugged in (cases MO15, MO16)."""

from __future__ import annotations

import pytest

from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from tests.support.messages import attachment, embedded, note, parsed, shape

CALENDAR = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u1\r\nSUMMARY:Grüße\r\n"
    "RRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
).encode()
VCARD = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:John\r\nEND:VCARD\r\n"


def _calendar(content: MessageContent) -> bytes | None:
    return VCARD if "contact" in str(content.get(pt.PR_MESSAGE_CLASS)).lower() else CALENDAR


@pytest.mark.parametrize(
    "message_class", ["IPM.Schedule.Meeting.Request", "ipm.appointment", "IPM.Task", "IPM.Task.X"]
)
def test_MO15_MO16_meeting_has_a_calendar_form(message_class: str) -> None:
    content = note(MESSAGE_CLASS=message_class, BODY="b", HTML=b"<p>b", attachments=[attachment()])
    message = parsed(content, calendar=_calendar)
    assert shape(message) == (
        "mixed",
        ("alternative", "text/plain", "text/html", "text/calendar"),
        "application/octet-stream",
    )
    part = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    assert (part.get_param("method"), part.get_content_charset()) == ("REQUEST", "utf-8")
    assert part.get_payload(decode=True) == CALENDAR


def test_a_plain_meeting_is_an_alternative() -> None:
    content = note(MESSAGE_CLASS="IPM.Schedule.Meeting.Resp.Pos", BODY="yes")
    assert shape(parsed(content, calendar=_calendar)) == ("alternative", "text/plain", "text/calendar")


def test_no_method_no_parameter() -> None:
    message = parsed(
        note(MESSAGE_CLASS="IPM.Appointment"), calendar=lambda _: b"BEGIN:VCALENDAR\nEND:VCALENDAR\n"
    )
    part = message.get_payload(1)
    assert part.get_param("method") is None  # type: ignore[union-attr]
    assert part.get_payload() == "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "message_class", ["IPM.Note", "IPM.AppointmentX", "IPM.Scheduled", "REPORT.IPM.Note.NDR"]
)
def test_other_classes_are_not_asked(message_class: str) -> None:
    def calendar(content: MessageContent) -> bytes:
        raise AssertionError(content)

    parsed(note(MESSAGE_CLASS=message_class), calendar=calendar)


def test_nothing_plugged_in_or_nothing_to_say() -> None:
    content = note(MESSAGE_CLASS="IPM.Appointment", BODY="b")
    assert shape(parsed(content)) == "text/plain"
    assert shape(parsed(content, calendar=lambda _: None)) == "text/plain"


def test_contact_is_attached_as_vcard() -> None:
    message = parsed(note(MESSAGE_CLASS="IPM.Contact", BODY="notes"), calendar=_calendar)
    assert shape(message) == ("mixed", "text/plain", "text/vcard")
    assert message.get_payload(1).get_filename() == "contact.vcf"  # type: ignore[union-attr]


def test_embedded_contact_is_a_vcard_and_embedded_meeting_a_mail() -> None:
    contact, meeting = note(MESSAGE_CLASS="IPM.Contact"), note(MESSAGE_CLASS="IPM.Schedule.Meeting.Request")
    content = note(attachments=[embedded(contact), embedded(meeting)])
    assert shape(parsed(content, calendar=_calendar)) == (
        "mixed",
        "text/plain",
        "text/vcard",
        ("rfc822", ("alternative", "text/plain", "text/calendar")),
    )
