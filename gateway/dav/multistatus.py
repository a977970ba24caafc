"""Multistatus answers for many items, written as text: one line of bytes per item, no tree (RFC 4918 13)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from email.utils import formatdate
from typing import Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from gateway.dav.entries import Entry
from gateway.dav.errors import Answer
from gateway.dav.kinds import Kind
from gateway.dav.xmltext import xml_text
from gateway.mapi.times import to_unix

_D: Final = "{DAV:}"
_C: Final = "{urn:ietf:params:xml:ns:caldav}"
_CR: Final = "{urn:ietf:params:xml:ns:carddav}"
CALENDAR_DATA: Final = f"{_C}calendar-data"
ADDRESS_DATA: Final = f"{_CR}address-data"
DATA_TAGS: Final = (CALENDAR_DATA, ADDRESS_DATA)
SCHEDULE_TAG: Final = f"{_C}schedule-tag"
#: About so many characters are sent at a time.
_PIECE: Final = 1 << 17
TYPE: Final = {"Content-Type": "application/xml; charset=utf-8"}
HEAD: Final = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CR="urn:ietf:params:xml:ns:carddav">'
)
TAIL: Final = "</multistatus>\n"
_OK: Final = "<status>HTTP/1.1 200 OK</status></propstat>"
_MISSING: Final = "<status>HTTP/1.1 404 Not Found</status></propstat>"


def element(tag: str) -> str:
    """An empty element of a tag in Clark notation."""
    if tag.startswith(_D):
        return f"<{tag[len(_D) :]}/>"
    namespace, _, name = tag.lstrip("{").rpartition("}")
    return f'<{name} xmlns="{escape(namespace, {chr(34): "&quot;"})}"/>'


class ItemProps:
    """Writes the properties that a request asks of items; which ones is decided once for all of them."""

    def __init__(
        self,
        tags: Sequence[str],
        kind: Kind,
        *,
        minimal: bool = False,
        part: Callable[[str], str] | None = None,
        tag_of: Callable[[str], str] | None = None,
        shared: Mapping[str, str] | None = None,
    ) -> None:
        self._part = part
        writers: dict[str, Callable[[Entry, str], str]] = {
            f"{_D}getetag": _etag,
            f"{_D}getcontenttype": lambda entry, text: _content_type(kind),
            f"{_D}resourcetype": lambda entry, text: "<resourcetype/>",
            f"{_D}getlastmodified": _last_modified,
            CALENDAR_DATA if kind.is_calendar else ADDRESS_DATA: self._data,
        }
        if tag_of is not None:
            writers[SCHEDULE_TAG] = lambda entry, text: _schedule_tag(tag_of(text))
        writers |= {tag: _always(text) for tag, text in (shared or {}).items()}
        self.needs_text = any(tag in (*DATA_TAGS, SCHEDULE_TAG) and tag in writers for tag in tags)
        self._found: list[Callable[[Entry, str], str]] = [writers[tag] for tag in tags if tag in writers]
        missing = "".join(element(tag) for tag in dict.fromkeys(tags) if tag not in writers)
        self._missing = f"<propstat><prop>{missing}</prop>{_MISSING}" if missing and not minimal else ""
        #: Whether texts are told as they are, so that nothing can go wrong with them.
        self.are_whole = part is None
        self._only_etag = self._found == [_etag] and not self._missing

    def response(self, path: str, entry: Entry, text: str) -> str:
        """The response for one item; ``text`` may be empty unless `needs_text`."""
        if self._only_etag:
            return (
                f"<response><href>{path}</href><propstat><prop><getetag>{entry.etag}</getetag></prop>"
                f"{_OK}</response>"
            )
        found = "".join(write(entry, text) for write in self._found)
        present = f"<propstat><prop>{found}</prop>{_OK}" if found or not self._missing else ""
        return f"<response><href>{path}</href>{present}{self._missing}</response>"

    def _data(self, entry: Entry, text: str) -> str:
        name = "CR:address-data" if entry.component == "VCARD" else "C:calendar-data"
        return f"<{name}>{xml_text(self._part(text) if self._part is not None else text)}</{name}>"


def _always(text: str) -> Callable[[Entry, str], str]:
    return lambda entry, _: text


def _etag(entry: Entry, text: str) -> str:
    return f"<getetag>{entry.etag}</getetag>"


def _schedule_tag(tag: str) -> str:
    """Nothing for an item that is no meeting (RFC 6638 9.3)."""
    return f"<C:schedule-tag>{xml_text(tag)}</C:schedule-tag>" if tag else ""


def _content_type(kind: Kind) -> str:
    return f"<getcontenttype>{kind.content_type}</getcontenttype>"


def _last_modified(entry: Entry, text: str) -> str:
    return f"<getlastmodified>{formatdate(to_unix(entry.modified) if entry.modified else 0, usegmt=True)}</getlastmodified>"


TRUNCATED: Final = "<error><number-of-matches-within-limits/></error>"


def status_response(path: str, status: str, more: str = "") -> str:
    """The response for an item of which there is nothing to tell but a status ("404 Not Found")."""
    return f"<response><href>{path}</href><status>HTTP/1.1 {status}</status>{more}</response>"


def cut_response(path: str) -> str:
    """The response that says that there is more than was told (RFC 6578 3.6, RFC 6352 8.6.2)."""
    return status_response(path, "507 Insufficient Storage", TRUNCATED)


def document(parts: Iterable[str], token: str = "") -> bytes:
    """The whole answer."""
    return b"".join(pieces(parts, token))


def fragment(tree: ET.Element) -> str:
    """An element of a tree as part of a document."""
    return ET.tostring(tree, "unicode")


def pieces(parts: Iterable[str], token: str = "") -> Iterator[bytes]:
    """The whole answer piece by piece, each made when it is asked for."""
    waiting, size = [HEAD], 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= _PIECE:
            yield "".join(waiting).encode("utf-8", "replace")
            waiting, size = [], 0
    last = f"<sync-token>{xml_text(token)}</sync-token>" if token else ""
    yield "".join((*waiting, last, TAIL)).encode("utf-8", "replace")


def answer(body: bytes) -> Answer:
    """A multistatus as it is answered."""
    return Answer(207, {**TYPE}, body)
