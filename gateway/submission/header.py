"""The header of a mail on its way out: who it says it is from, and what must not go out with it."""

from __future__ import annotations

import re
from email.utils import format_datetime
from hashlib import blake2b
from typing import Final

from gateway.convert.mime.addresses import address_list
from gateway.mapi.times import to_datetime

_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:(?:[^\n]|\n[ \t])*\n?")


def fields(mail: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """The fields of the header by lower-case name, each with its end, and what follows them."""
    found: list[tuple[str, bytes]] = []
    place = 0
    while (match := _FIELD.match(mail, place)) is not None:
        found.append((match[1].decode("ascii").lower(), match[0]))
        place = match.end()
    return found, mail[place:]


def without_bcc(mail: bytes) -> bytes:
    """The mail without Bcc and Resent-Bcc: only the envelope knows these recipients (RFC 5322 3.6.3)."""
    found, rest = fields(mail)
    if not any(name in ("bcc", "resent-bcc") for name, _ in found):
        return mail
    return b"".join(field for name, field in found if name not in ("bcc", "resent-bcc")) + rest


def completed(mail: bytes, hostname: str, now: int) -> bytes:
    """The mail with Date and Message-ID (RFC 6409 8.2, 8.3); the same mail always gets the same."""
    names = {name for name, _ in fields(mail)[0]}
    more = b""
    if "message-id" not in names:
        more += f"Message-ID: <{blake2b(mail, digest_size=16).hexdigest()}@{hostname}>\r\n".encode()
    if "date" not in names:
        more += f"Date: {format_datetime(to_datetime(now))}\r\n".encode()
    return more + mail


def addresses_of(mail: bytes, wanted: str) -> list[str]:
    """The addresses of From or Sender (RFC 5322 3.6.2), in lower case; of several fields all count."""
    found = []
    for name, field in fields(mail)[0]:
        if name == wanted:
            value = field.partition(b":")[2]
            specs = [entry.spec for entry in address_list(value.replace(b"\r\n", b""))]
            found += [spec.decode("utf-8", "replace").lower() for spec in specs if spec]
    return found
