"""What the objects of a store need of a session: to make calls, and to know which server answers them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol, TypeVar

from twisted.internet.defer import Deferred

from gateway.mapiclient.wire.schema import Call

R = TypeVar("R")
T = TypeVar("T")

#: How many messages one call changes: a call is one transaction, during which nobody else can write.
BATCH: Final = 2000


class Caller(Protocol):
    """A session, as the objects see it."""

    @property
    def server_guid(self) -> bytes:
        """GUID of the store server, 16 bytes: named property ids belong to it. Empty before the first call."""

    @property
    def epoch(self) -> int:
        """How often the session was logged on; table ids of an earlier epoch mean nothing."""

    async def call(self, call: Call[R], *, epoch: int | None = None) -> R:
        """Make a call; `gateway.mapi.errors.MapiError` for a refusal, `TransportError` without an answer.

        With ``epoch`` the call is made in that epoch only: HandlesLost when the session was logged on again.
        """

    async def follow(self, call: Call[R]) -> tuple[Caller, R]:
        """Make a call on the server that has its object; the session there and the reply."""


def detached(caller: Caller, call: Call[Any], *, epoch: int | None = None) -> None:
    """Make a call nobody waits for and whose failure does not matter (closing a table, say)."""
    Deferred.fromCoroutine(caller.call(call, epoch=epoch)).addErrback(lambda _: None)


def batches(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """The items, so many at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))
