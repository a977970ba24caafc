"""Sequence sets: ranges of sequence numbers or UIDs, as given (RFC 9051 section 9, ``sequence-set``).

A set stays a list of ranges: its cost is that of its text, never that of the numbers it spans.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from gateway.imap.codec.errors import ParseError

#: ``*``: larger than any number, until `resolve` puts the largest one in use in its place.
STAR: Final = 1 << 32
_MAX: Final = STAR - 1
_SHAPE: Final = re.compile(rb"(?:\d+|\*)(?::(?:\d+|\*))?(?:,(?:\d+|\*)(?::(?:\d+|\*))?)*")

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """Sorted, disjoint, non-adjacent ranges, both ends included; `STAR` stands for ``*``.

    `saved` means ``$``, the result of the last SEARCH RETURN (SAVE) (6.4.4.1); the ranges are empty then.
    """

    ranges: tuple[Range, ...] = ()
    saved: bool = False

    def resolve(self, largest: int) -> list[Range]:
        """The ranges with ``*`` replaced by the largest number in use; `largest` 0 means there is none.

        ``5:*`` always holds the largest number, even when that is below 5 (section 9, ``seq-range``).
        """
        if not self.ranges or self.ranges[-1][1] != STAR:
            return list(self.ranges)
        if largest == 0:
            return [pair for pair in self.ranges if pair[1] != STAR]
        return merge(
            (largest if low == STAR else low, largest if high == STAR else high) for low, high in self.ranges
        )

    def __str__(self) -> str:
        return "$" if self.saved else ",".join(map(_text, self.ranges))


#: The set ``$``.
SAVED: Final = SequenceSet(saved=True)
#: The set ``1:*``.
EVERYTHING: Final = SequenceSet(((1, STAR),))


def merge(pairs: Iterable[Range]) -> list[Range]:
    """Ranges in any order, with ends in any order, as sorted disjoint non-adjacent ones. O(n log n)."""
    merged: list[Range] = []
    for low, high in sorted((a, b) if a <= b else (b, a) for a, b in pairs):
        if merged and low <= merged[-1][1] + 1 and not (low == STAR and merged[-1][1] == _MAX):
            if high > merged[-1][1]:
                merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return merged


def parse_set(text: bytes, *, star: bool = True) -> SequenceSet:
    """The set a text spells. Raises ParseError; ``*`` is refused unless `star` (UID sets of RFC 7162)."""
    if _SHAPE.fullmatch(text) is None:
        raise ParseError("invalid sequence set")
    pairs = [_pair(item) for item in text.split(b",")]
    if not star and any(STAR in pair for pair in pairs):
        raise ParseError("* is not allowed in this set")
    return SequenceSet(tuple(merge(pairs)))


def _pair(item: bytes) -> Range:
    low, colon, high = item.partition(b":")
    first = _number(low)
    return (first, _number(high)) if colon else (first, first)


def _number(text: bytes) -> int:
    if text == b"*":
        return STAR
    if len(text) > 10 or not 0 < (value := int(text)) <= _MAX:
        raise ParseError("number out of range in sequence set")
    return value


def _text(pair: Range) -> str:
    low, high = ("*" if end == STAR else str(end) for end in pair)
    return low if low == high else f"{low}:{high}"


def runs(numbers: Iterable[int]) -> Iterator[Range]:
    """Numbers as ranges, cut wherever the next is not one more."""
    stream = iter(numbers)
    for low in stream:
        high = low
        break
    else:
        return
    for number in stream:
        if number == high + 1:
            high = number
        else:
            yield low, high
            low = high = number
    yield low, high


def compact(numbers: Iterable[int]) -> str:
    """Numbers in set notation, ``1:3,7``, their order kept. Empty for none."""
    return ",".join(f"{low}:{high}" if high > low else str(low) for low, high in runs(numbers))


def expand(ranges: Iterable[Range]) -> Iterator[int]:
    """Every number of bounded ranges. Only for ranges that were cut to what exists."""
    for low, high in ranges:
        yield from range(low, high + 1)
