"""Fuzz: what DAV clients send beside their texts. Any If header is read or refused; texts lose nothing but what they should."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.convert.errors import ParseError
from gateway.convert.ical import from_ical
from gateway.convert.ical.instancefiles import MASTER, day_of
from gateway.dav.attachments import without_gone
from gateway.dav.byreference import without_standard
from gateway.dav.condition import demands, holds
from gateway.dav.errors import BadRequest
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent

HEADERS = st.lists(
    st.sampled_from(
        ["(", ")", "<a>", "<http://h/p>", '["e"]', '[W/"e"]', "Not", "not", " ", ",", "[", "]", "<", ">", '"']
    )
    | st.text(max_size=4),
    max_size=40,
).map("".join)


@given(HEADERS)
def test_any_if_header(header: str) -> None:
    try:
        found = demands(header)
    except BadRequest:
        return
    assert all(each.conditions for each in found)
    states = {each.path: ('"e"', "a") for each in found}
    assert holds(header, lambda path: states[path]) in (True, False)


@pytest.mark.parametrize(
    "header", ["(" * 100_000, "(<a>" * 100_000, '["' * 100_000, " " * 200_000 + "(<a>)", "(Not" * 100_000]
)
def test_long_if_headers_are_refused_soon(header: str) -> None:
    begun = time.process_time()
    with suppress(BadRequest):
        demands(header)
    assert time.process_time() - begun < 1


OWN = MessageContent({pr.PR_SOURCE_KEY: b"\xaa"})
LINES = st.sampled_from(
    [b"ATTACH;MANAGED-ID=x:http://h/u/c/aa.ics/x/n\r\n", b"ATTACH;MANAGED-ID=x:http://h/u/c/bb.ics/x/n\r\n",
     b"ATTACH;MANAGED-ID=\"x\";\r\n A=b:http://h/u/c/a\r\n a.ics/x/n\r\n", b"ATTACH:http://h/\r\n", b"ATTACHED:x\r\n",
     b"SUMMARY:MANAGED-ID=x /aa.ics/\r\n", b" ATTACH;MANAGED-ID=x:/aa.ics/\r\n", b"\r\n", b"\n"]
)  # fmt: skip


@given(st.lists(LINES | st.binary(max_size=5), max_size=30).map(b"".join))
def test_a_text_loses_only_files_that_are_gone(text: bytes) -> None:
    left = without_gone(text, OWN)
    assert without_gone(left, OWN) == left
    assert without_gone(text, None) == text
    for line in (b"SUMMARY:MANAGED-ID=x /aa.ics/", b"ATTACH:http://h/\r\n"):
        assert left.count(line) <= text.count(line)


ZONE = b"BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nEND:VTIMEZONE\r\n"


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from([ZONE, b"BEGIN:VTIMEZONE\r\n", b"END:VTIMEZONE\r\n", b"TZID:UTC\r\n"])
        | st.binary(max_size=5),
        max_size=20,
    ).map(b"".join)
)
def test_a_zone_that_says_nothing_stays(text: bytes) -> None:
    assert without_standard(text) == text


SERIES = from_ical(
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261201T100000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=9\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)


@given(st.text(max_size=20) | st.from_regex(r"\A2026120[1-9]T1?0?00000?Z?\Z"))
def test_any_recurrence_id(value: str) -> None:
    try:
        day = day_of(SERIES, value)
    except ParseError:
        return
    assert day == MASTER or day % 1440 == 0
