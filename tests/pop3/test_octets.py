"""STAT, LIST and RETR agree to the octet, whatever a mail looks like (RFC 1939 sections 3, 5 and 11)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.pop3.server import Client, Server

Connect = Callable[..., Client]
HEAD = b"From: a@example.com\r\nSubject: x\r\n\r\n"
#: What was stored, and what lies between the status line of RETR and the lone dot.
MAILS = {
    "as usual": (HEAD + b"hello\r\n", HEAD + b"hello\r\n"),
    "no body": (HEAD, HEAD),
    "no empty line": (b"Subject: x\r\n", b"Subject: x\r\n"),
    "no final line end": (HEAD + b"hello", HEAD + b"hello\r\n"),
    "one octet": (b"x", b"x\r\n"),
    "ends in CR": (HEAD + b"hello\r", HEAD + b"hello\r\r\n"),
    "ends in LF": (HEAD + b"hello\n", HEAD + b"hello\n\r\n"),
    "ends in a dot": (HEAD + b"hello\r\n.", HEAD + b"hello\r\n..\r\n"),
    "only a dot": (b".", b"..\r\n"),
    "dots": (HEAD + b".\r\n..\r\n.x\r\nx.\r\n", HEAD + b"..\r\n...\r\n..x\r\nx.\r\n"),
    "bare LF": (HEAD + b"a\nb\n\nc\r\n", HEAD + b"a\nb\n\nc\r\n"),
    "bare CR": (HEAD + b"a\rb\r\r\n", HEAD + b"a\rb\r\r\n"),
    "only bare LF": (b"Subject: x\n\nhello\n", b"Subject: x\n\nhello\n\r\n"),
    "dot after a bare CR": (HEAD + b"a\r.\rb\r\n", HEAD + b"a\r.\rb\r\n"),
    # Most clients take LF for a line end: without another dot the reply would end there for them.
    "dot after a bare LF": (HEAD + b"a\n.\r\nb\n.c\r\n", HEAD + b"a\n..\r\nb\n..c\r\n"),
    "NUL": (HEAD + b"a\0b\0\r\n", HEAD + b"a\0b\0\r\n"),
    "not UTF-8": (HEAD + b"\xff\xfe\x80\r\n", HEAD + b"\xff\xfe\x80\r\n"),
    "a long line": (HEAD + b"x" * 200_000, HEAD + b"x" * 200_000 + b"\r\n"),
    "large": (HEAD + b".\r\n" * 50_000 + b"end", HEAD + b"..\r\n" * 50_000 + b"end\r\n"),
}


def reply(client: Client, command: str) -> tuple[str, bytes]:
    """The status line and the octets up to the lone dot, as they came."""
    client.send(command.encode() + b"\r\n")
    status, data = client.line().decode(), client._data
    while not (data == b".\r\n" or data.endswith(b"\r\n.\r\n")):
        more = client._socket.recv(65536)
        assert more, data
        data += more
    client._data = b""
    return status, data.removesuffix(b".\r\n")


@pytest.mark.parametrize(("stored", "sent"), MAILS.values(), ids=MAILS)
def test_the_octets_that_are_promised_are_sent(
    server: Server, connect: Connect, user: str, stored: bytes, sent: bytes
) -> None:
    server.given(user, stored, verbatim=True)
    octets = len(stored) + (0 if stored.endswith(b"\r\n") else 2)
    client = connect()
    client.log_in(user)
    assert client.ask("STAT") == f"+OK 1 {octets}"
    assert client.ask("LIST 1") == f"+OK 1 {octets}"
    assert reply(client, "RETR 1") == (f"+OK {octets} octets", sent)
    assert reply(client, "TOP 1 9999999") == ("+OK the top follows", sent)
    assert client.ask("NOOP") == "+OK"


def test_all_of_them_in_one_maildrop(server: Server, connect: Connect, user: str) -> None:
    server.given(user, *[stored for stored, _ in MAILS.values()], verbatim=True)
    client = connect()
    client.log_in(user)
    sizes = [int(line.split()[1]) for line in client.many("LIST").splitlines()]
    told = [reply(client, f"RETR {number}")[0] for number in range(1, len(MAILS) + 1)]
    assert told == [f"+OK {size} octets" for size in sizes]
    assert client.ask("STAT") == f"+OK {len(MAILS)} {sum(sizes)}"


@pytest.mark.parametrize("lines", [0, 1, 2, 3])
def test_the_top_of_a_mail_with_bare_line_feeds(
    server: Server, connect: Connect, user: str, lines: int
) -> None:
    server.given(user, b"Subject: x\n\n.a\nb\r\nc", verbatim=True)
    client = connect()
    client.log_in(user)
    tops = [
        b"Subject: x\r\n\r\n",  # the header alone is kept with its line ends repaired
        b"Subject: x\n\n..a\n\r\n",
        b"Subject: x\n\n..a\nb\r\n",
        b"Subject: x\n\n..a\nb\r\nc\r\n",
    ]
    assert reply(client, f"TOP 1 {lines}")[1] == tops[lines]


def test_a_mail_written_from_properties(server: Server, connect: Connect, user: str) -> None:
    """What has no original, like a mail of no octets at all, is written when it is read."""
    server.given(user, b"")
    client = connect()
    client.log_in(user)
    status, sent = reply(client, "RETR 1")
    assert client.ask("LIST 1") == f"+OK 1 {len(sent)}"
    assert status == f"+OK {len(sent)} octets"
