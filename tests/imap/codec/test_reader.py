"""The reader: lines, literals, limits, and finding the next command after an error."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.parser import parse
from gateway.imap.codec.reader import (
    Broken,
    Continue,
    Hopeless,
    Limits,
    Line,
    Memory,
    Need,
    Reader,
    Received,
)
from tests.imap.codec.feeding import bytewise, drain, plain, whole

STREAMS = [
    b"a NOOP\r\n",
    b"a NOOP\n",
    b"a LOGIN {3}\r\njoe {3+}\r\npwd\r\n",
    b"a LOGIN {0}\r\n {0+}\r\n\r\n",
    b"a APPEND x ~{4}\r\n\x00\x01\r\n\r\nb NOOP\r\n",
    b"\r\n",
    b"a NOOP\r\nb NOOP\r\nc LOGIN a {1+}\r\nb\r\nd NO",
]


@pytest.mark.parametrize("stream", STREAMS)
def test_the_size_of_the_pieces_does_not_matter(stream: bytes) -> None:
    assert plain(whole(stream)) == plain(bytewise(stream))


def test_a_synchronising_literal_waits_for_its_continuation() -> None:
    reader = Reader()
    reader.receive(b"a LOGIN {3}\r\n")
    assert drain(reader) == [Continue()]
    reader.receive(b"joe pwd\r\n")
    [received] = drain(reader)
    assert isinstance(received, Received)
    assert received.fragments == (b"a LOGIN ", b" pwd")
    assert received.literals[0].read() == b"joe"


def test_a_non_synchronising_literal_does_not() -> None:
    assert plain(whole(b"a LOGIN {3+}\r\njoe pwd\r\n")) == [((b"a LOGIN ", b" pwd"), [(3, False, b"joe")])]


def test_an_oversized_literal_is_refused_before_it_is_sent() -> None:
    events = whole(b"a APPEND x {2000}\r\nb NOOP\r\n", Limits(message=1000))
    assert plain(events) == [("broken", "a", "literal too large"), ((b"b NOOP",), [])]
    assert isinstance(events[0], Broken)
    assert (events[0].error.code, events[0].error.no) == ("TOOBIG", True)


def test_an_oversized_literal_that_comes_anyway_passes_by() -> None:
    stream = b"a APPEND x {2000+}\r\n" + b"x" * 2000 + b" {3+}\r\nabc\r\nb NOOP\r\n"
    for events in (whole(stream, Limits(message=1000)), bytewise(stream, Limits(message=1000))):
        assert plain(events) == [("broken", "a", "literal too large"), ((b"b NOOP",), [])]


def test_nothing_of_an_oversized_literal_is_stored() -> None:
    reader = Reader(Limits(message=1000))
    reader.receive(b"a APPEND x {500000+}\r\n")
    for _ in range(50):
        reader.receive(b"x" * 10000)
        assert drain(reader) == []
        assert reader.pending == 0


def test_a_literal_beyond_all_measure_ends_the_connection() -> None:
    events = whole(b"a LOGIN {99999999999+}\r\n")
    assert events == [Hopeless("literal too large")]


def test_only_messages_may_be_large() -> None:
    limits = Limits(literal=10, message=1000)
    assert plain(whole(b"a LOGIN {11}\r\n", limits)) == [("broken", "a", "literal too large")]
    assert whole(b"a UID REPLACE 1 x {11}\r\n", limits) == [Continue()]


def test_the_number_of_literals_is_limited() -> None:
    events = whole(b"a APPEND x" + b" {1+}\r\nx" * 5 + b"\r\nb NOOP\r\n", Limits(literals=4))
    assert plain(events) == [("broken", "a", "too many literals"), ((b"b NOOP",), [])]


def test_a_refused_command_asks_for_no_literal() -> None:
    reader = Reader()
    reader.gate = lambda verb: ParseError(f"not {verb.decode()}") if verb != b"LOGIN" else None
    reader.receive(b"a BOGUS {3}\r\nb LOGIN {3}\r\n")
    assert plain(drain(reader)) == [("broken", "a", "not BOGUS"), Continue()]


def test_a_line_may_not_grow_for_ever() -> None:
    limits = Limits(line=100)
    stream = b"a NOOP " + b"x" * 5000 + b"\r\nb NOOP\r\n"
    for events in (whole(stream, limits), bytewise(stream, limits)):
        assert plain(events) == [("broken", "a", "command line too long"), ((b"b NOOP",), [])]


def test_a_line_that_grows_is_not_kept() -> None:
    reader = Reader(Limits(line=100))
    for _ in range(100):
        reader.receive(b"x" * 1000)
        assert isinstance(reader.next(), Need)
        assert reader.pending <= 1000


def test_the_literal_of_a_line_too_long_passes_by() -> None:
    limits = Limits(line=100)
    stream = b"a NOOP " + b"x" * 5000 + b" {8+}\r\nc NOOP\r\n\r\nb NOOP\r\n"
    for events in (whole(stream, limits), bytewise(stream, limits)):
        assert plain(events) == [("broken", "a", "command line too long"), ((b"b NOOP",), [])]


def test_raw_lines() -> None:
    reader = Reader()
    reader.receive(b"a IDLE\r\nDONE\r\nb NOOP\r\n")
    assert isinstance(reader.next(), Received)
    reader.raw()
    assert reader.next() == Line(b"DONE")
    assert isinstance(reader.next(), Received)


def test_a_raw_line_has_a_limit() -> None:
    reader = Reader(Limits(line=100))
    reader.raw()
    reader.receive(b"x" * 101)
    assert reader.next() == Hopeless("line too long")


def test_the_rest_of_the_stream_can_be_taken() -> None:
    reader = Reader()
    reader.receive(b"a STARTTLS\r\nb NOOP\r\n")
    reader.next()
    assert reader.rest() == b"b NOOP\r\n"
    assert isinstance(reader.next(), Need)


def test_large_literals_are_spooled_and_forgotten() -> None:
    spools: list[Memory] = []

    def spool(size: int) -> Memory:
        spools.append(Memory())
        return spools[-1]

    reader = Reader(Limits(memory=10), spool)
    reader.receive(b"a APPEND x {11+}\r\nhello world {5+}\r\nhello\r\n")
    [received] = drain(reader)
    assert len(spools) == 1
    assert isinstance(received, Received)
    assert received.literals[0].read() == b"hello world"
    received.close()
    assert b"".join(spools[0].chunks()) == b""


def test_closing_forgets_half_a_literal() -> None:
    spools: list[Memory] = []

    def spool(size: int) -> Memory:
        spools.append(Memory())
        return spools[-1]

    reader = Reader(Limits(memory=1), spool)
    reader.receive(b"a APPEND x {11+}\r\nhello")
    drain(reader)
    reader.close()
    assert b"".join(spools[0].chunks()) == b""
    assert reader.idle


@given(st.binary(max_size=200), st.lists(st.integers(1, 20), min_size=1, max_size=20))
def test_any_octets_give_events(data: bytes, sizes: list[int]) -> None:
    reader = Reader(Limits(line=60, literal=20, message=40, messages=60, literals=3))
    at = 0
    while at < len(data):
        size = sizes[at % len(sizes)]
        reader.receive(data[at : at + size])
        for event in drain(reader):
            if isinstance(event, Received):
                with_errors(event)
            if isinstance(event, Hopeless):
                return
        at += size


def with_errors(received: Received) -> None:
    with contextlib.suppress(ParseError):
        parse(received)
