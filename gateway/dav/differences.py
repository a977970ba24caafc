"""What a client that stood at an earlier position has to learn: from the change log and what is known of the folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.dav import hrefs
from gateway.dav.entries import Entry
from gateway.dav.kepthrefs import Hrefs
from gateway.dav.tokens import Position
from gateway.mapi.changes import Change, collapse

if TYPE_CHECKING:
    from gateway.dav.listing import Listing


@dataclass(frozen=True, slots=True)
class Difference:
    """What a client that stood at an earlier position has to learn."""

    position: Position
    changed: list[Entry]
    removed: list[str]
    is_cut: bool = False
    """Whether there is more to learn from ``position`` on."""


def number(change: Change) -> int:
    """By what changes are put in order."""
    return change.change_id


def first_of(changes: Sequence[Change], most: int | None) -> Sequence[Change]:
    """The changes of the first so many items, in the order in which they happened."""
    keys: set[bytes] = set()
    for place, change in enumerate(changes):
        keys.add(change.source_key)
        if most is not None and len(keys) > most:
            return changes[:place]
    return changes


def is_unknown(listing: Listing, change: Change) -> bool:
    """Whether a change took away what the listing never saw."""
    key = change.source_key
    return (
        change.is_delete
        and key not in listing.by_key
        and key not in listing.gone
        and not listing.kind.is_mailbox
    )


def difference(listing: Listing, changes: Sequence[Change], position: Position, names: Hrefs) -> Difference:
    """What these changes mean to a client that is to stand at a position then (ValueError for what nobody knows).

    ``names`` are the kept hrefs of what the listing does not know.
    """
    changed: list[Entry] = []
    removed: list[str] = []
    for key, change in collapse(changes).items():
        removed += listing.former.get(key, ())
        entry = listing.by_key.get(key)
        if entry is not None:
            changed.append(entry)
        elif key in listing.gone:
            removed.append(listing.gone[key])
        elif listing.kind.is_mailbox:  # it may be any mail; messages have no names of clients
            removed.append(hrefs.key_href(key, listing.kind.suffix) if change.is_delete else "")
        else:
            removed += _gone_hrefs(key, changes, listing, names)
            # What went before it was read, and whose removal this position does not know: that is told with its coming.
            if not change.is_delete or change.change_id > position.number:
                position = position.without(each.change_id for each in changes if each.source_key == key)
    # An item that has the place of a removed one now is told as changed: an href is told once (RFC 6578 3.5).
    told = {entry.source_key for entry in changed}
    for href in tuple(removed):
        entry = listing.by_href.get(href)
        if entry is not None and entry.source_key not in told:
            told.add(entry.source_key)
            changed.append(entry)
            removed += listing.former.get(entry.source_key, ())
    lost = [href for href in dict.fromkeys(removed) if href and href not in listing.by_href]
    return Difference(position, changed, lost)


def hrefs_of(names: str, key: bytes, listing: Listing) -> list[str]:
    """The names that are kept of an item as hrefs."""
    return [name or hrefs.key_href(key, listing.kind.suffix) for name in names.split("/")]


def _gone_hrefs(key: bytes, changes: Sequence[Change], listing: Listing, names: Hrefs) -> list[str]:
    """The hrefs of what this listing never saw: they may be kept, or the client never had it (ValueError otherwise)."""
    first = next(each for each in changes if each.source_key == key)
    if first.change_type & 0xF == 1:
        return []  # it came and went
    if key not in names:
        raise ValueError("the name of a removed item is not known any more")
    return hrefs_of(names[key], key, listing)
