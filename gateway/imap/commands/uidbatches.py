"""UIDBATCHES: ranges of UIDs that hold so many messages each, newest first."""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator
from typing import Final

from gateway.imap.answers import Done, Refused
from gateway.imap.codec import commands as c
from gateway.imap.codec.write_search import uid_batches as render
from gateway.imap.connection import Selection

#: Batches smaller than this are refused: a client that wants them can as well ask for messages one by one.
SMALLEST: Final = 500
MOST: Final = 100_000


async def uid_batches(selection: Selection, command: c.UidBatches) -> AsyncIterator[bytes | Done]:
    """Cut the mailbox into batches."""
    if command.size < SMALLEST:
        raise Refused(f"A batch has at least {SMALLEST} messages", "TOOFEW")
    if command.batches is not None and command.batches[1] - command.batches[0] >= MOST:
        raise Refused("Too many batches", "TOOMANY")
    found = batches(selection.told.uids, command.size)
    if command.batches is not None:
        first, last = command.batches
        found = found[first - 1 : last]
    yield render(selection.connection.tag, found)


def batches(uids: array[int], size: int) -> list[tuple[int, int]]:
    """(highest, lowest) UID of each batch; together they leave no UID out, and the last reaches down to 1."""
    tops = [uids[at] for at in range(len(uids) - 1, -1, -size)]
    return list(zip(tops, [top + 1 for top in tops[1:]] + [1], strict=True)) if tops else []
