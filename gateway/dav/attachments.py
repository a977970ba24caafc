"""Managed attachments (RFC 8607): files of an item have addresses, are added, exchanged and removed one by one.

An attachment's address is below its item: ``/OWNER/COLLECTION/KEY.ics/ID/NAME``, KEY being the item's source key and ID the
attachment's PR_RECORD_KEY, which is its MANAGED-ID too. Instances of a series have the files of the series.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import BinaryIO, Final
from urllib.parse import parse_qs, quote

from gateway.convert.ical.files import BY_VALUE, MAX_FILES, managed_id
from gateway.dav import writing
from gateway.dav.collection import Collection, StoredItem
from gateway.dav.errors import Answer, Refused
from gateway.dav.rights import letters
from gateway.mapi import proptags as pr
from gateway.mapi.content import Blob
from gateway.mapi.props import Props
from gateway.mapiclient.attachment import Attachment, add_attachment, attachments, delete_attachment
from gateway.mapiclient.folder import load_props

_ACTIONS: Final = ("attachment-add", "attachment-update", "attachment-remove")
_CHUNK: Final = 1 << 16
_UNTYPED: Final = "application/octet-stream"
_ATTACH: Final = re.compile(rb"^ATTACH(?=[;:])[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n", re.M | re.I)
_MANAGED: Final = re.compile(rb';MANAGED-ID=("[^"]*"|[^;:]*)', re.I)
_FOLD: Final = re.compile(rb"\r?\n[ \t]")
#: A type that may be told to a client as it is; anything else is bytes.
_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}")


def without_managed(body: bytes, source_key: bytes) -> bytes:
    """A client's text without the item's own attachments, which stay; those of other items become links."""
    own = f"/{source_key.hex()}.ics/".encode() if source_key else b"\0"

    def rest(match: re.Match[bytes]) -> bytes:
        line = _FOLD.sub(b"", match[0])
        if not _MANAGED.search(line):
            return match[0]
        return b"" if own in line else _MANAGED.sub(b"", line)

    return _ATTACH.sub(rest, body)


# Reading


def get(collection: Collection, item: StoredItem, wanted: str) -> Answer:
    """The answer to a GET of an attachment (Refused)."""
    writing.refuse_private(collection.place, item.entry)
    found = _attachment(collection, item, wanted)
    data = collection.scope.wait(found.data)
    kind = str(found.props.get(pr.PR_ATTACH_MIME_TAG) or "").lower()
    headers = {
        "Content-Type": kind if _TYPE.fullmatch(kind) else _UNTYPED,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name or 'attachment', safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private",
    }
    return Answer(200, headers, data) if isinstance(data, bytes) else Answer(200, headers, chunks=data.chunks())


def _attachment(collection: Collection, item: StoredItem, wanted: str, status: int = 404) -> Attachment:
    session = collection.scope.session_of(collection.place)
    found = collection.scope.wait(lambda: attachments(session, item.entry.entryid))
    for each in found:
        if (
            wanted
            and managed_id(each.props) == wanted
            and each.props.get(pr.PR_ATTACH_METHOD, BY_VALUE) == BY_VALUE
        ):
            return each
    raise Refused(status, "C:valid-managed-id" if status == 403 else "", "the item has no such attachment")


# Writing


@dataclass(frozen=True, slots=True)
class Upload:
    """What a client sends: its headers (names in small letters), the query, and the body as a file."""

    headers: dict[str, str]
    query: str
    content: BinaryIO
    most: int
    """Largest body that is taken."""

    def parameter(self, name: str) -> str:
        """A parameter of the query."""
        return parse_qs(self.query).get(name, [""])[0]

    @property
    def blob(self) -> Blob:
        """The body, read when it is sent (Refused)."""
        size = self.content.seek(0, os.SEEK_END)
        if size > self.most:
            raise Refused(403, "C:max-attachment-size", f"an attachment has at most {self.most} bytes")
        return Blob(size, self._chunks)

    def _chunks(self) -> Iterator[bytes]:
        self.content.seek(0)
        while chunk := self.content.read(_CHUNK):
            yield chunk

    @property
    def props(self) -> Props:
        """What MAPI keeps of the headers."""
        header = Message()
        header["Content-Disposition"] = self.headers.get("content-disposition", "attachment")
        name = (header.get_filename() or "attachment").replace("\\", "/").rpartition("/")[2] or "attachment"
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        found: Props = {
            pr.PR_RECORD_KEY: os.urandom(16),
            pr.PR_ATTACH_LONG_FILENAME: name,
            pr.PR_DISPLAY_NAME: name,
            pr.PR_ATTACH_MIME_TAG: kind if _TYPE.fullmatch(kind) else _UNTYPED,
            pr.PR_RENDERING_POSITION: 0xFFFFFFFF,
        }
        if "." in name.strip("."):
            found[pr.PR_ATTACH_EXTENSION] = "." + name.rpartition(".")[2]
        return found


def post(collection: Collection, item: StoredItem, upload: Upload) -> Answer:
    """attachment-add, attachment-update and attachment-remove (RFC 8607 3.5 to 3.7; Refused)."""
    action = upload.parameter("action")
    if action not in _ACTIONS:
        raise Refused(403, "C:valid-action", "nothing like this is done here")
    if upload.parameter("rid") not in ("", "M"):
        raise Refused(403, "C:valid-rid", "attachments belong to all instances")
    if "w" not in letters(collection.place) or not collection.place.kind.is_calendar:
        raise Refused(403, "D:need-privileges", "you may not write here")
    writing.refuse_private(collection.place, item.entry)
    old = None
    if action != "attachment-add":
        old = _attachment(collection, item, upload.parameter("managed-id"), 403)
    if action == "attachment-remove":
        assert old is not None
        _remove(collection, item, old)
        return Answer(204)
    return _add(collection, item, upload, old)


def _remove(collection: Collection, item: StoredItem, old: Attachment) -> None:
    async def remove() -> None:
        store = collection.place.home.store.entryid if collection.place.home else b""
        _, server_id = await load_props(old.session, item.entry.entryid)
        await delete_attachment(old.session, store, item.entry.entryid, server_id, old.server_id)

    collection.scope.wait(remove)


def _add(collection: Collection, item: StoredItem, upload: Upload, old: Attachment | None) -> Answer:
    """Add a file, in the place of ``old`` in the same transaction."""
    place, scope, entryid = collection.place, collection.scope, item.entry.entryid
    session, blob, props = scope.session_of(place), upload.blob, upload.props

    async def add() -> None:
        if old is None and len(await attachments(session, entryid)) >= MAX_FILES:
            raise Refused(403, "C:max-attachments-per-resource", f"an item has at most {MAX_FILES} attachments")
        store = place.home.store.entryid if place.home else b""
        _, server_id = await load_props(session, entryid)
        instead_of = old.server_id if old is not None else 0
        await add_attachment(session, store, entryid, server_id, blob, props, instead_of=instead_of)

    scope.wait(add)
    key = managed_id(props)
    base = f"/{quote(place.owner)}/{quote(place.name)}/{item.entry.source_key.hex()}.ics"
    name = quote(str(props[pr.PR_ATTACH_LONG_FILENAME]), safe="")
    return Answer(201 if old is None else 200, {"Cal-Managed-ID": key, "Location": f"{base}/{key}/{name}"})
