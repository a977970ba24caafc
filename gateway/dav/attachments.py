"""Managed attachments (RFC 8607): the files of an item have addresses, and texts name them.

An attachment's address is below its item: ``/OWNER/COLLECTION/KEY.ics/ID/NAME``, KEY being the item's source key and ID the
attachment's PR_RECORD_KEY, which is its MANAGED-ID too. A file that several instances of a series have is stored with
each of them, under the same ID.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from gateway.convert.ical.files import BY_VALUE, managed_id, managed_ids
from gateway.convert.ical.instancefiles import files_of
from gateway.convert.ical.privacy import shown
from gateway.convert.lines import Line
from gateway.dav import hrefs, writing
from gateway.dav.asked import matches
from gateway.dav.collection import Collection, StoredItem
from gateway.dav.errors import Answer, Refused
from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapiclient.attachment import Attachment, attachments

#: Files of so many other items may be named in one text; more of them are links.
_MOST_ITEMS: Final = 20
UNTYPED: Final = "application/octet-stream"
_ATTACH: Final = re.compile(rb"^ATTACH(?=[;:])[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n", re.M | re.I)
_MANAGED: Final = re.compile(rb';MANAGED-ID=(?:"([^"]*)"|([^;:]*))', re.I)
_FOLD: Final = re.compile(rb"\r?\n[ \t]")
#: A type that may be told to a client as it is; anything else is bytes.
TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}")


# Reading


def get(collection: Collection, item: StoredItem, wanted: str, none_match: str = "") -> Answer:
    """The answer to a GET of an attachment, which never changes under its ID (Refused)."""
    writing.refuse_private(collection.place, item.entry)
    session = collection.scope.session_of(collection.place)
    found = collection.scope.wait(lambda: attachments(session, item.entry.entryid, inner=True))
    one = next(iter(having(found, wanted)), None)
    if one is None or (one.is_inner and not _is_shown(collection, item, wanted)):
        raise Refused(404, "", "the item has no such attachment")
    etag = f'"{wanted}"'
    if matches(none_match, etag):
        return Answer(304, {"ETag": etag})
    data = collection.scope.wait(one.data)
    kind = str(one.props.get(pr.PR_ATTACH_MIME_TAG) or "").lower()
    headers = {
        "Content-Type": kind if TYPE.fullmatch(kind) else UNTYPED,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(one.name or 'attachment', safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private",
        "ETag": etag,
    }
    return Answer(200, headers, data) if isinstance(data, bytes) else Answer(200, headers, chunks=data.chunks())


def having(found: list[Attachment], wanted: str) -> list[Attachment]:
    """The attachments of a MANAGED-ID; several instances may have the file."""
    return [
        each
        for each in found
        if wanted
        and managed_id(each.props) == wanted
        and each.props.get(pr.PR_ATTACH_METHOD, BY_VALUE) == BY_VALUE
    ]


def _is_shown(collection: Collection, item: StoredItem, wanted: str) -> bool:
    """Whether an instance's file may be read: instances may be private on their own."""
    if collection.place.sees_private:
        return True
    content = collection.scope.content(collection.place, item.entry)
    return content is not None and any(
        managed_id(each.props) == wanted for each in _readable(collection, content)
    )


def _readable(collection: Collection, content: MessageContent) -> Iterator[AttachmentContent]:
    """The files of an item that the user may read."""
    return files_of(shown(content, collection.scope.rendering(collection.place).ical))


# Texts that name files


def without_gone(body: bytes, existing: MessageContent | None) -> bytes:
    """A client's text without the files of the item that somebody has removed since the client read it."""
    if existing is None or b"MANAGED-ID" not in body.upper():
        return body
    own = f"/{(existing.props.get(pr.PR_SOURCE_KEY) or b'-').hex()}.ics/".encode()
    there = managed_ids(existing)

    def rest(match: re.Match[bytes]) -> bytes:
        line = _FOLD.sub(b"", match[0])
        key = _MANAGED.search(line)
        is_gone = key is not None and (key[1] or key[2]).decode("latin-1") not in there
        return b"" if is_gone and own in line else match[0]

    return _ATTACH.sub(rest, body)


class Named:
    """Finds the files that a client's text names: of the item itself, or of any that the user may read (RFC 8607 3.7)."""

    def __init__(self, collection: Collection, existing: MessageContent | None) -> None:
        self._scope = collection.scope
        self._own = {managed_id(each.props): each for each in files_of(existing)} if existing else {}
        self._others: dict[str, dict[str, AttachmentContent]] = {}

    def __call__(self, line: Line) -> AttachmentContent | None:
        """A copy of the file; None for one that is not here, whose line is a link."""
        key = line.param("MANAGED-ID")
        found = self._own.get(key) or self._files_of(hrefs.path_of(line.value)).get(key)
        return AttachmentContent(dict(found.props), found.data) if found is not None else None

    def _files_of(self, path: str) -> dict[str, AttachmentContent]:
        """The files of another item, by MANAGED-ID; none when the user may not read it."""
        parts = hrefs.split_path(path)
        if len(parts) != 5:
            return {}
        at = "/".join(parts[:3])
        if at not in self._others and len(self._others) >= _MOST_ITEMS:
            return {}
        if at not in self._others:
            self._others[at] = {managed_id(each.props): each for each in self._read(*parts[:3])}
        return self._others[at]

    def _read(self, owner: str, name: str, href: str) -> Iterator[AttachmentContent]:
        place = self._scope.place(owner, name) if self._scope.is_principal(owner) else None
        if place is None or not place.kind.is_calendar or not place.readable:
            return
        collection = Collection(self._scope, owner, place)
        item = collection.item(href)
        if item is None or (item.entry.private and not place.sees_private):
            return
        content = self._scope.content(place, item.entry)
        if content is not None:
            yield from (each for each in _readable(collection, content) if each.data is not None)


def keyed(content: MessageContent) -> MessageContent:
    """An item whose files all have an ID, those new ones too that came with a text."""
    for each in files_of(content):
        each.props.setdefault(pr.PR_RECORD_KEY, os.urandom(16))
    return content
