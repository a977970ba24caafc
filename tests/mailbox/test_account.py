"""A user's mail through a real store: mailboxes, views, changes of flags, copies, two connections."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from gateway.mailbox import criteria as c
from gateway.mailbox.account import Account
from gateway.mailbox.acl import letters_of
from gateway.mailbox.flags import Flag
from gateway.mailbox.uploads import Upload, content_of
from gateway.mailbox.view import View
from gateway.mailbox.writes import FlagChange
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import Collision, LogonFailed, NoAccess, NotEmpty, NotFound, PartialCompletion, TooBig
from gateway.mapi.ids import parse_object_entryid
from gateway.mapi.propnames import PidLidAppointmentStartWhole
from gateway.mapi.times import from_datetime
from gateway.mapiclient.errors import ConnectFailed
from gateway.mapiclient.message import save_new_message
from tests.support import reactor
from tests.support.accounts import Mail, running_mail

HELLO = b"Date: Thu, 2 Jan 2020 23:59:00 -0800\r\nFrom: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHello, Bob\r\n"
OTHER = b"From: Carl <carl@example.org>\r\nSubject: Minutes\r\nX-Team: Red Pandas\r\n\r\nWe met.\r\n"


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Mail]:
    with running_mail(tmp_path, "alice", "bob") as running:
        yield running


async def inbox(account: Account) -> View:
    return await account.view((await account.mailboxes()).get("INBOX"))


async def filled(account: Account, *mails: bytes) -> View:
    view = await inbox(account)
    await account.append(view.mailbox, [Upload(mail) for mail in mails])
    await view.refresh()
    return view


def test_a_new_user_has_the_usual_mailboxes(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        found = {mailbox.name: mailbox.special_use for mailbox in await alice.mailboxes()}
        assert found["INBOX"] is None
        assert found["Sent Items"] == "\\Sent"
        assert found["Deleted Items"] == "\\Trash"
        assert found["Drafts"] == "\\Drafts"
        assert found["Junk E-mail"] == "\\Junk"
        assert "Calendar" not in found

    mail.run(work, "alice")


def test_a_wrong_password_gives_no_account(mail: Mail) -> None:
    async def work() -> None:
        with pytest.raises(LogonFailed):
            await mail.accounts.login("alice", "wrong", application="tests")

    mail.run(work)


def test_one_logon_serves_every_connection_of_a_user(mail: Mail) -> None:
    async def work(one: Account, other: Account) -> None:
        assert one.session is other.session
        assert (await inbox(one)) is (await inbox(other))

    mail.run(work, "alice", "alice")
    assert mail.sessions.counters.logons == 1


def test_an_appended_mail_is_the_same_bytes(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await filled(alice, HELLO, OTHER)
        sources = [source async for source in view.sources(view.uids)]
        assert [source.data for source in sources] == [HELLO, OTHER]
        assert [source.size for source in sources] == [len(HELLO), len(OTHER)]
        blocks = [block async for _, block in view.header_sources(view.uids)]
        assert blocks == [mail[: mail.index(b"\r\n\r\n") + 4] for mail in (HELLO, OTHER)]
        metas = await view.envelopes(view.uids)
        assert [meta.size for meta in metas if meta] == [len(HELLO), len(OTHER)]

    mail.run(work, "alice")


def test_flags_internal_date_and_keywords_of_an_append(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        upload = Upload(HELLO, Flag.SEEN | Flag.ANSWERED, ("$Junk", "Work"), 1_700_000_000)
        (uid,) = await alice.append(view.mailbox, [upload])
        await view.refresh()
        index = view.index(uid)
        assert view.flags[index] == Flag.SEEN | Flag.ANSWERED
        assert view.keyword_sets[view.keywords[index]] == ("$Junk", "Work")
        assert view.dates[index] == 1_700_000_000

    mail.run(work, "alice")


def test_another_connection_sees_a_change_of_flags_without_asking(mail: Mail) -> None:
    async def work(one: Account, other: Account) -> None:
        view = await filled(one, HELLO)
        watched = await inbox(other)
        serial = watched.serial
        told: list[int] = []
        stop = watched.watch(lambda: told.append(watched.serial))
        await view.change_flags(view.uids, FlagChange("add", Flag.FLAGGED, ("Work",)))
        assert told
        assert watched.since(serial).flagged == tuple(view.uids)
        stop()

    mail.run(work, "alice", "alice")


def test_what_the_store_says_later_agrees_with_what_was_written(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await filled(alice, HELLO, OTHER)
        for change in (
            FlagChange("add", Flag.SEEN | Flag.ANSWERED | Flag.FORWARDED, ("A", "B")),
            FlagChange("remove", Flag.ANSWERED, ("a",)),
            FlagChange("set", Flag.DELETED, ("C",)),
            FlagChange("set", Flag.NONE),
        ):
            result = await view.change_flags(view.uids, change)
            assert result.changed == list(view.uids)
            expected = [(view.flags[i], view.keyword_sets[view.keywords[i]]) for i in range(2)]
            highest = view.highest_modseq
            await view.refresh(force=True)
            assert [(view.flags[i], view.keyword_sets[view.keywords[i]]) for i in range(2)] == expected
            assert view.highest_modseq > highest
            assert list(await view.changed_since(highest)) == list(view.uids)

    mail.run(work, "alice")


def test_a_conditional_change_leaves_alone_what_changed_meanwhile(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await filled(alice, HELLO, OTHER)
        first, second = view.uids
        known = view.highest_modseq
        await view.change_flags([first], FlagChange("add", Flag.SEEN))
        result = await view.change_flags(
            [first, second], FlagChange("add", Flag.FLAGGED), unchanged_since=known
        )
        assert (result.changed, result.modified) == ([second], [first])

    mail.run(work, "alice")


def test_expunge_removes_what_is_marked_and_says_what_vanished(mail: Mail) -> None:
    async def work(one: Account, other: Account) -> None:
        view = await filled(one, HELLO, OTHER, HELLO)
        first, second, third = view.uids
        known = view.highest_modseq
        serial = view.serial
        await view.change_flags([first, third], FlagChange("add", Flag.DELETED))
        assert await view.expunge([third]) == [third]
        assert await view.expunge() == [first]
        assert (await inbox(other)).since(serial).expunged == (first, third)
        await view.refresh(force=True)
        gone = await view.vanished_since(known, [(first, third)])
        assert gone == [(first, first), (third, third)]
        assert await view.vanished_since(view.highest_modseq) == []
        assert list(view.uids) == [second]

    mail.run(work, "alice", "alice")


def test_copies_and_moves_know_their_new_uids(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await filled(alice, HELLO, OTHER, HELLO)
        first, second, third = view.uids
        target = (await alice.mailboxes()).get("Sent Items")
        sent = await alice.view(target)
        email_id = view.email_id(view.index(third))
        copied = await view.copy([first, second], target)
        moved = await view.copy([third], target, move=True)
        await sent.refresh()
        assert [new for _, new in copied + moved] == list(sent.uids)
        assert [old for old, _ in copied + moved] == [first, second, third]
        assert sent.email_id(0) == view.email_id(view.index(first))
        assert sent.email_id(2) == email_id
        assert list(view.uids) == [first, second]
        assert [source.data async for source in sent.sources(sent.uids)] == [HELLO, OTHER, HELLO]

    mail.run(work, "alice")


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        (c.All(), [0, 1]),
        (c.Header("subject", "grüße"), [0]),
        (c.Header("Subject", "MINUTES"), [1]),
        (c.Header("x-team", "red p"), [1]),
        (c.Header("x-team", ""), [1]),
        (c.Header("x-nobody", ""), []),
        (c.Address("from", "ann@"), [0]),
        (c.Address("to", "bob@example"), [0]),
        (c.Address("cc", "bob"), []),
        (c.Body("we MET"), [1]),
        (c.Text("panda"), [1]),
        (c.Text("bob@example.org"), [0]),
        (c.Flagged(Flag.SEEN), [0]),
        (c.Not(c.Flagged(Flag.SEEN)), [1]),
        (c.Not(c.Body("we met")), [0]),
        (c.Keyword("work"), [0]),
        (c.Size(len(HELLO) - 1, larger=True), [0]),
        (c.Size(len(HELLO), larger=False), [1]),
        (c.Or((c.Body("we met"), c.Flagged(Flag.SEEN))), [0, 1]),
        (c.Or((c.Body("nothing"), c.And((c.Flagged(Flag.SEEN), c.Address("from", "ann"))))), [0]),
        (c.Not(c.And((c.Flagged(Flag.SEEN), c.Address("from", "ann")))), [1]),
        (c.Dated(c.DateField.SENT, date(2020, 1, 2), date(2020, 1, 3)), [0]),
        (c.Dated(c.DateField.SENT, None, date(2020, 1, 2)), []),
        (c.Dated(c.DateField.INTERNAL, date(2020, 1, 3), None), [0, 1]),
        (c.And((c.Header("x-team", "red"), c.Body("met"), c.Not(c.Flagged(Flag.SEEN)))), [1]),
        (c.And((c.Flagged(Flag.SEEN), c.Body("we met"))), []),
        (c.Uids(((1, 10**6),)), [0, 1]),
        (c.Uids(()), []),
        (c.Age(3600, younger=True), [0, 1]),
        (c.Age(3600, younger=False), []),
    ],
    ids=repr,
)
def test_search(searched: Mail, criterion: c.Criterion, expected: list[int]) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        assert list(await view.search(criterion)) == [view.uids[place] for place in expected]

    searched.run(work, "alice")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mail]:
    async def fill(alice: Account) -> None:
        view = await inbox(alice)
        await alice.append(view.mailbox, [Upload(HELLO, Flag.SEEN, ("Work",)), Upload(OTHER)])

    with running_mail(tmp_path_factory.mktemp("search"), "alice") as running:
        running.run(fill, "alice")
        yield running


def test_a_message_without_an_original_is_written_the_same_each_time(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        content = MessageContent(
            {pr.PR_MESSAGE_CLASS: "IPM.Note", pr.PR_SUBJECT: "Made in MAPI", pr.PR_BODY: "Text"}
        )
        guid = parse_object_entryid(view.mailbox.store_entryid).store
        await save_new_message(alice.session, view.mailbox.entryid, guid, content)
        await view.refresh(force=True)
        (uid,) = view.uids
        (once,) = [source.read() async for source in view.sources([uid])]
        assert b"Subject: Made in MAPI\r\n" in once
        await view.change_flags([uid], FlagChange("add", Flag.SEEN | Flag.FLAGGED | Flag.ANSWERED, ("Work",)))
        (again,) = [source.read() async for source in view.sources([uid])]
        assert again == once
        (meta,) = await view.envelopes([uid])
        assert meta is not None
        assert meta.size == len(once)

    mail.run(work, "alice")


def test_what_another_program_does_is_seen(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await filled(alice, HELLO)
        content = MessageContent({pr.PR_MESSAGE_CLASS: "IPM.Note", pr.PR_SUBJECT: "New"})
        guid = parse_object_entryid(view.mailbox.store_entryid).store
        arrived: Deferred[None] = Deferred()
        stop = view.watch(lambda: None if arrived.called else arrived.callback(None))
        before = view.serial
        await save_new_message(alice.session, view.mailbox.entryid, guid, content)
        await arrived
        stop()
        assert view.since(before).arrived
        assert len(view.uids) == 2

    mail.run(work, "alice")


def test_mailboxes_are_created_renamed_and_deleted(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        created = await alice.create("Projects/2026/A=2FB")
        assert created.name == "Projects/2026/A=2FB"
        with pytest.raises(Collision):
            await alice.create("Projects/2026")
        with pytest.raises(NotEmpty):
            await alice.delete("Projects")
        await alice.rename("Projects", "Old/Projects")
        names = [mailbox.name for mailbox in await alice.mailboxes()]
        assert "Old/Projects/2026/A=2FB" in names
        assert "Projects" not in names
        renamed = (await alice.mailboxes()).get("Old/Projects/2026/A=2FB")
        assert renamed.uidvalidity == created.uidvalidity
        assert renamed.mailbox_id == created.mailbox_id
        await alice.delete("Old/Projects/2026/A=2FB")
        with pytest.raises(NotFound):
            await alice.delete("Old/Projects/2026/A=2FB")
        for special in ("INBOX", "Sent Items"):
            with pytest.raises(NoAccess):
                await alice.delete(special)

    mail.run(work, "alice")


def test_renaming_inbox_moves_its_mails(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await filled(alice, HELLO, OTHER)
        await alice.rename("INBOX", "Archive")
        await view.refresh(force=True)
        assert not view.uids
        archive = await alice.view((await alice.mailboxes()).get("Archive"))
        assert len(archive.uids) == 2

    mail.run(work, "alice")


def test_subscriptions_are_kept_in_the_store(mail: Mail) -> None:
    async def subscribe(alice: Account) -> None:
        assert "Drafts" in await alice.subscriptions()
        await alice.subscribe("Drafts", on=False)

    async def look(alice: Account) -> None:
        assert "Drafts" not in await alice.subscriptions()
        await alice.subscribe("Drafts")
        assert "Drafts" in await alice.subscriptions()

    mail.run(subscribe, "alice")
    mail.run(look, "alice")


def test_the_cache_knows_the_folder_when_the_user_comes_again(mail: Mail) -> None:
    async def fill(alice: Account) -> None:
        view = await filled(alice, HELLO, OTHER)
        await view.envelopes(view.uids)
        await view.save()

    async def look(alice: Account) -> None:
        view = await inbox(alice)
        assert len(view.uids) == 2
        assert view.state.base > 0

    mail.run(fill, "alice")
    mail.run(look, "alice")


def test_a_lost_cache_changes_nothing(mail: Mail) -> None:
    seen: list[tuple[int, list[int], list[int]]] = []

    async def look(alice: Account) -> None:
        view = await inbox(alice)
        if not view.uids:
            view = await filled(alice, HELLO, OTHER)
            await view.change_flags(view.uids[:1], FlagChange("add", Flag.SEEN))
            await view.refresh(force=True)
        seen.append((view.uidvalidity, list(view.uids), list(view.flags)))

    mail.run(look, "alice")
    connection = mail.cache._connection()
    connection.execute("DELETE FROM folder")
    connection.commit()
    mail.run(look, "alice")
    assert seen[0] == seen[1]


def test_status_is_the_same_whether_the_mailbox_is_open_or_not(mail: Mail) -> None:
    async def work(alice: Account, other: Account) -> None:
        view = await filled(alice, HELLO, OTHER)
        await view.mark_seen(view.uids[:1])
        drafts = (await alice.mailboxes()).get("Drafts")
        await alice.append(drafts, [Upload(HELLO)])
        for mailbox in (view.mailbox, drafts):
            brief = await other.status(mailbox)
            full = await other.status(mailbox, full=True)
            assert (brief.messages, brief.unseen, brief.uidnext) == (full.messages, full.unseen, full.uidnext)
        assert (await alice.status(view.mailbox, full=True)).size == len(HELLO) + len(OTHER)

    mail.run(work, "alice", "alice")


def test_the_store_coming_back_is_noticed(mail: Mail) -> None:
    async def fill(alice: Account) -> None:
        await filled(alice, HELLO)

    async def look(alice: Account) -> None:
        view = await inbox(alice)
        assert [source.data async for source in view.sources(view.uids)] == [HELLO]

    async def pause() -> None:
        await deferLater(reactor.reactor, 0.05)

    mail.run(fill, "alice")
    mail.store.restart()
    for _ in range(100):  # a server that was away is tried again after a short while
        try:
            mail.run(look, "alice")
            return
        except ConnectFailed:
            reactor.run(pause)
    pytest.fail("the store came back and was not noticed")


def test_rights_are_granted_seen_and_taken_away(mail: Mail) -> None:
    async def work(alice: Account, bob: Account) -> None:
        box = (await alice.mailboxes()).get("INBOX")
        await alice.set_access(box, "bob", "lr")
        assert dict(await alice.access_list(box))["bob"] == "lr"
        shared = await bob.mailbox("Other Users/alice/Inbox")
        assert letters_of(shared.rights) == "lr"
        await filled(alice, HELLO)
        view = await bob.view(shared)
        assert [source.data async for source in view.sources(view.uids)] == [HELLO]
        with pytest.raises(NoAccess):
            await view.change_flags(view.uids, FlagChange("add", Flag.FLAGGED))
        assert await view.mark_seen(view.uids) == []
        await alice.set_access(box, "bob", "+ws")
        assert set(dict(await alice.access_list(box))["bob"]) == set("lrsw")
        await alice.set_access(box, "bob", None)
        assert "bob" not in dict(await alice.access_list(box))
        with pytest.raises(NotFound):
            await alice.set_access(box, "nobody", "lr")

    mail.run(work, "alice", "bob")


def test_annotations_are_kept_by_mailbox_and_for_the_server(mail: Mail) -> None:
    async def work(alice: Account, again: Account) -> None:
        box = (await alice.mailboxes()).get("INBOX")
        await alice.annotate(box, {"/private/comment": b"mine", "/shared/comment": b"\x00all"})
        await alice.annotate(None, {"/private/vendor/x": b"1"})
        assert await again.annotations(box) == {"/private/comment": b"mine", "/shared/comment": b"\x00all"}
        assert await again.annotations(None) == {"/private/vendor/x": b"1"}
        await alice.annotate(box, {"/PRIVATE/comment": None})
        assert await again.annotations(box) == {"/shared/comment": b"\x00all"}
        with pytest.raises(TooBig):
            await alice.annotate(box, {"/private/comment": b"x" * 70_000})

    mail.run(work, "alice", "alice")


INVITATION = (
    b"From: Ann <ann@example.org>\r\nTo: alice@example.org\r\nSubject: Lunch\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n"
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:lunch-1\r\n"
    b"DTSTAMP:20260701T080000Z\r\nDTSTART:20260714T100000Z\r\nDTEND:20260714T110000Z\r\nSUMMARY:Lunch\r\n"
    b"ORGANIZER;CN=Ann:mailto:ann@example.org\r\nATTENDEE;CN=Alice:mailto:alice@example.org\r\n"
    b"END:VEVENT\r\nEND:VCALENDAR\r\n"
)


def test_an_invitation_is_a_meeting_request_and_still_the_same_bytes(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await filled(alice, INVITATION)
        (props,) = await view.rows_of(view.uids, (pr.PR_MESSAGE_CLASS, PidLidAppointmentStartWhole))
        assert props[pr.PR_MESSAGE_CLASS] == "IPM.Schedule.Meeting.Request"
        assert props[PidLidAppointmentStartWhole] == from_datetime(datetime(2026, 7, 14, 10, tzinfo=UTC))
        assert [source.data async for source in view.sources(view.uids)] == [INVITATION]

    mail.run(work, "alice")


def test_a_meeting_request_made_in_mapi_is_read_with_its_calendar(mail: Mail) -> None:
    async def work(alice: Account) -> None:
        view = await inbox(alice)
        content = content_of(Upload(INVITATION), 0)
        for tag in (
            pr.PR_EC_IMAP_EMAIL,
            pr.PR_EC_IMAP_EMAIL_SIZE,
            pr.PR_EC_IMAP_BODY,
            pr.PR_EC_IMAP_BODYSTRUCTURE,
        ):
            del content.props[tag]
        guid = parse_object_entryid(view.mailbox.store_entryid).store
        await save_new_message(alice.session, view.mailbox.entryid, guid, content)
        await view.refresh(force=True)
        (source,) = [source.read() async for source in view.sources(view.uids)]
        assert b"text/calendar" in source
        assert b"method=REQUEST" in source
        assert b"UID:lunch-1\r\n" in source

    mail.run(work, "alice")


@pytest.mark.parametrize("move", [False, True], ids=["copied", "moved"])
def test_a_message_that_somebody_else_has_just_removed_is_passed_over(mail: Mail, move: bool) -> None:
    async def work(alice: Account) -> None:
        view = await filled(alice, HELLO, OTHER, HELLO)
        first, gone, last = view.uids
        other = await mail.anew("alice")
        try:
            elsewhere = await inbox(other)
            await elsewhere.remove([gone], hard=True)
        finally:
            other.logout()
        drafts = (await alice.mailboxes()).get("Drafts")
        pairs = await view.copy([first, gone, last], drafts, move=move)
        there = list((await alice.view(drafts)).uids)
        assert len(there) == 2
        if move:
            assert list(view.uids) == []
            assert pairs == []  # which of the three was gone cannot be told
        else:
            assert list(view.uids) == [first, last]
            assert pairs == [*zip([first, last], there, strict=True)]
        assert await view.copy([gone], drafts, move=move) == []

    mail.run(work, "alice")


def test_what_may_not_be_removed_stays_when_it_is_moved_to_another_store(mail: Mail) -> None:
    """Who may delete own messages only moves those of others no further than by a copy, and is told so."""

    async def work(alice: Account, bob: Account) -> None:
        await alice.set_access((await alice.mailboxes()).get("INBOX"), "bob", "lrt")
        await filled(alice, HELLO)
        view = await bob.view(await bob.mailbox("Other Users/alice/Inbox"))
        there = list(view.uids)
        with pytest.raises(PartialCompletion):
            await view.copy(view.uids, (await bob.mailboxes()).get("INBOX"), move=True)
        assert list(view.uids) == there

    mail.run(work, "alice", "bob")


def test_a_message_that_is_gone_is_not_taken_for_a_missing_mailbox_in_another_store(mail: Mail) -> None:
    async def work(alice: Account, bob: Account) -> None:
        await alice.set_access((await alice.mailboxes()).get("INBOX"), "bob", "lr")
        own = await filled(alice, HELLO)
        view = await bob.view(await bob.mailbox("Other Users/alice/Inbox"))
        await own.remove(own.uids, hard=True)
        with pytest.raises(PartialCompletion):
            await view.copy(view.uids, (await bob.mailboxes()).get("INBOX"))
        assert list(view.uids) == []

    mail.run(work, "alice", "bob")
