"""The bytes of many mails: several small ones in a call where the store gives them so, else one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.mailbox.account import Account
from gateway.mailbox.reading import SMALL, TOGETHER
from gateway.mailbox.uploads import Upload
from gateway.mailbox.view import View
from gateway.mapi import proptags as pr
from gateway.mapi.errors import InvalidParameter
from gateway.mapi.props import PT_ERROR
from gateway.mapiclient.wire.calls_table import TableMulti
from tests.support.accounts import Mail, running_mail

COUNT = TOGETHER + 3


def mail_of(number: int) -> bytes:
    return b"From: ann@example.org\r\nSubject: %d\r\n\r\n%b\r\n" % (number, b"." * number)


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mail]:
    async def fill(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(mail_of(number)) for number in range(COUNT)])
        await alice.append(view.mailbox, [Upload(mail_of(SMALL))])

    with running_mail(tmp_path_factory.mktemp("originals"), "alice") as running:
        running.run(fill, "alice")
        yield running


async def inbox(account: Account) -> View:
    return await account.view((await account.mailboxes()).get("INBOX"))


def expected(view: View) -> list[tuple[int, bytes]]:
    return list(zip(view.uids, [*map(mail_of, range(COUNT)), mail_of(SMALL)], strict=True))


async def read(view: View) -> list[tuple[int, bytes]]:
    return [(source.uid, source.read()) async for source in view.sources(view.uids)]


class Calls:
    """The calls of an account's session; what tables say of stored mails may be changed on the way."""

    def __init__(self, account: Account, monkeypatch: pytest.MonkeyPatch, column: Any = None) -> None:
        self.names: list[str] = []
        self._call = account.session.call
        self._column = column
        monkeypatch.setattr(account.session, "call", self)

    async def __call__(self, call: Any, **more: Any) -> Any:
        self.names.append(call.name)
        reply = await self._call(call, **more)
        if isinstance(call, TableMulti) and self._column is not None:
            for row in reply.row_set:
                row[:] = [self._column(prop) if prop[0] == pr.PR_EC_IMAP_EMAIL else prop for prop in row]
        return reply


def refused(_: object) -> Any:
    """A store that will not even answer."""
    raise InvalidParameter("no such column")


def test_small_mails_come_together(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        calls = Calls(alice, monkeypatch)
        assert await read(view) == expected(view)
        assert calls.names.count("tableMulti") == 2
        assert calls.names.count("loadProp") == 1
        assert [source.uid async for source in view.sources(reversed(view.uids))] == [*reversed(view.uids)]

    mail.run(work, "alice")


@pytest.mark.parametrize(
    "column",
    [lambda prop: (prop[0] & ~0xFFFF | PT_ERROR, 0x8004010F), lambda prop: (prop[0], prop[1][:30]), refused],
    ids=["withheld", "cut", "refused"],
)
def test_where_tables_do_not_give_them_they_are_read_one_by_one(
    mail: Mail, monkeypatch: pytest.MonkeyPatch, column: Any
) -> None:
    async def work() -> None:
        alice = await mail.anew("alice")
        try:
            view = await inbox(alice)
            calls = Calls(alice, monkeypatch, column)
            assert await read(view) == expected(view)
            assert calls.names.count("loadProp") == COUNT + 1
            calls.names.clear()
            assert await read(view) == expected(view)
            assert "tableMulti" not in calls.names
            assert calls.names.count("loadProp") == COUNT + 1
        finally:
            alice.logout()

    mail.run(work)


def test_what_is_gone_is_left_out(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await alice.view(await alice.create("Going"))
        uids = await alice.append(view.mailbox, [Upload(mail_of(number)) for number in range(4)])
        await view.refresh()
        other = await mail.anew("alice")
        try:
            elsewhere = await other.view((await other.mailboxes()).get("Going"))
            await elsewhere.remove([uids[1]], hard=True)
        finally:
            other.logout()
        found = [source.uid async for source in view.sources(uids)]
        assert found == [uids[0], *uids[2:]]

    mail.run(work, "alice")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Mail]:
    with running_mail(tmp_path, "alice") as running:
        yield running


def test_a_reader_who_stops_leaves_nothing_under_way(fresh: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(mail_of(number)) for number in range(4)])
        await view.refresh()
        sources = view.sources(view.uids)
        assert (await anext(sources)).read() == mail_of(0)
        await sources.aclose()  # type: ignore[attr-defined]

    fresh.run(work, "alice")
