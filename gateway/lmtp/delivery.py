"""Delivery of one mail to one recipient: where it goes, what else happens, and that it is stored before we say so."""

from __future__ import annotations

from typing import Final

from twisted.logger import Logger

from gateway.lmtp.answering import Answering
from gateway.lmtp.letter import Letter
from gateway.lmtp.matching import Subject
from gateway.lmtp.options import Options
from gateway.lmtp.received import received_by
from gateway.lmtp.recent import Recent
from gateway.lmtp.recipients import Maildrop, Recipient, Recipients, folder_named
from gateway.lmtp.rules import Plan, plan_of, read_rules
from gateway.lmtp.storing import receive_folder, store_message
from gateway.lmtp.vacation import Vacations
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import MapiError
from gateway.mapi.props import Props
from gateway.mapiclient.defaults import message_defaults
from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.message import delete_messages
from gateway.mapiclient.names import Names
from gateway.mapiclient.wire.errors import WireError
from gateway.smtp.codec.replies import Refused, Reply

log: Final = Logger()
_READ: Final = 1
_TOO_LARGE: Final = 0x0D
DELIVERED: Final = Reply(250, "2.1.5", "delivered")
_SEEN_BEFORE: Final = Reply(250, "2.1.5", "delivered before")


class Postman:
    """Delivers."""

    def __init__(
        self,
        recipients: Recipients,
        options: Options,
        answering: Answering,
        vacations: Vacations,
        recent: Recent,
    ) -> None:
        self._recipients = recipients
        self._options = options
        self._answering = answering
        self._vacations = vacations
        self._recent = recent

    async def deliver(self, letter: Letter, recipient: Recipient) -> Reply:
        """Store a mail; the reply says what became of it (MapiError, TransportError when it was not stored)."""
        incoming, person = letter.incoming, recipient.person
        if incoming.loops(recipient.address, self._options.max_received):
            raise Refused(554, "5.4.6", "the mail goes round in circles")
        key = person.login, recipient.folder, incoming.message_id
        if self._recent.has(*key):
            log.info("{id} for {user} came again and is dropped", id=incoming.message_id, user=person.login)
            return _SEEN_BEFORE
        lease, maildrop = await self._recipients.open(person)
        try:
            with lease:
                await self._store(letter, recipient, maildrop)
        except BaseException:
            self._recipients.forget(person)
            raise
        self._recent.add(*key)
        return DELIVERED

    async def _store(self, letter: Letter, recipient: Recipient, maildrop: Maildrop) -> None:
        content = received_by(letter.content, recipient.person)
        plan = await self._plan(letter, content, recipient, maildrop)
        user = recipient.person.login
        for left_out in plan.left_out:
            log.warn("{user}: {what} is for clients to do", user=user, what=left_out)
        content.props.update(plan.tags)
        if plan.mark_read:
            content.props[pr.PR_MESSAGE_FLAGS] = content.props.get(pr.PR_MESSAGE_FLAGS, 0) | _READ
        if plan.delete:
            entryid = await store_message(content, maildrop, maildrop.trash, user, announce=False)
            await delete_messages(maildrop.session, [entryid])  # recoverable
        for number, folder in enumerate(plan.folders):
            try:
                await store_message(content, maildrop, folder, user)
            except (MapiError, TransportError) as error:
                if number == 0 and not plan.delete:
                    raise
                log.warn("{user}: stored, but not in every folder: {error}", user=user, error=str(error))
        await self._answering.answer(letter, content, plan, recipient, maildrop)
        if plan.bounce is not None:
            raise _rejection(plan.bounce.code)

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
        home, user = await receive_folder(content, maildrop), recipient.person.login
        rules = _rules(maildrop, user) if self._options.rules else []
        if not rules:
            return Plan(folders=[home])
        away = self._vacations.is_away(maildrop.store.props)
        plan = plan_of(rules, await _subject(maildrop, content, letter.incoming.size), home, away=away)
        if plan.bounce is not None and letter.incoming.sender.is_null:  # nobody would be told
            plan.bounce = None
            plan.left_out.append("returning a mail without a sender")
            plan.folders = plan.folders or [home]
        return plan


def _rules(maildrop: Maildrop, user: str) -> list[Props]:
    try:
        return read_rules(maildrop.inbox_props.get(pr.PR_RULES_DATA) or b"")
    except (WireError, ValueError) as error:
        log.warn("{user}: the rules cannot be read and are not obeyed: {error}", user=user, error=str(error))
        return []


def _rejection(code: int) -> Refused:
    """How a rule that returns a mail says so (MS-OXORULE 2.2.5.1.2.5); the MTA writes the report."""
    if code == _TOO_LARGE:
        return Refused(552, "5.3.4", "the recipient takes no mail of this size")
    return Refused(550, "5.7.1", "the recipient takes no mail of this kind")


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
