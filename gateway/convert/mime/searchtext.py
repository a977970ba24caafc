"""The readable text of a message: for SEARCH (RFC 9051 6.4.4) and PREVIEW (RFC 8970).

Text is decoded and, if it is HTML, freed of its tags; nothing here fails, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.convert.htmltext import to_text
from gateway.convert.mime.charsets import DEFAULT_CHARSET, codec_of, decode
from gateway.convert.mime.encoded import text
from gateway.convert.mime.structure import Part
from gateway.convert.mime.transfer import decoded, known

PREVIEW_CHARACTERS: Final = 200
"""RFC 8970 3.1: not more than 256, and 200 are recommended."""
_PREVIEW_OCTETS: Final = 32768
"""How much of an encoded text is looked at for a preview."""
_SEARCH_OCTETS: Final = 8 << 20
"""How much of one encoded text is searched."""


def header_values(message: Part, name: bytes, default: str = DEFAULT_CHARSET) -> Iterator[str]:
    """The decoded values of the message header's fields of a (lower-case) name."""
    return (text(value, default) for value in message.headers(name))


def header_text(message: Part, default: str = DEFAULT_CHARSET) -> Iterator[str]:
    """Every field of every header in the message, decoded, as ``Name: value``."""
    for part in message.walk():
        yield from _fields(part, default)


def inner_header_text(message: Part, default: str = DEFAULT_CHARSET) -> Iterator[str]:
    """The fields of the messages inside, which are text of the message around them."""
    for part in message.walk():
        if part.message is not None:
            yield from _fields(part.message, default)


def _fields(part: Part, default: str) -> Iterator[str]:
    return (f"{name.decode('ascii')}: {text(value, default)}" for name, value in part.fields)


def body_text(message: Part, default: str = DEFAULT_CHARSET) -> Iterator[str]:
    """The readable text of every text part, nested messages included; what cannot be decoded is left out."""
    for part in message.walk():
        if part.type == b"text" and not part.children and known(part.encoding):
            yield part_text(part, default, _SEARCH_OCTETS)


def part_text(part: Part, default: str = DEFAULT_CHARSET, octets: int | None = None) -> str:
    """The readable text of a text part, of at most so many encoded octets of it."""
    end = part.end if octets is None else min(part.end, part.body + octets)
    data = decoded(part.data[part.body : end], part.encoding)
    charset = part.parameter(b"charset")
    characters = decode(data, codec_of(charset) if charset else None, default)
    return to_text(characters) if part.subtype == b"html" else characters


def preview(message: Part, characters: int = PREVIEW_CHARACTERS, default: str = DEFAULT_CHARSET) -> str:
    """The beginning of the text a reader would see first, white space collapsed; empty if there is none."""
    fallback = ""
    for part in message.walk():
        if part.type != b"text" or part.children or part.disposition[0] == b"attachment":
            continue
        if not known(part.encoding):
            continue
        words = " ".join(part_text(part, default, _PREVIEW_OCTETS).split())[:characters].rstrip()
        if words and part.subtype == b"plain":
            return words
        fallback = fallback or words
    return fallback
