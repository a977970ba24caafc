"""Mail that comes in and goes out, put together from the configuration: delivery, submission, the outgoing queue.

Delivery and the queue need a store that trusts the gateway: the embedded one does on its own Unix socket, another one on
a Unix socket of this machine or for a client certificate.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from gateway.config import Config
from gateway.dav.scheduling.sending import Sending
from gateway.entrance import Entrance
from gateway.lmtp.service import Lmtp, LmtpFactory
from gateway.mailbox.accounts import Accounts
from gateway.mailbox.runtime import Runtime
from gateway.mapiclient.address import parse_server
from gateway.mapiclient.options import SessionOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.sessions import Lease, Sessions, Trusted
from gateway.smtp.protocol import MailFactory
from gateway.smtp.trusted import Trustees
from gateway.submission.queue import Queue
from gateway.submission.relay import Relay
from gateway.submission.senders import may_send_as, person_named
from gateway.submission.service import Submission

#: Name of the embedded store's own socket in its data directory.
SOCKET: Final = "trusted.sock"


def embedded_socket(config: Config) -> str:
    """Where the embedded store trusts the gateway, "" when nothing needs that."""
    needed = config.lmtp.enabled or config.submission.enabled or (config.dav.enabled and config.dav.push)
    return f"unix:{Path(config.embedded.data) / SOCKET}" if config.store.embedded and needed else ""


class MailFlow:
    """Everything about mail on its way. ``factories`` has the enabled protocols, ``dav`` is how the DAV head sends."""

    def __init__(
        self,
        config: Config,
        pool: Pool,
        accounts: Accounts,
        runtime: Runtime,
        options: SessionOptions,
        tls: Any,
        hostname: str,
    ) -> None:
        self.factories: dict[str, Any] = {}
        self._lmtp: Lmtp | None = None
        self._queue: Queue | None = None
        self._relay: Relay | None = None
        self._trustees: Trustees | None = None
        place = embedded_socket(config) or config.store.trusted_url
        self._sessions = Sessions(pool, parse_server(place), options) if place else None
        if self._sessions is not None:
            self._trustees = Trustees(self._sessions, "submission")
        self.trusted = self._lease if self._sessions is not None else None
        self.dav = Sending(may_send_as=self._may_send_as if self._sessions is not None else None)
        state = Path(config.gateway.state)
        if config.lmtp.enabled and self._sessions is not None:
            self._lmtp = Lmtp(self._sessions, runtime, config.lmtp, hostname=hostname, state=state)
            self.factories["lmtp"] = LmtpFactory(self._lmtp, runtime.reactor, tls)
        if config.submission.enabled:
            relay = self._relay = Relay(runtime.reactor, config.submission, hostname=hostname)
            entrance = Entrance(accounts, "submission")
            backend = Submission(
                entrance, runtime, relay, config.submission, hostname=hostname, trustees=self._trustees
            )
            self.factories["submission"] = MailFactory(backend, runtime.reactor, tls)
            if self._trustees is not None and config.submission.queue:
                self._queue = Queue(
                    self._trustees, runtime, relay, config.submission, hostname=hostname, state=state
                )
                self.dav.queue_runs = True

    async def _lease(self, user: str) -> Lease:
        """A share of a session of a user, for push (MapiError, TransportError)."""
        assert self._sessions is not None
        return await self._sessions.lease(Trusted(user), application="dav")

    async def _may_send_as(self, user: str, address: str) -> bool:
        """Whether a user may send under an address (MapiError, TransportError)."""
        trustees = self._trustees
        if trustees is None:
            return False
        return await may_send_as(trustees, await person_named(await trustees.system(), user), address)

    def start(self) -> None:
        """Begin to empty the outgoing queue."""
        if self._queue is not None:
            self._queue.start()

    async def stop(self) -> None:
        """Break off sending, log off."""
        if self._queue is not None:
            await self._queue.stop()
        if self._relay is not None:
            self._relay.close()
        if self._lmtp is not None:
            self._lmtp.close()
        if self._sessions is not None:
            await self._sessions.close()
