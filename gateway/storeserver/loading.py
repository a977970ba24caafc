"""Reading a message: loadObject and loadProp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.mapi import proptags as p
from gateway.mapi.errors import NoAccess, NotFound
from gateway.mapi.props import Prop, Props, PropTag, Value, canonical
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.structs import ObjectTree
from gateway.storeserver import identity, locate, names, properties, rights, values
from gateway.storeserver.accounts import Actor, account_by_id
from gateway.storeserver.database import Transaction
from gateway.storeserver.locate import Message
from gateway.storeserver.parts import Part, below, parts_of
from gateway.storeserver.saving import SPILLED, predecessors_of
from gateway.storeserver.values import Long
from gateway.storeserver.writable import HASATTACH

_Longs = dict[int, dict[PropTag, Long]]
_PART_OVERHEAD: Final = 64
SMALL: Final = 64 * 1024
"""Bytes that are read at once, in the reactor's thread."""


def load_message(
    tx: Transaction, actor: Actor, entryid: bytes, *, deleted: bool, everything: bool = False
) -> ObjectTree:
    """A message with its recipients and attachments.

    Values of `properties.WITHHELD_FROM` bytes and more, attachment data and the stored mail are only listed; with
    ``everything`` they come along.
    """
    message = locate.message_by_entryid(tx, entryid, deleted=deleted)
    tx.takes_long(message.size > SMALL)
    granted = rights.on_message(tx, actor, message)
    rights.require(granted, Rights.READ_ANY)
    parts = parts_of(tx, message.id)
    longs = values.long_tree(tx, message.id)
    short = message_props(tx, actor, message, granted)
    reader = _TreeReader(
        tx, parts, longs, everything=everything, modifier=modifier_props(tx, message.modifier_id)
    )
    return reader.tree(message.id, message.id, ObjectType.MESSAGE, short)


def message_props(tx: Transaction, actor: Actor, message: Message, granted: int) -> Props:
    """The short properties of a message and what the server computes for it; long values are not among them."""
    props = properties.unpack(message.hot)
    props.pop(SPILLED, None)
    cold = values.details(tx, message.id)
    props |= cold
    folder = locate.folder_by_id(tx, message.folder_id, deleted=None)
    access = rights.access_bits(granted, own=message.owner_id == actor.user_id, folder=False)
    props |= {
        p.PR_MESSAGE_FLAGS: message.message_flags,
        p.PR_MESSAGE_SIZE: message.size,
        p.PR_HASATTACH: bool(message.message_flags & HASATTACH),
        p.PR_CREATION_TIME: message.created,
        p.PR_LAST_MODIFICATION_TIME: message.modified,
        p.PR_CHANGE_KEY: identity.change_key(tx, message.change_id, message.change_key),
        p.PR_PREDECESSOR_CHANGE_LIST: predecessors_of(tx, message, cold),
        p.PR_EC_IMAP_ID: message.imap_id,
        p.PR_PARENT_SOURCE_KEY: folder.source_key,
        p.PR_SOURCE_KEY: message.source_key,
        p.PR_RECORD_KEY: message.entryid,
        p.PR_PARENT_ENTRYID: folder.entryid,
        p.PR_ACCESS: access,
        p.PR_ACCESS_LEVEL: rights.access_level(access),
    }
    props |= modifier_props(tx, message.modifier_id)
    for tag, value in (
        (p.PR_MSG_STATUS, message.status),
        (p.PR_MESSAGE_DELIVERY_TIME, message.delivered),
        (p.PR_DELETED_ON, message.deleted_on),
    ):
        if value is not None:
            props[tag] = value
    return props


def modifier_props(tx: Transaction, user_id: int) -> Props:
    """PR_LAST_MODIFIER_NAME and _ENTRYID; empty when the account is gone."""
    try:
        account = account_by_id(tx, user_id)
    except NotFound:
        return {}
    return {p.PR_LAST_MODIFIER_NAME: account.name, p.PR_LAST_MODIFIER_ENTRYID: account.entryid}


class _TreeReader:
    """Builds the tree of one message from its parts and long values."""

    def __init__(
        self, tx: Transaction, parts: list[Part], longs: _Longs, *, everything: bool, modifier: Props
    ) -> None:
        self._tx = tx
        self._longs = longs
        self._everything = everything
        self._modifier = modifier
        self._children: dict[int, list[Part]] = {}
        for part in parts:
            self._children.setdefault(part.parent_id, []).append(part)

    def tree(self, id: int, server_id: int, kind: int, props: Props) -> ObjectTree:
        """The object with this id, with everything below it."""
        children = [
            self.tree(part.id, part.id, part.type, self._part_props(part))
            for part in self._children.get(id, ())
        ]
        tags, sent = present(self._tx, props, self._longs.get(id, {}), everything=self._everything)
        return ObjectTree(children=children, del_props=tags, mod_props=sent, server_id=server_id, obj_type=kind)

    def _part_props(self, part: Part) -> Props:
        props = part.props | {
            p.PR_CREATION_TIME: part.created,
            p.PR_LAST_MODIFICATION_TIME: part.modified,
        }
        if part.type == ObjectType.ATTACHMENT:
            props[p.PR_ATTACH_SIZE] = self._size(part)
        elif part.type == ObjectType.MESSAGE:
            attached = any(child.type == ObjectType.ATTACHMENT for child in self._children.get(part.id, ()))
            props |= self._modifier
            props |= {
                p.PR_MESSAGE_SIZE: self._size(part),
                p.PR_HASATTACH: attached,
                p.PR_MESSAGE_FLAGS: props.get(p.PR_MESSAGE_FLAGS, 0) | (HASATTACH if attached else 0),
                p.PR_ACCESS: 7,
                p.PR_ACCESS_LEVEL: 1,
            }
        else:
            props[p.PR_INSTANCE_KEY] = part.id.to_bytes(4, "little") + bytes(4)
        return props

    def _size(self, part: Part) -> int:
        everything = [part, *below([each for many in self._children.values() for each in many], part.id)]
        return sum(
            _PART_OVERHEAD
            + properties.total_size(each.props)
            + sum(long.size for long in self._longs.get(each.id, {}).values())
            for each in everything
        )


def present(
    tx: Transaction, props: Props, longs: Mapping[PropTag, Long], *, everything: bool = False
) -> tuple[list[PropTag], list[Prop]]:
    """The tags an object has and the values that are sent along, both in order of the tags.

    A named property whose name the server does not know is neither.
    """
    known = names.known(tx, {tag >> 16 for tag in (*props, *longs) if tag > 0x8501_0000})
    tags = sorted(
        tag for tag in {*props, *longs} if tag <= 0x8501_0000 or tag >> 16 in known or tag >> 16 > 0xFFF0
    )
    sent: list[Prop] = []
    for tag in tags:
        if tag in props:
            sent.append((tag, props[tag]))
        elif everything or (tag not in properties.ALWAYS_WITHHELD and _is_short(longs[tag])):
            sent.append((tag, values.read_long(tx, tag, longs[tag])))
    return tags, sent


def _is_short(long: Long) -> bool:
    return long.size < properties.WITHHELD_FROM


def load_message_prop(tx: Transaction, actor: Actor, entryid: bytes, part_id: int, tag: PropTag) -> Value:
    """One property of a message, or of the part with that hierarchy id inside it, in full (NotFound)."""
    message = locate.message_by_entryid(tx, entryid, deleted=None)
    granted = rights.on_message(tx, actor, message)
    if not granted & Rights.READ_ANY:
        raise NoAccess("may not read this message")
    tag = canonical(tag)
    if not part_id or part_id == message.id:
        try:
            return values.long_value(tx, message.id, tag)
        except NotFound:
            props = message_props(tx, actor, message, granted)
            if tag not in props:
                raise
            return props[tag]
    tx.takes_long(message.size > SMALL)
    parts = parts_of(tx, message.id)
    part = next((each for each in parts if each.id == part_id), None)
    if part is None:
        raise NotFound(f"the message has no part {part_id}")
    if tag in part.props:
        return part.props[tag]
    return values.long_value(tx, part.id, tag)
