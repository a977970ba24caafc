"""Rules of the Inbox: what happens to a mail beside being stored (MS-OXORULE)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.lmtp.matching import Subject
from gateway.lmtp.rules import Plan, plan_of, read_rules
from gateway.mapi import proptags as pr
from gateway.mapi import restrictions as r
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.propnames import PS_PUBLIC_STRINGS
from gateway.mapi.props import PT_UNICODE, NamedTag, PropName
from gateway.mapi.rules import ActionType, Bounce, Defer, Forward, ForwardFlavor, MoveCopy, Plain, Reply, Tag
from gateway.mapiclient.names import Names
from gateway.mapiclient.wire.documents import encode_rows
from gateway.mapiclient.wire.errors import WireError
from tests.lmtp.inbox import HELLO, add_template, person, property_of, queued, queued_octets, rule, set_up
from tests.lmtp.server import Client, Server

Connect = Callable[..., Client]
REDIRECT = ForwardFlavor.PRESERVE_SENDER | ForwardFlavor.DO_NOT_MUNGE
CAROL = person("carol@example.net")
EVERYBODY = Subject({pr.PR_SUBJECT: "Invoice 12"})
NEVER = r.equals(pr.PR_SUBJECT, "other")
MOVE, COPY = MoveCopy(ActionType.MOVE, b"s", b"there"), MoveCopy(ActionType.COPY, b"s", b"copy")
DELETE, READ = Plain(ActionType.DELETE), Plain(ActionType.MARK_AS_READ)
ENABLED, AWAY, EXIT = 1, 4, 16


def plan(*rules: list[Any], away: bool = False) -> Plan:
    return plan_of(read_rules(encode_rows(rules)), EVERYBODY, b"home", away=away)


PLANS = {
    "no rule": ([], Plan([b"home"])),
    "move": ([rule(MOVE)], Plan([b"there"])),
    "copy": ([rule(COPY)], Plan([b"home", b"copy"])),
    "move to nowhere": ([rule(MoveCopy(ActionType.MOVE, b"s", b""))], Plan([b"home"], left_out=["move of rule 'without a name'"])),
    "a condition that fails": ([rule(MOVE, condition=NEVER)], Plan([b"home"])),
    "an exception": ([rule(MOVE, condition=r.And((r.Exist(pr.PR_SUBJECT), r.Not(r.contains(pr.PR_SUBJECT, "12")))))], Plan([b"home"])),
    "mark as read": ([rule(READ)], Plan([b"home"], mark_read=True)),
    "delete": ([rule(DELETE)], Plan([], delete=True)),
    "disabled": ([rule(MOVE, state=0)], Plan([b"home"])),
    "for absence, here": ([rule(MOVE, state=ENABLED | AWAY)], Plan([b"home"])),
    "in sequence": ([rule(COPY, sequence=2), rule(MOVE, sequence=1)], Plan([b"there", b"copy"])),
    "the same folder twice": ([rule(COPY), rule(COPY)], Plan([b"home", b"copy"])),
    "no more rules": ([rule(MOVE, state=ENABLED | EXIT, sequence=1), rule(COPY, sequence=2)], Plan([b"there"])),
    "no more rules where the condition fails": ([rule(MOVE, condition=NEVER, state=ENABLED | EXIT, sequence=1), rule(COPY, sequence=2)], Plan([b"home", b"copy"])),
    "defer": ([rule(Defer(b"x"), name="mine")], Plan([b"home"], left_out=["defer of rule 'mine'"])),
    "an unknown action": ([rule(Plain(77))], Plan([b"home"], left_out=["action 77 of rule 'without a name'"])),
    "tag": ([rule(Tag((pr.PR_IMPORTANCE, 2)))], Plan([b"home"], tags={pr.PR_IMPORTANCE: 2})),
    "tag of the store's own": ([rule(Tag((pr.PR_MESSAGE_SIZE, 2)))], Plan([b"home"], left_out=["tag of rule 'without a name'"])),
    "bounce": ([rule(Bounce(0x26))], Plan([], bounce=Bounce(0x26))),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "expected"), PLANS.values(), ids=PLANS)
def test_plans(rules: list[list[Any]], expected: Plan) -> None:
    assert plan(*rules) == expected


def test_rules_of_an_absence_are_obeyed_then_even_after_the_last_rule() -> None:
    rules = [rule(MOVE, state=ENABLED | EXIT, sequence=1), rule(COPY, state=ENABLED | AWAY, sequence=2)]
    assert plan(*rules, away=True).folders == [b"there", b"copy"]
    assert plan(*rules).folders == [b"there"]


def test_rules_cannot_send_without_end() -> None:
    found = plan(*[rule(Forward(ActionType.FORWARD, (CAROL,)), name=str(number)) for number in range(30)])
    assert (len(found.sendings), len(found.left_out)) == (20, 10)


def test_a_document_that_makes_no_sense() -> None:
    assert read_rules(b"") == []
    with pytest.raises(WireError):
        read_rules(b"<broken")


def test_move_and_mark_as_read(server: Server, user: str, connect: Connect) -> None:
    async def rules(account: Any) -> list[Any]:
        await account.create("Ann")
        there = await account.mailbox("Ann")
        move = MoveCopy(ActionType.MOVE, there.store_entryid, there.entryid)
        return [rule(move, READ, condition=r.contains(pr.PR_SUBJECT, "HELLO"))]

    set_up(server, user, rules)
    mail = HELLO % user.encode()
    connect(duplicates=0).deliver(mail, f"{user}@example.com")
    connect(duplicates=0).deliver(mail.replace(b"hello", b"other"), f"{user}@example.com")
    assert (server.mails(user, "Ann"), server.seen(user, "Ann")) == ([mail], [True])
    assert len(server.mails(user)) == 1


@pytest.mark.parametrize(("kind", "copies"), [(ActionType.MOVE, 1), (ActionType.COPY, 2)])
def test_a_folder_that_is_gone_loses_nothing(
    server: Server, user: str, connect: Connect, kind: int, copies: int
) -> None:
    async def rules(account: Any) -> list[Any]:
        inbox = await account.mailbox("INBOX")
        gone = inbox.entryid[:28] + bytes(16) + inbox.entryid[44:]
        return [rule(MoveCopy(kind, inbox.store_entryid, gone))]

    set_up(server, user, rules)
    assert connect().deliver(HELLO % user.encode(), f"{user}@example.com") == ["250 2.1.5 delivered"]
    assert len(server.mails(user)) == copies


def test_rules_that_cannot_be_read_lose_nothing(server: Server, user: str, connect: Connect) -> None:
    set_up(server, user, b"<broken")
    assert connect().deliver(HELLO % user.encode(), f"{user}@example.com") == ["250 2.1.5 delivered"]
    assert len(server.mails(user)) == 1


def test_delete(server: Server, user: str, connect: Connect) -> None:
    set_up(server, user, [rule(DELETE)])
    assert connect().deliver(HELLO % user.encode(), f"{user}@example.com") == ["250 2.1.5 delivered"]
    assert server.mails(user) == []


def test_tag(server: Server, user: str, connect: Connect) -> None:
    set_up(server, user, [rule(Tag((pr.PR_IMPORTANCE, 2)))])
    connect().deliver(HELLO % user.encode(), f"{user}@example.com")
    assert property_of(server, user, pr.PR_IMPORTANCE) == 2


def test_a_condition_on_a_named_property(server: Server, user: str, connect: Connect) -> None:
    """The store numbers names: the rule has the number, the converted mail has the name."""

    async def rules(account: Any) -> list[Any]:
        await account.create("Named")
        there = await account.mailbox("Named")
        (tag,) = await Names(account.session).tags([NamedTag(PropName(PS_PUBLIC_STRINGS, "Keywords"), 0x101F)])
        move = MoveCopy(ActionType.MOVE, there.store_entryid, there.entryid)
        return [rule(move, condition=r.contains(tag & 0xFFFF0000 | PT_UNICODE, "urgent"))]

    set_up(server, user, rules)
    connect(duplicates=0).deliver(b"Keywords: urgent\r\n" + HELLO % user.encode(), f"{user}@example.com")
    connect(duplicates=0).deliver(HELLO % user.encode(), f"{user}@example.com")
    assert (len(server.mails(user, "Named")), len(server.mails(user))) == (1, 1)


def test_bounce(server: Server, user: str, connect: Connect) -> None:
    """The MTA is told no, and writes the report; a mail that has no sender stays."""
    set_up(server, user, [rule(Bounce(0x26), condition=r.contains(pr.PR_SUBJECT, "hello"))])
    client, mail = connect(duplicates=0), HELLO % user.encode()
    assert client.deliver(mail, f"{user}@example.com") == ["550 5.7.1 the recipient takes no mail of this kind"]
    assert server.mails(user) == []
    assert client.deliver(mail, f"{user}@example.com", sender="") == ["250 2.1.5 delivered"]
    assert server.mails(user) == [mail]


def test_bounce_of_one_of_two_recipients(server: Server, connect: Connect) -> None:
    first, second = server.new_user(), server.new_user()
    set_up(server, first, [rule(Bounce(0x0D))])
    mail = HELLO % first.encode()
    assert connect().deliver(mail, f"{first}@example.com", f"{second}@example.com") == [
        "552 5.3.4 the recipient takes no mail of this size",
        "250 2.1.5 delivered",
    ]


def test_forward_is_a_new_mail_with_the_text(server: Server, user: str, connect: Connect) -> None:
    set_up(server, user, [rule(Forward(ActionType.FORWARD, (CAROL,)))])
    connect().deliver(HELLO % user.encode(), f"{user}@example.com")
    (mail,) = queued(server, user)
    assert (mail["Subject"], mail["To"]) == ("FW: hello", "carol@example.net")
    assert f"{user}@example.com" in str(mail["From"])
    assert (mail["X-Loop"], mail["Auto-Submitted"]) == (f"{user}@example.com", "auto-generated")
    text = mail.get_content().replace("\r\n", "\n")
    assert "From: Ann <ann@example.org>\n" in text
    assert "Subject: hello\n\nHello.\n" in text
    assert len(server.mails(user)) == 1


def test_forward_keeps_html_and_attachments(server: Server, user: str, connect: Connect) -> None:
    set_up(server, user, [rule(Forward(ActionType.FORWARD, (CAROL,)))])
    mail = (
        b"From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<html><body bgcolor=red><b>bold</b>"
        b"\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\nPDF\r\n--b--\r\n"
    )
    connect().deliver(mail, f"{user}@example.com")
    (sent,) = queued(server, user)
    assert sent["Subject"] == "FW: Grüße"
    html = sent.get_body(("html",))
    assert html is not None
    assert (
        "<body bgcolor=red><p>----- Original message -----<br>From: Jörg &lt;joerg@example.org&gt;"
        in html.get_content().replace('"', "").replace("&#246;", "ö")
    )
    assert [part.get_filename() for part in sent.iter_attachments()] == ["a.pdf"]


@pytest.mark.parametrize("kind", ["as the flavor says", "because it is signed"])
def test_forward_as_attachment(server: Server, user: str, connect: Connect, kind: str) -> None:
    flavor = ForwardFlavor.AS_ATTACHMENT if kind == "as the flavor says" else 0
    set_up(server, user, [rule(Forward(ActionType.FORWARD, (CAROL,), flavor))])
    mail = HELLO % user.encode()
    if not flavor:
        parts = b"--b\r\nContent-Type: text/plain\r\n\r\nHi\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n"
        mail = mail.replace(b"\r\n\r\nHello.\r\n", b'\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b; protocol="application/pgp-signature"\r\n\r\n' + parts)  # fmt: skip
    connect().deliver(mail, f"{user}@example.com")
    (sent,) = queued(server, user)
    (attached,) = sent.iter_attachments()
    assert attached.get_content_type() == "message/rfc822"
    (raw,) = queued_octets(server, user)
    inner = raw.partition(b"Content-Disposition: attachment\r\n\r\n")[2].partition(b"\r\n--=_forward")[0]
    assert inner == mail


@pytest.mark.parametrize("kind", [ActionType.FORWARD, ActionType.DELEGATE])
def test_redirect(server: Server, user: str, connect: Connect, kind: int) -> None:
    """The octets go on; a bounce comes to whoever sent them on."""
    set_up(server, user, [rule(Forward(kind, (CAROL,), REDIRECT if kind == ActionType.FORWARD else 0))])
    connect().deliver(HELLO % user.encode(), f"{user}@example.com")
    (sent,) = queued(server, user)
    assert (sent["From"], sent["Message-ID"]) == ("Ann <ann@example.org>", "<1@example.org>")
    assert (sent["Resent-From"], sent["X-Loop"]) == (f"{user}@example.com", f"{user}@example.com")
    assert sent["Resent-Date"] is not None
    assert sent["Resent-To"] == "carol@example.net"


@pytest.mark.parametrize("flavor", [0, REDIRECT, ForwardFlavor.AS_ATTACHMENT])
def test_what_comes_back_is_not_sent_on_again(server: Server, user: str, connect: Connect, flavor: int) -> None:
    """Neither directly nor by others who forward it in their turn."""
    set_up(server, user, [rule(Forward(ActionType.FORWARD, (CAROL,), flavor))])
    client, mail = connect(duplicates=0), HELLO % user.encode()
    client.deliver(b"X-Loop: dave@example.net\r\n" + mail, f"{user}@example.com")
    (sent,) = queued(server, user)
    assert sorted(sent.get_all("X-Loop") or ()) == ["dave@example.net", f"{user}@example.com"]
    client.deliver(b"X-Loop: %s@example.com\r\n" % user.upper().encode() + mail, f"{user}@example.com")
    assert len(queued(server, user)) == 1
    assert len(server.mails(user)) == 2


def test_nobody_forwards_to_himself(server: Server, user: str, connect: Connect) -> None:
    mine = person(f"{user.upper()}@example.com")
    set_up(server, user, [rule(Forward(ActionType.FORWARD, (mine,)))])
    connect().deliver(HELLO % user.encode(), f"{user}@example.com")
    assert queued(server, user) == []


def test_forwarding_can_be_forbidden(server: Server, user: str, connect: Connect) -> None:
    set_up(server, user, [rule(Forward(ActionType.FORWARD, (CAROL,)))])
    connect(forwarding=False).deliver(HELLO % user.encode(), f"{user}@example.com")
    assert queued(server, user) == []


def test_one_rule_that_fails_harms_no_other(server: Server, user: str, connect: Connect) -> None:
    gone = Reply(ActionType.REPLY, b"", b"")
    set_up(server, user, [rule(gone, sequence=1), rule(Forward(ActionType.FORWARD, (CAROL,)), sequence=2)])
    assert connect().deliver(HELLO % user.encode(), f"{user}@example.com") == ["250 2.1.5 delivered"]
    assert [mail["Subject"] for mail in queued(server, user)] == ["FW: hello"]


def test_a_delegate_of_this_house_has_it_as_received_for_the_principal(
    server: Server, user: str, connect: Connect
) -> None:
    delegate = server.new_user()
    set_up(server, user, [rule(Forward(ActionType.DELEGATE, (person(f"{delegate}@example.com"),)))])
    mail = HELLO % user.encode()
    connect().deliver(mail, f"{user}@example.com")
    assert (server.mails(user), server.mails(delegate)) == ([mail], [mail])
    assert property_of(server, delegate, pr.PR_RCVD_REPRESENTING_EMAIL_ADDRESS) == user
    assert property_of(server, delegate, pr.PR_RECEIVED_BY_EMAIL_ADDRESS) == delegate
    assert property_of(server, delegate, pr.PR_DELEGATED_BY_RULE) is True
    assert queued(server, user) == []


TEMPLATE = MessageContent(
    {
        pr.PR_MESSAGE_CLASS: "IPM.Note.rules.ReplyTemplate.Microsoft",
        pr.PR_SUBJECT: "Prices",
        pr.PR_BODY: "As wanted: prices.",
        pr.PR_REPLY_TEMPLATE_ID: b"0123456789abcdef",
    },
    attachments=[AttachmentContent({pr.PR_ATTACH_METHOD: 1, pr.PR_ATTACH_LONG_FILENAME: "prices.txt"}, b"10")],
)


@pytest.mark.parametrize("known_by", ["entry id", "guid", "guid, the entry id is another store's"])
def test_reply_with_a_template(server: Server, user: str, connect: Connect, known_by: str) -> None:
    entryid = add_template(server, user, TEMPLATE)
    guid = b"" if known_by == "entry id" else b"0123456789abcdef"
    message = {"entry id": entryid, "guid": b""}.get(known_by, entryid[:28] + bytes(16) + entryid[44:])
    set_up(server, user, [rule(Reply(ActionType.REPLY, message, guid))])
    client, mail = connect(duplicates=0), HELLO % user.encode()
    client.deliver(mail, f"{user}@example.com")
    (sent,) = queued(server, user)
    assert (sent["Subject"], sent["To"], sent["In-Reply-To"]) == (
        "Prices",
        "ann@example.org",
        "<1@example.org>",
    )
    assert (sent["Auto-Submitted"], sent["Precedence"]) == ("auto-replied", None)
    assert [part.get_filename() for part in sent.iter_attachments()] == ["prices.txt"]
    body = sent.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "As wanted: prices."
    client.deliver(mail, f"{user}@example.com")  # so soon again: two programs talking to each other
    client.deliver(mail, f"{user}@example.com", sender="")
    client.deliver(b"Auto-Submitted: auto-replied\r\n" + mail, f"{user}@example.com", sender="x@example.org")
    assert len(queued(server, user)) == 1


@pytest.mark.parametrize(("flavor", "to"), [(0, "ann@example.org, boss@example.com"), (1, "boss@example.com")])
def test_reply_to_whom_the_template_names(
    server: Server, user: str, connect: Connect, flavor: int, to: str
) -> None:
    named = MessageContent(TEMPLATE.props, [{pr.PR_RECIPIENT_TYPE: 1, **dict(person("boss@example.com"))}])
    entryid = add_template(server, user, named)
    set_up(server, user, [rule(Reply(ActionType.REPLY, entryid, b"", flavor))])
    connect().deliver(HELLO % user.encode(), f"{user}@example.com")
    assert [mail["To"] for mail in queued(server, user)] == [to]


def test_reply_with_the_text_of_the_server(server: Server, user: str, connect: Connect) -> None:
    set_up(server, user, [rule(Reply(ActionType.REPLY, b"", b"", 2))])
    connect().deliver(HELLO % user.encode(), f"{user}@example.com")
    (sent,) = queued(server, user)
    assert (sent["Subject"], sent.get_content().strip()) == ("Re: hello", "Your mail was received. This is an automatic answer.")  # fmt: skip


def test_a_reply_for_absence(server: Server, user: str, connect: Connect) -> None:
    entryid = add_template(server, user, TEMPLATE)
    rules = [rule(Reply(ActionType.OOF_REPLY, entryid, b""), state=ENABLED | AWAY)]
    set_up(server, user, rules)
    client, mail = connect(duplicates=0, recipient_cache=0, vacation=False), HELLO % user.encode()
    client.deliver(mail, f"{user}@example.com")
    assert queued(server, user) == []
    set_up(server, user, rules, PR_EC_OUTOFOFFICE=True)
    client.deliver(mail, f"{user}@example.com")
    client.deliver(mail, f"{user}@example.com")
    assert [sent["Subject"] for sent in queued(server, user)] == ["Prices"]
