"""Reading and writing the property sets of single objects: details and long values."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from gateway.mapi.errors import NotFound, TooBig
from gateway.mapi.props import Props, PropTag, Value
from gateway.storeserver import attachments, properties, schema
from gateway.storeserver.database import Transaction

_details: Final = schema.details
_long: Final = schema.long_values
_DETAILS: Final = sa.select(_details.c.props).where(_details.c.object_id == sa.bindparam("object"))
_SET_DETAILS: Final = (
    _details.update().where(_details.c.object_id == sa.bindparam("object")).values(props=sa.bindparam("packed"))
)
_OF_TOP: Final = sa.select(_long).where(_long.c.top_id == sa.bindparam("top"))
_OF_OBJECT: Final = sa.select(_long.c.tag, _long.c.size, _long.c.instance_id).where(
    _long.c.object_id == sa.bindparam("object")
)
_ONE: Final = sa.select(_long).where(
    _long.c.object_id == sa.bindparam("object"), _long.c.tag == sa.bindparam("wanted")
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
        query = sa.select(schema.instances.c.size).where(schema.instances.c.id == instance_id)
        size = int(self._tx.connection.execute(query).scalar_one())
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
        if self._rows:
            self._tx.connection.execute(_long.insert(), self._rows)
            self._rows = []


def details(tx: Transaction, object_id: int) -> Props:
    """The cold properties of a store, folder or message."""
    packed = tx.connection.execute(_DETAILS, {"object": object_id}).scalar()
    return {} if packed is None else properties.unpack(bytes(packed))


def add_details(tx: Transaction, object_id: int, props: Props) -> None:
    """Add the cold properties of a new object; every object has such a row."""
    tx.connection.execute(_details.insert(), {"object_id": object_id, "props": properties.pack(props)})


def set_details(tx: Transaction, object_id: int, props: Props) -> None:
    """Replace the cold properties of an object."""
    tx.connection.execute(_SET_DETAILS, {"object": object_id, "packed": properties.pack(props)})


def long_tree(tx: Transaction, top_id: int) -> dict[int, dict[PropTag, Long]]:
    """The long values of an object and everything below it, by hierarchy id and tag."""
    result: dict[int, dict[PropTag, Long]] = {}
    for row in tx.connection.execute(_OF_TOP, {"top": top_id}):
        value = None if row.value is None else bytes(row.value)
        result.setdefault(row.object_id, {})[row.tag] = Long(row.size, row.instance_id, value)
    return result


def long_sizes(tx: Transaction, object_id: int) -> dict[PropTag, int]:
    """The sizes of an object's own long values."""
    return {row.tag: row.size for row in tx.connection.execute(_OF_OBJECT, {"object": object_id})}


def long_value(tx: Transaction, object_id: int, tag: PropTag) -> Value:
    """One long value (NotFound)."""
    row = tx.connection.execute(_ONE, {"object": object_id, "wanted": tag}).one_or_none()
    if row is None:
        raise NotFound(f"the object has no property {tag:#010x}")
    return read_long(tx, tag, Long(row.size, row.instance_id, None if row.value is None else bytes(row.value)))


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
    if gone:
        where = sa.and_(_long.c.object_id == object_id, _long.c.tag.in_(gone))
        tx.connection.execute(_long.delete().where(where))
    return sum(sizes[tag] for tag in gone)


def remove_objects(tx: Transaction, object_ids: Iterable[int]) -> None:
    """Remove the long values of these objects themselves."""
    tx.connection.execute(_long.delete().where(_long.c.object_id.in_(list(object_ids))))
