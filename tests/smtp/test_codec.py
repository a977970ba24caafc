"""The pure parts: data with its dots, command lines, addresses, replies."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smtp.codec.address import NULL, Address, parse_address, take_path
from gateway.smtp.codec.commands import Bdat, Command, Hello, Mail, Rcpt, parse
from gateway.smtp.codec.data import DataReader
from gateway.smtp.codec.replies import Refused, Reply

LINES = st.lists(st.sampled_from([b"\r\n", b".", b"a", b"..", b"\n", b"\r", b"\0"]), max_size=40).map(b"".join)


def read(wire: bytes, size: int) -> tuple[bytes, bytes | None, bool]:
    reader, mail = DataReader(), b""
    for start in range(0, len(wire), size):
        piece, rest = reader.feed(wire[start : start + size])
        mail += piece
        if rest is not None:
            return mail, rest + wire[start + size :], reader.smuggled
    return mail, None, reader.smuggled


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    ("wire", "mail", "rest", "smuggled"),
    [
        (b".\r\n", b"", b"", False),
        (b"a\r\n.\r\nQUIT\r\n", b"a\r\n", b"QUIT\r\n", False),
        (b"..\r\n.\r\n", b".\r\n", b"", False),
        (b"a\r\n..\r\n...b\r\n.\r\n", b"a\r\n.\r\n..b\r\n", b"", False),
        (b"\r\n\r\n.\r\nNOOP", b"\r\n\r\n", b"NOOP", False),
        (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n", b"", True),
        (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n", b"", True),
        (b"a\r.\rb\r\n.\r\n", b"a\r.\rb\r\n", b"", True),
        (b"a\r\n.\nb\r\n.\r\n", b"a\r\n\nb\r\n", b"", True),
        (b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n", b"", True),
        (b"a\nb\rc\r\n.\r\n", b"a\nb\rc\r\n", b"", False),
        (b"a\n.b\r\n.\r\n", b"a\n.b\r\n", b"", False),
    ],
    ids=repr,
)
def test_data(wire: bytes, mail: bytes, rest: bytes, smuggled: bool, size: int) -> None:
    assert read(wire, size) == (mail, rest, smuggled)


@given(LINES, st.integers(1, 9))
def test_the_cut_does_not_matter(wire: bytes, size: int) -> None:
    wire += b"\r\n.\r\nrest"
    assert read(wire, size) == read(wire, len(wire))


@given(st.lists(st.sampled_from([b".", b"a", b"..b", b""]), max_size=9))
def test_what_is_stuffed_comes_out(lines: list[bytes]) -> None:
    wire = b"".join((b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines) + b".\r\n"
    assert read(wire, 7) == (b"".join(line + b"\r\n" for line in lines), b"", False)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"lhlo there", Hello("LHLO", "there")),
        (b"MAIL FROM:<>", Mail(NULL)),
        (b"mail from:<a@b.example> size=12 BODY=8bitmime", Mail(Address("a", "b.example"), 12, "8BITMIME")),
        (b"MAIL FROM: <a@b>", Mail(Address("a", "b"))),
        ("MAIL FROM:<é@b> SMTPUTF8".encode(), Mail(Address("é", "b"), utf8=True)),
        (b"RCPT TO:<a+b@c.example>", Rcpt(Address("a+b", "c.example"))),
        (b"RCPT TO:<@x,@y:a@c>", Rcpt(Address("a", "c"))),
        (b'RCPT TO:<"a b\\"c"@d>', Rcpt(Address('a b"c', "d"))),
        (b"RCPT TO:<a@[127.0.0.1]> NOTIFY=NEVER", Rcpt(Address("a", "[127.0.0.1]"))),
        (b"BDAT 12 last", Bdat(12, True)),
    ],
)
def test_commands(line: bytes, command: Command) -> None:
    assert parse(line) == command


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", 500),
        (b"XYZZY", 500),
        (b"MAIL", 501),
        (b"MAIL FROM:a@b", 501),
        (b"MAIL FROM:<a@b>x", 501),
        (b"MAIL FROM:<a@b> FOO=1", 555),
        (b"MAIL FROM:<a@b> SIZE=-1", 555),
        (b"MAIL FROM:<a@b> BODY=BINARYMIME", 555),
        ("MAIL FROM:<é@b>".encode(), 553),
        (b"MAIL FROM:<a@b>\rRCPT TO:<c@d>", 500),
        (b"MAIL FROM:<a@b>\nRCPT TO:<c@d>", 500),
        (b"RCPT TO:<>", 501),
        (b"RCPT TO:<a@b..c>", 553),
        (b"RCPT TO:<" + b"a" * 400 + b"@b>", 553),
        (b"DATA now", 501),
        (b"BDAT", 501),
        (b"BDAT -1", 501),
        (b"\xff", 500),
    ],
)
def test_commands_that_are_refused(line: bytes, code: int) -> None:
    with pytest.raises(Refused) as refused:
        parse(line)
    assert refused.value.reply.code == code


@given(st.binary(max_size=60))
def test_any_line_is_a_command_or_refused(line: bytes) -> None:
    with contextlib.suppress(Refused):
        parse(line)


@given(st.text(min_size=1, max_size=20), st.sampled_from(["", "example.com"]))
def test_addresses_are_written_as_they_are_read(local: str, domain: str) -> None:
    text = str(Address(local, domain))
    found = take_path(f"<{text}>")
    assert found is None or found == (Address(local, domain), "")


def test_an_address() -> None:
    assert parse_address(" a@b.example ") == Address("a", "b.example")
    assert parse_address("a@b> <c@d") is None
    assert parse_address("") is None


def test_replies() -> None:
    assert Reply(250, "", "a", ("b", "c")).encode() == b"250-a\r\n250-b\r\n250 c\r\n"
    assert Reply(550, "5.1.1", "x\r\n250 y").encode() == b"550 5.1.1 x 250 y\r\n"
    assert len(Reply(550, "5.1.1", "é" * 999).encode()) <= 512
