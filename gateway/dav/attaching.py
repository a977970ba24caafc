"""Files added to items, exchanged and removed: POST with an action (RFC 8607 3.3 to 3.6).

A file of an item that nobody is invited to and that does not repeat is written on its own. Of series and meetings the
whole item is written, because instances begin to differ, and guests are told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import BinaryIO, Final
from urllib.parse import parse_qs, quote

from gateway.convert.errors import ParseError
from gateway.convert.ical.files import MAX_FILES, managed_id
from gateway.convert.ical.instancefiles import Change, all_days, day_of, files_by_day, with_files
from gateway.dav import putting, writing
from gateway.dav.attachments import TYPE, UNTYPED, having
from gateway.dav.collection import Collection, StoredItem
from gateway.dav.errors import Answer, Refused
from gateway.dav.rights import letters
from gateway.dav.scheduling.scheduler import Scheduler
from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent, Blob, MessageContent
from gateway.mapi.props import NamedProps, PropKey, Props, Value
from gateway.mapiclient.attachment import (
    BY_VALUE,
    Attached,
    Attachment,
    add_attachment,
    attached,
    delete_attachment,
)

ADD: Final = "attachment-add"
UPDATE: Final = "attachment-update"
REMOVE: Final = "attachment-remove"
_CHUNK: Final = 1 << 16
#: Each instance of a series that has a file keeps it: so many bytes are stored at most for one request.
_MOST_TOGETHER: Final = 256 << 20


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
    def instances(self) -> list[str]:
        """The instances that are meant, "M" for the series itself; none stands for all of them (RFC 8607 3.3.2)."""
        return [each.strip() for each in self.parameter("rid").split(",") if each.strip()]

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
            pr.PR_ATTACH_MIME_TAG: kind if TYPE.fullmatch(kind) else UNTYPED,
            pr.PR_RENDERING_POSITION: 0xFFFFFFFF,
        }
        if "." in name.strip("."):
            found[pr.PR_ATTACH_EXTENSION] = "." + name.rpartition(".")[2]
        return found


def post(collection: Collection, item: StoredItem, upload: Upload) -> Answer:
    """Carry an action out (Refused; Outdated when another gateway was faster)."""
    action = upload.parameter("action")
    _check(collection, item, upload, action)
    session, entryid = collection.scope.session_of(collection.place), item.entry.entryid
    there = collection.scope.wait(lambda: attached(session, entryid, inner=True))
    found = having(there.attachments, upload.parameter("managed-id"))
    # What lies in an attached mail is none of the item's.
    old = [each for each in found if item.is_series or not each.is_inner]
    if action != ADD and not old:
        raise Refused(403, "C:valid-managed-id", "the item has no such attachment")
    blob = upload.blob if action != REMOVE else Blob(0, lambda: iter(()))
    props = upload.props
    if item.is_series or there.recipients or upload.instances not in ([], ["M"]):
        new: NamedProps = {pr.PR_ATTACH_METHOD: BY_VALUE, **dict[PropKey, Value](props.items())}
        _Revision(collection, item, upload).carry_out(action, AttachmentContent(new, blob))
    else:
        _write(collection, item, there, action, old, props, blob)
    if action == REMOVE:
        return Answer(204)
    place, key = collection.place, managed_id(props)
    base = f"/{quote(place.owner)}/{quote(place.name)}/{item.entry.source_key.hex()}.ics"
    name = quote(str(props[pr.PR_ATTACH_LONG_FILENAME]), safe="")
    return Answer(201 if action == ADD else 200, {"Cal-Managed-ID": key, "Location": f"{base}/{key}/{name}"})


def _check(collection: Collection, item: StoredItem, upload: Upload, action: str) -> None:
    """What can be said without a look at the item (Refused)."""
    if action not in (ADD, UPDATE, REMOVE):
        raise Refused(403, "C:valid-action", "nothing like this is done here")
    if action == UPDATE and upload.instances:
        raise Refused(403, "C:valid-rid", "a file is exchanged wherever it is, not in single instances")
    if "w" not in letters(collection.place) or not collection.place.kind.is_calendar:
        raise Refused(403, "D:need-privileges", "you may not write here")
    writing.refuse_mailbox(collection.place)
    writing.refuse_private(collection.place, item.entry)


def _write(
    collection: Collection,
    item: StoredItem,
    there: Attached,
    action: str,
    old: Sequence[Attachment],
    props: Props,
    blob: Blob,
) -> None:
    """One file of an item that stands alone."""
    place, scope, entryid = collection.place, collection.scope, item.entry.entryid
    session = scope.session_of(place)
    store = place.home.store.entryid if place.home else b""
    if action == REMOVE:
        scope.wait(lambda: delete_attachment(session, store, entryid, there.server_id, old[0].server_id))
        return
    if action == ADD and len(there.attachments) >= MAX_FILES:
        raise _too_many()
    gone = old[0].server_id if old else 0
    scope.wait(lambda: add_attachment(session, store, entryid, there.server_id, blob, props, instead_of=gone))


def _too_many() -> Refused:
    return Refused(403, "C:max-attachments-per-resource", f"an item has at most {MAX_FILES} attachments")


class _Revision:
    """One change of the files of a series or a meeting."""

    def __init__(self, collection: Collection, item: StoredItem, upload: Upload) -> None:
        self._collection = collection
        self._item = item
        self._upload = upload
        self._key = upload.parameter("managed-id")
        self._options = collection.scope.rendering(collection.place).ical

    def carry_out(self, action: str, new: AttachmentContent) -> None:
        """Write the item, and tell those who are invited."""
        scope, place, entry = self._collection.scope, self._collection.place, self._item.entry
        existing = scope.content(place, entry)
        if existing is None:
            raise Refused(404, "", "the item is gone")
        days = self._days(existing)
        if action != ADD:
            days = self._having(existing, days)
        elif len(days) * _size(new) > _MOST_TOGETHER:
            raise Refused(403, "C:max-attachment-size", f"{len(days)} instances would have it")
        content = with_files(existing, days, self._change(action, new), self._options)
        scheduler = Scheduler(scope, self._upload.headers)
        change = scheduler.revision(place, existing, content, putting.converter(self._collection, existing))
        revised: MessageContent = change.content or content
        scheduler.carry_out(change, lambda: writing.replace(scope, place, entry, revised))

    def _days(self, existing: MessageContent) -> list[int]:
        """The instances that are meant (Refused)."""
        wanted = self._upload.instances
        if not wanted:
            return all_days(existing, self._options)
        try:
            return list(dict.fromkeys(day_of(existing, each, self._options) for each in wanted))
        except ParseError as error:
            raise Refused(403, "C:valid-rid", str(error)) from error

    def _having(self, existing: MessageContent, days: list[int]) -> list[int]:
        """Those that have the file (Refused when one is named that has it not)."""
        files = files_by_day(existing, days, self._options)
        found = [day for day in days if any(managed_id(each.props) == self._key for each in files[day])]
        if len(found) < len(days) and self._upload.instances:
            raise Refused(403, "C:valid-managed-id", "not all of these instances have the attachment")
        return found

    def _change(self, action: str, new: AttachmentContent) -> Change:
        def change(files: list[AttachmentContent]) -> list[AttachmentContent]:
            if action == ADD:
                if len(files) >= MAX_FILES:
                    raise _too_many()
                return [*files, AttachmentContent(dict(new.props), new.data)]
            instead = [] if action == REMOVE else [AttachmentContent(dict(new.props), new.data)]
            found = []
            for each in files:
                found += instead if managed_id(each.props) == self._key else [each]
            return found

        return change


def _size(file: AttachmentContent) -> int:
    return file.data.size if isinstance(file.data, Blob) else len(file.data or b"")
