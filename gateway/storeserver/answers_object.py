"""Answers about objects and messages: load, save, delete, copy, flags, submit, names."""

from __future__ import annotations

from functools import partial
from typing import Final

from gateway.mapi.errors import ErrorCode, InvalidParameter, MapiError
from gateway.mapi.props import PropName
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.calls_object import (
    AbortSubmit,
    CheckExistObject,
    CopyObjects,
    DeleteObjects,
    FinishedMessage,
    GetIdsFromNames,
    GetIdsFromNamesReply,
    GetMessageStatus,
    GetNamesFromIds,
    GetNamesFromIdsReply,
    GetOwner,
    GetOwnerReply,
    LoadObject,
    LoadProp,
    LoadPropReply,
    MessageStatusReply,
    ObjectReply,
    SaveObject,
    SetLockState,
    SetMessageStatus,
    SetReadFlags,
    SubmitMessage,
)
from gateway.mapiclient.wire.calls_session import Result
from gateway.storeserver import locate, messages, names, objects, outgoing, rights
from gateway.storeserver.answers_notify import subscribe
from gateway.storeserver.context import Context, entryid_of, required
from gateway.storeserver.dispatch import reads, writes

_HARD: Final = 0x10
_MOVE: Final = 1
_CREATE: Final = 2


def _completed(complete: bool) -> Result:
    """The answer of a call that may do only a part; what was done is kept."""
    return Result(0 if complete else int(ErrorCode.PARTIAL_COMPLETION))


@reads(LoadObject, brief=True)
def load_object(context: Context, call: LoadObject) -> ObjectReply:
    """Read an object with its children, and subscribe to it when asked to."""
    if locate.object_type(call.entryid) is ObjectType.MESSAGE if call.entryid else False:
        context.require_unlocked(call.entryid)
    tree = objects.load_object(context.tx, context.actor, call.entryid, call.flags)
    if call.not_subscribe is not None:
        subscribe(context, [call.not_subscribe])
    return ObjectReply(0, tree)


@reads(LoadProp, brief=True)
def load_prop(context: Context, call: LoadProp) -> LoadPropReply:
    """Read one property in full."""
    entryid = entryid_of(call.entryid)
    context.require_unlocked(entryid)
    return LoadPropReply(0, objects.load_prop(context.tx, context.actor, entryid, call.obj_id, call.prop_tag))


@writes(SaveObject, brief=True)
def save_object(context: Context, call: SaveObject) -> ObjectReply:
    """Create or change an object."""
    tree = required(call.object, "lpsSaveObj")
    entryid = entryid_of(call.entryid)
    context.require_unlocked(entryid)
    saved = objects.save_object(
        context.tx, context.actor, call.parent_entryid, entryid, tree, call.flags, call.sync_id
    )
    return ObjectReply(0, saved)


@reads(CheckExistObject, brief=True)
def check_exist_object(context: Context, call: CheckExistObject) -> Result:
    """Whether an object exists."""
    objects.check_exists(context.tx, entryid_of(call.entryid), call.flags)
    return Result()


@reads(GetOwner)
def get_owner(context: Context, call: GetOwner) -> GetOwnerReply:
    """Who made an object."""
    owner = rights.owner_of(context.tx, entryid_of(call.entryid))
    return GetOwnerReply(owner.id, owner.entryid)


@writes(DeleteObjects, brief=True)
def delete_objects(context: Context, call: DeleteObjects) -> Result:
    """Delete messages."""
    entryids = required(call.messages, "aMessages")
    hard = bool(call.flags & _HARD)
    return _completed(
        messages.delete_messages(context.tx, context.actor, entryids, hard=hard, sync_id=call.sync_id)
    )


@writes(CopyObjects)
def copy_objects(context: Context, call: CopyObjects) -> Result:
    """Copy or move messages."""
    entryids = required(call.messages, "aMessages")
    complete = messages.copy_messages(
        context.tx,
        context.actor,
        entryids,
        entryid_of(call.dest_folder_id),
        move=bool(call.flags & _MOVE),
        sync_id=call.sync_id,
    )
    return _completed(complete)


@writes(SetReadFlags, brief=True)
def set_read_flags(context: Context, call: SetReadFlags) -> Result:
    """Mark messages read or unread."""
    if call.messages is None and call.entryid is None:
        raise InvalidParameter("neither messages nor a folder")
    messages.set_read_flags(context.tx, context.actor, call.flags, call.messages, call.entryid, call.sync_id)
    return Result()


@reads(GetMessageStatus, brief=True)
def get_message_status(context: Context, call: GetMessageStatus) -> MessageStatusReply:
    """Read PR_MSG_STATUS."""
    return MessageStatusReply(messages.message_status(context.tx, context.actor, entryid_of(call.entryid)))


@writes(SetMessageStatus, brief=True)
def set_message_status(context: Context, call: SetMessageStatus) -> MessageStatusReply:
    """Change bits of PR_MSG_STATUS."""
    before = messages.set_message_status(
        context.tx,
        context.actor,
        entryid_of(call.entryid),
        call.new_status,
        call.new_status_mask,
        call.sync_id,
    )
    return MessageStatusReply(before)


@reads(SetLockState)
def set_lock_state(context: Context, call: SetLockState) -> Result:
    """Lock a message for this session, or unlock it."""
    message = locate.message_by_entryid(context.tx, entryid_of(call.entryid))
    rights.require_master(context.tx, context.actor, locate.store_by_id(context.tx, message.store_id))
    locks, session = context.server.locks, context.session
    done = (locks.lock if call.locked else locks.unlock)(message.entryid, session)
    if not done:
        raise MapiError("another session has locked the message", code=ErrorCode.SUBMITTED)
    if session.closed:  # it ended while this call was running
        context.after.append(partial(locks.forget, session))
    return Result()


@writes(SubmitMessage)
def submit_message(context: Context, call: SubmitMessage) -> Result:
    """Put a message in the outgoing queue."""
    outgoing.submit(context.tx, context.actor, entryid_of(call.entryid), call.flags)
    return Result()


@writes(FinishedMessage)
def finished_message(context: Context, call: FinishedMessage) -> Result:
    """Take a sent message out of the outgoing queue."""
    outgoing.finished(context.tx, context.actor, entryid_of(call.entryid), call.flags)
    return Result()


@writes(AbortSubmit)
def abort_submit(context: Context, call: AbortSubmit) -> Result:
    """Take an unsent message back."""
    outgoing.abort_submit(context.tx, context.actor, entryid_of(call.entryid))
    return Result()


@reads(GetIdsFromNames, unless=lambda call: bool(call.flags & _CREATE))
def get_ids_from_names(context: Context, call: GetIdsFromNames) -> GetIdsFromNamesReply:
    """Numbers of named properties, registering unknown names when asked to."""
    asked = [name or PropName(bytes(16), "") for name in required(call.named_props, "lpsNamedProps")]
    if any(len(name.guid) != 16 for name in asked):
        raise InvalidParameter("a name needs a GUID of 16 bytes")
    create = bool(call.flags & _CREATE)
    return GetIdsFromNamesReply(names.ids_of(context.tx, asked, create=create))


@reads(GetNamesFromIds)
def get_names_from_ids(context: Context, call: GetNamesFromIds) -> GetNamesFromIdsReply:
    """Names of numbers."""
    return GetNamesFromIdsReply(names.names_of(context.tx, required(call.prop_tags, "lpsPropTags")))
