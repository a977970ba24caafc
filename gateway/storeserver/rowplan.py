"""Which statements serve the columns of a contents table, and how their results become rows.

What is a column of the database is read as such; the rest is unpacked from the hot set in the message's row, from
`schema.details`, or computed. Plans are kept, for clients ask for the same columns again and again.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from gateway.mapi import proptags as p
from gateway.mapi.props import Props, PropTag, canonical
from gateway.storeserver import identity, likely, loading, properties, rowcontext, schema
from gateway.storeserver.database import Transaction
from gateway.storeserver.likely import Likely
from gateway.storeserver.schema import ASSOCIATED, DELETED
from gateway.storeserver.statements import Statement
from gateway.storeserver.writable import HASATTACH, READ

_m: Final = schema.messages.c
PR_LONGTERM_ENTRYID_FROM_TABLE: Final = 0x66700102


class RowKind(Enum):
    """Which messages of a folder; the value is their ``state``."""

    NORMAL = 0
    ASSOCIATED = ASSOCIATED
    DELETED = DELETED
    DELETED_ASSOCIATED = DELETED | ASSOCIATED


#: Columns of a table that are columns of the database.
DIRECT: Final[dict[PropTag, sa.ColumnElement[Any]]] = {
    p.PR_ENTRYID: _m.entryid,
    PR_LONGTERM_ENTRYID_FROM_TABLE: _m.entryid,
    p.PR_RECORD_KEY: _m.entryid,
    p.PR_SOURCE_KEY: _m.source_key,
    p.PR_EC_HIERARCHYID: _m.id,
    p.PR_EC_IMAP_ID: _m.imap_id,
    p.PR_MESSAGE_FLAGS: _m.message_flags,
    p.PR_MSG_STATUS: sa.func.coalesce(_m.status, 0),
    p.PR_MESSAGE_SIZE: _m.size,
    p.PR_CREATION_TIME: _m.created,
    p.PR_LAST_MODIFICATION_TIME: _m.modified,
    p.PR_MESSAGE_DELIVERY_TIME: _m.delivered,
    p.PR_DELETED_ON: _m.deleted_on,
}
NULLABLE: Final = frozenset({p.PR_MESSAGE_DELIVERY_TIME, p.PR_DELETED_ON})


def _has_attachment(_: Transaction, flags: int) -> Props:
    return {p.PR_HASATTACH: bool(flags & HASATTACH)}


def _associated(_: Transaction, state: int) -> Props:
    return {p.PR_ASSOCIATED: bool(state & ASSOCIATED)}


def _unread(_: Transaction, flags: int) -> Props:
    return {p.PR_CONTENT_UNREAD: int(not flags & READ)}


def _change_key(tx: Transaction, change_id: int, change_key: bytes | None) -> Props:
    return {p.PR_CHANGE_KEY: identity.change_key(tx, change_id, change_key)}


def _modifier(tx: Transaction, modifier_id: int) -> Props:
    return loading.modifier_props(tx, modifier_id)


_Derive: TypeAlias = "Callable[..., Props]"
#: Columns computed from columns of the database.
_DERIVED: Final[dict[PropTag, tuple[_Derive, tuple[sa.ColumnElement[Any], ...]]]] = {
    p.PR_HASATTACH: (_has_attachment, (_m.message_flags,)),
    p.PR_ASSOCIATED: (_associated, (_m.state,)),
    p.PR_CONTENT_UNREAD: (_unread, (_m.message_flags,)),
    p.PR_CHANGE_KEY: (_change_key, (_m.change_id, _m.change_key)),
    p.PR_LAST_MODIFIER_NAME: (_modifier, (_m.modifier_id,)),
    p.PR_LAST_MODIFIER_ENTRYID: (_modifier, (_m.modifier_id,)),
}
BY_OWNER: Final = frozenset({p.PR_ACCESS, p.PR_ACCESS_LEVEL, p.PR_RIGHTS})
COMPUTED: Final = (
    DIRECT.keys() | _DERIVED.keys() | BY_OWNER | rowcontext.MESSAGE_TAGS | {p.PR_NORMALIZED_SUBJECT}
)


_HIDDEN: Final = properties.NOT_IN_TABLES - {p.PR_EC_IMAP_EMAIL}
OF_FOLDER: Final = (
    _m.folder_id == sa.bindparam("folder"),
    _m.state == sa.bindparam("state"),
    # Creators may read what they created, others by the rights on the folder.
    (sa.bindparam("anyone", type_=sa.Integer) == 1) | (_m.owner_id == sa.bindparam("owner")),
)


class Plan:
    """How a set of columns is read. Rows of its statements begin with hierarchy id and PR_EC_IMAP_ID."""

    def __init__(self, columns: frozenset[PropTag]) -> None:
        wanted = {canonical(tag) for tag in columns} - _HIDDEN
        self.context = wanted & rowcontext.MESSAGE_TAGS
        self.by_owner = wanted & BY_OWNER
        self.direct = [tag for tag in wanted if tag in DIRECT]
        self.nullable = NULLABLE.intersection(self.direct)
        self.normalized = p.PR_NORMALIZED_SUBJECT in wanted
        stored = wanted - COMPUTED
        if self.normalized:
            stored = stored | {p.PR_SUBJECT, p.PR_SUBJECT_PREFIX}
        self.hot = [tag for tag in stored if properties.may_be_hot(tag)]
        self.cold = [tag for tag in stored if not properties.may_be_hot(tag)]
        self._columns: list[sa.ColumnElement[Any]] = [_m.id, _m.imap_id, *[DIRECT[tag] for tag in self.direct]]
        self.direct_end = len(self._columns)
        self.owner_at = self._add(_m.owner_id) if self.by_owner else 0
        self.hot_at = self._add(_m.hot) if self.hot else 0
        self.cold_at = self._add(schema.details.c.props) if self.cold else 0
        self.derive = [
            (_DERIVED[tag][0], [self._add(column) for column in _DERIVED[tag][1]])
            for tag in wanted
            if tag in _DERIVED
        ]

    def _add(self, column: sa.ColumnElement[Any]) -> int:
        self._columns.append(column)
        return len(self._columns) - 1

    def _select(self) -> sa.Select[Any]:
        query = sa.select(*[column.label(f"c{number}") for number, column in enumerate(self._columns)])
        query = query.select_from(schema.messages)
        if self.cold:
            # Every message has such a row.
            query = query.join(schema.details, schema.details.c.object_id == _m.id)
        return query.where(*OF_FOLDER)

    @cached_property
    def by_ids(self) -> Statement:
        """Those of the ``ids`` that are in the folder."""
        return Statement(self._select().where(_m.id.in_(sa.bindparam("ids", expanding=True))))

    @cached_property
    def by_itself(self) -> Statement:
        """Hierarchy id and the first column, of all."""
        return Statement(sa.select(_m.id, DIRECT[self.direct[0]]).where(*OF_FOLDER))

    @cached_property
    def in_range(self) -> Statement:
        """The first ``count`` of those with a PR_EC_IMAP_ID above ``after`` and up to ``last``, by that."""
        return Statement(self._range())

    def fulfilling(self, wanted: Likely) -> Statement:
        """Like `in_range`, without messages that certainly do not fulfil what is wanted of these columns."""
        condition = likely.condition(wanted) if self._knows(wanted) else None
        return self.in_range if condition is None else Statement(self._range().where(condition))

    def _knows(self, wanted: Likely) -> bool:
        """Whether all that is wanted is stored, and read by this plan."""
        if isinstance(wanted, likely.Text):
            return wanted.tag in self.hot or wanted.tag in self.cold
        if isinstance(wanted, likely.Attached):
            return True
        return all(map(self._knows, wanted.parts))

    def _range(self) -> sa.Select[Any]:
        between = (_m.imap_id > sa.bindparam("after"), _m.imap_id <= sa.bindparam("last"))
        return self._select().where(*between).order_by(_m.imap_id).limit(sa.bindparam("count"))


def listing(tag: PropTag) -> Statement | None:
    """Hierarchy id and one column of the database; None when the property is none."""
    plan = plan_of(frozenset((tag,)))
    return plan.by_itself if plan.direct == [tag] else None


@lru_cache(maxsize=256)
def plan_of(columns: frozenset[PropTag]) -> Plan:
    """The plan for these columns."""
    return Plan(columns)
