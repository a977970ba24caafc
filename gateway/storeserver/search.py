"""Search folders: what each one was told to show, and what it shows now.

A search folder keeps no result. Its rows are found when they are asked for, with the rights of the store's
owner, so they are always those of this moment, and a search is never "still running".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from gateway.mapi import restrictions as r
from gateway.mapi.errors import ErrorCode, InvalidParameter, MapiError
from gateway.mapi.notices import Event
from gateway.mapi.props import MV_FLAG, Prop, Props, PropTag
from gateway.mapi.rights import Rights
from gateway.storeserver import journal, locate, restrict, rights, rows, schema
from gateway.storeserver.accounts import Actor
from gateway.storeserver.database import Transaction
from gateway.storeserver.folders import SEARCH
from gateway.storeserver.locate import Folder
from gateway.storeserver.rows import Rows

STOP: Final = 1
RECURSIVE: Final = 4
_searches: Final = schema.searches
_SIMPLE: Final[dict[str, type[Any]]] = {
    cls.__name__: cls for cls in (r.Content, r.Property, r.CompareProps, r.Bitmask, r.Size, r.Exist)
}


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a search folder shows: messages of some folders that match."""

    restriction: r.Restriction
    folders: tuple[bytes, ...]
    """Entry ids."""
    recursive: bool


def _search_folder(tx: Transaction, entryid: bytes) -> Folder:
    folder = locate.folder_by_entryid(tx, entryid)
    if folder.type != SEARCH:
        raise InvalidParameter("this is not a search folder", code=ErrorCode.INVALID_PARAMETER)
    return folder


def set_criteria(
    tx: Transaction,
    actor: Actor,
    entryid: bytes,
    restriction: r.Restriction | None,
    folders: Sequence[bytes] | None,
    flags: int,
) -> None:
    """Tell a search folder what to show, or with STOP to show nothing (tableSetSearchCriteria)."""
    folder = _search_folder(tx, entryid)
    rights.require_edit(tx, actor, folder)
    where = _searches.c.folder_id == folder.id
    if flags & STOP:
        tx.connection.execute(_searches.delete().where(where))
        return
    if restriction is None or not folders:
        raise InvalidParameter("a search needs a restriction and folders")
    restrict.compiled(restriction)
    for target in folders:
        if locate.folder_by_entryid(tx, target).store_id != folder.store_id:
            raise InvalidParameter("only folders of the same store can be searched")
    tx.connection.execute(_searches.delete().where(where))
    row = {
        "folder_id": folder.id,
        "flags": flags & RECURSIVE,
        "restriction": msgspec.msgpack.encode(_plain(restriction)),
        "folders": msgspec.msgpack.encode([locate.plain(target) for target in folders]),
    }
    tx.connection.execute(_searches.insert(), row)
    store = locate.store_by_id(tx, folder.store_id)
    parent = locate.folder_by_id(tx, folder.parent_id) if folder.parent_id is not None else None
    journal.folder_event(tx, Event.SEARCH_COMPLETE, store, folder, parent=parent)


def criteria(tx: Transaction, actor: Actor, entryid: bytes) -> Criteria:
    """What a search folder shows (tableGetSearchCriteria; NOT_INITIALIZED when it was never told or stopped)."""
    folder = _search_folder(tx, entryid)
    rights.require_folder(tx, actor, folder, Rights.FOLDER_VISIBLE)
    found = _criteria(tx, folder.id)
    if found is None:
        raise MapiError("the search folder shows nothing", code=ErrorCode.NOT_INITIALIZED)
    return found


def _criteria(tx: Transaction, folder_id: int) -> Criteria | None:
    row = tx.connection.execute(sa.select(_searches).where(_searches.c.folder_id == folder_id)).one_or_none()
    if row is None:
        return None
    folders = msgspec.msgpack.decode(row.folders, type=list[bytes])
    restriction = _restriction(msgspec.msgpack.decode(row.restriction))
    return Criteria(restriction, tuple(folders), bool(row.flags & RECURSIVE))


def _plain(node: r.Restriction) -> list[Any]:
    """A restriction as lists, text and numbers."""
    name = type(node).__name__
    match node:
        case r.And(parts) | r.Or(parts):
            return [name, [_plain(part) for part in parts]]
        case r.Not(part):
            return [name, _plain(part)]
        case r.Sub(tag, part):
            return [name, tag, _plain(part)]
        case r.Comment(part, _):
            return [name, None if part is None else _plain(part)]
    return [name, *astuple(node)]


def _restriction(plain: list[Any]) -> r.Restriction:
    """The restriction of `_plain`."""
    name, *fields = plain
    match name:
        case "And":
            return r.And(tuple(_restriction(part) for part in fields[0]))
        case "Or":
            return r.Or(tuple(_restriction(part) for part in fields[0]))
        case "Not":
            return r.Not(_restriction(fields[0]))
        case "Sub":
            return r.Sub(fields[0], _restriction(fields[1]))
        case "Comment":
            return r.Comment(None if fields[0] is None else _restriction(fields[0]), ())
    if name in ("Content", "Property"):
        fields[2] = _prop(*fields[2])
    result: r.Restriction = _SIMPLE[name](*fields)
    return result


def _prop(tag: PropTag, value: Any) -> Prop:
    return tag, tuple(value) if tag & MV_FLAG else value


def result_ids(tx: Transaction, actor: Actor, folder: Folder) -> list[int]:
    """The messages that a search folder shows, newest first."""
    return [id_ for id_, _ in result_rows(tx, actor, folder, ())]


def result_rows(
    tx: Transaction,
    actor: Actor,
    folder: Folder,
    columns: Iterable[PropTag],
    ids: Sequence[int] | None = None,
) -> Rows:
    """The rows of the messages that a search folder shows, or of those among ``ids``, newest first."""
    found = _criteria(tx, folder.id)
    if found is None or not rights.on_folder(tx, actor, folder) & Rights.READ_ANY:
        return []
    wanted = set(columns)
    needs = restrict.needs(found.restriction)
    match = restrict.compiled(found.restriction)
    owner = Actor(locate.store_by_id(tx, folder.store_id).owner_id)
    result: Rows = []
    for target in _targets(tx, found):
        read = rows.message_rows(tx, owner, target, wanted | needs.tags, ids=ids)
        for (id_, props), parts in zip(read, _parts(tx, read, needs), strict=True):
            if match(props | parts):
                result.append((id_, {tag: value for tag, value in props.items() if tag in wanted}))
    result.sort(key=lambda row: row[0], reverse=True)
    return result


def _targets(tx: Transaction, found: Criteria) -> list[int]:
    """The folders that are searched, as far as they are still there."""
    condition = schema.folders.c.entryid.in_(found.folders) & (schema.folders.c.state == 0)
    targets = {folder.id: folder for folder in locate.folders_where(tx, condition)}
    if found.recursive:
        for folder in list(targets.values()):
            targets |= {below.id: below for below in locate.subtree(tx, folder)}
    return [folder.id for folder in targets.values() if folder.type != SEARCH]


def _parts(tx: Transaction, read: Rows, needs: restrict.Needs) -> Iterator[Props]:
    """The recipients and attachments of each row, as far as the restriction looks at them."""
    ids = [id_ for id_, _ in read]
    kinds = {kind: rows.part_rows(tx, ids, kind, tags) for kind, tags in needs.parts.items()}
    for id_ in ids:
        yield {kind: found.get(id_, []) for kind, found in kinds.items()}
