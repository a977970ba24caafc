"""Reading properties: a value of the expected type or a default, whatever the store or another program wrote."""

from __future__ import annotations

from typing import Final

from gateway.mapi.props import PT_STRING8, PT_UNICODE, NamedProps, NamedTag, PropKey

_STRINGS: Final = {PT_STRING8: PT_UNICODE, PT_UNICODE: PT_STRING8}


def text(props: NamedProps, key: PropKey) -> str | None:
    """A string property, under either string type."""
    value = props.get(key)
    if value is None:
        value = props.get(_other_string(key))
    return value if isinstance(value, str) else None


def binary(props: NamedProps, tag: int) -> bytes:
    """A binary property, empty when there is none."""
    value = props.get(tag)
    return value if isinstance(value, bytes) else b""


def number(props: NamedProps, tag: int, default: int = 0) -> int:
    """An integer property."""
    value = props.get(tag)
    return value if isinstance(value, int) else default


def flag(props: NamedProps, tag: int) -> bool:
    """A boolean property, False when there is none."""
    return props.get(tag) is True


def _other_string(key: PropKey) -> PropKey:
    if isinstance(key, NamedTag):
        return NamedTag(key.name, _STRINGS.get(key.type, key.type))
    return key & ~0xFFFF | _STRINGS.get(key & 0xFFFF, key & 0xFFFF)
