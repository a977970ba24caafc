"""Text as a MIME body: line ends, character set and transfer encoding (RFC 2045, 2046 4.1)."""

from __future__ import annotations

import re
from binascii import b2a_qp
from typing import Final

from gateway.convert.mime.tomime_stream import base64_lines

LINE: Final = 998
"""Longest line of a mail without its CRLF (RFC 5322 2.1.1)."""
_NOT_CLEAN: Final = re.compile(rb"[^\r\n]{%d}|\x00|^--=_" % (LINE + 1), re.MULTILINE)
_SHORT: Final = 60
"""Text up to this length is never base64: it is easier to read, and there is little to save."""
_OUTSIDE_ASCII: Final = bytes(range(0x80, 0x100))


def canonical(text: str) -> bytes:
    """The text in UTF-8 with CRLF line ends; a lone surrogate becomes a question mark."""
    data = text.encode("utf-8", "replace")
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def transfer_encoded(data: bytes) -> tuple[str, bytes]:
    """The transfer encoding for canonical text and the text in it.

    7bit when nothing speaks against it. A line that looks like one of our own boundaries does, since both
    other encodings cannot contain one. Base64 when that is shorter than quoted-printable.
    """
    if data.isascii() and _NOT_CLEAN.search(data) is None:
        return "7bit", data
    size = len(data) if data.endswith(b"\r\n") else len(data) + 2  # a mail's last line is ended in any case
    if size > _SHORT and (len(data) - len(data.translate(None, _OUTSIDE_ASCII))) * 6 > size:
        return "base64", base64_lines(data)
    return "quoted-printable", quoted_printable(data)


def quoted_printable(data: bytes) -> bytes:
    """Canonical text in quoted-printable (RFC 2045 6.7)."""
    if not data.endswith(b"\n"):  # its last line is broken as it would be with an end
        return quoted_printable(data + b"\r\n").removesuffix(b"\r\n")
    return b2a_qp(data, istext=True).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
