"""The connections of the process to its store servers: any call of any session goes over any of them.

A `Pool` has two lanes per server, one for calls and one for long polls, so that polls never keep calls
waiting.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final, TypeVar, cast

from gateway.mapiclient.address import Server
from gateway.mapiclient.connector import Connector
from gateway.mapiclient.errors import PoolClosed, StaleConnection
from gateway.mapiclient.lanes import Lane, LaneLimits, Why
from gateway.mapiclient.options import PoolOptions
from gateway.mapiclient.serverlane import Counters, Encode, ServerLane
from gateway.mapiclient.soap import Soap
from gateway.mapiclient.wire.schema import Call, Wait

R = TypeVar("R")


class Pool:
    """Every connection to every store server.

    ``encode`` turns a call and a session id into an `Exchange`; without it the pool speaks SOAP.
    """

    def __init__(
        self, reactor: Any, options: PoolOptions | None = None, *, encode: Encode | None = None
    ) -> None:
        self.options: Final = options or PoolOptions()
        self.counters: Final = Counters()
        self.reactor: Final = reactor
        self._connector = Connector(reactor, self.options)
        self._encode = encode or Soap(self.options)
        self._calls: dict[Server, ServerLane] = {}
        self._polls: dict[Server, ServerLane] = {}
        self._closed = False

    async def call(
        self, server: Server, call: Call[R], *, session_id: int = 0, turn: Hashable = "", repeat: bool = False
    ) -> R:
        """Send a call and return its reply, whatever its result code says.

        ``turn`` is whose call it is: users take turns. A call that met a connection which the server had
        closed is sent once more if it is idempotent, or if the caller says that it may be. Raises TransportError, ServerFault, WireError (the
        call cannot be written). Cancelling aborts the exchange.
        """
        lane = self._lane(server, call.kind)
        try:
            return cast("R", await lane.run(call, session_id, turn))
        except StaleConnection as stale:
            if stale.unknown and not (call.idempotent or repeat):
                raise
        self.counters.retries += 1
        return cast("R", await lane.run(call, session_id, turn))

    def _lane(self, server: Server, kind: Wait) -> ServerLane:
        lanes = self._polls if kind is Wait.POLL else self._calls
        lane = lanes.get(server)
        if lane is None:
            if self._closed:
                raise PoolClosed(Why.CLOSED.value, server=str(server))
            lane = lanes[server] = ServerLane(
                server,
                self.reactor,
                self._connector,
                self.options,
                self._limits(server, kind),
                self.counters,
                self._encode,
            )
        return lane

    def _limits(self, server: Server, kind: Wait) -> LaneLimits:
        options = self.options
        most = options.polls if kind is Wait.POLL else options.connections
        return LaneLimits(
            connections=most,
            per_turn=min(most, options.calls_per_turn),
            queue=options.queue,
            queue_per_turn=options.queue_per_turn,
            queue_seconds=options.queue_seconds,
            keep_alive=options.keep_alive_local if server.is_local else options.keep_alive,
            back_off=options.back_off,
            back_off_most=options.back_off_most,
        )

    @property
    def lanes(self) -> list[Lane]:
        """The state of every lane, calls first; to look at."""
        return [lane.lane for lane in (*self._calls.values(), *self._polls.values())]

    @property
    def busy(self) -> int:
        """Connections with a call, polls included."""
        return sum(lane.busy for lane in self.lanes)

    @property
    def open(self) -> int:
        """Connections of any state."""
        return sum(lane.open for lane in self.lanes)

    @property
    def queued(self) -> int:
        """Calls that wait for a connection."""
        return sum(lane.queued for lane in self.lanes)

    def close(self) -> None:
        """Close everything at once; calls that wait or run fail with PoolClosed, and so do later ones."""
        self._closed = True
        for lane in (*self._calls.values(), *self._polls.values()):
            lane.close()

    def __repr__(self) -> str:
        calls = [f"calls to {lane!r}" for lane in self._calls.values()]
        polls = [f"polls of {lane!r}" for lane in self._polls.values()]
        return f"<Pool {'; '.join(calls + polls) or 'unused'}{', closed' if self._closed else ''}>"
