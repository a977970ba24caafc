"""Tables: what can be listed, in which order (MS-OXCTABL, with Kopano's numbers)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TypeAlias

from gateway.mapi.props import Prop, PropTag


class ObjectType(IntEnum):
    """MAPI object types."""

    STORE = 1
    ADDRESS_BOOK = 2
    FOLDER = 3
    AB_CONTAINER = 4
    MESSAGE = 5
    MAIL_USER = 6
    ATTACHMENT = 7
    DISTRIBUTION_LIST = 8


class TableType(IntEnum):
    """What a table lists."""

    MS = 1
    """Messages or folders of a folder."""
    AB = 2
    OUTGOING_QUEUE = 3
    MULTI_STORE = 4
    STATS_SYSTEM = 5
    STATS_SESSIONS = 6
    STATS_USERS = 7
    STATS_COMPANY = 8
    USER_STORES = 9
    MAILBOXES = 10
    STATS_SERVERS = 11


class TableFlags(IntFlag):
    """Flags of tableOpen."""

    CONVENIENT_DEPTH = 1
    SHOW_SOFT_DELETES = 2
    ASSOCIATED = 0x40
    NOCAP = 0x40000000
    UNICODE = 0x80000000


class SortDirection(IntEnum):
    """Order of one sort key."""

    ASCENDING = 0
    DESCENDING = 1
    COMBINE = 2
    CATEGORY_MAX = 4
    CATEGORY_MIN = 8


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of a sort order."""

    tag: PropTag
    direction: int = SortDirection.ASCENDING


class Bookmark(IntEnum):
    """Fixed positions of a table."""

    BEGINNING = 0
    CURRENT = 1
    END = 2


#: A row: the asked columns in the asked order, missing ones as ``(id | PT_ERROR, code)``.
Row: TypeAlias = list[Prop]
