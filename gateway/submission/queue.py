"""The outgoing queue of the store: what MAPI clients and delivery submitted is sent, filed, and failures are reported.

The queue row stays until everything is done, the journal remembers what was handed over meanwhile. So whenever the process
dies, the next one goes on where it was. A file lock keeps other processes off; only one machine may send for a store.
(The store's own message locks would outlive a process that dies, by minutes.)
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.mailbox.runtime import Runtime
from gateway.mailbox.uploads import Upload, content_of
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import MapiError, NotFound
from gateway.mapi.props import Props
from gateway.mapi.tables import ObjectType, TableType
from gateway.mapi.times import from_unix
from gateway.mapiclient import directory
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.message import copy_messages, delete_messages, load_message, save_new_message, set_props
from gateway.mapiclient.store import Store
from gateway.mapiclient.table import Table, rows_of
from gateway.mapiclient.waiting import pause
from gateway.mapiclient.wire.calls_object import FinishedMessage, GetOwner
from gateway.smtp.codec.replies import Reply
from gateway.smtp.person import Person
from gateway.smtp.seal import key_in
from gateway.smtp.trusted import Trustees
from gateway.submission.header import authors, fields
from gateway.submission.journal import Entry, Journal
from gateway.submission.options import Options
from gateway.submission.queued import Departure, departure
from gateway.submission.relay import Relay
from gateway.submission.report import non_delivery_report
from gateway.submission.senders import may_send_as

log: Final = Logger()
T = TypeVar("T")
_COLUMNS: Final = (
    pr.PR_ENTRYID,
    pr.PR_STORE_ENTRYID,
    pr.PR_EC_OUTGOING_FLAGS,
    pr.PR_DEFERRED_SEND_TIME,
)
_MASTER: Final = 1
_FILE_SENT: Final = 2
_FORBIDDEN: Final = Reply(550, "5.7.1", "you may not send under this name")
_TOO_LATE: Final = "4.4.7"


class Queue:
    """Empties the outgoing queue while it runs."""

    def __init__(
        self,
        trustees: Trustees,
        runtime: Runtime,
        relay: Relay,
        options: Options,
        *,
        hostname: str,
        state: Path,
    ) -> None:
        self._trustees = trustees
        self._runtime = runtime
        self._relay = relay
        self._options = options
        self._hostname = hostname
        self._journal = Journal(state / "sending")
        self._key = key_in(state)
        self._waits: dict[bytes, tuple[float, float]] = {}
        """When a message is tried again, and how long it waited, by entry id."""
        self._running: Deferred[None] | None = None
        self._lockfile = state / "sending.lock"
        self._lock: int | None = None

    def start(self) -> None:
        """Begin."""
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(_ended)

    async def stop(self) -> None:
        """End; what is being handed over is broken off, and its message stays queued."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
        self.unlock()

    def unlock(self) -> None:
        """Let another process send."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    async def _run(self) -> None:
        while True:
            try:
                await self.empty()
            except (MapiError, TransportError, OSError) as error:
                log.info("the outgoing queue cannot be read: {error}", error=str(error))
            await pause(self._runtime.reactor, self._options.queue_interval)

    def _is_mine(self) -> bool:
        """Whether this process is the one that sends: the lock goes with the process, however it ends."""
        if self._lock is None:
            self._lock = os.open(self._lockfile, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    async def empty(self) -> None:
        """Look at the queue once, and send what is due."""
        if not self._is_mine():
            log.debug("another process of this machine empties the outgoing queue")
            return
        system = await self._trustees.system()
        table = Table(
            system, b"", _COLUMNS, table_type=TableType.OUTGOING_QUEUE, object_type=ObjectType.MESSAGE
        )
        rows = await rows_of(table)
        queued = {row[pr.PR_ENTRYID] for row in rows if pr.PR_ENTRYID in row}
        self._waits = {entryid: wait for entryid, wait in self._waits.items() if entryid in queued}
        for row in rows:
            if self._is_due(row):
                await self._one(system, row)
        for entry in await self._blocking(self._journal.all):
            if (
                entry.over and entry.entryid not in queued
            ):  # the crash came between leaving the queue and filing
                await self._file(system, entry.entryid, file_sent=entry.file_sent)
                await self._blocking(partial(self._journal.remove, entry.entryid))

    def _is_due(self, row: Props) -> bool:
        entryid = row.get(pr.PR_ENTRYID)
        flags = row.get(pr.PR_EC_OUTGOING_FLAGS, _MASTER)
        deferred = row.get(pr.PR_DEFERRED_SEND_TIME) or 0
        if entryid is None or not flags & _MASTER or deferred > self._runtime.filetime():
            return False
        return self._waits.get(entryid, (0.0, 0.0))[0] <= self._runtime.seconds()

    async def _one(self, system: Caller, row: Props) -> None:
        try:
            await self._send(system, row)
        except (MapiError, TransportError, OSError, ValueError) as error:
            log.warn("a queued message was not sent: {error}", error=str(error))
            self._wait(row[pr.PR_ENTRYID])

    async def _send(self, system: Caller, row: Props) -> None:
        """Take one message as far as it goes."""
        entryid = row[pr.PR_ENTRYID]
        flags = row.get(pr.PR_EC_OUTGOING_FLAGS, _MASTER)
        entry = await self._blocking(partial(self._journal.get, entryid))
        entry.file_sent = bool(flags & _FILE_SENT)
        if not entry.over:
            loaded = await load_message(system, entryid)
            store = await Store.by_entryid(system, row[pr.PR_STORE_ENTRYID])
            owner = await _owner(system, store)
            leaving = await departure(
                system, entryid, loaded.content, owner, key=self._key, hostname=self._hostname
            )
            await self._keep_message_id(store, entryid, loaded.content, loaded.server_id, leaving)
            await self._hand_over(entry, leaving, owner, loaded.content)
            if entry.failed and entry.over and not entry.reported:
                await self._report(store, entry, leaving)
        if not entry.over:
            self._wait(entryid)
            return
        await system.call(FinishedMessage(entryid=entryid, flags=_MASTER))
        await self._file(system, entryid, file_sent=entry.file_sent)
        await self._blocking(partial(self._journal.remove, entryid))
        self._waits.pop(entryid, None)

    async def _hand_over(
        self, entry: Entry, leaving: Departure, owner: Person, content: MessageContent
    ) -> None:
        """Hand the mail over to whoever has not got it; the entry is on disk when this returns."""
        settled = {*entry.sent, *entry.failed}
        waiting = [recipient for recipient in leaving.recipients if recipient not in settled]
        if not leaving.sealed and not await self._may_go(owner, leaving):
            entry.failed |= {recipient: _tuple(_FORBIDDEN) for recipient in waiting}
            entry.over = True
        elif waiting:
            outcome = await self._relay.send(leaving.sender, waiting, leaving.mail)
            entry.sent += outcome.sent
            entry.failed |= {recipient: _tuple(reply) for recipient, reply in outcome.failed.items()}
            if outcome.later and self._is_too_old(content):
                late = {r: (reply.code, _TOO_LATE, reply.text) for r, reply in outcome.later.items()}
                entry.failed |= late
            entry.over = len({*entry.sent, *entry.failed}) >= len(leaving.recipients)
        else:
            entry.over = True
        if entry.over or entry.sent or entry.failed:
            await self._blocking(partial(self._journal.put, entry))

    async def _may_go(self, owner: Person, leaving: Departure) -> bool:
        """Whether the owner may send under every name in From."""
        if not owner.address:
            return False
        for author in authors(leaving.mail):
            if not await may_send_as(self._trustees, owner, author):
                return False
        return True

    def _is_too_old(self, content: MessageContent) -> bool:
        since = content.props.get(pr.PR_CLIENT_SUBMIT_TIME) or content.props.get(pr.PR_CREATION_TIME) or 0
        return bool(since < from_unix(self._runtime.now() - self._options.give_up))

    async def _report(self, store: Store, entry: Entry, leaving: Departure) -> None:
        """Tell the owner which recipients the mail did not reach; nobody is told of a lost automatic answer."""
        if leaving.sender:
            now = self._runtime.filetime()
            failed = {recipient: Reply(*reply) for recipient, reply in entry.failed.items()}
            report = non_delivery_report(leaving.mail, leaving.sender, failed, hostname=self._hostname, now=now)
            inbox = await store.receive_folder("REPORT.IPM.Note.NDR")
            content = content_of(Upload(report, verbatim=True), now)
            await save_new_message(store.session, inbox, store.guid, content)
        entry.reported = True
        await self._blocking(partial(self._journal.put, entry))

    async def _keep_message_id(
        self, store: Store, entryid: bytes, content: MessageContent, server_id: int, leaving: Departure
    ) -> None:
        """Write down the Message-ID that goes out, so that answers find the copy in Sent Items."""
        if leaving.sealed or content.props.get(pr.PR_INTERNET_MESSAGE_ID):
            return
        for name, field in fields(leaving.mail)[0]:
            if name == "message-id":
                text = field.partition(b":")[2].decode("ascii", "replace").strip()
                await set_props(
                    store.session, store.entryid, entryid, server_id, {pr.PR_INTERNET_MESSAGE_ID: text}
                )

    async def _file(self, system: Caller, entryid: bytes, *, file_sent: bool) -> None:
        """Take a sent message out of the Outbox: delete it, or move it to Sent Items; done before does no harm."""
        try:
            content = (await load_message(system, entryid)).content
        except NotFound:
            return
        target = content.props.get(pr.PR_SENTMAIL_ENTRYID)
        if content.props.get(pr.PR_DELETE_AFTER_SUBMIT):
            await delete_messages(system, [entryid])
        elif target and file_sent:
            await copy_messages(system, [entryid], target, move=True)

    def _wait(self, entryid: bytes) -> None:
        """Try again later, each time after twice as long."""
        waited = self._waits.get(entryid, (0.0, 0.0))[1]
        wait = min(max(waited * 2, float(self._options.retry)), float(self._options.retry_longest))
        self._waits[entryid] = self._runtime.seconds() + wait, wait

    def _blocking(self, work: Callable[[], T]) -> Deferred[T]:
        reactor: Any = self._runtime.reactor
        return deferToThreadPool(reactor, reactor.getThreadPool(), work)


def _tuple(reply: Reply) -> tuple[int, str, str]:
    return reply.code, reply.status, reply.text


async def _owner(session: Caller, store: Store) -> Person:
    """Whose store it is."""
    found = await session.call(GetOwner(entryid=store.entryid))
    props = await directory.details(session, found.owner_entryid)
    return Person(props.get(pr.PR_ACCOUNT) or "", props)


def _ended(failure: Failure) -> None:
    if not isinstance(failure.value, CancelledError):
        log.failure("the outgoing queue is not emptied any more", failure=failure)
