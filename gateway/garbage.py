"""The garbage collector, told to look seldom.

It stops all threads while it looks, and a table of many rows makes it look again and again: with Python's usual
thresholds that is a third of what reading a large folder costs, or 100 ms at a stretch. Rows contain no cycles, and
neither does what a request leaves behind.
"""

from __future__ import annotations

import gc
from typing import Final

#: Containers made and not freed before the young ones are looked at, and how many such looks until the older ones are.
THRESHOLDS: Final = (10_000, 20, 100)


def collect_seldom(thresholds: tuple[int, int, int] = THRESHOLDS) -> None:
    """Have it look at least as seldom, and never again at what is there now. To be called when a program has started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*map(max, thresholds, gc.get_threshold()))
