"""The notifier's rules: who hears of what, how polls wait, what is lost when nobody listens."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock

from gateway.mapi.changes import ChangeClass
from gateway.mapi.errors import EndOfSession, NotFound
from gateway.mapi.notices import Delivery, Event, ObjectNotice
from gateway.mapi.tables import ObjectType
from gateway.storeserver.accounts import Actor
from gateway.storeserver.events import ChangeEvent, ObjectEvent
from gateway.storeserver.notices import COLLAPSE
from gateway.storeserver.notifications import LONGEST, MAX_ANSWER, MAX_QUEUE, QUIET, Notifier, Sink
from gateway.storeserver.sessions import Client, Peer, Session


def session(group: int = 1) -> Session:
    return Session(group, Actor(3), "alice", 0, group, Peer("here"), Client(), 0.0)


STORE = bytes(24) + b"\1\0" + bytes(22)
FOLDER = bytes(24) + b"\3\0" + b"f" * 22
MESSAGE = bytes(24) + b"\5\0" + b"m" * 22


def event(kind: Event = Event.CREATED, **changes: Any) -> ObjectEvent:
    fields: dict[str, Any] = {
        "kind": kind,
        "object_type": ObjectType.MESSAGE,
        "id": 7,
        "entryid": MESSAGE,
        "store": STORE,
        "parent_id": 6,
        "parent": FOLDER,
    }
    return ObjectEvent(**fields | changes)


class Heard:
    """A notifier with one session that polls again and again."""

    def __init__(self, *sinks: tuple[int, bytes], group: int = 1) -> None:
        self.clock = Clock()
        self.notifier = Notifier(self.clock)
        self.session = session(group)
        self.notifier.join(self.session)
        for connection, (mask, key) in enumerate(sinks, 1):
            self.notifier.subscribe(Sink(self.session, connection, mask, key))

    def of(self, *events: Any, ancestors: Any = None) -> list[int]:
        self.notifier.publish(events, ancestors or {})
        answer = self.notifier.poll(self.session)
        self.clock.advance(QUIET)
        if not answer.called:
            answer.cancel()
            answer.addErrback(lambda _: None)
            return []
        found: list[Delivery] = []
        answer.addCallback(found.extend)
        return [one.connection for one in found]


@pytest.mark.parametrize(
    ("mask", "key", "what", "heard"),
    [
        (Event.CREATED, STORE, event(), True),
        (Event.CREATED, FOLDER, event(), False),
        (Event.CREATED | Event.ONLY_MESSAGES, FOLDER, event(), True),
        (Event.CREATED | Event.ONLY_FOLDERS, STORE, event(), False),
        (Event.CREATED, MESSAGE, event(), True),
        (Event.DELETED, STORE, event(), False),
        (Event.DELETED, STORE, event(Event.DELETED), True),
        (Event.MOVED | Event.ONLY_MESSAGES, FOLDER, event(Event.MOVED, parent=b"x", old_parent=FOLDER), True),
        (Event.MOVED, b"old", event(Event.MOVED, old=b"old"), True),
        (Event.MODIFIED, STORE, event(Event.MODIFIED, queue_only=True), False),
        (Event.MODIFIED, STORE, event(Event.MODIFIED, object_type=ObjectType.FOLDER, counters=True), True),
        (
            Event.MODIFIED | Event.NO_COUNTERS,
            STORE,
            event(Event.MODIFIED, object_type=ObjectType.FOLDER, counters=True),
            False,
        ),
        (
            Event.MODIFIED | Event.ONLY_MESSAGES,
            STORE,
            event(Event.MODIFIED, object_type=ObjectType.FOLDER),
            False,
        ),
    ],
)
def test_who_hears_of_what(mask: int, key: bytes, what: ObjectEvent, heard: bool) -> None:
    assert Heard((mask, key)).of(what) == ([1] if heard else [])


def test_a_session_without_a_group_hears_nothing() -> None:
    assert Heard((Event.CREATED, STORE), group=0).of(event()) == []


def test_a_connection_number_is_taken_once_per_group() -> None:
    heard = Heard((Event.CREATED, STORE))
    heard.notifier.subscribe(Sink(heard.session, 1, int(Event.DELETED), STORE))
    assert heard.of(event(Event.DELETED)) == []
    assert heard.of(event()) == [1]


def test_own_changes_of_a_synchronisation_are_not_announced() -> None:
    heard = Heard()
    for connection, (kind, folder) in enumerate(((1, 6), (2, 6), (2, 1)), 1):
        heard.notifier.subscribe(
            Sink(
                heard.session,
                connection,
                int(Event.ICS),
                sync_id=connection,
                sync_folder=folder,
                sync_kind=kind,
            )
        )
    message = ChangeEvent(6, b"key", 50, ChangeClass.MESSAGE | 1, 0)
    folder = ChangeEvent(6, b"key", 51, ChangeClass.FOLDER | 1, 2)
    assert heard.of(message) == [1]
    assert heard.of(ChangeEvent(6, b"key", 52, ChangeClass.MESSAGE | 1, 1)) == []
    assert heard.notifier.follows_hierarchies
    assert heard.of(folder, ancestors={6: [6, 1]}) == [3]


def test_an_empty_poll_is_answered_after_a_minute() -> None:
    heard = Heard((Event.CREATED, STORE))
    answers: list[list[Delivery]] = []
    heard.notifier.poll(heard.session).addCallback(answers.append)
    assert heard.session.busy == 1
    heard.clock.advance(59)
    assert answers == []
    heard.clock.advance(1)
    assert answers == [[]]
    assert (heard.session.busy, heard.session.last_used) == (0, 60.0)


def test_one_parked_poll_is_answered_and_the_others_wait() -> None:
    heard = Heard((Event.CREATED, STORE))
    other = session(1)
    heard.notifier.join(other)
    answers: list[list[Delivery]] = []
    for one in (heard.session, other):
        heard.notifier.poll(one).addCallback(answers.append)
    heard.notifier.publish([event()], {})
    heard.clock.advance(QUIET)
    assert [len(answer) for answer in answers] == [1]
    assert heard.notifier.parked == 1


def test_a_burst_of_changes_is_one_answer() -> None:
    heard = Heard((Event.CREATED, STORE))
    answers: list[list[Delivery]] = []
    heard.notifier.poll(heard.session).addCallback(answers.append)
    for _ in range(5):
        heard.notifier.publish([event()], {})
        heard.clock.advance(QUIET * 0.6)
        assert answers == []
    heard.clock.advance(QUIET * 0.6)
    assert [len(answer) for answer in answers] == [5]


def test_a_poll_does_not_wait_for_the_end_of_a_long_burst() -> None:
    heard = Heard((Event.CREATED, STORE))
    answers: list[list[Delivery]] = []
    heard.notifier.poll(heard.session).addCallback(answers.append)
    while not answers:
        heard.notifier.publish([event()], {})
        heard.clock.advance(QUIET * 0.5)
        assert heard.clock.seconds() < LONGEST + QUIET


def test_a_poll_in_the_middle_of_a_burst_waits_for_its_end() -> None:
    heard = Heard((Event.CREATED, STORE))
    answers: list[list[Delivery]] = []
    heard.notifier.publish([event()], {})
    heard.notifier.poll(heard.session).addCallback(answers.append)
    assert answers == []
    heard.notifier.publish([event()], {})
    heard.clock.advance(QUIET)
    assert [len(answer) for answer in answers] == [2]
    heard.notifier.publish([event()], {})
    heard.clock.advance(1)
    heard.notifier.poll(heard.session).addCallback(answers.append)
    assert [len(answer) for answer in answers] == [2, 1]


def test_nothing_is_left_to_do_for_a_session_that_ends_in_a_burst() -> None:
    heard = Heard((Event.CREATED, STORE))
    heard.notifier.poll(heard.session).addErrback(lambda _: None)
    heard.notifier.publish([event()], {})
    heard.notifier.leave(heard.session)
    assert heard.clock.getDelayedCalls() == []


def test_the_end_of_a_session_ends_its_poll_and_subscriptions() -> None:
    heard = Heard((Event.CREATED, STORE))
    failures: list[Any] = []
    heard.notifier.poll(heard.session).addErrback(lambda failure: failures.append(failure.value))
    heard.notifier.poll(heard.session).addErrback(lambda failure: failures.append(failure.value))
    heard.notifier.leave(heard.session)
    assert [type(failure) for failure in failures] == [NotFound, EndOfSession]
    assert (heard.notifier.groups, heard.notifier.subscriptions, heard.notifier.parked) == (0, 0, 0)


def test_a_queue_that_nobody_reads_does_not_grow() -> None:
    heard = Heard((Event.CREATED, STORE), (Event.CREATED | Event.ONLY_MESSAGES, FOLDER))
    for number in range(MAX_QUEUE // 2 + 3):
        heard.notifier.publish([event(id=number)], {})
    answer: list[Delivery] = []
    heard.notifier.poll(heard.session).addCallback(answer.extend)
    heard.clock.advance(QUIET)
    summary = [one.notice for one in answer[:2]]
    assert all(isinstance(one, ObjectNotice) and one.event == Event.MODIFIED for one in summary)
    assert len(answer) == 2 + 5


def test_a_burst_comes_in_several_answers() -> None:
    heard = Heard((Event.CREATED, STORE))
    for number in range(MAX_ANSWER + 5):
        heard.notifier.publish([event(id=number)], {})
    assert len(heard.of()) == MAX_ANSWER
    assert len(heard.of()) == 5


def test_many_messages_of_a_folder_collapse() -> None:
    events = [event(Event.MOVED, id=n, old_parent=b"old", old_parent_id=5) for n in range(COLLAPSE + 1)]
    heard = Heard((Event.MODIFIED, FOLDER), (Event.MODIFIED, b"old"), (Event.MOVED, STORE))
    assert heard.of(*events) == [1, 2]
    assert heard.of(*events[:COLLAPSE]) == [3] * COLLAPSE
