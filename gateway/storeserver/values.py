"""Reading and writing the property sets of single objects: details and long values."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from gateway.mapi.errors import NotFound, TooBig
from gateway.mapi.props import Props, PropTag, Value
from gateway.storeserver import attachments, properties, schema
from gateway.storeserver.database import Transaction
from gateway.storeserver.statements import Statement

_details: Final = schema.details
_long: Final = schema.long_values
_DETAILS: Final = Statement(sa.select(_details.c.props).where(_details.c.object_id == sa.bindparam("object")))
_ADD_DETAILS: Final = Statement(_details.insert())
_SET_DETAILS: Final = Statement(
    _details.update().where(_details.c.object_id == sa.bindparam("object")).values(props=sa.bindparam("packed"))
)
_VALUE: Final = (_long.c.size, _long.c.instance_id, _long.c.value)
_OF_TOP: Final = Statement(
    sa.select(_long.c.object_id, _long.c.tag, *_VALUE).where(_long.c.top_id == sa.bindparam("top"))
)
_SIZES: Final = Statement(
    sa.select(_long.c.tag, _long.c.size).where(_long.c.object_id == sa.bindparam("object"))
)
_MINE: Final = (_long.c.object_id == sa.bindparam("object")) & (_long.c.tag == sa.bindparam("wanted"))
_SIZE: Final = Statement(sa.select(_long.c.size).where(_MINE))
_ONE: Final = Statement(sa.select(*_VALUE).where(_MINE))
_ADD_LONG: Final = Statement(_long.insert())
_REMOVE_LONG: Final = Statement(_long.delete().where(_MINE))
_INSTANCE_SIZE: Final = Statement(
    sa.select(schema.instances.c.size).where(schema.instances.c.id == sa.bindparam("number"))
)


class Long(NamedTuple):
    """A long value that has not been read: its size in bytes, its instance number or its packed value."""

    size: int
    instance_id: int | None
    value: bytes | None


class LongRows:
    """Long values waiting to be inserted together, all below one top-level object."""

    def __init__(self, tx: Transaction, top_id: int) -> None:
        self._tx = tx
        self._top_id = top_id
        self._rows: list[dict[str, Any]] = []

    def add(self, object_id: int, props: Props) -> dict[PropTag, int]:
        """Put values on the list; gives the instance numbers of those that have one."""
        instances = {}
        for tag, value in props.items():
            if tag in properties.SINGLE_INSTANCE:
                instances[tag] = attachments.keep(self._tx, value)
                self._row(object_id, tag, len(value), instances[tag], None)
                continue
            size = properties.size_of(tag, value)
            if size > self._tx.options.value_limit:
                raise TooBig(f"property {tag:#010x} has {size} bytes")
            self._row(object_id, tag, size, None, properties.pack_value(value))
        return instances

    def refer(self, object_id: int, tag: PropTag, instance_id: int) -> int:
        """Put a value on the list that is an instance already; gives its size."""
        size = int(self._tx.value(_INSTANCE_SIZE, number=instance_id))
        self._row(object_id, tag, size, instance_id, None)
        return size

    def _row(self, object_id: int, tag: PropTag, size: int, instance: int | None, value: bytes | None) -> None:
        self._rows.append(
            {
                "object_id": object_id,
                "tag": tag,
                "top_id": self._top_id,
                "size": size,
                "instance_id": instance,
                "value": value,
            }
        )

    def insert(self) -> None:
        """Insert what is on the list."""
        self._tx.run_many(_ADD_LONG, self._rows)
        self._rows = []


def details(tx: Transaction, object_id: int) -> Props:
    """The cold properties of a store, folder or message."""
    packed = tx.value(_DETAILS, object=object_id)
    return {} if packed is None else properties.unpack(packed)


def add_details(tx: Transaction, object_id: int, props: Props) -> None:
    """Add the cold properties of a new object; every object has such a row."""
    tx.run(_ADD_DETAILS, object_id=object_id, props=properties.pack(props))


def set_details(tx: Transaction, object_id: int, props: Props) -> None:
    """Replace the cold properties of an object."""
    tx.run(_SET_DETAILS, object=object_id, packed=properties.pack(props))


def long_tree(tx: Transaction, top_id: int) -> dict[int, dict[PropTag, Long]]:
    """The long values of an object and everything below it, by hierarchy id and tag."""
    result: dict[int, dict[PropTag, Long]] = {}
    for object_id, tag, *value in tx.rows(_OF_TOP, top=top_id):
        result.setdefault(object_id, {})[tag] = Long(*value)
    return result


def long_sizes(tx: Transaction, object_id: int) -> dict[PropTag, int]:
    """The sizes of an object's own long values."""
    return dict(tx.rows(_SIZES, object=object_id))


def long_value(tx: Transaction, object_id: int, tag: PropTag) -> Value:
    """One long value (NotFound); a large one takes long."""
    if tx.brief:
        tx.takes_long((tx.value(_SIZE, object=object_id, wanted=tag) or 0) > properties.WITHHELD_FROM)
    row = tx.row(_ONE, object=object_id, wanted=tag)
    if row is None:
        raise NotFound(f"the object has no property {tag:#010x}")
    return read_long(tx, tag, Long(*row))


def read_long(tx: Transaction, tag: PropTag, long: Long) -> Value:
    """The value of a `Long`."""
    if long.value is not None:
        return properties.unpack_value(tag, long.value)
    assert long.instance_id is not None
    return attachments.content(tx, long.instance_id)


def remove_long(tx: Transaction, object_id: int, tags: Collection[PropTag]) -> int:
    """Remove long values; gives how many bytes they had."""
    sizes = long_sizes(tx, object_id)
    gone = [tag for tag in tags if tag in sizes]
    tx.run_many(_REMOVE_LONG, [{"object": object_id, "wanted": tag} for tag in gone])
    return sum(sizes[tag] for tag in gone)


def remove_objects(tx: Transaction, object_ids: Iterable[int]) -> None:
    """Remove the long values of these objects themselves."""
    tx.connection.execute(_long.delete().where(_long.c.object_id.in_(list(object_ids))))
