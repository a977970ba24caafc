"""The message stream: a whole message as bytes, as the export and import calls carry it.

::

    stream     = version object                     version is 1; all numbers are big-endian
    object     = props count child*
    props      = count (tag value [name])*          a name only for ids above 0x8500
    child      = type id props [tail]               type 6 or 8 a recipient, 7 an attachment
    tail       = length data count [embedded]       attachments only; count is 0 or 1
    embedded   = type id object                     type 5

Strings are UTF-8 under 8-bit tags; they are given, and taken, as PT_UNICODE. Named properties above 0x8500 are
given as `NamedTag`, so that a stream means the same on every server. Large attachments of a `Blob` stay
in it: their data is a `Blob` that reads the source again.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from gateway.mapi import props as p
from gateway.mapi.content import AttachmentContent, Blob, MessageContent
from gateway.mapi.props import NamedProps, NamedTag, PropKey, PropName
from gateway.mapi.proptags import PR_ATTACH_DATA_BIN
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.errors import WireError

VERSION: Final = 1
FIRST_NAMED: Final = 0x8501
_MAX_DEPTH: Final = 50
_MAX_COUNT: Final = 1_000_000
#: Attachments larger than this stay in a source that is a `Blob`.
_KEEP_IN_SOURCE: Final = 1 << 18

_U32: Final = struct.Struct(">I")
_FIXED: Final[dict[int, struct.Struct]] = {
    p.PT_SHORT: struct.Struct(">h"),
    p.PT_LONG: _U32,
    p.PT_FLOAT: struct.Struct(">f"),
    p.PT_DOUBLE: struct.Struct(">d"),
    p.PT_APPTIME: struct.Struct(">d"),
    p.PT_BOOLEAN: struct.Struct(">?"),
    p.PT_LONGLONG: struct.Struct(">q"),
    # High and low half, one after the other, are one big-endian number.
    p.PT_CURRENCY: struct.Struct(">q"),
    p.PT_SYSTIME: struct.Struct(">q"),
}
_SIZED: Final = {p.PT_STRING8, p.PT_UNICODE, p.PT_BINARY, p.PT_CLSID}
_TYPES: Final = set(_FIXED) | _SIZED

#: Bytes, or bytes that are given later.
Piece: TypeAlias = bytes | Blob


class _Source:
    """Sequential reading of bytes or a `Blob`, never past its size."""

    def __init__(self, data: bytes | Blob) -> None:
        self.data = data
        self.position = 0
        self.size = data.size if isinstance(data, Blob) else len(data)
        self._chunks = data.chunks() if isinstance(data, Blob) else iter((data,))
        self._buffer, self._at = b"", 0

    def check(self, length: int) -> None:
        """Refuse a length that the source does not have."""
        if length > self.size - self.position:
            raise WireError("the message stream ends in the middle")

    def _fill(self, length: int) -> None:
        parts, have = [self._buffer[self._at :]], len(self._buffer) - self._at
        while have < length:
            chunk = next(self._chunks, None)
            if chunk is None:
                raise WireError("the message stream ends in the middle")
            parts.append(chunk)
            have += len(chunk)
        self._buffer, self._at = b"".join(parts), 0

    def take(self, length: int) -> bytes:
        """The next bytes."""
        data = self.peek(length)
        self._at += length
        self.position += length
        return data

    def peek(self, length: int) -> bytes:
        """The next bytes, without moving on."""
        self.check(length)
        if len(self._buffer) - self._at < length:
            self._fill(length)
        return self._buffer[self._at : self._at + length]

    def skip(self, length: int) -> None:
        """Move on without keeping anything."""
        self.check(length)
        while length:
            step = min(length, max(len(self._buffer) - self._at, 1))
            self.take(step)
            length -= step

    def number(self) -> int:
        """The next u32."""
        number: int = _U32.unpack(self.take(4))[0]
        return number

    def count(self) -> int:
        """The next u32 as a number of things, each of which needs at least a byte."""
        count = self.number()
        if count > _MAX_COUNT or count > self.size - self.position:
            raise WireError(f"a message stream cannot hold {count} elements here")
        return count


def decode_stream(data: bytes | Blob) -> MessageContent:
    """The message of a stream (WireError when it is none)."""
    source = _Source(data)
    if source.number() != VERSION:
        raise WireError("a message stream of an unknown version")
    return _object(source, 0)


def _object(source: _Source, depth: int) -> MessageContent:
    if depth > _MAX_DEPTH:
        raise WireError(f"messages embedded deeper than {_MAX_DEPTH}")
    message = MessageContent(_props(source))
    for _ in range(source.count()):
        kind = source.number()
        source.number()  # the id it had on the server
        props = _child_props(source)
        if kind == ObjectType.ATTACHMENT:
            message.attachments.append(_attachment(source, props, depth))
        elif kind in (ObjectType.MAIL_USER, ObjectType.DISTRIBUTION_LIST):
            message.recipients.append(props)
        else:
            raise WireError(f"a message stream cannot hold an object of type {kind}")
    return message


def _attachment(source: _Source, props: NamedProps, depth: int) -> AttachmentContent:
    data: bytes | Blob | None = _data(source, source.number())
    embedded = None
    for _ in range(min(source.count(), 2)):
        if embedded is not None or source.number() != ObjectType.MESSAGE:
            raise WireError("an attachment may embed one message")
        source.number()
        embedded = _object(source, depth + 1)
    return AttachmentContent(props, None if embedded is not None and not data else data, embedded)


def _data(source: _Source, length: int) -> bytes | Blob:
    if length <= _KEEP_IN_SOURCE or not isinstance(source.data, Blob):
        return source.take(length)
    start = source.position
    source.skip(length)
    return Blob(length, lambda: _slice(source.data, start, length))


def _slice(data: bytes | Blob, start: int, length: int) -> Iterator[bytes]:
    part = _Source(data)
    part.skip(start)
    while length:
        chunk = part.take(min(length, 1 << 16))
        length -= len(chunk)
        yield chunk


def _child_props(source: _Source) -> NamedProps:
    """The properties of a child; Kopano leaves the whole block out when there are none."""
    if source.size - source.position < 8:
        return _props(source) if source.size - source.position >= 4 else {}
    count, tag = struct.unpack(">II", source.peek(8))
    if count and (tag & ~p.MV_FLAG & 0xFFFF not in _TYPES or tag >> 16 == 0):
        return {}
    return _props(source)


def _props(source: _Source) -> NamedProps:
    props: NamedProps = {}
    for _ in range(source.count()):
        tag = source.number()
        value = _value(source, tag & 0xFFFF)
        key: PropKey = p.canonical(tag)
        if tag >> 16 >= FIRST_NAMED:
            key = NamedTag(_name(source), p.prop_type(p.canonical(tag)))
        props[key] = value
    return props


def _name(source: _Source) -> PropName:
    guid = source.take(16)
    if source.number() == 0:
        return PropName(guid, source.number())
    return PropName(guid, source.take(source.number()).decode("utf-8", "replace"))


def _value(source: _Source, kind: int) -> Any:
    if kind & p.MV_FLAG:
        return tuple(_single(source, kind & ~p.MV_FLAG) for _ in range(source.count()))
    return _single(source, kind)


def _single(source: _Source, kind: int) -> Any:
    fixed = _FIXED.get(kind)
    if fixed is not None:
        return fixed.unpack(source.take(fixed.size))[0]
    if kind not in _SIZED:
        raise WireError(f"a message stream cannot hold a property of type {kind:#06x}")
    data = source.take(source.number())
    return data.decode("utf-8", "replace") if kind in (p.PT_STRING8, p.PT_UNICODE) else data


def encode_stream(content: MessageContent, names: Mapping[int, PropName] | None = None) -> Blob:
    """The stream of a message.

    ``names`` gives the names of properties keyed by a tag with an id above 0x8500; keys that are `NamedTag`
    need none. WireError when a name is missing or a value cannot travel.
    """
    pieces: list[Piece] = [_U32.pack(VERSION)]
    _write_object(content, names or {}, pieces.append)
    size = sum(piece.size if isinstance(piece, Blob) else len(piece) for piece in pieces)
    return Blob(size, lambda: _chunks(pieces))


def _chunks(pieces: list[Piece]) -> Iterator[bytes]:
    run: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, Blob):
            yield b"".join(run)
            run.clear()
            yield from piece.chunks()
        else:
            run.append(piece)
    yield b"".join(run)


_Add: TypeAlias = Callable[[Piece], None]


def _write_object(content: MessageContent, names: Mapping[int, PropName], add: _Add) -> None:
    _write_props(content.props, names, add)
    add(_U32.pack(len(content.recipients) + len(content.attachments)))
    for number, recipient in enumerate(content.recipients):
        add(struct.pack(">II", recipient.get(_OBJECT_TYPE, ObjectType.MAIL_USER), number))
        _write_props(recipient, names, add)
    for number, attachment in enumerate(content.attachments):
        add(struct.pack(">II", ObjectType.ATTACHMENT, number))
        _write_attachment(attachment, names, add)


_OBJECT_TYPE: Final = 0x0FFE0003


def _write_attachment(attachment: AttachmentContent, names: Mapping[int, PropName], add: _Add) -> None:
    data = attachment.data
    if data is None:
        data = attachment.props.get(PR_ATTACH_DATA_BIN, b"")
    _write_props(
        {key: value for key, value in attachment.props.items() if key != PR_ATTACH_DATA_BIN}, names, add
    )
    add(_U32.pack(data.size if isinstance(data, Blob) else len(data)))
    add(data)
    if attachment.embedded is None:
        add(_U32.pack(0))
        return
    add(struct.pack(">III", 1, ObjectType.MESSAGE, 0))
    _write_object(attachment.embedded, names, add)


def _write_props(props: NamedProps, names: Mapping[int, PropName], add: _Add) -> None:
    add(_U32.pack(len(props)))
    # The reader of a stream goes by the name; the id only has to be one that has a name.
    unnumbered = FIRST_NAMED
    for key, value in props.items():
        name: PropName | None = None
        if isinstance(key, NamedTag):
            name, tag = key.name, unnumbered << 16 | key.type
            unnumbered += 1
        else:
            tag = key
            if tag >> 16 >= FIRST_NAMED and (name := names.get(tag >> 16)) is None:
                raise WireError(f"property {tag:#010x} has no name")
        try:
            add(_U32.pack(_eight_bit(tag)) + _pack(tag & 0xFFFF, value))
        except (TypeError, AttributeError, struct.error) as error:
            raise WireError(f"property {tag:#010x}: {error}") from error
        if name is not None:
            add(_pack_name(name))


def _eight_bit(tag: int) -> int:
    return tag & ~1 if tag & 0xEFFF == p.PT_UNICODE else tag


def _pack_name(name: PropName) -> bytes:
    if isinstance(name.id, int):
        return name.guid + struct.pack(">II", 0, name.id)
    text = name.id.encode("utf-8", "replace")
    return name.guid + struct.pack(">II", 1, len(text)) + text


def _pack(kind: int, value: Any) -> bytes:
    if kind & p.MV_FLAG:
        return _U32.pack(len(value)) + b"".join(_pack_single(kind & ~p.MV_FLAG, each) for each in value)
    return _pack_single(kind, value)


def _pack_single(kind: int, value: Any) -> bytes:
    fixed = _FIXED.get(kind)
    if fixed is not None:
        return fixed.pack(p.unsigned32(value) if kind == p.PT_LONG else value)
    if kind not in _SIZED:
        raise WireError(f"a message stream cannot hold a property of type {kind:#06x}")
    data = value.encode("utf-8", "replace") if isinstance(value, str) else bytes(value)
    return _U32.pack(len(data)) + data
