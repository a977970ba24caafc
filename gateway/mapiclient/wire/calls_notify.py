"""Calls about notices: subscribe, and wait for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from gateway.mapi.notices import Delivery
from gateway.mapiclient.wire.calls_session import Result
from gateway.mapiclient.wire.schema import Call, Wait, field, maybe, uint
from gateway.mapiclient.wire.structs import DELIVERIES, SUBSCRIPTION, SUBSCRIPTIONS, Subscription
from gateway.mapiclient.wire.values import TAGS


@dataclass(frozen=True, slots=True)
class NotifySubscribe(Call[Result]):
    """Subscribe to one object, table or synchronisation."""

    name: ClassVar = "notifySubscribe"
    idempotent: ClassVar = True
    subscription: Annotated[Subscription | None, maybe("notifySubscribe", SUBSCRIPTION)]


@dataclass(frozen=True, slots=True)
class NotifySubscribeMulti(Call[Result]):
    """Subscribe to several, all or none."""

    name: ClassVar = "notifySubscribeMulti"
    idempotent: ClassVar = True
    subscriptions: Annotated[Sequence[Subscription] | None, maybe("notifySubscribeArray", SUBSCRIPTIONS)]


@dataclass(frozen=True, slots=True)
class NotifyUnSubscribe(Call[Result]):
    """End a subscription; unknown numbers are accepted."""

    name: ClassVar = "notifyUnSubscribe"
    idempotent: ClassVar = True
    connection: Annotated[int, uint("ulConnection")]


@dataclass(frozen=True, slots=True)
class NotifyUnSubscribeMulti(Call[Result]):
    """End several subscriptions."""

    name: ClassVar = "notifyUnSubscribeMulti"
    idempotent: ClassVar = True
    connections: Annotated[Sequence[int], field("ulConnectionArray", TAGS)]


@dataclass(frozen=True, slots=True)
class NotifyGetItemsReply:
    """What happened; nothing when the server's minute passed."""

    notifications: Annotated[Sequence[Delivery] | None, maybe("pNotificationArray", DELIVERIES)] = None
    er: Annotated[int, uint("er")] = 0


@dataclass(frozen=True, slots=True)
class NotifyGetItems(Call[NotifyGetItemsReply]):
    """Wait for notices of the session group. Answered notices are gone, so it is never sent twice."""

    name: ClassVar = "notifyGetItems"
    kind: ClassVar = Wait.POLL
    reply_element: ClassVar = "notifyResponse"
