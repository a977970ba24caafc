"""What a contents table is asked to learn the rows of a View, and how a table row becomes an entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

from gateway.mailbox.flags import keywords_of, read_flags
from gateway.mailbox.modseqs import modseq_of_change
from gateway.mailbox.rows import Entry
from gateway.mapi import proptags as pr
from gateway.mapi.ids import change_id_of
from gateway.mapi.props import PT_ERROR, NamedProps, PropKey, PropTag
from gateway.mapi.tables import Row
from gateway.mapi.times import to_unix

K = TypeVar("K", bound=PropKey)

_FIXED: Final = (
    pr.PR_EC_IMAP_ID,
    pr.PR_ENTRYID,
    pr.PR_SOURCE_KEY,
    pr.PR_EC_HIERARCHYID,
    pr.PR_MESSAGE_FLAGS,
    pr.PR_MSG_STATUS,
    pr.PR_FLAG_STATUS,
    pr.PR_LAST_VERB_EXECUTED,
    pr.PR_CHANGE_KEY,
    pr.PR_MESSAGE_DELIVERY_TIME,
    pr.PR_CLIENT_SUBMIT_TIME,
    pr.PR_CREATION_TIME,
    pr.PR_EC_IMAP_EMAIL_SIZE,
    pr.PR_SEARCH_KEY,
)


def entry_columns(keywords: K, marks: K) -> tuple[PropTag | K, ...]:
    """The columns `entries_of` reads, in its order; the two are KEYWORDS and MARKS, or their tags here."""
    return (*_FIXED, keywords, marks)


def value_of(prop: tuple[PropTag, Any]) -> Any:
    """The value of a column, None when the row has none."""
    return None if prop[0] & 0xFFFF == PT_ERROR else prop[1]


def entries_of(rows: Iterable[Row]) -> Iterator[Entry]:
    """The entries of table rows with `entry_columns`; rows without a UID are left out."""
    for row in rows:
        entry = _entry([None if tag & 0xFFFF == PT_ERROR else value for tag, value in row])
        if entry is not None:
            yield entry


def entry_of(props: NamedProps, entryid: bytes, hierarchy_id: int, columns: Sequence[PropKey]) -> Entry | None:
    """The entry of a message that was loaded as an object, or stored; ``columns`` are those of a listing here."""
    known = {**props, pr.PR_ENTRYID: entryid, pr.PR_EC_HIERARCHYID: hierarchy_id}
    return _entry(map(known.get, columns))


def _entry(values: Iterable[Any]) -> Entry | None:
    (uid, entryid, source_key, number, message_flags, status, followup, verb, change_key,
     delivered, submitted, created, size, search_key, categories, marks) = values  # fmt: skip
    if not uid or not entryid:
        return None
    when = delivered or submitted or created
    return Entry(
        uid,
        entryid,
        source_key or b"",
        number or 0,
        int(read_flags(message_flags or 0, status or 0, followup or 0, verb)),
        keywords_of(categories, marks),
        modseq_of(change_key),
        min(max(to_unix(when), 0), 0xFFFFFFFF) if when else 0,
        size or 0,
        search_key or b"",
    )


def modseq_of(change_key: bytes | None) -> int:
    """The mod-sequence of the change in a change key; 1, the lowest, when there is none."""
    if change_key is None or len(change_key) != 20:
        return 1
    return modseq_of_change(change_id_of(change_key)) or 1
