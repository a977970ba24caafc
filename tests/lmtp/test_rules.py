"""Rules and out of office: what happens to a mail beside being stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.lmtp.mail import Incoming
from gateway.lmtp.matching import Subject, matches
from gateway.lmtp.rules import plan_of, read_rules
from gateway.lmtp.vacation import is_away, wants_answer
from gateway.mapi import proptags as pr
from gateway.mapi import restrictions as r
from gateway.mapi.rules import ActionType, Forward, ForwardFlavor, MoveCopy, Plain
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.message import set_props
from gateway.mapiclient.store import Store
from gateway.mapiclient.table import Table, rows_of
from gateway.mapiclient.wire.documents import encode_rows
from gateway.smtp.codec.address import NULL, Address
from gateway.smtp.person import Person
from tests.lmtp.server import Client, Server

Connect = Callable[..., Client]
HELLO = b"From: Ann <ann@example.org>\r\nTo: %s@example.com\r\nSubject: hello\r\n\r\nHello.\r\n"
SUBJECT = Subject(
    {
        pr.PR_SUBJECT: "Invoice 12",
        pr.PR_MESSAGE_SIZE: 100,
        pr.PR_MESSAGE_FLAGS: 2,
        pr.PR_SENDER_SEARCH_KEY: b"SMTP:A@B\0",
    },
    [{pr.PR_SMTP_ADDRESS: "bob@example.com"}],
)
CASES = [
    (r.contains(pr.PR_SUBJECT, "invoice"), True),
    (r.Content(r.Fuzzy.SUBSTRING, pr.PR_SUBJECT, (pr.PR_SUBJECT, "invoice")), False),
    (r.Content(r.Fuzzy.PREFIX, pr.PR_SUBJECT & ~1, (pr.PR_SUBJECT & ~1, "Inv")), True),
    (r.Content(r.Fuzzy.FULLSTRING, pr.PR_SENDER_SEARCH_KEY, (pr.PR_SENDER_SEARCH_KEY, b"SMTP:A@B\0")), True),
    (r.equals(pr.PR_SUBJECT, "INVOICE 12"), True),
    (r.equals(pr.PR_BODY, "x"), False),
    (r.Property(r.Relop.NE, pr.PR_BODY, (pr.PR_BODY, "x")), True),
    (r.Property(r.Relop.GT, pr.PR_MESSAGE_SIZE, (pr.PR_MESSAGE_SIZE, 99)), True),
    (r.Property(r.Relop.GT, pr.PR_MESSAGE_SIZE, (pr.PR_MESSAGE_SIZE, "x")), False),
    (r.Property(r.Relop.RE, pr.PR_SUBJECT, (pr.PR_SUBJECT, "[0-9]+$")), True),
    (r.Property(r.Relop.RE, pr.PR_SUBJECT, (pr.PR_SUBJECT, "[")), False),
    (r.Bitmask(pr.PR_MESSAGE_FLAGS, 1, False), True),
    (r.Size(r.Relop.LT, pr.PR_SUBJECT, 5), False),
    (r.Exist(pr.PR_BODY), False),
    (r.Not(r.Exist(pr.PR_BODY)), True),
    (r.And(()), True),
    (r.Or(()), False),
    (r.Sub(pr.PR_MESSAGE_RECIPIENTS, r.equals(pr.PR_SMTP_ADDRESS, "BOB@example.com")), True),
    (r.Sub(pr.PR_MESSAGE_ATTACHMENTS, r.And(())), False),
    (r.Comment(None, ()), True),
]


@pytest.mark.parametrize(("restriction", "expected"), CASES)
def test_restrictions(restriction: r.Restriction, expected: bool) -> None:
    assert matches(restriction, SUBJECT) is expected


def test_restrictions_are_not_followed_for_ever() -> None:
    deep: r.Restriction = r.And(())
    for _ in range(1000):
        deep = r.And((deep,))
    assert not matches(deep, SUBJECT)


def rule(*actions: Any, condition: Any = None, state: int = 1, sequence: int = 0) -> list[Any]:
    row = [(pr.PR_RULE_SEQUENCE, sequence), (pr.PR_RULE_STATE, state), (pr.PR_RULE_ACTIONS, actions)]
    return row if condition is None else [*row, (pr.PR_RULE_CONDITION, condition)]


def test_plans() -> None:
    def plan(*rules: list[Any], away: bool = False) -> tuple[list[bytes], bool, bool]:
        found = plan_of(read_rules(encode_rows(rules)), SUBJECT, b"home", away=away)
        return found.folders, found.delete, found.mark_read

    move, copy = MoveCopy(ActionType.MOVE, b"s", b"there"), MoveCopy(ActionType.COPY, b"s", b"copy")
    no = r.equals(pr.PR_SUBJECT, "other")
    assert plan() == ([b"home"], False, False)
    assert plan(rule(move)) == ([b"there"], False, False)
    assert plan(rule(copy)) == ([b"home", b"copy"], False, False)
    assert plan(rule(move, condition=no), rule(Plain(ActionType.MARK_AS_READ))) == ([b"home"], False, True)
    assert plan(rule(Plain(ActionType.DELETE))) == ([], True, False)
    assert plan(rule(move, state=0)) == ([b"home"], False, False)
    assert plan(rule(move, state=5)) == ([b"home"], False, False)
    assert plan(rule(move, state=5), away=True) == ([b"there"], False, False)
    assert plan(rule(copy, sequence=2), rule(move, state=17, sequence=1)) == ([b"there"], False, False)
    assert read_rules(b"<broken") == []


def set_up(server: Server, user: str, rules: Callable[[Any], list[Any]], **store_props: Any) -> None:
    """Give a user rules (made from the account) and properties of the store."""

    async def work(account: Any) -> None:
        store = await Store.default(account.session)
        inbox = await store.receive_folder()
        _, number = await load_props(account.session, inbox)
        rows = await rules(account)
        await set_props(
            account.session,
            store.entryid,
            inbox,
            number,
            {pr.PR_RULES_DATA: encode_rows(rows)},
            object_type=ObjectType.FOLDER,
        )
        await store.set_props({getattr(pr, name): value for name, value in store_props.items()})

    server.mail.run(work, user)


def queued(server: Server, user: str) -> list[dict[int, Any]]:
    """What waits in the Outbox."""

    async def work(account: Any) -> list[dict[int, Any]]:
        store = await Store.default(account.session)
        columns = (pr.PR_SUBJECT, pr.PR_DISPLAY_TO, pr.PR_DELETE_AFTER_SUBMIT)
        return await rows_of(Table.contents(account.session, store.props[pr.PR_IPM_OUTBOX_ENTRYID], columns))

    return server.mail.run(work, user)


def test_rules_move_and_mark_as_read(server: Server, user: str, connect: Connect) -> None:
    async def rules(account: Any) -> list[Any]:
        await account.create("Ann")
        there = await account.mailbox("Ann")
        move = MoveCopy(ActionType.MOVE, there.store_entryid, there.entryid)
        return [rule(move, Plain(ActionType.MARK_AS_READ), condition=r.contains(pr.PR_SUBJECT, "HELLO"))]

    set_up(server, user, rules)
    mail = HELLO % user.encode()
    connect().deliver(mail, f"{user}@example.com")
    connect().deliver(mail.replace(b"hello", b"other"), f"{user}@example.com")
    assert (server.mails(user, "Ann"), server.seen(user, "Ann")) == ([mail], [True])
    assert len(server.mails(user)) == 1


def test_a_rule_to_a_folder_that_is_gone_loses_nothing(server: Server, user: str, connect: Connect) -> None:
    async def rules(account: Any) -> list[Any]:
        inbox = await account.mailbox("INBOX")
        gone = inbox.entryid[:28] + bytes(16) + inbox.entryid[44:]
        return [rule(MoveCopy(ActionType.MOVE, inbox.store_entryid, gone))]

    set_up(server, user, rules)
    assert connect().deliver(HELLO % user.encode(), f"{user}@example.com") == ["250 2.1.5 delivered"]
    assert len(server.mails(user)) == 1


def test_rules_delete(server: Server, user: str, connect: Connect) -> None:
    async def rules(_account: Any) -> list[Any]:
        return [rule(Plain(ActionType.DELETE))]

    set_up(server, user, rules)
    assert connect().deliver(HELLO % user.encode(), f"{user}@example.com") == ["250 2.1.5 delivered"]
    assert server.mails(user) == []


@pytest.mark.parametrize("flavor", [0, ForwardFlavor.PRESERVE_SENDER | ForwardFlavor.DO_NOT_MUNGE])
def test_rules_forward(server: Server, user: str, connect: Connect, flavor: int) -> None:
    target = ((pr.PR_ADDRTYPE, "SMTP"), (pr.PR_EMAIL_ADDRESS, "carol@example.net"))

    async def rules(_account: Any) -> list[Any]:
        return [rule(Forward(ActionType.FORWARD, (target,), flavor))]

    set_up(server, user, rules)
    client, mail = connect(duplicates=0), HELLO % user.encode()
    client.deliver(mail, f"{user}@example.com")
    (row,) = queued(server, user)
    assert row[pr.PR_SUBJECT] == ("hello" if flavor else "FW: hello")
    assert row[pr.PR_DISPLAY_TO] == "carol@example.net"
    client.deliver(b"X-Loop: %s@example.com\r\n" % user.encode() + mail, f"{user}@example.com")
    assert len(queued(server, user)) == 1
    assert len(server.mails(user)) == 2


async def no_rules(_account: Any) -> list[Any]:
    return []


def test_out_of_office(server: Server, user: str, connect: Connect) -> None:
    set_up(
        server,
        user,
        no_rules,
        PR_EC_OUTOFOFFICE=True,
        PR_EC_OUTOFOFFICE_SUBJECT="Away",
        PR_EC_OUTOFOFFICE_MSG="Back soon. é",
    )
    client, mail = connect(), HELLO % user.encode()
    for sender in ("ann@example.org", "ann@example.org", "", "list-bounces@example.org", "bob@example.org"):
        client.deliver(mail, f"{user}@example.com", sender=sender)
    client.deliver(b"List-Id: x\r\n" + mail, f"{user}@example.com", sender="carl@example.org")
    client.deliver(mail.replace(user.encode(), b"others"), f"{user}@example.com", sender="dave@example.org")
    rows = queued(server, user)
    assert sorted(row[pr.PR_DISPLAY_TO] for row in rows) == ["ann@example.org", "bob@example.org"]
    assert {row[pr.PR_SUBJECT] for row in rows} == {"Away"}
    assert len(server.mails(user)) == 7


def test_when_somebody_is_away() -> None:
    assert not is_away({}, 5)
    assert not is_away({pr.PR_EC_OUTOFOFFICE: False}, 5)
    assert is_away({pr.PR_EC_OUTOFOFFICE: True}, 5)
    both = {pr.PR_EC_OUTOFOFFICE: True, pr.PR_EC_OUTOFOFFICE_FROM: 5, pr.PR_EC_OUTOFOFFICE_UNTIL: 7}
    assert [is_away(both, now) for now in (4, 5, 6, 7)] == [False, True, True, False]


ANSWERS = [
    (b"", "ann@x.example", True),
    (b"", "", False),
    (b"", "me@example.com", False),
    (b"", "noreply@x.example", False),
    (b"", "owner-list@x.example", False),
    (b"", "bounces+1@x.example", False),
    (b"Auto-Submitted: no\r\n", "ann@x.example", True),
    (b"Auto-Submitted: auto-replied (vacation)\r\n", "ann@x.example", False),
    (b"Precedence: Bulk\r\n", "ann@x.example", False),
    (b"X-Auto-Response-Suppress: DR,\r\n OOF\r\n", "ann@x.example", False),
    (b"List-Unsubscribe: x\r\n", "ann@x.example", False),
]  # fmt: skip


@pytest.mark.parametrize(("field", "sender", "expected"), ANSWERS)
def test_who_gets_an_answer(field: bytes, sender: str, expected: bool) -> None:
    local, _, domain = sender.partition("@")
    mail = Incoming(Address(local, domain) if local else NULL, field + b"Subject: x\r\n\r\nList-Id: y\r\n")
    assert wants_answer(mail, Person("me", {pr.PR_SMTP_ADDRESS: "me@example.com"})) is expected
