"""An LMTP head before an embedded store, both on the shared reactor, and a client that speaks in plain lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from gateway.lmtp.options import Options
from gateway.lmtp.service import Lmtp, LmtpFactory
from gateway.mailbox.flags import Flag
from gateway.mapiclient.options import SessionOptions, ThrottleOptions
from gateway.mapiclient.sessions import Sessions
from gateway.mapiclient.wire.calls_directory import ResolveUsername, SetQuota
from gateway.mapiclient.wire.structs import Quota
from tests.support import reactor
from tests.support.accounts import Mail, running_mail
from tests.support.lines import LineClient


class Server:
    """Everything between a socket and a database."""

    def __init__(self, mail: Mail, directory: Path) -> None:
        self.mail = mail
        self.store = mail.store
        self.state = directory / "state"
        self._names = count(1)
        self._ports: list[Any] = []
        self.factories: list[LmtpFactory] = []
        self.backends: list[Lmtp] = []

        def build() -> None:
            options = SessionOptions(throttle=ThrottleOptions(first=0.01, most=0.01))
            self.sessions = Sessions(mail.pool, mail.store.unix, options)

        reactor.call(build)

    def new_user(self, **more: Any) -> str:
        """A user nobody else uses, with an address at example.com."""
        name = f"user{next(self._names)}"
        self.store.add_user(name, email=f"{name}@example.com", **more)
        return name

    def listen(self, options: Options, tls: Any = None) -> int:
        """A port where LMTP with these options is spoken."""

        def open_port() -> int:
            backend = Lmtp(self.sessions, self.mail.runtime, options, hostname="mx.example", state=self.state)
            factory = LmtpFactory(backend, reactor.reactor, tls)
            self.backends.append(backend)
            self.factories.append(factory)
            port = reactor.reactor.listenTCP(0, factory, interface="127.0.0.1")
            self._ports.append(port)
            return int(port.getHost().port)

        return reactor.call(open_port)

    def mails(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """The octets of the mails in a folder, as IMAP and POP3 give them."""

        async def work(account: Any) -> list[bytes]:
            view = await account.view(await account.mailbox(folder))
            try:
                return [source.read() async for source in view.sources(list(view.uids))]
            finally:
                account.release(view)

        return self.mail.run(work, user)

    def seen(self, user: str, folder: str = "INBOX") -> list[bool]:
        """Whether each mail of a folder is read."""

        async def work(account: Any) -> list[bool]:
            view = await account.view(await account.mailbox(folder))
            try:
                return [bool(flags & Flag.SEEN) for flags in view.flags]
            finally:
                account.release(view)

        return self.mail.run(work, user)

    def limit(self, user: str, octets: int) -> None:
        """Give a user a quota."""
        with self.store.system() as system:
            entryid = system.ok(ResolveUsername(username=user)).user_entryid
            quota = Quota(False, False, octets, octets, octets)
            system.ok(SetQuota(user_entryid=entryid, quota=quota))

    def close(self) -> None:
        """Stop everything."""

        async def close() -> None:
            for port in self._ports:
                await port.stopListening()
            for factory in self.factories:
                await factory.shut_down()
            for backend in self.backends:
                backend.close()
            await self.sessions.close()

        reactor.run(close)


@contextmanager
def running_server(directory: Path) -> Iterator[Server]:
    """A store and a gateway."""
    (directory / "store").mkdir()
    (directory / "cache").mkdir()
    with running_mail(directory) as mail:
        server = Server(mail, directory)
        try:
            yield server
        finally:
            server.close()


class Client(LineClient):
    """A connection and its replies."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.greeting = self.line()

    def line(self) -> str:
        """The next line without its end; "" when the server has closed."""
        return self.next_line().decode()

    def reply(self) -> str:
        """A whole reply, its lines joined by a newline."""
        lines = [self.line()]
        while re.match(r"\d\d\d-", lines[-1]):
            lines.append(self.line())
        return "\n".join(lines)

    def ask(self, command: str) -> str:
        """Send a command, take the reply."""
        self.send(command.encode() + b"\r\n")
        return self.reply()

    def deliver(self, mail: bytes, *recipients: str, sender: str = "ann@example.org") -> list[str]:
        """Hand a mail over by DATA; the reply for each recipient."""
        self.ask("LHLO client.example")
        assert self.ask(f"MAIL FROM:<{sender}>").startswith("250"), "MAIL"
        for recipient in recipients:
            said = self.ask(f"RCPT TO:<{recipient}>")
            if not said.startswith("250"):
                return [said]
        assert self.ask("DATA").startswith("354")
        self.send(stuffed(mail) + b".\r\n")
        return [self.reply() for _ in recipients]

    def encoded(self, text: str) -> bytes:
        """Dialogues may escape octets."""
        return text.encode().decode("unicode_escape").encode("latin-1")


def stuffed(mail: bytes) -> bytes:
    """The mail as DATA wants it (RFC 5321 4.5.2): lines that begin with a dot get another, the last one an end."""
    mail = mail if mail.endswith(b"\r\n") else mail + b"\r\n"
    mail = mail.replace(b"\r\n.", b"\r\n..")
    return b"." + mail if mail.startswith(b".") else mail
