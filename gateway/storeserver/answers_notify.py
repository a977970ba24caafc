"""Answers about notices: subscriptions, the long poll, announced mails."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import partial
from typing import Final

from twisted.internet.defer import Deferred

from gateway.mapi.errors import InvalidParameter, NotFound
from gateway.mapi.notices import ChangeNotice, Delivery, Event, NewMailNotice
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.calls_notify import (
    NotifyGetItems,
    NotifyGetItemsReply,
    NotifySubscribe,
    NotifySubscribeMulti,
    NotifyUnSubscribe,
    NotifyUnSubscribeMulti,
)
from gateway.mapiclient.wire.calls_object import Notify, NotifyReply
from gateway.mapiclient.wire.calls_session import Result
from gateway.mapiclient.wire.structs import Subscription
from gateway.storeserver import changes, locate, rights
from gateway.storeserver.context import Context, Quick, entryid_of, required
from gateway.storeserver.dispatch import quick, reads
from gateway.storeserver.notifications import Sink

_TABLE_ID: Final = struct.Struct("<I")
_MODIFIERS: Final = Event.ONLY_MESSAGES | Event.ONLY_FOLDERS | Event.NO_COUNTERS


@reads(NotifySubscribe)
def notify_subscribe(context: Context, call: NotifySubscribe) -> Result:
    """Subscribe to an object, a table or a synchronisation."""
    subscribe(context, [required(call.subscription, "notifySubscribe")])
    return Result()


@reads(NotifySubscribeMulti)
def notify_subscribe_multi(context: Context, call: NotifySubscribeMulti) -> Result:
    """Subscribe to several, all or none."""
    subscribe(context, required(call.subscriptions, "notifySubscribeArray"))
    return Result()


def subscribe(context: Context, subscriptions: Sequence[Subscription]) -> None:
    """Check the subscriptions and have them added after the transaction."""
    for subscription in subscriptions:
        sink = Sink(context.session, subscription.connection, subscription.event_mask)
        if subscription.event_mask == Event.ICS:
            _follow_changes(context, sink, subscription)
        elif subscription.event_mask & Event.TABLE_MODIFIED:
            _follow_table(context, sink, subscription)
        else:
            _follow_object(context, sink, subscription)
        context.after.append(partial(context.server.notifier.subscribe, sink))


def _follow_object(context: Context, sink: Sink, subscription: Subscription) -> None:
    entryid = entryid_of(subscription.key)
    if not subscription.event_mask & ~_MODIFIERS:
        raise InvalidParameter("a subscription to no event")
    granted = rights.rights_on(context.tx, context.actor, entryid)
    if locate.object_type(entryid) is not ObjectType.STORE:
        rights.require(granted, Rights.FOLDER_VISIBLE)
    sink.key = locate.plain(entryid)


def _follow_table(context: Context, sink: Sink, subscription: Subscription) -> None:
    if len(subscription.key) != _TABLE_ID.size:
        raise InvalidParameter("the key of a table subscription is the table's number, 4 bytes")
    sink.table = context.session.table(*_TABLE_ID.unpack(subscription.key))
    with sink.table.lock:
        sink.table.populate(context.tx)
    # What changed between this and the subscription is told then.
    context.after.append(partial(context.server.refresh, sink.table))


def _follow_changes(context: Context, sink: Sink, subscription: Subscription) -> None:
    sync = changes.sync_by_id(context.tx, subscription.sync_id)
    sink.sync_id, sink.sync_folder, sink.sync_kind = sync.id, sync.folder_id, sync.kind
    latest = changes.has_news(context.tx, sync.id, subscription.change_id)
    if latest is not None:
        # "There are newer changes already": told at once, with type 0.
        notice = ChangeNotice(Event.ICS, sync.id, latest, 0)
        context.after.append(partial(_tell_after_subscribing, context, sink, notice))


def _tell_after_subscribing(context: Context, sink: Sink, notice: ChangeNotice) -> None:
    context.server.notifier.subscribe(sink)
    context.server.notifier.publish_to(sink, notice)


@quick(NotifyUnSubscribe)
def notify_unsubscribe(context: Quick, call: NotifyUnSubscribe) -> Result:
    """End a subscription."""
    context.server.notifier.unsubscribe(context.session, call.connection)
    return Result()


@quick(NotifyUnSubscribeMulti)
def notify_unsubscribe_multi(context: Quick, call: NotifyUnSubscribeMulti) -> Result:
    """End several subscriptions."""
    for connection in call.connections:
        context.server.notifier.unsubscribe(context.session, connection)
    return Result()


@quick(NotifyGetItems)
def notify_get_items(context: Quick, call: NotifyGetItems) -> Deferred[NotifyGetItemsReply]:
    """Wait for notices of the session's group; nothing is here when the minute has passed."""
    deliveries: Deferred[list[Delivery]] = context.server.notifier.poll(context.session)
    return deliveries.addCallback(NotifyGetItemsReply)


@reads(Notify)
def notify(context: Context, call: Notify) -> NotifyReply:
    """Announce a delivered mail to those who watch its store or folder."""
    delivery = required(call.notification, "sNotification")
    notice = delivery.notice
    if not isinstance(notice, NewMailNotice) or notice.event != Event.NEW_MAIL:
        raise InvalidParameter("only new mail can be announced")
    if not notice.entryid or not notice.parent:
        raise InvalidParameter("a new mail needs its entry id and that of its folder")
    folder = locate.folder_by_entryid(context.tx, notice.parent)
    message = locate.message_by_entryid(context.tx, notice.entryid)
    if message.folder_id != folder.id:
        raise NotFound("the message is not in that folder")
    rights.require_folder(context.tx, context.actor, folder, Rights.CREATE)
    store = locate.store_by_id(context.tx, folder.store_id)
    context.after.append(partial(context.server.notifier.publish_new_mail, store.entryid, notice))
    return NotifyReply()
