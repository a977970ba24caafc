"""The store's threads: writing together, leaving out what nobody waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred, DeferredList

from gateway.mapi import proptags as p
from gateway.mapi.errors import StoreBusy
from gateway.mapi.tables import ObjectType
from gateway.storeserver import identity, objects, workers
from gateway.storeserver.workers import Workers
from tests.support import reactor
from tests.support.patience import PATIENCE
from tests.support.storecore import World, message


class Office:
    """Workers on a database; the first work holds up everybody until it is let go."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.commits = 0
        self.fails = False
        self.gate = threading.Event()
        self.workers = Workers(reactor.reactor, together=self.together, readers=1)
        reactor.call(self.workers.start)

    @contextmanager
    def together(self) -> Iterator[None]:
        """The database's, counted; on demand the commit fails."""
        self.commits += 1
        with self.world.database.together():
            yield
            if self.fails:
                raise StoreBusy("the disk is full")

    def save(self, subject: str) -> str:
        """Work: save a mail, or not."""
        world = self.world
        with world.database.write() as tx:
            entryid = identity.new_entryid(tx, world.store.guid, ObjectType.MESSAGE)
            objects.save_object(tx, world.alice, world.inbox, entryid, message([(p.PR_SUBJECT, subject)]))
            if subject == "bad":
                raise ZeroDivisionError
        return subject

    def write(self, *subjects: str, brief: bool = True) -> list[Any]:
        """Save mails that wait at the same time; what came of each."""

        async def all_of_them() -> list[Any]:
            held = self.workers.write(self.gate.wait)
            results = [self.workers.write(self.save, subject, brief=brief) for subject in subjects]
            self.gate.set()
            await held
            found = await DeferredList(results, consumeErrors=True)
            return [result if good else type(result.value) for good, result in found]

        return reactor.run(all_of_them)


@pytest.fixture
def office(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """However slowly it works, what can share a commit does."""
    monkeypatch.setattr(workers, "TOGETHER_WITHIN", PATIENCE)
    office = Office(world)
    yield office

    async def stop() -> None:
        await office.workers.stop()

    reactor.run(stop)


def test_brief_writing_that_waits_at_the_same_time_shares_a_commit(office: Office) -> None:
    subjects = [f"mail {number}" for number in range(6)]
    assert office.write(*subjects) == subjects
    assert office.commits == 1
    assert sorted(office.world.subjects(office.world.inbox)) == subjects


def test_other_writing_has_a_commit_of_its_own(office: Office) -> None:
    assert office.write("a", "b", brief=False) == ["a", "b"]
    assert office.commits == 0


def test_what_fails_is_undone_alone(office: Office) -> None:
    assert office.write("a", "bad", "b") == ["a", ZeroDivisionError, "b"]
    assert office.commits == 1
    assert sorted(office.world.subjects(office.world.inbox)) == ["a", "b"]
    assert office.world.counters(office.world.inbox)[0] == 2


def test_when_the_commit_fails_each_is_done_again_alone(office: Office) -> None:
    office.fails = True
    assert office.write("a", "bad", "b") == ["a", ZeroDivisionError, "b"]
    assert sorted(office.world.subjects(office.world.inbox)) == ["a", "b"]
    assert len({row[p.PR_EC_IMAP_ID] for row in office.world.rows(office.world.inbox, [p.PR_EC_IMAP_ID])}) == 2


def test_reading_that_nobody_waits_for_is_left_out(office: Office) -> None:
    done: list[str] = []

    async def leave() -> None:
        held = office.workers.read(office.gate.wait)
        left = office.workers.read(done.append, "left")
        stayed = office.workers.read(done.append, "stayed")
        left.cancel()
        office.gate.set()
        with pytest.raises(CancelledError):
            await left
        await held
        await stayed
        assert not office.workers.reading

    reactor.run(leave)
    assert done == ["stayed"]


def test_a_result_that_comes_too_late_is_freed(office: Office) -> None:
    freed: Deferred[str] = Deferred()
    begun = threading.Event()

    def work() -> str:
        begun.set()
        office.gate.wait()
        return "result"

    async def leave() -> str:
        result = office.workers.read(work, discard=freed.callback)
        begun.wait(PATIENCE)
        result.cancel()
        office.gate.set()
        with pytest.raises(CancelledError):
            await result
        return await freed

    assert reactor.run(leave) == "result"


def test_what_waits_for_a_commit_is_done_after_it(world: World) -> None:
    seen: list[list[str]] = []

    def look() -> None:
        seen.append(sorted(world.subjects(world.inbox)))

    def save(subject: str, *actions: Callable[[], None]) -> None:
        world.save(world.inbox, [(p.PR_SUBJECT, subject)])
        for action in actions:
            world.database.when_committed(action)

    with world.database.together():
        save("a", look)
        save("b", look)
        assert seen == []
    assert seen == [["a", "b"], ["a", "b"]]
    save("c", look)
    assert seen[-1] == ["a", "b", "c"]
    with suppress(ZeroDivisionError), world.database.together():
        save("d", look)
        raise ZeroDivisionError
    assert len(seen) == 3
    assert sorted(world.subjects(world.inbox)) == ["a", "b", "c"]
