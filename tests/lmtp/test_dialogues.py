"""What the LMTP server says: order of commands, limits, and everything that must be refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import Tls
from gateway.tls import Certificates
from tests.lmtp.server import Client, Server

Connect = Callable[..., Client]
HELLO = b"Subject: hello\r\n\r\nHello.\r\n"


def test_order(user: str, connect: Connect) -> None:
    client = connect()
    assert client.greeting == "220 mx.example LMTP ready"
    client.talk(
        "C: MAIL FROM:<a@b>\nS: 503 5.5.1 say hello first\nC: EHLO x\nS: 500 5.5.1 this is LMTP: say LHLO"
    )
    assert client.ask("LHLO x").startswith("250-mx.example\n250-PIPELINING")
    client.talk(f"""
        C: RCPT TO:<{user}@example.com>
        S: 503 5.5.1 MAIL first
        C: DATA
        S: 503 5.5.1 MAIL first
        C: MAIL FROM:<a@b>
        S: 250 2.1.0 sender ok
        C: MAIL FROM:<a@b>
        S: 503 5.5.1 one MAIL at a time
        C: DATA
        S: 503 5.5.1 no valid recipients
        C: RSET
        S: 250 2.0.0 OK
        C: AUTH PLAIN x
        S: 502 5.7.11 ...
        C: STARTTLS
        S: 502 5.5.1 no TLS here
        C: VRFY x
        S: 252 2.5.2 ...
        C: NOOP
        S: 250 2.0.0 OK
        C: MAIL FROM:<a@b> SIZE=999999999999
        S: 552 5.3.4 ...
        C: QUIT
        S: 221 2.0.0 bye
        S: closed
    """)


@pytest.mark.parametrize(
    "trick", [b"x\n.\nMAIL FROM:<evil@x>\r\n", b"x\n.\r\nMAIL FROM:<evil@x>\r\n", b"x\r.\rMAIL\r\n"]
)
def test_smuggled_mails_are_refused(server: Server, user: str, connect: Connect, trick: bytes) -> None:
    client = connect()
    client.ask("LHLO x")
    client.ask("MAIL FROM:<a@b>")
    client.ask(f"RCPT TO:<{user}@example.com>")
    client.ask("DATA")
    client.send(HELLO + trick + b".\r\n")
    assert client.reply().startswith("550 5.6.0")
    assert client.ask("NOOP") == "250 2.0.0 OK"
    assert server.mails(user) == []


def test_large_mails_are_refused_and_read_past(server: Server, user: str, connect: Connect) -> None:
    client = connect(max_message=1000)
    assert client.deliver(b"x" * 99 + b"\r\n" + b"y" * 5000, f"{user}@example.com") == [
        "552 5.3.4 the mail is too large"
    ]
    client.ask("MAIL FROM:<a@b>")
    client.ask(f"RCPT TO:<{user}@example.com>")
    client.send(b"BDAT 2000\r\n" + b"x" * 2000 + b"NOOP\r\n")
    assert client.reply() == "552 5.3.4 the mail is too large"
    assert client.reply() == "250 2.0.0 OK"
    assert server.mails(user) == []


def test_chunks_without_recipients_are_read_past(connect: Connect) -> None:
    client = connect()
    client.ask("LHLO x")
    client.send(b"BDAT 6\r\nQUIT\r\nNOOP\r\n")
    assert client.reply() == "503 5.5.1 MAIL first"
    assert client.reply() == "250 2.0.0 OK"


def test_chunks_and_data_do_not_mix(user: str, connect: Connect) -> None:
    client = connect()
    client.ask("LHLO x")
    client.ask("MAIL FROM:<a@b>")
    client.ask(f"RCPT TO:<{user}@example.com>")
    client.send(b"BDAT 3\r\nabcDATA\r\n")
    assert client.reply() == "250 2.0.0 3 octets"
    assert client.reply() == "503 5.5.1 DATA cannot follow BDAT"


def test_long_lines_and_bare_line_ends(connect: Connect) -> None:
    client = connect(max_line=100)
    client.send(b"x" * 5000 + b"\r\nNOOP\r\nNOOP\nNOOP\r\n")
    assert client.reply() == "500 5.5.2 the line is too long"
    assert client.reply() == "250 2.0.0 OK"
    assert client.reply() == "500 5.5.2 lines end in CRLF"
    assert client.reply() == "250 2.0.0 OK"


def test_errors_and_browsers_are_shown_the_door(connect: Connect) -> None:
    client = connect(max_bad_commands=2)
    client.talk("C: X\nS: 500 ...\nC: Y\nS: 500 ...\nS: 421 4.7.0 too many errors\nS: closed")
    connect().talk("C: POST / HTTP/1.1\nS: 421 4.7.0 that is another protocol\nS: closed")


def test_too_many_recipients(server: Server, user: str, connect: Connect) -> None:
    client = connect(max_recipients=1)
    client.ask("LHLO x")
    client.ask("MAIL FROM:<a@b>")
    assert client.ask(f"RCPT TO:<{user}@example.com>").startswith("250")
    assert client.ask(f"RCPT TO:<{user}@example.com>") == "452 4.5.3 too many recipients"


def test_only_some_may_deliver(connect: Connect) -> None:
    client = connect(clients=("192.0.2.0/24",))
    assert client.greeting == "554 5.7.1 127.0.0.1 may not deliver here"
    assert client.line() == ""


def test_silence_ends_it(connect: Connect) -> None:
    client = connect(idle_timeout=0.1)
    client.talk("S: 421 4.4.2 nothing was heard for too long\nS: closed")


def test_tls(server: Server, user: str, connect: Connect, tmp_path: Path) -> None:
    tls = Certificates(Tls(certificate=str(tmp_path / "tls.pem"), self_signed=True))
    client = connect(tls)
    assert "250-CHUNKING\n" in client.ask("LHLO x")
    assert client.ask("STARTTLS").startswith("220")
    client.start_tls(_unverified())
    assert client.ask("MAIL FROM:<a@b>") == "503 5.5.1 say hello first"
    assert "STARTTLS" not in client.ask("LHLO x")
    assert client.deliver(HELLO, f"{user}@example.com") == ["250 2.1.5 delivered"]
    injected = connect(tls)
    injected.ask("LHLO x")
    injected.send(b"STARTTLS\r\nMAIL FROM:<evil@x>\r\n")
    assert injected.reply() == "503 5.5.1 nothing may follow STARTTLS before TLS begins"
    assert injected.line() == ""


def _unverified() -> object:
    import ssl

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
