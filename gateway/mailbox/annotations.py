"""Annotations: METADATA of mailboxes and of the server (RFC 5464), kept in the store.

Shared entries of a mailbox lie on its folder, so that everybody who may read the folder has them. Private entries
and those of the server lie on the user's own Inbox. Each place is one named property with a small JSON object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from gateway.mailbox.tree import Mailbox
from gateway.mapi import proptags as pr
from gateway.mapi.errors import NotFound, TooBig
from gateway.mapi.propnames import PS_PUBLIC_STRINGS
from gateway.mapi.props import PT_BINARY, NamedProps, NamedTag, PropName
from gateway.mapi.tables import ObjectType, TableFlags
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.message import load_prop, set_props
from gateway.mapiclient.names import Names
from gateway.mapiclient.table import Table, rows_of

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

    async def read_many(self, root: bytes, mailboxes: Sequence[Mailbox]) -> dict[bytes, dict[str, bytes]]:
        """The entries of many mailboxes by entry id, those of the server under ``b""``.

        Two calls, and one for each mailbox that does not lie below ``root``.
        """
        private = await self._load(self._home)
        shared = await self._shared_below(root) if mailboxes else {}
        found = {b"": private.get(f"private:{SERVER}", {})}
        for mailbox in mailboxes:
            places = shared.get(mailbox.entryid)
            if places is None and mailbox.store_entryid != self._store:
                places = await self._load(mailbox.entryid)
            mine = private.get(f"private:{mailbox.mailbox_id}", {})
            found[mailbox.entryid] = {**(places or {}).get(_SHARED, {}), **mine}
        return found

    async def _shared_below(self, root: bytes) -> dict[bytes, _Places]:
        """What lies on the folders themselves, by entry id, from one table."""
        (tag,) = await Names(self._session).tags([ANNOTATIONS])
        table = Table(
            self._session,
            root,
            (pr.PR_ENTRYID, tag),
            object_type=ObjectType.FOLDER,
            flags=TableFlags.CONVENIENT_DEPTH | TableFlags.NOCAP,
        )
        return {row[pr.PR_ENTRYID]: _decoded(row[tag]) for row in await rows_of(table) if row.get(tag)}

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
            return _decoded(await load_prop(self._session, place, tag))
        except NotFound:
            return {}


def _decoded(value: bytes) -> _Places:
    try:
        return msgspec.json.decode(value, type=_Places)
    except msgspec.DecodeError:
        return {}


def _check(entries: Mapping[str, bytes]) -> None:
    if any(len(value) > MAX_VALUE for value in entries.values()):
        raise TooBig(f"an annotation may have {MAX_VALUE} octets")
    if len(entries) > MAX_ENTRIES or sum(map(len, entries.values())) > MAX_TOTAL:
        raise TooBig(f"a mailbox may have {MAX_ENTRIES} annotations of {MAX_TOTAL} octets together")
