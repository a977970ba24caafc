"""Submission (RFC 6409): users log in and hand in mail, which goes to the smarthost while they wait.

Nothing is kept here: the reply to the data is the smarthost's, so a mail is either with the smarthost or still with the
client. Recipients that it refused are named in a report in the Inbox when it took the mail for others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from twisted.logger import Logger

from gateway.mailbox.account import Account
from gateway.mailbox.flags import Flag
from gateway.mailbox.runtime import Runtime
from gateway.mailbox.specialuse import SENT
from gateway.mailbox.uploads import Upload
from gateway.mapi.content import Blob
from gateway.mapi.errors import MapiError
from gateway.mapiclient.errors import TransportError
from gateway.smtp.budget import Budget
from gateway.smtp.codec.address import Address
from gateway.smtp.codec.commands import Mail
from gateway.smtp.codec.replies import Refused, Reply
from gateway.smtp.person import Person
from gateway.smtp.session import Session
from gateway.smtp.transaction import Transaction
from gateway.smtp.trusted import Trustees
from gateway.submission.header import addresses_of, completed, without_bcc
from gateway.submission.options import Options
from gateway.submission.relay import Outcome, Relay
from gateway.submission.report import Fate, delivery_report
from gateway.submission.senders import Senders, Standing, person_named, with_sender

log: Final = Logger()


@dataclass(slots=True)
class Login:
    """Who is logged in."""

    account: Account
    person: Person
    known: dict[str, Standing] = field(default_factory=dict)
    """Addresses that the user may send under, as far as they were asked for."""


class Submission:
    """What submission does with mail (`gateway.smtp.session.Backend`). ``enter`` opens an account."""

    lmtp = False

    def __init__(
        self,
        enter: Any,
        runtime: Runtime,
        relay: Relay,
        options: Options,
        *,
        hostname: str,
        trustees: Trustees | None = None,
    ) -> None:
        self.options: Options = options
        self.hostname = hostname
        self._enter = enter
        self._runtime = runtime
        self._relay = relay
        self._senders = Senders(trustees)
        self._budget = Budget(int(options.memory))

    def offers_auth(self, session: Session) -> bool:
        """Under TLS, or from where the options say."""
        wanted = self.options.plaintext_login
        return session.secure or wanted == "always" or (wanted == "loopback" and session.local)

    async def login(self, session: Session, user: str, password: str) -> Login:
        """Prove a password."""
        account: Account = await self._enter(user, password, session.peer)
        try:
            return Login(account, await person_named(account.session, account.user))
        except BaseException:
            account.logout()
            raise

    def logout(self, login: Login) -> None:
        """The connection is gone."""
        login.account.logout()

    async def sender(self, session: Session, mail: Mail) -> None:
        """Only users send, and only as themselves or whom they may send as (RFC 6409 6.1)."""
        if session.login is None:
            raise Refused(530, "5.7.0", "log in first")
        if not mail.sender.is_null:
            await self._check(session.login, str(mail.sender))

    async def _check(self, login: Login, address: str) -> Standing:
        known = login.known.get(address.lower())
        if known is None:
            known = await self._senders.standing(login.person, address)
            if known is Standing.FOREIGN:
                raise Refused(553, "5.7.1", f"<{address}>: you may not send under this address")
            login.known[address.lower()] = known
        return known

    async def _checked_header(self, login: Login, data: bytes) -> bytes:
        """The mail with the Sender that it needs (RFC 6409 8.1); Refused when From or Sender is somebody else."""
        standings = [await self._check(login, author) for author in addresses_of(data, "from")]
        senders = addresses_of(data, "sender")
        for sender in senders:
            if await self._check(login, sender) is not Standing.OWN:
                raise Refused(553, "5.7.1", f"<{sender}>: as Sender you may only name yourself")
        return data if senders else with_sender(data, login.person, standings)

    async def recipient(self, session: Session, recipient: Address) -> None:
        """Any will do: the smarthost knows."""
        if not recipient.domain:
            raise Refused(553, "5.1.2", "the address needs a domain")

    async def take(self, session: Session, mail: Transaction) -> Sequence[Reply]:
        """Hand the mail over; one reply. It is in memory for that, so large ones wait for each other."""
        await self._budget.take(mail.body.size)
        try:
            return await self._handed_over(session.login, mail)
        finally:
            self._budget.give(mail.body.size)

    async def _handed_over(self, login: Login, mail: Transaction) -> Sequence[Reply]:
        content = mail.body.content()
        data = content.read() if isinstance(content, Blob) else content
        data = await self._checked_header(login, data)
        data = completed(data, self.hostname, self._runtime.filetime())
        recipients = list(dict.fromkeys(str(address) for address, _ in mail.recipients))
        outcome = await self._relay.send(str(mail.sender), recipients, without_bcc(data))
        if not outcome.sent:
            return [next(iter((*outcome.later.values(), *outcome.failed.values())))]
        await self._after(login, data, str(mail.sender), outcome)
        return [Reply(250, "2.0.0", f"taken for {len(outcome.sent)} of {len(recipients)} recipients")]

    async def _after(self, login: Login, data: bytes, sender: str, outcome: Outcome) -> None:
        """The mail is on its way: report refused recipients, file a copy. Failing here is no reason to send again."""
        refused = {**outcome.failed, **outcome.later}
        now = self._runtime.filetime()
        try:
            if refused:
                report = delivery_report(data, sender, refused, Fate.FAILED, hostname=self.hostname, now=now)
                await self._put(login.account, "INBOX", Upload(report, verbatim=True))
            if self.options.sent_items:
                mailboxes = await login.account.mailboxes()
                sent = next((mailbox.name for mailbox in mailboxes if mailbox.special_use == SENT), None)
                if sent is not None:
                    await self._put(login.account, sent, Upload(data, Flag.SEEN))
        except (MapiError, TransportError) as error:
            log.warn(
                "{user}: a sent mail could not be filed: {error}", user=login.account.user, error=str(error)
            )

    async def _put(self, account: Account, mailbox: str, upload: Upload) -> None:
        await account.append((await account.mailboxes()).get(mailbox), [upload])
