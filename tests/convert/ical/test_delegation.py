"""Guests who send somebody else: what they say goes through MAPI's messages and items (RFC 5546 4.2.5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.convert.ical import calendar_part, from_ical, meeting_content, scheduling, to_ical
from gateway.convert.ical import propids as ids
from gateway.convert.ical.people import RECIPIENT, address_of
from gateway.convert.lines import Component, parse
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from tests.convert.ical.items import OPTIONS, OWNER, calendar, read, vevent

BOSS = "ORGANIZER;CN=Boss:mailto:boss@x.example"
ORGANIZER = replace(OPTIONS, owner=("boss@x.example",), owner_name="Boss")
INVITED = f"ATTENDEE;CN=Owner;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{OWNER}"
SENT = f'ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:Bob@x.example":mailto:{OWNER}'
WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=3"


def answer(said: str = SENT, *more: str) -> MessageContent:
    """The message of a mail that tells of it."""
    found = meeting_content(calendar(vevent(BOSS, said, *more), method="REPLY"))
    assert found is not None
    return found


def organized(*more: str) -> MessageContent:
    return read(vevent(BOSS, INVITED, "DESCRIPTION:text", *more), options=ORGANIZER)


def people(item: MessageContent | bytes) -> list[list[str]]:
    """PARTSTAT, who sends, whom he sends, and the address of each ATTENDEE, of all components."""
    data = item if isinstance(item, bytes) else to_ical(item, ORGANIZER)
    found: list[list[str]] = []
    for component in parse(data)[0].components("VEVENT"):
        found += [
            [
                *(line.param(name).removeprefix("mailto:") for name in ("PARTSTAT", "DELEGATED-FROM", "DELEGATED-TO")),
                line.value.removeprefix("mailto:"),
            ]
            for line in component.all("ATTENDEE")
        ]  # fmt: skip
    return found


def test_the_message_declines_and_its_text_says_more() -> None:
    message = answer()
    assert message.props[pt.PR_MESSAGE_CLASS] == "IPM.Schedule.Meeting.Resp.Neg"
    assert message.props[ids.RESPONSE] == ids.DECLINED
    part = calendar_part(message, OPTIONS)
    assert part is not None
    assert parse(part)[0].text("METHOD") == "REPLY"
    assert people(part) == [["DELEGATED", "", "Bob@x.example", OWNER]]
    again = meeting_content(part)
    assert again is not None
    assert people(calendar_part(again, OPTIONS) or b"") == people(part)


def test_the_organizer_invites_whom_a_guest_sends() -> None:
    noted = scheduling.apply_reply(organized(), answer(), ORGANIZER)
    assert noted is not None
    assert people(noted) == [
        ["DELEGATED", "", "Bob@x.example", OWNER],
        ["NEEDS-ACTION", OWNER, "", "bob@x.example"],
    ]
    rows = {address_of(row, RECIPIENT): row for row in noted.recipients}
    assert rows["bob@x.example"][pt.PR_RECIPIENT_TYPE] == rows[OWNER][pt.PR_RECIPIENT_TYPE] == 2
    assert rows[OWNER][pt.PR_RECIPIENT_TRACKSTATUS] == ids.NO_RESPONSE
    assert noted.props[pt.PR_BODY] == "text"
    assert noted.props.get(ids.SEQUENCE, 0) == organized().props.get(ids.SEQUENCE, 0)


def test_who_comes_after_all_sends_nobody() -> None:
    noted = scheduling.apply_reply(organized(), answer(), ORGANIZER)
    assert noted is not None
    accepted = answer(f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{OWNER}")
    accepted.props[ids.ATTENDEE_CHANGE] += 10_000_000
    after = scheduling.apply_reply(noted, accepted, ORGANIZER)
    assert after is not None
    assert people(after)[0] == ["ACCEPTED", "", "", OWNER]


def test_for_one_instance() -> None:
    place = "RECURRENCE-ID;TZID=Europe/Berlin:20260721T100000"
    noted = scheduling.apply_reply(organized(WEEKLY), answer(SENT, place), ORGANIZER)
    assert noted is not None
    assert people(noted) == [
        ["NEEDS-ACTION", "", "", OWNER],
        ["DELEGATED", "", "Bob@x.example", OWNER],
        ["NEEDS-ACTION", OWNER, "", "bob@x.example"],
    ]


@pytest.mark.parametrize(
    "said",
    [
        f"ATTENDEE;PARTSTAT=DELEGATED:mailto:{OWNER}",
        f"ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=:mailto:{OWNER}",
        f'ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="urn:uuid:1":mailto:{OWNER}',
    ],
)
def test_who_sends_nobody_says_nothing(said: str) -> None:
    assert meeting_content(calendar(vevent(BOSS, said), method="REPLY")) is None


def test_who_was_not_invited_sends_nobody() -> None:
    stranger = SENT.replace(OWNER, "stranger@x.example")
    assert scheduling.apply_reply(organized(), answer(stranger), ORGANIZER) is None


def test_the_organizer_and_guests_are_not_invited_twice() -> None:
    item = organized("ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@x.example")
    said = SENT.replace('"mailto:Bob@x.example"', '"mailto:bob@x.example","mailto:boss@x.example"')
    noted = scheduling.apply_reply(item, answer(said), ORGANIZER)
    assert noted is not None
    assert people(noted) == [["DELEGATED", "", "bob@x.example", OWNER], ["ACCEPTED", "", "", "bob@x.example"]]


def test_a_guests_own_copy_keeps_what_he_wrote() -> None:
    before = from_ical(calendar(vevent(BOSS, INVITED)), None, OPTIONS)
    after = from_ical(calendar(vevent(BOSS, SENT)), before, OPTIONS)
    assert after.props[ids.RESPONSE] == ids.NOT_RESPONDED
    found: list[Component] = parse(to_ical(after, OPTIONS))
    (line,) = next(found[0].components("VEVENT")).all("ATTENDEE")
    assert (line.param("PARTSTAT"), line.param("DELEGATED-TO")) == ("DELEGATED", "mailto:Bob@x.example")
