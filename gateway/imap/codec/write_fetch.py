"""FETCH responses, a batch at a time (RFC 9051 7.5.2).

One template with as many holes as items is repeated for every message of a batch and filled in one go: the cost
per message is that of its values, not that of Python statements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from gateway.imap.codec.write_values import date_time

#: A piece of the template, and the values that fill its one hole.
Column = tuple[bytes, Iterable[object]]

UID: Final = b"UID %d"
FLAGS: Final = b"FLAGS (%b)"
INTERNALDATE: Final = b"INTERNALDATE %b"
SIZE: Final = b"RFC822.SIZE %d"
MODSEQ: Final = b"MODSEQ (%d)"
ENVELOPE: Final = b"ENVELOPE %b"
BODY: Final = b"BODY %b"
BODYSTRUCTURE: Final = b"BODYSTRUCTURE %b"
EMAILID: Final = b"EMAILID (%b)"
THREADID: Final = b"THREADID %b"
SAVEDATE: Final = b"SAVEDATE %b"
PREVIEW: Final = b"PREVIEW %b"


class FlagTexts(dict[int, bytes]):
    """The text of each combination of flags, made once: the key is ``flags | keyword_set << 16``.

    `render(flags, keyword_set)` gives the names.
    """

    def __init__(self, render: Callable[[int, int], Iterable[str]]) -> None:
        super().__init__()
        self._render = render

    def __missing__(self, key: int) -> bytes:
        text = self[key] = " ".join(self._render(key & 0xFFFF, key >> 16)).encode("ascii", "replace")
        return text

    def column(self, flags: Sequence[int], keywords: Sequence[int]) -> Iterable[bytes]:
        """The texts of many messages."""
        if not any(keywords):
            return map(self.__getitem__, flags)
        return [self[bits | words << 16] for bits, words in zip(flags, keywords, strict=True)]


def batch(numbers: Sequence[int], columns: Sequence[Column], *, by_uid_only: bool = False) -> bytes:
    """One FETCH response per message; with `by_uid_only` UIDFETCH (RFC 9586), the numbers being UIDs then."""
    head = b"* %d UIDFETCH (" if by_uid_only else b"* %d FETCH ("
    template = head + b" ".join(piece for piece, _ in columns) + b")\r\n"
    values = zip(numbers, *(column for _, column in columns), strict=True)
    return template * len(numbers) % tuple(chain.from_iterable(values))


@lru_cache(maxsize=4096)
def _day(days: int) -> bytes:
    return date_time(days * 86400)[:12] + b" "


_MINUTES: Final = tuple(b"%02d:%02d:" % divmod(minute, 60) for minute in range(1440))
_SECONDS: Final = tuple(b'%02d +0000"' % second for second in range(60))


def dates(seconds: Iterable[int]) -> list[bytes]:
    """INTERNALDATE texts of Unix seconds."""
    # Put together from ready pieces: a third of what formatting every number costs.
    return [_day(time // 86400) + _MINUTES[time // 60 % 1440] + _SECONDS[time % 60] for time in seconds]


def opening(number: int, *, by_uid_only: bool = False) -> bytes:
    """How a response begins whose items follow one by one."""
    return b"* %d UIDFETCH (" % number if by_uid_only else b"* %d FETCH (" % number


CLOSING: Final = b")\r\n"


def body_head(label: bytes, origin: int | None, size: int, *, binary: bool = False) -> bytes:
    """``BODY[1]<0> {size}`` and the line break, the octets follow; `origin` is the offset of a partial."""
    start = b"" if origin is None else b"<%d>" % origin
    return b"%b%b %b{%d}\r\n" % (label, start, b"~" if binary else b"", size)


def body_nil(label: bytes, origin: int | None) -> bytes:
    """A section that does not exist."""
    return label + (b" NIL" if origin is None else b"<%d> NIL" % origin)


def heads(numbers: Sequence[int], columns: Sequence[Column], *, by_uid_only: bool = False) -> list[bytes]:
    """The beginnings of responses whose last items follow one by one: everything but the closing parenthesis."""
    template = (b"* %d UIDFETCH (" if by_uid_only else b"* %d FETCH (") + b" ".join(
        piece for piece, _ in columns
    )
    return [template % row for row in zip(numbers, *(column for _, column in columns), strict=True)]
