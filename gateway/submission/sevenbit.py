"""Mail for servers without 8BITMIME: parts with octets outside ASCII get another transfer encoding (RFC 6152 3)."""

from __future__ import annotations

import email
from base64 import encodebytes
from email.generator import BytesGenerator
from email.header import Header
from email.message import Message
from email.policy import compat32
from io import BytesIO
from typing import Final

_POLICY: Final = compat32.clone(cte_type="7bit", linesep="\r\n", max_line_length=0, mangle_from_=False)


class NotConvertible(ValueError):
    """The mail cannot be said in ASCII."""


def seven_bit(mail: bytes) -> bytes:
    """The same mail in ASCII only (NotConvertible).

    What is signed would not be what was signed any more; a correct mailer has it in ASCII anyway (RFC 1847 2.1).
    """
    message = email.message_from_bytes(mail, policy=_POLICY)
    for part in message.walk():
        if part.get_content_type() == "multipart/signed" and not all(map(_is_ascii, part.walk())):
            raise NotConvertible("a signed part has octets outside ASCII")
        _encode_header(part)
        if not part.is_multipart():
            _encode(part)
        elif part.get("content-transfer-encoding", "").strip().lower() in ("8bit", "binary"):
            part.replace_header("content-transfer-encoding", "7bit")
    sink = BytesIO()
    BytesGenerator(sink, mangle_from_=False, policy=_POLICY).flatten(message)
    return sink.getvalue()


def _is_ascii(part: Message) -> bool:
    return part.is_multipart() or str(part.get_payload()).isascii()


def _encode_header(part: Message) -> None:
    """Write free text as encoded words (RFC 2047); in fields with a syntax of their own that cannot be guessed."""
    for name, value in part.raw_items():
        octets = str(value).encode("ascii", "surrogateescape")
        if octets.isascii():
            continue
        if name.lower() not in ("subject", "comments"):
            raise NotConvertible(f"the field {name} has octets outside ASCII")
        text = " ".join(octets.decode("utf-8", "replace").split())
        part.replace_header(name, Header(text, "utf-8", header_name=name).encode(linesep="\r\n"))


def _encode(part: Message) -> None:
    """Give a part with octets outside ASCII base64, whatever it said before."""
    data = part.get_payload(decode=True)
    encoding = part.get("content-transfer-encoding", "7bit").strip().lower()
    if not isinstance(data, bytes) or encoding not in ("7bit", "8bit", "binary"):
        return
    if data.isascii():
        if encoding != "7bit":
            part.replace_header("content-transfer-encoding", "7bit")
        return
    del part["content-transfer-encoding"]
    part["Content-Transfer-Encoding"] = "base64"
    part.set_payload(_base64(data))


def _base64(data: bytes) -> str:
    return encodebytes(data).decode("ascii").rstrip("\n").replace("\n", "\r\n")
