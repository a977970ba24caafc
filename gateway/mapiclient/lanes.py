"""The pure half of the pool: which connection is opened, closed or given which call, and why.

A `Lane` holds the connections to one server for one sort of call. Every event is a method, every method
returns the `Action`s that follow from it, and nothing else changes the lane: the I/O around it
(`gateway.mapiclient.pool`) only carries them out. A connection is a number, its slot. A call is a ticket,
any hashable value. A turn is whose call it is, usually a user.

========== ===================================================================
a slot is  while
========== ===================================================================
connecting `Open` was asked and neither `opened` nor `open_failed` came
idle       no call runs on it; the longest unused is closed after ``keep_alive``
busy       from `Start` to `finished` or `lost`
========== ===================================================================
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeAlias

Ticket: TypeAlias = Hashable
Slot: TypeAlias = int


class Why(Enum):
    """Why a call never started."""

    FULL = "too many calls are waiting already"
    WAITED = "waited too long for its turn"
    DOWN = "the server cannot be reached"
    CLOSED = "the pool is closed"


class Open(NamedTuple):
    """Make a connection; answer with `Lane.opened` or `Lane.open_failed`."""

    slot: Slot


class Close(NamedTuple):
    """Close the connection; the lane has forgotten it."""

    slot: Slot


class Start(NamedTuple):
    """Run the call on the connection; answer with `Lane.finished` or `Lane.lost`."""

    slot: Slot
    ticket: Ticket


class Refuse(NamedTuple):
    """Tell the caller that the call will not run."""

    ticket: Ticket
    why: Why


Action: TypeAlias = "Open | Close | Start | Refuse"
Actions: TypeAlias = "list[Action]"


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """Limits of one lane; see `gateway.mapiclient.options.PoolOptions` for the words."""

    connections: int
    per_turn: int
    queue: int
    queue_per_turn: int
    queue_seconds: float
    keep_alive: float
    back_off: float
    back_off_most: float


@dataclass(slots=True)
class _Turn:
    """The calls of one user: how many run, which wait."""

    running: int = 0
    waiting: deque[Ticket] = field(default_factory=deque)


def _no_jitter() -> float:
    return 1.0


class Lane:
    """The connections to one server and the calls that wait for one."""

    __slots__ = (
        "_busy", "_closed", "_connecting", "_idle", "_jitter", "_next_slot", "_ready", "_retry_at", "_turns",
        "_waiting", "failures", "limits",
    )  # fmt: skip

    def __init__(self, limits: LaneLimits, jitter: Callable[[], float] = _no_jitter) -> None:
        self.limits = limits
        self.failures = 0
        self._jitter = jitter
        self._next_slot = 0
        self._closed = False
        self._retry_at = 0.0
        self._connecting: set[Slot] = set()
        self._idle: dict[Slot, float] = {}
        self._busy: dict[Slot, tuple[Ticket, Hashable]] = {}
        self._turns: dict[Hashable, _Turn] = {}
        self._ready: OrderedDict[Hashable, None] = OrderedDict()
        """Turns with a waiting call and a connection to their credit, in the order they are served."""
        self._waiting: OrderedDict[Ticket, tuple[Hashable, float]] = OrderedDict()
        """Every call that waits, the oldest first: whose it is and when it has waited too long."""

    # what there is

    @property
    def connecting(self) -> int:
        """Connections being made."""
        return len(self._connecting)

    @property
    def idle(self) -> int:
        """Connections without a call."""
        return len(self._idle)

    @property
    def busy(self) -> int:
        """Connections with a call."""
        return len(self._busy)

    @property
    def open(self) -> int:
        """Connections of any state."""
        return len(self._connecting) + len(self._idle) + len(self._busy)

    @property
    def queued(self) -> int:
        """Calls that wait."""
        return len(self._waiting)

    def is_down(self, now: float) -> bool:
        """Whether the last attempt to connect failed and the next is not due yet."""
        return self.failures > 0 and now < self._retry_at

    def due(self) -> float | None:
        """When `tick` has something to do; None: never, unless something else happens first."""
        times = []
        if self._idle:
            times.append(next(iter(self._idle.values())) + self.limits.keep_alive)
        if self._waiting:
            times.append(next(iter(self._waiting.values()))[1])
        if self.failures and self._ready and not self._connecting:
            times.append(self._retry_at)
        return min(times, default=None)

    # calls

    def submit(self, ticket: Ticket, turn: Hashable, now: float) -> Actions:
        """A call wants to run."""
        why = self._refusal(turn, now)
        if why is not None:
            return [Refuse(ticket, why)]
        state = self._turns.get(turn)
        if state is None:
            state = self._turns[turn] = _Turn()
        if self._idle and not self._ready and state.running < self.limits.per_turn:
            return [self._start(self._idle.popitem()[0], ticket, turn, state)]
        state.waiting.append(ticket)
        self._waiting[ticket] = turn, now + self.limits.queue_seconds
        self._note_ready(turn, state)
        return self._fill(now)

    def _refusal(self, turn: Hashable, now: float) -> Why | None:
        if self._closed:
            return Why.CLOSED
        if not self.open and self.is_down(now):
            return Why.DOWN
        if len(self._waiting) >= self.limits.queue:
            return Why.FULL
        state = self._turns.get(turn)
        if state is not None and len(state.waiting) >= self.limits.queue_per_turn:
            return Why.FULL
        return None

    def withdraw(self, ticket: Ticket, now: float) -> Actions:
        """The caller gave up a call that waits (one that runs: close its connection and tell `lost`)."""
        self._forget(ticket)
        return self._fill(now)

    def finished(self, slot: Slot, now: float, reusable: bool = True) -> Actions:
        """The call on this connection is over; the connection may carry another if it is reusable."""
        self._release(slot)
        if not reusable:
            return [Close(slot), *self._fill(now)]
        self._idle[slot] = now
        return self._fill(now) if self._ready else []

    # connections

    def opened(self, slot: Slot, now: float) -> Actions:
        """The connection is made."""
        self._connecting.discard(slot)
        self.failures = 0
        self._idle[slot] = now
        return self._fill(now)

    def open_failed(self, slot: Slot, now: float) -> Actions:
        """The connection could not be made; calls that have no other connection to hope for are refused."""
        self._connecting.discard(slot)
        if not self.is_down(now):
            self.failures += 1
            self._retry_at = now + self._back_off()
        if self.open:
            return []
        return self._refuse_all(Why.DOWN)

    def lost(self, slot: Slot, now: float) -> Actions:
        """The connection has ended, whatever it was doing."""
        self._connecting.discard(slot)
        if slot in self._busy:
            self._release(slot)
        self._idle.pop(slot, None)
        return self._fill(now)

    def stale(self, slot: Slot, now: float) -> Actions:
        """The connection turned out to have been closed by the server: the idle ones are suspect, too."""
        actions: Actions = [Close(other) for other in self._idle]
        self._idle.clear()
        return actions + self.lost(slot, now)

    def tick(self, now: float) -> Actions:
        """Time has passed: close what was idle too long, refuse what waited too long, try again."""
        actions: Actions = []
        expired = now - self.limits.keep_alive
        for slot in [slot for slot, since in self._idle.items() if since <= expired]:
            del self._idle[slot]
            actions.append(Close(slot))
        while self._waiting and next(iter(self._waiting.values()))[1] <= now:
            ticket = next(iter(self._waiting))
            self._forget(ticket)
            actions.append(Refuse(ticket, Why.WAITED))
        return actions + self._fill(now)

    def close(self) -> Actions:
        """The end: refuse what waits, close everything. Calls that run are the caller's to abort."""
        self._closed = True
        actions = self._refuse_all(Why.CLOSED)
        actions += [Close(slot) for slot in (*self._connecting, *self._idle, *self._busy)]
        for slot in [*self._busy]:
            self._release(slot)
        self._connecting.clear()
        self._idle.clear()
        return actions

    # inside

    def _fill(self, now: float) -> Actions:
        """Give idle connections to waiting calls, then open as many more as the calls and limits want."""
        actions: Actions = []
        while self._ready and self._idle:
            turn = next(iter(self._ready))
            state = self._turns[turn]
            ticket = state.waiting.popleft()
            del self._waiting[ticket]
            del self._ready[turn]
            actions.append(self._start(self._idle.popitem()[0], ticket, turn, state))
            self._note_ready(turn, state)  # to the end of the round
        while self._may_open(now):
            self._next_slot += 1
            self._connecting.add(self._next_slot)
            actions.append(Open(self._next_slot))
        return actions

    def _may_open(self, now: float) -> bool:
        connecting = len(self._connecting)
        if not self._ready or self._closed or self.open >= self.limits.connections:
            return False
        if self.failures:
            # One attempt at a time until the server answers again.
            return not connecting and now >= self._retry_at
        return connecting < self._startable()

    def _startable(self) -> int:
        """How many of the waiting calls could start if there were connections enough, as far as it matters."""
        count, most = 0, self.limits.connections
        for turn in self._ready:
            state = self._turns[turn]
            count += min(len(state.waiting), self.limits.per_turn - state.running)
            if count >= most:
                break
        return count

    def _start(self, slot: Slot, ticket: Ticket, turn: Hashable, state: _Turn) -> Start:
        state.running += 1
        self._busy[slot] = (ticket, turn)
        return Start(slot, ticket)

    def _release(self, slot: Slot) -> None:
        _, turn = self._busy.pop(slot)
        state = self._turns[turn]
        state.running -= 1
        self._note_ready(turn, state)

    def _note_ready(self, turn: Hashable, state: _Turn) -> None:
        """Keep ``_ready`` and ``_turns`` true after a change of one turn."""
        if state.waiting:
            if state.running < self.limits.per_turn:
                self._ready.setdefault(turn)
            else:
                self._ready.pop(turn, None)
            return
        self._ready.pop(turn, None)
        if not state.running:
            self._turns.pop(turn, None)

    def _forget(self, ticket: Ticket) -> None:
        """Take a waiting call out of the queue."""
        turn, _ = self._waiting.pop(ticket, (None, 0.0))
        state = self._turns.get(turn)
        if state is not None and ticket in state.waiting:
            state.waiting.remove(ticket)
            self._note_ready(turn, state)

    def _refuse_all(self, why: Why) -> Actions:
        tickets = [*self._waiting]
        for ticket in tickets:
            self._forget(ticket)
        return [Refuse(ticket, why) for ticket in tickets]

    def _back_off(self) -> float:
        wait = self.limits.back_off * 2.0 ** min(self.failures - 1, 20)
        return min(wait, self.limits.back_off_most) * self._jitter()
