"""Windows into results: PARTIAL of SEARCH and FETCH (RFC 9394)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def window(found: Sequence[T], partial: tuple[int, int]) -> Sequence[T]:
    """The results from one place to another, counted from 1, or from the end with negative places.

    Their order stays; what lies outside is left out.
    """
    first, last = partial
    if first > 0:
        return found[first - 1 : last]
    return found[max(0, len(found) + last) : max(0, len(found) + first + 1)]
