"""Charset names as mail writes them, and text decoded whatever the name was worth.

Order of belief: the declared charset, then strict UTF-8, then the configured 8-bit default. Decoding never
fails; names are mapped to what senders mean by them (gb2312 mail holds GBK, Latin-1 mail holds Windows-1252).
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import Final

from gateway.convert.codepages import code_page_of

DEFAULT_CHARSET: Final = "windows-1252"

_ALIASES: Final = {
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "x-euc-cn": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "ksc5601": "cp949",
    "x-windows-949": "cp949",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "cp-850": "cp850",
    "win-1252": "cp1252",
    "unicode": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "x-unicode-2-0-utf-8": "utf-8",
    "utf-8-mac": "utf-8",
    "utf8mb4": "utf-8",
    "ansi_x3.110-1983": "iso8859-1",
    "iso-8859-1:1987": "iso8859-1",
    "_iso-2022-jp$esc": "iso2022_jp",
    "iso-2022-jp": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext",
    "cp50221": "iso2022_jp_ext",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "big5": "cp950",
    "x-big5": "cp950",
    "windows-874": "cp874",
    "tis-620": "cp874",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "8bit": "cp1252",
    "ansi": "cp1252",
}
_PREFIXES: Final = (
    ("windows-", "cp"),
    ("windows", "cp"),
    ("win-", "cp"),
    ("cp-", "cp"),
    ("iso-", "iso"),
    ("x-", ""),
)
_NOT_TEXT: Final = frozenset(
    ("unicode-escape", "raw-unicode-escape", "idna", "punycode", "undefined", "mbcs", "oem", "charmap")
)
_C1: Final = re.compile("[\x80-\x9f]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def codec_of(charset: bytes | str) -> str | None:
    """The Python codec of a charset name, quotes and stray characters ignored; None when it is unknown."""
    if isinstance(charset, bytes):
        charset = charset.decode("latin-1")
    return _codec(charset) if len(charset) <= 64 else None


@lru_cache(maxsize=512)
def _codec(charset: str) -> str | None:
    name = charset.partition("*")[0].strip(" \t\r\n\"';,").lower()
    if name in _ALIASES:
        return codecs.lookup(_ALIASES[name]).name
    for candidate in (name, *(to + name[len(prefix) :] for prefix, to in _PREFIXES if name.startswith(prefix))):
        try:
            found = codecs.lookup(candidate)
        except (LookupError, ValueError):
            continue
        if getattr(found, "_is_text_encoding", True) and found.name not in _NOT_TEXT:
            return codecs.lookup(_ALIASES.get(found.name, found.name)).name
    return None


def code_page(codec: str) -> int | None:
    """The Windows code page of a codec; None when there is none that HTML could be left in.

    UTF-16, UTF-7 and the codecs with shift states count as none: readers disagree about them.
    """
    if codec.startswith(("utf-16", "utf-32", "utf-7", "iso2022", "hz")):
        return None
    return code_page_of(codec)


def decode(data: bytes, codec: str | None, default: str = DEFAULT_CHARSET) -> str:
    """Text in a codec; without one, or against it, UTF-8 if it is that and else the default.

    Illegal bytes become U+FFFD, NUL is removed (MAPI strings end at it).
    """
    return decode_as(data, codec, default)[0]


def decode_as(data: bytes, codec: str | None, default: str = DEFAULT_CHARSET) -> tuple[str, str]:
    """What `decode` gives, and the codec that the text turned out to be in."""
    if codec is None or codec == "ascii":
        if data.isascii():
            return clean(data.decode("ascii")), "ascii"
        codec = "utf-8" if decodes(data, "utf-8") else default
    try:
        text = data.decode(codec)
    except (UnicodeError, ValueError):
        text = _not_utf_8(data, default) if codec == "utf-8" else data.decode(codec, "replace")
    if codec == "iso8859-1" and _C1.search(text):
        codec = "cp1252"
        text = data.decode(codec, "replace")
    return clean(text), codec


def decode_unlabelled(data: bytes, default: str = DEFAULT_CHARSET) -> str:
    """Text of which no charset is known."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(default, "replace")


def decodes(data: bytes, codec: str) -> bool:
    """Whether the bytes are legal in a codec."""
    try:
        data.decode(codec)
    except (UnicodeError, ValueError):
        return False
    return True


def clean(text: str) -> str:
    """Text without NUL and without lone surrogates, which no store can keep."""
    if "\0" in text:
        text = text.replace("\0", "")
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)
    return text


def _not_utf_8(data: bytes, default: str) -> str:
    """Text that claims to be UTF-8 and is not: damaged UTF-8 if most of it is, else the default."""
    text = data.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    multi_byte = sum(1 for char in text if char > "\x7f") - damaged
    return text if multi_byte >= damaged else data.decode(default, "replace")
