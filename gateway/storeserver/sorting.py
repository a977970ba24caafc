"""Sort orders: the order of a table's rows by one or several properties (MS-OXCTABL 2.2.2.3).

Rows that lack a property come first when it ascends. Text follows `collation`; rows that are equal in every
key keep the order of their keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cmp_to_key
from heapq import merge
from itertools import chain, pairwise
from typing import Any, Final, TypeAlias

from gateway.mapi.errors import InvalidParameter
from gateway.mapi.props import MV_FLAG, PT_BINARY, PT_UNICODE, PropTag, Value, canonical
from gateway.mapi.tables import SortDirection, SortKey
from gateway.storeserver.collation import sort_key

MAX_KEYS: Final = 16
_BINARY_SIZE: Final = 255
_AT_ONCE: Final = 10_000

#: The values that a row is sorted by, one per key, comparable with those of other rows.
RowOrder: TypeAlias = "tuple[Any, ...]"


def _plain(value: Value) -> Any:
    return value


def _bytes(value: Value) -> Any:
    return value[:_BINARY_SIZE]


def _key_of(type_: int) -> Callable[[Value], Any]:
    if type_ & MV_FLAG:
        single = _key_of(type_ & ~MV_FLAG)
        return lambda value: tuple(single(item) for item in value)
    return {PT_UNICODE: sort_key, PT_BINARY: _bytes}.get(type_, _plain)


def _sorted(keys: list[int], of: Callable[[int], Any], *, reverse: bool) -> list[int]:
    """Sort without a break of more than some milliseconds in which no other thread gets its turn; equals stay."""
    if len(keys) <= _AT_ONCE:
        return sorted(keys, key=of, reverse=reverse)
    starts = range(0, len(keys), _AT_ONCE)
    runs = [sorted(keys[start : start + _AT_ONCE], key=of, reverse=reverse) for start in starts]
    seams = [(of(before[-1]), of(after[0])) for before, after in pairwise(runs)]
    if all(first >= second if reverse else first <= second for first, second in seams):
        return list(chain.from_iterable(runs))  # it was in order before
    return list(merge(*runs, key=of, reverse=reverse))


class Sorter:
    """A sort order at work."""

    def __init__(self, keys: Sequence[SortKey]) -> None:
        """Prepare it (InvalidParameter for more than `MAX_KEYS` keys)."""
        if len(keys) > MAX_KEYS:
            raise InvalidParameter(f"a table sorts by at most {MAX_KEYS} properties")
        self.keys = tuple(keys)
        self.tags: tuple[PropTag, ...] = tuple(canonical(key.tag) for key in keys)
        self._of = [_key_of(tag & 0xFFFF) for tag in self.tags]
        self._descending = [key.direction == SortDirection.DESCENDING for key in keys]

    def order(self, row: Mapping[PropTag, Value]) -> RowOrder:
        """The comparable values of a row: missing ones are ``(0,)``, others ``(1, value)``."""
        return tuple(
            (0,) if (value := row.get(tag)) is None else (1, of(value))
            for tag, of in zip(self.tags, self._of, strict=True)
        )

    def order_by_value(self, value: Value) -> RowOrder:
        """What `order` gives for a row with this value of the only sort key."""
        return ((0,) if value is None else (1, self._of[0](value)),)

    def sorted(self, orders: Mapping[int, RowOrder]) -> list[int]:
        """The row keys in order."""
        result = sorted(orders)
        for place in reversed(range(len(self.keys))):
            values = {key: orders[key][place] for key in result}
            result = _sorted(result, values.__getitem__, reverse=self._descending[place])
        return result

    def compare(self, first: RowOrder, second: RowOrder) -> int:
        """Negative, zero or positive, as the first row comes before, with or after the second."""
        for one, other, descending in zip(first, second, self._descending, strict=True):
            if one != other:
                return -1 if (one < other) is not descending else 1
        return 0

    def place(self, keys: Sequence[int], orders: Mapping[int, RowOrder], key: int, order: RowOrder) -> int:
        """Where a row belongs among sorted rows."""
        low, high = 0, len(keys)
        while low < high:
            middle = (low + high) // 2
            there = keys[middle]
            if (self.compare(orders[there], order) or there - key) < 0:
                low = middle + 1
            else:
                high = middle
        return low

    def compare_key(self) -> Callable[[RowOrder], Any]:
        """A key function for `sorted` over row orders."""
        return cmp_to_key(self.compare)
