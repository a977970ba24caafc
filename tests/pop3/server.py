"""A POP3 head before an embedded store, both on the shared reactor, and a client that speaks in plain lines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from gateway.mailbox.accounts import Accounts
from gateway.mailbox.flags import Flag
from gateway.mailbox.runtime import Runtime
from gateway.mailbox.uidcache import UidCache
from gateway.mailbox.uploads import Upload
from gateway.mapi import proptags as pr
from gateway.mapiclient.options import PoolOptions, SessionOptions, ThrottleOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.sessions import Sessions
from gateway.mapiclient.table import Table, rows_of
from gateway.pop3.options import Options
from gateway.pop3.protocol import POP3Factory
from tests.support import reactor
from tests.support.lines import LineClient
from tests.support.store import RunningStore, running_store


class Server:
    """Everything between a socket and a database."""

    def __init__(self, store: RunningStore, directory: Path) -> None:
        self.store = store
        self.now = time.time()
        """Unix time as the POP3 head sees it."""
        self._names = count(1)
        self._ports: list[Any] = []
        self.factories: list[POP3Factory] = []
        reactor.call(self._build, directory)

    def _build(self, directory: Path) -> None:
        real = reactor.reactor
        self.pool = Pool(real, PoolOptions())
        options = SessionOptions(throttle=ThrottleOptions(first=0.01, most=0.01, most_before=0.01))
        self.sessions = Sessions(self.pool, self.store.url, options)
        self.runtime = Runtime(real, UidCache(directory / "uids.sqlite"))
        self.accounts = Accounts(self.sessions, self.runtime)

    def new_user(self) -> str:
        """A user nobody else uses; the password is the name."""
        name = f"user{next(self._names)}"
        self.store.add_user(name)
        return name

    async def authenticate(self, user: str, password: str, peer: str) -> Any:
        """Open an account."""
        return await self.accounts.login(user, password, application="pop3", peer=peer)

    def listen(self, options: Options, tls: Any = None, time: Any = None) -> int:
        """A port where POP3 with these options is spoken, in a time of its own if one is given."""

        def open_port() -> int:
            factory = POP3Factory(
                self.authenticate,
                options,
                time or reactor.reactor,
                tls,
                hostname="pop.example",
                clock=lambda: self.now,
            )
            self.factories.append(factory)
            port = reactor.reactor.listenTCP(0, factory, interface="127.0.0.1")
            self._ports.append(port)
            return int(port.getHost().port)

        return reactor.call(open_port)

    def given(
        self,
        user: str,
        *mails: bytes,
        folder: str = "INBOX",
        seen: bool = False,
        date: float = 0,
        verbatim: bool = False,
    ) -> None:
        """Put mails into a folder of a user; ``verbatim`` as delivery does, with bare line feeds left alone."""

        async def work() -> None:
            account = await self.authenticate(user, user, "")
            try:
                mailboxes = await account.mailboxes()
                flags = Flag.SEEN if seen else Flag.NONE
                uploads = [Upload(mail, flags, (), date or None, verbatim) for mail in mails]
                await account.append(mailboxes.get(folder), uploads)
            finally:
                account.logout()

        reactor.run(work, 60)

    def look(self, user: str, folder: str = "INBOX") -> list[tuple[int, bool]]:
        """The messages that are in a folder: UID, and whether it is read."""

        async def work() -> list[tuple[int, bool]]:
            account = await self.authenticate(user, user, "")
            try:
                view = await account.view((await account.mailboxes()).get(folder))
                await view.refresh(force=True)
                return [
                    (uid, bool(flags & Flag.SEEN)) for uid, flags in zip(view.uids, view.flags, strict=True)
                ]
            finally:
                account.logout()

        return reactor.run(work)

    def entryids(self, user: str) -> list[bytes]:
        """The entry ids of the messages in the Inbox, oldest first, as the store tells them."""

        async def work() -> list[bytes]:
            account = await self.authenticate(user, user, "")
            try:
                folder = (await account.mailboxes()).get("INBOX").entryid
                columns = (pr.PR_ENTRYID, pr.PR_EC_IMAP_ID)
                rows = await rows_of(Table.contents(account.session, folder, columns))
                return [row[pr.PR_ENTRYID] for row in sorted(rows, key=lambda row: row[pr.PR_EC_IMAP_ID])]
            finally:
                account.logout()

        return reactor.run(work)

    def close(self) -> None:
        """Stop everything."""

        async def close() -> None:
            for port in self._ports:
                await port.stopListening()
            for factory in self.factories:
                await factory.shut_down()
            self.accounts.close()
            await self.sessions.close()
            self.pool.close()
            self.runtime.cache.close()

        reactor.run(close)


@contextmanager
def running_server(directory: Path) -> Iterator[Server]:
    """A store and a gateway."""
    (directory / "store").mkdir()
    with running_store(directory / "store") as store:
        server = Server(store, directory)
        try:
            yield server
        finally:
            server.close()


class Client(LineClient):
    """A connection and its replies."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.greeting = self.line()

    def line(self) -> bytes:
        """The next line without its end; b"" when the server has closed."""
        return self.next_line()

    def body(self) -> bytes:
        """The octets of a multi-line reply up to its end, dots unstuffed."""
        while not (self._data.startswith(b".\r\n") or b"\r\n.\r\n" in self._data):
            more = self._socket.recv(65536)
            assert more, self._data
            self._data += more
        if self._data.startswith(b".\r\n"):
            self._data = self._data[3:]
            return b""
        body, _, self._data = self._data.partition(b"\r\n.\r\n")
        return b"\r\n".join(line.removeprefix(b".") for line in body.split(b"\r\n")) + b"\r\n"

    def ask(self, command: str) -> str:
        """Send a command, take the status line."""
        self.send(command.encode() + b"\r\n")
        return self.line().decode()

    def many(self, command: str) -> bytes:
        """Send a command, take its multi-line reply."""
        status = self.ask(command)
        assert status.startswith("+OK"), status
        return self.body()

    def log_in(self, user: str, password: str = "") -> str:
        """USER and PASS."""
        self.ask(f"USER {user}")
        return self.ask(f"PASS {password or user.partition('+')[0]}")
