"""Property values by their type, whatever a store gave: a value of another type counts as missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.mapi.content import Blob
from gateway.mapi.props import PropKey


def text(props: Mapping[PropKey, Any], key: PropKey) -> str:
    """A string, empty when there is none."""
    value = props.get(key)
    if isinstance(value, str):
        return value
    if isinstance(value, Blob):
        return value.read().decode("utf-8", "replace")
    return ""


def number(props: Mapping[PropKey, Any], key: PropKey) -> int | None:
    """A whole number."""
    value = props.get(key)
    return value if isinstance(value, int) else None


def octets(props: Mapping[PropKey, Any], key: PropKey) -> bytes:
    """A binary, empty when there is none."""
    value = props.get(key)
    if isinstance(value, bytes):
        return value
    return value.read() if isinstance(value, Blob) else b""
