"""SASL exchanges as IMAP carries them: base64 lines (RFC 9051 6.2.2), PLAIN (RFC 4616), LOGIN."""

from __future__ import annotations

from base64 import b64encode
from typing import Final

from gateway.imap.codec.cursor import lenient
from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.parse_values import base64
from gateway.imap.codec.write_status import challenge

EMPTY: Final = b"+ \r\n"
USER: Final = challenge(b64encode(b"Username:"))
PASSWORD: Final = challenge(b64encode(b"Password:"))


def response(line: bytes) -> bytes:
    """What a client's line says. Raises ParseError when it cancels or is no base64."""
    if line == b"*":
        raise ParseError("authentication was cancelled")
    return base64(line)


def text(octets: bytes) -> str:
    """A name or password."""
    return lenient(octets)


def plain(octets: bytes) -> tuple[str, str, str]:
    """PLAIN's message: whom to act as, user, password. Raises ParseError."""
    parts = octets.split(b"\0")
    if len(parts) != 3:
        raise ParseError("malformed PLAIN message")
    authorize, user, password = map(lenient, parts)
    return authorize, user, password
