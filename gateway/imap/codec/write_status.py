"""Status responses, capabilities and the like (RFC 9051 7.1, 7.2)."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.imap.codec.write_values import nstring, text

CONTINUE_LITERAL = b"+ OK\r\n"
CONTINUE_EMPTY = b"+ \r\n"
CONTINUE_IDLE = b"+ idling\r\n"
STILL_HERE = b"* OK Still here\r\n"


def status(tag: str, kind: str, words: str, code: str = "") -> bytes:
    """``tag OK [CODE] words``; the tag ``*`` makes it untagged."""
    bracketed = f"[{code}] " if code else ""
    return b"%b %b %b%b\r\n" % (tag.encode("ascii"), kind.encode("ascii"), bracketed.encode(), text(words))


def untagged(kind: str, words: str, code: str = "") -> bytes:
    """``* OK [CODE] words``."""
    return status("*", kind, words, code)


def challenge(base64: bytes) -> bytes:
    """A SASL challenge."""
    return b"+ %b\r\n" % base64


def capability(names: Iterable[str]) -> bytes:
    """``* CAPABILITY ...``."""
    return b"* CAPABILITY %b\r\n" % " ".join(names).encode("ascii")


def enabled(names: Iterable[str]) -> bytes:
    """``* ENABLED ...``."""
    return b"* ENABLED%b\r\n" % b"".join(b" " + name.encode("ascii") for name in names)


def identification(fields: Iterable[tuple[str, str]]) -> bytes:
    """``* ID (...)`` (RFC 2971)."""
    pairs = b" ".join(b"%b %b" % (nstring(name.encode()), nstring(value.encode())) for name, value in fields)
    return b"* ID (%b)\r\n" % pairs if pairs else b"* ID NIL\r\n"


def in_progress(tag: str) -> bytes:
    """``* OK [INPROGRESS ("tag" NIL NIL)]`` (RFC 9585)."""
    return untagged("OK", "Still working", f'INPROGRESS ("{tag}" NIL NIL)')


def highest_modseq(value: int) -> bytes:
    """``* OK [HIGHESTMODSEQ n]`` (RFC 7162 3.1.2.1)."""
    return untagged("OK", "Highest", f"HIGHESTMODSEQ {value}")
