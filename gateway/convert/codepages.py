"""Windows code pages and the Python codecs that implement them (PR_INTERNET_CPID, RTF, TNEF).

The numbers are those of MS-UCODEREF 2.2.1. Two questions, one table: which codec reads text of a code page,
and which code page names a codec.
"""

from __future__ import annotations

import codecs
from typing import Final

UTF_8: Final = 65001
WESTERN: Final = 1252
"""What 8-bit text without any declaration usually is."""

_CODECS: Final[dict[int, str]] = {
    UTF_8: "utf-8",
    WESTERN: "cp1252",
    20127: "ascii",
    **{28590 + part: f"iso8859-{part}" for part in (*range(1, 12), 13, 14, 15, 16)},
    **{page: f"cp{page}" for page in (*range(1250, 1259), 437, 737, 775, 850, 852, 855, 857, 858, 860)},
    **{page: f"cp{page}" for page in (861, 862, 863, 864, 865, 866, 869, 874, 932, 949, 950)},
    936: "gbk",
    1200: "utf-16-le",
    1201: "utf-16-be",
    1361: "johab",
    10000: "mac-roman",
    10006: "mac-greek",
    10007: "mac-cyrillic",
    10029: "mac-latin2",
    10081: "mac-turkish",
    20866: "koi8-r",
    20936: "gb2312",
    21866: "koi8-u",
    38598: "iso8859-8",
    50220: "iso2022_jp",
    50221: "iso2022_jp_1",
    50222: "iso2022_jp",
    50225: "iso2022_kr",
    51932: "euc_jp",
    20932: "euc_jp",
    51936: "gb2312",
    51949: "euc_kr",
    52936: "hz",
    54936: "gb18030",
    65000: "utf-7",
}
_PAGES: Final[dict[str, int]] = {}
for _page, _codec in _CODECS.items():
    _PAGES.setdefault(codecs.lookup(_codec).name, _page)


def codec_of(code_page: int) -> str | None:
    """The codec of a code page, or None when Python has none for it."""
    return _CODECS.get(code_page)


def code_page_of(codec: str) -> int | None:
    """The code page of a codec under any of its names, or None when Windows has none or the name is unknown."""
    try:
        return _PAGES.get(codecs.lookup(codec).name)
    except LookupError:
        return None
