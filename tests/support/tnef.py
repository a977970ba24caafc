"""TNEF written for tests: attributes and property lists (MS-OXTNEF 2.1)."""

from __future__ import annotations

import struct

from gateway.mapi.props import (
    MV_FLAG,
    PT_BINARY,
    PT_BOOLEAN,
    PT_CLSID,
    PT_DOUBLE,
    PT_LONG,
    PT_LONGLONG,
    PT_OBJECT,
    PT_SHORT,
    PT_STRING8,
    PT_SYSTIME,
    PT_UNICODE,
    PropName,
    Value,
)

_FIXED = {
    PT_SHORT: "<h2x",
    PT_LONG: "<I",
    PT_DOUBLE: "<d",
    PT_BOOLEAN: "<H2x",
    PT_LONGLONG: "<q",
    PT_SYSTIME: "<Q",
    PT_CLSID: "<16s",
}
_VARIABLE = (PT_STRING8, PT_UNICODE, PT_BINARY, PT_OBJECT)


def stream(*attributes: bytes) -> bytes:
    """A TNEF stream."""
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attributes)


def attribute(id: int, data: bytes, level: int = 1) -> bytes:
    """One attribute with its checksum."""
    return struct.pack("<BII", level, id, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def props(*values: tuple[int | tuple[int, PropName], Value], codec: str = "cp1252") -> bytes:
    """A property list; a named property is given as its type and its name."""
    return struct.pack("<I", len(values)) + b"".join(_prop(key, value, codec) for key, value in values)


def table(*rows: bytes) -> bytes:
    """A recipient table of property lists."""
    return struct.pack("<I", len(rows)) + b"".join(rows)


def _prop(key: int | tuple[int, PropName], value: Value, codec: str) -> bytes:
    if isinstance(key, int):
        return struct.pack("<I", key) + _value(key & 0xFFFF, value, codec)
    kind, (guid, name) = key
    head = struct.pack("<I", 0x80000000 | kind) + guid
    if isinstance(name, int):
        return head + struct.pack("<II", 0, name) + _value(kind, value, codec)
    text = f"{name}\0".encode("utf-16-le")
    return head + struct.pack("<II", 1, len(text)) + _padded(text) + _value(kind, value, codec)


def _value(type: int, value: Value, codec: str) -> bytes:
    values = value if type & MV_FLAG else (value,)
    single = type & ~MV_FLAG
    encoded = b"".join(_single(single, each, codec) for each in values)
    counted = type & MV_FLAG or single in _VARIABLE
    return (struct.pack("<I", len(values)) if counted else b"") + encoded


def _single(type: int, value: Value, codec: str) -> bytes:
    if type in _FIXED:
        return struct.pack(_FIXED[type], value)
    if type == PT_UNICODE:
        value = f"{value}\0".encode("utf-16-le")
    elif type == PT_STRING8:
        value = f"{value}\0".encode(codec)
    return struct.pack("<I", len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
