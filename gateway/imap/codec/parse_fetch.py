"""FETCH and STORE, read (RFC 9051 6.4.5, 6.4.6, and the extensions that add items and modifiers)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from gateway.imap.codec.commands import Fetch, Store
from gateway.imap.codec.cursor import Cursor, lenient
from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.fetchitems import (
    MACROS,
    Attribute,
    Binary,
    BinarySize,
    Item,
    LazyPreview,
    Partial,
    Section,
)
from gateway.imap.codec.parse_values import one_of, partial_range, sequence_set, store_flags
from gateway.imap.codec.write_values import astring

_PART: Final = re.compile(rb"[1-9][0-9]{0,9}(?:\.[1-9][0-9]{0,9})*")
_PARTIAL: Final = re.compile(rb"<([0-9]{1,19})\.([0-9]{1,19})>")
_MAX_PARTS: Final = 100
_TEXTS: Final = frozenset({"HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT", "MIME"})
_PLAIN: Final = {item.value.decode("ascii"): item for item in Attribute}
_WHOLE: Final[dict[str, tuple[str, bool]]] = {
    # RFC822 items: the section they stand for, and whether they leave \Seen alone.
    "RFC822": ("", False),
    "RFC822.HEADER": ("HEADER", True),
    "RFC822.TEXT": ("TEXT", False),
}


def fetch_items(cursor: Cursor) -> tuple[Item, ...]:
    """A macro, one item, or a list of items."""
    if cursor.peek() == b"(":
        return _unique(cursor.items(fetch_item))
    start = cursor.position
    macro = MACROS.get(cursor.word())
    if macro is not None:
        return macro
    cursor.position = start
    return (fetch_item(cursor),)


def _unique(items: tuple[Item, ...]) -> tuple[Item, ...]:
    return tuple(dict.fromkeys(items))


def fetch_item(cursor: Cursor) -> Item:
    """``fetch-att``."""
    word = cursor.word()
    if cursor.peek() == b"[" and (sectioned := _SECTIONED.get(word)) is not None:
        return sectioned(cursor)
    if (plain := _PLAIN.get(word)) is not None:
        return _preview(cursor) if plain is Attribute.PREVIEW else plain
    if (whole := _WHOLE.get(word)) is not None:
        text, peek = whole
        return Section((), text, (), None, peek, word.encode("ascii"))
    raise ParseError(f"unknown item {word}")


def _preview(cursor: Cursor) -> Item:
    if not cursor.opens():
        return Attribute.PREVIEW
    one_of(cursor, frozenset({"LAZY"}))
    cursor.expect(b")")
    return LazyPreview()


def _section(cursor: Cursor, *, peek: bool) -> Section:
    cursor.expect(b"[")
    part = _part(cursor)
    text: str = ""
    fields: tuple[str, ...] = ()
    if cursor.peek() != b"]":
        if part:
            cursor.expect(b".")
        text, fields = _section_text(cursor, part)
    cursor.expect(b"]")
    return Section(part, text, fields, _partial(cursor), peek, _label(part, text, fields))


def section_of_text(cursor: Cursor, partial: Partial | None) -> Section:
    """A section as a URL spells it, without brackets. Raises ParseError."""
    part = _part(cursor)
    text: str = ""
    fields: tuple[str, ...] = ()
    if not cursor.at_end():
        if part:
            cursor.expect(b".")
        text, fields = _section_text(cursor, part)
    cursor.finish()
    return Section(part, text, fields, partial, peek=True, label=b"")


def _section_text(cursor: Cursor, part: tuple[int, ...]) -> tuple[str, tuple[str, ...]]:
    word = one_of(cursor, _TEXTS)
    if word == "MIME" and not part:
        raise ParseError("MIME needs a part number")
    if not word.startswith("HEADER.FIELDS"):
        return word, ()
    cursor.space()
    return word, cursor.items(lambda at: lenient(at.astring()))


def _label(part: tuple[int, ...], text: str, fields: tuple[str, ...]) -> bytes:
    names = b" (%b)" % b" ".join(astring(name.encode()) for name in fields) if fields else b""
    path = ".".join([*map(str, part), *((text,) if text else ())])
    return b"BODY[%b%b]" % (path.encode("ascii"), names)


def _binary(cursor: Cursor, *, peek: bool) -> Binary:
    return Binary(_bare_section(cursor), _partial(cursor), peek)


def _binary_size(cursor: Cursor) -> BinarySize:
    return BinarySize(_bare_section(cursor))


def _bare_section(cursor: Cursor) -> tuple[int, ...]:
    cursor.expect(b"[")
    part = _part(cursor)
    cursor.expect(b"]")
    return part


def _part(cursor: Cursor) -> tuple[int, ...]:
    found = cursor.match(_PART)
    if found is None:
        return ()
    part = tuple(map(int, found[0].split(b".")))
    if len(part) > _MAX_PARTS:
        raise ParseError("nested too deeply")
    return part


def _partial(cursor: Cursor) -> Partial | None:
    found = cursor.match(_PARTIAL)
    if found is None:
        if cursor.peek() == b"<":
            raise ParseError("malformed partial")
        return None
    offset, length = int(found[1]), int(found[2])
    if length == 0:
        raise ParseError("a partial needs a length above 0")
    return offset, length


_SECTIONED: Final[dict[str, Callable[[Cursor], Item]]] = {
    "BODY": lambda cursor: _section(cursor, peek=False),
    "BODY.PEEK": lambda cursor: _section(cursor, peek=True),
    "BINARY": lambda cursor: _binary(cursor, peek=False),
    "BINARY.PEEK": lambda cursor: _binary(cursor, peek=True),
    "BINARY.SIZE": _binary_size,
}


def fetch(cursor: Cursor, *, by_uid: bool) -> Fetch:
    """The arguments of FETCH."""
    cursor.space()
    messages = sequence_set(cursor)
    cursor.space()
    items = fetch_items(cursor)
    changed_since, vanished, partial = None, False, None
    if cursor.opens():
        for name, value in cursor.rest_of_items(_modifier):
            changed_since = value if name == "CHANGEDSINCE" else changed_since
            partial = value if name == "PARTIAL" else partial
            vanished = vanished or name == "VANISHED"
    if vanished and (changed_since is None or not by_uid):
        # RFC 7162 3.2.6: only with UID FETCH and CHANGEDSINCE.
        raise ParseError("VANISHED needs UID FETCH with CHANGEDSINCE")
    if by_uid and Attribute.UID not in items:
        items = (Attribute.UID, *items)
    if changed_since is not None and Attribute.MODSEQ not in items:
        items = (*items, Attribute.MODSEQ)  # RFC 7162 3.1.4.1
    return Fetch(messages, items, by_uid, changed_since, vanished, partial)


def _modifier(cursor: Cursor) -> tuple[str, Any]:
    word = one_of(cursor, frozenset({"CHANGEDSINCE", "VANISHED", "PARTIAL"}))
    if word == "VANISHED":
        return word, None
    cursor.space()
    return word, cursor.number64() if word == "CHANGEDSINCE" else partial_range(cursor)


_ITEM: Final = re.compile(rb"([+-]?)(?i:FLAGS)((?i:\.SILENT)?) +")


def store(cursor: Cursor, *, by_uid: bool) -> Store:
    """The arguments of STORE."""
    cursor.space()
    messages = sequence_set(cursor)
    cursor.space()
    unchanged_since = None
    if cursor.skip(b"("):
        one_of(cursor, frozenset({"UNCHANGEDSINCE"}))
        cursor.space()
        unchanged_since = cursor.number64()
        cursor.expect(b")")
        cursor.space()
    item = cursor.match(_ITEM)
    if item is None:
        raise ParseError("expected FLAGS, +FLAGS or -FLAGS")
    flags = store_flags(cursor)
    return Store(messages, item[1].decode("ascii"), flags, bool(item[2]), by_uid, unchanged_since)
