"""What a store and the protocols do with converted mail, by the ids of the case tables (IM14, IM15, IM20-IM23, ML40)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.mailbox import criteria as c
from gateway.mailbox.account import Account
from gateway.mailbox.flags import Flag
from gateway.mailbox.uploads import Upload, content_of
from gateway.mailbox.view import View
from gateway.mailbox.writes import FlagChange
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.ids import parse_object_entryid
from gateway.mapiclient.message import load_message, save_new_message
from gateway.pop3.codec import DotStuffer
from tests.support.accounts import Mail, running_mail

HELLO = (
    b"From: Ann <ann@x.example>\r\nTo: Bob <bob@x.example>\r\nSubject: hello\r\n\r\n.Hello,\r\n..\r\nBob\r\n"
)
ASKING = b"Disposition-Notification-To: ann@x.example\r\n" + HELLO


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Mail]:
    with running_mail(tmp_path, "alice") as running:
        yield running


async def inbox(account: Account) -> View:
    return await account.view((await account.mailboxes()).get("INBOX"))


async def stored(account: Account, content: MessageContent) -> View:
    """The INBOX after another program has put a message into it."""
    view = await inbox(account)
    guid = parse_object_entryid(view.mailbox.store_entryid).store
    await save_new_message(account.session, view.mailbox.entryid, guid, content)
    await view.refresh(force=True)
    return view


async def the_bytes(view: View) -> bytes:
    (source,) = [source.read() async for source in view.sources(view.uids)]
    return source


def test_IM14_the_size_of_an_original_that_is_gone(mail: Mail) -> None:
    """A copy may keep the size of the original without the original: it is written from its properties."""

    async def work(alice: Account) -> None:
        content = content_of(Upload(HELLO), 0)
        content.props[pr.PR_EC_IMAP_EMAIL_SIZE] = 9999
        del content.props[pr.PR_EC_IMAP_EMAIL]
        view = await stored(alice, content)
        data = await the_bytes(view)
        assert b"Subject: hello\r\n" in data
        assert data.endswith(b"\r\n\r\n.Hello,\r\n..\r\nBob\r\n")

    mail.run(work, "alice")


def test_IM15_a_draft_that_was_edited_elsewhere(mail: Mail) -> None:
    """MAPI clients save a draft as a message without original: what they wrote is read, at its own size."""

    async def work(alice: Account) -> None:
        content = content_of(Upload(HELLO), 0)
        for tag in (
            pr.PR_EC_IMAP_EMAIL,
            pr.PR_EC_IMAP_EMAIL_SIZE,
            pr.PR_EC_IMAP_BODY,
            pr.PR_EC_IMAP_BODYSTRUCTURE,
        ):
            del content.props[tag]
        content.props[pr.PR_BODY] = "edited\r\n"
        view = await stored(alice, content)
        data = await the_bytes(view)
        assert data.endswith(b"\r\n\r\nedited\r\n")
        (meta,) = await view.envelopes(view.uids)
        assert meta is not None
        assert meta.size == len(data)

    mail.run(work, "alice")


@pytest.mark.parametrize("structure", ["", "(", '("text" "plain"', "NIL", "\0", "(" * 500])
def test_IM20_a_stored_structure_that_is_none(mail: Mail, structure: str) -> None:
    async def work(alice: Account) -> None:
        content = content_of(Upload(HELLO), 0)
        whole = content.props[pr.PR_EC_IMAP_BODYSTRUCTURE]
        content.props[pr.PR_EC_IMAP_BODYSTRUCTURE] = structure
        view = await stored(alice, content)
        (meta,) = await view.envelopes(view.uids)
        assert meta is not None
        assert (meta.structure, meta.size) == (whole.encode(), len(HELLO))

    mail.run(work, "alice")


def test_IM21_searches_by_size_agree_with_the_size(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await stored(
            alice, MessageContent({pr.PR_MESSAGE_CLASS: "IPM.Note", pr.PR_SUBJECT: "s", pr.PR_BODY: "x" * 100})
        )
        size = len(await the_bytes(view))
        for bound, larger, found in (
            (size - 1, True, 1),
            (size, True, 0),
            (size + 1, False, 1),
            (size, False, 0),
        ):
            assert len(await view.search(c.Size(bound, larger=larger))) == found

    mail.run(work, "alice")


def test_IM22_the_internal_date_of_an_append(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(HELLO, internal_date=1_700_000_000)])
        await view.refresh()
        assert list(view.dates) == [1_700_000_000]

    mail.run(work, "alice")


def test_IM23_dots_at_the_beginning_of_lines() -> None:
    stuffer = DotStuffer()
    wire = stuffer.feed(HELLO) + stuffer.finish()
    assert b"\r\n..Hello,\r\n...\r\nBob\r\n" in wire
    unstuffed = b"".join(line.removeprefix(b".") for line in io.BytesIO(wire.removesuffix(b".\r\n")))
    assert unstuffed == HELLO


def test_ML40_a_mail_that_is_marked_as_read_sends_no_receipt(mail: Mail) -> None:
    """The receipt that its author asks for is the business of a program that shows the mail to somebody."""

    async def work(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(ASKING)])
        await view.refresh()
        loaded = await load_message(alice.session, view.rows.entryid(0))
        assert loaded.content.props[pr.PR_READ_RECEIPT_REQUESTED] is True
        await view.change_flags(view.uids, FlagChange("add", Flag.SEEN))
        await view.refresh(force=True)
        assert list(view.flags) == [Flag.SEEN]
        for name in (each.name for each in await alice.mailboxes() if each.name != "INBOX"):
            other = await alice.view((await alice.mailboxes()).get(name))
            assert list(other.uids) == []

    mail.run(work, "alice")
