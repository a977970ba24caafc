"""RTF bodies: what PR_RTF_COMPRESSED holds, and the HTML or text that mail clients can show instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from gateway.convert.rtf import lzfu
from gateway.convert.rtf.encapsulated import html_of, text_of
from gateway.convert.rtf.lzfu import LIMIT as LIMIT
from gateway.convert.rtf.lzfu import compress as compress
from gateway.convert.rtf.lzfu import decompress as decompress
from gateway.convert.rtf.lzfu import stored as stored
from gateway.convert.rtf.pictures import Picture as Picture
from gateway.convert.rtf.rich import html_from_rich

_ORIGIN: Final = re.compile(rb"\\from(html|text)(?![a-z])")
_HEAD: Final = 1024


class Origin(Enum):
    """What an RTF body was before it became RTF (MS-OXRTFEX 3.1.1)."""

    HTML = "html"
    TEXT = "text"
    RICH = "rich"
    """Nothing else: it was written as RTF."""


@dataclass(frozen=True, slots=True)
class RtfBody:
    """An RTF body in the forms of mail: as HTML unless it was plain text, then as text."""

    origin: Origin
    html: str | None = None
    text: str | None = None
    pictures: tuple[Picture, ...] = ()
    """What the HTML shows by content ids."""


def origin_of(rtf: bytes) -> Origin:
    """The origin of RTF, by its first bytes (of decompressed RTF)."""
    match = _ORIGIN.search(rtf[:_HEAD])
    return Origin.RICH if match is None else Origin(match[1].decode("ascii"))


def origin_of_compressed(blob: bytes) -> Origin:
    """The origin of compressed RTF (ParseError); costs the same for any length."""
    return origin_of(lzfu.beginning(blob, _HEAD))


def read(rtf: bytes) -> RtfBody:
    """The body of decompressed RTF (ParseError when it is not RTF or nests too deep)."""
    origin = origin_of(rtf)
    if origin is Origin.TEXT:
        return RtfBody(origin, text=text_of(rtf))
    if origin is Origin.HTML:
        return RtfBody(origin, html=html_of(rtf))
    rich = html_from_rich(rtf)
    return RtfBody(origin, html=rich.html, pictures=rich.pictures)
