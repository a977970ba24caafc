"""One queued message on its way: written as mail, handed over, filed, and its sender told of what went wrong.

The journal is written before anything that cannot be done twice is followed by anything else, so a process that dies
at any point leaves what the next one needs to go on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from gateway.mailbox.runtime import Runtime
from gateway.mailbox.uploads import Upload, content_of
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import NotFound
from gateway.mapi.props import Props
from gateway.mapi.times import from_unix
from gateway.mapiclient import directory
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.message import copy_messages, delete_messages, load_message, save_new_message, set_props
from gateway.mapiclient.store import Store
from gateway.mapiclient.wire.calls_object import FinishedMessage, GetOwner
from gateway.smtp.codec.replies import Reply
from gateway.smtp.person import Person
from gateway.smtp.seal import key_in
from gateway.smtp.trusted import Trustees
from gateway.submission.header import fields
from gateway.submission.journal import Entry, Journal
from gateway.submission.options import Options
from gateway.submission.queued import Departure, departure
from gateway.submission.relay import Relay
from gateway.submission.report import Fate, delivery_report
from gateway.submission.senders import Senders

T = TypeVar("T")
MASTER: Final = 1
_FILE_SENT: Final = 2
_FORBIDDEN: Final = Reply(550, "5.7.1", "you may not send under this name")
_NOBODY: Final = Reply(554, "5.5.1", "the message has no recipients")
_TOO_LATE: Final = "4.4.7"


class Forwarding:
    """Sends messages of the queue."""

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
        self._senders = Senders(trustees)
        self._runtime = runtime
        self._relay = relay
        self._options = options
        self._hostname = hostname
        self._journal = Journal(state / "sending")
        self._key = key_in(state)

    async def send(self, system: Caller, row: Props) -> bool:
        """Take one message as far as it goes; whether it has left the queue."""
        entryid = row[pr.PR_ENTRYID]
        flags = row.get(pr.PR_EC_OUTGOING_FLAGS, MASTER)
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
            await self._report(store, entry, leaving, loaded.content)
        if not entry.over:
            return False
        await system.call(FinishedMessage(entryid=entryid, flags=MASTER))
        await self._file(system, entryid, file_sent=entry.file_sent)
        await self._blocking(partial(self._journal.remove, entryid))
        return True

    async def finish(self, system: Caller, queued: set[bytes]) -> None:
        """File what had left the queue when a process died before it could."""
        for entry in await self._blocking(self._journal.all):
            if entry.entryid in queued:
                continue
            if entry.over:  # otherwise its sender has taken it back
                await self._file(system, entry.entryid, file_sent=entry.file_sent)
            await self._blocking(partial(self._journal.remove, entry.entryid))

    async def _hand_over(
        self, entry: Entry, leaving: Departure, owner: Person, content: MessageContent
    ) -> None:
        """Hand the mail over to whoever has not got it; the entry is on disk when this returns."""
        settled = {*entry.sent, *entry.failed}
        waiting = [recipient for recipient in leaving.recipients if recipient not in settled]
        if not leaving.recipients:
            entry.failed, entry.over = {"nobody": _tuple(_NOBODY)}, True
        elif (mail := await self._admitted(owner, leaving)) is None:
            entry.failed |= {recipient: _tuple(_FORBIDDEN) for recipient in waiting}
            entry.over = True
        elif waiting:
            outcome = await self._relay.send(leaving.sender, waiting, mail)
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

    async def _admitted(self, owner: Person, leaving: Departure) -> bytes | None:
        return leaving.mail if leaving.sealed else await self._senders.admitted(owner, leaving.mail)

    def _is_too_old(self, content: MessageContent) -> bool:
        return self._has_waited(content, float(self._options.give_up))

    def _has_waited(self, content: MessageContent, seconds: float) -> bool:
        return bool(_submitted(content) < from_unix(self._runtime.now() - seconds))

    async def _report(self, store: Store, entry: Entry, leaving: Departure, content: MessageContent) -> None:
        """Tell the owner what the mail did not reach, or has not reached yet; once each.

        Nobody is told of a lost automatic answer.
        """
        failed = {recipient: Reply(*reply) for recipient, reply in entry.failed.items()}
        delay = float(self._options.delay_notice)
        if entry.over and failed and not entry.reported:
            entry.reported = True
            await self._tell(store, leaving, failed, Fate.FAILED)
        elif not entry.over and delay and not entry.delayed and self._has_waited(content, delay):
            entry.delayed = True
            settled = {*entry.sent, *entry.failed}
            waiting = Reply(451, "4.4.1", "the next mail server has not taken it yet")
            late = {recipient: waiting for recipient in leaving.recipients if recipient not in settled}
            await self._tell(store, leaving, late, Fate.DELAYED, until=self._last_try(content))
        else:
            return
        await self._blocking(partial(self._journal.put, entry))

    def _last_try(self, content: MessageContent) -> int:
        return _submitted(content) + int(self._options.give_up * 10_000_000)

    async def _tell(
        self, store: Store, leaving: Departure, replies: dict[str, Reply], fate: Fate, *, until: int = 0
    ) -> None:
        if not leaving.sender:
            return
        now = self._runtime.filetime()
        report = delivery_report(
            leaving.mail, leaving.sender, replies, fate, hostname=self._hostname, now=now, until=until
        )
        content = content_of(Upload(report, verbatim=True), now)
        inbox = await store.receive_folder(content.props.get(pr.PR_MESSAGE_CLASS) or "REPORT.IPM.Note.NDR")
        await save_new_message(store.session, inbox, store.guid, content)

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

    def _blocking(self, work: Callable[[], T]) -> Deferred[T]:
        reactor: Any = self._runtime.reactor
        return deferToThreadPool(reactor, reactor.getThreadPool(), work)


def _tuple(reply: Reply) -> tuple[int, str, str]:
    return reply.code, reply.status, reply.text


def _submitted(content: MessageContent) -> int:
    """When the message was handed in (FILETIME)."""
    return int(content.props.get(pr.PR_CLIENT_SUBMIT_TIME) or content.props.get(pr.PR_CREATION_TIME) or 0)


async def _owner(session: Caller, store: Store) -> Person:
    """Whose store it is."""
    found = await session.call(GetOwner(entryid=store.entryid))
    props = await directory.details(session, found.owner_entryid)
    return Person(props.get(pr.PR_ACCOUNT) or "", props)
