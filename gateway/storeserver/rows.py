"""The rows of contents tables, read in bulk: a fixed number of statements whatever the number of messages.

A row is ``(hierarchy id, {canonical tag: full value})``; a property the message does not have is left out, text
is not cut. Rows come in natural order, newest first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from gateway.mapi import proptags as p
from gateway.mapi.props import MV_FLAG, Props, PropTag, Value, canonical
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.storeserver import (
    locate,
    outgoing,
    properties,
    rights,
    rowcontext,
    schema,
)
from gateway.storeserver.accounts import Actor
from gateway.storeserver.database import Transaction
from gateway.storeserver.likely import Likely
from gateway.storeserver.locate import Store
from gateway.storeserver.rowplan import COMPUTED, OF_FOLDER, Plan, RowKind, listing, plan_of
from gateway.storeserver.saving import SPILLED
from gateway.storeserver.statements import Statement

_m: Final = schema.messages.c
#: Stored mails are a column of tables with so many rows at the most.
MOST_ORIGINALS: Final = 200
PAGE: Final = 1_000
"""Rows that are read at once."""
_LAST_UID: Final = 0xFFFF_FFFF
_RECIPIENT: Final = (int(ObjectType.MAIL_USER), int(ObjectType.DISTRIBUTION_LIST))
_ATTACHMENT: Final = (int(ObjectType.ATTACHMENT),)
_BY_ID: Final = itemgetter(0)
_WANTED: Final[sa.BindParameter[Any]] = sa.bindparam("ids", expanding=True)
_FOLDERS_OF: Final = Statement(sa.select(_m.id, _m.folder_id).where(_m.id.in_(_WANTED)))
_DETAILS_OF: Final = Statement(
    sa.select(schema.details.c.object_id, schema.details.c.props).where(schema.details.c.object_id.in_(_WANTED))
)
_l: Final = schema.long_values.c
_LONG: Final = sa.select(_l.object_id, _l.tag, _l.value).where(
    _l.tag.in_(sa.bindparam("tags", expanding=True)), _l.value.is_not(None)
)
_LONG_OF: Final = Statement(_LONG.where(_l.object_id.in_(_WANTED)))
_LONG_INSIDE: Final = Statement(_LONG.where(_l.top_id.in_(_WANTED)))
_ORIGINALS_OF: Final = Statement(
    sa.select(_l.object_id, schema.instances.c.data)
    .join_from(schema.long_values, schema.instances, schema.instances.c.id == _l.instance_id)
    .where(
        _l.object_id.in_(_WANTED),
        _l.tag == p.PR_EC_IMAP_EMAIL,
        schema.instances.c.data.is_not(None),
    )
)
_p: Final = schema.parts.c
_PARTS_OF: Final = Statement(
    sa.select(_p.id, _p.message_id, _p.type, _p.props)
    .where(
        _p.message_id.in_(_WANTED),
        _p.parent_id == _p.message_id,
        _p.type.in_(sa.bindparam("types", expanding=True)),
    )
    .order_by(_p.id)
)
Rows: TypeAlias = "list[tuple[int, Props]]"


_IDS: Final = Statement(sa.select(_m.id).where(*OF_FOLDER))


def message_ids(tx: Transaction, actor: Actor, folder_id: int, kind: RowKind = RowKind.NORMAL) -> list[int]:
    """The hierarchy ids of a folder's messages that the actor may see, newest first."""
    return sorted(tx.column(_IDS, **_visible(tx, actor, folder_id, kind)), reverse=True)


def _visible(tx: Transaction, actor: Actor, folder_id: int, kind: RowKind) -> dict[str, int]:
    """The parameters that choose the messages of a folder that the actor may read."""
    folder = locate.folder_by_id(tx, folder_id, deleted=None)
    anyone = bool(rights.in_folder(tx, actor, folder_id, folder.store_id) & Rights.READ_ANY)
    return {"folder": folder_id, "state": kind.value, "owner": actor.user_id, "anyone": int(anyone)}


def message_column(
    tx: Transaction, actor: Actor, folder_id: int, tag: PropTag, kind: RowKind = RowKind.NORMAL
) -> list[tuple[int, Value]] | None:
    """The ids of a folder's messages with one property each; None when it is no column of the database."""
    statement = listing(tag)
    return None if statement is None else tx.rows(statement, **_visible(tx, actor, folder_id, kind))


def message_rows(
    tx: Transaction,
    actor: Actor,
    folder_id: int,
    columns: Iterable[PropTag],
    kind: RowKind = RowKind.NORMAL,
    *,
    ids: Sequence[int] | None = None,
) -> Rows:
    """The rows of a folder's messages that the actor may read, or of those among ``ids``, newest first."""
    found: Rows = []
    if ids is None:
        for page in message_pages(tx, actor, folder_id, columns, kind):
            found += page
    else:
        plan, visible = plan_of(frozenset(columns)), _visible(tx, actor, folder_id, kind)
        for chunk in locate.chunks(ids):
            found += _read(tx, actor, folder_id, plan, tx.rows(plan.by_ids, ids=chunk, **visible))
    found.sort(key=_BY_ID, reverse=True)
    return found


def message_pages(
    tx: Transaction,
    actor: Actor,
    folder_id: int,
    columns: Iterable[PropTag],
    kind: RowKind = RowKind.NORMAL,
    *,
    first: int = 0,
    last: int = _LAST_UID,
    wanted: Likely | None = None,
    size: int = PAGE,
) -> Iterator[Rows]:
    """The rows of a folder's messages, some at a time, by PR_EC_IMAP_ID, which lies between ``first`` and ``last``.

    Messages that certainly do not fulfil what is wanted are left out.
    """
    plan, visible = plan_of(frozenset(columns)), _visible(tx, actor, folder_id, kind)
    statement = plan.in_range if wanted is None else plan.fulfilling(wanted)
    after = first - 1
    while True:
        page = tx.rows(statement, after=after, last=last, count=size, **visible)
        if page:
            yield _read(tx, actor, folder_id, plan, page)
        if len(page) < size:
            return
        after = page[-1][1]


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
        for id_, folder_id in tx.rows(_FOLDERS_OF, ids=chunk):
            by_folder.setdefault(folder_id, []).append(id_)
    found: dict[int, Props] = {}
    for folder_id, inside in by_folder.items():
        found.update(message_rows(tx, actor, folder_id, columns, kind, ids=inside))
    return [(id_, found[id_]) for id_ in ids if id_ in found]


def _read(tx: Transaction, actor: Actor, folder_id: int, plan: Plan, result: Sequence[Any]) -> Rows:
    """The rows behind what a statement of the plan gave."""
    direct, end = plan.direct, plan.direct_end
    rows: Rows = [(row[0], dict(zip(direct, row[2:end], strict=True))) for row in result]
    for tag in plan.nullable:
        for _, found in rows:
            if found[tag] is None:
                del found[tag]
    if plan.hot:
        _fill_hot(tx, plan, result, rows)
    if plan.cold:
        _fill_cold(plan.cold, [row[plan.cold_at] for row in result], rows)
        _fill_long(tx, plan.cold, rows)
    if p.PR_EC_IMAP_EMAIL in plan.cold:
        _fill_originals(tx, rows)
    for derive, places in plan.derive:
        for row, (_, found) in zip(result, rows, strict=True):
            found.update(derive(tx, *[row[place] for place in places]))
    _fill_context(tx, actor, folder_id, plan, result, rows)
    return rows


def _fill_hot(tx: Transaction, plan: Plan, result: Sequence[Any], rows: Rows) -> None:
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
        _fill_spilled(tx, tags, spilled)
    if plan.normalized:
        for _, found in rows:
            if p.PR_SUBJECT in found:
                found[p.PR_NORMALIZED_SUBJECT] = normalized_subject(found[p.PR_SUBJECT])


def _fill_spilled(tx: Transaction, tags: Sequence[PropTag], rows: Rows) -> None:
    """Hot tags whose values were too long for the hot set are among the cold or the long ones."""
    for chunk in locate.chunks(rows):
        packed = dict(tx.rows(_DETAILS_OF, ids=[id_ for id_, _ in chunk]))
        _fill_cold(tags, [packed[id_] for id_, _ in chunk], chunk)
    _fill_long(tx, tags, rows)


def _fill_cold(tags: Collection[PropTag], packed: Sequence[Any], rows: Sequence[tuple[int, Props]]) -> None:
    unpack = properties.unpack_raw
    for data, (_, found) in zip(packed, rows, strict=True):
        cold = unpack(data)
        for tag in tags:
            if tag in cold:
                found[tag] = tuple(cold[tag]) if tag & MV_FLAG else cold[tag]


def _fill_long(tx: Transaction, tags: Sequence[PropTag], rows: Sequence[tuple[int, Props]]) -> None:
    by_id = dict(rows)
    for chunk in locate.chunks(list(by_id)):
        for object_id, tag, value in tx.rows(_LONG_OF, ids=chunk, tags=tags):
            by_id[object_id][tag] = properties.unpack_value(tag, value)


def _fill_originals(tx: Transaction, rows: Rows) -> None:
    """Stored mails, if they are small and few: reading each by a call of its own costs ten times as much.

    This store's own addition; clients must be content with a column that has no value.
    """
    if len(rows) > MOST_ORIGINALS:
        return
    by_id = dict(rows)
    for object_id, data in tx.rows(_ORIGINALS_OF, ids=list(by_id)):
        by_id[object_id][p.PR_EC_IMAP_EMAIL] = data


def _fill_context(
    tx: Transaction, actor: Actor, folder_id: int, plan: Plan, result: Sequence[Any], rows: Rows
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
    types = _ATTACHMENT if attachments else _RECIPIENT
    result: dict[int, list[Props]] = {}
    by_id: dict[int, Props] = {}
    for chunk in locate.chunks(message_ids):
        for id_, message_id, type_, packed in tx.rows(_PARTS_OF, ids=chunk, types=types):
            props = properties.unpack(packed) | {p.PR_OBJECT_TYPE: type_}
            by_id[id_] = {tag: value for tag, value in props.items() if tag in wanted}
            result.setdefault(message_id, []).append(by_id[id_])
        _long_of_parts(tx, chunk, wanted, by_id)
    return result


def _long_of_parts(
    tx: Transaction, message_ids: Sequence[int], wanted: set[PropTag], by_id: dict[int, Props]
) -> None:
    for object_id, tag, value in tx.rows(_LONG_INSIDE, ids=message_ids, tags=list(wanted)):
        if object_id in by_id:
            by_id[object_id][tag] = properties.unpack_value(tag, value)


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
    result = set(COMPUTED)
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
