"""Answers about whole messages as streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from gateway.mapi import proptags as pt
from gateway.mapi.errors import InvalidParameter, NoAccess, NotFound, NotSupported
from gateway.mapi.props import Props, PropTag
from gateway.mapiclient.wire.calls_session import Result
from gateway.mapiclient.wire.calls_sync import (
    ExportMessageChangesAsStream,
    ExportStreamsReply,
    ImportMessageFromStream,
)
from gateway.mapiclient.wire.errors import WireError
from gateway.mapiclient.wire.stream import decode_stream, encode_stream
from gateway.mapiclient.wire.structs import MessageStream, ObjectTree, SourceKeyPair
from gateway.storeserver import loading, locate, objects, parts, rows, schema
from gateway.storeserver.columns import Columns
from gateway.storeserver.context import Context, entryid_of
from gateway.storeserver.dispatch import reads, writes
from gateway.storeserver.locate import Message
from gateway.storeserver.rowplan import RowKind
from gateway.storeserver.sessions import ENHANCED_ICS
from gateway.storeserver.wholemessages import StreamFile, content_of, names_in, tree_of

ASSOCIATED: Final = 0x40


def _require_streams(context: Context) -> None:
    if not context.session.capabilities & ENHANCED_ICS:
        raise NotSupported("the session did not ask for streams when it logged on")


@reads(ExportMessageChangesAsStream)
def export_streams(context: Context, call: ExportMessageChangesAsStream) -> ExportStreamsReply:
    """Read many whole messages; what is gone or may not be read is left out."""
    _require_streams(context)
    by_entryid = call.prop_tag == pt.PR_ENTRYID
    if not by_entryid and call.prop_tag not in (0, pt.PR_SOURCE_KEY):
        raise InvalidParameter("messages are named by source key or entry id")
    found = (
        _by_entryids(context, call.source_keys) if by_entryid else _by_source_keys(context, call.source_keys)
    )
    columns = Columns(call.prop_tags, capped=False)
    values = _rows(context, [message.id for _, message in found], columns.needed)
    file = StreamFile(context.file)
    streams = []
    for step, message in found:
        tree = _readable(context, message)
        if tree is not None and message.id in values:
            stream = file.keep(encode_stream(content_of(tree), names_in(context.tx, tree)))
            streams.append(MessageStream(step, columns.render(message.id, values[message.id]), stream))
    return ExportStreamsReply(streams)


def _readable(context: Context, message: Message) -> ObjectTree | None:
    """The whole message, unless it may not be read."""
    try:
        context.require_unlocked(message.entryid)
        return loading.load_message(context.tx, context.actor, message.entryid, deleted=False, everything=True)
    except (NoAccess, NotFound):
        return None


def _by_entryids(context: Context, keys: Sequence[SourceKeyPair]) -> list[tuple[int, Message]]:
    """The messages that exist, with their places in the request."""
    found = locate.messages_by_entryids(context.tx, [pair.object_key for pair in keys])
    known = {message.entryid: message for message in found if not message.is_deleted}
    wanted = [(step, locate.plain(pair.object_key)) for step, pair in enumerate(keys) if pair.object_key]
    return [(step, known[entryid]) for step, entryid in wanted if entryid in known]


def _by_source_keys(context: Context, keys: Sequence[SourceKeyPair]) -> list[tuple[int, Message]]:
    """The messages that exist, with their places in the request."""
    known: dict[tuple[bytes, bytes], Message] = {}
    by_folder: dict[bytes, list[bytes]] = {}
    for pair in keys:
        by_folder.setdefault(pair.parent_key, []).append(pair.object_key)
    for parent, inside in by_folder.items():
        for message in _in_folder(context, parent, inside):
            known[parent, message.source_key] = message
    places = enumerate((pair.parent_key, pair.object_key) for pair in keys)
    return [(step, known[place]) for step, place in places if place in known]


def _in_folder(context: Context, parent: bytes, keys: Sequence[bytes]) -> Iterator[Message]:
    try:
        folder = locate.folder_by_source_key(context.tx, parent)
    except NotFound:
        return
    columns = schema.messages.c
    for chunk in locate.chunks(keys):
        inside = (columns.folder_id == folder.id) & (columns.state < schema.DELETED)
        yield from locate.messages_where(context.tx, inside & columns.source_key.in_(chunk))


def _rows(context: Context, ids: Sequence[int], columns: Sequence[PropTag]) -> dict[int, Props]:
    result: dict[int, Props] = {}
    for kind in (RowKind.NORMAL, RowKind.ASSOCIATED):
        result.update(rows.rows_of_messages(context.tx, context.actor, ids, columns, kind))
    return result


@writes(ImportMessageFromStream)
def import_stream(context: Context, call: ImportMessageFromStream) -> Result:
    """Create a message from a stream, or replace its content."""
    _require_streams(context)
    entryid = entryid_of(call.entryid)
    if call.stream_data is None:
        raise InvalidParameter("sStreamData is missing")
    try:
        content = decode_stream(call.stream_data)
    except WireError as error:
        raise InvalidParameter(f"the stream is broken: {error}") from None
    extra = [] if call.conflict_items is None else [call.conflict_items]
    if call.is_new:
        tree = tree_of(context.tx, content, extra)
        parent, flags = entryid_of(call.parent_entryid), call.flags & ASSOCIATED
    else:
        context.require_unlocked(entryid)
        content.props.pop(pt.PR_MESSAGE_FLAGS, None)  # the read state stays
        tree = _replacing(context, entryid, tree_of(context.tx, content, extra))
        parent, flags = call.parent_entryid, 0
    objects.save_object(context.tx, context.actor, parent, entryid, tree, flags, call.sync_id)
    return Result()


def _replacing(context: Context, entryid: bytes, tree: ObjectTree) -> ObjectTree:
    """The tree that makes an existing message look like the given one."""
    message = locate.message_by_entryid(context.tx, entryid)
    before = loading.load_message(context.tx, context.actor, entryid, deleted=False)
    kept = {tag for tag, _ in tree.mod_props}
    gone = [tag for tag in before.del_props if tag not in kept]
    removed = [
        ObjectTree(delete=True, server_id=part.id, obj_type=part.type)
        for part in parts.parts_of(context.tx, message.id)
        if part.parent_id == message.id
    ]
    return ObjectTree(
        [*removed, *tree.children], gone, tree.mod_props, server_id=message.id, obj_type=tree.obj_type
    )
