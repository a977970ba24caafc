"""Shares of memory: in order, never more than there is, and one that is too large alone."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred

from gateway.smtp.budget import Budget


def asked(budget: Budget, size: int) -> Deferred[None]:
    return Deferred.fromCoroutine(budget.take(size))


def test_small_ones_share() -> None:
    budget = Budget(100)
    assert [asked(budget, size).called for size in (40, 60, 1)] == [True, True, False]


def test_who_comes_first_is_served_first() -> None:
    budget = Budget(100)
    first, large, small = asked(budget, 80), asked(budget, 90), asked(budget, 10)
    assert (first.called, large.called, small.called) == (True, False, False)
    budget.give(80)
    assert (large.called, small.called) == (True, True)


def test_one_that_is_larger_than_all_of_it_is_alone() -> None:
    budget = Budget(100)
    small, huge, other = asked(budget, 1), asked(budget, 1000), asked(budget, 1)
    assert not huge.called
    budget.give(1)
    assert (small.called, huge.called, other.called) == (True, True, False)
    budget.give(1000)
    assert other.called


def test_who_gives_up_is_not_waited_for() -> None:
    budget = Budget(100)
    asked(budget, 100)
    gone, next_one = asked(budget, 100), asked(budget, 50)
    gone.addErrback(lambda failure: failure.trap(CancelledError) and None)
    gone.cancel()
    budget.give(100)
    assert next_one.called
