"""A store for tests of sessions and notices that need a clock: it answers calls in memory, at once or when told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from gateway.mapi.errors import ErrorCode
from gateway.mapi.notices import Delivery, ObjectNotice
from gateway.mapiclient.address import Server
from gateway.mapiclient.errors import ConnectFailed
from gateway.mapiclient.options import PoolOptions
from gateway.mapiclient.wire.calls_notify import (
    NotifyGetItems,
    NotifyGetItemsReply,
    NotifySubscribe,
    NotifySubscribeMulti,
    NotifyUnSubscribeMulti,
)
from gateway.mapiclient.wire.calls_session import Logoff, Logon, LogonReply, Result, SsoLogon, SsoLogonReply
from gateway.mapiclient.wire.calls_store import (
    GetStore,
    GetStoreReply,
    ResolvePseudoUrl,
    ResolvePseudoUrlReply,
)
from gateway.mapiclient.wire.calls_table import RowCount, TableGetRowCount
from gateway.mapiclient.wire.schema import Call
from gateway.mapiclient.wire.structs import Subscription

LOGON_FAILED = int(ErrorCode.LOGON_FAILED)
END_OF_SESSION = int(ErrorCode.END_OF_SESSION)


class FakeStore:
    """Stands where the pool stands. ``held`` keeps answers back until `release`."""

    def __init__(self, **passwords: str) -> None:
        self.options = PoolOptions()
        self.reactor = Clock()
        self.passwords = dict(passwords)
        self.calls: list[tuple[Server, Call[Any]]] = []
        self.sessions: dict[int, Logon] = {}
        self.down = False
        self.held: list[Deferred[None]] | None = None
        self.homes: dict[str, str] = {}
        """The server path that getStore of a user answers with, by the user's name."""
        self.here = "http://one:236"
        self.refused_keys: set[bytes] = set()
        self.polls: dict[int, Deferred[NotifyGetItemsReply]] = {}
        self.subscriptions: dict[int, tuple[int, Subscription]] = {}
        self._last = 0

    def names(self) -> list[str]:
        """The calls made, in order."""
        return [call.name for _, call in self.calls]

    def count(self, name: str) -> int:
        return self.names().count(name)

    async def call(
        self, server: Server, call: Call[Any], *, session_id: int = 0, turn: Any = "", repeat: bool = False
    ) -> Any:
        self.calls.append((server, call))
        if self.held is not None:
            wait: Deferred[None] = Deferred()
            self.held.append(wait)
            await wait
        if self.down:
            raise ConnectFailed("connection refused", server=str(server), call=call.name)
        return await self._answer(server, call, session_id)

    def hold(self) -> None:
        self.held = []

    def release(self) -> None:
        held, self.held = self.held or [], None
        for wait in held:
            wait.callback(None)

    def forget(self) -> None:
        """Restart: no session is known any more."""
        self.sessions.clear()
        self.subscriptions.clear()
        polls, self.polls = self.polls, {}
        for poll in polls.values():
            poll.callback(NotifyGetItemsReply(er=END_OF_SESSION))

    async def _answer(self, server: Server, call: Call[Any], session_id: int) -> Any:
        if isinstance(call, Logon):
            return self._logon(server, call)
        if isinstance(call, SsoLogon):
            good = call.input == b"KCOIDC" + self.passwords.get(call.username or "", "").encode()
            return (
                SsoLogonReply(session_id=self._open(Logon("", ""))) if good else SsoLogonReply(er=LOGON_FAILED)
            )
        if session_id not in self.sessions:
            return call.reply_type(er=END_OF_SESSION)
        answer: Callable[[Any, int], Any] = getattr(self, f"_{call.name}", lambda call, _: call.reply_type())
        reply = answer(call, session_id)
        return await reply if isinstance(reply, Deferred) else reply

    def _logon(self, server: Server, call: Logon) -> LogonReply:
        trusted = not call.flags & 1 and (server.is_local or server.trusted)
        if not trusted and (not call.password or self.passwords.get(call.username or "") != call.password):
            return LogonReply(er=LOGON_FAILED)
        if call.flags & 2:
            return LogonReply(session_id=1)
        return LogonReply(session_id=self._open(call), server_guid=str(server).encode().ljust(16)[:16])

    def _open(self, call: Logon) -> int:
        self._last += 1
        self.sessions[self._last] = call
        return self._last

    def _logoff(self, call: Logoff, session_id: int) -> Result:
        del self.sessions[session_id]
        poll = self.polls.pop(session_id, None)
        if poll is not None:
            poll.callback(NotifyGetItemsReply(er=END_OF_SESSION))
        return Result()

    def _getStore(self, call: GetStore, session_id: int) -> GetStoreReply:
        path = self.homes.get(self.sessions[session_id].username or "", self.here)
        server, _ = self.calls[-1]
        if path not in (str(server), "pseudo://" + server.host):
            return GetStoreReply(er=int(ErrorCode.UNABLE_TO_COMPLETE), server_path=path)
        return GetStoreReply(store_id=b"store", root_id=b"root", server_path=path)

    def _resolvePseudoUrl(self, call: ResolvePseudoUrl, session_id: int) -> ResolvePseudoUrlReply:
        host = (call.pseudo_url or "").removeprefix("pseudo://").rstrip("/")
        return ResolvePseudoUrlReply(server_path=f"http://{host}:236", is_peer=host == self.calls[-1][0].host)

    def _tableGetRowCount(self, call: TableGetRowCount, session_id: int) -> RowCount:
        return RowCount(count=call.table_id)

    # notices

    def _notifySubscribe(self, call: NotifySubscribe, session_id: int) -> Result:
        assert call.subscription is not None
        return self._subscribe([call.subscription], session_id)

    def _notifySubscribeMulti(self, call: NotifySubscribeMulti, session_id: int) -> Result:
        return self._subscribe(list(call.subscriptions or ()), session_id)

    def _subscribe(self, subscriptions: list[Subscription], session_id: int) -> Result:
        if any(subscription.key in self.refused_keys for subscription in subscriptions):
            return Result(er=int(ErrorCode.NO_ACCESS))
        for subscription in subscriptions:
            self.subscriptions[subscription.connection] = session_id, subscription
        return Result()

    def _notifyUnSubscribeMulti(self, call: NotifyUnSubscribeMulti, session_id: int) -> Result:
        for number in call.connections:
            self.subscriptions.pop(number, None)
        return Result()

    def _notifyGetItems(self, call: NotifyGetItems, session_id: int) -> Deferred[NotifyGetItemsReply]:
        poll = self.polls[session_id] = Deferred(lambda _: self.polls.pop(session_id, None))
        return poll

    def happen(self, key: bytes, event: int) -> None:
        """Something happened to an object: answer the poll."""
        found = [
            Delivery(number, ObjectNotice(event, key, 5))
            for number, (_, subscription) in self.subscriptions.items()
            if subscription.key == key and subscription.event_mask & event
        ]
        ((number, poll),) = self.polls.items()
        del self.polls[number]
        poll.callback(NotifyGetItemsReply(notifications=found))

    def break_poll(self, error: Exception) -> None:
        """The poll's connection breaks."""
        ((number, poll),) = self.polls.items()
        del self.polls[number]
        poll.errback(error)
