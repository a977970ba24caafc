"""Parts and how they nest: leaves, multiparts with their boundaries, embedded mails (RFC 2046 5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from gateway.convert.mime.tomime_fields import structured, with_parameters
from gateway.convert.mime.tomime_stream import Base64, Mime, Piece, base64_lines
from gateway.convert.mime.tomime_text import canonical, transfer_encoded
from gateway.mapi.content import Blob

BOUNDARY_PREFIX: Final = "=_"
"""Cannot occur in quoted-printable nor base64; 7bit text that has a line with it is encoded."""


@dataclass(slots=True)
class Part:
    """One part: its MIME header fields and the pieces of its body."""

    fields: list[bytes]
    body: list[Piece]
    eight_bit: bool = False
    """Whether the body holds octets outside ASCII."""


class Boundaries:
    """The boundaries of one mail: every call gives the next one, always in the same order.

    Two mails with different seeds share none, so an embedded mail needs no look at its content.
    """

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._count = 0

    def next(self) -> str:
        """A boundary that was not given before."""
        self._count += 1
        digest = blake2b(b"%d:%s" % (self._count, self._seed), digest_size=15).hexdigest()
        return f"{BOUNDARY_PREFIX}{digest}"


def text_part(text: str, subtype: str, *parameters: Iterable[str]) -> Part:
    """A text part in UTF-8 with the transfer encoding that suits it."""
    encoding, body = transfer_encoded(canonical(text))
    fields = [
        content_type(f"text/{subtype}", ["charset=utf-8"], *parameters),
        structured("Content-Transfer-Encoding", [encoding]),
    ]
    return Part(fields, [body] if body else [])


def data_part(media_type: Iterable[str], data: bytes | Blob, *more_fields: bytes) -> Part:
    """A part of octets in base64; ``media_type`` is the tokens of the Content-Type."""
    fields = [
        structured("Content-Type", media_type),
        structured("Content-Transfer-Encoding", ["base64"]),
        *more_fields,
    ]
    return Part(fields, [base64_lines(data) if isinstance(data, bytes) else Base64(data)])


def mail_part(mail: Mime, eight_bit: bool, *more_fields: bytes) -> Part:
    """A whole mail as message/rfc822, which must not be encoded (RFC 2046 5.2.1)."""
    fields = [
        content_type("message/rfc822"),
        structured("Content-Transfer-Encoding", ["8bit" if eight_bit else "7bit"]),
        *more_fields,
    ]
    return Part(fields, [mail.header, *mail.body], eight_bit)


def multipart(subtype: str, parts: Sequence[Part], boundary: str, *parameters: Iterable[str]) -> Part:
    """The parts as one multipart."""
    body: list[Piece] = []
    opening = f"--{boundary}\r\n".encode("ascii")
    for part in parts:
        body.append(opening + b"".join(part.fields) + b"\r\n")
        body += part.body
        opening = f"\r\n--{boundary}\r\n".encode("ascii")
    body.append(f"\r\n--{boundary}--\r\n".encode("ascii"))
    fields = [content_type(f"multipart/{subtype}", *parameters, [f'boundary="{boundary}"'])]
    eight_bit = any(part.eight_bit for part in parts)
    if eight_bit:
        fields.append(structured("Content-Transfer-Encoding", ["8bit"]))
    return Part(fields, body, eight_bit)


def content_type(media_type: str, *parameters: Iterable[str]) -> bytes:
    """A Content-Type field."""
    return structured("Content-Type", with_parameters(media_type, *parameters))


def mail(fields: Sequence[bytes], top: Part) -> Mime:
    """The mail whose header has ``fields`` and then those of its top part; its last line is ended."""
    body = list(top.body)
    if body and not _ends_line(body[-1]):
        body.append(b"\r\n")
    return Mime(b"".join([*fields, b"MIME-Version: 1.0\r\n", *top.fields, b"\r\n"]), body)


def _ends_line(piece: Piece) -> bool:
    return isinstance(piece, bytes) and piece.endswith(b"\r\n")
