"""What is inside a message: recipients, attachments, embedded messages, and theirs.

A part has no entry id; it is addressed by its hierarchy id. Parts are created in the order of the tree, a
parent before its children, and are always read back in that order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from gateway.mapi import proptags as p
from gateway.mapi.errors import ErrorCode, InvalidParameter, NotFound, TooBig
from gateway.mapi.props import Prop, Props, PropTag, Value, canonical
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.structs import ObjectTree
from gateway.storeserver import attachments, properties, schema, values
from gateway.storeserver.database import Transaction
from gateway.storeserver.statements import Statement
from gateway.storeserver.values import LongRows
from gateway.storeserver.writable import KEPT_FLAGS, PART_IGNORED

_parts: Final = schema.parts
_OF_MESSAGE: Final = Statement(
    sa.select(_parts).where(_parts.c.message_id == sa.bindparam("top")).order_by(_parts.c.id)
)
_ADD: Final = Statement(_parts.insert())
_RECIPIENTS: Final = frozenset({ObjectType.MAIL_USER, ObjectType.DISTRIBUTION_LIST})


@dataclass(slots=True)
class Part:
    """A row of `schema.parts`."""

    id: int
    message_id: int
    parent_id: int
    type: int
    created: int
    modified: int
    props: Props


def value_of(tree: ObjectTree, tag: PropTag) -> Value:
    """The value of a property among those to be set, or None."""
    return next((value for known, value in tree.mod_props if canonical(known) == tag), None)


def parts_of(tx: Transaction, message_id: int) -> list[Part]:
    """Everything inside a message."""
    return [
        Part(id_, top, parent, kind, created, modified, properties.unpack(packed))
        for id_, top, parent, kind, created, modified, packed in tx.rows(_OF_MESSAGE, top=message_id)
    ]


def below(parts: Sequence[Part], id: int) -> list[Part]:
    """The parts inside a part, at any depth. Parents come before children."""
    inside = {id}
    result = []
    for part in parts:
        if part.parent_id in inside:
            inside.add(part.id)
            result.append(part)
    return result


class PartsWriter:
    """Applies the children of a saveObject tree to one message, and adds up what that does to its size."""

    def __init__(
        self,
        tx: Transaction,
        message_id: int,
        existing: Sequence[Part] = (),
        *,
        may_use: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self.tx = tx
        self.message_id = message_id
        self.long = LongRows(tx, message_id)
        self.grown = 0
        """By how many bytes the message grew."""
        self._existing = {part.id: part for part in existing}
        self._new: list[dict[str, Any]] = []
        self.may_use = may_use

    def apply(self, parent_id: int, children: Sequence[ObjectTree], depth: int = 0) -> list[ObjectTree]:
        """Create, change and delete the children of one object; gives the answer's children."""
        return [self._child(parent_id, child, depth) for child in children]

    def finish(self) -> None:
        """Write what was collected."""
        self.tx.run_many(_ADD, self._new)
        self.long.insert()

    @property
    def has_attachment(self) -> bool:
        """Whether the message itself now has an attachment."""
        ids = [(part.parent_id, part.type) for part in self._existing.values()]
        ids += [(row["parent_id"], row["type"]) for row in self._new]
        return (self.message_id, ObjectType.ATTACHMENT) in ids

    def _child(self, parent_id: int, child: ObjectTree, depth: int) -> ObjectTree:
        if child.delete:
            self._delete(child.server_id)
            return ObjectTree(obj_type=child.obj_type, client_id=child.client_id, server_id=child.server_id)
        if child.server_id:
            return self._change(parent_id, child, depth)
        return self._create(parent_id, child, depth)

    def _create(self, parent_id: int, child: ObjectTree, depth: int) -> ObjectTree:
        self._check(parent_id, child, depth)
        number = self.tx.take("hierarchy")
        props = self._props(child)
        data = self._instance(child, props)
        split = properties.split(props)
        instances = self.long.add(number, split.long)
        self.grown += properties.total_size(props)
        if data is not None:
            instances[data[0]] = data[1]
            self.grown += self.long.refer(number, *data)
        now = self.tx.now
        self._new.append(
            {
                "id": number,
                "message_id": self.message_id,
                "parent_id": parent_id,
                "type": child.obj_type,
                "created": now,
                "modified": now,
                "props": properties.pack(split.hot | split.cold),
            }
        )
        answer = self.apply(number, child.children, depth + 1)
        return self._answer(child, number, answer, instances, created=True)

    def _change(self, parent_id: int, child: ObjectTree, depth: int) -> ObjectTree:
        part = self._existing.get(child.server_id)
        if part is None or part.parent_id != parent_id or part.type != child.obj_type:
            raise NotFound(f"the message has no part {child.server_id} of type {child.obj_type}")
        self._check(parent_id, child, depth)
        props = self._props(child)
        data = self._instance(child, props)
        gone = {canonical(tag) for tag in child.del_props} | props.keys()
        if child.obj_type in _RECIPIENTS:
            # A recipient that is sent again is replaced as a whole.
            gone |= part.props.keys() | values.long_sizes(self.tx, part.id).keys()
        if data is not None:
            gone.add(data[0])
        self.grown -= properties.total_size({tag: v for tag, v in part.props.items() if tag in gone})
        self.grown -= values.remove_long(self.tx, part.id, gone)
        self.grown += properties.total_size(props)
        split = properties.split(props)
        instances = self.long.add(part.id, split.long)
        if data is not None:
            instances[data[0]] = data[1]
            self.grown += self.long.refer(part.id, *data)
        part.props = {tag: v for tag, v in part.props.items() if tag not in gone} | split.hot | split.cold
        update = _parts.update().where(_parts.c.id == part.id)
        self.tx.connection.execute(
            update.values(modified=self.tx.now, props=properties.pack(part.props), type=child.obj_type)
        )
        answer = self.apply(part.id, child.children, depth + 1)
        return self._answer(child, part.id, answer, instances, created=False)

    def _delete(self, id: int) -> None:
        part = self._existing.get(id)
        if part is None:
            return
        gone = [part, *below(list(self._existing.values()), id)]
        for each in gone:
            self.grown -= properties.total_size(each.props) + sum(values.long_sizes(self.tx, each.id).values())
            del self._existing[each.id]
        ids = [each.id for each in gone]
        self.tx.connection.execute(_parts.delete().where(_parts.c.id.in_(ids)))
        values.remove_objects(self.tx, ids)

    def _check(self, parent_id: int, child: ObjectTree, depth: int) -> None:
        # Every second level is an embedded message.
        if depth > 2 * self.tx.options.embedded_limit:
            raise TooBig("messages are embedded too deeply", code=ErrorCode.TOO_COMPLEX)
        inside_attachment = bool(depth % 2)
        if (child.obj_type == ObjectType.MESSAGE) != inside_attachment or (
            child.obj_type not in _RECIPIENTS
            and child.obj_type not in (ObjectType.ATTACHMENT, ObjectType.MESSAGE)
        ):
            raise InvalidParameter(f"an object of type {child.obj_type} cannot be here")

    def _props(self, child: ObjectTree) -> Props:
        props = properties.given(child.mod_props, PART_IGNORED)
        if child.obj_type == ObjectType.ATTACHMENT:
            record_key = value_of(child, p.PR_RECORD_KEY)
            if record_key is not None:
                props[p.PR_RECORD_KEY] = properties.checked(p.PR_RECORD_KEY, record_key)
        elif child.obj_type == ObjectType.MESSAGE:
            props[p.PR_MESSAGE_FLAGS] = props.get(p.PR_MESSAGE_FLAGS, 0) & KEPT_FLAGS
        return props

    def _instance(self, child: ObjectTree, props: Props) -> tuple[int, int] | None:
        """The data that a client names by its instance id instead of sending it: tag and instance number."""
        if not child.instance_ids or p.PR_ATTACH_DATA_BIN in props:
            return None
        property_id, number = attachments.instance_number(self.tx, child.instance_ids[0])
        if property_id != p.PR_ATTACH_DATA_BIN >> 16 or not self.may_use(number):
            raise InvalidParameter("this instance cannot be the data of an attachment")
        return p.PR_ATTACH_DATA_BIN, number

    def _answer(
        self,
        child: ObjectTree,
        id: int,
        children: list[ObjectTree],
        instances: dict[int, int],
        *,
        created: bool,
    ) -> ObjectTree:
        props: list[Prop] = [(p.PR_LAST_MODIFICATION_TIME, self.tx.now)]
        if created:
            props.append((p.PR_CREATION_TIME, self.tx.now))
        ids = tuple(
            attachments.instance_id(self.tx.server_guid, tag >> 16, number) for tag, number in instances.items()
        )
        return ObjectTree(
            children=children,
            del_props=[tag for tag, _ in props],
            mod_props=props,
            client_id=child.client_id,
            server_id=id,
            obj_type=child.obj_type,
            instance_ids=ids or None,
        )


def copy_parts(tx: Transaction, pairs: Mapping[int, int]) -> None:
    """Copy everything inside messages, and their own long values; ``pairs`` maps old message ids to new ones."""
    new_ids = dict(pairs)
    top: sa.BindParameter[Any] = sa.bindparam("tops", expanding=True)
    query = sa.select(_parts).where(_parts.c.message_id.in_(top)).order_by(_parts.c.id)
    part_rows: list[dict[str, Any]] = []
    for row in tx.connection.execute(query, {"tops": list(pairs)}).mappings():
        new_ids[row["id"]] = tx.take("hierarchy")
        changed = {
            "id": new_ids[row["id"]],
            "message_id": pairs[row["message_id"]],
            "parent_id": new_ids[row["parent_id"]],
        }
        part_rows.append(dict(row) | changed)
    longs = schema.long_values
    query = sa.select(longs).where(longs.c.top_id.in_(top))
    long_rows = [
        dict(row) | {"object_id": new_ids[row["object_id"]], "top_id": pairs[row["top_id"]]}
        for row in tx.connection.execute(query, {"tops": list(pairs)}).mappings()
    ]
    if part_rows:
        tx.connection.execute(_parts.insert(), part_rows)
    if long_rows:
        tx.connection.execute(longs.insert(), long_rows)
