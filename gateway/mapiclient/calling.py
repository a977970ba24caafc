"""What the objects of a store need of a session: to make calls, and to know which server answers them."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred

from gateway.mapiclient.wire.schema import Call

R = TypeVar("R")


class Caller(Protocol):
    """A session, as the objects see it."""

    @property
    def server_guid(self) -> bytes:
        """GUID of the store server, 16 bytes: named property ids belong to it."""

    async def call(self, call: Call[R]) -> R:
        """Make a call; `gateway.mapi.errors.MapiError` for a refusal, `TransportError` without an answer."""


def detached(caller: Caller, call: Call[Any]) -> None:
    """Make a call nobody waits for and whose failure does not matter (closing a table, say)."""
    Deferred.fromCoroutine(caller.call(call)).addErrback(lambda _: None)
