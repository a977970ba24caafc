"""Subscriptions and the long poll over the real wire."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from twisted.internet.task import deferLater

from gateway.mapi import proptags as pt
from gateway.mapi.changes import SyncKind
from gateway.mapi.errors import ErrorCode
from gateway.mapi.notices import ChangeNotice, Delivery, Event, NewMailNotice, ObjectNotice, TableNotice
from gateway.mapi.tables import ObjectType, TableType
from gateway.mapiclient.wire import calls_notify as notify_calls
from gateway.mapiclient.wire import calls_object as object_calls
from gateway.mapiclient.wire import calls_store as store_calls
from gateway.mapiclient.wire import calls_sync as sync_calls
from gateway.mapiclient.wire import calls_table as table_calls
from gateway.mapiclient.wire.calls_session import Logoff
from gateway.mapiclient.wire.structs import Subscription
from gateway.storeserver.notices import COLLAPSE
from tests.storeserver.mailbox import inbox, new_folder, new_message
from tests.support import reactor
from tests.support.soap import SoapClient
from tests.support.store import RunningStore

GROUP = 0xFFFF_FFFF_FFFF_FFF1
ALL = int(Event.OBJECT)


@pytest.fixture
def alice(store: RunningStore) -> Iterator[SoapClient]:
    with store.client("alice", session_group=GROUP) as client:
        yield client
        client.call(Logoff())


@pytest.fixture
def poller(store: RunningStore) -> Iterator[SoapClient]:
    with store.client("alice", session_group=GROUP) as client:
        yield client
        client.call(Logoff())


POLL = notify_calls.NotifyGetItems()


def watch(client: SoapClient, connection: int, key: bytes, mask: int, **more: int) -> int:
    return client.er(notify_calls.NotifySubscribe(Subscription(connection, key, mask, **more)))


def poll(client: SoapClient, count: int = 1) -> list[Delivery]:
    found: list[Delivery] = []
    while len(found) < count:
        reply = client.ok(POLL)
        assert reply.notifications
        found += reply.notifications
    return found


def told(deliveries: list[Delivery]) -> list[tuple[int, int, int]]:
    """Connection, event and object type (or table event)."""
    return [(one.connection, one.notice.event, getattr(one.notice, "object_type", 0)) for one in deliveries]


def test_a_store_is_watched(alice: SoapClient, poller: SoapClient) -> None:
    own = alice.ok(store_calls.GetStore()).store_id
    folder = new_folder(alice, "watched")
    assert watch(alice, 1, own, ALL) == 0
    assert watch(alice, 2, folder, ALL) == 0
    assert watch(alice, 3, folder, ALL | Event.ONLY_MESSAGES) == 0
    poller.send(POLL)
    message = new_message(alice, folder, "hello")
    first = list(poller.receive(POLL).notifications or ())
    created = ObjectNotice(Event.CREATED, message, ObjectType.MESSAGE, folder)
    changed = ObjectNotice(Event.MODIFIED, folder, ObjectType.FOLDER)
    assert Delivery(1, created) in first
    assert Delivery(3, created) in first
    assert Delivery(1, changed) in first
    assert Delivery(2, changed) in first
    assert len(first) == 4
    for connection in (1, 2, 3):
        assert alice.er(notify_calls.NotifyUnSubscribe(connection)) == 0
    assert alice.er(notify_calls.NotifyUnSubscribe(77)) == 0


def test_a_moved_message_is_told_with_both_ids(alice: SoapClient, poller: SoapClient) -> None:
    source, target = new_folder(alice, "moved from"), new_folder(alice, "moved to")
    message = new_message(alice, source, "moves")
    assert watch(alice, 1, source, Event.MOVED | Event.ONLY_MESSAGES) == 0
    alice.ok(object_calls.CopyObjects([message], target, 1))
    (delivery,) = poll(poller)
    notice = delivery.notice
    assert isinstance(notice, ObjectNotice)
    assert (notice.event, notice.old, notice.old_parent, notice.parent) == (
        Event.MOVED,
        message,
        source,
        target,
    )
    assert notice.entryid not in (None, message)


def test_a_table_tells_of_its_rows(alice: SoapClient, poller: SoapClient, store: RunningStore) -> None:
    folder = new_folder(alice, "table")
    table = alice.ok(table_calls.TableOpen(folder, TableType.MS, ObjectType.MESSAGE)).table_id
    alice.ok(table_calls.TableSetColumns(table, [pt.PR_SUBJECT]))
    key = struct.pack("<I", table)
    assert watch(alice, 5, key, Event.TABLE_MODIFIED) == 0
    assert watch(alice, 6, key + b"x", Event.TABLE_MODIFIED) == ErrorCode.INVALID_PARAMETER
    assert watch(alice, 6, struct.pack("<I", 999), Event.TABLE_MODIFIED) == ErrorCode.NOT_FOUND
    message = new_message(alice, folder, "row")
    alice.ok(object_calls.SetReadFlags(0, None, [message]))
    alice.ok(object_calls.DeleteObjects(0, [message]))
    found = []
    while not found or found[-1].table_event != 4:
        found += [one.notice for one in poll(poller) if isinstance(one.notice, TableNotice)]
    assert found[0].table_event in (3, 4)  # what follows at once may be told as one
    assert all(one.row == ((pt.PR_SUBJECT, "row"),) for one in found if one.table_event == 3)
    alice.ok(table_calls.TableClose(table))
    assert store.service.server is not None
    assert store.service.server.notifier.subscriptions == 0


def test_many_messages_are_told_as_one_change(alice: SoapClient, poller: SoapClient) -> None:
    folder = new_folder(alice, "many")
    messages = [new_message(alice, folder, str(n)) for n in range(COLLAPSE + 1)]
    assert watch(alice, 1, folder, ALL | Event.ONLY_MESSAGES) == 0
    assert watch(alice, 2, folder, ALL) == 0
    alice.ok(object_calls.DeleteObjects(0, messages))
    assert set(told(poll(poller))) == {(2, int(Event.MODIFIED), 3)}


def test_changes_are_announced_to_who_synchronises(alice: SoapClient, poller: SoapClient) -> None:
    folder = new_folder(alice, "ics")
    loaded = alice.ok(object_calls.LoadObject(folder)).object
    assert loaded is not None
    key = dict(loaded.mod_props)[pt.PR_SOURCE_KEY]
    sync = alice.ok(sync_calls.SetSyncStatus(key, 0, 0, SyncKind.CONTENTS)).sync_id
    start = alice.ok(sync_calls.GetChanges(key, sync, 0, SyncKind.CONTENTS, 0x29)).max_change_id
    assert watch(alice, 9, b"", Event.ICS, sync_id=sync, change_id=start) == 0
    assert watch(alice, 10, b"", Event.ICS, sync_id=9999, change_id=start) == ErrorCode.NOT_FOUND
    new_message(alice, folder, "changed")
    (delivery,) = poll(poller)
    latest = alice.ok(sync_calls.GetChanges(key, sync, start, SyncKind.CONTENTS, 0x29)).max_change_id
    assert delivery == Delivery(9, ChangeNotice(Event.ICS, sync, latest, 4097))
    # who subscribes behind the times is told at once
    assert watch(alice, 11, b"", Event.ICS, sync_id=sync, change_id=start) == 0
    assert poll(poller) == [Delivery(11, ChangeNotice(Event.ICS, sync, latest, 0))]


def test_folder_changes_are_announced_to_who_follows_the_tree(alice: SoapClient, poller: SoapClient) -> None:
    top = new_folder(alice, "tree")
    middle = new_folder(alice, "middle", top)
    loaded = alice.ok(object_calls.LoadObject(top)).object
    assert loaded is not None
    key = dict(loaded.mod_props)[pt.PR_SOURCE_KEY]
    sync = alice.ok(sync_calls.SetSyncStatus(key, 0, 0, SyncKind.HIERARCHY)).sync_id
    start = alice.ok(sync_calls.GetChanges(key, sync, 0, SyncKind.HIERARCHY, 0x29)).max_change_id
    many = [Subscription(4, b"", Event.ICS, sync, start)]
    alice.ok(notify_calls.NotifySubscribeMulti(many))
    new_folder(alice, "deep", middle)
    found = poll(poller)
    assert {(one.connection, one.notice.event) for one in found} == {(4, int(Event.ICS))}
    alice.ok(notify_calls.NotifyUnSubscribeMulti([4]))


def test_new_mail_is_announced_by_a_delivery_agent(
    alice: SoapClient, poller: SoapClient, store: RunningStore
) -> None:
    folder = inbox(alice)
    message = new_message(alice, folder, "new")
    assert watch(alice, 3, folder, Event.NEW_MAIL) == 0
    assert watch(alice, 4, alice.ok(store_calls.GetStore()).store_id, Event.NEW_MAIL) == 0
    notice = NewMailNotice(Event.NEW_MAIL, message, folder, "IPM.Note", 2)
    with store.client("bob") as bob:
        assert bob.er(object_calls.Notify(Delivery(0, notice))) == ErrorCode.NO_ACCESS
    with store.system() as system:
        system.ok(object_calls.Notify(Delivery(0, notice)))
        wrong = NewMailNotice(Event.CREATED, message, folder, "IPM.Note", 2)
        assert system.er(object_calls.Notify(Delivery(0, wrong))) == ErrorCode.INVALID_PARAMETER
        assert system.er(object_calls.Notify(None)) == ErrorCode.INVALID_PARAMETER
        system.call(Logoff())
    assert sorted(told(poll(poller, 2))) == [(3, 2, 0), (4, 2, 0)]


def test_subscribing_needs_to_see_the_object(alice: SoapClient, store: RunningStore) -> None:
    folder = new_folder(alice, "private", alice.ok(store_calls.GetStore()).root_id)
    with store.client("bob", session_group=5) as bob:
        assert watch(bob, 1, folder, ALL) == ErrorCode.NO_ACCESS
        assert watch(bob, 1, b"", ALL) == ErrorCode.INVALID_PARAMETER
        assert watch(bob, 1, b"unknown", ALL) == ErrorCode.NOT_FOUND
        assert watch(bob, 1, folder, 0) == ErrorCode.INVALID_PARAMETER
        assert bob.er(notify_calls.NotifySubscribe(None)) == ErrorCode.INVALID_PARAMETER
        bob.call(Logoff())


def test_reading_an_object_can_subscribe_to_it(alice: SoapClient, poller: SoapClient) -> None:
    folder = new_folder(alice, "seen")
    message = new_message(alice, folder, "seen")
    alice.ok(object_calls.LoadObject(message, Subscription(8, message, Event.MODIFIED)))
    alice.ok(object_calls.SetMessageStatus(message, 1, 1))
    assert told(poll(poller)) == [(8, int(Event.MODIFIED), 5)]


def test_a_second_poll_ends_the_first_and_logoff_the_second(store: RunningStore) -> None:
    with (
        store.client("alice", session_group=6) as one,
        SoapClient(store.url) as two,
        SoapClient(store.url) as three,
    ):
        two.session_id = three.session_id = one.session_id
        one.send(POLL)
        assert one.connection.sock is not None
        wait_until_parked(store, 1)
        two.send(POLL)
        assert one.receive(POLL).er == ErrorCode.NOT_FOUND
        wait_until_parked(store, 1)
        three.ok(Logoff())
        assert two.receive(POLL).er == ErrorCode.END_OF_SESSION


def test_a_client_that_leaves_its_poll_is_forgotten(store: RunningStore) -> None:
    with store.client("alice", session_group=7) as one:
        one.send(POLL)
        wait_until_parked(store, 1)
        one.close()
        wait_until_parked(store, 0)


def wait_until_parked(store: RunningStore, count: int) -> None:
    """Until the server holds so many polls."""

    async def wait() -> None:
        assert store.service.server is not None
        while store.service.server.notifier.parked != count:
            await deferLater(reactor.reactor, 0.005, lambda: None)

    reactor.run(wait)
