r"""What a client in a mailbox is told, rendered: flags, EXISTS, EXPUNGE or VANISHED, FETCH (RFC 9051 7.4, 7.5)."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from gateway.imap.codec import write_fetch as w
from gateway.imap.codec.sequence import compact
from gateway.imap.codec.write_status import STILL_HERE
from gateway.imap.selected import Rows, Updates
from gateway.mailbox.flags import FLAG_NAMES

if TYPE_CHECKING:
    from gateway.imap.connection import Selection
    from gateway.mailbox.view import View

__all__ = [
    "STILL_HERE",
    "expunged",
    "fetch_flags",
    "flag_names",
    "flag_texts",
    "flags_response",
    "positions",
    "updates",
]

#: Flags that every mailbox knows, and the keywords clients look for before they use them.
_KNOWN: Final = (
    "\\Answered",
    "\\Flagged",
    "\\Deleted",
    "\\Seen",
    "\\Draft",
    "$Forwarded",
    "$MDNSent",
    "$Junk",
    "$NotJunk",
    "$Phishing",
)
_TEXTS: WeakKeyDictionary[View, w.FlagTexts] = WeakKeyDictionary()


def flag_texts(view: View) -> w.FlagTexts:
    """The rendered flags of a View, shared by all who selected it."""
    found = _TEXTS.get(view)
    if found is None:
        # The View must not be kept alive by its own texts.
        def names(bits: int, words: int, sets: Sequence[tuple[str, ...]] = view.keyword_sets) -> list[str]:
            return [*(name for flag, name in FLAG_NAMES.items() if bits & flag), *sets[words]]

        found = _TEXTS[view] = w.FlagTexts(names)
    return found


def flag_names(view: View) -> list[str]:
    """Every flag that occurs, the well-known ones first."""
    names = {name.lower(): name for name in _KNOWN}
    for words in view.keyword_sets:
        for word in words:
            names.setdefault(word.lower(), word)
    return list(names.values())


def flags_response(selection: Selection) -> bytes:
    """``* FLAGS (...)`` when there are names the client was not told yet; counts as told."""
    sets = len(selection.view.keyword_sets)
    if sets == selection.keyword_sets_told:
        return b""
    selection.keyword_sets_told = sets
    names = flag_names(selection.view)
    if len(names) == selection.flags_told:
        return b""
    selection.flags_told = len(names)
    return b"* FLAGS (%b)\r\n" % " ".join(names).encode("ascii", "replace")


def positions(view: View, uids: Sequence[int]) -> Sequence[int]:
    """Where messages stand in the View's columns; -1 for those that are gone."""
    if not uids:
        return ()
    first = view.index(uids[0])
    wanted = uids if isinstance(uids, array) else array("I", uids)
    if first >= 0 and view.uids[first : first + len(wanted)] == wanted:
        return range(first, first + len(wanted))
    return view.rows.indices(uids)


def fetch_flags(selection: Selection, rows: Rows) -> bytes:
    """FETCH responses with the flags of messages, as a client that may not have asked for them needs them."""
    view, connection = selection.view, selection.connection
    places = positions(view, rows.uids)
    there = [(n, uid, at) for n, uid, at in zip(rows.numbers, rows.uids, places, strict=True) if at >= 0]
    if not there:
        return b""
    numbers, uids, places = (list(column) for column in zip(*there, strict=True))
    flags, keywords = [view.flags[at] for at in places], [view.keywords[at] for at in places]
    columns: list[w.Column] = [(w.FLAGS, selection.flag_texts.column(flags, keywords))]
    if connection.condstore:
        columns.insert(0, (w.MODSEQ, [view.modseqs[at] for at in places]))
    if connection.uid_only:
        return w.batch(uids, columns, by_uid_only=True)
    # RFC 7162 3.2.4 wants the UID, every client is glad of it.
    return w.batch(numbers, [(w.UID, uids), *columns])


def expunged(selection: Selection, uids: Sequence[int], numbers: Sequence[int]) -> bytes:
    """EXPUNGE, highest number first so that each is right, or one VANISHED."""
    if not uids:
        return b""
    if selection.connection.qresync or selection.connection.uid_only:
        return b"* VANISHED %b\r\n" % compact(uids).encode("ascii")
    return b"".join([b"* %d EXPUNGE\r\n" % number for number in reversed(numbers)])


def updates(
    selection: Selection,
    *,
    expunge: bool,
    flags: bool = True,
    mention: Rows | None = None,
    leave_out: frozenset[int] = frozenset(),
) -> bytes:
    """See `Selection.updates`."""
    found = selection.told.updates(expunge=expunge, modseq=selection.connection.condstore)
    flagged = _flagged(selection, found, mention, leave_out)
    parts = [expunged(selection, found.expunged, found.expunged_numbers)]
    if found.exists is not None:
        parts.append(b"* %d EXISTS\r\n" % found.exists)
    if flags:
        parts.append(flags_response(selection))
        parts += [fetch_flags(selection, batch) for batch in flagged.batches()]
    return b"".join(parts)


def _flagged(selection: Selection, found: Updates, mention: Rows | None, leave_out: frozenset[int]) -> Rows:
    if mention is None and not leave_out:
        return found.flagged
    # What somebody else changed besides is told all the same (RFC 9051 6.4.6).
    uids = set(found.flagged.uids).union(mention.uids if mention is not None else ()) - (
        leave_out - found.again
    )
    return selection.told.rows_of(sorted(uids))
