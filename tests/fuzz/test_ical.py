"""Fuzz: calendar objects. Any text gives an item that can be written and expanded, or ParseError, in bounded time."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.convert.errors import ParseError
from gateway.convert.ical import (
    Options,
    WorkingHours,
    busy_of_published,
    calendar_part,
    from_ical,
    happenings,
    hours_of,
    meeting_content,
    read_freebusy,
    to_ical,
    unavailable,
    with_hours,
    working_hours_of,
)
from gateway.convert.ical import propids as ids
from gateway.convert.ical.recurblob import decode, encode
from gateway.convert.ical.retained import read
from gateway.convert.ical.timezones import UTC_ZONE
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent

OPTIONS: Final = Options(owner=("owner@x.example",))
WINDOW: Final = (0x01DD000000000000, 0x01DE000000000000)
SEED: Final = b"""BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:Foo
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:abc@example.com
DTSTAMP:20260101T000000Z
DTSTART;TZID=Foo:20260714T100000
DTEND;TZID=Foo:20260714T103000
RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,WE;COUNT=4;BYSETPOS=1
EXDATE;TZID=Foo:20260728T100000
RDATE;VALUE=PERIOD:20260729T080000Z/PT30M
SUMMARY;LANGUAGE=de:Hello
DESCRIPTION:text\\n
CATEGORIES:A,B
ORGANIZER;CN=O:mailto:owner@x.example
ATTENDEE;PARTSTAT=ACCEPTED;DELEGATED-TO="mailto:b@x.example":mailto:a@x.example
ATTACH;VALUE=BINARY;ENCODING=BASE64;X-FILENAME=a:AAAA
X-MOZ-LASTACK:20260714T080000Z
SEQUENCE:3
BEGIN:VALARM
ACTION:AUDIO
TRIGGER;RELATED=END:-PT15M
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:abc@example.com
RECURRENCE-ID;TZID=Foo:20260714T100000
DTSTART;VALUE=DATE:20260722
SUMMARY:Moved
END:VEVENT
END:VCALENDAR
"""
PIECES: Final = [
    b"\n", b"\r\n ", b":", b";", b",", b'"', b"\\", b"=", b"99999999", b"-", b"T", b"Z", b"/", b"P", b"00000000T000000Z",
    b"99991231T235959Z", b"16010101", b"FREQ=SECONDLY", b"FREQ=YEARLY", b"FREQ=DAILY", b"BYYEARDAY=366", b"BYWEEKNO=53",
    b";BYMONTH=2;BYMONTHDAY=30", b"COUNT=1024", b"COUNT=999999999", b"UNTIL=44991231T000000Z", b"INTERVAL=0",
    b"INTERVAL=99999", b";VALUE=DATE", b";TZID=Europe/Berlin", b";RANGE=THISANDFUTURE", b"BEGIN:VTODO", b"END:VEVENT",
    b"VTODO", b"VJOURNAL", b"DUE:20260717", b"PERCENT-COMPLETE:50", b"STATUS:CANCELLED", b"\xff", b"\x00", b"-P99999W",
    b"RRULE:FREQ=DAILY\n", b"REPLY", b"COUNTER", b"CANCEL", b"FREEBUSY:20260714T080000Z/PT1H\n", b"VFREEBUSY",
]  # fmt: skip


def damaged(seed: int, text: bytes = SEED) -> bytes:
    """A text with damage that a number decides."""
    dice = random.Random(seed)
    data = bytearray(text)
    for _ in range(dice.randint(1, 8)):
        place, length = dice.randint(0, len(data)), dice.randint(0, 30)
        kind = dice.randrange(5)
        if kind == 0:
            del data[place : place + length]
        elif kind == 1:
            data[place:place] = dice.choice(PIECES)
        elif kind == 2:
            data[place : place + length] = dice.choice(PIECES)
        elif kind == 3:
            lines = data.split(b"\n")
            lines.insert(dice.randrange(len(lines)), dice.choice(lines))
            data = bytearray(b"\n".join(lines))
        else:
            data = bytearray(
                data.replace(b"VEVENT", dice.choice([b"VTODO", b"VJOURNAL", b"VFREEBUSY", b"VEVENT"]))
            )
    return bytes(data)


def promises(data: bytes) -> None:
    """Everything that holds for any text."""
    try:
        content = from_ical(data, None, OPTIONS)
    except ParseError:
        content = None
    if content is not None:
        out = to_ical(content, OPTIONS)
        happenings(content, *WINDOW, OPTIONS, 1000)
        again = from_ical(out, content, OPTIONS)
        assert to_ical(again, OPTIONS) == out
    found = meeting_content(data, "REQUEST", options=OPTIONS)
    if found is not None:
        assert calendar_part(found, OPTIONS)
    with suppress(ParseError):
        read_freebusy(data, OPTIONS)


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_damaged_calendars(seed: int) -> None:
    promises(damaged(seed))


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_octets(data: bytes) -> None:
    promises(data)


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_damaged_blobs(seed: int) -> None:
    dice = random.Random(seed)
    content = from_ical(SEED.replace(b";BYSETPOS=1", b"").replace(b"RDATE", b"X-RDATE"), None, OPTIONS)
    props = content.props
    for key in (ids.RECUR, ids.ZONE_START, ids.ZONE_RECUR, ids.ZONE_STRUCT, ids.GLOBAL_ID, ids.RETAINED):
        blob = bytearray(props.get(key, b""))
        for _ in range(dice.randint(0, 4)):
            if blob:
                blob[dice.randrange(len(blob))] = dice.randrange(256)
        props[key] = bytes(blob[: dice.randint(0, len(blob))]) if dice.random() < 0.3 else bytes(blob)
    for key in (ids.START, ids.END, ids.REMINDER_DELTA, ids.BUSY_STATUS, ids.STATE, ids.REPLACE_TIME):
        if dice.random() < 0.3:
            props[key] = dice.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, ids.NO_DATE, WINDOW[0]])
    with suppress(ParseError):
        to_ical(content, OPTIONS)
    happenings(content, *WINDOW, OPTIONS, 1000)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_recurrence_blob(blob: bytes) -> None:
    try:
        pattern = decode(blob)
    except ParseError:
        return
    assert decode(encode(pattern)) is not None
    content = MessageContent({pt.PR_MESSAGE_CLASS: "IPM.Appointment", ids.RECUR: blob, ids.START: WINDOW[0]})
    to_ical(content, OPTIONS)


AVAILABILITY: Final = (
    SEED.replace(b"VEVENT", b"AVAILABLE")
    .replace(
        b"BEGIN:AVAILABLE",
        b"BEGIN:VAVAILABILITY\nUID:v\nPRIORITY:3\nDTSTART:20260101T000000Z\nBEGIN:AVAILABLE",
        1,
    )
    .replace(b"END:VCALENDAR", b"END:VAVAILABILITY\nEND:VCALENDAR")
)


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_damaged_availability(seed: int) -> None:
    data = damaged(seed, AVAILABILITY)
    with suppress(ParseError):
        hours = working_hours_of(data, UTC_ZONE)
        assert not hours.days or hours.start < hours.end
    with suppress(ParseError):
        found = unavailable(data, *WINDOW, OPTIONS)
        assert all(WINDOW[0] <= each.start < each.end <= WINDOW[1] for each in found)


@given(
    st.text(max_size=60) | st.sampled_from(['{"settings":{"zarafa":{"v1":{"main":{"working_days":%s}}}}}']),
    st.text(max_size=10),
)
def test_any_settings(text: str, value: str) -> None:
    for settings_text in (text, text.replace("%s", value), text.replace("%s", "[1,true,null,99]")):
        hours_of(settings_text)
        with suppress(ParseError):
            assert hours_of(with_hours(settings_text, WorkingHours())) == WorkingHours()


@given(st.binary(max_size=200))
def test_any_retained_property(blob: bytes) -> None:
    read(blob)
    read(b"\1" + blob)
    read(b"\2" + blob)


@given(st.lists(st.integers(0, 2**32 - 1), max_size=4), st.lists(st.binary(max_size=40), max_size=4))
def test_any_published_message(months: list[int], events: list[bytes]) -> None:
    props = {pt.PR_FREEBUSY_BUSY_MONTHS: tuple(months), pt.PR_FREEBUSY_BUSY_EVENTS: tuple(events)}
    for period in busy_of_published(dict(props)):
        assert period.start < period.end
