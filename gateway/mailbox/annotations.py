"""Annotations: METADATA of mailboxes and of the server (RFC 5464), kept in the store.

Shared entries of a mailbox lie on its folder, so that everybody who may read the folder has them. Private entries
and those of the server lie on the user's own Inbox. Each place is one named property with a small JSON object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from gateway.mapi.errors import NotFound, TooBig
from gateway.mapi.propnames import PS_PUBLIC_STRINGS
from gateway.mapi.props import PT_BINARY, NamedProps, NamedTag, PropName
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.message import load_prop, set_props
from gateway.mapiclient.names import Names

ANNOTATIONS: Final = NamedTag(PropName(PS_PUBLIC_STRINGS, "imap-annotations"), PT_BINARY)
#: Octets of one value, and of all values in one place.
MAX_VALUE: Final = 64 * 1024
MAX_TOTAL: Final = 256 * 1024
MAX_ENTRIES: Final = 200
SERVER: Final = ""

#: Folder key (source key in hex, `SERVER` for the server, "shared" on the folder itself) to entry to value.
_Places = dict[str, dict[str, bytes]]
_SHARED: Final = "shared"


class Annotations:
    """The annotations one user sees. ``home`` is the folder that keeps the private ones."""

    def __init__(self, session: Caller, store: bytes, home: bytes) -> None:
        self._session = session
        self._store = store
        self._home = home

    async def read(self, key: str, folder: bytes | None) -> dict[str, bytes]:
        """All entries of a mailbox (``key`` names it, ``folder`` is its entry id) or of the server (None)."""
        private = (await self._load(self._home)).get(f"private:{key}", {})
        shared = {} if folder is None else (await self._load(folder)).get(_SHARED, {})
        return {**shared, **private}

    async def write(
        self, key: str, folder: bytes | None, store: bytes, entries: Mapping[str, bytes | None]
    ) -> None:
        """Set entries, or remove those whose value is None (TooBig, NoAccess)."""
        private = {name: value for name, value in entries.items() if not name.lower().startswith("/shared/")}
        shared = {name: value for name, value in entries.items() if name not in private}
        if private or (shared and folder is None):
            mine = private if folder is not None else dict(entries)
            await self._change(self._home, self._store, f"private:{key}", mine)
        if shared and folder is not None:
            await self._change(folder, store, _SHARED, shared)

    async def _change(self, place: bytes, store: bytes, key: str, entries: Mapping[str, bytes | None]) -> None:
        places = await self._load(place)
        there = places.setdefault(key, {})
        for name, value in entries.items():
            found = next((known for known in there if known.lower() == name.lower()), name)
            if value is None:
                there.pop(found, None)
            else:
                there[found] = value
        _check(there)
        blob = msgspec.json.encode(places)
        if len(blob) > 2 * MAX_TOTAL:
            raise TooBig("too many annotations are kept already")
        _, server_id = await load_props(self._session, place)
        props: NamedProps = {ANNOTATIONS: blob}
        await set_props(self._session, store, place, server_id, props, object_type=ObjectType.FOLDER)

    async def _load(self, place: bytes) -> _Places:
        (tag,) = await Names(self._session).tags([ANNOTATIONS])
        try:
            return msgspec.json.decode(await load_prop(self._session, place, tag), type=_Places)
        except (NotFound, msgspec.DecodeError):
            return {}


def _check(entries: Mapping[str, bytes]) -> None:
    if any(len(value) > MAX_VALUE for value in entries.values()):
        raise TooBig(f"an annotation may have {MAX_VALUE} octets")
    if len(entries) > MAX_ENTRIES or sum(map(len, entries.values())) > MAX_TOTAL:
        raise TooBig(f"a mailbox may have {MAX_ENTRIES} annotations of {MAX_TOTAL} octets together")
