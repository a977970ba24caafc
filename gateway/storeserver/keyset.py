"""Key sets: the row keys of a table in order, with what is needed to find and place one quickly.

Without sort keys the order is natural: by descending key where new rows have higher ids (messages, folders),
otherwise as the store gave it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gateway.mapi.errors import NotFound
from gateway.mapi.props import Props, Value
from gateway.storeserver.sorting import RowOrder, Sorter

NATURAL: Final = Sorter(())


class Keyset:
    """Row keys in order."""

    __slots__ = ("_orders", "_sorter", "keys", "placeable")

    def __init__(self, sorter: Sorter = NATURAL, *, descending: bool = False) -> None:
        self.keys: list[int] = []
        self.placeable = bool(sorter.keys) or descending
        """Whether a row can be placed without knowing all others."""
        self._sorter = sorter
        self._orders: dict[int, RowOrder] = {}

    def load(self, rows: Iterable[tuple[int, Props]]) -> None:
        """Take the rows, which come in natural order."""
        if self._sorter.keys:
            order = self._sorter.order
            self._orders = {key: order(values) for key, values in rows}
            self.keys = self._sorter.sorted(self._orders)
        else:
            self.keys = [key for key, _ in rows]

    def load_values(self, rows: Iterable[tuple[int, Value]]) -> None:
        """Take rows in any order with the value of the only sort key."""
        order = self._sorter.order_by_value
        self._orders = {key: order(value) for key, value in rows}
        self.keys = self._sorter.sorted(self._orders)

    def order_of(self, key: int) -> RowOrder:
        """The values a row is sorted by."""
        return self._orders[key]

    def place_of(self, key: int) -> int:
        """Where a row is (NotFound when it is not)."""
        order = self._orders.get(key, ())
        if self.placeable and (order or not self._sorter.keys):
            place = self._place_for(key, order)
            if place < len(self.keys) and self.keys[place] == key:
                return place
        elif not self.placeable and key in self.keys:
            return self.keys.index(key)
        raise NotFound("no such row")

    def remove(self, key: int) -> int | None:
        """Take a row out; where it was, or None."""
        try:
            place = self.place_of(key)
        except NotFound:
            return None
        del self.keys[place]
        self._orders.pop(key, None)
        return place

    def insert(self, key: int, values: Props) -> int:
        """Put a row where it belongs; the place."""
        order = self._sorter.order(values)
        place = self._place_for(key, order)
        self.keys.insert(place, key)
        if order:
            self._orders[key] = order
        return place

    def _place_for(self, key: int, order: RowOrder) -> int:
        if self._sorter.keys:
            return self._sorter.place(self.keys, self._orders, key, order)
        low, high = 0, len(self.keys)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.keys[middle] > key else (low, middle)
        return low
