"""Delivery of one mail to one recipient: where it goes, what else happens, and that it is stored before we say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from twisted.logger import Logger

from gateway.lmtp.mail import Incoming
from gateway.lmtp.matching import Subject
from gateway.lmtp.options import Options
from gateway.lmtp.outgoing import Outgoing
from gateway.lmtp.received import kinds_of, received_by
from gateway.lmtp.recent import Recent
from gateway.lmtp.recipients import Maildrop, Recipient, Recipients, folder_named, store_guid
from gateway.lmtp.rules import Plan, plan_of, read_rules
from gateway.lmtp.vacation import Vacations
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import MapiError, NoAccess, NotFound
from gateway.mapi.notices import Delivery, Event, NewMailNotice
from gateway.mapiclient.calling import detached
from gateway.mapiclient.defaults import message_defaults
from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.message import delete_messages, save_new_message
from gateway.mapiclient.names import Names
from gateway.mapiclient.wire.calls_object import Notify
from gateway.smtp.codec.replies import Refused, Reply

log: Final = Logger()
_READ: Final = 1
DELIVERED: Final = Reply(250, "2.1.5", "delivered")
_SEEN_BEFORE: Final = Reply(250, "2.1.5", "delivered before")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail and the message it becomes."""

    incoming: Incoming
    content: MessageContent
    is_spam: bool


class Postman:
    """Delivers."""

    def __init__(
        self, recipients: Recipients, options: Options, outgoing: Outgoing, vacations: Vacations, clock: object
    ) -> None:
        self._recipients = recipients
        self._options = options
        self._outgoing = outgoing
        self._vacations = vacations
        self._clock: Final = clock
        self._recent = Recent(options.duplicates)

    async def deliver(self, letter: Letter, recipient: Recipient) -> Reply:
        """Store a mail; the reply says what became of it (MapiError, TransportError when it was not stored)."""
        incoming, person = letter.incoming, recipient.person
        if incoming.loops(recipient.address, self._options.max_received):
            raise Refused(554, "5.4.6", "the mail goes round in circles")
        key = person.login, recipient.folder, incoming.message_id
        now: float = self._clock.seconds()  # type: ignore[attr-defined]
        if incoming.message_id and self._recent.has(key, now):
            log.info("{id} for {user} came again and is dropped", id=incoming.message_id, user=person.login)
            return _SEEN_BEFORE
        lease, maildrop = await self._recipients.open(person)
        try:
            with lease:
                await self._store(letter, recipient, maildrop)
        except BaseException:
            self._recipients.forget(person)
            raise
        self._recent.add(key, now)
        return DELIVERED

    async def _store(self, letter: Letter, recipient: Recipient, maildrop: Maildrop) -> None:
        content = received_by(letter.content, recipient.person)
        plan = await self._plan(letter, content, recipient, maildrop)
        if plan.mark_read:
            content.props[pr.PR_MESSAGE_FLAGS] = content.props.get(pr.PR_MESSAGE_FLAGS, 0) | _READ
        for folder in plan.folders:
            await self._save(content, maildrop, folder)
        if plan.delete:
            entryid = await self._save(content, maildrop, maildrop.trash, announce=False)
            await delete_messages(maildrop.session, [entryid])  # recoverable
        # The mail is stored: what fails from here on must not make it come again.
        try:
            await self._answer(letter, content, plan, recipient, maildrop)
        except (MapiError, TransportError, OSError) as error:
            log.warn(
                "{user}: the mail is stored, an answer or forward was not sent: {error}",
                user=recipient.person.login,
                error=error,
            )

    async def _plan(
        self, letter: Letter, content: MessageContent, recipient: Recipient, maildrop: Maildrop
    ) -> Plan:
        """Where the mail goes: the folder of the address, else junk, else as the rules say."""
        if recipient.folder:
            folder = await folder_named(maildrop, recipient.folder)
            if folder is not None:
                return Plan(folders=[folder])
        if letter.is_spam:
            return Plan(folders=[maildrop.junk])
        message_class = content.props.get(pr.PR_MESSAGE_CLASS) or "IPM.Note"
        home = maildrop.inbox
        if not message_class.upper().startswith("IPM.NOTE"):
            home = await maildrop.store.receive_folder(message_class)
        if not self._options.rules:
            return Plan(folders=[home])
        rules = read_rules(maildrop.inbox_props.get(pr.PR_RULES_DATA) or b"")
        if not rules:
            return Plan(folders=[home])
        away = self._vacations.is_away(maildrop.store.props)
        return plan_of(rules, await _subject(maildrop, content, letter.incoming.size), home, away=away)

    async def _save(
        self, content: MessageContent, maildrop: Maildrop, folder: bytes, *, announce: bool = True
    ) -> bytes:
        """Store the message in a folder, or in the Inbox when that cannot be; its entry id."""
        try:
            saved = await save_new_message(maildrop.session, folder, store_guid(folder), content)
        except (NotFound, NoAccess, ValueError) as error:
            if folder == maildrop.inbox:
                raise
            log.info("a folder takes no mail, the Inbox does: {error}", error=str(error))
            folder = maildrop.inbox
            saved = await save_new_message(maildrop.session, folder, maildrop.store.guid, content)
        if announce:
            flags = content.props.get(pr.PR_MESSAGE_FLAGS, 0)
            message_class = content.props.get(pr.PR_MESSAGE_CLASS) or "IPM.Note"
            notice = NewMailNotice(Event.NEW_MAIL, saved.entryid, folder, message_class, flags)
            detached(maildrop.session, Notify(Delivery(0, notice)))
        return saved.entryid

    async def _answer(
        self,
        letter: Letter,
        content: MessageContent,
        plan: Plan,
        recipient: Recipient,
        maildrop: Maildrop,
    ) -> None:
        """Forward as the rules say, and send the out of office answer."""
        person = recipient.person
        if plan.forwards and self._options.forwarding:
            for forward in plan.forwards:
                await self._outgoing.forward(maildrop, person, letter.incoming, content, forward)
        if self._options.vacation and not letter.is_spam and kinds_of(content, person) & {1, 2}:
            answer = await self._vacations.answer(maildrop.store.props, person, letter.incoming)
            if answer is not None:
                await self._outgoing.send(maildrop, person, answer, sender="")


async def _subject(maildrop: Maildrop, content: MessageContent, size: int) -> Subject:
    """The message as rules see it: with what the store would add."""
    named = Names(maildrop.session)
    props = await named.to_tags(content.props, create=False)
    props |= message_defaults(props, content.recipients)
    props |= {pr.PR_MESSAGE_SIZE: size, pr.PR_HASATTACH: bool(content.attachments)}
    return Subject(
        props,
        [await named.to_tags(row, create=False) for row in content.recipients],
        [await named.to_tags(attachment.props, create=False) for attachment in content.attachments],
    )
