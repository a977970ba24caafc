"""A whole collection as one text (RFC 4791 and 6352 leave GET of a collection open): written piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from gateway.convert.lines import write_line
from gateway.dav.collection import Collection
from gateway.dav.errors import Answer

#: So many items are read and written at a time.
_BATCH: Final = 100
_ZONE: Final = re.compile(rb"BEGIN:VTIMEZONE\r\n.*?END:VTIMEZONE\r\n", re.S)
_ZONE_NAME: Final = re.compile(rb"^TZID[^:\r\n]*:([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", re.M)
#: Where the components of an object begin.
_BODY: Final = re.compile(rb"^BEGIN:(?!VCALENDAR)", re.M)
_END: Final = b"END:VCALENDAR\r\n"


def answer(collection: Collection) -> Answer:
    """The answer to a GET of a collection."""
    kind = collection.place.kind
    suffix = ".ics" if kind.is_calendar else ".vcf"
    name = quote(f"{collection.place.title}{suffix}", safe="")
    headers = {
        "Content-Type": f"text/{'calendar' if kind.is_calendar else 'vcard'}; charset=utf-8",
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "ETag": collection.etag,
    }
    if modified := collection.last_modified:
        headers["Last-Modified"] = modified
    return Answer(200, headers, chunks=_calendar(collection) if kind.is_calendar else _texts(collection))


def _texts(collection: Collection) -> Iterator[bytes]:
    """The texts of the items, a batch at a time; those that went meanwhile are left out."""
    entries = collection.entries
    for start in range(0, len(entries), _BATCH):
        batch = entries[start : start + _BATCH]
        texts = collection.texts(batch)
        yield b"".join(texts.get(entry.source_key, b"") for entry in batch)


def _calendar(collection: Collection) -> Iterator[bytes]:
    """The items as one calendar: each time zone once, then the components of all items."""
    yield b"".join(
        (
            write_line("BEGIN", "VCALENDAR"),
            write_line("VERSION", "2.0"),
            write_line("PRODID", "-//mapi-gateway//EN"),
            write_line("X-WR-CALNAME", _escaped(collection.place.title)),
        )
    )
    zones: set[bytes] = set()
    for texts in _texts(collection):
        yield b"".join(_components(texts, zones))
    yield _END


def _components(texts: bytes, zones: set[bytes]) -> Iterator[bytes]:
    """What is in the calendars of a text; ``zones`` has the names of time zones that were written."""
    for text in texts.split(_END):
        found = _BODY.search(text)
        if found is None:
            continue
        body = text[found.start() :]
        for zone in _ZONE.findall(body):
            name = _ZONE_NAME.search(zone)
            key = name[1] if name else zone
            if key not in zones:
                zones.add(key)
                yield zone
        yield _ZONE.sub(b"", body)


def _escaped(text: str) -> str:
    """TEXT of RFC 5545 3.3.11."""
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
