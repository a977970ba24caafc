"""Characters of RTF: which code page bytes are in, and how bytes and code units become text (RTF 1.9.1)."""

from __future__ import annotations

import codecs
import re
from typing import Final

#: Code pages of the word fcharset (RTF 1.9.1, font table); what is missing is the document's own.
CHARSETS: Final = {
    77: 10000, 128: 932, 129: 949, 130: 1361, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258, 177: 1255,
    178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250, 254: 437,
}  # fmt: skip
#: Code pages of the words that name a document's character set.
DOCUMENT_SETS: Final = {"mac": 10000, "pc": 437, "pca": 850}
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


class Characters:
    """Bytes and code units on their way to text; a character may be spread over several tokens."""

    def __init__(self) -> None:
        self._codec = ""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._parts: list[str] = []

    def octets(self, data: bytes, codec: str) -> None:
        """Bytes in a codec."""
        if self._decoder is None or codec != self._codec:
            self._finish()
            self._codec, self._decoder = codec, codecs.getincrementaldecoder(codec)("replace")
        self._parts.append(self._decoder.decode(data))

    def unit(self, value: int) -> None:
        """One UTF-16 code unit."""
        self._finish()
        self._parts.append(chr(value & 0xFFFF))

    def _finish(self) -> None:
        if self._decoder is not None:
            self._parts.append(self._decoder.decode(b"", final=True))
            self._decoder = None

    def take(self, final: bool) -> str:
        """The text so far, surrogate pairs joined; only when ``final`` with what is incomplete."""
        if final:
            self._finish()
        if not self._parts:
            return ""
        text = "".join(self._parts)
        self._parts.clear()
        if _SURROGATES.search(text):
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return text
