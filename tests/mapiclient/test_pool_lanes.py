"""The pool's decisions: dialogues of events and actions, and the invariants under any sequence of them."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.mapiclient.lanes import Close, Lane, LaneLimits, Open, Refuse, Start, Why


def limits(**changes: float) -> LaneLimits:
    values: dict[str, float] = {
        "connections": 2, "per_turn": 2, "queue": 5, "queue_per_turn": 4, "queue_seconds": 30.0,
        "keep_alive": 4.0, "back_off": 0.2, "back_off_most": 5.0,
    }  # fmt: skip
    return LaneLimits(**(values | changes))  # type: ignore[arg-type]


def test_the_first_call_opens_a_connection_and_starts_when_it_is_open() -> None:
    lane = Lane(limits())
    assert lane.submit("a", "ann", 0) == [Open(1)]
    assert (lane.connecting, lane.queued) == (1, 1)
    assert lane.opened(1, 0) == [Start(1, "a")]
    assert (lane.busy, lane.queued) == (1, 0)
    assert lane.finished(1, 1) == []
    assert (lane.busy, lane.idle) == (0, 1)


def test_an_idle_connection_is_used_again_at_once() -> None:
    lane = Lane(limits())
    lane.submit("a", "ann", 0)
    lane.opened(1, 0)
    lane.finished(1, 1)
    assert lane.submit("b", "ann", 2) == [Start(1, "b")]


def test_the_freshest_idle_connection_is_used_and_the_oldest_expires() -> None:
    lane = Lane(limits())
    lane.submit("a", "ann", 0)
    lane.submit("b", "ann", 0)
    lane.opened(1, 0)
    lane.opened(2, 0)
    lane.finished(1, 1)
    lane.finished(2, 3)
    assert lane.due() == 5
    assert lane.tick(5) == [Close(1)]
    assert lane.submit("c", "ann", 5) == [Start(2, "c")]
    assert lane.due() is None


def test_no_more_connections_are_opened_than_calls_can_use() -> None:
    lane = Lane(limits(connections=5, per_turn=2))
    assert lane.submit("a", "ann", 0) == [Open(1)]
    assert lane.submit("b", "ann", 0) == [Open(2)]
    assert lane.submit("c", "ann", 0) == []
    assert lane.submit("d", "bob", 0) == [Open(3)]


def test_users_take_turns() -> None:
    lane = Lane(limits(connections=1, per_turn=1, queue=99, queue_per_turn=99))
    for ticket in ("a1", "a2", "a3"):
        lane.submit(ticket, "ann", 0)
    for ticket in ("b1", "b2"):
        lane.submit(ticket, "bob", 0)
    order = [action.ticket for action in lane.opened(1, 0) if isinstance(action, Start)]
    while lane.busy:
        order += [action.ticket for action in lane.finished(1, 0) if isinstance(action, Start)]
    assert order == ["a1", "b1", "a2", "b2", "a3"]


def test_one_user_cannot_occupy_every_connection() -> None:
    lane = Lane(limits(connections=3, per_turn=2))
    for ticket in ("a1", "a2", "a3"):
        lane.submit(ticket, "ann", 0)
    lane.opened(1, 0)
    lane.opened(2, 0)
    assert (lane.busy, lane.queued) == (2, 1)
    assert lane.submit("b1", "bob", 0) == [Open(3)]
    assert lane.opened(3, 0) == [Start(3, "b1")]
    assert lane.finished(3, 0) == []
    assert lane.finished(1, 0) == [Start(1, "a3")]


def test_a_full_queue_refuses() -> None:
    lane = Lane(limits(connections=1, per_turn=1, queue=2, queue_per_turn=1))
    assert lane.submit("a1", "ann", 0) == [Open(1)]
    assert lane.submit("a2", "ann", 0) == [Refuse("a2", Why.FULL)]
    assert lane.submit("b1", "bob", 0) == []
    assert lane.submit("c1", "cem", 0) == [Refuse("c1", Why.FULL)]


def test_a_call_that_waits_too_long_is_refused() -> None:
    lane = Lane(limits(connections=1))
    lane.submit("a", "ann", 0)
    lane.opened(1, 0)
    lane.submit("b", "ann", 1)
    assert lane.due() == 31
    assert lane.tick(30.9) == []
    assert lane.tick(31) == [Refuse("b", Why.WAITED)]
    assert lane.queued == 0


def test_a_withdrawn_call_leaves_no_trace() -> None:
    lane = Lane(limits(connections=1))
    lane.submit("a", "ann", 0)
    assert lane.withdraw("a", 0) == []
    assert lane.opened(1, 0) == []
    assert (lane.idle, lane.queued, lane.busy) == (1, 0, 0)


def test_a_server_that_is_down_refuses_at_once_and_is_tried_again_after_the_back_off() -> None:
    lane = Lane(limits())
    lane.submit("a", "ann", 0)
    lane.submit("b", "ann", 0)
    assert lane.open_failed(1, 0) == []  # the other attempt may still succeed
    assert lane.open_failed(2, 0) == [Refuse("a", Why.DOWN), Refuse("b", Why.DOWN)]
    assert lane.submit("c", "ann", 0.1) == [Refuse("c", Why.DOWN)]
    assert lane.submit("d", "ann", 0.3) == [Open(3)]
    assert lane.submit("e", "bob", 0.3) == []  # one attempt at a time
    assert lane.opened(3, 0.4) == [Start(3, "d"), Open(4)]
    assert lane.failures == 0


def test_the_back_off_doubles_up_to_its_limit() -> None:
    lane = Lane(limits(back_off=0.25))
    now, waits = 0.0, []
    for _ in range(8):
        (opened,) = lane.submit("a", "ann", now)
        assert isinstance(opened, Open)
        lane.open_failed(opened.slot, now)
        before = now
        while lane.is_down(now):
            now += 0.25
        waits.append(now - before)
    assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]


def test_calls_stay_queued_while_another_connection_works() -> None:
    lane = Lane(limits())
    lane.submit("a", "ann", 0)
    lane.opened(1, 0)
    assert lane.submit("b", "ann", 0) == [Open(2)]
    assert lane.open_failed(2, 0) == []
    assert lane.due() == 0.2
    assert lane.tick(0.2) == [Open(3)]
    assert lane.finished(1, 0.3) == [Start(1, "b")]


def test_a_connection_that_cannot_be_used_again_is_closed_and_replaced() -> None:
    lane = Lane(limits(connections=1))
    lane.submit("a", "ann", 0)
    lane.opened(1, 0)
    lane.submit("b", "ann", 0)
    assert lane.finished(1, 0, reusable=False) == [Close(1), Open(2)]


def test_a_stale_connection_makes_the_idle_ones_suspect() -> None:
    lane = Lane(limits(connections=3, per_turn=3))
    for slot, ticket in enumerate("abc", 1):
        lane.submit(ticket, "ann", 0)
        lane.opened(slot, 0)
    lane.finished(1, 0)
    lane.finished(2, 0)
    assert sorted(lane.stale(3, 1)) == [Close(1), Close(2)]
    assert lane.open == 0


def test_closing_refuses_and_closes_everything() -> None:
    lane = Lane(limits(connections=2))
    lane.submit("a", "ann", 0)
    lane.submit("b", "ann", 0)
    lane.opened(1, 0)
    lane.submit("c", "ann", 0)
    actions = lane.close()
    assert set(actions) == {Refuse("b", Why.CLOSED), Refuse("c", Why.CLOSED), Close(1), Close(2)}
    assert (lane.open, lane.queued) == (0, 0)
    assert lane.submit("d", "ann", 1) == [Refuse("d", Why.CLOSED)]


class AnyOrder(RuleBasedStateMachine):
    """Whatever happens in whatever order: no call is lost or run twice, no limit is exceeded."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = limits(connections=3, per_turn=2, queue=6, queue_per_turn=3, queue_seconds=5.0)
        self.lane = Lane(self.limits)
        self.now = 0.0
        self.count = 0
        self.connecting: set[int] = set()
        self.ready: set[int] = set()
        self.running: dict[int, int] = {}
        self.waiting: dict[int, str] = {}
        self.turns: dict[int, str] = {}

    def carry_out(self, actions: list[object]) -> None:
        for action in actions:
            match action:
                case Open(slot):
                    assert slot not in self.connecting | self.ready
                    self.connecting.add(slot)
                case Close(slot):
                    self.connecting.discard(slot)
                    self.ready.discard(slot)
                    self.running.pop(slot, None)
                case Start(slot, ticket):
                    assert isinstance(ticket, int)
                    assert slot in self.ready
                    assert slot not in self.running
                    del self.waiting[ticket]
                    self.running[slot] = ticket
                case Refuse(ticket, _):
                    assert isinstance(ticket, int)
                    del self.waiting[ticket]
                case _:
                    raise AssertionError(action)

    @rule(turn=st.sampled_from(["ann", "bob", "cem"]))
    def submit(self, turn: str) -> None:
        self.count += 1
        self.waiting[self.count] = self.turns[self.count] = turn
        self.carry_out(self.lane.submit(self.count, turn, self.now))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(sorted(self.waiting)))
        del self.waiting[ticket]
        self.carry_out(self.lane.withdraw(ticket, self.now))

    @precondition(lambda self: self.connecting)
    @rule(data=st.data(), good=st.booleans())
    def connect(self, data: st.DataObject, good: bool) -> None:
        slot = data.draw(st.sampled_from(sorted(self.connecting)))
        self.connecting.discard(slot)
        if good:
            self.ready.add(slot)
            self.carry_out(self.lane.opened(slot, self.now))
        else:
            self.carry_out(self.lane.open_failed(slot, self.now))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), reusable=st.booleans())
    def finish(self, data: st.DataObject, reusable: bool) -> None:
        slot = data.draw(st.sampled_from(sorted(self.running)))
        del self.running[slot]
        self.carry_out(self.lane.finished(slot, self.now, reusable))

    @precondition(lambda self: self.ready)
    @rule(data=st.data(), stale=st.booleans())
    def lose(self, data: st.DataObject, stale: bool) -> None:
        slot = data.draw(st.sampled_from(sorted(self.ready)))
        self.running.pop(slot, None)
        self.ready.discard(slot)
        self.carry_out(self.lane.stale(slot, self.now) if stale else self.lane.lost(slot, self.now))

    @rule(seconds=st.sampled_from([0.1, 1.0, 4.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.carry_out(self.lane.tick(self.now))

    @invariant()
    def the_lane_and_the_world_agree(self) -> None:
        lane = self.lane
        assert lane.connecting == len(self.connecting)
        assert lane.busy == len(self.running)
        assert lane.idle == len(self.ready) - len(self.running)
        assert lane.queued == len(self.waiting)

    @invariant()
    def limits_hold(self) -> None:
        assert self.lane.open <= self.limits.connections
        assert len(self.waiting) <= self.limits.queue
        running = Counter(self.turns[ticket] for ticket in self.running.values())
        waiting = Counter(self.waiting.values())
        assert all(count <= self.limits.per_turn for count in running.values())
        assert all(count <= self.limits.queue_per_turn for count in waiting.values())

    @invariant()
    def nobody_waits_beside_an_idle_connection(self) -> None:
        running = Counter(self.turns[ticket] for ticket in self.running.values())
        able = [turn for turn in self.waiting.values() if running[turn] < self.limits.per_turn]
        assert not (able and self.lane.idle)

    @invariant()
    def whoever_waits_has_something_to_wait_for(self) -> None:
        if self.waiting:
            due = self.lane.due()
            assert due is not None
            assert due <= self.now + self.limits.queue_seconds


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_ten_thousand_waiting_calls_are_cheap_to_refuse() -> None:
    lane = Lane(limits(connections=1, queue=10_000, queue_per_turn=10_000))
    for ticket in range(10_000):
        lane.submit(ticket, ticket % 100, 0)
    assert len(lane.open_failed(1, 0)) == 10_000
    assert (lane.queued, lane.open) == (0, 0)
