"""Strings inside ENVELOPE and BODYSTRUCTURE: always quoted, always 7-bit, never a literal.

So the rendered value is one line that can be stored, sent to any client and put into any response as it is
(RFC 9051 4.3). What a quoted string cannot hold is encoded (8-bit text, RFC 2047) or dropped (controls).
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from gateway.convert.mime.encoded import text
from gateway.convert.mime.fields import unfold

NIL: Final = b"NIL"
_SAFE: Final = re.compile(rb"[ !#-\[\]-~]*+\Z")
_ESCAPED: Final = re.compile(rb'["\\]')
_CONTROLS: Final = re.compile(rb"[\0-\x08\x0a-\x1f\x7f]")
_LONGEST_HOST: Final = 1024
_WORD_OCTETS: Final = 45
"""UTF-8 octets that fit an encoded word of 75 characters."""


def nstring(value: bytes | None) -> bytes:
    """A quoted string, or NIL for None."""
    if value is None:
        return NIL
    if _SAFE.match(value):
        return b'"%b"' % value
    return _awkward(value)


def _awkward(value: bytes) -> bytes:
    """The quoted string of a value with quotes, controls or 8-bit characters in it."""
    value = _CONTROLS.sub(b"", unfold(value)).replace(b"\t", b" ")
    if not value.isascii():
        value = b" ".join(encoded_words(text(value)))
    return b'"%b"' % _ESCAPED.sub(rb"\\\g<0>", value)


def host_string(value: bytes) -> bytes:
    """A domain as a quoted string: IDNA for what is not ASCII (RFC 5890)."""
    if not value.isascii() and len(value) <= _LONGEST_HOST:
        with suppress(UnicodeError):
            value = value.decode("utf-8").encode("idna")
    return nstring(value)


def encoded_words(characters: str) -> Iterator[bytes]:
    """UTF-8 encoded words (RFC 2047) that together are the text; no character is split over two."""
    data = characters.encode("utf-8", "replace")
    position = 0
    while position < len(data):
        end = min(position + _WORD_OCTETS, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        yield b"=?utf-8?B?%b?=" % b2a_base64(data[position:end], newline=False)
        position = end
