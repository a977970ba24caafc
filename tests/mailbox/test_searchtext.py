"""SEARCH of subject and people: from cached ENVELOPEs and from the store, with the same meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.convert.mime.envelope import envelope
from gateway.convert.mime.structure import scan
from gateway.mailbox import criteria as c
from gateway.mailbox.account import Account
from gateway.mailbox.searchtext import SearchText, search_text
from gateway.mailbox.uploads import Upload
from gateway.mailbox.view import View
from tests.support.accounts import Mail, running_mail

MAILS = (
    b"From: Ann Smith <Ann@Example.org>\r\nTo: bob@example.org\r\nSubject: Number 77\r\n\r\n.\r\n",
    (
        b'From: =?utf-8?q?J=C3=BCrgen_Gro=C3=9F?= <jg@example.de>\r\nTo: Bob <bob@example.org>, "Doe, Jane" <jane@example.net>\r\n'
        b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= aus\r\n =?iso-8859-1?q?K=F6ln?=\r\n\r\n.\r\n"
    ),
    b"From: list@example.org\r\nCc: Carl <carl@example.com>\r\nBcc: Dora <dora@example.com>\r\nSubject:\r\n\r\n.\r\n",
    b"To: Friends: eve@example.org, Fred <fred@example.org>;\r\n\r\nNo subject, no sender.\r\n",
    b'From: "A \\"quoted\\" name" <q@example.org>\r\nSubject: {5} is no literal (nor NIL)\r\n\r\n.\r\n',
)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (0, (b"number 77", b"ann smith\nann@example.org", b"bob@example.org", b"", b"")),
        (
            1,
            (
                "grüsse aus köln".encode(),
                "jürgen gross\njg@example.de".encode(),
                b"bob\nbob@example.org\ndoe, jane\njane@example.net",
                b"",
                b"",
            ),
        ),
        (2, (b"", b"list@example.org", b"", b"carl\ncarl@example.com", b"dora\ndora@example.com")),
        (4, (b"{5} is no literal (nor nil)", b'a "quoted" name\nq@example.org', b"", b"", b"")),
    ],
)
def test_the_words_of_an_envelope(place: int, expected: tuple[bytes, ...]) -> None:
    assert search_text(envelope(scan(MAILS[place]))) == SearchText(*expected)


@pytest.mark.parametrize("text", [b"", b"()", b"NIL", b'("a" "b")', b"(((", b"{99}\r\nx", b'"' * 40])
def test_what_is_no_envelope_has_no_words(text: bytes) -> None:
    assert search_text(text) == SearchText(b"", b"", b"", b"", b"")


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mail]:
    async def fill(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(data) for data in MAILS])

    with running_mail(tmp_path_factory.mktemp("words"), "alice") as running:
        running.run(fill, "alice")
        yield running


async def inbox(account: Account) -> View:
    return await account.view((await account.mailboxes()).get("INBOX"))


CASES: tuple[tuple[c.Criterion, list[int]], ...] = (
    (c.Header("Subject", "number 7"), [0]),
    (c.Header("subject", "GRÜSSE AUS KÖLN"), [1]),
    (c.Header("subject", "is no literal"), [4]),
    (c.Header("subject", "nobody wrote this"), []),
    (c.Header("subject", "%"), []),
    (c.Header("from", "GROSS"), [1]),
    (c.Address("From", "ann@example"), [0]),
    (c.Address("From", "smith"), [0]),
    (c.Address("From", 'a "quoted'), [4]),
    (c.Address("To", "bob@EXAMPLE"), [0, 1]),
    (c.Address("To", "doe, jane"), [1]),
    (c.Address("To", "fred"), [3]),
    (c.Address("To", "carl"), []),
    (c.Address("Cc", "carl"), [2]),
    (c.Address("Bcc", "dora@"), [2]),
    (c.Not(c.Address("From", "example.org")), [1, 3]),
    (c.Or((c.Header("subject", "grüße"), c.Address("cc", "carl"))), [1, 2]),
    (c.And((c.Address("to", "bob"), c.Header("subject", "7"), c.Size(10, larger=True))), [0]),
    (c.And((c.Address("to", "bob"), c.Body("."))), [0, 1]),
)


@pytest.mark.parametrize(("criterion", "expected"), CASES, ids=repr)
def test_the_cache_and_the_store_agree(mail: Mail, criterion: c.Criterion, expected: list[int]) -> None:
    async def work() -> None:
        account = await mail.anew("alice")
        try:
            view = await inbox(account)
            assert not await view.know_words()
            by_store = list(await view.search(criterion))
            await view.envelopes(view.uids)
            assert await view.know_words()
            assert list(await view.search(criterion)) == by_store == [view.uids[place] for place in expected]
        finally:
            account.logout()

    mail.run(work)


def test_what_is_in_the_cache_is_not_asked_of_the_store(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        await view.envelopes(view.uids)

        async def refuse(call: Any, **_: Any) -> Any:
            raise AssertionError(call.name)

        monkeypatch.setattr(alice.session, "call", refuse)
        assert len(await view.search(c.Header("subject", "number"))) == 1
        monkeypatch.undo()

    mail.run(work, "alice")


def test_messages_the_cache_does_not_have_are_asked_of_the_store(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await alice.view(await alice.create("Growing"))
        await alice.append(view.mailbox, [Upload(MAILS[0])] * 10)
        await view.refresh()
        await view.envelopes(view.uids)
        await alice.append(view.mailbox, [Upload(MAILS[1])])
        await view.refresh(force=True)
        assert await view.know_words()
        *old, new = view.uids
        assert list(await view.search(c.Header("subject", "aus k\u00d6ln"))) == [new]
        assert list(await view.search(c.Header("subject", "number"))) == old
        assert list(await view.search(c.Address("to", "bob@"))) == [*old, new]

    mail.run(work, "alice")
