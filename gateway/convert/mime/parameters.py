"""Content-Type and Content-Disposition values (RFC 2045 5.1, RFC 2183), as bytes and without failing."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import count, takewhile
from typing import Final, TypeAlias
from urllib.parse import quote_from_bytes

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
_CONTINUED: Final = re.compile(rb"([^*]+)\*([0-9]{1,3})(\*)?")
_UNENCODED: Final = "!#$&+-.^_`{|}~"


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


def joined(values: Parameters) -> Parameters:
    """The parameters with the pieces of each long one put together, at the place of its first (RFC 2231 3, 6).

    The whole is ``name*``, percent-encoded, when any piece is. Pieces behind a gap stay as they are.
    """
    if not any(b"*" in key for key, _ in values):
        return values
    runs = _runs(values)
    found: list[tuple[bytes, bytes]] = []
    told: set[bytes] = set()
    for key, value in values:
        match = _CONTINUED.fullmatch(key)
        if match is None or int(match[2]) >= len(runs[match[1]]):
            found.append((key, value))
        elif match[1] not in told:
            told.add(match[1])
            found.append(_whole(match[1], runs[match[1]]))
    return tuple(found)


def _runs(values: Parameters) -> dict[bytes, list[tuple[bytes, bool]]]:
    """The pieces of each long parameter from 0 up to the first gap, and whether each is percent-encoded."""
    pieces: dict[bytes, dict[int, tuple[bytes, bool]]] = {}
    for key, value in values:
        if match := _CONTINUED.fullmatch(key):
            pieces.setdefault(match[1], {}).setdefault(int(match[2]), (value, bool(match[3])))
    return {
        name: [numbered[number] for number in takewhile(numbered.__contains__, count())]
        for name, numbered in pieces.items()
    }


def _whole(name: bytes, pieces: list[tuple[bytes, bool]]) -> tuple[bytes, bytes]:
    if not any(encoded for _, encoded in pieces):
        return name, b"".join([value for value, _ in pieces])
    start = b"" if pieces[0][1] else b"''"
    texts = [value if encoded else quote_from_bytes(value, _UNENCODED).encode() for value, encoded in pieces]
    return name + b"*", start + b"".join(texts)


def get(values: Parameters, name: bytes) -> bytes | None:
    """The first parameter of a name."""
    for key, value in values:
        if key == name:
            return value
    return None
