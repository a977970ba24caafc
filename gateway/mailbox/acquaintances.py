"""Acquaintances: users who shared something with a user before, or whom he opened in MAPI's web client."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

import msgspec

from gateway.mapi import proptags as pr
from gateway.mapi.errors import MapiError, NotFound
from gateway.mapi.propnames import PSETID_Gateway
from gateway.mapi.props import PT_UNICODE, NamedProps, NamedTag, PropKey, PropName
from gateway.mapiclient.message import load_prop
from gateway.mapiclient.names import Names
from gateway.mapiclient.store import Store

#: On the user's own store: login names as a JSON array.
REMEMBERED: Final = NamedTag(PropName(PSETID_Gateway, "sharers"), PT_UNICODE)
_OPENED: Final = ("settings", "zarafa", "v1", "contexts", "hierarchy", "shared_stores")
#: So many names are remembered and asked at the most.
MOST: Final = 1000


class Acquaintances:
    """What is known of one user's; ``own`` gives the user's own store once it is open."""

    def __init__(self, own: Callable[[], Store]) -> None:
        self._own = own

    async def remembered(self) -> list[str]:
        """Who shared something when a gateway last looked: login names."""
        return remembered_in(await self._text(REMEMBERED))

    async def opened(self) -> list[str]:
        """Whose stores or folders the user opened in the web client: login names, mostly in small letters."""
        return opened_in(await self._text(pr.PR_EC_WEBACCESS_SETTINGS_JSON))

    async def remember(self, logins: Iterable[str]) -> None:
        """Have these found next time (nothing happens in a store that may not be written)."""
        props: NamedProps = {REMEMBERED: msgspec.json.encode(sorted(logins)[:MOST]).decode("utf-8")}
        with suppress(MapiError):
            await self._own().set_props(props)

    async def _text(self, key: PropKey) -> str:
        store = self._own()
        (tag,) = await Names(store.session).tags([key], create=False)
        try:
            value = await load_prop(store.session, store.entryid, tag) if tag else ""
        except NotFound:
            return ""
        return value if isinstance(value, str) else ""


def remembered_in(text: str) -> list[str]:
    """The names in what is remembered."""
    found = _decoded(text)
    return [name for name in found if isinstance(name, str)][:MOST] if isinstance(found, list) else []


def opened_in(settings: str) -> list[str]:
    """The names in the web client's settings; nothing where they are not as expected."""
    found = _decoded(settings)
    for step in _OPENED:
        found = found.get(step) if isinstance(found, dict) else None
    return list(found)[:MOST] if isinstance(found, dict) else []


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
