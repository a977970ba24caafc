"""What is sent because a mail came: forwards, answers of rules, copies for delegates, the word that somebody is away.

The mail is stored by then, so nothing here may make it come again: each is tried on its own, and what fails is logged.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from hashlib import blake2b
from typing import Final

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from gateway.lmtp import forwards, replies, vacation
from gateway.lmtp.letter import Letter
from gateway.lmtp.options import Options
from gateway.lmtp.outgoing import Outgoing, address_of
from gateway.lmtp.received import received_by
from gateway.lmtp.recipients import Maildrop, Recipient, Recipients
from gateway.lmtp.rules import Plan
from gateway.lmtp.storing import receive_folder, store_message
from gateway.lmtp.vacation import Vacations
from gateway.mailbox.runtime import Runtime
from gateway.mapi import proptags as pr
from gateway.mapi.content import Blob, MessageContent
from gateway.mapi.errors import MapiError
from gateway.mapi.props import NamedProps
from gateway.mapi.rules import ActionType, Forward, Reply
from gateway.mapiclient.errors import TransportError
from gateway.smtp.codec.address import parse_address
from gateway.smtp.codec.replies import Refused
from gateway.smtp.person import Person

log: Final = Logger()
_MOST_TARGETS: Final = 100
#: Seconds in which a rule answers a sender once: two programs that answer each other come to an end.
_REPLY_PERIOD: Final = 3600.0
_REPRESENTING: Final = (
    pr.PR_RCVD_REPRESENTING_NAME,
    pr.PR_RCVD_REPRESENTING_ADDRTYPE,
    pr.PR_RCVD_REPRESENTING_EMAIL_ADDRESS,
    pr.PR_RCVD_REPRESENTING_ENTRYID,
    pr.PR_RCVD_REPRESENTING_SEARCH_KEY,
)


class Answering:
    """Sends."""

    def __init__(
        self,
        runtime: Runtime,
        recipients: Recipients,
        outgoing: Outgoing,
        vacations: Vacations,
        options: Options,
    ) -> None:
        self._runtime = runtime
        self._recipients = recipients
        self._outgoing = outgoing
        self._vacations = vacations
        self._options = options

    async def answer(
        self, letter: Letter, content: MessageContent, plan: Plan, recipient: Recipient, maildrop: Maildrop
    ) -> None:
        """Send what the rules want sent, and the out of office answer."""
        person = recipient.person
        for sending in plan.sendings if self._options.forwarding else ():
            what = f"{ActionType(sending.action.type).name.lower()} of rule {sending.rule!r}"
            if isinstance(sending.action, Reply):
                work: Awaitable[None] = self._reply(letter, person, maildrop, sending.action)
            else:
                work = self._forward(letter, content, person, maildrop, sending.action)
            await _tried(work, person, what)
        if self._options.vacation and not letter.is_spam:
            await _tried(self._say_away(letter, person, maildrop), person, "out of office")

    async def _forward(
        self, letter: Letter, content: MessageContent, person: Person, maildrop: Maildrop, action: Forward
    ) -> None:
        mail = letter.incoming
        if not person.address or forwards.came_back(mail, person):
            log.info("{user}: a mail that came back is not sent on again", user=person.login)
            return
        found = [await address_of(maildrop, row) for row in action.recipients[:_MOST_TARGETS]]
        targets = [
            target for target in dict.fromkeys(found) if target and target.lower() not in person.addresses
        ]
        if action.type == ActionType.DELEGATE:
            targets = [target for target in targets if not await self._delegate(letter, content, target)]
        if not targets:
            return
        data = mail.data.read() if isinstance(mail.data, Blob) else mail.data
        now = self._runtime.filetime()
        if forwards.is_redirect(action):
            # A bounce comes to whoever sends on (RFC 5321 3.9.2); there is none for what is itself a bounce.
            sender = "" if mail.sender.is_null else person.address
            made = forwards.redirected(mail, data, person, targets, now)
        else:
            sender = person.address
            made = forwards.forwarded(mail, data, content, person, targets, flavor=action.flavor, now=now)
        await self._outgoing.send(maildrop, person, made, sender=sender, recipients=targets)

    async def _delegate(self, letter: Letter, content: MessageContent, target: str) -> bool:
        """Store the mail for a delegate of this house, as received for the principal; False when it is nobody here."""
        address = parse_address(target)
        if address is None:
            return False
        try:
            delegate = (await self._recipients.find(address)).person
        except Refused:
            return False
        mine = received_by(letter.content, delegate)
        represented: NamedProps = {tag: content.props[tag] for tag in _REPRESENTING}
        mine = replace(mine, props={**mine.props, **represented, pr.PR_DELEGATED_BY_RULE: True})
        lease, maildrop = await self._recipients.open(delegate)
        with lease:
            await store_message(mine, maildrop, await receive_folder(mine, maildrop), delegate.login)
        return True

    async def _reply(self, letter: Letter, person: Person, maildrop: Maildrop, action: Reply) -> None:
        mail = letter.incoming
        if letter.is_spam or not person.address or not vacation.wants_answer(mail, person):
            return
        template = await replies.template_of(maildrop.session, maildrop.inbox, action)
        targets = replies.targets_of(action, template, mail)
        if action.type == ActionType.OOF_REPLY:
            occasion, period = _absence(maildrop), float(self._options.vacation_period)
        else:
            occasion, period = "", _REPLY_PERIOD
        occasion += f" rule {blake2b(action.message + action.guid, digest_size=12).hexdigest()}"
        if targets and await self._vacations.is_first(person.login, str(mail.sender), occasion, period):
            now = self._runtime.filetime()
            made = replies.answer_from(template, letter, person, targets, now=now)
            await self._outgoing.send(maildrop, person, made, sender="", recipients=targets)

    async def _say_away(self, letter: Letter, person: Person, maildrop: Maildrop) -> None:
        mail, store = letter.incoming, maildrop.store.props
        if not person.address or not self._vacations.is_away(store):
            return
        if not (vacation.is_addressed(mail, person) and vacation.wants_answer(mail, person)):
            return
        period = float(self._options.vacation_period)
        if await self._vacations.is_first(person.login, str(mail.sender), _absence(maildrop), period):
            target, now = [str(mail.sender)], self._runtime.filetime()
            template = vacation.template_of(store, str(letter.content.get(pr.PR_SUBJECT) or ""))
            made = replies.answer_from(template, letter, person, target, now=now)
            await self._outgoing.send(maildrop, person, made, sender="", recipients=target)


def _absence(maildrop: Maildrop) -> str:
    """The present absence and no other: who comes back and leaves again answers everybody again."""
    return f"away since {maildrop.store.props.get(pr.PR_EC_OUTOFOFFICE_FROM) or 0}"


async def _tried(work: Awaitable[None], person: Person, what: str) -> None:
    """Have something sent; what goes wrong is logged."""
    try:
        await work
    except CancelledError:
        raise
    except (MapiError, TransportError, OSError) as error:
        log.warn(
            "{user}: the mail is stored, but {what} failed: {why}", user=person.login, what=what, why=str(error)
        )
    except Exception:
        log.failure("{user}: the mail is stored, but {what} failed", user=person.login, what=what)
