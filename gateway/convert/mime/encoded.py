"""Encoded words and encoded parameters: RFC 2047 and RFC 2231, read as leniently as mail is written.

Encoded words are decoded wherever they stand, also inside quotes; neighbours in the same charset are joined
before decoding, because senders split characters over two words; unknown charsets fall back to the default.
"""

from __future__ import annotations

import re
from binascii import Error as BinasciiError
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

from gateway.convert.mime.charsets import DEFAULT_CHARSET, clean, codec_of, decode, decode_unlabelled
from gateway.convert.mime.fields import unfold
from gateway.convert.mime.parameters import Parameters

_WORD: Final = re.compile(rb"=\?([^?\s]{0,80})\?([bBqQ])\?([^\r\n]*?)\?=")
_CONTROL: Final = re.compile("[\0\r\n]")
_BASE64_JUNK: Final = re.compile(rb"[^A-Za-z0-9+/]+")
_PIECE: Final = re.compile(rb"\A([^*]+)(?:\*(\d{1,3}))?(\*)?\Z")


def text(value: bytes, default: str = DEFAULT_CHARSET) -> str:
    """The characters of an unstructured header value (or of a phrase), unfolded."""
    value = unfold(value)
    if b"=?" not in value:
        return _plain(value, default)
    result: list[str] = []
    charset, pending, position = b"", b"", 0
    for match in _WORD.finditer(value):
        between = value[position : match.start()]
        if between.strip() or not position:
            result.append(_word(pending, charset, default))
            result.append(_plain(between, default))
            pending = b""
        elif match[1].lower() != charset:
            result.append(_word(pending, charset, default))
            pending = b""
        charset = match[1].lower()
        pending += _transfer_decoded(match[2], match[3])
        position = match.end()
    result.append(_word(pending, charset, default))
    result.append(_plain(value[position:], default))
    return "".join(result)


def _plain(value: bytes, default: str) -> str:
    if value.isascii():
        decoded = value.decode("ascii")
        return _CONTROL.sub("", decoded) if not decoded.isprintable() else decoded
    return _CONTROL.sub("", clean(decode_unlabelled(value, default)))


def _word(data: bytes, charset: bytes, default: str) -> str:
    return _CONTROL.sub("", decode(data, codec_of(charset), default)) if data else ""


def _transfer_decoded(encoding: bytes, data: bytes) -> bytes:
    """The bytes of one encoded word."""
    if encoding in b"qQ":
        return a2b_qp(data.replace(b" ", b"_"), header=True)
    return base64(data)


def base64(data: bytes) -> bytes:
    """Base64 with junk in it, padding missing or in the middle: what can be decoded of it.

    Padding ends a run: what was encoded in several runs is decoded run by run.
    """
    data = data.rstrip(b"= \t\r\n")
    if b"=" not in data:
        try:
            return a2b_base64(data + b"==")
        except BinasciiError:  # one character too many
            pass
    runs = [_BASE64_JUNK.sub(b"", run) for run in data.split(b"=") if run]
    return b"".join(map(_run, runs))


def base64_pieces(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same of base64 that comes piece by piece, decoded piece by piece."""
    held = b""
    for piece in pieces:
        *ended, held = (_BASE64_JUNK.sub(b"", run) for run in (held + piece).split(b"="))
        yield b"".join(map(_run, ended))
        usable = len(held) - len(held) % 4
        yield a2b_base64(held[:usable])
        held = held[usable:]
    yield _run(held)


def _run(run: bytes) -> bytes:
    """One run of base64 characters; a lone last character holds no byte."""
    usable = len(run) - (len(run) % 4 == 1)
    return a2b_base64(run[:usable] + b"=" * (-usable % 4))


def parameter(values: Parameters, name: bytes, default: str = DEFAULT_CHARSET) -> str | None:
    """A parameter's text: RFC 2231 pieces and charset first, else the plain value with RFC 2047 words decoded."""
    pieces: dict[int, tuple[bytes, bool]] = {}
    plain = None
    for key, value in values:
        match = _PIECE.match(key)
        if match is None or match[1] != name:
            continue
        if not match[2] and not match[3]:
            plain = value if plain is None else plain
        else:
            pieces.setdefault(int(match[2] or 0), (value, bool(match[3])))
    if 0 in pieces:
        return _joined(pieces, default)
    return None if plain is None else text(plain, default)


def _joined(pieces: dict[int, tuple[bytes, bool]], default: str) -> str:
    """The continuations of one parameter, from 0 up to the first gap (RFC 2231 3, 4)."""
    first, extended = pieces[0]
    charset = b""
    if extended and first.count(b"'") >= 2:
        charset, _, first = first.split(b"'", 2)
    data = unquote_to_bytes(first) if extended else first
    number = 1
    while number in pieces:
        value, extended = pieces[number]
        data += unquote_to_bytes(value) if extended else value
        number += 1
    if not charset and b"=?" in data:
        return text(data, default)
    return _CONTROL.sub("", decode(data, codec_of(charset), default))
