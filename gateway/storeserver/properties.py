"""Property sets as the store keeps them: checked, sized, packed and split into hot, cold and long values.

A packed set is MessagePack of ``{tag: value}``. Tags are canonical (`gateway.mapi.props.canonical`), values are
the Python values of `gateway.mapi.props`; multi-valued ones come back as tuples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from gateway.mapi import props as t
from gateway.mapi import proptags as p
from gateway.mapi.errors import InvalidParameter
from gateway.mapi.props import Prop, Props, PropTag, Value, canonical

#: Values of this size (bytes) are withheld by loadObject and fetched with loadProp.
WITHHELD_FROM: Final = 32768
#: Values larger than this are kept apart, so that reading a row stays cheap.
LONG_FROM: Final = 1024
_HOT_UP_TO: Final = 256
#: Never sent with the object, only by loadProp.
ALWAYS_WITHHELD: Final = frozenset({p.PR_ATTACH_DATA_BIN, p.PR_EC_IMAP_EMAIL})
#: Kept once per content (`attachments`), whatever their size.
SINGLE_INSTANCE: Final = ALWAYS_WITHHELD
#: Values that tables never show.
NOT_IN_TABLES: Final = ALWAYS_WITHHELD | {p.PR_HTML, p.PR_RTF_COMPRESSED}

#: What message lists usually show; kept in the message's own row.
_HOT_TAGS: Final = frozenset(
    {
        p.PR_MESSAGE_CLASS,
        p.PR_SUBJECT,
        p.PR_SUBJECT_PREFIX,
        p.PR_CLIENT_SUBMIT_TIME,
        p.PR_SENDER_NAME,
        p.PR_SENDER_EMAIL_ADDRESS,
        p.PR_SENDER_ADDRTYPE,
        p.PR_SENT_REPRESENTING_NAME,
        p.PR_SENT_REPRESENTING_EMAIL_ADDRESS,
        p.PR_SENT_REPRESENTING_ADDRTYPE,
        p.PR_DISPLAY_TO,
        p.PR_DISPLAY_CC,
        p.PR_IMPORTANCE,
        p.PR_PRIORITY,
        p.PR_SENSITIVITY,
        p.PR_ICON_INDEX,
        p.PR_FLAG_STATUS,
        p.PR_FOLLOWUP_ICON,
        p.PR_LAST_VERB_EXECUTED,
        p.PR_LAST_VERB_EXECUTION_TIME,
        p.PR_INTERNET_MESSAGE_ID,
        p.PR_CONVERSATION_TOPIC,
        p.PR_EC_IMAP_EMAIL_SIZE,
        p.PR_SUBMIT_FLAGS,
        p.PR_DISPLAY_NAME,
        p.PR_START_DATE,
        p.PR_END_DATE,
    }
)

_INT: Final = (int,)
_CHECKS: Final[Mapping[int, tuple[type, ...]]] = {
    t.PT_SHORT: _INT,
    t.PT_LONG: _INT,
    t.PT_ERROR: _INT,
    t.PT_FLOAT: (float, int),
    t.PT_DOUBLE: (float, int),
    t.PT_APPTIME: (float, int),
    t.PT_CURRENCY: _INT,
    t.PT_BOOLEAN: (bool, int),
    t.PT_LONGLONG: _INT,
    t.PT_SYSTIME: _INT,
    t.PT_UNICODE: (str,),
    t.PT_STRING8: (str,),
    t.PT_BINARY: (bytes,),
    t.PT_CLSID: (bytes,),
}
_BOUNDS: Final[Mapping[int, tuple[int, int]]] = {
    t.PT_SHORT: (-0x8000, 0x7FFF),
    t.PT_LONG: (0, 0xFFFF_FFFF),
    t.PT_CURRENCY: (-(1 << 63), (1 << 63) - 1),
    t.PT_LONGLONG: (-(1 << 63), (1 << 63) - 1),
    t.PT_SYSTIME: (-(1 << 63), (1 << 63) - 1),
}

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(dict[int, object])
_value_decoder: Final = msgspec.msgpack.Decoder()


def _checked_single(kind: int, value: Any) -> Value:
    accepted: Any = _CHECKS.get(kind)
    if accepted is None or not isinstance(value, accepted):
        raise InvalidParameter(f"a property of type {kind:#06x} cannot hold {type(value).__name__}")
    if kind == t.PT_BOOLEAN:
        return bool(value)
    if kind in _BOUNDS:
        low, high = _BOUNDS[kind]
        if not low <= value <= high:
            raise InvalidParameter(f"{value} is out of range for a property of type {kind:#06x}")
    elif isinstance(value, str):
        # NUL cannot be stored, and a lone surrogate has no UTF-8 form.
        value = value.split("\0", 1)[0]
        if not value.isascii():
            value = value.encode("utf-8", "replace").decode()
    return value


def checked(tag: PropTag, value: Value) -> Value:
    """The value if it fits the tag's type (InvalidParameter if not)."""
    kind = tag & 0xFFFF
    if not kind & t.MV_FLAG:
        return _checked_single(kind, value)
    if not isinstance(value, (tuple, list)):
        raise InvalidParameter(f"property {tag:#010x} holds a list")
    return tuple([_checked_single(kind & ~t.MV_FLAG, item) for item in value])


def given(props: Iterable[Prop], ignored: frozenset[PropTag] = frozenset()) -> Props:
    """A client's properties, canonical and checked; only the first occurrence of a tag counts.

    Properties without a value, errors and those in ``ignored`` are left out.
    """
    result: Props = {}
    for tag, value in props:
        tag = canonical(tag)
        if value is None or tag in ignored or tag in result or tag & 0xFFFF in (t.PT_ERROR, t.PT_NULL):
            continue
        result[tag] = checked(tag, value)
    return result


def size_of(tag: PropTag, value: Value) -> int:
    """The bytes a value counts for (PR_MESSAGE_SIZE is an estimate over all properties)."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, tuple):
        return sum(size_of(tag, item) for item in value)
    return 8 if tag & 0xFFFF in (t.PT_SYSTIME, t.PT_DOUBLE, t.PT_LONGLONG, t.PT_CURRENCY) else 4


def total_size(props: Props) -> int:
    """The bytes of a whole set."""
    return sum(size_of(tag, value) for tag, value in props.items())


def pack(props: Props) -> bytes:
    """A property set as bytes."""
    return _encoder.encode(props)


def unpack(data: bytes) -> Props:
    """The property set of `pack`."""
    props: Props = _decoder.decode(data)
    for tag, value in props.items():
        if tag & t.MV_FLAG:
            props[tag] = tuple(value)
    return props


def unpack_raw(data: bytes) -> Props:
    """Like `unpack`, with lists for multi-valued properties; for reading many rows."""
    return _decoder.decode(data)


def pack_value(value: Value) -> bytes:
    """One long value as bytes."""
    return _encoder.encode(value)


def unpack_value(tag: PropTag, data: bytes) -> Value:
    """The value of `pack_value`."""
    value = _value_decoder.decode(data)
    return tuple(value) if tag & t.MV_FLAG else value


class Split(NamedTuple):
    """A property set divided by where its values are kept."""

    hot: Props
    cold: Props
    long: Props


def split(props: Props) -> Split:
    """Divide a message's properties: listed in tables, the rest, and long values."""
    result = Split({}, {}, {})
    for tag, value in props.items():
        size = size_of(tag, value) if isinstance(value, (str, bytes, tuple)) else 8
        if size >= LONG_FROM or tag in SINGLE_INSTANCE:
            result.long[tag] = value
        elif size <= _HOT_UP_TO and may_be_hot(tag):
            result.hot[tag] = value
        else:
            result.cold[tag] = value
    return result


def may_be_hot(tag: PropTag) -> bool:
    """Whether a short value of this tag is kept in the message's row."""
    return tag in _HOT_TAGS or tag >= 0x8000_0000
