"""Reading one message after the other from the store at the price of a few batches.

Clients ask for message after message and wait for each. Once a second one is asked for in order, the following ones are loaded
together with it; any other order costs one load per message and nothing else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class ReadAhead(Generic[Item]):
    """Items by UID, loaded in batches. `load` yields items in the order of the UIDs it is given and leaves out missing ones."""

    def __init__(
        self, load: Callable[[Sequence[int]], AsyncIterator[Item]], uid_of: Callable[[Item], int]
    ) -> None:
        self._load = load
        self._uid_of = uid_of
        self._coming: deque[int] = deque()
        self._items: AsyncIterator[Item] | None = None
        self._held: Item | None = None

    async def take(self, batch: Sequence[int], *, in_order: bool) -> Item | None:
        """The item of the batch's first UID, None when it is gone. The rest is what is likely to be asked for next.

        `in_order` tells that the one before was asked for just now: then the whole batch is loaded.
        """
        uid = batch[0]
        if not self._coming or self._coming[0] != uid:
            await self.forget()
            wanted = batch if in_order else batch[:1]
            self._coming.extend(wanted)
            self._items = self._load(wanted)
        self._coming.popleft()
        return await self._next_is(uid)

    async def _next_is(self, uid: int) -> Item | None:
        """The next loaded item if it is that of the UID; another one is held for its turn."""
        if self._held is None and self._items is not None:
            self._held = await anext(self._items, None)
        if self._held is None or self._uid_of(self._held) != uid:
            return None
        item, self._held = self._held, None
        return item

    async def forget(self) -> None:
        """Drop what was loaded and not asked for."""
        items, self._items, self._held = self._items, None, None
        self._coming.clear()
        if items is not None and hasattr(items, "aclose"):
            await items.aclose()
