"""A vCard as lines: versions 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350) read into one form, and lines built.

Old cards carry quoted-printable and other character sets, broken ones are not UTF-8; after `read_card` everything
is text, escaped as in 3.0.
"""

from __future__ import annotations

import binascii
import quopri
import re
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.lines import Component, Line, escape, parse, split, unescape

#: The largest card, and the largest picture in one, that is taken (bytes).
MAX_CARD: Final = 8 << 20
MAX_PHOTO: Final = 1 << 20
_MAX_PROPERTIES: Final = 5_000
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CONTROL_BYTES: Final = bytes({*range(32), 127} - {9, 10, 13})
_FOLDED: Final = re.compile(rb"\r?\n[ \t]")
_SOFT_BREAK: Final = re.compile(rb"=[ \t]*\r?\n[ \t]?")
_QP_LINE: Final = re.compile(
    rb"^(?![ \t])[^:\r\n]*;[^:\r\n]*QUOTED-PRINTABLE[^:\r\n]*:", re.IGNORECASE | re.MULTILINE
)
_DATA_URI: Final = re.compile(r"data:([^;,]*)((?:;[^;,]*)*?)(;base64)?,", re.IGNORECASE)


class TooLarge(ParseError):
    """The card, or the picture in it, is larger than the gateway takes (CARDDAV:max-resource-size)."""


@dataclass(slots=True)
class Card:
    """The lines of a card. ``version`` is what it says of itself, "3.0" when it says nothing."""

    version: str
    lines: list[Line] = field(default_factory=list)

    def first(self, name: str) -> Line | None:
        """The first line of this name."""
        return next((line for line in self.lines if line.name == name), None)

    def text(self, name: str) -> str:
        """The text of the first line of this name."""
        line = self.first(name)
        return "" if line is None else line.text.strip()

    @property
    def is_group(self) -> bool:
        """Whether it is a list of people: RFC 6350 6.1.4, Apple's form, or Evolution's."""
        kind = self.text("KIND") or self.text("X-ADDRESSBOOKSERVER-KIND")
        return kind.lower() == "group" or self.text("X-EVOLUTION-LIST").upper() == "TRUE"


def read_card(data: bytes | str) -> Card:
    """The one card of a text (ParseError; TooLarge)."""
    if len(data) > MAX_CARD:
        raise TooLarge(f"a vCard of more than {MAX_CARD} bytes")
    text, undecoded = _unicode(data)
    found = [part for part in parse(text) if part.name == "VCARD"]
    if len(found) != 1:
        raise ParseError("no vCard" if not found else "more than one vCard")
    component: Component = found[0]
    if len(component.lines) > _MAX_PROPERTIES:
        raise ParseError(f"a vCard of more than {_MAX_PROPERTIES} properties")
    version = component.text("VERSION") or "3.0"
    old = version.strip() == "2.1"
    lines = [_plain(line, old=old, undecoded=undecoded) for line in component.lines if line.name != "VERSION"]
    return Card(version.strip(), lines)


def _unicode(data: bytes | str) -> tuple[bytes | str, bool]:
    """The text in UTF-8 without quoted-printable's soft breaks; what is not UTF-8 is read as Windows-1252.

    True with it means that the characters are still bytes, because every line says for itself what they are.
    """
    if isinstance(data, str):
        return _CONTROL.sub("", data), False
    data = data.translate(None, _CONTROL_BYTES)
    if b"QUOTED-PRINTABLE" in data.upper():
        data = _without_soft_breaks(data)
    try:
        _FOLDED.sub(b"", data).decode("utf-8")
    except UnicodeDecodeError:
        if b"CHARSET" in data.upper():
            return data.decode("latin-1"), True
        return data.decode("cp1252", "replace"), False
    return data, False


def _without_soft_breaks(data: bytes) -> bytes:
    """Quoted-printable lines of vCard 2.1 go on after ``=`` at the end of a line, not after a blank."""
    out: list[bytes] = []
    place = 0
    while (start := _QP_LINE.search(data, place)) is not None:
        end = start.end()
        while True:
            stop = data.find(b"\n", end)
            stop = len(data) if stop < 0 else stop + 1
            if not data[end:stop].rstrip().endswith(b"=") or stop == len(data):
                break
            end = stop
        out += data[place : start.start()], _SOFT_BREAK.sub(b"", data[start.start() : stop])
        place = stop
    return b"".join((*out, data[place:]))


def _plain(line: Line, *, old: bool, undecoded: bool) -> Line:
    """The line without CHARSET and quoted-printable, its value escaped as 3.0 does."""
    params = line.params
    if not params and not undecoded:
        return line
    quoted = "quoted-printable" in types_of(line) or line.param("ENCODING").upper() == "QUOTED-PRINTABLE"
    charset = line.param("CHARSET")
    if not quoted and not charset and not undecoded:
        return line
    text = line.value
    if quoted or undecoded:
        raw = text.encode("latin-1" if undecoded else "utf-8", "replace")
        text = _decoded(quopri.decodestring(raw) if quoted else raw, charset).replace("\r\n", "\n")
    if quoted:
        # Semicolons separate as they do unquoted; line breaks had no other form.
        text = text.replace("\n", "\\n") if old else escape(text)
    kept = {
        key: values
        for key, values in params.items()
        if key not in ("CHARSET", "ENCODING") or (key == "ENCODING" and not quoted)
    }
    if "TYPE" in kept:
        kept["TYPE"] = tuple(value for value in kept["TYPE"] if value.upper() != "QUOTED-PRINTABLE")
        if not kept["TYPE"]:
            del kept["TYPE"]
    return Line(line.name, text, kept, line.group)


def _decoded(raw: bytes, charset: str) -> str:
    for name in ("utf-8", charset or "cp1252", "cp1252"):
        try:
            return raw.decode(name)
        except (LookupError, ValueError):
            continue
    return raw.decode("latin-1")


# What lines say


def types_of(line: Line) -> frozenset[str]:
    """TYPE values in lower case, however they were written."""
    values = line.params.get("TYPE")
    return _types(values) if values else frozenset()


@lru_cache(maxsize=1024)
def _types(values: tuple[str, ...]) -> frozenset[str]:
    return frozenset(part.strip() for value in values for part in value.lower().split(",") if part.strip())


def is_preferred(line: Line) -> bool:
    """Whether it is the preferred one of its kind: ``TYPE=pref`` (3.0) or ``PREF=1`` (4.0)."""
    return line.param("PREF") == "1" or "pref" in types_of(line)


def parts_of(line: Line, count: int) -> list[str]:
    """The components of a structured value (N, ADR, ORG), at least ``count``; lists in one joined by blanks."""
    found = [
        " ".join(text for part in split(component, ",") if (text := unescape(part).strip())) if "," in component
        else unescape(component).strip()
        for component in split(line.value, ";")
    ]  # fmt: skip
    return found + [""] * (count - len(found))


def structured(parts: Iterable[str]) -> str:
    """Components as a structured value."""
    return ";".join(map(escape, parts))


def binary_of(line: Line) -> tuple[bytes, str] | None:
    """The bytes of an inline value (base64 or a data URI) and its media subtype, "" when it has none; None for a link.

    ParseError when the base64 is broken.
    """
    value = line.value.replace("\\,", ",").replace("\\;", ";").strip()
    kind = next((name for name in types_of(line) if name not in ("pref", "work", "home")), "")
    match = _DATA_URI.match(value)
    if match is not None:
        kind, text = match[1].lower(), value[match.end() :]
    elif line.param("ENCODING").upper() in ("B", "BASE64") or "base64" in types_of(line):
        text = value
        kind = "" if kind == "base64" else kind
    else:
        return None
    try:
        data = b64decode("".join(text.split()))
    except (binascii.Error, ValueError):
        raise ParseError(f"the base64 of {line.name} is broken") from None
    return data, (line.param("MEDIATYPE") or kind).rpartition("/")[2].lower()
