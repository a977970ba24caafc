"""Header fields as bytes: folding, encoded words, quoted strings, parameters (RFC 5322, 2047, 2231).

Whatever text is given, the result is one well-formed field: 7-bit, no line over 998 octets that can be avoided, no
control characters, and CR and LF never survive (a subject must not be able to add a header).
"""

from __future__ import annotations

import re
import unicodedata
from binascii import b2a_base64
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

FOLD: Final = 78
"""Preferred length of a line (RFC 5322 2.1.1)."""
_ENCODED_LINE: Final = 76
"""Longest line that holds an encoded word (RFC 2047 2)."""
_WORD: Final = 75
"""Longest encoded word (RFC 2047 2)."""
_FRAME: Final = len("=?utf-8?q??=")
_LONGEST_PLAIN: Final = 900

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PLAIN: Final = re.compile(r"[ -~]*\Z")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*\Z")
_VISIBLE: Final = re.compile(r"[!-~]+")
_TOKEN: Final = re.compile(r"[!#$%&'*+.0-9A-Z^_`a-z{|}~-]+\Z")
_Q_SAFE: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q: Final = [chr(octet) if octet in _Q_SAFE else f"={octet:02X}" for octet in range(256)]
_Q[0x20] = "_"


def clean(text: str) -> str:
    """The text on one line: every run of control characters (line ends too) becomes a space."""
    return _CONTROLS.sub(" ", text).strip() if _CONTROLS.search(text) else text.strip()


def unstructured(name: str, value: str) -> bytes:
    """A field of free text (RFC 5322 2.2.1), encoded from its first non-ASCII word on."""
    value = clean(value)
    if len(name) + len(value) + 2 <= FOLD and _is_plain(value):
        return f"{name}: {value}\r\n".encode("ascii")
    if _is_plain(value) and all(len(word) < _LONGEST_PLAIN for word in value.split(" ")):
        return structured(name, _foldable(value))
    lead = _plain_lead(name, value)
    room = _ENCODED_LINE - len(name) - 2 - len(lead)
    words = encoded_words(value[len(lead) :], room)
    return f"{name}: {lead}{(chr(13) + chr(10) + ' ').join(words)}\r\n".encode("ascii")


def structured(name: str, tokens: Iterable[str]) -> bytes:
    """A field of tokens, folded between them where a line would grow too long (RFC 5322 2.2.3).

    Tokens outside ASCII are written as UTF-8 (RFC 6532): only addresses that cannot be written otherwise are.
    """
    lines = [f"{name}:"]
    for token in tokens:
        if len(lines[-1]) + 1 + len(token) > FOLD and lines[-1] != f"{name}:":
            lines.append("")
        lines[-1] += f" {token}"
    return ("\r\n".join(lines) + "\r\n").encode("utf-8", "replace")


def phrase(text: str) -> list[str]:
    """The tokens of a display name or other phrase (RFC 5322 3.2.5): atoms, a quoted string or encoded words."""
    text = clean(text)
    if not _is_plain(text) or len(text) > _LONGEST_PLAIN:
        return encoded_words(text, _WORD - 1)
    if _ATOMS.match(text) and "  " not in text:
        return text.split(" ")
    return [quoted(text)]


def keyword(text: str) -> list[str]:
    """The tokens of a phrase without a quoted string, which many readers of Keywords take for part of the word."""
    tokens = phrase(text)
    return encoded_words(text, _WORD - 1) if tokens[0].startswith('"') else tokens


def msg_id(value: str) -> str:
    """A message identifier as it is but on one line and with its brackets; empty when it would not fit a line."""
    identifier = "".join(_VISIBLE.findall(value))
    if not identifier.strip("<>") or len(identifier) > _LONGEST_PLAIN:
        return ""
    return identifier if identifier.startswith("<") else f"<{identifier}>"


def quoted(text: str) -> str:
    """An ASCII text as quoted string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def encoded_words(text: str, first_room: int) -> list[str]:
    """The text as encoded words of at most 75 characters that never split a character (RFC 2047 5).

    ``first_room`` is what the first line has left; the others start on lines of their own.
    """
    data = text.encode("utf-8", "replace")
    if _q_length(data) <= len(data) * 4 // 3 + 4:
        return [f"=?utf-8?q?{part}?=" for part in _packed(map(_q_encode, text), first_room - _FRAME)]
    return [f"=?utf-8?b?{_b64(part)}?=" for part in _b_parts(text, first_room - _FRAME)]


def parameter(name: str, value: str) -> list[str]:
    """The tokens of one parameter: plain or quoted, with an RFC 2231 form beside it when ASCII is not enough."""
    value = clean(value)
    if not _is_plain(value) or '"' in value or "\\" in value or len(value) > _LONGEST_PLAIN // 2:
        return [f"{name}={quoted(_fallback(value))}", *_extended(name, value)]
    return [f"{name}={value}" if _TOKEN.match(value) else f"{name}={quoted(value)}"]


def with_parameters(value: str, *parameters: Iterable[str]) -> list[str]:
    """The tokens of a value followed by its parameters, semicolons between them."""
    tokens = [value, *(token for tokens in parameters for token in tokens)]
    return [f"{token};" for token in tokens[:-1]] + tokens[-1:]


def comma_separated(items: Iterable[list[str]]) -> list[str]:
    """The tokens of a list: each item's tokens, a comma at the end of every item but the last."""
    tokens: list[str] = []
    for item in items:
        if tokens:
            tokens[-1] = before_special(tokens[-1]) + ","
        tokens += item
    return tokens


def before_special(token: str) -> str:
    """The token as it stands before a comma or colon: an encoded word needs a space there (RFC 2047 5 (3))."""
    return f"{token} " if token.endswith("?=") else token


def _is_plain(text: str) -> bool:
    return _PLAIN.match(text) is not None and "=?" not in text


def _foldable(value: str) -> list[str]:
    """The words; of several spaces all but one stay with the word before, so that unfolding restores them."""
    return re.findall(r"[^ ]+ *(?= [^ ])|[^ ]+", value)


def _plain_lead(name: str, value: str) -> str:
    """The words in front of the first that needs encoding, with the space after them ("Re: ")."""
    lead = ""
    for word in value.split(" "):
        if not word or not _is_plain(word) or len(name) + len(lead) + len(word) > _ENCODED_LINE // 2:
            break
        lead += f"{word} "
    return "" if len(lead) >= len(value) else lead


def _q_length(data: bytes) -> int:
    return sum(len(_Q[octet]) for octet in data)


def _q_encode(character: str) -> str:
    return "".join([_Q[octet] for octet in character.encode("utf-8", "replace")])


def _packed(units: Iterable[str], first_room: int) -> Iterator[str]:
    """The units joined to pieces as long as fit."""
    room, piece = first_room, ""
    for unit in units:
        if len(piece) + len(unit) > room:
            yield piece
            room, piece = _WORD - 1 - _FRAME, ""
        piece += unit
    yield piece


def _b_parts(text: str, first_room: int) -> Iterator[bytes]:
    """The text in UTF-8 pieces whose base64 form fits."""
    room, piece = first_room // 4 * 3, b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(piece) + len(octets) > room:
            yield piece
            room, piece = (_WORD - 1 - _FRAME) // 4 * 3, b""
        piece += octets
    yield piece


def _b64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode("ascii")


def _fallback(value: str) -> str:
    """An ASCII likeness for programs that do not know RFC 2231; a long name keeps its extension."""
    ascii_only = "".join(
        character if " " <= character <= "~" and character not in '"\\' else "_"
        for character in unicodedata.normalize("NFKD", value)
        if not unicodedata.combining(character)
    )
    if len(ascii_only) <= FOLD:
        return ascii_only
    stem, dot, extension = ascii_only.rpartition(".")
    return stem[: FOLD - 17] + dot + extension[:16] if dot else ascii_only[:FOLD]


def _extended(name: str, value: str) -> list[str]:
    """The RFC 2231 form, cut into continuations (section 3) when it would not fit a line."""
    encoded = quote(value.encode("utf-8", "replace"), safe="!#$&+-.^_`|~")
    room = FOLD - len(name) - 6
    if len(encoded) + len("utf-8''") <= room:
        return [f"{name}*=utf-8''{encoded}"]
    pieces = list(_packed(re.findall("%..|.", encoded), room - len("utf-8''")))
    return [
        f"{name}*{i}*={'' if i else chr(117) + 'tf-8' + 2 * chr(39)}{piece}" for i, piece in enumerate(pieces)
    ]
