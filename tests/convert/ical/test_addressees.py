"""Meeting messages for some of those who are invited, and organizers of the house who have no Internet address."""

from __future__ import annotations

import pytest

from gateway.convert.ical import calendar_part, from_ical, meeting_content, to_ical
from gateway.convert.ical import propids as ids
from gateway.convert.ical.addressees import addressed, as_organized, keep_attendees
from gateway.convert.ical.delegation import told_by
from gateway.convert.ical.options import Options
from gateway.convert.ical.people import RECIPIENT, REPRESENTING, SENDER, person_props
from gateway.convert.ical.retained import Piece, read, written
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from gateway.mapi.props import NamedProps

OPTIONS = Options(owner=("boss@x.example",), owner_name="Boss")
LINES = (
    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "METHOD:REQUEST", "BEGIN:VEVENT", "UID:u1", "DTSTAMP:20261101T000000Z",
    "DTSTART:20261201T100000Z", "DURATION:PT1H", "SUMMARY:Talk", "RRULE:FREQ=DAILY;COUNT=3",
    "ORGANIZER;CN=Boss:mailto:boss@x.example", "ATTENDEE;CN=Ann:mailto:ann@x.example",
    "ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@x.example", "END:VEVENT", "BEGIN:VEVENT", "UID:u1",
    "DTSTAMP:20261101T000000Z", "RECURRENCE-ID:20261202T100000Z", "DTSTART:20261202T150000Z", "DURATION:PT1H",
    "SUMMARY:Later", "ORGANIZER;CN=Boss:mailto:boss@x.example", "ATTENDEE;CN=Ann:mailto:ann@x.example",
    "ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@x.example", "END:VEVENT", "END:VCALENDAR",
)  # fmt: skip
TEXT = "".join(f"{line}\r\n" for line in LINES).encode()


def message() -> MessageContent:
    found = meeting_content(TEXT)
    assert found is not None
    return found


def row_of(content: MessageContent, address: str) -> NamedProps:
    return next(row for row in content.recipients if row[pt.PR_SMTP_ADDRESS] == address)


def people(content: MessageContent) -> list[str]:
    """The addresses of the attendees in the text, of all components in order."""
    part = (calendar_part(content, OPTIONS) or b"").replace(b"\r\n ", b"").decode()
    return [line.rpartition("mailto:")[2] for line in part.splitlines() if line.startswith("ATTENDEE")]


def test_the_text_names_everybody_whoever_gets_it() -> None:
    full = message()
    changed = addressed(full, [row_of(full, "ann@x.example")], OPTIONS)
    assert [row[pt.PR_SMTP_ADDRESS] for row in changed.recipients] == ["ann@x.example"]
    assert people(changed) == ["ann@x.example", "bob@x.example"] * 2
    assert b"PARTSTAT=ACCEPTED" in (calendar_part(changed, OPTIONS) or b"")
    assert len(full.recipients) == 3


def test_what_the_text_says_of_them_is_kept_too() -> None:
    said = b'ATTENDEE;CN=Bob;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:c@x.example":mailto:bob@x.example'
    odd = b"ATTENDEE;CN=Room:urn:uuid:1\r\n"
    full = meeting_content(TEXT.replace(b"ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@x.example", odd + said))
    assert full is not None
    changed = addressed(full, [row_of(full, "ann@x.example")], OPTIONS)
    part = (calendar_part(changed, OPTIONS) or b"").replace(b"\r\n ", b"")
    assert part.count(said) == part.count(odd) == 2


def test_nothing_is_kept_when_nobody_is_missing() -> None:
    full = message()
    same = addressed(full, full.recipients, OPTIONS)
    assert same.props.get(ids.RETAINED) == full.props.get(ids.RETAINED)


def test_a_mail_to_some_keeps_whom_else_it_invites() -> None:
    full = message()
    mail = MessageContent(dict(full.props), [dict(row_of(full, "bob@x.example"))])
    keep_attendees(mail, full)
    assert people(mail)[:2] == ["bob@x.example", "ann@x.example"]
    other = MessageContent({**full.props, ids.GLOBAL_ID: b"another"}, [dict(row_of(full, "bob@x.example"))])
    before = dict(other.props)
    keep_attendees(other, full)
    assert other.props == before


def passed_on() -> MessageContent:
    """The invitation as Ann sends it to Carl."""
    full = message()
    carl = person_props("Carl", "carl@x.example", RECIPIENT) | {pt.PR_RECIPIENT_TYPE: 1}
    sender = person_props("Ann", "ann@x.example", REPRESENTING) | person_props("Ann", "ann@x.example", SENDER)
    return addressed(full, [carl], OPTIONS, sender)


def named(content: MessageContent, name: str) -> list[str]:
    part = (calendar_part(content, OPTIONS) or b"").replace(b"\r\n ", b"").decode()
    return [line.partition(":")[2] for line in part.splitlines() if line.startswith(name)]


def test_who_passes_an_invitation_on_is_not_its_organizer() -> None:
    sent = passed_on()
    assert sent.props[pt.PR_SENT_REPRESENTING_EMAIL_ADDRESS] == "ann@x.example"
    assert named(sent, "ORGANIZER") == ["mailto:boss@x.example"] * 2
    assert people(sent) == ["carl@x.example", "ann@x.example", "bob@x.example"] * 2


def test_an_invitation_that_was_passed_on_comes_from_its_organizer() -> None:
    taken = as_organized(passed_on(), OPTIONS)
    assert taken.props[pt.PR_SENT_REPRESENTING_EMAIL_ADDRESS] == "boss@x.example"
    assert taken.props[pt.PR_SENT_REPRESENTING_NAME] == "Boss"
    assert taken.props[pt.PR_SENDER_EMAIL_ADDRESS] == "boss@x.example"
    assert named(taken, "ORGANIZER") == ["mailto:boss@x.example"] * 2
    assert people(taken) == people(passed_on())
    plain = message()
    assert as_organized(plain, OPTIONS) is plain


@pytest.mark.parametrize("line", ["", ":", "ORGANIZER", "ORGANIZER:urn:uuid:1", "\0", "ORGANIZER;CN=:mailto:"])
def test_what_is_kept_may_be_anything(line: str) -> None:
    """Whoever can put a property into a message."""
    sent = passed_on()
    kept = read(sent.props[ids.RETAINED])
    for one in kept.components.values():
        one.pieces[:] = [Piece(each.key, each.owner, each.digest, line) for each in one.pieces]
    sent.props[ids.RETAINED] = written(kept)
    assert as_organized(sent, OPTIONS) is sent
    assert told_by(sent) is None


def test_a_mail_of_somebody_else_keeps_the_organizer_of_its_text() -> None:
    full = message()
    mail = MessageContent(dict(full.props), [dict(row_of(full, "bob@x.example"))])
    mail.props |= person_props("Ann", "ann@x.example", REPRESENTING)
    keep_attendees(mail, full)
    assert mail.props[pt.PR_SENT_REPRESENTING_EMAIL_ADDRESS] == "ann@x.example"
    assert named(mail, "ORGANIZER") == ["mailto:boss@x.example"] * 2


@pytest.mark.parametrize("with_row", [True, False])
def test_an_organizer_of_the_house_is_named_by_his_address(with_row: bool) -> None:
    """Kopano's clients name him by his login name; his row, or whose calendar it is, tells the address."""
    item = from_ical(TEXT.replace(b"METHOD:REQUEST\r\n", b""), None, OPTIONS)
    for tag in (pt.PR_SENT_REPRESENTING_SMTP_ADDRESS, pt.PR_SENDER_SMTP_ADDRESS):
        item.props.pop(tag, None)
    for kind, address, entryid in (
        (
            pt.PR_SENT_REPRESENTING_ADDRTYPE,
            pt.PR_SENT_REPRESENTING_EMAIL_ADDRESS,
            pt.PR_SENT_REPRESENTING_ENTRYID,
        ),
        (pt.PR_SENDER_ADDRTYPE, pt.PR_SENDER_EMAIL_ADDRESS, pt.PR_SENDER_ENTRYID),
    ):
        item.props |= {kind: "ZARAFA", address: "boss", entryid: b"\0" * 48}
    if not with_row:
        item.recipients = [row for row in item.recipients if row[pt.PR_SMTP_ADDRESS] != "boss@x.example"]
    text = to_ical(item, OPTIONS)
    assert text.count(b"ORGANIZER;CN=Boss:mailto:boss@x.example") == 2
    assert text.count(b"ATTENDEE") == 4
