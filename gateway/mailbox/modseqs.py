"""Mod-sequences (RFC 7162) from the numbers of the store's change log. Pure.

A change that becomes visible late, below what clients were told already, needs a mod-sequence above that. It must not
be the number of a change that is still to come: who was told it would never ask for that one, least of all from
another gateway, which gives other changes numbers of its own. So there is room behind each number of the store.
"""

from __future__ import annotations

from typing import Final

_ROOM: Final = 16


def modseq_of_change(number: int) -> int:
    """The mod-sequence of a change by its number in the store's log."""
    return number << _ROOM


def change_known(modseq: int) -> int:
    """The number of the last change that a client with this mod-sequence was told of."""
    return modseq >> _ROOM
