"""The outgoing queue: what clients submitted goes out once, is filed, and failures come back, whatever dies when."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from typing import Any

import pytest
from twisted.logger import globalLogPublisher

from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.propnames import RETURN_PATH
from gateway.mapi.tables import ObjectType, TableType
from gateway.mapi.times import from_unix
from gateway.mapiclient.errors import ConnectFailed
from gateway.mapiclient.message import save_new_message
from gateway.mapiclient.store import Store
from gateway.mapiclient.table import Table, rows_of
from gateway.mapiclient.wire.calls_object import AbortSubmit, SubmitMessage
from gateway.smtp.codec.replies import Refused
from gateway.submission.journal import Entry, Journal
from gateway.submission.queue import Queue
from tests.submission.server import Server
from tests.submission.smarthosts import smarthost
from tests.support import reactor
from tests.support.gateway import until


def recipient(address: str, kind: int = 1) -> dict[Any, Any]:
    return {
        pr.PR_RECIPIENT_TYPE: kind,
        pr.PR_DISPLAY_NAME: address,
        pr.PR_ADDRTYPE: "SMTP",
        pr.PR_EMAIL_ADDRESS: address,
        pr.PR_SMTP_ADDRESS: address,
    }


def submit(
    server: Server, user: str, *recipients: Any, sender: str = "", sent: bool = True, **more: Any
) -> None:
    """What a MAPI client does to send (MS-OXOMSG 3.2.4.1)."""

    async def work(account: Any) -> None:
        store = await Store.default(account.session)
        outbox = store.props[pr.PR_IPM_OUTBOX_ENTRYID]
        address = sender or f"{user}@example.com"
        props = {
            pr.PR_MESSAGE_CLASS: "IPM.Note",
            pr.PR_SUBJECT: "submitted",
            pr.PR_BODY: "Hello",
            pr.PR_MESSAGE_FLAGS: 9,
            pr.PR_CLIENT_SUBMIT_TIME: from_unix(server.mail.runtime.now()),
            pr.PR_SENT_REPRESENTING_NAME: "Me",
            pr.PR_SENT_REPRESENTING_ADDRTYPE: "SMTP",
            pr.PR_SENT_REPRESENTING_EMAIL_ADDRESS: address,
            pr.PR_SENDER_ADDRTYPE: "SMTP",
            pr.PR_SENDER_EMAIL_ADDRESS: f"{user}@example.com",
            pr.PR_SENTMAIL_ENTRYID: store.props[pr.PR_IPM_SENTMAIL_ENTRYID],
            **({} if sent else {pr.PR_DELETE_AFTER_SUBMIT: True}),
            **{getattr(pr, name): value for name, value in more.items()},
        }
        rows = [recipient(one) if isinstance(one, str) else one for one in recipients]
        saved = await save_new_message(account.session, outbox, store.guid, MessageContent(props, rows))
        await account.session.call(SubmitMessage(entryid=saved.entryid, flags=3))

    server.mail.run(work, user)


def state(server: Server, user: str) -> dict[str, int]:
    """How many messages are in the user's folders, and in the queue of everybody."""

    async def work(account: Any) -> dict[str, int]:
        store = await Store.default(account.session)
        system = await server.trustees.system()
        table = Table(
            system, b"", (pr.PR_ENTRYID,), table_type=TableType.OUTGOING_QUEUE, object_type=ObjectType.MESSAGE
        )
        found = {"queue": len(await rows_of(table))}
        for name, folder in (
            ("inbox", await store.receive_folder()),
            ("outbox", store.props[pr.PR_IPM_OUTBOX_ENTRYID]),
            ("sent", store.props[pr.PR_IPM_SENTMAIL_ENTRYID]),
        ):
            found[name] = len(await rows_of(Table.contents(account.session, folder, (pr.PR_ENTRYID,))))
        return found

    return server.mail.run(work, user)


DONE = {"queue": 0, "inbox": 0, "outbox": 0, "sent": 1}


def test_a_submitted_message_is_sent_and_filed(server: Server, user: str) -> None:
    submit(server, user, "ann@example.org", recipient("bob@example.org", 3))
    server.empty()
    ((sender, recipients, mail),) = server.smarthost.mails
    assert (sender, recipients) == (f"{user}@example.com", ["ann@example.org", "bob@example.org"])
    message = message_from_bytes(mail)
    assert (message["Subject"], message["To"], message["Bcc"]) == ("submitted", "ann@example.org", None)
    assert message["From"] == f"Me <{user}@example.com>"
    assert state(server, user) == DONE
    (copy,) = server.mails(user, "Sent Items")
    assert message_from_bytes(copy)["Message-ID"] == message["Message-ID"]
    server.empty()
    assert len(server.smarthost.mails) == 1


def test_a_meeting_request_goes_out_with_its_calendar(server: Server, user: str) -> None:
    start = from_unix(1_784_023_200)
    submit(
        server,
        user,
        "guest@example.org",
        PR_MESSAGE_CLASS="IPM.Schedule.Meeting.Request",
        PR_START_DATE=start,
        PR_END_DATE=start + 36_000_000_000,
    )
    server.empty()
    ((_, _, sent),) = server.smarthost.mails
    types = [part.get_content_type() for part in message_from_bytes(sent).walk()]
    assert "text/calendar" in types


def test_users_of_the_address_book_get_it_by_their_address(server: Server, user: str) -> None:
    other = server.new_user()

    async def entryid(account: Any) -> bytes:
        from gateway.mapiclient import directory

        return (await directory.own_user(account.session)).user_entryid

    row = {
        pr.PR_RECIPIENT_TYPE: 1,
        pr.PR_DISPLAY_NAME: other,
        pr.PR_ADDRTYPE: "ZARAFA",
        pr.PR_EMAIL_ADDRESS: other,
    }
    submit(server, user, row | {pr.PR_ENTRYID: server.mail.run(entryid, other)})
    server.empty()
    ((_, recipients, mail),) = server.smarthost.mails
    assert recipients == [f"{other}@example.com"]
    assert f"{other}@example.com" in str(message_from_bytes(mail)["To"])


def test_what_is_to_be_deleted_is_deleted(server: Server, user: str) -> None:
    submit(server, user, "ann@example.org", sent=False)
    server.empty()
    assert state(server, user) == DONE | {"sent": 0}


def test_a_failure_comes_back_once(server: Server, user: str) -> None:
    server.smarthost.recipients["bob@example.org"] = Refused(550, "5.1.1", "no bob")
    submit(server, user, "ann@example.org", "bob@example.org", "not an address")
    server.empty()
    assert [mail[1] for mail in server.smarthost.mails] == [["ann@example.org"]]
    assert state(server, user) == DONE | {"inbox": 1}
    (report,) = server.mails(user)
    assert b"Diagnostic-Code: smtp; 550 no bob\r\n" in report
    assert b"Final-Recipient: rfc822; not an address\r\n" in report


def test_for_now_is_not_for_ever(server: Server, user: str) -> None:
    server.smarthost.recipients["bob@example.org"] = Refused(451, "4.2.0", "later")
    submit(server, user, "ann@example.org", "bob@example.org")
    server.empty()
    assert state(server, user) == {"queue": 1, "inbox": 0, "outbox": 1, "sent": 0}
    queue = server.queue(retry=1000)
    server.empty(queue)
    server.smarthost.recipients.clear()
    server.empty(queue)  # not due yet
    assert [mail[1] for mail in server.smarthost.mails] == [["ann@example.org"]]
    server.empty()
    assert [mail[1] for mail in server.smarthost.mails] == [["ann@example.org"], ["bob@example.org"]]
    assert state(server, user) == DONE


def test_after_days_it_is_returned(server: Server, user: str) -> None:
    server.smarthost.data = Refused(451, "4.2.0", "later")
    submit(server, user, "ann@example.org", PR_CLIENT_SUBMIT_TIME=from_unix(1e9))
    server.empty()
    assert state(server, user) == DONE | {"inbox": 1}
    assert b"Status: 5.4.7\r\n" in server.mails(user)[0]


def test_nobody_sends_under_a_name_that_is_not_his(server: Server, user: str) -> None:
    other = server.new_user()
    submit(server, user, "ann@example.org", sender=f"{other}@example.com")
    server.empty()
    assert server.smarthost.mails == []
    assert b"you may not send under this name" in server.mails(user)[0]


def test_what_delivery_sends_goes_out_as_it_is(server: Server, user: str) -> None:
    async def away(account: Any) -> None:
        store = await Store.default(account.session)
        await store.set_props({pr.PR_EC_OUTOFOFFICE: True, pr.PR_EC_OUTOFOFFICE_MSG: "Away"})

    server.mail.run(away, user)
    with smtplib.LMTP("127.0.0.1", server.listen_lmtp()) as lmtp:
        lmtp.sendmail("ann@example.org", [f"{user}@example.com"], f"To: {user}@example.com\r\n\r\nHi\r\n")
    server.empty()
    ((sender, recipients, mail),) = server.smarthost.mails
    assert (sender, recipients) == ("", ["ann@example.org"])
    assert message_from_bytes(mail)["Auto-Submitted"] == "auto-replied"
    assert state(server, user) == DONE | {"inbox": 1, "sent": 0}


def test_a_forged_seal_is_no_seal(server: Server, user: str) -> None:
    async def work(account: Any) -> None:
        store = await Store.default(account.session)
        props = {
            pr.PR_EC_IMAP_EMAIL: b"From: boss@example.com\r\n\r\nfired\r\n",
            pr.PR_BODY: "mine",
            pr.PR_SENT_REPRESENTING_EMAIL_ADDRESS: f"{user}@example.com",
            pr.PR_SENT_REPRESENTING_ADDRTYPE: "SMTP",
            pr.PR_DELETE_AFTER_SUBMIT: True,
            RETURN_PATH: "0000 boss@example.com",
        }
        content = MessageContent(props, [recipient("ann@example.org")])
        saved = await save_new_message(
            account.session, store.props[pr.PR_IPM_OUTBOX_ENTRYID], store.guid, content
        )
        await account.session.call(SubmitMessage(entryid=saved.entryid, flags=1))

    server.mail.run(work, user)
    server.empty()
    ((sender, _, mail),) = server.smarthost.mails
    assert sender == f"{user}@example.com"
    assert b"fired" not in mail


def test_the_sender_is_told_once_that_it_waits(server: Server, user: str) -> None:
    server.smarthost.recipients["bob@example.org"] = Refused(451, "4.2.0", "later")
    an_hour_ago = from_unix(server.mail.runtime.now() - 3600)
    submit(server, user, "ann@example.org", "bob@example.org", PR_CLIENT_SUBMIT_TIME=an_hour_ago)
    server.empty(server.queue(delay_notice=7200))
    assert state(server, user)["inbox"] == 0
    for _ in range(2):
        server.empty(server.queue(delay_notice=3000))
        assert state(server, user) == {"queue": 1, "inbox": 1, "outbox": 1, "sent": 0}
    (notice,) = server.mails(user)
    assert b"Final-Recipient: rfc822; bob@example.org\r\nAction: delayed\r\nStatus: 4.4.1\r\n" in notice
    assert b"ann@example.org\r\nAction" not in notice
    assert b"Will-Retry-Until: " in notice
    server.smarthost.recipients.clear()
    server.empty()
    assert state(server, user) == DONE | {"inbox": 1}


def test_a_message_to_nobody_comes_back(server: Server, user: str) -> None:
    submit(server, user)
    server.empty()
    assert b"the message has no recipients" in server.mails(user)[0]


def test_what_its_sender_takes_back_is_not_sent(server: Server, user: str) -> None:
    server.smarthost.data = Refused(451, "4.2.0", "later")
    submit(server, user, "ann@example.org")
    server.empty()

    async def take_back(account: Any) -> None:
        store = await Store.default(account.session)
        (row,) = await rows_of(Table.contents(account.session, store.props[pr.PR_IPM_OUTBOX_ENTRYID], (pr.PR_ENTRYID,)))  # fmt: skip
        await account.session.call(AbortSubmit(entryid=row[pr.PR_ENTRYID]))

    server.mail.run(take_back, user)
    server.smarthost.data = None
    server.empty()
    assert server.smarthost.mails == []
    assert [*(server.state / "sending").glob("*.sent")] == []


def test_what_is_held_back_goes_when_it_is_due(server: Server, user: str) -> None:
    submit(server, user, "ann@example.org", PR_DEFERRED_SEND_TIME=from_unix(server.mail.runtime.now() + 0.7))
    queue = server.queue(queue_interval=1000)
    with running(queue):
        until(lambda: state(server, user)["sent"] or None)
    assert len(server.smarthost.mails) == 1


@contextmanager
def running(queue: Queue) -> Iterator[None]:
    reactor.call(queue.start)
    try:
        yield
    finally:
        reactor.run(queue.stop)


def test_the_store_tells_of_new_mail(server: Server, user: str) -> None:
    """Nobody waits for the next look at the queue, and nobody looks all the time."""
    queue = server.queue(queue_interval=1000)
    with running(queue):
        for number in range(1, 4):
            submit(server, user, "ann@example.org")
            until(lambda number=number: state(server, user)["sent"] == number or None)  # type: ignore[misc]
    assert len(server.smarthost.mails) == 3
    assert queue.looks < 20


def test_the_store_comes_back_and_tells_again(server: Server, user: str) -> None:
    queue = server.queue(queue_interval=0.2)
    with running(queue):
        submit(server, user, "ann@example.org")
        until(lambda: state(server, user)["sent"] == 1 or None)
        server.store.restart()
        # The connections of the test itself are tried again by and by, too.
        until(lambda: submit(server, user, "ann@example.org") is None or None, despite=(ConnectFailed,))
        until(lambda: state(server, user)["sent"] == 2 or None, despite=(ConnectFailed,))
    assert len(server.smarthost.mails) == 2


def test_a_queue_that_is_stopped_begins_nothing_more(server: Server, user: str) -> None:
    for number in range(3):
        submit(server, user, f"{number}@example.org")
    events: list[Any] = []
    with smarthost(end=["hang"]) as script:
        queue = server.queue(smarthost=script.address, connections=1)
        with running(queue):
            until(lambda: script.mails or None)
            globalLogPublisher.addObserver(events.append)
        globalLogPublisher.removeObserver(events.append)
        looks = queue.looks
        server.empty()
    assert queue.looks == looks
    assert [each for each in events if each.get("log_failure") is not None] == []
    assert state(server, user)["sent"] == 3


def test_many_go_over_few_connections(server: Server, user: str) -> None:
    for number in range(12):
        submit(server, user, f"{number}@example.org")
    server.empty(server.queue(connections=3))
    assert sorted(mail[1][0] for mail in server.smarthost.mails) == sorted(
        f"{n}@example.org" for n in range(12)
    )
    assert server.relays[-1].connected <= 3
    assert state(server, user)["sent"] == 12


class _Dies(Exception):
    """The process ends here."""


@pytest.mark.parametrize("step", range(12))
def test_a_crash_at_any_point_sends_nothing_twice(server: Server, user: str, step: int) -> None:
    """After the smarthost's answer was written down; between the two nobody can know (RFC 1047)."""
    submit(server, user, "ann@example.org")

    async def crash() -> None:
        system, queue = await server.trustees.system(), server.queue()
        real, left = system.call, [step]

        async def call(call: Any, **options: Any) -> Any:
            if not left[0]:
                raise _Dies
            left[0] -= 1
            return await real(call, **options)

        system.call = call  # type: ignore[method-assign]
        try:
            await queue.empty()
        except _Dies:
            pass
        finally:
            queue.unlock()
            del system.call

    reactor.run(crash)
    server.empty()
    assert len(server.smarthost.mails) == 1
    assert state(server, user) == DONE


def test_the_journal(tmp_path: Any) -> None:
    journal = Journal(tmp_path / "j")
    assert journal.all() == []
    entry = Entry(entryid=b"\x00\xff", sent=["a"], failed={"b": (550, "5.1.1", "no")}, over=True)
    journal.put(entry)
    assert journal.get(b"\x00\xff") == entry
    assert journal.all() == [entry]
    journal.remove(b"\x00\xff")
    journal.remove(b"\x00\xff")
    assert journal.get(b"\x00\xff") == Entry(entryid=b"\x00\xff")


def test_a_damaged_journal_stops_nothing(tmp_path: Any) -> None:
    journal = Journal(tmp_path / "j")
    journal.put(Entry(entryid=b"a", over=True))
    (file,) = (tmp_path / "j").glob("*.sent")
    file.write_bytes(b"\0\0\0")
    assert journal.all() == []
    assert journal.get(b"a") == Entry(entryid=b"a")
