"""Mailbox names on the wire: modified UTF-7 for old clients, UTF-8 for new ones (RFC 3501 5.1.3, RFC 9051 A.1).

Decoding is lenient (``R&D`` and raw UTF-8 are taken as meant), encoding is canonical.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, b2a_base64
from typing import Final

from gateway.imap.codec.errors import ParseError

_SHIFTED: Final = re.compile(rb"&([A-Za-z0-9+,]*)-")
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def encode_utf7(name: str) -> bytes:
    """A name in modified UTF-7."""
    return _UNPRINTABLE.sub(_shift, name.replace("&", "&-")).encode("ascii")


def _shift(match: re.Match[str]) -> str:
    packed = b2a_base64(match[0].encode("utf-16-be", "surrogatepass"), newline=False)
    return f"&{packed.rstrip(b'=').replace(b'/', b',').decode('ascii')}-"


def decode_utf7(raw: bytes) -> str:
    """The name behind modified UTF-7; what is no valid shift sequence stands for itself.

    Raises ParseError for octets above 127 that are no UTF-8.
    """
    parts: list[str] = []
    end = 0
    for match in _SHIFTED.finditer(raw):
        parts += (_utf8(raw[end : match.start()]), _unshift(match))
        end = match.end()
    parts.append(_utf8(raw[end:]))
    return "".join(parts)


def _unshift(match: re.Match[bytes]) -> str:
    packed = match[1].replace(b",", b"/")
    if not packed:
        return "&"
    try:
        return a2b_base64(packed + b"=" * (-len(packed) % 4)).decode("utf-16-be")
    except (Error, UnicodeDecodeError):
        return match[0].decode("ascii")


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ParseError("mailbox name is not valid UTF-8") from None


def decode_name(raw: bytes, *, utf8: bool) -> str:
    """A mailbox name as received: UTF-8 when the client enabled it, else modified UTF-7; INBOX in capitals.

    Raises ParseError for control characters and broken UTF-8.
    """
    name = _utf8(raw) if utf8 else decode_utf7(raw)
    if _CONTROL.search(name):
        raise ParseError("control characters in a mailbox name", code="CANNOT", no=True)
    head, slash, rest = name.partition("/")
    return f"INBOX{slash}{rest}" if head.upper() == "INBOX" else name


def encode_name(name: str, *, utf8: bool) -> bytes:
    """A mailbox name as octets to quote."""
    return name.encode("utf-8", "replace") if utf8 else encode_utf7(name)
