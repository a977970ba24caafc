"""The registry of named properties: one for the whole server, names never removed.

The numbers of the wire are property ids minus 0x8500; the first is 2.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import sqlalchemy as sa

from gateway.mapi.errors import InvalidParameter, TooBig
from gateway.mapi.props import PropName
from gateway.storeserver import schema
from gateway.storeserver.database import Transaction
from gateway.storeserver.locate import chunks
from gateway.storeserver.statements import Statement

#: Highest number that still makes a property id.
_LAST: Final = 0xFFFE - 0x8500
_LONGEST: Final = 254
_BY_NAME: Final = Statement(
    sa.select(schema.names.c.id).where(
        schema.names.c.guid == sa.bindparam("guid"), schema.names.c.key == sa.bindparam("key")
    )
)
_ADD: Final = Statement(schema.names.insert())
_WANTED: Final = schema.names.c.id.in_(sa.bindparam("ids", expanding=True))
_BY_ID: Final = Statement(sa.select(schema.names).where(_WANTED))
_KNOWN: Final = Statement(sa.select(schema.names.c.id).where(_WANTED))


def _key(name: PropName) -> bytes:
    # String names are case-sensitive, so they are compared as bytes.
    if isinstance(name.id, int):
        return b"#%d" % name.id
    key = b"$" + name.id.encode("utf-8", "replace")
    if len(key) > 2 * _LONGEST:
        raise InvalidParameter(f"the property name {name.id[:40]!r}... is too long")
    return key


def ids_of(tx: Transaction, names: Sequence[PropName], *, create: bool) -> list[int]:
    """The number of every name, 0 for the unknown; with ``create`` the unknown are registered."""
    result = []
    for name in names:
        if len(name.guid) != 16:
            raise InvalidParameter("a property set is named by 16 bytes")
        row = {"guid": name.guid, "key": _key(name)}
        number = tx.value(_BY_NAME, **row) or 0
        if not number and create:
            number = tx.take("name")
            if number > _LAST:
                raise TooBig("there is no room for another property name")
            tx.run(_ADD, **row, id=number)
        result.append(int(number))
    return result


def names_of(tx: Transaction, ids: Sequence[int]) -> list[PropName | None]:
    """The name of every number, None for the unknown."""
    found = {
        number: _name(guid, key)
        for chunk in chunks(list(set(ids)))
        for number, guid, key in tx.rows(_BY_ID, ids=chunk)
    }
    return [found.get(number) for number in ids]


def _name(guid: bytes, key: bytes) -> PropName:
    return PropName(guid, int(key[1:]) if key[:1] == b"#" else key[1:].decode())


def known(tx: Transaction, property_ids: Collection[int]) -> Collection[int]:
    """Those of the property ids (0x8500 + number) that have a name; loadObject shows no others.

    Names are for ever, so that a committed one is remembered for the life of the process.
    """
    remembered = tx.database.named_ids
    missing = [number - 0x8500 for number in property_ids if number not in remembered]
    if not missing:
        return remembered
    found = {0x8500 + number for chunk in chunks(missing) for number in tx.column(_KNOWN, ids=chunk)}
    if not tx.writes:
        tx.database.named_ids = remembered | found
    return remembered | found
