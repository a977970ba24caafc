"""What must not get through: smuggled mails, sent-ahead commands, lines without end, chunks that lie, garbage."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable

import pytest

from tests.lmtp.server import Client, Server, stuffed

Connect = Callable[..., Client]
HELLO = b"Subject: hello\r\n\r\nHello.\r\n"


def begun(connect: Connect, user: str, **options: object) -> Client:
    """A client that has named sender and recipient."""
    client = connect(**options)
    client.ask("LHLO x")
    assert client.ask("MAIL FROM:<a@example.org>").startswith("250")
    assert client.ask(f"RCPT TO:<{user}@example.com>").startswith("250")
    return client


SECOND = b"MAIL FROM:<evil@x>\r\nRCPT TO:<user@example.com>\r\nDATA\r\nevil\r\n"
#: What other servers took for the end of a mail (CVE-2023-51764 and its kin).
TRICKS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r"]


@pytest.mark.parametrize("trick", TRICKS, ids=repr)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_second_mail_is_not_smuggled(
    server: Server, user: str, connect: Connect, trick: bytes, size: int
) -> None:
    """In whatever pieces it comes."""
    client = begun(connect, user)
    client.ask("DATA")
    wire = HELLO + b"x" + trick + SECOND + b".\r\n"
    for start in range(0, len(wire), size):
        client.send(wire[start : start + size])
    assert client.reply().startswith("550 5.6.0")
    assert client.ask("NOOP") == "250 2.0.0 OK"
    assert server.mails(user) == []


@pytest.mark.parametrize(
    "harmless",
    [b"\0.\r\n", b"\r\n\0.\r\n", b"\r\n. \r\n", b"\r\n .\r\n", b"\v.\v", b"\x85.\x85", b"\r\n..\r\n"],
)
def test_what_only_looks_like_an_end(server: Server, user: str, connect: Connect, harmless: bytes) -> None:
    mail = HELLO + b"x" + harmless + b"y\r\n"
    assert begun(connect, user).ask("RSET")
    assert connect(duplicates=0).deliver(mail, f"{user}@example.com") == ["250 2.1.5 delivered"]
    assert server.mails(user) == [mail]


def test_pipelined_mails_are_two_mails(server: Server, user: str, connect: Connect) -> None:
    client = connect()
    one = f"MAIL FROM:<a@x>\r\nRCPT TO:<{user}@example.com>\r\nDATA\r\n".encode()
    client.send(b"LHLO x\r\n" + (one + HELLO + b".\r\n") * 2 + b"QUIT\r\n")
    replies = [client.reply() for _ in range(10)]
    assert [reply[:3] for reply in replies] == [
        "250",
        "250",
        "250",
        "354",
        "250",
        "250",
        "250",
        "354",
        "250",
        "221",
    ]
    assert server.mails(user) == [HELLO] * 2


def test_data_that_was_sent_ahead_of_a_refusal_is_not_commands(connect: Connect) -> None:
    """RFC 2920 3.1 lets a client send nothing after DATA before the 354: what comes is no mail, and no command succeeds."""
    client = connect(max_bad_commands=5)
    client.ask("LHLO x")
    client.send(b"MAIL FROM:<a@x>\r\nRCPT TO:<nobody@example.com>\r\nDATA\r\n" + HELLO * 5 + b".\r\n")
    replies = [client.reply() for _ in range(3)]
    assert [reply[:3] for reply in replies] == ["250", "550", "503"]
    said = []
    while line := client.line():
        said.append(line[:3])
    assert said == ["500"] * (len(said) - 1) + ["421"]


def test_garbage_ends_the_session_and_nothing_else(server: Server, user: str, connect: Connect) -> None:
    dice = random.Random(7)
    for _ in range(20):
        client = connect()
        client.send(dice.randbytes(dice.randint(1, 3000)) + b"\r\n" * 30)
        client._socket.shutdown(socket.SHUT_WR)
        while line := client.line():
            assert line[:3] in ("250", "252", "421", "500", "501", "502", "503", "555"), line
    assert connect().deliver(HELLO, f"{user}@example.com") == ["250 2.1.5 delivered"]


@pytest.mark.parametrize(
    "line",
    [
        b"MAIL FROM:<a@x>\0",
        b"MAIL FROM:<a\r@x>",
        b"MAIL FROM:<a@x> BODY=8BITMIME BODY=7BIT",
        b"MAIL FROM:<a@x>\tSIZE=1",
        b"NOOP\x7f",
        b"MAIL FROM:<" + b"a" * 65 + b"@" + b"b." * 200 + b"c>",
    ],
)
def test_commands_with_something_hidden_in_them(connect: Connect, line: bytes) -> None:
    client = connect()
    client.ask("LHLO x")
    client.send(line + b"\r\n")
    assert client.reply()[0] == "5"
    assert client.ask("RSET") == "250 2.0.0 OK"


def test_a_line_without_end_is_not_kept(server: Server, connect: Connect) -> None:
    client = connect()
    for _ in range(50):
        client.send(b"x" * 20_000)
    client.send(b"\r\nNOOP\r\n")
    assert client.reply() == "500 5.5.2 the line is too long"
    assert client.reply() == "250 2.0.0 OK"


@pytest.mark.parametrize("length", [998, 1000, 5000, 300_000])
def test_long_lines_of_a_mail_are_kept(server: Server, user: str, connect: Connect, length: int) -> None:
    """They are against RFC 5322 2.1.1, and people send them."""
    mail = HELLO + b"x" * length + b"\r\n"
    assert connect(duplicates=0).deliver(mail, f"{user}@example.com") == ["250 2.1.5 delivered"]
    assert server.mails(user) == [mail]


# CHUNKING (RFC 3030)


def test_chunks_of_nothing(server: Server, user: str, connect: Connect) -> None:
    client = begun(connect, user)
    client.send(b"BDAT 0\r\nBDAT %d\r\n%bBDAT 0 LAST\r\n" % (len(HELLO), HELLO))
    assert [client.reply() for _ in range(3)] == [
        "250 2.0.0 0 octets",
        f"250 2.0.0 {len(HELLO)} octets",
        "250 2.1.5 delivered",
    ]
    assert server.mails(user) == [HELLO]


def test_chunks_hold_anything(server: Server, user: str, connect: Connect) -> None:
    """Lone dots, bare line ends and NUL are data: the length says where the end is."""
    mail = HELLO + b".\r\n\n.\n\r.\r\0\xff.\r\nQUIT\r\n"
    client = begun(connect, user)
    pieces = [mail[start : start + 3] for start in range(0, len(mail), 3)]
    client.send(b"".join(b"BDAT %d\r\n" % len(piece) + piece for piece in pieces) + b"BDAT 0 LAST\r\n")
    for _ in pieces:
        assert client.reply().startswith("250 2.0.0")
    assert client.reply() == "250 2.1.5 delivered"
    assert server.mails(user) == [mail]


@pytest.mark.parametrize(
    "command", ["BDAT", "BDAT x", "BDAT -1 LAST", "BDAT 1 2", "BDAT 99999999999999", "BDAT 1 LAST more"]
)
def test_chunks_that_make_no_sense(user: str, connect: Connect, command: str) -> None:
    client = begun(connect, user)
    assert client.ask(command).startswith("501 5.5.4")
    assert client.ask("RSET") == "250 2.0.0 OK"


def test_a_chunk_that_is_cut_stores_nothing(server: Server, user: str, connect: Connect) -> None:
    client = begun(connect, user)
    client.send(b"BDAT 1000 LAST\r\n" + HELLO)
    client.close()
    assert connect().deliver(HELLO, f"{user}@example.com") == ["250 2.1.5 delivered"]
    assert server.mails(user) == [HELLO]


@pytest.mark.parametrize("command", ["MAIL FROM:<b@x>", "RCPT TO:<{user}@example.com>", "DATA"])
def test_between_chunks_nothing_else_is_taken(
    server: Server, user: str, connect: Connect, command: str
) -> None:
    client = begun(connect, user)
    client.send(b"BDAT 3\r\nabc")
    assert client.reply() == "250 2.0.0 3 octets"
    assert client.ask(command.format(user=user)).startswith("503 5.5.1")
    client.send(b"BDAT %d LAST\r\n" % len(HELLO) + HELLO)
    assert client.reply() == "250 2.1.5 delivered"
    assert server.mails(user) == [b"abc" + HELLO]


def test_a_reset_between_chunks_forgets_them(server: Server, user: str, connect: Connect) -> None:
    client = begun(connect, user)
    client.send(b"BDAT 3\r\nabcRSET\r\n")
    assert [client.reply(), client.reply()] == ["250 2.0.0 3 octets", "250 2.0.0 OK"]
    client.ask("MAIL FROM:<a@x>")
    client.ask(f"RCPT TO:<{user}@example.com>")
    client.send(b"BDAT %d LAST\r\n" % len(HELLO) + HELLO)
    assert client.reply() == "250 2.1.5 delivered"
    assert server.mails(user) == [HELLO]


def test_after_a_chunk_was_refused_the_others_are_too(server: Server, user: str, connect: Connect) -> None:
    client = begun(connect, user, max_message=10)
    client.send(b"BDAT 20\r\n" + b"x" * 20 + b"BDAT 5\r\nyyyyyBDAT 5 LAST\r\nzzzzz")
    assert [client.reply()[:9] for _ in range(3)] == ["552 5.3.4"] * 3
    assert server.mails(user) == []


# text that is not ASCII


def test_an_address_outside_ascii(server: Server, connect: Connect) -> None:
    """RFC 6531: with SMTPUTF8, in the envelope and in the header."""
    server.store.add_user("joerg", email="jörg@exämple.com")
    mail = "From: ännchen@exämple.org\r\nTo: jörg@exämple.com\r\nSubject: Grüße\r\n\r\nzäh\r\n".encode()
    client = connect()
    client.ask("LHLO x")
    client.ask("MAIL FROM:<a@x>")
    assert client.ask("RCPT TO:<jörg@exämple.com>") == "553 5.6.7 this address needs SMTPUTF8"
    client.ask("RSET")
    assert client.ask("MAIL FROM:<ännchen@exämple.org> SMTPUTF8 BODY=8BITMIME").startswith("250")
    assert client.ask("RCPT TO:<jörg@exämple.com>").startswith("250")
    client.ask("DATA")
    client.send(stuffed(mail) + b".\r\n")
    assert client.reply() == "250 2.1.5 delivered"
    assert server.mails("joerg") == [mail]


def test_nul_octets_are_kept(server: Server, user: str, connect: Connect) -> None:
    mail = b"Subject: a\0b\r\n\r\n\0\r\n" + b"\0" * 5000 + b"\r\n"
    assert connect().deliver(mail, f"{user}@example.com") == ["250 2.1.5 delivered"]
    assert server.mails(user) == [mail]
