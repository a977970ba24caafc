"""Turns: one writer at a time for each item; who gives up leaves nothing behind."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred

from gateway.dav.turns import Key, Turns

ONE, TWO = (b"folder", "one.ics"), (b"folder", "two.ics")


def take(turns: Turns, *keys: Key) -> Deferred[list[Key]]:
    return Deferred.fromCoroutine(turns.take(keys))


def test_one_after_the_other() -> None:
    turns = Turns()
    first, second, other = take(turns, ONE), take(turns, ONE), take(turns, TWO)
    assert (first.called, second.called, other.called) == (True, False, True)
    turns.end([ONE])
    assert second.called


def test_keys_named_twice_and_in_any_order_are_taken_once_and_in_order() -> None:
    turns = Turns()
    first = take(turns, TWO, ONE, TWO)
    assert first.result == [ONE, TWO]
    second, third = take(turns, ONE, TWO), take(turns, TWO, ONE)
    turns.end([ONE, TWO])
    assert (second.called, third.called) == (True, False)
    turns.end([ONE, TWO])
    assert third.called


def test_who_gives_up_lets_the_next_one_in() -> None:
    turns = Turns()
    take(turns, TWO)
    waiting = take(turns, ONE, TWO)  # has the first, waits for the second
    gone: list[type[BaseException]] = []
    waiting.addErrback(lambda failure: gone.append(failure.type))
    waiting.cancel()
    assert gone == [CancelledError]
    assert take(turns, ONE).called
    after = take(turns, TWO)
    assert not after.called
    turns.end([TWO])
    assert after.called


def test_nothing_is_kept_when_all_are_done() -> None:
    turns = Turns()
    take(turns, ONE, TWO)
    turns.end([ONE, TWO])
    assert turns._locks == {}
