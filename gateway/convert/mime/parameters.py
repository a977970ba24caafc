"""Content-Type and Content-Disposition values (RFC 2045 5.1, RFC 2183), as bytes and without failing."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, TypeAlias

from gateway.convert.mime.fields import unfold

#: Parameters in header order, names in lower case; RFC 2231 pieces are not joined here.
Parameters: TypeAlias = "tuple[tuple[bytes, bytes], ...]"

_TOKEN: Final = rb"[!#-'*+\-.0-9A-Z^-~]++"
_MEDIA: Final = re.compile(rb"[\s;]*+(%b)?(?:[ \t]*+/[ \t]*+(%b)?)?" % (_TOKEN, _TOKEN))
_PARAMETER: Final = re.compile(
    rb"""[;\s]*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^;]*+))[^;]*+""", re.DOTALL
)
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)
_COMMENT: Final = re.compile(rb"\s\([^()]*\)\s*\Z")
_LONE: Final = {
    b"text": (b"text", b"plain"),
    b"plain": (b"text", b"plain"),
    b"html": (b"text", b"html"),
    b"multipart": (b"multipart", b"mixed"),
    b"application": (b"application", b"octet-stream"),
    b"image": (b"application", b"octet-stream"),
    b"audio": (b"application", b"octet-stream"),
    b"video": (b"application", b"octet-stream"),
    b"message": (b"application", b"octet-stream"),
}
_LIMIT: Final = 256


def parameters(value: bytes, position: int = 0) -> Parameters:
    """The parameters after ``position`` of an unfolded value; at most 256 of them."""
    found: list[tuple[bytes, bytes]] = []
    while (match := _PARAMETER.match(value, position)) and match.end() > position and len(found) < _LIMIT:
        found.append((match[1].lower(), _parameter_value(match[2], match[3])))
        position = match.end()
        if position < len(value) and value[position] != 59:
            break
    return tuple(found)


def _parameter_value(quoted: bytes | None, bare: bytes) -> bytes:
    """A value without its quotes; an unquoted one may hold blanks, and a comment after it goes."""
    if quoted is not None:
        return _ESCAPE.sub(rb"\1", quoted) if b"\\" in quoted else quoted
    if b"(" in bare:
        bare = _COMMENT.sub(b"", bare)
    return bare.strip(b' \t\r\n"')


@lru_cache(maxsize=512)
def _short_media(value: bytes) -> tuple[bytes, bytes, Parameters]:
    return _media(value)


def media(value: bytes) -> tuple[bytes, bytes, Parameters]:
    """Type, subtype (lower case) and parameters of a Content-Type value.

    A value that breaks the syntax is text/plain (RFC 2045 5.2), or what its one word makes likely.
    """
    return _short_media(value) if len(value) < 64 else _media(value)


def _media(value: bytes) -> tuple[bytes, bytes, Parameters]:
    value = unfold(value)
    match = _MEDIA.match(value)
    if match is None:
        return b"text", b"plain", ()
    main, sub = (match[1] or b"").lower(), (match[2] or b"").lower()
    if not main or not sub:
        main, sub = _LONE.get(main, (b"text", b"plain"))
    rest = value.find(b";", match.end()) if match.end() else 0
    return main, sub, parameters(value, rest) if rest >= 0 else ()


def disposition(value: bytes) -> tuple[bytes, Parameters]:
    """Kind (lower case, perhaps empty) and parameters of a Content-Disposition value."""
    value = unfold(value)
    kind, semicolon, _ = value.partition(b";")
    if b"=" in kind:
        return b"", parameters(value)
    words = kind.split()
    return (words[0].lower() if words else b""), parameters(value, len(kind)) if semicolon else ()


def get(values: Parameters, name: bytes) -> bytes | None:
    """The first parameter of a name."""
    for key, value in values:
        if key == name:
            return value
    return None
