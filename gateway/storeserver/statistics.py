"""The statistics tables: what the server is doing, who is logged on, who has how much."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from gateway.mapi import proptags as pt
from gateway.mapi.errors import NotFound, NotSupported
from gateway.mapi.props import PT_STRING8, Props, PropTag
from gateway.mapi.tables import TableType
from gateway.storeserver import accounts, address_book, groups
from gateway.storeserver.context import Context, Server
from gateway.storeserver.database import Transaction
from gateway.storeserver.likely import Likely
from gateway.storeserver.sessions import Session

# Columns of the statistics tables; the store's own numbers (0x6740 and following)
PR_STATS_DESCRIPTION: Final = 0x6740001F
PR_STATS_VALUE: Final = 0x6741001F
PR_SESSION_ID: Final = 0x67420014
PR_SESSION_ADDRESS: Final = 0x6743001F
PR_SESSION_IDLE: Final = 0x67440003
PR_SESSION_CAPABILITIES: Final = 0x67450003
PR_SESSION_LOCKED: Final = 0x6746000B
PR_SESSION_BUSY: Final = 0x6747101F
PR_SESSION_GROUP: Final = 0x674D0014
PR_CLIENT_VERSION: Final = 0x674F001F
PR_APPLICATION: Final = 0x6750001F
PR_REQUESTS: Final = 0x67510003
PR_APPLICATION_VERSION: Final = 0x6754001F
PR_APPLICATION_MISC: Final = 0x6755001F
_KB: Final = 1024
_STAT_OBJECT: Final = 10
"""The object type Kopano gives rows of statistics."""

SYSTEM_COLUMNS: Final = tuple(
    tag & ~0xFFFF | PT_STRING8 for tag in (pt.PR_DISPLAY_NAME, PR_STATS_DESCRIPTION, PR_STATS_VALUE)
)
SESSION_COLUMNS: Final = (
    pt.PR_EC_USERNAME,
    PR_SESSION_ID,
    PR_SESSION_GROUP,
    PR_CLIENT_VERSION,
    PR_APPLICATION,
    PR_APPLICATION_VERSION,
    PR_APPLICATION_MISC,
    PR_SESSION_ADDRESS,
    PR_SESSION_IDLE,
    PR_SESSION_CAPABILITIES,
    PR_SESSION_LOCKED,
    PR_SESSION_BUSY,
    PR_REQUESTS,
)
USER_COLUMNS: Final = (
    pt.PR_EC_USERNAME,
    pt.PR_DISPLAY_NAME,
    pt.PR_SMTP_ADDRESS,
    pt.PR_EC_NONACTIVE,
    pt.PR_EC_ADMINISTRATOR,
    pt.PR_MESSAGE_SIZE_EXTENDED,
    pt.PR_QUOTA_WARNING_THRESHOLD,
    pt.PR_QUOTA_SEND_THRESHOLD,
    pt.PR_QUOTA_RECEIVE_THRESHOLD,
)


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows that are made anew at every look (`tablesources.RowSource`)."""

    default_columns: tuple[PropTag, ...]
    list_rows: Callable[[Transaction], list[tuple[int, Props]]]
    newest_first: bool = False
    object_type: int = _STAT_OBJECT

    def ids(self, tx: Transaction) -> list[int]:
        """The numbers of the rows."""
        return [number for number, _ in self.list_rows(tx)]

    def rows(
        self, tx: Transaction, columns: Sequence[PropTag], ids: Sequence[int] | None = None
    ) -> list[tuple[int, Props]]:
        """The rows, or those of the numbers."""
        among = None if ids is None else set(ids)
        return [
            (number, {tag: values[tag] for tag in columns if tag in values})
            for number, values in self.list_rows(tx)
            if among is None or number in among
        ]

    def listed(self, tx: Transaction, tag: PropTag) -> None:
        """Nothing is gained."""

    def pages(
        self, tx: Transaction, columns: Sequence[PropTag], first: int, last: int, wanted: Likely | None
    ) -> Iterable[list[tuple[int, Props]]]:
        """All rows at once."""
        return [self.rows(tx, columns)]

    def parts(
        self, tx: Transaction, ids: Sequence[int], kind: PropTag, columns: Sequence[PropTag]
    ) -> dict[int, list[Props]]:
        """Statistics have no recipients."""
        return {}

    def available(self, tx: Transaction) -> set[PropTag]:
        """The tags that rows can have."""
        return set(self.default_columns)


def statistics_source(context: Context, table_type: int) -> Any:
    """The rows of a statistics table (NoAccess for anybody but administrators)."""
    server = context.server
    if table_type == TableType.MULTI_STORE:
        raise NotSupported("there are no tables over several stores")
    if table_type not in (TableType.STATS_SYSTEM, TableType.STATS_SESSIONS, TableType.STATS_USERS):
        raise NotFound(f"there is no table of type {table_type}")
    context.require_system()
    if table_type == TableType.STATS_SYSTEM:
        return Listing(SYSTEM_COLUMNS, lambda tx: _system(server))
    if table_type == TableType.STATS_SESSIONS:
        return Listing(SESSION_COLUMNS, lambda tx: _sessions(server))
    return Listing(USER_COLUMNS, _users)


def counters(server: Server) -> dict[str, tuple[str, int]]:
    """What the server counts: description and number by key."""
    return {
        "sessions": ("Number of sessions", len(server.sessions)),
        "session_groups": ("Number of session groups", server.notifier.groups),
        "subscriptions": ("Number of subscriptions", server.notifier.subscriptions),
        "parked_polls": ("Clients that wait for notices", server.notifier.parked),
        "tables": ("Number of open tables", server.tables.count),
        "requests": ("Calls answered since the start", server.answered),
    }


def _system(server: Server) -> list[tuple[int, Props]]:
    return [
        (
            number,
            {pt.PR_DISPLAY_NAME: key, PR_STATS_DESCRIPTION: description, PR_STATS_VALUE: str(value)},
        )
        for number, (key, (description, value)) in enumerate(counters(server).items(), 1)
    ]


def _sessions(server: Server) -> list[tuple[int, Props]]:
    now = server.reactor.seconds()
    return [(number, _session(session, now)) for number, session in enumerate(server.sessions, 1)]


def _session(session: Session, now: float) -> Props:
    client = session.client
    return {
        pt.PR_EC_USERNAME: session.user_name,
        # PT_LONGLONG is signed
        PR_SESSION_ID: session.id - (1 << 64 if session.id >> 63 else 0),
        PR_SESSION_GROUP: session.group - (1 << 64 if session.group >> 63 else 0),
        PR_CLIENT_VERSION: client.version,
        PR_APPLICATION: client.application,
        PR_APPLICATION_VERSION: client.application_version,
        PR_APPLICATION_MISC: client.misc,
        PR_SESSION_ADDRESS: session.peer.address,
        PR_SESSION_IDLE: max(0, int(now - session.last_used)),
        PR_SESSION_CAPABILITIES: session.capabilities,
        PR_SESSION_LOCKED: bool(session.busy),
        PR_SESSION_BUSY: ("notifyGetItems",) * session.busy,
        PR_REQUESTS: session.requests,
    }


def _users(tx: Transaction) -> list[tuple[int, Props]]:
    return [(account.id, _user(tx, account)) for account in accounts.accounts(tx, groups=False)]


def _user(tx: Transaction, account: accounts.Account) -> Props:
    props = address_book.account_props(tx, account)
    levels = groups.quota(tx, account.id)
    props |= {
        pt.PR_EC_USERNAME: account.name,
        pt.PR_QUOTA_WARNING_THRESHOLD: levels.warn // _KB,
        pt.PR_QUOTA_SEND_THRESHOLD: levels.soft // _KB,
        pt.PR_QUOTA_RECEIVE_THRESHOLD: levels.hard // _KB,
    }
    with suppress(NotFound):
        props[pt.PR_MESSAGE_SIZE_EXTENDED] = groups.quota_status(tx, accounts.SYSTEM, account)[0]
    return props
