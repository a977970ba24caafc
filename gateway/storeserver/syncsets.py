"""Which messages the client of a restricted synchronisation has, by source key.

A set belongs to a sync id and the position that was answered with it, so that a call can be repeated.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec
import sqlalchemy as sa

from gateway.storeserver import schema
from gateway.storeserver.database import Transaction
from gateway.storeserver.statements import Statement

_sets: Final = schema.sync_sets
_KEPT: Final = 9
_AT: Final = (_sets.c.sync_id == sa.bindparam("sync_id_")) & (_sets.c.change_id == sa.bindparam("position"))
_IS_KEPT: Final = Statement(sa.select(_sets.c.change_id).where(_AT))
_MEMBERS: Final = Statement(sa.select(_sets.c.members).where(_AT))
_decoder: Final = msgspec.msgpack.Decoder(list[bytes])


def is_kept(tx: Transaction, sync_id: int, change_id: int) -> bool:
    """Whether a set belongs to this position."""
    return tx.row(_IS_KEPT, sync_id_=sync_id, position=change_id) is not None


def members(tx: Transaction, sync_id: int, change_id: int) -> set[bytes] | None:
    """The set of this position, None when there is none."""
    packed = tx.value(_MEMBERS, sync_id_=sync_id, position=change_id)
    return None if packed is None else set(_decoder.decode(packed))


def keep(
    tx: Transaction, sync_id: int, asked: int, answered: int, source_keys: Collection[bytes] | None
) -> None:
    """Keep the set for the answered position, or with None nothing: the synchronisation is not restricted any more.

    Sets newer than the asked position are dropped, and of the older ones all but the latest nine.
    """
    mine = _sets.c.sync_id == sync_id
    known = tx.connection.execute(sa.select(_sets.c.change_id).where(mine)).scalars().all()
    older = sorted(number for number in known if number < asked)
    gone = [number for number in known if number > asked] + older[:-_KEPT]
    if answered not in gone:
        gone.append(answered)
    tx.connection.execute(_sets.delete().where(mine & _sets.c.change_id.in_(gone)))
    if source_keys is not None:
        packed = msgspec.msgpack.encode(sorted(source_keys))
        tx.connection.execute(_sets.insert(), {"sync_id": sync_id, "change_id": answered, "members": packed})
