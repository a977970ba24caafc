"""Sessions, locks, failed logons and the index of open tables, on their own."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from twisted.internet.task import Clock

from gateway.mapi.errors import EndOfSession, NotFound, StoreBusy
from gateway.mapi.notices import Event
from gateway.mapi.tables import ObjectType
from gateway.storeserver.accounts import Actor
from gateway.storeserver.credentials import FORGIVEN_AFTER, Failures
from gateway.storeserver.events import ObjectEvent
from gateway.storeserver.sessions import Client, Locks, Peer, Session, Sessions, granted
from gateway.storeserver.tableindex import TableIndex
from gateway.storeserver.tables import Table
from tests.storeserver.rowset import RowSet

FIRST_DELAY, LONGEST_DELAY = 0.25, 8.0
HERE, THERE = Peer("192.0.2.1"), Peer("192.0.2.2")


def sessions(**options: Any) -> tuple[Sessions, Clock]:
    clock = Clock()
    numbers = itertools.count(1)
    return Sessions(clock.seconds, lambda size: next(numbers).to_bytes(size, "little"), **options), clock


def opened(all_sessions: Sessions, capabilities: int = 0x210, group: int = 0, peer: Peer = HERE) -> Session:
    return all_sessions.open(Actor(3), "alice", capabilities, group, peer, Client())


def test_a_session_is_found_by_its_own_peer_only() -> None:
    found, _ = sessions()
    session = opened(found)
    assert found.find(session.id, HERE) is session
    with pytest.raises(EndOfSession):
        found.find(session.id, THERE)
    with pytest.raises(EndOfSession):
        found.find(session.id + 1, HERE)
    roaming, _ = sessions(check_address=False)
    session = opened(roaming)
    assert roaming.find(session.id, THERE) is session


def test_a_session_ends_when_nobody_uses_it() -> None:
    found, clock = sessions(timeout=300.0)
    idle, used, polling = opened(found), opened(found), opened(found)
    polling.busy = 1
    ended: list[Session] = []
    found.closing.append(ended.append)
    clock.advance(200)
    found.find(used.id, HERE)
    clock.advance(101)
    assert found.expire() == 1
    assert ended == [idle]
    assert idle.closed
    assert list(found) == [used, polling]
    with pytest.raises(EndOfSession):
        found.find(idle.id, HERE)
    found.close(used)
    found.close(used)
    assert ended == [idle, used]
    found.close_all()
    assert len(found) == 0


def test_session_ids_are_as_long_as_the_client_can_take() -> None:
    clock = Clock()
    wide = Sessions(clock.seconds, lambda size: b"\xff" * size)
    assert opened(wide, 0x210).id == 2**64 - 1
    assert opened(wide, 0x200).id == 2**32 - 1


def test_session_ids_are_not_given_twice_and_never_zero() -> None:
    draws = iter([b"\0" * 8, b"\1" * 8, b"\1" * 8, b"\2" * 8])
    found = Sessions(Clock().seconds, lambda size: next(draws))
    assert opened(found).id == int.from_bytes(b"\1" * 8, "little")
    assert opened(found).id == int.from_bytes(b"\2" * 8, "little")


def test_there_is_a_limit_of_sessions_and_of_tables() -> None:
    found, _ = sessions(limit=1)
    session = opened(found)
    with pytest.raises(StoreBusy):
        opened(found)
    table: Table[None] = Table(RowSet())
    assert [session.add_table(table) for _ in range(3)] == [1, 2, 3]
    assert session.table(2) is table
    with pytest.raises(NotFound):
        session.table(4)
    session.tables.update(dict.fromkeys(range(4, 10_001), table))
    with pytest.raises(StoreBusy):
        session.add_table(table)


@pytest.mark.parametrize(("asked", "answered"), [(59218, 40936 & ~0x20), (0x200, 0x9A88), (0xFFFF, 0x9FC8)])
def test_capabilities(asked: int, answered: int) -> None:
    assert granted(asked) == answered


def test_locks() -> None:
    found, _ = sessions()
    one, other = opened(found), opened(found)
    locks = Locks()
    assert locks.lock(b"m", one)
    assert locks.lock(b"m", one)
    assert not locks.lock(b"m", other)
    assert not locks.unlock(b"m", other)
    assert locks.holder(b"m") is one
    locks.forget(one)
    assert locks.holder(b"m") is None
    assert locks.unlock(b"m", other)
    found.close(other)
    assert not locks.lock(b"m", other)


def test_wrong_passwords_wait_longer_and_longer() -> None:
    clock = Clock()
    failures = Failures(clock.seconds, FIRST_DELAY, LONGEST_DELAY)
    waits = [failures.note("name a", "address 1") for _ in range(8)]
    assert waits[:3] == [FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY]
    assert waits[-1] == LONGEST_DELAY
    assert failures.note("name b", "address 1") == LONGEST_DELAY
    assert failures.note("name b", "address 2") == 2 * FIRST_DELAY
    failures.forgive("name b", "address 2")
    assert failures.note("name b", "address 2") == FIRST_DELAY
    clock.advance(FORGIVEN_AFTER)
    assert failures.note("name a", "address 1") == FIRST_DELAY


def test_failed_logons_are_not_remembered_without_limit() -> None:
    failures = Failures(Clock().seconds, FIRST_DELAY, LONGEST_DELAY)
    for number in range(20_100):
        failures.note(str(number))
    assert len(failures._known) == 10_000


# -- the index of tables


def event(**changes: Any) -> ObjectEvent:
    fields: dict[str, Any] = {
        "kind": Event.MODIFIED,
        "object_type": ObjectType.MESSAGE,
        "id": 1,
        "entryid": b"e",
        "store": b"s",
        "parent_id": 10,
        "old_parent_id": None,
    }
    return ObjectEvent(**fields | changes)


INTERESTS = [("contents", 10), ("contents", 11), ("folders", 10), ("tree", b"s"), ("store", b"s"), ("queue", 0)]


@pytest.mark.parametrize(
    ("what", "touched"),
    [
        (event(), [("contents", 10), ("store", b"s"), ("queue", 0)]),
        (event(old_parent_id=11), [("contents", 10), ("contents", 11), ("store", b"s"), ("queue", 0)]),
        (event(object_type=ObjectType.FOLDER), [("folders", 10), ("tree", b"s")]),
        (event(object_type=ObjectType.STORE, parent_id=None), []),
        (event(parent_id=99, store=b"other"), [("queue", 0)]),
    ],
)
def test_events_reach_the_tables_concerned(what: ObjectEvent, touched: list[tuple[str, int | bytes]]) -> None:
    index = TableIndex()
    tables: dict[Any, Table[None]] = {interest: Table(RowSet()) for interest in INTERESTS}
    for interest, table in tables.items():
        index.add(table, interest, 0)
    assert index.publish([what]) == {tables[interest] for interest in touched}
    assert index.published == 1


def test_a_table_that_was_opened_while_something_happened_looks_again() -> None:
    index = TableIndex()
    rows = RowSet({1: {}})
    table: Table[None] = Table(rows)
    table.populate(None)
    rows.objects[2] = {}
    since = index.published
    index.publish([event(id=2)])
    index.add(table, ("contents", 10), since)
    assert table.count(None) == (2, 0)
    index.remove(table)
    index.remove(table)
    assert index.count == 0
    assert index.publish([event()]) == set()


def test_tables_can_be_told_to_look_at_everything_again() -> None:
    index = TableIndex()
    table: Table[None] = Table(RowSet({1: {}}))
    index.add(table, ("store", b"s"), 0)
    table.populate(None)
    assert index.reload([("store", b"s"), ("store", b"x")]) == {table}
    assert [notice.table_event for notice in table.refresh(None)] == [1]
