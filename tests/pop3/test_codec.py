"""The POP3 codec byte by byte: every case is fed whole, in pieces of every size, and with something after it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pop3 import codec
from gateway.pop3.codec import Command, DotStuffer, LineBuffer, ParseError, TopCut

PARSED = [
    (b"USER demo", Command("USER", text="demo")),
    (b"user de mo", Command("USER", text="de mo")),
    (b"PASS  two  blanks ", Command("PASS", text=" two  blanks ")),
    (b"PASS", Command("PASS", text="")),
    ("PASS gr\u00fc\u00df".encode(), Command("PASS", text="gr\u00fc\u00df")),
    ("PASS gr\u00fc\u00df".encode("latin-1"), Command("PASS", text="gr\u00fc\u00df")),
    (b"STAT", Command("STAT")),
    (b"STAT ", Command("STAT")),
    (b"LIST", Command("LIST")),
    (b"LIST 12", Command("LIST", (12,))),
    (b"uidl  7", Command("UIDL", (7,))),
    (b"TOP 1 0", Command("TOP", (1, 0))),
    (b"RETR 4294967295", Command("RETR", (4294967295,))),
    (b"AUTH PLAIN AGEAYg==", Command("AUTH", text="PLAIN AGEAYg==")),
    (b"LANG *", Command("LANG", text="*")),
    (b"QUIT", Command("QUIT")),
]
REFUSED = [
    b"",
    b" ",
    b"XYZZY",
    b"APOP demo c4c9334bac560ecc979e58001b3e22fb",
    b"USER",
    b"USER ",
    b"STAT 1",
    b"LIST 1 2",
    b"LIST x",
    b"LIST -1",
    b"LIST 1.0",
    b"RETR",
    b"RETR 12345678901",
    "RETR \u0661".encode(),
    b"TOP 1",
    b"DELE 1\0",
    b"DELE 1\r",
    b"\xff\xfe",
    b"LIST\t1",
]


@pytest.mark.parametrize(("line", "command"), PARSED)
def test_command_is_read(line: bytes, command: Command) -> None:
    assert codec.parse(line) == command


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_no_command_is_refused_in_words(line: bytes) -> None:
    with pytest.raises(ParseError, match=r"[a-z]{3}"):
        codec.parse(line)


@given(st.binary(max_size=60))
def test_any_line_is_a_command_or_a_parse_error(line: bytes) -> None:
    try:
        command = codec.parse(line)
    except ParseError:
        return
    assert command.name in codec.GRAMMAR


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def lines_of(chunks: list[bytes], limit: int = 20) -> list[bytes | str]:
    buffer, found = LineBuffer(), []
    for chunk in chunks:
        buffer.feed(chunk)
        while True:
            try:
                line = buffer.line(limit)
            except ParseError as error:
                found.append(str(error))
                continue
            if line is None:
                break
            found.append(line)
        assert len(buffer) <= limit + 1
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_come_out_whatever_the_pieces(size: int) -> None:
    data = b"STAT\r\nLIST 1\nUSER a\rb\r\n\r\n" + b"x" * 50 + b"\r\nNOOP\r\nunfinished"
    expected = [b"STAT", b"LIST 1", b"USER a\rb", b"", "the line is too long", b"NOOP"]
    assert lines_of(pieces(data, size)) == expected


def test_a_line_of_exactly_the_limit_is_taken() -> None:
    assert lines_of([b"x" * 20 + b"\r\n" + b"y" * 21 + b"\r\n"]) == [b"x" * 20, "the line is too long"]


def test_a_line_without_end_costs_no_memory() -> None:
    buffer = LineBuffer()
    buffer.feed(b"x" * 1000)
    with pytest.raises(ParseError):
        buffer.line(512)
    for _ in range(100):
        buffer.feed(b"x" * 65536)
        assert len(buffer) == 0
    buffer.feed(b"x\r\nNOOP\r\n")
    assert buffer.line(512) == b"NOOP"


def test_replies_fit_on_one_line() -> None:
    assert codec.ok() == b"+OK\r\n"
    assert codec.ok("2 320") == b"+OK 2 320\r\n"
    assert codec.err("wrong", "AUTH") == b"-ERR [AUTH] wrong\r\n"
    assert codec.err("one\r\n+OK two") == b"-ERR one  +OK two\r\n"
    long = codec.err("\u00e4" * 1000)
    assert len(long) <= 512
    assert long.decode("utf-8").endswith("\u00e4\r\n")


def test_listing() -> None:
    assert codec.listing("2 messages", [b"1 120", b"2 200"]) == b"+OK 2 messages\r\n1 120\r\n2 200\r\n.\r\n"
    assert codec.listing("none", []) == b"+OK none\r\n.\r\n"


BODIES = [
    (b"", b".\r\n"),
    (b"a\r\n", b"a\r\n.\r\n"),
    (b"a", b"a\r\n.\r\n"),
    (b".", b"..\r\n.\r\n"),
    (b".\r\n", b"..\r\n.\r\n"),
    (b"..\r\n", b"...\r\n.\r\n"),
    (b"a.\r\n.b\r\n", b"a.\r\n..b\r\n.\r\n"),
    (b"\r\n.\r\n.\r\n", b"\r\n..\r\n..\r\n.\r\n"),
    (b"a\n.\nb\r\n", b"a\n..\nb\r\n.\r\n"),  # a client for which LF ends a line would see the end
    (b"a\r.\rb\r\n", b"a\r.\rb\r\n.\r\n"),
    (b"a\n", b"a\n\r\n.\r\n"),
    (b"a\r", b"a\r\r\n.\r\n"),
]


def stuffed(chunks: list[bytes]) -> bytes:
    stuffer = DotStuffer()
    return b"".join(map(stuffer.feed, chunks)) + stuffer.finish()


@pytest.mark.parametrize(("message", "wire"), BODIES)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_dots_are_stuffed_whatever_the_pieces(message: bytes, wire: bytes, size: int) -> None:
    assert stuffed(pieces(message, size)) == wire


def unstuffed(wire: bytes) -> bytes:
    """What a client makes of a body that ends lines with LF, as poplib does."""
    lines = wire.split(b"\n")
    end = lines.index(b".\r")
    assert lines[end + 1 :] == [b""], "the reply ended early"
    return b"\n".join(line[1:] if line.startswith(b".") else line for line in lines[:end]) + b"\n"


@given(st.lists(st.text(".\r\nab", max_size=12), max_size=8))
def test_a_client_gets_the_message_back(parts: list[str]) -> None:
    chunks = [part.encode() for part in parts]
    message = b"".join(chunks)
    expected = message if message.endswith(b"\r\n") or not message else message + b"\r\n"
    assert unstuffed(b"\n" + stuffed(chunks))[1:] == expected


MAIL = b"Subject: a\r\nTo: b\r\n\r\none\r\n\r\n.three\r\nfour\r\n"
TOPS = [
    (0, b"Subject: a\r\nTo: b\r\n\r\n"),
    (1, b"Subject: a\r\nTo: b\r\n\r\none\r\n"),
    (3, b"Subject: a\r\nTo: b\r\n\r\none\r\n\r\n.three\r\n"),
    (4, MAIL),
    (99, MAIL),
]


def cut(chunks: list[bytes], lines: int) -> bytes:
    top = TopCut(lines)
    return b"".join(map(top.feed, chunks))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(("lines", "expected"), TOPS)
def test_top_cuts_after_the_line(lines: int, expected: bytes, size: int) -> None:
    assert cut(pieces(MAIL, size), lines) == expected


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_top_of_odd_messages(size: int) -> None:
    assert cut(pieces(b"\r\nbody\r\nmore\r\n", size), 1) == b"\r\nbody\r\n"
    assert cut(pieces(b"A: b\n\nbody\nmore\n", size), 1) == b"A: b\n\nbody\n"
    assert cut(pieces(b"A: b\r\nC: d", size), 0) == b"A: b\r\nC: d"
    assert cut([], 5) == b""


def test_top_says_when_it_has_enough() -> None:
    top = TopCut(1)
    assert top.feed(MAIL[:21]) == MAIL[:21]
    assert not top.done
    top.feed(MAIL[21:])
    assert top.done
    assert top.feed(b"more") == b""
