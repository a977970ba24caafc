"""Notices: what a store tells its subscribers. A notice is a hint; the truth is read from the store."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import TypeAlias

from gateway.mapi.props import Prop, PropTag


class Event(IntFlag):
    """Event bits of a subscription and of a notice."""

    CRITICAL_ERROR = 1
    NEW_MAIL = 2
    CREATED = 4
    DELETED = 8
    MODIFIED = 0x10
    MOVED = 0x20
    COPIED = 0x40
    SEARCH_COMPLETE = 0x80
    TABLE_MODIFIED = 0x100
    ONLY_MESSAGES = 0x10000
    ONLY_FOLDERS = 0x20000
    NO_COUNTERS = 0x40000
    ICS = 0x80000001

    OBJECT = NEW_MAIL | CREATED | DELETED | MODIFIED | MOVED | COPIED


@dataclass(frozen=True, slots=True)
class ObjectNotice:
    """A store, folder or message was created, changed, moved, copied or deleted."""

    event: int
    entryid: bytes | None
    object_type: int
    parent: bytes | None = None
    old: bytes | None = None
    old_parent: bytes | None = None
    tags: tuple[PropTag, ...] | None = None


@dataclass(frozen=True, slots=True)
class NewMailNotice:
    """A delivery agent announced a mail."""

    event: int
    entryid: bytes | None
    parent: bytes | None
    message_class: str | None
    message_flags: int


@dataclass(frozen=True, slots=True)
class TableNotice:
    """A row of an open table changed."""

    event: int
    table_event: int
    object_type: int
    result: int
    index: Prop
    prior: Prop
    row: tuple[Prop, ...] | None = None


@dataclass(frozen=True, slots=True)
class ChangeNotice:
    """A folder that is being synchronised has newer changes."""

    event: int
    sync_id: int
    change_id: int
    change_type: int


Notice: TypeAlias = ObjectNotice | NewMailNotice | TableNotice | ChangeNotice


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice together with the connection number it was subscribed under."""

    connection: int
    notice: Notice
