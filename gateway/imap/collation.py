"""The comparison of texts in SORT and THREAD: i;unicode-casemap (RFC 5051), as I18NLEVEL=1 wants (RFC 5255 4.3)."""

from __future__ import annotations

from typing import Final
from unicodedata import decomposition


class _Casemap(dict[int, str]):
    """What each character is compared as, worked out once."""

    def __missing__(self, code: int) -> str:
        title = chr(code).title()
        # Titles of several letters (of the German sharp s) are not in UnicodeData.txt, which the RFC goes by.
        found = self[code] = _decomposed(title if len(title) == 1 else chr(code))
        return found


def _decomposed(character: str) -> str:
    """A character taken apart, and its parts too, whether they look the same or not (steps (a) to (c))."""
    parts = decomposition(character).split()
    if not parts:
        return character
    codes = parts[1:] if parts[0].startswith("<") else parts
    return "".join(_decomposed(chr(int(code, 16))) for code in codes)


_CASEMAP: Final = _Casemap()


def casemap(text: str) -> str:
    """A key: texts are equal, or in order, as their keys are."""
    return text.upper() if text.isascii() else text.translate(_CASEMAP)
