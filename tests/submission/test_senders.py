"""Who may send as whom: every combination of From, Sender and envelope with send-as and delegates."""

from __future__ import annotations

import smtplib
from email import message_from_bytes
from typing import Any

import pytest

from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapiclient import directory
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.message import save_new_message, set_props
from gateway.mapiclient.store import Store
from gateway.mapiclient.wire.calls_directory import AddSendAsUser, CreateGroup, ResolveUsername
from gateway.mapiclient.wire.structs import Group
from tests.submission.server import Server
from tests.submission.test_queue import state, submit
from tests.support.patience import PATIENCE


def grant(server: Server, user: str, principal: str) -> None:
    """Let a user send as another."""
    with server.store.system() as system:
        ids = [system.ok(ResolveUsername(username=name)).user_entryid for name in (principal, user)]
        system.ok(AddSendAsUser(user_entryid=ids[0], sender_entryid=ids[1]))


def make_delegate(server: Server, user: str, principal: str) -> None:
    """Name a user as delegate in the principal's store, as Outlook does (MS-OXODLGT 2.2.2.2.1)."""

    async def work(mine: Any, theirs: Any) -> None:
        entryid = (await directory.own_user(mine.session)).user_entryid
        store = await Store.default(theirs.session)
        root, number = await load_props(theirs.session, store.root)
        entryids = list(root.get(pr.PR_FREEBUSY_ENTRYIDS) or (b"", b"", b"", b""))
        settings = MessageContent(
            {
                pr.PR_MESSAGE_CLASS: "IPM.Microsoft.ScheduleData.FreeBusy",
                pr.PR_SCHDINFO_DELEGATE_ENTRYIDS: (entryid,),
            }
        )
        saved = await save_new_message(theirs.session, store.root, store.guid, settings, associated=True)
        entryids[1] = saved.entryid
        await set_props(
            theirs.session,
            store.entryid,
            store.root,
            number,
            {pr.PR_FREEBUSY_ENTRYIDS: tuple(entryids)},
            object_type=3,
        )

    server.mail.run(work, user, principal)


#: What the user is to the other, From, Sender, what becomes of it: the Sender that goes out, or None when nothing does.
CASES = {
    "himself": ("stranger", "me", "", ""),
    "himself twice": ("stranger", "me", "me", "me"),
    "himself, others as Sender": ("stranger", "me", "other", None),
    "a stranger": ("stranger", "other", "", None),
    "a stranger, honestly": ("stranger", "other", "me", None),
    "nobody known": ("stranger", "nobody", "me", None),
    "send as": ("send-as", "other", "", ""),
    "send as, with both": ("send-as", "other", "me", "me"),
    "send as, as Sender too": ("send-as", "other", "other", "other"),
    "on behalf": ("delegate", "other", "me", "me"),
    "on behalf, Sender is added": ("delegate", "other", "", "me"),
    "on behalf, a false Sender": ("delegate", "other", "other", None),
    "both of them": ("send-as", "me, other", "", "me"),
    "both of them, a stranger": ("stranger", "me, other", "me", None),
    "no From at all": ("stranger", "", "", ""),
}


@pytest.mark.parametrize(("standing", "author", "sender", "expected"), CASES.values(), ids=CASES)
def test_submission(server: Server, standing: str, author: str, sender: str, expected: str | None) -> None:
    me, other = server.new_user(), server.new_user()
    if standing == "send-as":
        grant(server, me, other)
    if standing == "delegate":
        make_delegate(server, me, other)
    names = {"me": f"{me}@example.com", "other": f"{other}@example.com", "nobody": "nobody@example.net"}
    authors = ", ".join(names[name] for name in author.split(", ") if name)
    header = (f"From: {authors}\r\n" if authors else "") + (f"Sender: {names[sender]}\r\n" if sender else "")
    with smtplib.SMTP("127.0.0.1", server.listen(), timeout=PATIENCE) as client:
        client.login(me, me)
        client.ehlo()
        client.mail(names["me"])
        client.rcpt("ann@example.org")
        assert client.data(f"{header}\r\nHi\r\n")[0] == (553 if expected is None else 250)
    sent = [message_from_bytes(mail[2])["Sender"] for mail in server.smarthost.mails]
    if expected is None:
        assert sent == []
    elif expected:
        assert [str(value).strip("<>") for value in sent] == [names[expected]]
    else:
        assert sent == [None]


@pytest.mark.parametrize(("standing", "allowed"), [("stranger", False), ("send-as", True), ("delegate", True)])
def test_the_envelope(server: Server, standing: str, allowed: bool) -> None:
    me, other = server.new_user(), server.new_user()
    if standing == "send-as":
        grant(server, me, other)
    if standing == "delegate":
        make_delegate(server, me, other)
    with smtplib.SMTP("127.0.0.1", server.listen(), timeout=PATIENCE) as client:
        client.login(me, me)
        client.ehlo()
        assert client.mail(f"{other}@example.com")[0] == (250 if allowed else 553)


@pytest.mark.parametrize(
    ("standing", "sender", "expected"),
    [("stranger", "", None), ("send-as", "", ""), ("delegate", "", "me"), ("delegate", "other", "me")],
)
def test_the_outgoing_queue(server: Server, standing: str, sender: str, expected: str | None) -> None:
    """The same judgement for what MAPI clients submit."""
    me, other = server.new_user(), server.new_user()
    if standing == "send-as":
        grant(server, me, other)
    if standing == "delegate":
        make_delegate(server, me, other)
    mine, theirs = f"{me}@example.com", f"{other}@example.com"
    submit(server, me, "ann@example.org", sender=theirs, PR_SENDER_EMAIL_ADDRESS=theirs if sender or expected == "" else mine)  # fmt: skip
    server.empty()
    if expected is None:
        assert server.smarthost.mails == []
        assert b"you may not send under this name" in server.mails(me)[0]
        return
    ((envelope, _, mail),) = server.smarthost.mails
    said = message_from_bytes(mail)["Sender"]
    assert (envelope, mine in str(said)) == (mine, expected == "me")
    assert state(server, me)["sent"] == 1


@pytest.mark.parametrize("allowed", [True, False])
def test_a_group(server: Server, user: str, allowed: bool) -> None:
    address = f"sales.{user}@example.com"
    with server.store.system() as system:
        group = Group(group_name=f"sales.{user}", full_name="Sales", full_email=address)
        made = system.ok(CreateGroup(group=group)).group_entryid
        mine = system.ok(ResolveUsername(username=user)).user_entryid
        if allowed:
            system.ok(AddSendAsUser(user_entryid=made, sender_entryid=mine))
    with smtplib.SMTP("127.0.0.1", server.listen(), timeout=PATIENCE) as client:
        client.login(user, user)
        client.ehlo()
        assert client.mail(address)[0] == (250 if allowed else 553)
