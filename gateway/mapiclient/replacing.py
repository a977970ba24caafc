"""Replacing a message's content while it stays the same message: what PUT on an existing event or contact does.

The message keeps its entry id, source key and read state. Properties the new content lacks are removed, except
those that belong to the message rather than to its content; recipients and attachments are exchanged.
"""

from __future__ import annotations

from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import NotFound
from gateway.mapi.props import PT_OBJECT, Props, PropTag, prop_id, prop_type
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.message import object_tree
from gateway.mapiclient.wire.calls_object import LoadObject, SaveObject
from gateway.mapiclient.wire.structs import ObjectTree

#: What was computed from the old content and must not outlive it.
_STALE: Final = frozenset(
    {pr.PR_EC_IMAP_EMAIL, pr.PR_EC_IMAP_EMAIL_SIZE, pr.PR_EC_IMAP_BODY, pr.PR_EC_IMAP_BODYSTRUCTURE}
)
#: Ranges of ids that the store keeps for itself, and ids that tell about the message rather than its content.
_KEPT_RANGES: Final = (range(0x0FF0, 0x1000), range(0x65E0, 0x6800))
_KEPT: Final = frozenset(
    map(
        prop_id,
        (
            pr.PR_MESSAGE_FLAGS,
            pr.PR_MSG_STATUS,
            pr.PR_MESSAGE_SIZE,
            pr.PR_HASATTACH,
            pr.PR_PARENT_ENTRYID,
            pr.PR_MESSAGE_DELIVERY_TIME,
            pr.PR_CREATION_TIME,
            pr.PR_LAST_MODIFICATION_TIME,
            pr.PR_SEARCH_KEY,
            pr.PR_LAST_MODIFIER_NAME,
            pr.PR_LAST_MODIFIER_ENTRYID,
            pr.PR_CREATOR_NAME,
            pr.PR_CREATOR_ENTRYID,
        ),
    )
)


class Outdated(Exception):
    """The message was changed since its change key was read."""


async def replace_message(
    session: Caller,
    store: bytes,
    entryid: bytes,
    content: MessageContent,
    change_key: bytes = b"",
    old: ObjectTree | None = None,
) -> Props:
    """Replace the content of a message, in one call after looking at it (NotFound, NoAccess, QuotaExceeded).

    ``store`` is the entry id of its store. With a ``change_key`` only the message that has this one is replaced
    (Outdated). ``old`` is what was seen by somebody who looked a moment ago (`LoadedMessage.tree`). Returns what the
    server set: times, change key.
    """
    if old is None:
        old = (await session.call(LoadObject(entryid=entryid))).object
    if old is None:
        raise NotFound(call="loadObject")
    if change_key and dict(old.mod_props).get(pr.PR_CHANGE_KEY, change_key) != change_key:
        raise Outdated
    new = await object_tree(session, content)
    tree = ObjectTree(
        children=[*(_without(child) for child in old.children), *new.children],
        del_props=_superfluous(old, new),
        mod_props=new.mod_props,
        server_id=old.server_id,
        obj_type=int(ObjectType.MESSAGE),
    )
    saved = (await session.call(SaveObject(parent_entryid=store, entryid=entryid, object=tree))).object
    return dict(saved.mod_props) if saved is not None else {}


def _without(child: ObjectTree) -> ObjectTree:
    return ObjectTree(delete=True, server_id=child.server_id, obj_type=child.obj_type)


def _superfluous(old: ObjectTree, new: ObjectTree) -> list[PropTag]:
    """Tags to delete: present before, not set now, and not the store's own."""
    now = {prop_id(tag) for tag, _ in new.mod_props}
    return [
        tag
        for tag in old.del_props
        if prop_id(tag) not in now and prop_type(tag) != PT_OBJECT and (tag in _STALE or not _is_kept(tag))
    ]


def _is_kept(tag: PropTag) -> bool:
    number = prop_id(tag)
    return number in _KEPT or any(number in each for each in _KEPT_RANGES)
