"""A View follows its folder: what is read again, what is known already, and what comes late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from gateway.mailbox import foldersync, upkeep
from gateway.mailbox.account import Account
from gateway.mailbox.flags import Flag
from gateway.mailbox.modseqs import modseq_of_change
from gateway.mailbox.rows import Entry
from gateway.mailbox.state import State
from gateway.mailbox.uploads import Upload
from gateway.mailbox.view import View
from gateway.mailbox.writes import FlagChange
from gateway.mapi import proptags as pr
from gateway.mapi.changes import Change, ChangeAction, ChangeClass
from gateway.mapi.ids import message_entryid
from gateway.mapiclient.message import set_read
from tests.support.accounts import Mail, running_mail

HELLO = b"From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: Hello\r\n\r\nHello, Bob\r\n"
FAR = 1_000_000


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Mail]:
    with running_mail(tmp_path, "alice") as running:
        yield running


async def inbox(account: Account) -> View:
    return await account.view((await account.mailboxes()).get("INBOX"))


def strangers(view: View, count: int) -> None:
    """Let the View have seen messages with UIDs far above those the store will give next."""
    view.state.arrive(
        Entry(FAR + n, message_entryid(bytes(16), n.to_bytes(16, "big")), b"far%d" % n, n, 0, (), 1, 0, 0)
        for n in range(count)
    )


def told(view: View) -> list[tuple[Any, ...]]:
    """Everything the rows say."""
    rows = view.rows
    return [
        (
            rows.uids[at],
            rows.entryid(at),
            rows.hierarchy_ids[at],
            rows.flags[at],
            rows.keyword_sets[rows.keywords[at]],
            rows.modseqs[at],
            rows.dates[at],
            rows.sizes[at],
            rows.keys[at],
            rows.emails[at],
        )
        for at in range(len(rows))
    ]


def calls_of(account: Account, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the calls the account's session makes from now on, but for those nobody waits for."""
    names: list[str] = []
    session, call_of_session = account.session, account.session.call

    async def call(call: Any, **more: Any) -> Any:
        if call.name not in ("tableClose", "notifySubscribe", "notifySubscribeMulti"):
            names.append(call.name)
        return await call_of_session(call, **more)

    monkeypatch.setattr(session, "call", call)
    return names


async def as_another_gateway_sees_it(mail: Mail) -> list[tuple[Any, ...]]:
    """The rows of a View that knows nothing but the store."""
    account = await mail.anew("alice")
    try:
        return told(await inbox(account))
    finally:
        account.logout()


@pytest.mark.parametrize("others", [1, 200], ids=["listed", "loaded one by one"])
def test_a_message_that_is_committed_late_is_shown(mail: Mail, others: int) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        strangers(view, others)
        before = view.serial
        uids = [(await alice.append(view.mailbox, [Upload(HELLO)]))[0] for _ in range(2)]
        await view.refresh(force=True)
        assert list(view.uids[:2]) == uids
        assert uids[-1] < FAR
        assert view.since(before).late == tuple(uids)
        assert view.uidnext == FAR + others

    mail.run(work, "alice")


def test_what_is_late_has_a_mod_sequence_that_nobody_was_told_of(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(HELLO)])
        await view.refresh(force=True)
        view.state.change_id += 20  # as if later changes were seen first
        known = view.highest_modseq
        await alice.append(view.mailbox, [Upload(HELLO)])
        await view.change_flags(view.uids[:1], FlagChange("add", Flag.FLAGGED))
        await view.refresh(force=True)
        assert list(await view.changed_since(known)) == list(view.uids)
        assert view.highest_modseq > known

    mail.run(work, "alice")


def test_an_append_to_an_open_mailbox_asks_for_nothing_but_the_uid(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(HELLO)])
        await view.refresh()
        names = calls_of(alice, monkeypatch)
        (uid,) = await alice.append(view.mailbox, [Upload(HELLO, Flag.SEEN, ("Work", "$Junk"), 1_700_000_000)])
        assert list(view.uids)[-1] == uid
        assert names == ["saveObject", "loadProp"]
        several = await alice.append(view.mailbox, [Upload(HELLO)] * 3)
        assert several == list(view.uids)[-3:] == list(range(uid + 1, uid + 4))
        names.clear()
        await view.refresh(force=True)
        assert names == ["getChanges"]

    mail.run(work, "alice")


@pytest.mark.parametrize(
    "flags", [Flag.NONE, Flag.SEEN | Flag.FLAGGED, Flag.DRAFT | Flag.ANSWERED | Flag.FORWARDED]
)
def test_what_an_append_makes_known_is_what_the_store_says(mail: Mail, flags: Flag) -> None:
    async def work(alice: Account) -> list[tuple[Any, ...]]:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(HELLO, flags, ("Work", "$Junk"), 1_700_000_000)])
        await alice.append(view.mailbox, [Upload(HELLO), Upload(HELLO, flags)])
        await view.refresh()
        await alice.append(view.mailbox, [Upload(HELLO, flags), Upload(HELLO)])
        assert len(view.uids) == 5
        return told(view)

    here = mail.run(work, "alice")
    assert mail.run(lambda: as_another_gateway_sees_it(mail)) == here


def test_an_append_after_what_others_stored_meanwhile_comes_after_it(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        other = await mail.anew("alice")
        try:
            elsewhere = await other.append(view.mailbox, [Upload(HELLO)])
        finally:
            other.logout()
        before = view.serial
        mine = await alice.append(view.mailbox, [Upload(HELLO)])
        await view.refresh()
        assert list(view.uids) == [*elsewhere, *mine]
        assert view.since(before).late == ()

    mail.run(work, "alice")


def test_a_flag_that_another_sets_on_a_new_mail_is_seen(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(HELLO)])
        other = await mail.anew("alice")
        try:
            elsewhere = await inbox(other)
            await elsewhere.change_flags(elsewhere.uids, FlagChange("add", Flag.FLAGGED, ("Work",)))
        finally:
            other.logout()
        await view.refresh(force=True)
        assert view.flags[0] == Flag.FLAGGED
        assert view.keyword_sets[view.keywords[0]] == ("Work",)

    mail.run(work, "alice")


def test_a_change_made_elsewhere_before_a_select_is_seen_by_it(mail: Mail) -> None:
    """The View is in use and no notice has come yet: SELECT asks the store all the same."""

    async def work(alice: Account, second: Account) -> None:
        view = await inbox(alice)
        other = await mail.anew("alice")
        try:
            for count in range(1, 4):
                await other.append(view.mailbox, [Upload(HELLO)])
                assert len((await inbox(second)).uids) == count
        finally:
            other.logout()

    mail.run(work, "alice", "alice")


def changes_hidden(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the store's log show nothing that comes from now on, as of a transaction that was open for very long."""
    session, call_of_session = account.session, account.session.call

    async def call(call: Any, **more: Any) -> Any:
        reply = await call_of_session(call, **more)
        return replace(reply, changes=[]) if call.name == "getChanges" else reply

    monkeypatch.setattr(session, "call", call)


@pytest.mark.parametrize("done", ["stored", "removed"])
def test_what_the_log_showed_too_late_is_found_by_counting(
    mail: Mail, monkeypatch: pytest.MonkeyPatch, done: str
) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(HELLO)] * 3)
        await view.refresh(force=True)
        changes_hidden(alice, monkeypatch)
        other = await mail.anew("alice")
        try:
            elsewhere = await inbox(other)
            if done == "stored":
                await other.append(elsewhere.mailbox, [Upload(HELLO)])
            else:
                await elsewhere.remove(elsewhere.uids[:1], hard=True)
            await elsewhere.refresh(force=True)
        finally:
            other.logout()
        await view.refresh(force=True)
        assert len(view.uids) == 3
        known = view.highest_modseq
        await view.verify()
        assert view.uids == elsewhere.uids
        assert len(await view.changed_since(known)) == (1 if done == "stored" else 0)

    mail.run(work, "alice")


def test_a_folder_that_was_listed_again_keeps_what_was_appended_meanwhile(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(HELLO)] * 2)
        await view.refresh(force=True)
        strangers(view, 1)  # as if it was stored after the listing had begun
        view.state.replace([], below=FAR)
        assert list(view.uids) == [FAR]

    mail.run(work, "alice")


def test_a_folder_whose_messages_are_all_known_is_not_listed_again(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even when the store's counter is wrong, which is found out once."""

    async def work(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(HELLO)] * 3)
        await view.refresh(force=True)
        session, call_of_session = alice.session, alice.session.call

        async def call(call: Any, **more: Any) -> Any:
            reply = await call_of_session(call, **more)
            if call.name == "loadObject":
                props = {**dict(reply.object.mod_props), pr.PR_CONTENT_COUNT: 7}
                return replace(reply, object=replace(reply.object, mod_props=tuple(props.items())))
            return reply

        await view.verify()
        names = calls_of(alice, monkeypatch)
        await view.verify()
        assert names == ["loadObject", "getChanges"]
        monkeypatch.setattr(session, "call", call)
        for expected in (1, 0):
            names = calls_of(alice, monkeypatch)
            await view.verify()
            assert names.count("tableGetRowCount") == expected
            assert "tableQueryRows" not in names

    mail.run(work, "alice")


def test_messages_are_counted_now_and_then(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "COUNT_EVERY", 0)
    monkeypatch.setattr(upkeep, "COUNT_DELAY", 0)

    async def work(alice: Account) -> None:
        view = await inbox(alice)
        changes_hidden(alice, monkeypatch)
        other = await mail.anew("alice")
        try:
            (uid,) = await other.append(view.mailbox, [Upload(HELLO)])
        finally:
            other.logout()
        found: Deferred[None] = Deferred()
        stop = view.watch(lambda: None if found.called else found.callback(None))
        await view.refresh(force=True)
        await found
        stop()
        assert list(view.uids) == [uid]

    mail.run(work, "alice")


def test_a_change_made_before_an_append_of_ours_is_read_before_it_is_told(mail: Mail) -> None:
    """Otherwise its mod-sequence had to be one of our own making, which no other gateway knows."""

    async def work(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(HELLO)])
        await view.refresh(force=True)
        other = await mail.anew("alice")
        try:
            elsewhere = await inbox(other)
            await elsewhere.change_flags(elsewhere.uids, FlagChange("add", Flag.DELETED))
            await alice.append(view.mailbox, [Upload(HELLO)])
            await view.refresh()
            await elsewhere.refresh(force=True)
            assert list(view.modseqs) == list(elsewhere.modseqs)
            await elsewhere.change_flags(elsewhere.uids[:1], FlagChange("add", Flag.FLAGGED))
        finally:
            other.logout()
        await view.refresh(force=True)
        assert view.flags[0] == Flag.FLAGGED | Flag.DELETED

    mail.run(work, "alice")


@pytest.mark.parametrize("restarted", [False, True])
def test_a_late_change_does_not_hide_the_next_one(mail: Mail, restarted: bool) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(HELLO)])
        await view.refresh(force=True)
        view.state.change_id += 1  # as if a later change was seen first
        other = await mail.anew("alice")
        try:
            elsewhere = await inbox(other)
            await elsewhere.change_flags(elsewhere.uids, FlagChange("add", Flag.DELETED))
            await view.refresh(force=True)
            assert view.modseqs[0] == modseq_of_change(view.state.change_id) + 1
            if restarted:
                await view.save()
            known = view.highest_modseq
            await elsewhere.change_flags(elsewhere.uids, FlagChange("add", Flag.FLAGGED))
        finally:
            other.logout()
        if restarted:
            again = await mail.anew("alice", mail.cache.path)
            view = await inbox(again)
        else:
            again = None
            await view.refresh(force=True)
        assert view.flags[0] == Flag.FLAGGED | Flag.DELETED
        assert view.highest_modseq > known
        assert list(await view.changed_since(known)) == list(view.uids)
        if again is not None:
            again.logout()

    mail.run(work, "alice")


def test_a_removal_that_is_found_late_is_told_to_who_comes_back(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(HELLO)] * 2)
        await view.refresh(force=True)
        view.state.change_id += 1  # as if a later change was seen first
        known, gone = view.highest_modseq, view.uids[0]
        other = await mail.anew("alice")
        try:
            elsewhere = await inbox(other)
            await elsewhere.remove([gone], hard=True)
        finally:
            other.logout()
        await view.refresh(force=True)
        assert view.highest_modseq > known
        assert await view.vanished_since(known, [(gone, gone + 1)]) == [(gone, gone)]
        assert await view.vanished_since(view.highest_modseq, [(gone, gone + 1)]) == []

    mail.run(work, "alice")


def test_what_is_marked_read_after_it_was_removed_stays_removed(mail: Mail) -> None:
    r"""The store logs that after the removal: somebody's STORE +FLAGS (\\Seen) was on its way."""

    async def work(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(HELLO)] * 12)
        await view.refresh(force=True)
        gone, kept = view.uids[0], list(view.uids[1:])
        other = await mail.anew("alice")
        try:
            elsewhere = await inbox(other)
            entryid = elsewhere.rows.entryid(0)
            await elsewhere.remove([gone], hard=False)
            await set_read(other.session, [entryid], read=True)
        finally:
            other.logout()
        await view.refresh(force=True)
        assert list(view.uids) == kept

    mail.run(work, "alice")


def test_what_is_gone_when_it_is_read_again_is_not_shown(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its removal may have come to light already, before it was put here."""

    async def work(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(HELLO)] * 12)
        await view.refresh(force=True)
        strangers(view, 1)
        change = Change(FAR, b"far0", b"", ChangeClass.MESSAGE | ChangeAction.CHANGE, 0)
        get_changes = foldersync.get_changes

        async def with_change(*arguments: Any) -> tuple[list[Change], int]:
            changes, position = await get_changes(*arguments)
            return [*changes, change], position

        monkeypatch.setattr(foldersync, "get_changes", with_change)
        await view.refresh(force=True)
        assert FAR not in view.uids

    mail.run(work, "alice")


def test_flags_that_somebody_else_changes_meanwhile_are_not_forgotten(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the log tells while a change is being written is newer than what the change was made of."""

    async def work(alice: Account) -> None:
        view = await inbox(alice)
        uids = [(await alice.append(view.mailbox, [Upload(HELLO)]))[0] for _ in range(2)]
        await view.refresh(force=True)
        elsewhere = await mail.anew("alice")
        theirs = await inbox(elsewhere)
        session, call_of_session, meanwhile = alice.session, alice.session.call, ["Work"]

        async def call(call: Any, **more: Any) -> Any:
            done = await call_of_session(call, **more)
            if call.name == "saveObject" and meanwhile:
                words = (meanwhile.pop(),)
                await theirs.refresh(force=True)
                await theirs.change_flags(uids[:1], FlagChange("add", Flag.NONE, words))
                await view.refresh(force=True)
            return done

        monkeypatch.setattr(session, "call", call)
        result = await view.change_flags(uids, FlagChange("add", Flag.FLAGGED))
        assert (result.changed, result.mixed) == (uids, uids[:1])
        await view.refresh(force=True)
        assert told(view) == await as_another_gateway_sees_it(mail)
        elsewhere.logout()

    mail.run(work, "alice")


def test_a_notice_that_comes_while_messages_are_counted_is_not_forgotten(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        elsewhere = await mail.anew("alice")
        heard: Deferred[None] = Deferred()
        stop = view.watch(lambda: None if heard.called else heard.callback(None))
        subscription, verify_of_sync = view._subscription, view._sync.verify
        assert subscription is not None
        subscription()  # no other notice than this one

        async def verify(state: State) -> None:
            await verify_of_sync(state)
            await elsewhere.append(view.mailbox, [Upload(HELLO)])
            view.noticed()

        monkeypatch.setattr(view._sync, "verify", verify)
        await view.verify()
        await heard
        assert len(view.uids) == 1
        stop()
        elsewhere.logout()

    mail.run(work, "alice")
