"""Keys the store makes: entry ids, source keys, change keys and predecessor change lists."""

from __future__ import annotations

from gateway.mapi import ids
from gateway.mapi import proptags as p
from gateway.mapi.props import Props
from gateway.mapi.tables import ObjectType
from gateway.storeserver.database import Transaction


def new_entryid(tx: Transaction, store_guid: bytes, kind: ObjectType) -> bytes:
    """A fresh entry id."""
    return ids.object_entryid(store_guid, kind, tx.new_guid())


def new_source_keys(tx: Transaction, count: int) -> list[bytes]:
    """Fresh source keys."""
    first = tx.take("source", count)
    return [ids.source_key(tx.server_guid, number) for number in range(first, first + count)]


def change_key(tx: Transaction, change_id: int, imported: bytes | None) -> bytes:
    """PR_CHANGE_KEY: the one a synchronisation brought along, or made from the change id."""
    return imported if imported is not None else ids.change_key(tx.server_guid, change_id)


def predecessors(key: bytes, before: bytes = b"") -> bytes:
    """PR_PREDECESSOR_CHANGE_LIST: the newest change key of every server, one of them ``key``.

    ``before`` is the list so far; what is not well-formed in it is dropped.
    """
    known: dict[bytes, bytes] = {}
    position = 0
    while position < len(before):
        size = before[position]
        entry = before[position + 1 : position + 1 + size]
        if size <= 16 or len(entry) != size:
            break
        known[entry[:16]] = entry
        position += 1 + size
    known[key[:16]] = key
    return b"".join(bytes([len(entry)]) + entry for entry in known.values() if len(entry) < 256)


def valid_source_key(key: object) -> bool:
    """Whether a client's source key can be taken (at most 255 bytes)."""
    return isinstance(key, bytes) and 0 < len(key) <= 255


def keys_of(props: Props) -> tuple[bytes, bytes] | None:
    """Predecessor change list and change key among an object's properties."""
    if p.PR_CHANGE_KEY not in props:
        return None
    return props[p.PR_PREDECESSOR_CHANGE_LIST], props[p.PR_CHANGE_KEY]
