"""Subscriptions and the notices they lead to.

All sessions of a group share one space of connection numbers and one queue. A client takes the queue with
notifyGetItems, which waits here, without a thread, until something happens or a minute has passed; and then a moment
more, so that a burst of changes is one answer. Queues are bounded: one that overflows is replaced by one notice per
subscription, "there were changes". Everything here runs in the reactor's thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from gateway.mapi.changes import ChangeClass, SyncKind
from gateway.mapi.errors import EndOfSession, NotFound, StoreBusy
from gateway.mapi.notices import ChangeNotice, Delivery, Event, NewMailNotice, Notice, ObjectNotice, TableNotice
from gateway.mapi.props import PT_NULL
from gateway.storeserver.events import ChangeEvent, ObjectEvent, StoreEvent
from gateway.storeserver.notices import collapsed, object_notice, wants
from gateway.storeserver.sessions import Session
from gateway.storeserver.tables import Table

PARK: Final = 60.0
"""Seconds a poll waits."""
QUIET: Final = 0.015
"""Seconds in which nothing more may happen before a poll is answered ..."""
LONGEST: Final = 0.1
"""... but so many after the first event at the latest."""
MAX_QUEUE: Final = 10_000
MAX_ANSWER: Final = 500
"""Notices of one answer; the rest comes with the next."""
MAX_SUBSCRIPTIONS: Final = 20_000
_TABLE_CHANGED: Final = 1
_INSTANT: Final = 0.0005


@dataclass(slots=True, eq=False)
class Sink:
    """One subscription."""

    session: Session
    connection: int
    mask: int = 0
    key: bytes = b""
    """Object subscriptions: entry id of the store, folder or message, without flags."""
    table: Table[Any] | None = None
    sync_id: int = 0
    sync_folder: int = 0
    sync_kind: int = 0


@dataclass(slots=True)
class _Poll:
    """A parked notifyGetItems."""

    answer: Deferred[list[Delivery]]
    timer: IDelayedCall


@dataclass(slots=True, eq=False)
class _Group:
    """What the sessions of a group share."""

    sinks: dict[int, Sink] = field(default_factory=dict)
    queue: deque[Delivery] = field(default_factory=deque)
    sessions: set[Session] = field(default_factory=set)
    polls: dict[Session, _Poll] = field(default_factory=dict)
    first: float = 0.0
    """When the oldest notice in the queue was put there."""
    latest: float = 0.0
    collecting: IDelayedCall | None = None
    """Will answer a poll."""

    def wait(self, now: float) -> float:
        """Seconds for which more may be collected; less than a time that a clock can tell is none."""
        if len(self.queue) >= MAX_ANSWER:
            return 0.0
        left = min(self.latest + QUIET, self.first + LONGEST) - now
        return left if left > _INSTANT else 0.0


class Notifier:
    """All subscriptions of all session groups."""

    def __init__(self, clock: IReactorTime, park: float = PARK) -> None:
        self._clock = clock
        self._park = park
        self._groups: dict[object, _Group] = {}
        self._by_key: dict[bytes, set[Sink]] = {}
        self._by_folder: dict[int, set[Sink]] = {}
        self._by_table: dict[Table[Any], set[Sink]] = {}

    @property
    def follows_hierarchies(self) -> bool:
        """Whether somebody wants to know of folder changes below a folder."""
        return any(sink.sync_kind == SyncKind.HIERARCHY for sinks in self._by_folder.values() for sink in sinks)

    @property
    def groups(self) -> int:
        """How many session groups there are."""
        return len(self._groups)

    @property
    def subscriptions(self) -> int:
        """How many subscriptions there are."""
        return sum(len(group.sinks) for group in list(self._groups.values()))

    @property
    def parked(self) -> int:
        """How many polls wait."""
        return sum(len(group.polls) for group in list(self._groups.values()))

    def _group(self, session: Session) -> _Group:
        # Group 0 is no group: each such session is alone and hears of nothing.
        key: object = session.group or session
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group()
        return group

    def join(self, session: Session) -> None:
        """A session has begun."""
        self._group(session).sessions.add(session)

    def leave(self, session: Session) -> None:
        """A session has ended: its poll fails, its subscriptions are gone."""
        group = self._group(session)
        for sink in [sink for sink in group.sinks.values() if sink.session is session]:
            self._drop(group, sink)
        self._end_poll(group, session, EndOfSession("the session has ended"))
        group.sessions.discard(session)
        if not group.sessions:
            self._groups.pop(session.group or session, None)
            if group.collecting is not None:
                group.collecting.cancel()
                group.collecting = None

    # -- subscribing

    def subscribe(self, sink: Sink) -> None:
        """Add a subscription. A number that is in use already keeps its old one, as the protocol has it."""
        group = self._group(sink.session)
        if sink.session.closed or sink.connection in group.sinks or not sink.session.group:
            return
        if len(group.sinks) >= MAX_SUBSCRIPTIONS:
            raise StoreBusy("too many subscriptions")
        group.sinks[sink.connection] = sink
        for index, key in self._places(sink):
            index.setdefault(key, set()).add(sink)

    def unsubscribe(self, session: Session, connection: int) -> None:
        """Remove a subscription of the session's group; unknown numbers are fine."""
        group = self._group(session)
        if (sink := group.sinks.get(connection)) is not None:
            self._drop(group, sink)

    def _drop(self, group: _Group, sink: Sink) -> None:
        group.sinks.pop(sink.connection, None)
        for index, key in self._places(sink):
            sinks = index.get(key)
            if sinks is not None:
                sinks.discard(sink)
                if not sinks:
                    del index[key]

    def _places(self, sink: Sink) -> Iterator[tuple[dict[Any, set[Sink]], Any]]:
        """The indexes a subscription is found in, with its key there."""
        if sink.table is not None:
            yield self._by_table, sink.table
        elif sink.sync_id:
            yield self._by_folder, sink.sync_folder
        else:
            yield self._by_key, sink.key

    def is_watched(self, table: Table[Any]) -> bool:
        """Whether somebody has subscribed to the table."""
        return table in self._by_table

    def forget_table(self, table: Table[Any]) -> None:
        """A table was closed."""
        for sink in list(self._by_table.get(table, ())):
            self._drop(self._group(sink.session), sink)

    # -- polling

    def poll(self, session: Session) -> Deferred[list[Delivery]]:
        """What happened, now or within a minute. An older poll of the same session ends with NotFound."""
        group = self._group(session)
        self._end_poll(group, session, NotFound("another poll has taken over"))
        answer: Deferred[list[Delivery]] = Deferred(lambda _: self._end_poll(group, session, None))
        if group.queue and not group.wait(self._clock.seconds()):
            answer.callback(self._taken(group))
            return answer
        timer = self._clock.callLater(self._park, self._answer, group, session)
        group.polls[session] = _Poll(answer, timer)
        session.busy += 1
        if group.queue:
            self._collect(group)
        return answer

    def _pop_poll(self, group: _Group, session: Session) -> Deferred[list[Delivery]] | None:
        poll = group.polls.pop(session, None)
        if poll is None:
            return None
        session.busy -= 1
        if poll.timer.active():
            poll.timer.cancel()
        return poll.answer

    def _end_poll(self, group: _Group, session: Session, error: Exception | None) -> None:
        """End a parked poll with an error, or silently when its client has left."""
        answer = self._pop_poll(group, session)
        if answer is not None and error is not None:
            answer.errback(error)

    def _answer(self, group: _Group, session: Session) -> None:
        for one in group.sessions:
            one.last_used = self._clock.seconds()  # a poll keeps the whole group alive
        answer = self._pop_poll(group, session)
        if answer is not None:
            answer.callback(self._taken(group))

    def _taken(self, group: _Group) -> list[Delivery]:
        group.first = self._clock.seconds()  # of what stays for the next answer
        queue = group.queue
        return [queue.popleft() for _ in range(min(len(queue), MAX_ANSWER))]

    def _collect(self, group: _Group) -> None:
        """Answer a poll as soon as it is quiet."""
        if group.collecting is None:
            wait = group.wait(self._clock.seconds())
            group.collecting = self._clock.callLater(wait, self._collected, group)

    def _collected(self, group: _Group) -> None:
        group.collecting = None
        if not group.polls or not group.queue:
            return
        if group.wait(self._clock.seconds()):
            self._collect(group)
        else:
            self._answer(group, next(iter(group.polls)))

    # -- what happened

    def publish(self, events: Sequence[StoreEvent], ancestors: Mapping[int, Sequence[int]]) -> None:
        """Tell everybody concerned. ``ancestors``: the folders above changed folders, each with itself."""
        woken: set[_Group] = set()
        for event in collapsed(events):
            if isinstance(event, ObjectEvent):
                if not event.queue_only:
                    self._publish_object(event, woken)
            else:
                self._publish_change(event, ancestors, woken)
        self._wake(woken)

    def _publish_object(self, event: ObjectEvent, woken: set[_Group]) -> None:
        notice = object_notice(event)
        parents = (event.parent, event.old_parent)
        for key in dict.fromkeys((event.entryid, event.store, *parents, event.old)):
            for sink in self._by_key.get(key or b"", ()):
                itself = key in (event.entryid, event.store, event.old)
                if (itself or sink.mask & Event.ONLY_MESSAGES) and wants(sink.mask, event):
                    self._queue(sink, notice, woken)

    def _publish_change(
        self, event: ChangeEvent, ancestors: Mapping[int, Sequence[int]], woken: set[_Group]
    ) -> None:
        hierarchy = bool(event.change_type & ChangeClass.FOLDER)
        kind = SyncKind.HIERARCHY if hierarchy else SyncKind.CONTENTS
        folders = ancestors.get(event.folder_id, (event.folder_id,)) if hierarchy else (event.folder_id,)
        for folder in folders:
            for sink in self._by_folder.get(folder, ()):
                if sink.sync_kind == kind and sink.sync_id != event.sync_id:
                    self._queue(
                        sink, ChangeNotice(Event.ICS, sink.sync_id, event.change_id, event.change_type), woken
                    )

    def publish_new_mail(self, store: bytes, notice: NewMailNotice) -> None:
        """Tell of a delivered mail: those who watch its store or its folder."""
        woken: set[_Group] = set()
        for key in (store, notice.parent or b""):
            for sink in self._by_key.get(key, ()):
                if sink.mask & Event.NEW_MAIL:
                    self._queue(sink, notice, woken)
        self._wake(woken)

    def publish_table(self, table: Table[Any], notices: Iterable[TableNotice]) -> None:
        """Tell the subscribers of a table."""
        woken: set[_Group] = set()
        for notice in notices:
            for sink in self._by_table.get(table, ()):
                self._queue(sink, notice, woken)
        self._wake(woken)

    def publish_to(self, sink: Sink, notice: Notice) -> None:
        """Tell one subscriber."""
        woken: set[_Group] = set()
        self._queue(sink, notice, woken)
        self._wake(woken)

    def _queue(self, sink: Sink, notice: Notice, woken: set[_Group]) -> None:
        group = self._group(sink.session)
        if group.sinks.get(sink.connection) is not sink:
            return
        group.latest = self._clock.seconds()
        if not group.queue:
            group.first = group.latest
        if len(group.queue) >= MAX_QUEUE:
            group.queue.clear()
            group.queue.extend(Delivery(one.connection, _summary(one)) for one in group.sinks.values())
        else:
            group.queue.append(Delivery(sink.connection, notice))
        woken.add(group)

    def _wake(self, groups: Iterable[_Group]) -> None:
        for group in groups:
            if group.polls and group.queue:
                self._collect(group)


def _summary(sink: Sink) -> Notice:
    """One notice for all that was lost."""
    if sink.table is not None:
        nothing = (PT_NULL, 0)
        return TableNotice(
            Event.TABLE_MODIFIED, _TABLE_CHANGED, sink.table.source.object_type, 0, nothing, nothing
        )
    if sink.sync_id:
        return ChangeNotice(Event.ICS, sink.sync_id, 0, 0)
    kind = int.from_bytes(sink.key[24:26], "little")
    return ObjectNotice(int(Event.MODIFIED), sink.key, kind)
