"""The connections of one server for one sort of call, and the calls on them.

What happens is decided by `gateway.mapiclient.lanes`; a `ServerLane` carries it out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.mapiclient.address import Server
from gateway.mapiclient.alarm import Alarm
from gateway.mapiclient.connector import Connector
from gateway.mapiclient.errors import ConnectFailed, Overloaded, PoolClosed, StaleConnection, TransportError
from gateway.mapiclient.exchange import Exchange
from gateway.mapiclient.lanes import Actions, Close, Lane, LaneLimits, Open, Refuse, Slot, Start, Why
from gateway.mapiclient.options import PoolOptions
from gateway.mapiclient.transport import Connection
from gateway.mapiclient.wire.schema import Call

log = Logger()
#: Makes the exchange of a call; the wire's codec behind a function, so that a lane knows no SOAP.
Encode = Callable[[Call[Any], int], Exchange]


@dataclass(slots=True)
class Counters:
    """What the pool has done since it was made. ``calls`` were started, ``failures`` of them got no reply."""

    calls: int = 0
    replies: int = 0
    failures: int = 0
    refused: int = 0
    cancelled: int = 0
    retries: int = 0
    connects: int = 0
    connect_failures: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


@dataclass(slots=True, eq=False)
class _Ticket:
    """A call on its way: waiting, then on a connection."""

    call: Call[Any]
    session_id: int
    done: Deferred[Any]
    slot: Slot | None = None


@dataclass(slots=True)
class _Wire:
    """A connection of a lane, or the attempt to make it."""

    connection: Connection
    attempt: Deferred[None] | None = None
    ticket: _Ticket | None = None
    counted_in: int = 0
    counted_out: int = 0


def _jitter() -> float:
    return random.uniform(0.8, 1.2)


class ServerLane:
    """The I/O around one `Lane`: makes and closes its connections, runs its calls, keeps its alarm."""

    def __init__(
        self,
        server: Server,
        reactor: Any,
        connector: Connector,
        options: PoolOptions,
        limits: LaneLimits,
        counters: Counters,
        encode: Encode,
    ) -> None:
        self.server = server
        self.lane = Lane(limits, _jitter)
        self._reactor = reactor
        self._seconds: Callable[[], float] = reactor.seconds
        self._connector = connector
        self._options = options
        self._counters = counters
        self._encode = encode
        self._slots: dict[Slot, _Wire] = {}
        self._by_connection: dict[Connection, Slot] = {}
        self._alarm = Alarm(reactor, lambda: self._apply(self.lane.tick(self._seconds())))
        self._down: Exception | None = None

    def run(self, call: Call[Any], session_id: int, turn: Hashable) -> Deferred[Any]:
        """Run a call when its turn comes. Cancelling withdraws it, or closes its connection when it runs."""
        ticket = _Ticket(call, session_id, Deferred(lambda _: self._cancel(ticket)))
        self._apply(self.lane.submit(ticket, turn, self._seconds()))
        return ticket.done

    def close(self) -> None:
        """Refuse what waits, abort what runs, close everything."""
        running = [wire.ticket for wire in self._slots.values() if wire.ticket is not None]
        self._apply(self.lane.close())
        self._alarm.stop()
        for ticket in running:
            if not ticket.done.called:
                ticket.done.errback(self._refusal(ticket, Why.CLOSED))

    # actions

    def _apply(self, actions: Actions) -> None:
        """Carry out what the lane decided. Callers are told last: they may start the next call at once."""
        refused: list[Refuse] = []
        for action in actions:
            if type(action) is Start:
                self._start(action.slot, cast("_Ticket", action.ticket))
            elif type(action) is Open:
                self._open(action.slot)
            elif type(action) is Close:
                self._close(action.slot)
            else:
                refused.append(cast("Refuse", action))
        due = self.lane.due()
        if due is not None:
            self._alarm.set(due)
        for each in refused:
            self._counters.refused += 1
            ticket = cast("_Ticket", each.ticket)
            if not ticket.done.called:
                ticket.done.errback(self._refusal(ticket, each.why))

    def _start(self, slot: Slot, ticket: _Ticket) -> None:
        wire = self._slots[slot]
        if ticket.done.called:  # cancelled between the decision and now
            self._apply(self.lane.finished(slot, self._seconds()))
            return
        if wire.connection.exchanges and wire.connection.ended_already():
            self._dead(slot, wire, ticket)
            return
        try:
            exchange = self._encode(ticket.call, ticket.session_id)
        except Exception:
            self._apply(self.lane.finished(slot, self._seconds()))
            ticket.done.errback(Failure())  # type: ignore[no-untyped-call]
            return
        ticket.slot = slot
        wire.ticket = ticket
        self._counters.calls += 1
        wire.connection.start(exchange)

    def _dead(self, slot: Slot, wire: _Wire, ticket: _Ticket) -> None:
        """The server has closed the connection; nothing was sent."""
        self._forget(slot)
        wire.connection.close()
        self._apply(self.lane.stale(slot, self._seconds()))
        error = StaleConnection("the connection was closed", server=str(self.server), call=ticket.call.name)
        ticket.done.errback(error)

    def _open(self, slot: Slot) -> None:
        connection = Connection(self.server, self._reactor, self, compression=self._options.compression)
        wire = self._slots[slot] = _Wire(connection)
        self._by_connection[connection] = slot
        self._counters.connects += 1
        attempt = self._connector.connect(connection)
        wire.attempt = attempt.addCallbacks(
            lambda _: self._opened(slot), lambda why: self._open_failed(slot, why)
        )

    def _close(self, slot: Slot) -> None:
        wire = self._forget(slot)
        if wire is None:
            return
        if wire.attempt is not None:
            wire.attempt.cancel()
        wire.connection.close()

    def _forget(self, slot: Slot) -> _Wire | None:
        wire = self._slots.pop(slot, None)
        if wire is not None:
            del self._by_connection[wire.connection]
        return wire

    # what happens to connections

    def _opened(self, slot: Slot) -> None:
        wire = self._slots.get(slot)
        if wire is None:
            return
        wire.attempt = None
        if self._down is not None:
            self._down = None
            log.info("store server {server} is back", server=str(self.server))
        self._apply(self.lane.opened(slot, self._seconds()))

    def _open_failed(self, slot: Slot, why: Failure) -> None:
        if self._forget(slot) is None:
            return
        self._counters.connect_failures += 1
        problem = why.value if isinstance(why.value, Exception) else ConnectFailed(str(why.value))
        if self._down is None:
            log.warn("{problem}", problem=str(problem))
        self._down = problem
        self._apply(self.lane.open_failed(slot, self._seconds()))

    def replied(self, connection: Connection, _exchange: Any, reply: Any) -> None:
        """An exchange is complete (see `exchange.Owner`)."""
        slot = self._by_connection[connection]
        wire = self._slots[slot]
        ticket, wire.ticket = wire.ticket, None
        self._counters.replies += 1
        self._count(wire)
        self._apply(self.lane.finished(slot, self._seconds(), connection.reusable))
        if ticket is not None and not ticket.done.called:
            ticket.done.callback(reply)

    def failed(self, connection: Connection, _exchange: Any, error: Exception) -> None:
        """An exchange failed and its connection is closed."""
        slot = self._by_connection[connection]
        wire = self._forget(slot)
        assert wire is not None
        self._counters.failures += 1
        self._count(wire)
        now = self._seconds()
        stale = isinstance(error, StaleConnection)
        self._apply(self.lane.stale(slot, now) if stale else self.lane.lost(slot, now))
        if wire.ticket is not None and not wire.ticket.done.called:
            wire.ticket.done.errback(error)

    def lost(self, connection: Connection) -> None:
        """A free connection ended."""
        slot = self._by_connection[connection]
        self._forget(slot)
        self._apply(self.lane.lost(slot, self._seconds()))

    # inside

    def _cancel(self, ticket: _Ticket) -> None:
        now = self._seconds()
        self._counters.cancelled += 1
        wire = self._slots.get(ticket.slot) if ticket.slot is not None else None
        if wire is None or wire.ticket is not ticket:
            self._apply(self.lane.withdraw(ticket, now))
            return
        slot = cast("Slot", ticket.slot)
        self._count(wire)
        self._forget(slot)
        wire.connection.close()
        self._apply(self.lane.lost(slot, now))

    def _count(self, wire: _Wire) -> None:
        connection, counters = wire.connection, self._counters
        counters.bytes_in += connection.bytes_in - wire.counted_in
        counters.bytes_out += connection.bytes_out - wire.counted_out
        wire.counted_in, wire.counted_out = connection.bytes_in, connection.bytes_out

    def _refusal(self, ticket: _Ticket, why: Why) -> TransportError:
        server, call = str(self.server), ticket.call.name
        if why is Why.DOWN:
            reason = self._down.reason if isinstance(self._down, TransportError) else str(self._down)
            kind = type(self._down) if isinstance(self._down, ConnectFailed) else ConnectFailed
            error = kind(reason, server=server, call=call)
            error.__cause__ = self._down
            return error
        kinds = {Why.FULL: Overloaded, Why.WAITED: Overloaded, Why.CLOSED: PoolClosed}
        return kinds[why](why.value, server=server, call=call, unknown=ticket.slot is not None)

    def __repr__(self) -> str:
        lane = self.lane
        state = f"{lane.busy} busy, {lane.idle} idle, {lane.connecting} connecting, {lane.queued} waiting"
        down = f", down: {self._down}" if self._down is not None else ""
        return f"{self.server}: {state}{down}"
