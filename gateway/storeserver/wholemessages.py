"""Whole messages between the store's trees and the stream calls' content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import IO, Final

from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, Blob, MessageContent
from gateway.mapi.propnames import REGISTERED_BASE
from gateway.mapi.props import NamedProps, NamedTag, Prop, PropName, PropTag
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.structs import ObjectTree
from gateway.storeserver import names
from gateway.storeserver.database import Transaction

FIRST_NAMED: Final = 0x8501
#: What the server computes, or what travels otherwise, is not in a stream.
_NOT_IN_STREAM: Final = frozenset(
    {
        pt.PR_ACCESS,
        pt.PR_ACCESS_LEVEL,
        pt.PR_PARENT_ENTRYID,
        pt.PR_PARENT_SOURCE_KEY,
        pt.PR_INSTANCE_KEY,
        pt.PR_DELETED_ON,
        pt.PR_EC_IMAP_EMAIL,
        pt.PR_ATTACH_DATA_BIN,
    }
)
_CHUNK: Final = 64 * 1024


def content_of(tree: ObjectTree) -> MessageContent:
    """The content of a message that was read with everything in it."""
    result = MessageContent(_stored(tree, _NOT_IN_STREAM | {pt.PR_RECORD_KEY}))
    for child in tree.children:
        if child.obj_type == ObjectType.ATTACHMENT:
            result.attachments.append(_attachment(child))
        else:
            result.recipients.append(_stored(child, _NOT_IN_STREAM) | {pt.PR_OBJECT_TYPE: child.obj_type})
    return result


def _stored(tree: ObjectTree, without: frozenset[PropTag]) -> NamedProps:
    return {tag: value for tag, value in tree.mod_props if tag not in without}


def _attachment(tree: ObjectTree) -> AttachmentContent:
    embedded = next((content_of(child) for child in tree.children), None)
    data = next((value for tag, value in tree.mod_props if tag == pt.PR_ATTACH_DATA_BIN), None)
    return AttachmentContent(_stored(tree, _NOT_IN_STREAM), data, embedded)


def names_in(tx: Transaction, tree: ObjectTree) -> dict[int, PropName]:
    """The names of the named properties in a tree, by property id."""
    found = sorted(_named_ids(tree))
    known = names.names_of(tx, [number - REGISTERED_BASE for number in found])
    return {number: name for number, name in zip(found, known, strict=True) if name is not None}


def _named_ids(tree: ObjectTree) -> set[int]:
    found = {tag >> 16 for tag, _ in tree.mod_props if FIRST_NAMED <= tag >> 16 < 0xFFF0}
    return found.union(*[_named_ids(child) for child in tree.children])


def tree_of(tx: Transaction, content: MessageContent, extra: Sequence[Prop] = ()) -> ObjectTree:
    """The tree that creates the message; unknown names are registered."""
    return _Numbered(tx, content).message(content, extra)


class _Numbered:
    """Makes trees of content, with the store's numbers for names."""

    def __init__(self, tx: Transaction, content: MessageContent) -> None:
        wanted = list(dict.fromkeys(key.name for key in _names(content)))
        self._ids = dict(zip(wanted, names.ids_of(tx, wanted, create=True), strict=True))

    def _props(self, props: NamedProps) -> list[Prop]:
        return [(self._tag(key) if isinstance(key, NamedTag) else key, value) for key, value in props.items()]

    def _tag(self, key: NamedTag) -> PropTag:
        return (self._ids[key.name] + REGISTERED_BASE) << 16 | key.type

    def message(self, content: MessageContent, extra: Sequence[Prop] = ()) -> ObjectTree:
        recipients = [
            ObjectTree(mod_props=self._props(one), obj_type=one.get(pt.PR_OBJECT_TYPE, ObjectType.MAIL_USER))
            for one in content.recipients
        ]
        attachments = [self._attachment(one) for one in content.attachments]
        props = [*self._props(content.props), *extra]
        return ObjectTree([*recipients, *attachments], (), props, obj_type=ObjectType.MESSAGE)

    def _attachment(self, content: AttachmentContent) -> ObjectTree:
        props = self._props(content.props)
        data = content.data.read() if isinstance(content.data, Blob) else content.data
        if data and content.embedded is None:
            props.append((pt.PR_ATTACH_DATA_BIN, data))
        embedded = [] if content.embedded is None else [self.message(content.embedded)]
        return ObjectTree(embedded, (), props, obj_type=ObjectType.ATTACHMENT)


def _names(content: MessageContent) -> Iterator[NamedTag]:
    attached = content.attachments
    parts: list[NamedProps] = [content.props, *content.recipients, *[one.props for one in attached]]
    for props in parts:
        yield from (key for key in props if isinstance(key, NamedTag))
    for attachment in attached:
        if attachment.embedded is not None:
            yield from _names(attachment.embedded)


class StreamFile:
    """Streams on their way to the client, one after the other in a temporary file."""

    def __init__(self, make_file: Callable[[], IO[bytes]]) -> None:
        self._make_file = make_file
        self._file: IO[bytes] | None = None
        self._end = 0

    def keep(self, stream: Blob) -> Blob:
        """Write a stream down; the same bytes, read from the file."""
        if self._file is None:
            self._file = self._make_file()
        file, start = self._file, self._end
        file.seek(start)
        for chunk in stream.chunks():
            self._end += file.write(chunk)

        def chunks() -> Iterator[bytes]:
            position, end = start, start + stream.size
            while position < end:
                file.seek(position)
                data = file.read(min(_CHUNK, end - position))
                position += len(data)
                yield data

        return Blob(stream.size, chunks)
