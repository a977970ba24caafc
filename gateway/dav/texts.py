"""Texts: items as iCalendar objects and vCards, many read in one call, what was converted kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final

from gateway.convert import ical, vcard
from gateway.convert.ical.options import Options as IcalOptions
from gateway.convert.lines import Line
from gateway.convert.vcard import Options as VcardOptions
from gateway.dav.entries import Entry
from gateway.dav.kinds import Kind
from gateway.dav.links import Links
from gateway.dav.members import Members
from gateway.dav.places import Place
from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.errors import NotFound, NotSupported
from gateway.mapi.times import from_unix
from gateway.mapiclient.message import LoadedMessage, load_message
from gateway.mapiclient.session import Session
from gateway.mapiclient.sync import load_messages

_NOTE_CLASS: Final = "IPM.StickyNote"
#: Bytes of memory that a text in the cache takes besides its own.
_BESIDE: Final = 700


@dataclass(frozen=True, slots=True)
class Rendering:
    """How the items of a place are written for one reader."""

    kind: Kind
    ical: IcalOptions
    version: str = "3.0"
    """Of vCards."""
    base: str = ""
    """The collection's URL, below which attachments have their addresses; without it they are in the text."""
    members: Members | None = None
    """Of an address book: who is in its lists."""

    @property
    def variant(self) -> tuple[object, ...]:
        """What tells two renderings of the same item apart."""
        options = self.ical
        return self.version, options.owner, options.sees_private, options.alarms, options.zone.name, self.base

    def write(self, content: MessageContent) -> bytes:
        """An item as its text."""
        if self.kind.is_mailbox:
            return ical.calendar_part(content, self.ical) or b""
        if self.kind.is_calendar:
            links = Links(self.base, content) if self.base and content.attachments else None
            return ical.to_ical(content, replace(self.ical, link=links) if links else self.ical)
        return vcard.to_vcard(content, self.version, self.vcard)

    def read(
        self,
        data: bytes,
        existing: MessageContent | None,
        now: float,
        attached: Callable[[Line], AttachmentContent | None] | None = None,
    ) -> MessageContent:
        """The item of a text, merged into what is there (ParseError); ``attached`` gives files that the text names."""
        if self.kind.is_calendar:
            note_class = _NOTE_CLASS if self.kind.name == "notes" else self.ical.note_class
            options = replace(self.ical, now=from_unix(now), note_class=note_class, attached=attached)
            return ical.from_ical(data, existing, options)
        if self.members is not None:
            self.members.expect(data)
        return vcard.from_vcard(data, existing, self.vcard)

    @property
    def vcard(self) -> VcardOptions:
        """The same for contacts."""
        return VcardOptions(zone=self.ical.zone.tzinfo, members=self.members)


class TextCache:
    """Converted items, of at most so many bytes together with what is kept beside them. Used by many threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._texts: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[object, ...]) -> bytes | None:
        """A text that is still there."""
        return self._texts.get(key)

    def put(self, key: tuple[object, ...], text: bytes) -> None:
        """Keep a text; the oldest ones give way."""
        if len(text) > self._most // 8:
            return
        with self._lock:
            if key in self._texts:
                return
            self._texts[key] = text
            self._size += len(text) + _BESIDE
            while self._size > self._most:
                self._size -= len(self._texts.popitem(last=False)[1]) + _BESIDE


async def load(
    session: Session, entries: Iterable[Entry], *, whole: bool = False
) -> list[tuple[Entry, MessageContent]]:
    """The contents of items, those that are gone left out; ``whole`` reads one by one, as merging needs it."""
    wanted = {entry.entryid: entry for entry in entries}
    found: list[tuple[Entry, MessageContent]] = []
    if not whole:
        try:
            async for entryid, content in load_messages(session, list(wanted)):
                found.append((wanted[entryid], _identified(content, wanted[entryid])))
        except NotSupported:
            found = []
        else:
            return found
    for entry in wanted.values():
        loaded = await load_whole(session, entry)
        if loaded is not None:
            found.append((entry, loaded.content))
    return found


async def load_whole(session: Session, entry: Entry) -> LoadedMessage | None:
    """One whole item, None when it is gone."""
    try:
        loaded = await load_message(session, entry.entryid)
    except NotFound:
        return None
    _identified(loaded.content, entry)
    return loaded


def _identified(content: MessageContent, entry: Entry) -> MessageContent:
    """What the store computes is not part of a batch."""
    content.props.setdefault(pr.PR_SOURCE_KEY, entry.source_key)
    content.props.setdefault(pr.PR_LAST_MODIFICATION_TIME, entry.modified)
    return content


def texts_of(
    entries: Iterable[Entry],
    place: Place,
    rendering: Rendering,
    cache: TextCache,
    server: bytes,
    load_many: Callable[[list[Entry]], list[tuple[Entry, MessageContent]]],
) -> dict[bytes, bytes]:
    """Source key to text of items; those that are gone are left out. Runs in a DAV thread."""
    found: dict[bytes, bytes] = {}
    missing: list[Entry] = []
    for entry in entries:
        text = cache.get(_key(server, entry, rendering))
        if text is None:
            missing.append(entry)
        else:
            found[entry.source_key] = text
    for entry, content in load_many(missing) if missing else ():
        text = rendering.write(content)
        found[entry.source_key] = text
        cache.put(_key(server, entry, rendering), text)
    return found


def _key(server: bytes, entry: Entry, rendering: Rendering) -> tuple[object, ...]:
    return server, entry.source_key, entry.etag, rendering.variant
