"""Submission and the outgoing queue before an embedded store, and a smarthost that remembers what it was handed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from gateway.lmtp.options import Options as LmtpOptions
from gateway.lmtp.service import Lmtp, LmtpFactory
from gateway.mapiclient.sessions import Sessions
from gateway.smtp.codec.address import Address
from gateway.smtp.codec.commands import Mail as MailCommand
from gateway.smtp.codec.replies import Refused, Reply
from gateway.smtp.options import ServerOptions
from gateway.smtp.protocol import MailFactory
from gateway.smtp.session import Session
from gateway.smtp.transaction import Transaction
from gateway.smtp.trusted import Trustees
from gateway.submission.options import Options
from gateway.submission.queue import Queue
from gateway.submission.relay import Relay
from gateway.submission.service import Submission
from tests.support import reactor
from tests.support.accounts import Mail, running_mail


class Smarthost:
    """Takes everything, unless told otherwise."""

    lmtp = False
    hostname = "smarthost.example"
    options = ServerOptions()

    def __init__(self) -> None:
        self.mails: list[tuple[str, list[str], bytes]] = []
        self.recipients: dict[str, Refused] = {}
        """Recipients that are refused, and how."""
        self.data: Refused | None = None
        """How every mail is refused."""
        self.logins: list[tuple[str, str]] = []

    def offers_auth(self, session: Session) -> bool:
        return True

    async def login(self, session: Session, user: str, password: str) -> Any:
        self.logins.append((user, password))
        return user

    def logout(self, login: Any) -> None:
        pass

    async def sender(self, session: Session, mail: MailCommand) -> None:
        pass

    async def recipient(self, session: Session, recipient: Address) -> Any:
        if str(recipient) in self.recipients:
            raise self.recipients[str(recipient)]

    async def take(self, session: Session, mail: Transaction) -> Sequence[Reply]:
        if self.data is not None:
            raise self.data
        content = mail.body.content()
        assert isinstance(content, bytes)
        self.mails.append((str(mail.sender), [str(address) for address, _ in mail.recipients], content))
        return [Reply(250, "2.0.0", "taken")]


class Server:
    """Everything between two sockets."""

    def __init__(self, mail: Mail, directory: Path) -> None:
        self.mail = mail
        self.store = mail.store
        self.state = directory / "state"
        self.smarthost = Smarthost()
        self._names = count(1)
        self._ports: list[Any] = []
        self._factories: list[Any] = []
        self._backends: list[Lmtp] = []
        self.relays: list[Relay] = []
        self.smarthost_port = reactor.call(self._build)

    def _build(self) -> int:
        self.sessions = Sessions(self.mail.pool, self.store.unix)
        self.trustees = Trustees(self.sessions, "submission")
        return self._open(MailFactory(self.smarthost, reactor.reactor))

    def _open(self, factory: Any) -> int:
        port = reactor.reactor.listenTCP(0, factory, interface="127.0.0.1")
        self._ports.append(port)
        self._factories.append(factory)
        return int(port.getHost().port)

    def new_user(self) -> str:
        """A user nobody else uses, with an address at example.com."""
        name = f"user{next(self._names)}"
        self.store.add_user(name, email=f"{name}@example.com")
        return name

    def _new_relay(self, options: Options) -> Relay:
        self.relays.append(Relay(reactor.reactor, options, hostname="mail.example"))
        return self.relays[-1]

    def options(self, **options: Any) -> Options:
        """Options with our smarthost."""
        return Options(**{"smarthost": f"127.0.0.1:{self.smarthost_port}", **options})

    def listen(self, **options: Any) -> int:
        """A port where users submit."""

        def open_port() -> int:
            chosen = self.options(**options)
            relay = self._new_relay(chosen)

            async def enter(user: str, password: str, peer: str) -> Any:
                return await self.mail.accounts.login(user, password, application="submission", peer=peer)

            backend = Submission(
                enter, self.mail.runtime, relay, chosen, hostname="mail.example", trustees=self.trustees
            )
            return self._open(MailFactory(backend, reactor.reactor))

        return reactor.call(open_port)

    def listen_lmtp(self) -> int:
        """A port where mail is delivered."""

        def open_port() -> int:
            backend = Lmtp(
                self.sessions, self.mail.runtime, LmtpOptions(), hostname="mx.example", state=self.state
            )
            self._backends.append(backend)
            return self._open(LmtpFactory(backend, reactor.reactor))

        return reactor.call(open_port)

    def queue(self, **options: Any) -> Queue:
        """A queue that is emptied when asked to."""
        chosen = self.options(**options)
        relay = self._new_relay(chosen)
        return Queue(self.trustees, self.mail.runtime, relay, chosen, hostname="mail.example", state=self.state)

    def empty(self, queue: Queue | None = None) -> None:
        """Send what is queued."""
        chosen = queue or self.queue()
        try:
            reactor.run(chosen.empty)
        finally:
            chosen.unlock()

    def mails(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """The mails in a folder."""

        async def work(account: Any) -> list[bytes]:
            view = await account.view(await account.mailbox(folder))
            try:
                return [source.read() async for source in view.sources(list(view.uids))]
            finally:
                account.release(view)

        return self.mail.run(work, user)

    def close(self) -> None:
        """Stop everything."""

        async def close() -> None:
            for relay in self.relays:
                relay.close()
            for port in self._ports:
                await port.stopListening()
            for factory in self._factories:
                await factory.shut_down()
            for backend in self._backends:
                backend.close()
            await self.sessions.close()

        reactor.run(close)


@contextmanager
def running_server(directory: Path) -> Iterator[Server]:
    """A store, a gateway and a smarthost."""
    (directory / "store").mkdir()
    (directory / "cache").mkdir()
    with running_mail(directory) as mail:
        server = Server(mail, directory)
        try:
            yield server
        finally:
            server.close()
