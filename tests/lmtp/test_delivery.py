"""Delivery: what LMTP took is what is in the store, octet for octet, in the right folder."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.lmtp.options import Options
from gateway.mapiclient.errors import ConnectFailed
from tests.lmtp.server import Client, Server
from tests.support.gateway import until

Connect = Callable[..., Client]
MAILS = sorted((Path(__file__).parents[1] / "data" / "mime").glob("*.eml"))
HELLO = b"From: Ann <ann@example.org>\r\nTo: Bob <bob@example.com>\r\nSubject: hello\r\n\r\nHello.\r\n"


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_the_octets_are_kept(server: Server, user: str, connect: Connect, path: Path) -> None:
    mail = path.read_bytes()
    assert connect(duplicates=0).deliver(mail, f"{user}@example.com") == ["250 2.1.5 delivered"]
    assert server.mails(user) == [mail if mail.endswith(b"\r\n") else mail + b"\r\n"]


@pytest.mark.parametrize(
    "body",
    [b"", b".\r\n", b"..\r\n", b".a\r\n..b\r\n", b"a\nb\nc\r\n", b"a\rb\r\n", b"\r\n.\r\n\r\n", b"x" * 3000, b"\0\xff\xfe\r\n"],
    ids=repr,
)  # fmt: skip
def test_dots_and_bare_line_ends_are_kept(server: Server, user: str, connect: Connect, body: bytes) -> None:
    mail = HELLO + body
    connect().deliver(mail, f"{user}@example.com")
    assert server.mails(user) == [mail if mail.endswith(b"\r\n") else mail + b"\r\n"]


@pytest.mark.parametrize("body", [b"a\n.\nb", b"a\n.\r\nb", b"a\r.\rb\r\n", b"no end"], ids=repr)
def test_chunks_are_taken_as_they_are(server: Server, user: str, connect: Connect, body: bytes) -> None:
    client, mail = connect(), HELLO + body
    client.talk(f"""
        C: LHLO there
        S: 250-mx.example
        S: 250-PIPELINING
        S: 250-8BITMIME
        S: 250-SMTPUTF8
        S: 250-ENHANCEDSTATUSCODES
        S: 250-CHUNKING
        S: 250 SIZE ...
        C: MAIL FROM:<ann@example.org>
        S: 250 2.1.0 ...
        C: RCPT TO:<{user}@example.com>
        S: 250 2.1.5 ...
    """)
    client.send(b"BDAT 20\r\n" + mail[:20] + b"BDAT %d LAST\r\n" % (len(mail) - 20) + mail[20:])
    assert [client.reply(), client.reply()] == ["250 2.0.0 20 octets", "250 2.1.5 delivered"]
    assert server.mails(user) == [mail]


def test_a_large_mail_goes_by_a_file(server: Server, user: str, connect: Connect) -> None:
    mail = HELLO + b"0123456789abcdef" * 64 * 3000 + b"\r\n"
    assert connect(spool_above=10_000).deliver(mail, f"{user}@example.com") == ["250 2.1.5 delivered"]
    assert server.mails(user) == [mail]


def test_every_recipient_has_a_reply(server: Server, connect: Connect) -> None:
    first, second = server.new_user(), server.new_user()
    client = connect()
    client.talk(f"""
        C: LHLO there
        S: 250-mx.example
        S: 250-PIPELINING
        S: 250-8BITMIME
        S: 250-SMTPUTF8
        S: 250-ENHANCEDSTATUSCODES
        S: 250-CHUNKING
        S: 250 SIZE ...
        C: MAIL FROM:<ann@example.org>\\r\\nRCPT TO:<{first}@example.com>\\r\\nRCPT TO:<nobody@example.com>
        S: 250 2.1.0 ...
        S: 250 2.1.5 ...
        S: 550 5.1.1 <nobody@example.com>: no such mailbox
        C: RCPT TO:<{second.upper()}@EXAMPLE.COM>\\r\\nDATA
        S: 250 2.1.5 ...
        S: 354 ...
        C: Subject: x\\r\\n\\r\\nx\\r\\n.
        S: 250 2.1.5 delivered
        S: 250 2.1.5 delivered
        C: QUIT
        S: 221 2.0.0 bye
        S: closed
    """)
    assert [len(server.mails(first)), len(server.mails(second))] == [1, 1]


def test_an_alias_a_login_name_and_a_folder(server: Server, connect: Connect) -> None:
    user = server.new_user()

    async def make(account: object) -> None:
        await account.create("Lists/Python")  # type: ignore[attr-defined]

    server.mail.run(make, user)
    client = connect(domains=("other.example",), duplicates=0)
    client.deliver(HELLO, f"{user}@other.example")
    client.deliver(HELLO, f"{user}+lists/python@example.com")
    client.deliver(HELLO, f"{user}+nowhere@example.com")
    assert len(server.mails(user)) == 2
    assert server.mails(user, "Lists/Python") == [HELLO]


def test_spam_goes_to_junk(server: Server, user: str, connect: Connect) -> None:
    mail = b"X-Spam-Flag: YES\r\n" + HELLO
    connect().deliver(mail, f"{user}@example.com")
    assert (server.mails(user), server.mails(user, "Junk E-mail")) == ([], [mail])


def test_a_mail_that_comes_again_is_stored_once(server: Server, user: str, connect: Connect) -> None:
    client, mail = connect(), b"Message-ID: <1@example.org>\r\n" + HELLO
    assert client.deliver(mail, f"{user}@example.com") == ["250 2.1.5 delivered"]
    assert client.deliver(mail, f"{user}@example.com") == ["250 2.1.5 delivered before"]
    assert server.mails(user) == [mail]


def test_the_same_person_twice_in_one_mail_is_stored_once(server: Server, user: str, connect: Connect) -> None:
    replies = connect().deliver(HELLO, f"{user}@example.com", f"{user.upper()}@example.com")
    assert replies == ["250 2.1.5 delivered"] * 2
    assert server.mails(user) == [HELLO]


@pytest.mark.parametrize("fields", [b"Received: by x\r\n" * 101, b"Delivered-To: %b@example.com\r\n" * 2])
def test_loops_end_here(server: Server, user: str, connect: Connect, fields: bytes) -> None:
    mail = fields.replace(b"%b", user.encode()) + HELLO
    assert connect().deliver(mail, f"{user}@example.com") == ["554 5.4.6 the mail goes round in circles"]
    assert server.mails(user) == []


def test_a_full_mailbox_says_so(server: Server, user: str, connect: Connect) -> None:
    client = connect()
    assert client.deliver(HELLO, f"{user}@example.com") == ["250 2.1.5 delivered"]
    server.limit(user, 1)
    assert client.deliver(HELLO, f"{user}@example.com") == ["552 5.2.2 the mailbox is full"]


def test_a_store_that_is_away_is_no_reason_to_bounce(server: Server, connect: Connect) -> None:
    user = server.new_user()
    client = connect()
    client.deliver(HELLO, f"{user}@example.com")
    server.store.stop()
    try:
        assert client.deliver(HELLO, f"{user}@example.com")[0].startswith("451 4.3.0")
    finally:
        server.store.start()
    deadline = time.monotonic() + 10
    while (said := client.deliver(HELLO, f"{user}@example.com"))[0].startswith("451"):
        assert time.monotonic() < deadline, said
    assert said == ["250 2.1.5 delivered"]
    # The reader's own connections are tried again by and by.
    assert until(lambda: server.mails(user), despite=(ConnectFailed,)) == [HELLO, HELLO]


def test_python(server: Server, user: str) -> None:
    with smtplib.LMTP("127.0.0.1", server.listen(Options())) as client:
        assert client.sendmail("ann@example.org", [f"{user}@example.com"], HELLO) == {}
    assert server.mails(user) == [HELLO]
