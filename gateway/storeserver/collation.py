"""The order of text: what comes first in a sorted table, and which texts are equal in a restriction.

A store compares text as a dictionary does (MS-OXCDATA leaves the order to the locale): spaces, punctuation,
symbols, digits, letters; accents and case decide only between texts that are otherwise equal. These keys give
that order for every script without a locale database: base letters first, then accents, then case.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

SORT_CHARACTERS: Final = 255
"""Only so much of a text takes part in sorting."""

_RANKS: Final = {"Z": 1, "C": 1, "P": 2, "S": 3, "N": 4, "L": 5, "M": 5}


@lru_cache(maxsize=4096)
def _placed(char: str) -> str:
    """A character that sorts by its rank first and then by itself."""
    rank = _RANKS.get(unicodedata.category(char)[0], 5)
    return chr(rank) + char


_ASCII: Final = {code: _placed(chr(code)) for code in range(128)}


def _placed_all(text: str) -> str:
    if text.isascii():
        return text.translate(_ASCII)
    return "".join(map(_placed, text))


def equality(text: str) -> tuple[str, str]:
    """The key under which texts are equal whatever their case; it also orders them."""
    if text.isascii():
        return _placed_all(text.lower()), ""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    base = "".join(char for char in decomposed if not unicodedata.combining(char))
    return _placed_all(base), "" if len(base) == len(decomposed) else decomposed


def sort_key(text: str) -> str:
    """The key by which a table sorts the text: base letters, then accents, then case, lower before upper."""
    text = text[:SORT_CHARACTERS]
    base, accents = equality(text)
    # NUL comes before everything, and is in no text: so this compares like the three one after the other.
    return f"{base}\0{accents}\0{text.swapcase()}"
