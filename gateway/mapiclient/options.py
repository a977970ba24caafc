"""The options of the store connection, with their defaults. Times are seconds, sizes are bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.mapiclient.wire.schema import Wait

#: Seconds a call may take altogether, by the `Wait` its declaration names.
CALL_SECONDS: Final[Mapping[Wait, float]] = {Wait.SHORT: 60.0, Wait.LONG: 600.0, Wait.POLL: 90.0}

KIB: Final = 1024
MIB: Final = 1024 * KIB


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How https servers are verified, and what certificate delivery agents show.

    A certificate that is pinned (SHA-256 of its DER form, in hex, colons allowed) is accepted whatever its
    issuer, name and dates. ``certificate`` and ``key`` are for trusted logons: a store that knows the key
    logs anybody on without a password. They are not shown on connections that carry password logons unless
    ``always_show_certificate`` says so, which is right only for a proxy that asks for a certificate.
    """

    ca_file: str = ""
    certificate: str = ""
    key: str = ""
    pinned: tuple[str, ...] = ()
    verify_hostname: bool = True
    always_show_certificate: bool = False


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """Limits of the pool, each per store server.

    ``keep_alive`` must be below the server's ``server_recv_timeout`` (5 s in stock installations); Unix
    sockets are kept for ``keep_alive_local``. ``calls_per_turn`` is how many connections one user may
    occupy at a time, so that nobody keeps everybody else waiting. Binary values of more than ``spool_from``
    bytes are written to a temporary file as they arrive and given as a `Blob`.
    """

    connections: int = 10
    calls_per_turn: int = 6
    polls: int = 4096
    queue: int = 10_000
    queue_per_turn: int = 1_000
    queue_seconds: float = 30.0
    keep_alive: float = 4.0
    keep_alive_local: float = 60.0
    connect_seconds: float = 10.0
    idle_seconds: float = 60.0
    call_seconds: Mapping[Wait, float] = field(default_factory=lambda: CALL_SECONDS)
    back_off: float = 0.2
    back_off_most: float = 5.0
    reply_bytes: int = 1024 * MIB
    spool_from: int = 4 * MIB
    compression: bool = False
    tls: TlsOptions = field(default_factory=TlsOptions)


@dataclass(frozen=True, slots=True)
class ThrottleOptions:
    """How logins that fail are slowed down.

    The answer to the n-th failure waits ``first * 2 ** (n - 1)`` seconds, ``most`` at most; the next try
    from that address or for that user waits ``most_before`` at most before the store is asked. Failures
    are forgotten after ``forget`` seconds; at most ``remembered`` users and addresses are kept in mind.
    ``waiting`` is how many logins may wait per address.
    """

    first: float = 0.5
    most: float = 15.0
    most_before: float = 2.0
    forget: float = 300.0
    remembered: int = 10_000
    waiting: int = 20
    refused_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How long sessions and proofs live, and what the gateway calls itself.

    ``proof_seconds``: how long a password that the store accepted is believed without asking again.
    ``idle_seconds``: how long a session that nobody uses stays logged on.
    ``linger_seconds``: how long a subscription outlives its last subscriber.
    """

    proof_seconds: float = 300.0
    idle_seconds: float = 60.0
    linger_seconds: float = 5.0
    poll_retry: float = 1.0
    poll_retry_most: float = 60.0
    client_version: str = "11.0.2"
    client_app: str = "mapi-gateway"
    throttle: ThrottleOptions = field(default_factory=ThrottleOptions)
