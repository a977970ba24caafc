"""What never changes about a message: its size, ENVELOPE and BODYSTRUCTURE, ready to be sent.

Asked for in this order: the UID cache, what the store keeps beside an original (when it is well formed), the
bytes. What had to be fetched is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.convert.mime.bodystructure import body, bodystructure
from gateway.convert.mime.envelope import envelope
from gateway.convert.mime.structure import scan
from gateway.mailbox.searchtext import Field, folded
from gateway.mailbox.uidcache import Meta, MetaRow
from gateway.mapi import proptags as pr
from gateway.mapi.propnames import IMAP_ENVELOPE
from gateway.mapi.props import NamedProps, PropKey

if TYPE_CHECKING:
    from gateway.mailbox.view import View

_STORED: Final[tuple[PropKey, ...]] = (
    pr.PR_EC_IMAP_EMAIL_SIZE,
    IMAP_ENVELOPE,
    pr.PR_EC_IMAP_BODY,
    pr.PR_EC_IMAP_BODYSTRUCTURE,
)
#: A batch of this many neighbours looks like reading everything; so many at the most are read ahead.
SEQUENTIAL: Final = 100
MAX_AHEAD: Final = 20_000
#: Lists in lists: as deep as parts of mails are, and some.
DEEPEST: Final = 200
#: Only printable ASCII can stand in a response outside a literal.
_PLAIN: Final = re.compile(r"[ -~]*")
_NO_BRACKET: Final = re.compile(r"[^()]++")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\["\\])*"')


class MessageMeta(NamedTuple):
    """One message for FETCH."""

    uid: int
    size: int
    envelope: bytes
    body: bytes
    structure: bytes
    internal_date: int
    """Unix seconds."""


class Metadata:
    """Sizes and structures of one View's messages."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._window = SEQUENTIAL

    async def load(self, uids: Sequence[int], *, bodies: bool = True) -> list[MessageMeta | None]:
        """The metadata of messages, in the order asked; None for one that is gone."""
        metas: Mapping[int, MetaRow]
        if not bodies:
            sizes = await self.sizes(uids)
            metas = {uid: (uid, size, b"", b"", b"") for uid, size in sizes.items()}
        else:
            metas = await self._metas(uids)
        rows = self._view.rows
        dates = rows.dates
        return [
            MessageMeta(*meta, dates[index]) if index >= 0 and (meta := metas.get(uid)) is not None else None
            for uid, index in zip(uids, rows.indices(uids), strict=True)
        ]

    async def sizes(self, uids: Iterable[int]) -> Mapping[int, int]:
        """RFC822.SIZE of messages; those that are gone are left out."""
        rows = self._view.rows
        sizes: dict[int, int] = {}
        unknown: list[int] = []
        ordered = sorted(uids)
        for uid, index in zip(ordered, rows.indices(ordered), strict=True):
            if index >= 0 and (size := rows.sizes[index]):
                sizes[uid] = size
            elif index >= 0:
                unknown.append(uid)
        if unknown:
            metas = await self._metas(unknown)
            self._remember_sizes(metas)
            sizes.update((uid, meta[1]) for uid, meta in metas.items())
        return sizes

    async def know_words(self) -> bool:
        """Whether `containing` can tell of nearly every message."""
        uids, key = self._view.uids, self._view.store.cache_key(self._view.mailbox)
        if not uids:
            return False
        first, last = uids[0], uids[-1]
        known = await self._view.store.in_cache(lambda cache: cache.known(key, first, last))
        return known * 10 >= len(uids) * 9

    async def containing(self, field: Field, text: str, uids: Collection[int]) -> tuple[set[int], set[int]]:
        """Of these messages those with a text in a field of the ENVELOPE, and those of which that is not known."""
        wanted, key = folded(text), self._view.store.cache_key(self._view.mailbox)
        first, last = min(uids), max(uids)
        found = await self._view.store.in_cache(lambda cache: cache.containing(key, field, wanted, first, last))
        unknown = set(uids).difference([uid for uid, _ in found])
        return {uid for uid, place in found if place}.intersection(uids), unknown

    async def _metas(self, uids: Sequence[int]) -> dict[int, MetaRow]:
        store = self._view.store
        key = store.cache_key(self._view.mailbox)
        ordered = sorted(uids)
        metas = await store.in_cache(lambda cache: cache.metas(key, ordered))
        missing = [uid for uid in ordered if uid not in metas] if len(metas) < len(ordered) else []
        if missing:
            there = self._view.rows.indices(missing)
            missing = [uid for uid, index in zip(missing, there, strict=True) if index >= 0]
        if missing:
            found = await self._from_store(self._ahead(missing))
            found.update(await self._from_bytes([uid for uid in missing if uid not in found]))
            await store.in_cache(lambda cache: cache.add_metas(key, found.values()))
            metas.update((uid, found[uid]) for uid in missing if uid in found)
            self._remember_sizes(found)
        return metas

    def _ahead(self, missing: Sequence[int]) -> Sequence[int]:
        """What to read from the store: more than was asked, when somebody reads the folder from end to end.

        Each restricted listing costs the server a look at the whole folder, so few large ones are better. The
        window doubles as long as the next batch begins where the one before ended.
        """
        uids = self._view.uids
        first, last = self._view.index(missing[0]), self._view.index(missing[-1])
        contiguous = last - first < 2 * len(missing)
        if not contiguous or len(missing) < SEQUENTIAL:
            self._window = SEQUENTIAL
            return missing
        self._window = min(self._window * 4, MAX_AHEAD)
        return uids[first : max(last + 1, first + self._window)]

    def _remember_sizes(self, metas: Mapping[int, MetaRow]) -> None:
        rows = self._view.rows
        for index, meta in zip(rows.indices(metas), metas.values(), strict=True):
            if index >= 0:
                rows.sizes[index] = meta[1]

    async def _from_store(self, uids: Sequence[int]) -> dict[int, Meta]:
        """What the store keeps beside stored originals."""
        rows = self._view.rows
        likely = [uid for uid in uids if (index := rows.index(uid)) >= 0 and rows.sizes[index]]
        if not likely:
            return {}
        found = await self._view.rows_of(likely, _STORED)
        metas = map(_stored_meta, likely, found)
        return {meta.uid: meta for meta in metas if meta is not None}

    async def _from_bytes(self, uids: Sequence[int]) -> dict[int, Meta]:
        metas = {}
        async for source in self._view.sources(uids):
            data, size = source.read(), source.size
            metas[source.uid] = await self._view.store.compute(size, partial(meta_of, source.uid, data))
        return metas


def meta_of(uid: int, data: bytes) -> Meta:
    """The metadata of a message's bytes."""
    part = scan(data)
    return Meta(uid, len(data), envelope(part), body(part), bodystructure(part))


def _stored_meta(uid: int, props: NamedProps) -> Meta | None:
    size = props.get(pr.PR_EC_IMAP_EMAIL_SIZE)
    envelope_text = props.get(IMAP_ENVELOPE)
    body = props.get(pr.PR_EC_IMAP_BODY)
    structure = props.get(pr.PR_EC_IMAP_BODYSTRUCTURE)
    if not size or not envelope_text or not body or not structure:
        return None
    texts = (f"({envelope_text})", body, structure)
    if not all(is_well_formed(text) for text in texts):
        return None
    return Meta(uid, size, *(text.encode("ascii") for text in texts))


def is_well_formed(text: str) -> bool:
    """Whether a stored text is one parenthesised list that can be sent as it is.

    Old versions of Kopano stored lists with line ends, 8-bit characters or unbalanced quotes.
    """
    if not _PLAIN.fullmatch(text):
        return False
    bare = _QUOTED.sub("", text)
    if '"' in bare or not bare.startswith("(") or not bare.endswith(")"):
        return False
    brackets = _NO_BRACKET.sub("", bare)
    for _ in range(DEEPEST):
        if not brackets:
            return True
        brackets = brackets.replace("()", "")
    return False
