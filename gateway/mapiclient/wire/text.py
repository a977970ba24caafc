"""Text as the store writes it: escapes, characters that XML 1.0 forbids, base64 with blanks.

The store writes control characters as ``&#x1;``, which no XML 1.0 parser accepts; so text is read and written
here. A carriage return must be written as ``&#xD;`` (XML 1.0 section 2.11), tab and line feed stand for
themselves. NUL cannot be stored and is dropped. Raw control characters are taken as they are.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from typing import Final

from gateway.mapiclient.wire.errors import WireError

_SPECIAL: Final = re.compile(r"[&<>\x00-\x08\x0b-\x1f\x7f]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_REFERENCE: Final = re.compile(r"&(?:#(?:[xX]([0-9A-Fa-f]{1,6})|([0-9]{1,7}))|([A-Za-z]{1,8}));|&")
_NAMED: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_BLANKS: Final = str.maketrans("", "", " \t\r\n")


def escape(text: str) -> str:
    """Text as element content."""
    if _SPECIAL.search(text) is None:
        return text
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")
    return _CONTROL.sub(_reference, text)


def _reference(match: re.Match[str]) -> str:
    return "" if match[0] == "\0" else f"&#x{ord(match[0]):X};"


def _unescape(match: re.Match[str]) -> str:
    hexadecimal, decimal, name = match.groups()
    if name:
        try:
            return _NAMED[name]
        except KeyError:
            raise WireError(f"unknown entity &{name};") from None
    if hexadecimal:
        code = int(hexadecimal, 16)
    elif decimal:
        code = int(decimal)
    else:
        raise WireError("stray & in text")
    if code > 0x10FFFF:
        raise WireError("character reference beyond Unicode")
    # A surrogate cannot be encoded again: what a broken client stored is shown as a replacement.
    return "\N{REPLACEMENT CHARACTER}" if 0xD800 <= code <= 0xDFFF else chr(code)


def unescape(text: str) -> str:
    """The text of element content (WireError for entities other than XML's five)."""
    if "&" not in text:
        return text
    # What is frequent goes fast. None of these makes a new reference: their results contain no "&".
    text = text.replace("&#xD;", "\r").replace("&lt;", "<").replace("&gt;", ">")
    if text.count("&") == text.count("&amp;"):
        return text.replace("&amp;", "&")
    return _REFERENCE.sub(_unescape, text)


def base64_text(data: bytes) -> str:
    """Bytes as base64 without line breaks."""
    return b2a_base64(data, newline=False).decode("ascii")


def base64_bytes(text: str) -> bytes:
    """The bytes of base64 that may contain blanks (WireError when it is none)."""
    try:
        return a2b_base64(text, strict_mode=True)
    except ValueError:
        pass
    try:
        return a2b_base64(unescape(text).translate(_BLANKS), strict_mode=True)
    except ValueError as error:
        raise WireError(f"bad base64: {error}") from None
