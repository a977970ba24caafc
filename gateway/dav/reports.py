"""The requests that clients repeat: listings with ETags, sync-collection, multiget, queries (RFC 6578, 4791, 6352).

They cost what their answer costs: one listing from memory, one batched read for texts that are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree as ET

from radicale.app.report import test_filter
from radicale.item.filter import TIMESTAMP_MAX, TIMESTAMP_MIN, time_range_timestamps

from gateway.dav import freebusy, hrefs
from gateway.dav.collection import Collection, StoredItem
from gateway.dav.errors import BadRequest, Refused
from gateway.dav.listing import Entry, visible
from gateway.dav.multistatus import (
    ADDRESS_DATA,
    DATA_TAGS,
    ItemProps,
    document,
    href_text,
    status_response,
    xml_text,
)

_D: Final = "{DAV:}"
_C: Final = "{urn:ietf:params:xml:ns:caldav}"
_CR: Final = "{urn:ietf:params:xml:ns:carddav}"
SYNC: Final = f"{_D}sync-collection"
MULTIGETS: Final = (f"{_C}calendar-multiget", f"{_CR}addressbook-multiget")
QUERIES: Final = (f"{_C}calendar-query", f"{_CR}addressbook-query")
FREE_BUSY: Final = f"{_C}free-busy-query"
EXPAND: Final = f"{_C}expand"
_TRUNCATED: Final = "507 Insufficient Storage"


class Report:
    """A report on one collection."""

    def __init__(
        self, collection: Collection, root: ET.Element, prefix: str, *, minimal: bool, most: int
    ) -> None:
        self.collection = collection
        self.root = root
        self.base = quote(f"{prefix}/{collection.path}/")
        prop = root.find(f"{_D}prop")
        tags = [each.tag for each in prop] if prop is not None else [f"{_D}getetag"]
        self.props = ItemProps(tags, collection.place.kind, minimal=minimal)
        self.version = _version(prop)
        self.most = most
        self.prefix = prefix

    def responses(self, entries: list[Entry]) -> Iterator[str]:
        """A response for each item; texts are read in one go."""
        texts = self.collection.texts(entries, self.version) if self.props.needs_text else {}
        for entry in entries:
            text = texts.get(entry.source_key, b"")
            path = href_text(self.base, entry.href)
            if self.props.needs_text and not text:
                yield status_response(path, "404 Not Found")
            else:
                yield self.props.response(path, entry, text.decode("utf-8", "replace"))

    # The reports

    def sync(self) -> bytes:
        """sync-collection (RFC 6578 3.2). Items that came since a token are told again rather than missed."""
        collection, place = self.collection, self.collection.place
        token = (self.root.findtext(f"{_D}sync-token") or "").strip()
        if not token:
            entries = collection.entries
            self._refuse_more(entries)
            return document(self.responses(entries), collection.token)
        try:
            difference = collection.scope.since(place, token)
        except ValueError as error:
            raise Refused(403, "D:valid-sync-token", str(error)) from error
        changed = visible(difference.changed, place)
        self._refuse_more([*changed, *difference.removed])
        removed = [status_response(href_text(self.base, href), "404 Not Found") for href in difference.removed]
        return document([*self.responses(changed), *removed], collection.token_at(difference.position))

    def _refuse_more(self, found: Iterable[object]) -> None:
        """A client that takes only so many results gets none of too many (RFC 6578 3.7)."""
        limit = self.root.findtext(f"{_D}limit/{_D}nresults")
        if limit and limit.strip().isdigit() and len(list(found)) > int(limit):
            raise Refused(507, "D:number-of-matches-within-limits")

    def multiget(self) -> bytes:
        """calendar-multiget and addressbook-multiget (RFC 4791 7.9, RFC 6352 8.7)."""
        asked = [each.text or "" for each in self.root.iterfind(f"{_D}href")]
        if len(asked) > self.most:
            raise Refused(507, "D:number-of-matches-within-limits")
        found: list[Entry] = []
        missing: list[str] = []
        for href in dict.fromkeys(asked):
            item = self._item(href)
            if item is None:
                missing.append(status_response(xml_text(quote(unquote(urlsplit(href).path))), "404 Not Found"))
            else:
                found.append(item.entry._replace(href=hrefs.split_path(unquote(urlsplit(href).path))[-1]))
        return document([*self.responses(found), *missing])

    def _item(self, href: str) -> StoredItem | None:
        parts = hrefs.split_path(unquote(urlsplit(href).path).removeprefix(self.prefix))
        if len(parts) != 3 or parts[1] not in (
            self.collection.place.name,
            self.collection.place.source_key.hex(),
        ):
            return None
        return self.collection.item(parts[2])

    def query(self) -> bytes:
        """calendar-query and addressbook-query (RFC 4791 7.8, RFC 6352 8.6)."""
        filters = [*self.root.iterfind(f"{_C}filter"), *self.root.iterfind(f"{_CR}filter")]
        limit = self.root.findtext(f"{_CR}limit/{_CR}nresults") or ""
        most = min(self.most, int(limit)) if limit.strip().isdigit() else self.most
        entries = list(self._matching(filters))
        parts = [*self.responses(entries[:most])]
        if len(entries) > most:
            parts.append(status_response(self.base, _TRUNCATED))
        return document(parts)

    def _matching(self, filters: list[ET.Element]) -> Iterator[Entry]:
        tag = self.collection.tag
        try:
            for item, matched in self.collection.get_filtered(filters):
                if isinstance(item, StoredItem) and (
                    matched or all(test_filter(tag, item, each) for each in filters)
                ):
                    yield item.entry
        except ValueError as error:
            raise BadRequest(f"the filter cannot be understood: {error}") from error


def free_busy(collection: Collection, root: ET.Element, now: float) -> bytes:
    """free-busy-query (RFC 4791 7.10)."""
    time_range = root.find(f"{_C}time-range")
    if time_range is None:
        raise BadRequest("a free-busy-query names a time range")
    try:
        start, end = time_range_timestamps(time_range)
    except ValueError as error:
        raise BadRequest(f"the time range cannot be understood: {error}") from error
    if not TIMESTAMP_MIN < start < end < TIMESTAMP_MAX:
        raise BadRequest("the time range needs a beginning and an end after it")
    return freebusy.write(collection.free_busy(start, end), start, end, now)


def _version(prop: ET.Element | None) -> str:
    """The vCard version that is asked for (RFC 6352 10.4)."""
    data = prop.find(ADDRESS_DATA) if prop is not None else None
    version = data.get("version", "3.0") if data is not None else "3.0"
    if version not in ("3.0", "4.0"):
        raise Refused(403, "CR:supported-address-data")
    return version


def asks_only_items(root: ET.Element | None) -> bool:
    """Whether a PROPFIND names properties rather than wanting all, and no texts."""
    if root is None or len(root) == 0 or root[0].tag != f"{_D}prop":
        return False
    return not any(each.tag in DATA_TAGS for each in root[0])
