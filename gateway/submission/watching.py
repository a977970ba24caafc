"""Waiting for the outgoing queue to change: the store tells of it, as it tells any client of changes in an open table."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from gateway.mapi import proptags as pr
from gateway.mapi.errors import MapiError
from gateway.mapi.notices import Event
from gateway.mapi.tables import ObjectType, TableType
from gateway.mapiclient.notify import Subscription
from gateway.mapiclient.session import Session
from gateway.mapiclient.table import Table
from gateway.mapiclient.watches import RESYNC

log: Final = Logger()
#: What is asked of a message in the queue.
COLUMNS: Final = (
    pr.PR_ENTRYID,
    pr.PR_STORE_ENTRYID,
    pr.PR_EC_OUTGOING_FLAGS,
    pr.PR_DEFERRED_SEND_TIME,
    pr.PR_MESSAGE_SIZE,
)


class QueueWatch:
    """The wait for a change, or for a time."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._session: Session | None = None
        self._table: Table | None = None
        self._subscription: Subscription | None = None
        self._is_refused = False
        self._changed = False
        self._waiting: Deferred[None] | None = None

    async def begin(self, session: Session) -> bool:
        """Be told of changes from now on, unless that is so already; False when the store does not (TransportError)."""
        if self._session is session and (self._subscription is not None or self._is_refused):
            return not self._is_refused
        await self._end()
        table = Table(
            session, b"", COLUMNS, table_type=TableType.OUTGOING_QUEUE, object_type=ObjectType.MESSAGE, batch=1
        )
        await table.__aenter__()
        self._table, self._session = table, session
        subscription = session.notices.subscribe(table.key, Event.TABLE_MODIFIED, self._told)
        try:
            await subscription.active()
        except MapiError as error:
            log.info("the store does not tell of its outgoing queue: {error}", error=str(error))
            subscription.cancel()
            await self._end()
            self._session, self._is_refused = session, True
            return False
        self._subscription = subscription
        return True

    def _told(self, notice: Any) -> None:
        if notice is RESYNC and self._subscription is not None:  # the table went with the session
            self._subscription.cancel()
            self._subscription = None
        self._changed = True
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    async def wait(self, seconds: float) -> None:
        """Until something changes, but not longer; at once when it changed since the last wait."""
        if not self._changed:
            self._waiting = Deferred()
            timer: IDelayedCall = self._reactor.callLater(seconds, self._wake)
            try:
                await self._waiting
            finally:
                self._waiting = None
                if timer.active():
                    timer.cancel()
        self._changed = False

    async def _end(self) -> None:
        self.close()
        table, self._table = self._table, None
        if table is not None:
            await table.__aexit__(None, None, None)

    def close(self) -> None:
        """Be told no more; the table goes with its session."""
        subscription, self._subscription = self._subscription, None
        self._is_refused = False
        if subscription is not None:
            subscription.cancel()
