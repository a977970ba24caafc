"""The LMTP head: the backend that judges recipients and takes mail, and the factory of its connections."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator

from gateway.lmtp.answering import Answering
from gateway.lmtp.delivery import Postman
from gateway.lmtp.letter import Letter
from gateway.lmtp.mail import Incoming
from gateway.lmtp.options import Options
from gateway.lmtp.outgoing import Outgoing
from gateway.lmtp.recent import Recent
from gateway.lmtp.recipients import Recipient, Recipients
from gateway.lmtp.vacation import Vacations
from gateway.mailbox.runtime import Runtime
from gateway.mailbox.uploads import Upload, content_of
from gateway.mapiclient.sessions import Sessions
from gateway.smtp.budget import Budget
from gateway.smtp.codec.address import Address
from gateway.smtp.codec.commands import Mail
from gateway.smtp.codec.replies import Refused, Reply
from gateway.smtp.errors import reply_of
from gateway.smtp.protocol import MailFactory
from gateway.smtp.seal import key_in
from gateway.smtp.session import Session
from gateway.smtp.transaction import Transaction
from gateway.smtp.trusted import Trustees

T = TypeVar("T")
#: Mails larger than this are stored for one recipient at a time: their text is in memory while it is sent.
_LARGE = 4 << 20


class Lmtp:
    """What LMTP does with mail (`gateway.smtp.session.Backend`)."""

    lmtp = True

    def __init__(
        self,
        sessions: Sessions,
        runtime: Runtime,
        options: Options,
        *,
        hostname: str,
        state: Path | None = None,
    ) -> None:
        self.options: Options = options
        self.hostname = hostname
        self._runtime = runtime
        trustees = Trustees(sessions)
        self._recipients = Recipients(trustees, options)
        self._vacations = Vacations(runtime, state)
        self._recent = Recent(runtime, options.duplicates, state)
        outgoing = Outgoing(runtime, key_in(state))
        answering = Answering(runtime, self._recipients, outgoing, self._vacations, options)
        self._postman = Postman(self._recipients, options, answering, self._vacations, self._recent)
        self._budget = Budget(int(options.memory))

    def close(self) -> None:
        """Write down what must survive a restart; no mail is taken any more."""
        self._recent.close()
        self._vacations.close()

    def offers_auth(self, session: Session) -> bool:
        """Nobody logs in: who may connect is trusted."""
        return False

    async def login(self, session: Session, user: str, password: str) -> Any:
        """Not offered."""
        raise Refused(502, "5.5.1", "no logins here")

    def logout(self, login: Any) -> None:
        """Nobody is logged in."""

    async def sender(self, session: Session, mail: Mail) -> None:
        """Any sender will do: the MTA has judged."""

    async def recipient(self, session: Session, recipient: Address) -> Recipient:
        """The recipient, if the address book has it."""
        return await self._recipients.find(recipient)

    async def take(self, session: Session, mail: Transaction) -> Sequence[Reply]:
        """Deliver to every recipient, some at a time; a reply for each (RFC 2033 4.2)."""
        incoming = Incoming(mail.sender, mail.body.content())
        await self._budget.take(incoming.size)
        try:
            return await self._delivered(mail, incoming)
        finally:
            self._budget.give(incoming.size)

    async def _delivered(self, mail: Transaction, incoming: Incoming) -> Sequence[Reply]:
        convert = partial(content_of, Upload(incoming.data, verbatim=True), self._runtime.filetime())
        content = await self._runtime.compute(incoming.size, convert)
        letter = Letter(incoming, content, incoming.is_spam(self.options.spam))
        at_once = self.options.parallel if incoming.size < _LARGE else 1
        turns = DeferredSemaphore(max(1, at_once))

        async def one(recipient: Recipient) -> Reply:
            try:
                return await self._postman.deliver(letter, recipient)
            except Exception as error:
                return reply_of(error)

        # The same person may be named twice (by an alias, say): one after the other, the second is a duplicate.
        by_person: dict[tuple[str, str], list[int]] = {}
        for place, (_, recipient) in enumerate(mail.recipients):
            by_person.setdefault((recipient.person.login, recipient.folder), []).append(place)
        replies: dict[int, Reply] = {}

        async def places(found: list[int]) -> None:
            for place in found:
                first = replies.get(found[0])
                good = first is not None and first.is_good
                replies[place] = first if first and good else await one(mail.recipients[place][1])

        waits = [turns.run(_begin(partial(places, found))) for found in by_person.values()]
        await gatherResults(waits)
        return [replies[place] for place in range(len(mail.recipients))]


def _begin(work: Any) -> Any:
    return lambda: Deferred.fromCoroutine(work())


class LmtpFactory(MailFactory):
    """The connections of the LMTP head."""

    def __init__(self, backend: Lmtp, reactor: Any, tls: IOpenSSLServerConnectionCreator | None = None) -> None:
        super().__init__(backend, reactor, tls)
        self._clients = [ipaddress.ip_network(text, strict=False) for text in backend.options.clients]

    def is_welcome(self, host: str) -> bool:
        """Whether the address is in the networks that may deliver; local sockets always are."""
        if not host:
            return True
        address = ipaddress.ip_address(host.partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._clients)
