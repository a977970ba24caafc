"""The table of answers: which function answers which call, and where it runs.

An answer module registers its functions with `reads`, `writes`, `quick` or `anonymous`. A function gets its
context and the call, and returns the reply; what it raises becomes the result code. A quick one may be a
coroutine function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, TypeVar

from gateway.mapiclient.wire.schema import Call
from gateway.storeserver.context import Anonymous, Context, Quick

F = TypeVar("F", bound=Callable[..., Any])


class Lane(Enum):
    """Where a call is answered."""

    READ = auto()
    """A reader thread, in a transaction that only reads."""
    WRITE = auto()
    """The writer thread, in a transaction that writes."""
    QUICK = auto()
    """The reactor's thread, without a transaction."""
    ANONYMOUS = auto()
    """As QUICK, without a session."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call is answered."""

    lane: Lane
    function: Callable[..., Any]
    writes_when: Callable[[Any], bool] | None = None
    """A call for which this is true writes, although others of its kind only read."""
    brief: bool = False
    """A call of this kind is answered at once if it only reads, and may share a commit if it writes."""

    def lane_of(self, call: Call[Any]) -> Lane:
        """Where this call is answered."""
        return Lane.WRITE if self.writes_when is not None and self.writes_when(call) else self.lane


ANSWERS: Final[dict[str, Answer]] = {}
"""By the call's name on the wire."""


def _register(
    lane: Lane,
    call_type: type[Call[Any]],
    writes_when: Callable[[Any], bool] | None = None,
    *,
    brief: bool = False,
) -> Callable[[F], F]:
    def register(function: F) -> F:
        if call_type.name in ANSWERS:
            raise TypeError(f"{call_type.name} has two answers")
        ANSWERS[call_type.name] = Answer(lane, function, writes_when, brief)
        return function

    return register


C = TypeVar("C", bound=Call[Any])


def reads(
    call_type: type[C], *, unless: Callable[[C], bool] | None = None, brief: bool = False
) -> Callable[[Callable[[Context, C], Any]], Callable[[Context, C], Any]]:
    """Answer a call that only reads, unless the call is one of those that write after all.

    A ``brief`` one may be answered in the reactor's thread: it asks `Transaction.takes_long` before it takes long.
    """
    return _register(Lane.READ, call_type, unless, brief=brief)


def writes(
    call_type: type[C], *, brief: bool = False
) -> Callable[[Callable[[Context, C], Any]], Callable[[Context, C], Any]]:
    """Answer a call that writes. ``brief`` ones that wait at the same time share a commit."""
    return _register(Lane.WRITE, call_type, brief=brief)


def quick(call_type: type[C]) -> Callable[[Callable[[Quick, C], Any]], Callable[[Quick, C], Any]]:
    """Answer a call that needs no database."""
    return _register(Lane.QUICK, call_type)


def anonymous(
    call_type: type[C],
) -> Callable[[Callable[[Anonymous, C], Any]], Callable[[Anonymous, C], Any]]:
    """Answer a call that needs no session."""
    return _register(Lane.ANONYMOUS, call_type)
