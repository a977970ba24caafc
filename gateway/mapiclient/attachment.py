"""Attachments of a message, one by one: listed without their data, read and written as streams."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.content import Blob
from gateway.mapi.errors import NotFound
from gateway.mapi.props import Props, Value
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.message import load_prop
from gateway.mapiclient.wire.calls_object import LoadObject, ObjectReply, SaveObject
from gateway.mapiclient.wire.structs import ObjectTree

#: PR_ATTACH_METHOD of an attachment whose data is its own.
BY_VALUE: Final = 1
_RECIPIENTS: Final = (ObjectType.MAIL_USER, ObjectType.DISTRIBUTION_LIST)


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attachment of a stored message, without its data."""

    session: Caller
    message: bytes
    """Entry id of the message."""
    server_id: int
    props: Props
    embeds: bool
    """Whether it is a message itself."""
    is_inner: bool = False
    """Whether it belongs to a message that is an attachment of the message."""

    @property
    def name(self) -> str:
        """The file name; empty when there is none."""
        name: Value = self.props.get(pr.PR_ATTACH_LONG_FILENAME) or self.props.get(pr.PR_ATTACH_FILENAME)
        return name or ""

    async def data(self) -> bytes | Blob:
        """The data: bytes, or a `Blob` over a temporary file when they are many (NotFound when it has none)."""
        found: bytes | Blob = await load_prop(
            self.session, self.message, pr.PR_ATTACH_DATA_BIN, obj_id=self.server_id
        )
        return found


async def attachments(session: Caller, message: bytes, *, inner: bool = False) -> list[Attachment]:
    """The attachments of a message in their order, in one call; with ``inner`` also those of messages in it."""
    return (await attached(session, message, inner=inner)).attachments


@dataclass(frozen=True, slots=True)
class Attached:
    """What a stored message has beside its own properties."""

    server_id: int
    attachments: list[Attachment]
    recipients: int


async def attached(session: Caller, message: bytes, *, inner: bool = False) -> Attached:
    """The attachments of a message, how many recipients it has, and its number, in one call (NotFound)."""
    tree = (await session.call(LoadObject(entryid=message))).object
    if tree is None:
        raise NotFound(call="loadObject")
    found = list(_attachments(session, message, tree))
    if inner:
        messages = [each for child in tree.children for each in child.children if _is_message(each)]
        found += [each for one in messages for each in _attachments(session, message, one, is_inner=True)]
    return Attached(tree.server_id, found, sum(1 for each in tree.children if each.obj_type in _RECIPIENTS))


def _attachments(
    session: Caller, message: bytes, tree: ObjectTree, *, is_inner: bool = False
) -> Iterator[Attachment]:
    for child in tree.children:
        if child.obj_type == ObjectType.ATTACHMENT:
            embeds = any(map(_is_message, child.children))
            yield Attachment(session, message, child.server_id, dict(child.mod_props), embeds, is_inner)


def _is_message(tree: ObjectTree) -> bool:
    return tree.obj_type == ObjectType.MESSAGE


async def add_attachment(
    session: Caller,
    store: bytes,
    message: bytes,
    server_id: int,
    data: bytes | Blob,
    props: Props,
    *,
    instead_of: int = 0,
) -> int:
    """Add an attachment to a stored message; a `Blob` is sent without being held. Returns its number there.

    ``store`` is the entry id of the store, ``server_id`` the message's PR_EC_HIERARCHYID, ``instead_of`` the number of
    an attachment that goes in the same transaction.
    """
    complete: Props = {pr.PR_ATTACH_METHOD: BY_VALUE, pr.PR_RECORD_KEY: os.urandom(16), **props}
    child = ObjectTree(
        mod_props=[*complete.items(), (pr.PR_ATTACH_DATA_BIN, data)], obj_type=int(ObjectType.ATTACHMENT)
    )
    gone = (
        [ObjectTree(delete=True, server_id=instead_of, obj_type=int(ObjectType.ATTACHMENT))]
        if instead_of
        else []
    )
    saved = (await _save(session, store, message, server_id, *gone, child)).object
    return saved.children[-1].server_id if saved is not None and saved.children else 0


async def delete_attachment(
    session: Caller, store: bytes, message: bytes, server_id: int, attachment: int
) -> None:
    """Remove an attachment, by its ``server_id``, from a stored message."""
    child = ObjectTree(delete=True, server_id=attachment, obj_type=int(ObjectType.ATTACHMENT))
    await _save(session, store, message, server_id, child)


async def _save(
    session: Caller, store: bytes, message: bytes, server_id: int, *children: ObjectTree
) -> ObjectReply:
    tree = ObjectTree(children=children, server_id=server_id, obj_type=int(ObjectType.MESSAGE))
    return await session.call(SaveObject(parent_entryid=store, entryid=message, object=tree))
