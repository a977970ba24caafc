"""The requests that clients repeat: listings with ETags, sync-collection, multiget, queries (RFC 6578, 4791, 6352).

They cost what their answer costs: one listing from memory, one batched read for texts that are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from gateway.dav import freebusy, hrefs, tokens, zones
from gateway.dav.collection import Collection
from gateway.dav.entries import Entry, visible
from gateway.dav.errors import Answer, BadRequest, Refused
from gateway.dav.multistatus import (
    ADDRESS_DATA,
    CALENDAR_DATA,
    DATA_TAGS,
    TYPE,
    ItemProps,
    answer,
    cut_response,
    document,
    pieces,
    status_response,
)
from gateway.dav.query.addressdata import AddressData
from gateway.dav.query.calendardata import CalendarData
from gateway.dav.query.ranges import read_range
from gateway.dav.scheduling.resources import tagger
from gateway.dav.xmltext import xml_text

_D: Final = "{DAV:}"
_C: Final = "{urn:ietf:params:xml:ns:caldav}"
_CR: Final = "{urn:ietf:params:xml:ns:carddav}"
SYNC: Final = f"{_D}sync-collection"
MULTIGETS: Final = (f"{_C}calendar-multiget", f"{_CR}addressbook-multiget")
QUERIES: Final = (f"{_C}calendar-query", f"{_CR}addressbook-query")
FREE_BUSY: Final = f"{_C}free-busy-query"
#: What is told of items to who asks for everything; rights and reports are left to those who ask for them (RFC 3744 5).
ALL_OF_ITEMS: Final = tuple(
    f"{_D}{name}"
    for name in (
        "resourcetype",
        "getetag",
        "getlastmodified",
        "getcontenttype",
        "owner",
        "current-user-principal",
    )
)
#: The properties among some that all items of a collection have in common, as XML by tag.
Shared = Callable[[Collection, list[str]], Mapping[str, str]]
#: So many texts are read at a time; an answer of more is made while the client reads it.
_BATCH: Final = 200


class Report:
    """A report on one collection."""

    def __init__(
        self,
        collection: Collection,
        root: ET.Element,
        prefix: str,
        *,
        minimal: bool,
        most: int,
        shared: Shared,
    ) -> None:
        self.collection = collection
        self.root = root
        self.base = quote(f"{prefix}/{collection.path}/")
        self.most = most
        #: Source key of the item on which a query was made, None for the collection.
        self.only: bytes | None = None
        self.prefix = prefix
        self.zone = zones.of_query(root, collection)
        prop = root.find(f"{_D}prop")
        #: The properties that are asked of items.
        self.tags = _tags_of(root)
        self.version = "3.0"
        part = self._part(prop) if prop is not None else None
        tag_of = tagger(collection.scope, collection.place)
        self.props = ItemProps(
            self.tags,
            collection.place.kind,
            minimal=minimal,
            part=part,
            tag_of=tag_of,
            shared=shared(collection, self.tags),
        )

    def _part(self, prop: ET.Element) -> Callable[[str], str] | None:
        """What is told of each text, None for all of it (Refused for what does not exist)."""
        data: CalendarData | AddressData
        if self.collection.place.kind.is_calendar:
            element = prop.find(CALENDAR_DATA)
            data = CalendarData(element if element is not None else ET.Element(CALENDAR_DATA), self.zone)
        else:
            element = prop.find(ADDRESS_DATA)
            data = AddressData(element if element is not None else ET.Element(ADDRESS_DATA))
            self.version = data.version
        return data.of if data.is_partial else None

    def responses(self, entries: list[Entry]) -> Iterator[str]:
        """A response for each item; many texts are read at once, not all."""
        if not self.props.needs_text:
            yield from (
                self.props.response(hrefs.item_path(self.base, each.href), each, "") for each in entries
            )
            return
        for start in range(0, len(entries), _BATCH):
            batch = entries[start : start + _BATCH]
            texts = self.collection.texts(batch, self.version)
            for entry in batch:
                text = texts.get(entry.source_key, b"")
                path = hrefs.item_path(self.base, entry.href)
                if text:
                    yield self.props.response(path, entry, text.decode("utf-8", "replace"))
                else:
                    yield status_response(path, "404 Not Found")

    def _told(self, entries: list[Entry], rest: Iterable[str], token: str = "") -> Answer:
        """The answer; one of many whole texts is made while it is sent, others may still be refused."""
        parts = chain(self.responses(entries), rest)
        if self.props.needs_text and self.props.are_whole and len(entries) > _BATCH:
            return Answer(207, {**TYPE}, chunks=pieces(parts, token))
        return answer(document(parts, token))

    # The reports

    def sync(self) -> Answer:
        """sync-collection (RFC 6578 3.2). Items that came since a token are told again rather than missed."""
        collection, place = self.collection, self.collection.place
        token = (self.root.findtext(f"{_D}sync-token") or "").strip()
        most = self._limit(f"{_D}limit/{_D}nresults")
        base, last = tokens.page_of(token)
        try:
            if not token or last:
                return self._page(base, last, most)
            difference = collection.scope.since(place, token, most)
        except ValueError as error:
            raise Refused(403, "D:valid-sync-token", str(error)) from error
        changed = visible(difference.changed, place)
        # What became private is gone for who does not see it.
        shown = {entry.href for entry in changed}
        hidden = [entry.href for entry in difference.changed if entry.href not in shown]
        lost = [hrefs.item_path(self.base, href) for href in (*difference.removed, *hidden)]
        gone = [status_response(path, "404 Not Found") for path in lost]
        cut = [cut_response(self.base)] if difference.is_cut else []
        return self._told(changed, [*gone, *cut], collection.token_at(difference.position))

    def _page(self, base: str, last: bytes, most: int | None) -> Answer:
        """All items, or those behind the last one told, as many as the client takes (ValueError)."""
        collection = self.collection
        if base:
            collection.check_token(base)
        token = base or collection.token_at(collection.listing.position)
        entries = collection.entries
        if most is not None or last:
            entries = sorted((each for each in entries if each.source_key > last), key=_source_key)
        if most is None or len(entries) <= most:
            return self._told(entries, [], token)
        cut = [cut_response(self.base)]
        return self._told(entries[:most], cut, tokens.paged(token, entries[most - 1].source_key))

    def _limit(self, path: str) -> int | None:
        """How many results the client takes (Refused for a limit under which nothing could be told)."""
        text = (self.root.findtext(path) or "").strip()
        if not text:
            return None
        if not text.isdigit() or not int(text):
            raise Refused(507, "D:number-of-matches-within-limits", "nresults is a number greater than zero")
        return int(text)

    def multiget(self) -> Answer:
        """calendar-multiget and addressbook-multiget (RFC 4791 7.9, RFC 6352 8.7)."""
        asked = list(dict.fromkeys(each.text or "" for each in self.root.iterfind(f"{_D}href")))
        if len(asked) > self.most:
            raise Refused(507, "D:number-of-matches-within-limits")
        names = {href: name for href in asked if (name := self._name(href))}
        there = self.collection.entries_of(list(dict.fromkeys(names.values())))
        found: list[Entry] = []
        missing: list[str] = []
        for href in asked:
            name = names.get(href, "")
            if name in there:
                found.append(there[name]._replace(href=name))
            else:
                missing.append(status_response(xml_text(quote(hrefs.path_of(href))), "404 Not Found"))
        return self._told(found, missing)

    def _name(self, href: str) -> str:
        """The last part of the path of an item of this collection, "" for any other."""
        parts = hrefs.split_path(hrefs.path_of(href).removeprefix(self.prefix))
        place = self.collection.place
        return parts[2] if len(parts) == 3 and parts[1] in (place.name, place.source_key.hex()) else ""

    def query(self) -> Answer:
        """calendar-query and addressbook-query (RFC 4791 7.8, RFC 6352 8.6)."""
        filters = [*self.root.iterfind(f"{_C}filter"), *self.root.iterfind(f"{_CR}filter")]
        limit = self._limit(f"{_CR}limit/{_CR}nresults")
        most = min(self.most, limit) if limit is not None else self.most
        entries = self.collection.matching(filters, self.zone, most if self.only is None else self.most)
        if self.only is not None:
            entries = [entry for entry in entries if entry.source_key == self.only]
        return self._told(entries[:most], [cut_response(self.base)] if len(entries) > most else [])


def _tags_of(root: ET.Element) -> list[str]:
    """The properties that a report or PROPFIND names, or all of them and those that it includes (RFC 4918 9.1)."""
    prop = root.find(f"{_D}prop")
    if prop is not None:
        return [each.tag for each in prop]
    if root.find(f"{_D}allprop") is None:
        return [f"{_D}getetag"]
    return [*dict.fromkeys((*ALL_OF_ITEMS, *(each.tag for each in root.iterfind(f"{_D}include/*"))))]


def _source_key(entry: Entry) -> bytes:
    return entry.source_key


def free_busy(collection: Collection, root: ET.Element, now: float) -> bytes:
    """free-busy-query (RFC 4791 7.10)."""
    time_range = root.find(f"{_C}time-range")
    if time_range is None:
        raise BadRequest("a free-busy-query names a time range")
    start, end = read_range(time_range, "C:valid-filter", both=True).seconds
    return freebusy.write(collection.free_busy(start, end), start, end, now)


def asks_only_items(root: ET.Element | None) -> bool:
    """Whether a PROPFIND names properties rather than wanting all, and no texts."""
    if root is None or len(root) == 0 or root[0].tag != f"{_D}prop":
        return False
    return not any(each.tag in DATA_TAGS for each in root[0])
