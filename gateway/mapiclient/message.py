"""Messages: whole ones as content, their flags, and sets of them copied, moved and deleted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent, Blob, MessageContent
from gateway.mapi.errors import NotFound, PartialCompletion
from gateway.mapi.ids import message_entryid
from gateway.mapi.props import PT_OBJECT, NamedProps, PropKey, Props, PropTag, Value, prop_type
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.calling import Caller, batches
from gateway.mapiclient.defaults import message_defaults, recipient_defaults
from gateway.mapiclient.names import Names
from gateway.mapiclient.wire.calls_object import (
    CopyObjects,
    DeleteObjects,
    LoadObject,
    LoadProp,
    SaveObject,
    SetMessageStatus,
    SetReadFlags,
    SubmitMessage,
)
from gateway.mapiclient.wire.structs import ObjectTree

_SUPPRESS_RECEIPT: Final = 1
_CLEAR_READ: Final = 4
_MOVE: Final = 1
_HARD: Final = 0x10
_ASSOCIATED: Final = 0x40
_FILE_SENT: Final = 2
#: Never worth a call of their own when a message is loaded as content.
_NOT_CONTENT: Final = frozenset({pr.PR_EC_IMAP_EMAIL})
_RECIPIENTS: Final = frozenset({ObjectType.MAIL_USER, ObjectType.DISTRIBUTION_LIST})


@dataclass(frozen=True, slots=True)
class LoadedMessage:
    """A message with the number saveObject wants for changing it."""

    content: MessageContent
    server_id: int
    tree: ObjectTree
    """What the store answered: `gateway.mapiclient.replacing` needs it."""


@dataclass(frozen=True, slots=True)
class SavedMessage:
    """A message that was just created."""

    entryid: bytes
    server_id: int
    props: Props
    """What the server set: times, source key, change key; and the search key."""


async def load_prop(session: Caller, entryid: bytes, tag: PropTag, *, obj_id: int = 0) -> Value:
    """One property in full (NotFound when it is absent); bytes, or a Blob when they are many."""
    reply = await session.call(LoadProp(entryid=entryid, obj_id=obj_id, prop_tag=tag))
    if reply.prop_val is None or reply.prop_val[1] is None:
        raise NotFound(call="loadProp")
    return reply.prop_val[1]


async def load_message(session: Caller, entryid: bytes) -> LoadedMessage:
    """A message with recipients, attachments and embedded messages; the stored original is left out."""
    reply = await session.call(LoadObject(entryid=entryid))
    tree = reply.object
    if tree is None:
        raise NotFound(call="loadObject")
    return LoadedMessage(await _content(session, entryid, tree, 0), tree.server_id, tree)


async def _content(session: Caller, entryid: bytes, tree: ObjectTree, obj_id: int) -> MessageContent:
    names = Names(session)
    content = MessageContent(await names.to_named(await _props(session, entryid, tree, obj_id)))
    for child in tree.children:
        if child.obj_type in _RECIPIENTS:
            row = await _props(session, entryid, child, child.server_id)
            if (stored := row.pop(pr.PR_EC_CONTACT_ENTRYID, None)) is not None:
                row[pr.PR_ENTRYID] = stored
            content.recipients.append(await names.to_named(row))
        elif child.obj_type == ObjectType.ATTACHMENT:
            content.attachments.append(await _attachment(session, entryid, child))
    return content


async def _attachment(session: Caller, entryid: bytes, tree: ObjectTree) -> AttachmentContent:
    props = await _props(session, entryid, tree, tree.server_id)
    data: bytes | Blob | None = props.pop(pr.PR_ATTACH_DATA_BIN, None)
    embedded = None
    for child in tree.children:
        if child.obj_type == ObjectType.MESSAGE:
            embedded = await _content(session, entryid, child, child.server_id)
    return AttachmentContent(await Names(session).to_named(props), data, embedded)


async def _props(session: Caller, entryid: bytes, tree: ObjectTree, obj_id: int) -> Props:
    """The values of an object, those that the server withheld loaded one by one."""
    props: Props = dict(tree.mod_props)
    for tag in tree.del_props:
        if tag in props or prop_type(tag) == PT_OBJECT or tag in _NOT_CONTENT:
            continue
        try:
            props[tag] = await load_prop(session, entryid, tag, obj_id=obj_id)
        except NotFound:
            continue  # deleted meanwhile
    return props


async def save_new_message(
    session: Caller, folder: bytes, store_guid: bytes, content: MessageContent, *, associated: bool = False
) -> SavedMessage:
    """Create a message in a folder, in one call (QuotaExceeded, NoAccess, NotFound)."""
    entryid = message_entryid(store_guid, os.urandom(16))
    tree = await object_tree(session, content)
    reply = await session.call(
        SaveObject(parent_entryid=folder, entryid=entryid, object=tree, flags=_ASSOCIATED if associated else 0)
    )
    saved = reply.object or ObjectTree()
    search_key = next(prop for prop in tree.mod_props if prop[0] == pr.PR_SEARCH_KEY)
    return SavedMessage(entryid, saved.server_id, dict([search_key, *saved.mod_props]))


async def object_tree(session: Caller, content: MessageContent) -> ObjectTree:
    """A new message as saveObject takes it: complete, everything numbered, names replaced by tags."""
    names = Names(session)
    children = [await _recipient_tree(names, row, number) for number, row in enumerate(content.recipients)]
    for number, attachment in enumerate(content.attachments):
        children.append(await _attachment_tree(session, names, attachment, number))
    props = await names.to_tags(content.props)
    props |= message_defaults(props, content.recipients)
    return ObjectTree(children=children, mod_props=tuple(props.items()), obj_type=int(ObjectType.MESSAGE))


async def _recipient_tree(names: Names, row: NamedProps, number: int) -> ObjectTree:
    props = await names.to_tags(row)
    if (entryid := props.pop(pr.PR_ENTRYID, None)) is not None:
        props[pr.PR_EC_CONTACT_ENTRYID] = entryid
    props[pr.PR_ROWID] = number
    props |= recipient_defaults(props, number)
    kind = props.get(pr.PR_OBJECT_TYPE, ObjectType.MAIL_USER)
    return ObjectTree(
        mod_props=tuple(props.items()),
        client_id=number,
        obj_type=int(kind if kind in _RECIPIENTS else ObjectType.MAIL_USER),
    )


async def _attachment_tree(
    session: Caller, names: Names, attachment: AttachmentContent, number: int
) -> ObjectTree:
    props = await names.to_tags(attachment.props)
    props[pr.PR_ATTACH_NUM] = number
    props.setdefault(pr.PR_RECORD_KEY, os.urandom(16))
    if attachment.data is not None:
        props[pr.PR_ATTACH_DATA_BIN] = attachment.data
    children = [] if attachment.embedded is None else [await object_tree(session, attachment.embedded)]
    return ObjectTree(
        children=children,
        mod_props=tuple(props.items()),
        client_id=number,
        obj_type=int(ObjectType.ATTACHMENT),
    )


async def set_props(
    session: Caller,
    store: bytes,
    entryid: bytes,
    server_id: int,
    props: NamedProps | Props,
    deleted: Iterable[PropKey] = (),
    *,
    object_type: int = ObjectType.MESSAGE,
) -> None:
    """Change properties of an existing message, folder or store, in one call.

    ``store`` is its store's entry id (empty for a store itself); ``server_id`` its PR_EC_HIERARCHYID.
    """
    names = Names(session)
    tree = ObjectTree(
        del_props=[tag for tag in await names.tags(list(deleted), create=False) if tag],
        mod_props=tuple((await names.to_tags(props)).items()),
        server_id=server_id,
        obj_type=int(object_type),
    )
    await session.call(SaveObject(parent_entryid=store, entryid=entryid, object=tree))


async def set_read(session: Caller, entryids: Sequence[bytes], *, read: bool) -> None:
    """Mark messages read or unread, without sending receipts."""
    for batch in batches(entryids):
        await session.call(SetReadFlags(flags=_SUPPRESS_RECEIPT if read else _CLEAR_READ, messages=batch))


async def set_folder_read(session: Caller, folder: bytes, *, read: bool) -> None:
    """Mark all messages of a folder, without sending receipts."""
    await session.call(SetReadFlags(flags=_SUPPRESS_RECEIPT if read else _CLEAR_READ, entryid=folder))


async def set_status(session: Caller, entryid: bytes, status: int, mask: int) -> int:
    """Change bits of PR_MSG_STATUS; returns the value before."""
    reply = await session.call(SetMessageStatus(entryid=entryid, new_status=status, new_status_mask=mask))
    return reply.message_status


async def copy_messages(
    session: Caller, entryids: Sequence[bytes], folder: bytes, *, move: bool = False
) -> bool:
    """Copy or move messages within a store, in batches; False when some could not be. Moved ones get new ids."""
    flags = _MOVE if move else 0
    return await _all_done(
        session, [CopyObjects(messages=part, dest_folder_id=folder, flags=flags) for part in batches(entryids)]
    )


async def delete_messages(session: Caller, entryids: Sequence[bytes], *, hard: bool = False) -> bool:
    """Delete messages, recoverably unless ``hard``, in batches; False when some could not be."""
    flags = _HARD if hard else 0
    return await _all_done(session, [DeleteObjects(flags=flags, messages=part) for part in batches(entryids)])


async def _all_done(session: Caller, calls: Sequence[CopyObjects | DeleteObjects]) -> bool:
    complete = True
    for call in calls:
        try:
            await session.call(call)
        except PartialCompletion:
            complete = False
    return complete


async def submit_message(session: Caller, entryid: bytes, *, keep_copy: bool = True) -> None:
    """Put a message into the outgoing queue; the spooler files it in Sent Items unless ``keep_copy`` is false."""
    await session.call(SubmitMessage(entryid=entryid, flags=_FILE_SENT if keep_copy else 0))
