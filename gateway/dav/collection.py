"""Collections and items as Radicale sees them: nothing is read that a request does not need, nothing one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from email.utils import formatdate
from functools import cached_property
from itertools import islice
from typing import Any, Final, NoReturn
from urllib.parse import quote
from xml.etree import ElementTree as ET

from radicale.item import Item
from radicale.item import filter as item_filter
from radicale.storage import BaseCollection

from gateway.convert.ical.timezones import Zone
from gateway.dav import (
    addressbook,
    byreference,
    directoryquery,
    freebusy,
    hrefs,
    narrowing,
    properties,
    tokens,
    writing,
)
from gateway.dav.entries import FIRST, LAST, Entry, visible
from gateway.dav.errors import Refused
from gateway.dav.listing import Listing, entry_of_href
from gateway.dav.places import Place
from gateway.dav.query.calendars import CalendarFilter
from gateway.dav.query.cards import CardFilter
from gateway.dav.scope import RequestScope
from gateway.dav.siblings import Siblings
from gateway.mapi import proptags as pr
from gateway.mapi.times import to_unix
from gateway.mapiclient.message import LoadedMessage

_MIN: Final = item_filter.TIMESTAMP_MIN
_MAX: Final = item_filter.TIMESTAMP_MAX
#: Items whose texts are read at once while a filter looks through them.
_BATCH: Final = 500
#: How far (seconds) dates and floating times of two zones may lie from one another.
_ZONES_APART: Final = 27 * 3600


def overlaps(entry: Entry, start: int, end: int) -> bool:
    """Whether an item may lie in a time range; an instant does when the range holds it (RFC 4791 9.9)."""
    if entry.first == entry.last:
        return start <= entry.first < end
    return entry.first < end and entry.last > start


def has_tag(loaded: LoadedMessage, etag: str) -> bool:
    """Whether a whole item is the one of an ETag."""
    change_key: bytes = dict(loaded.tree.mod_props).get(pr.PR_CHANGE_KEY) or b""
    return etag == f'"{change_key.hex()}"'


class StoredItem(Item):
    """An item of a collection; its text is read when somebody asks for it."""

    def __init__(self, collection: Collection, entry: Entry) -> None:
        super().__init__(
            collection=collection,
            href=entry.href,
            last_modified=formatdate(to_unix(entry.modified) if entry.modified else 0, usegmt=True),
            text="",
            etag=entry.etag,
            uid=entry.uid,
            name="VCALENDAR" if collection.place.kind.is_calendar else "VCARD",
            component_name=entry.component,
            time_range=(
                _MIN if entry.first == FIRST else max(entry.first, _MIN),
                _MAX if entry.last == LAST else min(entry.last, _MAX),
            ),
        )
        self.entry = entry

    @property
    def is_series(self) -> bool:
        """Whether it repeats."""
        entry = self.place_collection.need_times().by_key.get(self.entry.source_key)
        return entry is None or entry.recurring

    @property
    def place_collection(self) -> Collection:
        """The collection that it lies in, as ours."""
        found: Collection = self.collection  # type: ignore[assignment]
        return found

    def serialize(self) -> str:
        """The text of the item (Refused when it is gone)."""
        if not self._text:
            self._text = self.text_of("3.0").decode()
        return str(self._text)

    def text_of(self, version: str) -> bytes:
        """The text of the item, a card in this version (Refused when it is gone)."""
        collection: Any = self.collection
        text: bytes = collection.texts([self.entry], version).get(self.entry.source_key, b"")
        if not text:
            raise Refused(404, "", "the item is gone")
        return text


class Collection(BaseCollection):
    """A place, seen by the user of one request under one principal."""

    def __init__(
        self, scope: RequestScope, principal: str, place: Place, siblings: Siblings | None = None
    ) -> None:
        self.scope = scope
        self.place = place
        self._siblings = siblings
        self._path = f"{principal}/{place.name}"
        self._listing: Listing | None = None

    @property
    def path(self) -> str:
        """The path without slashes around it."""
        return self._path

    @property
    def owner(self) -> str:
        """The owner's principal."""
        return self.place.owner

    @property
    def tag(self) -> str:
        """Calendar or address book."""
        return self.place.kind.tag

    @property
    def listing(self) -> Listing:
        """The items as they are now, read once for the request."""
        if self._listing is None:
            self._listing = self.scope.listing(self.place)
        return self._listing

    def need_times(self) -> Listing:
        """The listing, with the times of events."""
        if self._listing is None or not self._listing.has_times:
            self._listing = self.scope.listing(self.place, times=True)
        return self._listing

    @property
    def entries(self) -> list[Entry]:
        """The items that the user is shown."""
        return visible(self.listing.by_key.values(), self.place)

    @property
    def etag(self) -> str:
        """The CTag: it changes with every change in the folder."""
        place = self.place
        if place.home is None:
            return f'"{addressbook.token_of(self.listing)}"'
        changed, count = self._change
        return f'"{place.source_key.hex()[-12:]}-{changed:x}-{count:x}"'

    @property
    def last_modified(self) -> str:
        """When something in the folder last changed, "" when nobody knows."""
        changed = self._change[0] if self.place.home is not None else 0
        return formatdate(to_unix(changed), usegmt=True) if changed else ""

    @cached_property
    def _change(self) -> tuple[int, int]:
        return self.scope.last_change(self.place)

    # Items

    def item(self, href: str) -> StoredItem | None:
        """The item of an href."""
        entry = self.entries_of([href]).get(href)
        return StoredItem(self, entry) if entry is not None else None

    def look(self, href: str) -> tuple[StoredItem | None, LoadedMessage | None]:
        """The item of an href as it is now, and all of it if it could be read in the same moment; for writing to it."""
        scope, place = self.scope, self.place
        session, listings = scope.session_of(place), scope.shared.listings
        self._listing, loaded = scope.wait(lambda: listings.fresh_with(session, place, href))
        item = self.item(href)
        is_same = loaded is not None and item is not None and has_tag(loaded, item.entry.etag)
        return item, loaded if is_same else None

    def refuse_hidden(self, href: str) -> None:
        """Nothing is put where an item lies that the user is not shown (Refused)."""
        entry = entry_of_href(self.listing, href)
        if entry is not None and not visible([entry], self.place):
            raise Refused(403, "D:need-privileges", "there is a private item")

    def refuse_uid(self, uid: str, text: str, otherwise: str = "") -> NoReturn:
        """Refuse a second item of a UID, or another UID for the item at ``otherwise``; the item in the way is named."""
        entry = self.listing.by_uid.get(uid)
        href = otherwise if entry is None else entry.href if visible([entry], self.place) else ""
        path = hrefs.item_path(quote(f"/{self.path}/"), href) if href else ""
        raise Refused(409, f"{self.place.kind.precondition}:no-uid-conflict", text, path)

    def entries_of(self, names: Sequence[str]) -> dict[str, Entry]:
        """The items of hrefs, those left out that are not there or not shown."""
        if self.place.home is None:
            keys = {href: addressbook.entryid_of_href(href) for href in names}
            there = self.scope.directory_find([key for key in dict.fromkeys(keys.values()) if key])
            return {href: there[key] for href, key in keys.items() if key in there}
        found = {href: entry for href in names if (entry := entry_of_href(self.listing, href)) is not None}
        return {href: entry for href, entry in found.items() if visible([entry], self.place)}

    def texts(self, entries: Sequence[Entry], version: str = "3.0") -> dict[bytes, bytes]:
        """Source key to text, read in batches; without standard time zones for who does not want them."""
        found = self.scope.texts(self.place, list(entries), version)
        if self.scope.wants_zones or not self.place.kind.is_calendar:
            return found
        return {key: byreference.without_standard(text) for key, text in found.items()}

    def get_all(self) -> Iterable[Item]:
        """Nothing: whoever wants many texts asks for them in batches."""
        return ()

    def serialize(self, *args: Any, **kwargs: Any) -> str:
        """Nothing, for a length that nobody needs (Radicale's PROPFIND): a whole collection is written piece by piece."""
        return ""

    # Queries

    def matching(self, filters: Sequence[ET.Element], zone: Zone, most: int) -> list[Entry]:
        """Items that match all filters, at most ``most`` and one; ``zone`` is that of dates and floating times."""
        if self.place.kind.is_calendar:
            found = self._events(CalendarFilter(filters, zone), filters)
        elif self.place.home is None:
            return self._directory(CardFilter(filters), filters, most)
        else:
            found = self._fitting(
                self._narrowed(filters), CardFilter(filters).matches if any(map(len, filters)) else None
            )
        return list(islice(found, most + 1))

    def _events(self, wanted: CalendarFilter, filters: Sequence[ET.Element]) -> Iterator[Entry]:
        """Items of a calendar: what the listing tells is not read, only what may match is parsed."""
        if not wanted.components <= set(self.place.kind.components):
            return
        if wanted.range is not None:
            self.need_times()
        start, end = wanted.range.seconds if wanted.range is not None else (FIRST, LAST)
        margin = 0 if wanted.zone.name == self.scope.shared.zone.name else _ZONES_APART
        unsure: list[Entry] = []
        for entry in self._narrowed(filters):
            if not overlaps(entry, start - margin, end + margin) or not wanted.may_have(entry.uid):
                continue
            certain = overlaps(entry, start + margin, end - margin) and not entry.recurring
            if wanted.simple and (certain or wanted.range is None):
                yield entry
            else:
                unsure.append(entry)
        yield from self._fitting(unsure, wanted.matches)

    def _directory(self, wanted: CardFilter, filters: Sequence[ET.Element], most: int) -> list[Entry]:
        """Entries of the global address book, found by the store; all of them only when they are listed anyway."""
        restriction = directoryquery.restriction_of(filters)
        if restriction == directoryquery.NOTHING:
            return []
        if restriction is None:
            return list(islice(self._fitting(self.entries, wanted.matches), most + 1))
        return self.scope.directory_search(restriction, wanted.matches, most)

    def _fitting(self, entries: Sequence[Entry], fits: Callable[[str], bool] | None) -> Iterator[Entry]:
        """The items whose texts fit."""
        if fits is None:
            yield from entries
            return
        for place in range(0, len(entries), _BATCH):
            batch = entries[place : place + _BATCH]
            texts = self.texts(batch)
            for entry in batch:
                text = texts.get(entry.source_key)
                if text and fits(text.decode("utf-8", "replace")):
                    yield entry

    def _narrowed(self, filters: Sequence[ET.Element]) -> list[Entry]:
        """The items that the store does not rule out."""
        kept = None
        if narrowing.asks_for_kept(filters, self.place.kind):
            kept = self.scope.named_tag(self.place, narrowing.KEPT)
            if not kept:
                return []  # nobody ever kept anything in this store
        restriction = narrowing.restriction_of(filters, self.place.kind, kept)
        if restriction is None:
            return self.entries
        found = self.scope.matching(self.place, restriction)
        return [entry for entry in self.entries if entry.source_key in found]

    def free_busy(self, start: int, end: int) -> list[freebusy.Period]:
        """When the calendar keeps its owner busy."""
        entries = [*self.need_times().by_key.values()]  # at once: the reactor may change them
        inside = [entry for entry in entries if overlaps(entry, start, end)]
        texts = self.texts([entry for entry in inside if entry.recurring])
        single = freebusy.periods_of(inside, start, end)
        return [*single, *freebusy.periods_of_series(texts.values(), start, end, self.scope.shared.zone)]

    def has_uid(self, uid: str) -> bool:
        """Whether an item has this UID."""
        return uid in self.listing.by_uid

    def upload(self, href: str, item: Item) -> Any:
        """Radicale's own PUT is not used."""
        raise NotImplementedError

    def delete(self, href: str | None = None) -> None:
        """Delete an item: into the wastebasket. Radicale's own way to delete collections is not used."""
        entry = entry_of_href(self.listing, href or "")
        if entry is None:
            raise Refused(404, "", "the item is gone")
        writing.refuse_private(self.place, entry)
        self.scope.wait(lambda: writing.delete_entry(self.scope, self.place, entry))

    # Synchronisation

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:
        """The present token, for Radicale's sync-token property; the report is our own."""
        return self.token, ()

    def check_token(self, token: str) -> None:
        """ValueError for a token that is none of this collection, or no longer tells anything."""
        if self.place.home is not None:
            tokens.read(token, self.place.source_key)
        elif token != self.token:
            raise ValueError("the address book changed")

    @property
    def token(self) -> str:
        """The token of the present state."""
        if self.place.home is None:
            return addressbook.token_of(self.listing)
        return tokens.write(self.place.source_key, self._position())

    def _position(self) -> tokens.Position:
        scope, place = self.scope, self.place
        if self._listing is not None:
            return self._listing.position
        found = self._siblings.position(place) if self._siblings is not None else None
        return found or scope.wait(lambda: scope.shared.listings.position(scope.session_of(place), place))

    def token_at(self, position: tokens.Position) -> str:
        """The token of a position."""
        return self.token if self.place.home is None else tokens.write(self.place.source_key, position)

    # Properties

    def get_meta(self, key: str | None = None) -> Any:
        """Properties as Radicale names them."""
        meta = properties.meta_of(self.place)
        return meta if key is None else meta.get(key)

    def set_meta(self, props: Mapping[str, str]) -> None:
        """Change name, description and what else a client keeps with the collection."""
        change = writing.change_place if self.place.is_owned else writing.change_personal
        self.scope.wait(lambda: change(self.scope, self.place, dict(props)))
        self.scope.stale()
