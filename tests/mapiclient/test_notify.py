"""Notices: one poll, shared subscriptions, and nothing lost without a RESYNC."""

from __future__ import annotations

from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import globalLogPublisher

from gateway.mapi.errors import NoAccess
from gateway.mapi.notices import Event
from gateway.mapiclient.address import parse_server
from gateway.mapiclient.credentials import Credentials
from gateway.mapiclient.errors import ConnectFailed, ConnectionClosed, HandlesLost, SessionLost
from gateway.mapiclient.notify import RESYNC, Subscription, subscribe
from gateway.mapiclient.options import SessionOptions
from gateway.mapiclient.session import Identity, Session
from gateway.mapiclient.wire.calls_store import GetPublicStore
from tests.mapiclient.fakestore import FakeStore

INBOX, SENT = b"inbox", b"sent"
MASK = Event.CREATED | Event.DELETED
OPTIONS = SessionOptions(linger_seconds=5, poll_retry=1, poll_retry_most=60)


class Bench:
    """A session of ann on a store in memory."""

    def __init__(self) -> None:
        self.store = FakeStore(ann="secret")
        self.clock = self.store.reactor
        identity = Identity(cast("Any", self.store), Credentials("ann", "secret"), 77, OPTIONS)
        self.session = Session(identity, parse_server("http://one:236"))
        Deferred.fromCoroutine(self.session.renew(0))
        assert self.session.epoch == 1

    def subscribe(self, key: bytes = INBOX, mask: int = MASK) -> tuple[Subscription, list[Any]]:
        told: list[Any] = []
        return subscribe(self.session, key, mask, told.append), told

    def settle(self, seconds: float = 0) -> None:
        self.clock.advance(seconds)

    def happen(self, key: bytes, event: int) -> None:
        self.store.happen(key, event)
        self.settle()

    def watched(self) -> list[bytes]:
        return sorted(subscription.key for _, subscription in self.store.subscriptions.values())

    def active(self, subscription: Subscription) -> Any:
        seen: list[Any] = []
        subscription.active().addBoth(seen.append)
        self.settle()
        assert seen
        return seen[0]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_notice_reaches_its_subscribers(bench: Bench) -> None:
    _, inbox = bench.subscribe()
    _, more_inbox = bench.subscribe()
    _, sent = bench.subscribe(SENT)
    bench.settle()
    for told in (inbox, more_inbox, sent):
        assert told.pop() is RESYNC
    assert bench.watched() == [INBOX, SENT]
    assert bench.store.count("notifySubscribeMulti") == 1
    bench.happen(INBOX, Event.CREATED)
    assert [notice.event for notice in inbox] == [Event.CREATED]
    assert len(more_inbox) == 1
    assert sent == []
    bench.happen(SENT, Event.DELETED)
    assert len(sent) == 1
    assert bench.session.notices.delivered == 2
    assert len(bench.store.polls) == 1


def test_the_poll_has_a_session_of_its_own_in_the_same_group(bench: Bench) -> None:
    bench.subscribe()
    bench.settle()
    assert [logon.session_group for logon in bench.store.sessions.values()] == [77, 77]
    assert [*bench.store.polls] == [2]
    assert {owner for owner, _ in bench.store.subscriptions.values()} == {1}


def test_who_did_not_wait_is_told_to_look_when_the_subscription_begins(bench: Bench) -> None:
    _, told = bench.subscribe()
    assert told == []
    bench.settle()
    assert told == [RESYNC]
    waiting, waited = bench.subscribe(SENT)
    assert bench.active(waiting) is None
    assert waited == []
    late, told_late = bench.subscribe(SENT)
    assert bench.active(late) is None
    assert told_late == []


def test_other_events_of_the_same_object_are_another_subscription(bench: Bench) -> None:
    bench.subscribe(INBOX, Event.CREATED)
    bench.subscribe(INBOX, Event.MODIFIED)
    bench.settle()
    assert bench.watched() == [INBOX, INBOX]


def test_a_subscription_lingers_and_then_goes(bench: Bench) -> None:
    subscription, told = bench.subscribe()
    other, _ = bench.subscribe(SENT)
    bench.settle()
    subscription.cancel()
    subscription.cancel()
    bench.happen(INBOX, Event.CREATED)
    assert told == [RESYNC]
    bench.settle(4.9)
    again, _ = bench.subscribe()
    bench.settle(10)
    assert bench.watched() == [INBOX, SENT]
    again.cancel()
    bench.settle(5)
    bench.settle(0)
    assert bench.watched() == [SENT]
    other.cancel()
    bench.settle(5)
    bench.settle(0)
    assert (bench.watched(), bench.store.polls) == ([], {})
    assert [*bench.store.sessions] == [1]
    assert bench.clock.getDelayedCalls() == []


def test_the_poll_starts_again_for_a_new_subscriber(bench: Bench) -> None:
    subscription, _ = bench.subscribe()
    bench.settle()
    subscription.cancel()
    bench.settle(5)
    bench.settle()
    assert bench.store.polls == {}
    _, told = bench.subscribe()
    bench.settle()
    bench.happen(INBOX, Event.CREATED)
    assert len(told) == 2


def test_a_subscription_cancelled_before_it_was_made(bench: Bench) -> None:
    bench.store.hold()
    subscription, told = bench.subscribe()
    bench.settle()
    subscription.cancel()
    bench.settle(5)
    while bench.store.held:
        bench.store.release()
        bench.settle()
    bench.store.release()
    bench.settle()
    assert (bench.watched(), told) == ([], [])


def test_a_broken_poll_means_a_resync_for_everybody(bench: Bench) -> None:
    _, inbox = bench.subscribe()
    _, sent = bench.subscribe(SENT)
    bench.settle()
    numbers = sorted(bench.store.subscriptions)
    bench.store.break_poll(ConnectionClosed("gone"))
    assert inbox == [RESYNC]
    bench.settle(1)
    bench.settle()
    assert (inbox, sent) == ([RESYNC, RESYNC], [RESYNC, RESYNC])
    assert bench.watched() == [INBOX, SENT]
    assert not set(numbers) & set(bench.store.subscriptions)
    bench.happen(INBOX, Event.CREATED)
    assert len(inbox) == 3


def test_a_restart_of_the_store_means_new_sessions_new_subscriptions_and_a_resync(bench: Bench) -> None:
    subscription, told = bench.subscribe()
    assert bench.active(subscription) is None
    bench.store.forget()
    bench.settle(1)
    bench.settle()
    assert told == [RESYNC]
    assert bench.watched() == [INBOX]
    assert bench.session.epoch == 2
    bench.happen(INBOX, Event.CREATED)
    assert len(told) == 2


def test_a_session_renewed_by_another_call_is_subscribed_again(bench: Bench) -> None:
    _, told = bench.subscribe()
    bench.settle()
    del bench.store.sessions[1]
    bench.store.subscriptions.clear()
    Deferred.fromCoroutine(bench.session.call(GetPublicStore()))
    assert bench.session.epoch == 2
    bench.settle()
    assert bench.watched() == [INBOX]
    assert told == [RESYNC, RESYNC]


def test_a_store_that_is_away_is_asked_in_growing_pauses(bench: Bench) -> None:
    _, told = bench.subscribe()
    bench.settle()
    bench.store.down = True
    bench.store.break_poll(ConnectFailed("refused"))
    before = len(bench.store.calls)
    for _ in range(600):
        bench.settle(1)
    assert len(bench.store.calls) - before < 60
    assert told == [RESYNC]
    bench.store.down = False
    for _ in range(61):
        bench.settle(1)
    assert told == [RESYNC, RESYNC]
    bench.happen(INBOX, Event.CREATED)
    assert len(told) == 3


def test_what_the_store_refuses_fails_alone(bench: Bench) -> None:
    bench.store.refused_keys = {SENT}
    good, inbox = bench.subscribe()
    bad, sent = bench.subscribe(SENT)
    assert bench.active(good) is None
    assert bench.active(bad).check(NoAccess)
    assert bench.watched() == [INBOX]
    bench.store.refused_keys = set()
    again, _ = bench.subscribe(SENT)
    assert bench.active(again) is None
    assert (inbox, sent) == ([], [RESYNC, RESYNC])


def test_a_lost_session_ends_everything(bench: Bench) -> None:
    _, told = bench.subscribe()
    bench.settle()
    bench.store.passwords["ann"] = "changed"
    bench.store.forget()
    for _ in range(5):
        bench.settle(1)
    assert told == [RESYNC, RESYNC]
    assert bench.store.polls == {}
    assert bench.clock.getDelayedCalls() == []
    assert bench.store.count("logon") <= 4
    late, _ = bench.subscribe()
    Deferred.fromCoroutine(bench.session.call(GetPublicStore())).addErrback(lambda why: why.trap(SessionLost))
    assert bench.active(late).check(SessionLost)


def test_a_table_subscription_ends_with_the_session(bench: Bench) -> None:
    subscription, told = bench.subscribe(b"\x07\0\0\0", Event.TABLE_MODIFIED)
    assert bench.active(subscription) is None
    bench.happen(b"\x07\0\0\0", Event.TABLE_MODIFIED)
    assert len(told) == 1
    bench.store.forget()
    bench.settle(1)
    bench.settle()
    assert told[1:] == [RESYNC]
    assert bench.watched() == []
    fresh, _ = bench.subscribe(b"\x07\0\0\0", Event.TABLE_MODIFIED)
    assert bench.active(fresh) is None
    assert bench.active(subscription).check(HandlesLost)


def test_a_synchronisation_is_named_by_its_id(bench: Bench) -> None:
    told: list[Any] = []
    bench.session.notices.subscribe(b"", Event.ICS, told.append, sync_id=3, change_id=99)
    bench.settle()
    ((_, sink),) = bench.store.subscriptions.values()
    assert (sink.key, sink.event_mask, sink.sync_id, sink.change_id) == (b"", 0x80000001, 3, 99)
    bench.store.forget()
    bench.settle(1)
    bench.settle()
    assert len(bench.store.subscriptions) == 1


def test_a_subscriber_that_fails_harms_nobody(bench: Bench) -> None:
    logged: list[Any] = []
    globalLogPublisher.addObserver(logged.append)
    try:
        subscribe(bench.session, INBOX, MASK, lambda _: 1 // 0)
        _, told = bench.subscribe()
        bench.settle()
        bench.happen(INBOX, Event.CREATED)
    finally:
        globalLogPublisher.removeObserver(logged.append)
    assert len(told) == 2
    assert any("subscriber" in str(event.get("log_format")) for event in logged)


def test_a_subscriber_may_cancel_and_subscribe_while_it_is_told(bench: Bench) -> None:
    told: list[Any] = []

    def callback(notice: Any) -> None:
        told.append(notice)
        subscription.cancel()
        bench.subscribe(SENT)

    subscription = subscribe(bench.session, INBOX, MASK, callback)
    bench.settle()
    bench.settle()
    assert told == [RESYNC]
    assert SENT in bench.watched()


def test_thousands_of_subscriptions_are_few_calls(bench: Bench) -> None:
    for number in range(3000):
        bench.subscribe(b"folder %d" % number)
    bench.settle()
    assert len(bench.store.subscriptions) == 3000
    assert bench.store.count("notifySubscribeMulti") == 6
    assert len(bench.clock.getDelayedCalls()) == 0


def test_closing_the_session_ends_the_poll(bench: Bench) -> None:
    subscription, told = bench.subscribe()
    bench.settle()
    subscription.cancel()
    Deferred.fromCoroutine(bench.session.close())
    bench.settle()
    assert (bench.store.sessions, bench.store.polls) == ({}, {})
    assert bench.clock.getDelayedCalls() == []
    assert told == [RESYNC]
    subscription, _ = bench.subscribe()
    subscription.cancel()
    bench.settle()
    assert bench.clock.getDelayedCalls() == []


def test_a_dead_subscription_does_not_take_a_new_one_along(bench: Bench) -> None:
    old, _ = bench.subscribe(b"\x07\0\0\0", Event.TABLE_MODIFIED)
    bench.settle()
    bench.store.forget()
    bench.settle(1)
    bench.settle()
    bench.subscribe(b"\x07\0\0\0", Event.TABLE_MODIFIED)
    old.cancel()
    bench.settle(10)
    assert len(bench.watched()) == 1
