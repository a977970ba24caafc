"""The rows of contents tables, read in bulk: a fixed number of statements whatever the number of messages.

A row is ``(hierarchy id, {canonical tag: full value})``; a property the message does not have is left out, text
is not cut. Rows come in natural order, newest first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from enum import Enum
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from gateway.mapi import proptags as p
from gateway.mapi.props import MV_FLAG, Props, PropTag, canonical
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.storeserver import (
    identity,
    likely,
    loading,
    locate,
    outgoing,
    properties,
    rights,
    rowcontext,
    schema,
    values,
)
from gateway.storeserver.accounts import Actor
from gateway.storeserver.database import Transaction
from gateway.storeserver.likely import Likely
from gateway.storeserver.locate import Store
from gateway.storeserver.saving import SPILLED
from gateway.storeserver.schema import ASSOCIATED, DELETED
from gateway.storeserver.values import Long
from gateway.storeserver.writable import HASATTACH, READ

_m: Final = schema.messages.c
PR_LONGTERM_ENTRYID_FROM_TABLE: Final = 0x66700102
Rows: TypeAlias = "list[tuple[int, Props]]"


class RowKind(Enum):
    """Which messages of a folder; the value is their ``state``."""

    NORMAL = 0
    ASSOCIATED = ASSOCIATED
    DELETED = DELETED
    DELETED_ASSOCIATED = DELETED | ASSOCIATED


#: Columns of a table that are columns of the database.
_DIRECT: Final[dict[PropTag, sa.ColumnElement[Any]]] = {
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
_NULLABLE: Final = frozenset({p.PR_MESSAGE_DELIVERY_TIME, p.PR_DELETED_ON})


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
_BY_OWNER: Final = frozenset({p.PR_ACCESS, p.PR_ACCESS_LEVEL, p.PR_RIGHTS})
_COMPUTED: Final = (
    _DIRECT.keys() | _DERIVED.keys() | _BY_OWNER | rowcontext.MESSAGE_TAGS | {p.PR_NORMALIZED_SUBJECT}
)


class _Plan:
    """Which statement serves a set of columns, and how its result becomes rows."""

    def __init__(self, columns: Iterable[PropTag]) -> None:
        wanted = {canonical(tag) for tag in columns} - properties.NOT_IN_TABLES
        self.context = wanted & rowcontext.MESSAGE_TAGS
        self.by_owner = wanted & _BY_OWNER
        self.direct = [tag for tag in wanted if tag in _DIRECT]
        self.derived = [tag for tag in wanted if tag in _DERIVED]
        self.normalized = p.PR_NORMALIZED_SUBJECT in wanted
        stored = wanted - _COMPUTED
        if self.normalized:
            stored = stored | {p.PR_SUBJECT, p.PR_SUBJECT_PREFIX}
        self.hot = [tag for tag in stored if properties.may_be_hot(tag)]
        self.cold = [tag for tag in stored if not properties.may_be_hot(tag)]
        self.columns: list[sa.ColumnElement[Any]] = [_m.id, *[_DIRECT[tag] for tag in self.direct]]
        self.owner_at = self._add(_m.owner_id) if self.by_owner else 0
        self.hot_at = self._add(_m.hot) if self.hot else 0
        self.cold_at = self._add(schema.details.c.props) if self.cold else 0
        self.derive = [
            (_DERIVED[tag][0], [self._add(column) for column in _DERIVED[tag][1]]) for tag in self.derived
        ]

    def _add(self, column: sa.ColumnElement[Any]) -> int:
        self.columns.append(column)
        return len(self.columns) - 1

    def select(self) -> sa.Select[Any]:
        """The statement, without a condition."""
        query = sa.select(*[column.label(f"c{number}") for number, column in enumerate(self.columns)])
        query = query.select_from(schema.messages)
        if self.cold:
            # Every message has such a row.
            query = query.join(schema.details, schema.details.c.object_id == _m.id)
        return query


def message_ids(tx: Transaction, actor: Actor, folder_id: int, kind: RowKind = RowKind.NORMAL) -> list[int]:
    """The hierarchy ids of a folder's messages that the actor may see, newest first."""
    query = sa.select(_m.id).where(_visible(tx, actor, folder_id, kind))
    return sorted(tx.connection.execute(query).scalars(), reverse=True)


def _visible(tx: Transaction, actor: Actor, folder_id: int, kind: RowKind) -> sa.ColumnElement[bool]:
    condition = (_m.folder_id == folder_id) & (_m.state == kind.value)
    folder = locate.folder_by_id(tx, folder_id, deleted=None)
    if not rights.in_folder(tx, actor, folder_id, folder.store_id) & Rights.READ_ANY:
        # Creators may read what they created.
        condition &= _m.owner_id == actor.user_id
    return condition


def message_rows(
    tx: Transaction,
    actor: Actor,
    folder_id: int,
    columns: Iterable[PropTag],
    kind: RowKind = RowKind.NORMAL,
    *,
    ids: Sequence[int] | None = None,
    min_imap_id: int | None = None,
    max_imap_id: int | None = None,
    wanted: Likely | None = None,
) -> Rows:
    """The rows of a folder's messages that the actor may read, or of those among ``ids``, newest first.

    ``min_imap_id`` and ``max_imap_id`` leave out messages with a smaller or a larger PR_EC_IMAP_ID, ``wanted`` such
    as certainly do not fulfil it.
    """
    condition = _visible(tx, actor, folder_id, kind)
    if min_imap_id is not None:
        condition &= _m.imap_id >= min_imap_id
    if max_imap_id is not None:
        condition &= _m.imap_id <= max_imap_id
    fulfils = None if wanted is None or _is_computed(wanted) else likely.condition(wanted)
    if fulfils is not None:
        condition &= fulfils
    plan = _Plan(columns)
    if ids is None:
        return _read(tx, actor, folder_id, plan, condition)
    found: Rows = []
    for chunk in locate.chunks(ids):
        found += _read(tx, actor, folder_id, plan, condition & _m.id.in_(chunk))
    return sorted(found, key=lambda row: row[0], reverse=True)


def _is_computed(wanted: Likely) -> bool:
    """Whether any of what is wanted is not stored, but made for the row."""
    if isinstance(wanted, likely.Text):
        return wanted.tag in _COMPUTED
    return any(map(_is_computed, wanted.parts))


def rows_of_messages(
    tx: Transaction,
    actor: Actor,
    ids: Sequence[int],
    columns: Iterable[PropTag],
    kind: RowKind = RowKind.NORMAL,
) -> Rows:
    """The rows of messages of any folders that the actor may read, in the order of the ids."""
    columns = tuple(columns)
    by_folder: dict[int, list[int]] = {}
    for chunk in locate.chunks(ids):
        for id_, folder_id in tx.connection.execute(sa.select(_m.id, _m.folder_id).where(_m.id.in_(chunk))):
            by_folder.setdefault(folder_id, []).append(id_)
    found: dict[int, Props] = {}
    for folder_id, inside in by_folder.items():
        found.update(message_rows(tx, actor, folder_id, columns, kind, ids=inside))
    return [(id_, found[id_]) for id_ in ids if id_ in found]


def _read(
    tx: Transaction, actor: Actor, folder_id: int, plan: _Plan, condition: sa.ColumnElement[bool]
) -> Rows:
    result = tx.connection.execute(plan.select().where(condition)).all()
    if len(result) <= locate.CHUNK:
        condition = _m.id.in_([row[0] for row in result])  # what was left out need not be looked at again
    width = 1 + len(plan.direct)
    rows: Rows = [(row[0], dict(zip(plan.direct, row[1:width], strict=True))) for row in result]
    for tag in _NULLABLE.intersection(plan.direct):
        for _, found in rows:
            if found[tag] is None:
                del found[tag]
    if plan.hot:
        _fill_hot(tx, plan, condition, result, rows)
    if plan.cold:
        _fill_cold(plan.cold, [row[plan.cold_at] for row in result], rows)
        _fill_long(tx, plan.cold, condition, rows)
    for derive, places in plan.derive:
        for row, (_, found) in zip(result, rows, strict=True):
            found.update(derive(tx, *[row[place] for place in places]))
    _fill_context(tx, actor, folder_id, plan, result, rows)
    rows.sort(key=lambda row: row[0], reverse=True)
    return rows


def _fill_hot(
    tx: Transaction, plan: _Plan, condition: sa.ColumnElement[bool], result: Sequence[Any], rows: Rows
) -> None:
    unpack, tags, place = properties.unpack_raw, plan.hot, plan.hot_at
    spilled: Rows = []
    for row, entry in zip(result, rows, strict=True):
        hot = unpack(row[place])
        found = entry[1]
        for tag in tags:
            if tag in hot:
                found[tag] = tuple(hot[tag]) if tag & MV_FLAG else hot[tag]
        if SPILLED in hot:
            spilled.append(entry)
    if spilled:
        _fill_spilled(tx, tags, condition, spilled)
    if plan.normalized:
        for _, found in rows:
            if p.PR_SUBJECT in found:
                found[p.PR_NORMALIZED_SUBJECT] = normalized_subject(found[p.PR_SUBJECT])


def _fill_spilled(
    tx: Transaction, tags: Sequence[PropTag], condition: sa.ColumnElement[bool], rows: Rows
) -> None:
    """Hot tags whose values were too long for the hot set are among the cold or the long ones."""
    for chunk in locate.chunks(rows):
        ids = [id_ for id_, _ in chunk]
        details = schema.details.c
        query = sa.select(details.object_id, details.props).where(details.object_id.in_(ids))
        packed = {row.object_id: row.props for row in tx.connection.execute(query)}
        _fill_cold(tags, [packed[id_] for id_ in ids], chunk)
        _fill_long(tx, tags, condition & _m.id.in_(ids), chunk)


def _fill_cold(tags: Collection[PropTag], packed: Sequence[Any], rows: Sequence[tuple[int, Props]]) -> None:
    unpack = properties.unpack_raw
    for data, (_, found) in zip(packed, rows, strict=True):
        cold = unpack(data)
        for tag in tags:
            if tag in cold:
                found[tag] = tuple(cold[tag]) if tag & MV_FLAG else cold[tag]


def _fill_long(
    tx: Transaction,
    tags: Collection[PropTag],
    condition: sa.ColumnElement[bool],
    rows: Sequence[tuple[int, Props]],
) -> None:
    long = schema.long_values.c
    query = (
        sa.select(long.object_id, long.tag, long.size, long.value)
        .join_from(schema.messages, schema.long_values, long.object_id == _m.id)
        .where(condition, long.tag.in_(list(tags)), long.value.is_not(None))
    )
    by_id = dict(rows)
    for object_id, tag, size, value in tx.connection.execute(query):
        if object_id in by_id:
            by_id[object_id][tag] = values.read_long(tx, tag, Long(size, None, bytes(value)))


def _fill_context(
    tx: Transaction, actor: Actor, folder_id: int, plan: _Plan, result: Sequence[Any], rows: Rows
) -> None:
    """What is the same for all rows, or only depends on whose they are."""
    if not rows:
        return
    if plan.context:
        folder = locate.folder_by_id(tx, folder_id, deleted=None)
        same = rowcontext.of_messages(tx, actor, folder, plan.context)
        for _, found in rows:
            found.update(same)
    if plan.by_owner:
        store_id = locate.folder_by_id(tx, folder_id, deleted=None).store_id
        granted = rights.in_folder(tx, actor, folder_id, store_id)
        mine = _access_props(granted | int(Rights.READ_ANY), own=True, wanted=plan.by_owner)
        others = _access_props(granted, own=False, wanted=plan.by_owner)
        for row, (_, found) in zip(result, rows, strict=True):
            found.update(mine if row[plan.owner_at] == actor.user_id else others)


def _access_props(granted: int, *, own: bool, wanted: Collection[PropTag]) -> Props:
    access = rights.access_bits(granted, own=own, folder=False)
    props = {
        p.PR_ACCESS: access,
        p.PR_ACCESS_LEVEL: rights.access_level(access),
        p.PR_RIGHTS: granted,
    }
    return {tag: value for tag, value in props.items() if tag in wanted}


def normalized_subject(subject: str) -> str:
    """The subject without a prefix of two or three letters, colon and blank."""
    prefix, colon, rest = subject.partition(":")
    if colon and 2 <= len(prefix) <= 3 and prefix.isalpha():
        return rest.removeprefix(" ")
    return subject


def part_rows(
    tx: Transaction, message_ids: Sequence[int], kind: PropTag, columns: Iterable[PropTag]
) -> dict[int, list[Props]]:
    """The recipients or attachments of messages, by message id (``kind``: PR_MESSAGE_RECIPIENTS, _ATTACHMENTS)."""
    wanted = {canonical(tag) for tag in columns}
    attachments = kind == p.PR_MESSAGE_ATTACHMENTS
    types = [ObjectType.ATTACHMENT] if attachments else [ObjectType.MAIL_USER, ObjectType.DISTRIBUTION_LIST]
    parts = schema.parts.c
    result: dict[int, list[Props]] = {}
    by_id: dict[int, Props] = {}
    for chunk in locate.chunks(message_ids):
        query = sa.select(parts.id, parts.message_id, parts.type, parts.props).where(
            parts.message_id.in_(chunk), parts.parent_id.in_(chunk), parts.type.in_([int(t) for t in types])
        )
        for id_, message_id, type_, packed in tx.connection.execute(query.order_by(parts.id)):
            props = properties.unpack(bytes(packed)) | {p.PR_OBJECT_TYPE: type_}
            by_id[id_] = {tag: value for tag, value in props.items() if tag in wanted}
            result.setdefault(message_id, []).append(by_id[id_])
        _long_of_parts(tx, chunk, wanted, by_id)
    return result


def _long_of_parts(
    tx: Transaction, message_ids: Sequence[int], wanted: set[PropTag], by_id: dict[int, Props]
) -> None:
    long = schema.long_values.c
    query = sa.select(long.object_id, long.tag, long.size, long.value).where(
        long.top_id.in_(message_ids), long.tag.in_(list(wanted)), long.value.is_not(None)
    )
    for object_id, tag, size, value in tx.connection.execute(query):
        if object_id in by_id:
            by_id[object_id][tag] = values.read_long(tx, tag, Long(size, None, bytes(value)))


def queue_ids(tx: Transaction, actor: Actor, store: Store | None) -> list[int]:
    """The messages in a store's local queue, or without a store in the master queue, oldest first."""
    return list(outgoing.queued(tx, actor, store))


def queue_rows(
    tx: Transaction,
    actor: Actor,
    store: Store | None,
    columns: Iterable[PropTag],
    ids: Sequence[int] | None = None,
) -> Rows:
    """The rows of a queue, or of those among ``ids``, oldest first."""
    queued = outgoing.queued(tx, actor, store)
    wanted = list(queued) if ids is None else [id_ for id_ in queued if id_ in set(ids)]
    columns = {canonical(tag) for tag in columns}
    rows = rows_of_messages(tx, actor, wanted, columns)
    if p.PR_EC_OUTGOING_FLAGS in columns:
        for id_, found in rows:
            found[p.PR_EC_OUTGOING_FLAGS] = queued[id_]
    return rows


def available_tags(
    tx: Transaction, actor: Actor, folder_id: int, kind: RowKind = RowKind.NORMAL, sampled: int = 100
) -> set[PropTag]:
    """The tags that rows of this folder can have: the computed ones and those of some messages."""
    result = set(_COMPUTED)
    ids = message_ids(tx, actor, folder_id, kind)[:sampled]
    details, long = schema.details.c, schema.long_values.c
    packed = [
        *tx.connection.execute(sa.select(_m.hot).where(_m.id.in_(ids))).scalars(),
        *tx.connection.execute(sa.select(details.props).where(details.object_id.in_(ids))).scalars(),
    ]
    for data in packed:
        result |= properties.unpack(bytes(data)).keys()
    result |= set(tx.connection.execute(sa.select(long.tag).where(long.object_id.in_(ids))).scalars())
    return result - {SPILLED} - properties.NOT_IN_TABLES
