"""Sync tokens: a position in the store's change log, told to the client, so that any gateway can answer it.

Change numbers may become visible out of order when commits run at once. A position therefore is a number and the
set of the numbers shortly before it that were seen; what was not seen then is told later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.mapi.changes import Change

#: How many numbers before the position are looked at again.
OVERLAP: Final = 32
_ALL: Final = (1 << OVERLAP) - 1
_TOKEN: Final = re.compile(r"data:,([0-9a-f]{1,64})-(\d{1,10})-([0-9a-f]{1,8})")
_PAGED: Final = re.compile(r"(.+)\+((?:[0-9a-f]{2}){1,500})")


@dataclass(frozen=True, slots=True)
class Position:
    """How far the change log of a folder was read."""

    number: int
    seen: int = _ALL
    """Bit n says that number - n was seen, or is not of this folder."""

    @property
    def asked_from(self) -> int:
        """The number after which to ask: a little earlier, where numbers were not seen."""
        return max(1, self.number - (_ALL & ~self.seen).bit_length())

    def is_new(self, change_id: int) -> bool:
        """Whether a change was not seen yet."""
        if change_id > self.number:
            return True
        back = self.number - change_id
        return back < OVERLAP and not self.seen >> back & 1

    def after(self, changes: Iterable[Change], newest: int) -> Position:
        """The position once these changes, all after `asked_from`, were applied."""
        ids = {change.change_id for change in changes}
        number = max(self.number, newest, *ids)
        seen = self.seen << number - self.number
        for each in ids:
            if number - each < OVERLAP:
                seen |= 1 << number - each
        # What lies before the part that was asked for counts as seen.
        seen |= -1 << number - self.asked_from
        return Position(number, seen & _ALL)

    def without(self, change_ids: Iterable[int]) -> Position:
        """The position as if these changes had not been seen, as far as it tells them one by one."""
        seen = self.seen
        for each in change_ids:
            if 0 <= self.number - each < OVERLAP:
                seen &= ~(1 << self.number - each)
        return Position(self.number, seen)


def write(folder: bytes, position: Position) -> str:
    """The token of a position in the log of a folder (its source key)."""
    return f"data:,{folder.hex()[-24:]}-{position.number}-{position.seen:x}"


def read(token: str, folder: bytes) -> Position:
    """The position of a token (ValueError when it is none of this folder)."""
    match = _TOKEN.fullmatch(token)
    if match is None or match[1] != folder.hex()[-24:]:
        raise ValueError("not a sync token of this collection")
    return Position(int(match[2]), int(match[3], 16))


def paged(token: str, last: bytes) -> str:
    """The token of a first listing that was cut behind the item with this source key (RFC 6578 3.6).

    Items are told in the order of their keys. What changes meanwhile is told after the last page, since the token
    of that is the one of the first.
    """
    return f"{token}+{last.hex()}"


def page_of(token: str) -> tuple[str, bytes]:
    """The token under a cut listing, and the source key of the last item told (empty when nothing was cut)."""
    match = _PAGED.fullmatch(token)
    return (match[1], bytes.fromhex(match[2])) if match else (token, b"")
