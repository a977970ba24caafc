"""From the configuration to the parts of the gateway: pool, sessions, accounts, and what each protocol head is given."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from gateway.config import Config
from gateway.dav.kepthrefs import KeptHrefs
from gateway.dav.push.service import Settings
from gateway.dav.scheduling.sending import Sending
from gateway.dav.service import DavFactory
from gateway.entrance import Entrance
from gateway.gate import Census, Gate, networks
from gateway.imap.protocol import IMAPFactory
from gateway.mailbox.accounts import Accounts
from gateway.mailbox.runtime import Runtime
from gateway.mailbox.uidcache import UidCache
from gateway.mapiclient.options import CALL_SECONDS, PoolOptions, SessionOptions, ThrottleOptions, TlsOptions
from gateway.mapiclient.sessions import Lease, Sessions
from gateway.mapiclient.wire.schema import Wait
from gateway.pop3.protocol import POP3Factory


def pool_options(config: Config) -> PoolOptions:
    """What section [store] means for the connections."""
    store = config.store
    return PoolOptions(
        connections=store.connections,
        queue_seconds=store.queue_timeout,
        keep_alive=store.keep_alive,
        connect_seconds=store.connect_timeout,
        call_seconds={**CALL_SECONDS, Wait.SHORT: store.call_timeout, Wait.LONG: store.bulk_timeout},
        reply_bytes=store.max_reply,
        compression=store.compression,
        tls=TlsOptions(
            ca_file=store.ca_file,
            pinned=store.pinned,
            certificate=store.client_certificate,
            key=store.client_key or store.client_certificate,
        ),
    )


def session_options(config: Config) -> SessionOptions:
    """What sections [store] and [limits] mean for sessions."""
    limits = config.limits
    return SessionOptions(
        proof_seconds=config.store.proof_lifetime,
        idle_seconds=config.store.session_idle,
        throttle=ThrottleOptions(first=limits.wrong_password_delay, most=limits.wrong_password_longest),
    )


def runtime(config: Config, reactor: Any, now: Callable[[], float]) -> Runtime:
    """Clock, threads and the UID cache."""
    cache = UidCache(Path(config.gateway.cache) / "uids.sqlite")
    return Runtime(reactor, cache, now=now)


def hostname_of(config: Config) -> str:
    """The name in greetings."""
    return config.gateway.hostname or socket.gethostname()


def heads(
    config: Config,
    accounts: Accounts,
    sessions: Sessions,
    reactor: Any,
    tls: Any,
    now: Callable[[], float],
    sending: Sending | None = None,
    trusted: Callable[[str], Awaitable[Lease]] | None = None,
) -> dict[str, Any]:
    """The factory of each enabled protocol; ``sending`` is how the DAV head sends invitations, ``trusted`` how it gets sessions for push."""
    hostname = hostname_of(config)
    found: dict[str, Any] = {}
    if config.imap.enabled:
        found["imap"] = IMAPFactory(Entrance(accounts, "imap"), config.imap, reactor, tls)
    if config.pop3.enabled:
        entrance = Entrance(accounts, "pop3")
        found["pop3"] = POP3Factory(entrance, config.pop3, reactor, tls, hostname=hostname, clock=now)
    if config.dav.enabled:
        pushing = Settings(Path(config.gateway.state), f"mailto:postmaster@{hostname}", trusted)
        kept = KeptHrefs(reactor, Path(config.gateway.cache) / "hrefs.sqlite")
        found["dav"] = DavFactory(
            sessions, config.dav, reactor, clock=now, sending=sending, pushing=pushing, kept=kept
        )
    return found


_REFUSALS: Final = {
    "lmtp": b"421 4.3.2 too many connections\r\n",
    "submission": b"421 4.3.2 too many connections\r\n",
    "imap": b"* BYE [LIMIT] Too many connections\r\n",
    "pop3": b"-ERR [SYS/TEMP] too many connections\r\n",
    "dav": b"HTTP/1.1 503 Too Many Connections\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
}


def gate(name: str, factory: Any, config: Config, census: Census, reactor: Any, *, clear: bool) -> Gate:
    """The gate before a protocol's ports; only in the clear can a client be told that it is one too many."""
    limits = config.limits
    return Gate(
        factory,
        census,
        reactor,
        proxies=networks(limits.proxy_from),
        refusal=_REFUSALS[name] if clear else b"",
        header_timeout=limits.proxy_timeout,
    )
