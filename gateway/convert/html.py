"""HTML of mail as a string (`decode`), as text that a person can read (`to_text`), as UTF-8 (`declare_utf8`).

The octets of PR_HTML are in the code page that PR_INTERNET_CPID names, which is often wrong; `decode` never
fails.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from gateway.convert.codepages import codec_of
from gateway.convert.htmltext import to_text as to_text

_META_CHARSET: Final = re.compile(
    r"""(<meta\b[^>]{0,1000}?charset\s{0,9}=\s{0,9}["']?)([\w.:-]+)""", re.IGNORECASE
)
_META_REACH: Final = 64 * 1024
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: How octets are read that are neither in their code page nor UTF-8.
_FALLBACK: Final = "cp1252"
_UTF_16_PAGES: Final = (1200, 1201)


def decode(raw: bytes, code_page: int | None) -> str:
    """The HTML as a string: by byte order mark, code page, meta element or as UTF-8, in this order.

    Octets that are invalid there but valid UTF-8 are UTF-8; what still cannot be read is U+FFFD.
    """
    for mark, codec in _BOMS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(codec, "replace")
    if code_page in _UTF_16_PAGES and b"\0" in raw[:64]:
        return raw.decode("utf-16-be" if code_page == 1201 else "utf-16-le", "replace")
    codec = _declared(raw, code_page)
    for candidate in (codec, "utf-8"):
        try:
            return raw.decode(candidate)
        except UnicodeDecodeError:
            continue
    return raw.decode(_FALLBACK if codec in ("ascii", "utf-8") else codec, "replace")


def _declared(raw: bytes, code_page: int | None) -> str:
    """The codec that the code page or else the meta element names, UTF-8 when neither does."""
    if code_page and code_page not in _UTF_16_PAGES:
        codec = codec_of(code_page)
        if codec is not None:
            return codec
    match = _META_CHARSET.search(raw[:_META_REACH].decode("latin-1"))
    try:
        found = codecs.lookup(match[2]).name if match else "utf-8"
        # Codecs that are no text encoding (hex, zlib), and UTF-16, which could not have said so in ASCII.
        b"<".decode(found)
    except (LookupError, ValueError):
        return "utf-8"
    return found if b"<".decode(found) == "<" else "utf-8"


def declare_utf8(html: str) -> str:
    """The HTML with every charset in its meta elements changed to UTF-8."""
    head = _META_CHARSET.sub(r"\g<1>utf-8", html[:_META_REACH])
    return head + html[_META_REACH:]
