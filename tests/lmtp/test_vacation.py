"""Out of office answers: who gets one, how often, and what it is (RFC 3834)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.lmtp.mail import Incoming
from gateway.lmtp.vacation import is_addressed, is_away, wants_answer
from gateway.mapi import proptags as pr
from gateway.mapi.times import from_unix
from gateway.smtp.codec.address import NULL, Address
from gateway.smtp.person import Person
from tests.lmtp.inbox import HELLO, queued, set_up
from tests.lmtp.server import Client, Server
from tests.support import reactor

Connect = Callable[..., Client]
ME = Person(
    "me", {pr.PR_SMTP_ADDRESS: "me@example.com", pr.PR_EMS_AB_PROXY_ADDRESSES: ("smtp:alias@example.com",)}
)


def test_when_somebody_is_away() -> None:
    assert not is_away({}, 5)
    assert not is_away({pr.PR_EC_OUTOFOFFICE: False}, 5)
    assert is_away({pr.PR_EC_OUTOFOFFICE: True}, 5)
    both = {pr.PR_EC_OUTOFOFFICE: True, pr.PR_EC_OUTOFOFFICE_FROM: 5, pr.PR_EC_OUTOFOFFICE_UNTIL: 7}
    assert [is_away(both, now) for now in (4, 5, 6, 7)] == [False, True, True, False]


SENDERS = [
    ("ann@x.example", True),
    ("newsletter@x.example", True),
    ("", False),
    ("postmaster", False),
    ("me@example.com", False),
    ("ALIAS@example.com", False),
    ("noreply@x.example", False),
    ("No-Reply@x.example", False),
    ("do-not-reply@x.example", False),
    ("donotreply+17@x.example", False),
    ("MAILER-DAEMON@x.example", False),
    ("owner-list@x.example", False),
    ("list-owner@x.example", False),
    ("list-request@x.example", False),
    ("list-bounces@x.example", False),
    ("list-bounces+ann=x.example@x.example", False),
    ("bounces+1@x.example", False),
    ("listserv@x.example", False),
    ("majordomo@x.example", False),
]
FIELDS = [
    ("", True),
    ("Auto-Submitted: no", True),
    ("Auto-Submitted: No (comment)", True),
    ("Auto-Submitted: auto-generated", False),
    ("Auto-Submitted: auto-replied (vacation)", False),
    ("auto-submitted: auto-notified; owner-email=x", False),
    ("Precedence: first-class", True),
    ("Precedence: Bulk", False),
    ("Precedence: list", False),
    ("Precedence: junk", False),
    ("X-Auto-Response-Suppress: RN, NRN", True),
    ("X-Auto-Response-Suppress: DR,\r\n OOF", False),
    ("X-Auto-Response-Suppress: All", False),
    ("List-Id: x", False),
    ("List-Unsubscribe: x", False),
    ("List-Post: NO", False),
    ("X-Kopano-Vacation: x", False),
    ("Return-Path: <>", False),
    ("Return-Path: <ann@x.example>", True),
    ("Content-Type: multipart/report; report-type=delivery-status", False),
    ("X-Loop: me@example.com", False),
]


@pytest.mark.parametrize(("sender", "expected"), SENDERS)
def test_senders(sender: str, expected: bool) -> None:
    local, _, domain = sender.partition("@")
    mail = Incoming(Address(local, domain) if local else NULL, b"Subject: x\r\n\r\n")
    assert wants_answer(mail, ME) is expected


@pytest.mark.parametrize(("field", "expected"), FIELDS)
def test_header_fields(field: str, expected: bool) -> None:
    mail = f"{field}\r\n".encode() if field else b""
    incoming = Incoming(Address("ann", "x.example"), mail + b"Subject: x\r\n\r\nList-Id: y\r\n")
    assert wants_answer(incoming, ME) is expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("To: me@example.com", True),
        ("To: Others <o@example.com>, Me <ME@example.com>", True),
        ("Cc: alias@example.com", True),
        ("Resent-To: me@example.com", True),
        ("To: a group: me@example.com;", True),
        ("Bcc: me@example.com", False),
        ("To: others@example.com", False),
        ("To: notme@example.com", False),
        ("To: me@example.com.evil.example", False),
        ("To: undisclosed-recipients:;", False),
    ],
)
def test_only_whoever_is_addressed_answers(field: str, expected: bool) -> None:
    assert is_addressed(Incoming(NULL, f"{field}\r\n\r\n".encode()), ME) is expected


def test_what_the_answer_is(server: Server, user: str, connect: Connect) -> None:
    set_up(server, user, PR_EC_OUTOFOFFICE=True, PR_EC_OUTOFOFFICE_SUBJECT="Away: %subject", PR_EC_OUTOFOFFICE_MSG="Back soon. é\r\nBye")  # fmt: skip
    connect().deliver(b"References: <0@example.org>\r\n" + HELLO % user.encode(), f"{user}@example.com")
    (answer,) = queued(server, user)
    said = {name: answer[name] for name in ("To", "Subject", "Auto-Submitted", "In-Reply-To", "References")}
    assert said == {
        "To": "ann@example.org",
        "Subject": "Away: hello",
        "Auto-Submitted": "auto-replied",
        "In-Reply-To": "<1@example.org>",
        "References": "<0@example.org> <1@example.org>",
    }
    assert f"{user}@example.com" in answer["From"]
    assert answer["Message-ID"].endswith("@example.com>")
    assert answer["Date"]
    assert answer.get_content().split() == ["Back", "soon.", "é", "Bye"]
    assert len(server.mails(user)) == 1


def test_a_subject_of_its_own(server: Server, user: str, connect: Connect) -> None:
    set_up(server, user, PR_EC_OUTOFOFFICE=True)
    mail = (HELLO % user.encode()).replace(b"hello", b"=?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n and more")
    connect().deliver(mail, f"{user}@example.com")
    assert [answer["Subject"] for answer in queued(server, user)] == ["Auto: Grüße and more"]


def test_who_gets_one(server: Server, user: str, connect: Connect) -> None:
    set_up(server, user, PR_EC_OUTOFOFFICE=True)
    client, mail = connect(duplicates=0), HELLO % user.encode()
    for sender in ("ann@example.org", "ANN@example.org", "", "list-bounces@example.org", "bob@example.org"):
        client.deliver(mail, f"{user}@example.com", sender=sender)
    client.deliver(b"List-Id: x\r\n" + mail, f"{user}@example.com", sender="carl@example.org")
    client.deliver(b"X-Spam-Flag: yes\r\n" + mail, f"{user}@example.com", sender="eve@example.org")
    client.deliver(mail.replace(user.encode(), b"others"), f"{user}@example.com", sender="dave@example.org")
    assert [answer["To"] for answer in queued(server, user)] == ["ann@example.org", "bob@example.org"]


@pytest.mark.parametrize(
    "sender", ['"a b"@example.org', "o'hara@example.org", "a+b@example.org", "x" * 60 + "@example.org"]
)
def test_unusual_senders_get_one_too(server: Server, user: str, connect: Connect, sender: str) -> None:
    set_up(server, user, PR_EC_OUTOFOFFICE=True)
    connect().deliver(HELLO % user.encode(), f"{user}@example.com", sender=sender)
    assert [answer["To"] for answer in queued(server, user)] == [sender]


def test_before_and_after_the_absence_there_is_none(server: Server, user: str, connect: Connect) -> None:
    now = server.mail.runtime.now()
    client, mail = connect(duplicates=0, recipient_cache=0), HELLO % user.encode()
    for begin, end in ((now + 1000, now + 2000), (now - 2000, now - 1000)):
        set_up(server, user, PR_EC_OUTOFOFFICE=True, PR_EC_OUTOFOFFICE_FROM=from_unix(begin), PR_EC_OUTOFOFFICE_UNTIL=from_unix(end))  # fmt: skip
        client.deliver(mail, f"{user}@example.com")
    assert queued(server, user) == []
    set_up(server, user, PR_EC_OUTOFOFFICE_FROM=from_unix(now - 1000), PR_EC_OUTOFOFFICE_UNTIL=from_unix(now + 1000))  # fmt: skip
    client.deliver(mail, f"{user}@example.com")
    assert len(queued(server, user)) == 1


def test_a_new_absence_answers_everybody_again_and_a_restart_does_not(
    server: Server, user: str, connect: Connect
) -> None:
    now, mail = server.mail.runtime.now(), HELLO % user.encode()
    for begin, answers in ((now - 100, 1), (now - 100, 1), (now - 50, 2)):
        set_up(server, user, PR_EC_OUTOFOFFICE=True, PR_EC_OUTOFOFFICE_FROM=from_unix(begin))
        connect(duplicates=0).deliver(mail, f"{user}@example.com")  # each has a server of its own
        assert len(queued(server, user)) == answers


def test_after_a_while_the_same_sender_gets_another(server: Server, user: str) -> None:
    now = [1000.0]
    from gateway.lmtp.vacation import Vacations
    from gateway.mailbox.runtime import Runtime

    vacations = Vacations(Runtime(reactor.reactor, server.mail.cache, now=lambda: now[0]), None)

    async def asked() -> bool:
        return await vacations.is_first("me", "Ann@example.org", "away", 100)

    assert [reactor.run(asked), reactor.run(asked)] == [True, False]
    now[0] += 101
    assert reactor.run(asked)
    vacations.close()


def test_an_outbox_that_is_gone_is_no_reason_to_deliver_again(
    server: Server, user: str, connect: Connect
) -> None:
    set_up(server, user, PR_EC_OUTOFOFFICE=True, PR_IPM_OUTBOX_ENTRYID=b"")
    assert connect().deliver(HELLO % user.encode(), f"{user}@example.com") == ["250 2.1.5 delivered"]
