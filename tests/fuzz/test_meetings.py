"""Fuzz: meeting messages. Whatever somebody sends, applying it gives an item that can be written, or changes nothing."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.convert.errors import ParseError
from gateway.convert.ical import Options, from_ical, meeting_content, to_ical
from gateway.convert.ical.addressees import keep_attendees
from gateway.convert.ical.people import REPRESENTING, SENDER, person_props
from gateway.dav.scheduling.applying import applied
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import NoAccess
from tests.fuzz.test_ical import damaged

GUEST: Final = Options(owner=("a@x.example",), owner_name="A")
BOSS: Final = Options(owner=("owner@x.example",), owner_name="O")
NOW: Final = 1_760_000_000.0
TEXT: Final = b"""BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VEVENT
UID:u
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Berlin:20260714T100000
DTEND;TZID=Europe/Berlin:20260714T110000
RRULE:FREQ=WEEKLY;COUNT=4
EXDATE;TZID=Europe/Berlin:20260728T100000
SEQUENCE:1
SUMMARY:Talk
ORGANIZER;CN=O:mailto:owner@x.example
ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:b@x.example":mailto:a@x.example
END:VEVENT
BEGIN:VEVENT
UID:u
DTSTAMP:20260101T000000Z
RECURRENCE-ID;TZID=Europe/Berlin:20260721T100000
DTSTART;TZID=Europe/Berlin:20260721T150000
DURATION:PT2H
SEQUENCE:1
SUMMARY:Later
ORGANIZER;CN=O:mailto:owner@x.example
ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@x.example
END:VEVENT
END:VCALENDAR
"""
#: What a message may be about: everything, the series, the instance.
PARTS: Final = (
    TEXT,
    TEXT.partition(b"BEGIN:VEVENT\nUID:u\nDTSTAMP:20260101T000000Z\nRECURRENCE")[0] + b"END:VCALENDAR\n",
    b"BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT" + TEXT.rpartition(b"BEGIN:VEVENT")[2],
)


def received(dice: random.Random) -> MessageContent | None:
    """A message that came by mail, from the organizer or from somebody else."""
    method = dice.choice([b"REQUEST", b"REPLY", b"COUNTER", b"CANCEL"])
    text = (
        dice.choice(PARTS)
        .replace(b"REQUEST", method)
        .replace(b"SEQUENCE:1", b"SEQUENCE:%d" % dice.randrange(3))
    )
    found = meeting_content(damaged(dice.getrandbits(32), text) if dice.random() < 0.7 else text)
    if found is None:
        return None
    who = dice.choice(["a@x.example", "owner@x.example", "c@x.example"])
    sender = person_props("W", who, REPRESENTING) | person_props("W", who, SENDER)
    mail = MessageContent(
        {**found.props, **sender}, [dict(row) for row in found.recipients[:1]], found.attachments
    )
    keep_attendees(mail, found)
    return mail


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_messages_applied_to_items(seed: int) -> None:
    dice = random.Random(seed)
    options = dice.choice([GUEST, BOSS])
    item, message = None, received(dice)
    with suppress(ParseError):
        text = dice.choice(PARTS)
        item = from_ical(damaged(seed, text) if dice.random() < 0.5 else text, None, options)
    if message is None:
        return
    with suppress(NoAccess):
        changed = applied(item, message, options, NOW)
        if changed is not None:
            assert to_ical(changed, options)
