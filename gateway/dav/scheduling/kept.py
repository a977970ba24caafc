"""Properties of a user's store in which scheduling keeps what it has to remember of him."""

from __future__ import annotations

from typing import Any

from gateway.mapi.errors import NotFound
from gateway.mapi.props import PropKey
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.message import load_prop
from gateway.mapiclient.names import Names


async def text(session: Caller, store: bytes, key: PropKey) -> str:
    """A property of the store of an entry id, "" when it has none."""
    value = await read(session, store, key)
    return value if isinstance(value, str) else ""


async def read(session: Caller, store: bytes, key: PropKey) -> Any:
    """A property of the store of an entry id, None when it has none."""
    (tag,) = await Names(session).tags([key], create=False)
    if not tag:
        return None
    try:
        return await load_prop(session, store, tag)
    except NotFound:
        return None
