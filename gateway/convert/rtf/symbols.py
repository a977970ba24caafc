"""Characters of the fonts that hold pictures instead of letters, which Word puts into lists and smileys."""

from __future__ import annotations

from typing import Final

_WINGDINGS: Final = {
    0x4A: "\u263a", 0x4B: "\U0001f610", 0x4C: "\u2639", 0x6C: "\u25cf", 0x6E: "\u25a0", 0x6F: "\u25a1", 0x71: "\u2751",
    0x76: "\u2756", 0x77: "\u2b25", 0x9F: "\u2022", 0xA7: "\u25aa", 0xA8: "\u25fb", 0xD8: "\u27a2", 0xDF: "\u2190",
    0xE0: "\u2192", 0xE1: "\u2191", 0xE2: "\u2193", 0xE8: "\u2794", 0xF0: "\u21e8", 0xFB: "\u2717", 0xFC: "\u2713",
    0xFD: "\u2612", 0xFE: "\u2611",
}  # fmt: skip
_SYMBOL: Final = {
    0xA3: "\u2264", 0xA5: "\u221e", 0xAB: "\u2194", 0xAC: "\u2190", 0xAD: "\u2191", 0xAE: "\u2192", 0xAF: "\u2193",
    0xB0: "\u00b0", 0xB1: "\u00b1", 0xB3: "\u2265", 0xB4: "\u00d7", 0xB7: "\u2022", 0xB8: "\u00f7", 0xB9: "\u2260",
    0xBB: "\u2248", 0xBE: "\u2014", 0xD2: "\u00ae", 0xD3: "\u00a9", 0xD4: "\u2122", 0xDE: "\u21d2",
    **dict(zip(range(0x61, 0x7B), "αβχδεφγηιϕκλμνοπθρστυϖωξψζ", strict=True)),
    **dict(zip(range(0x41, 0x5B), "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", strict=True)),
}  # fmt: skip
_TABLES: Final = {"wingdings": _WINGDINGS, "symbol": _SYMBOL}


def is_symbol_font(name: str) -> bool:
    """Whether the characters of a font are no letters."""
    return name.lower() in _TABLES


def readable(text: str, font: str) -> str:
    """Text in a symbol font in characters that every font has; what is not known stays as it is."""
    table = _TABLES.get(font.lower())
    if table is None:
        return text
    # Word puts these characters at F000 of the private use area; octets were read as Windows-1252.
    return "".join(table.get(_octet(each), each) for each in text)


def _octet(character: str) -> int:
    code = ord(character)
    if 0xF000 <= code <= 0xF0FF:
        return code - 0xF000
    if code < 0x100:
        return code
    try:
        return character.encode("cp1252")[0]
    except UnicodeEncodeError:
        return -1
