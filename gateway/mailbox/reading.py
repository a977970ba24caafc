"""Reading the bytes and properties of many messages: loads overlap, order is kept, memory is bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from twisted.internet.defer import Deferred

from gateway.convert.ical import calendar_part
from gateway.convert.mime.tomime import ToMimeOptions, to_mime
from gateway.convert.vcard import to_vcard
from gateway.mailbox.columns import value_of
from gateway.mailbox.restrict import uid_range, uid_ranges
from gateway.mailbox.source import Source, crlf, gathered
from gateway.mapi import proptags as pr
from gateway.mapi.content import Blob, MessageContent
from gateway.mapi.errors import MapiError, NotFound
from gateway.mapi.props import NamedProps, PropKey
from gateway.mapi.restrictions import Restriction
from gateway.mapi.tables import TableFlags
from gateway.mapiclient.message import load_message, load_prop
from gateway.mapiclient.table import Table

if TYPE_CHECKING:
    from gateway.mailbox.view import View

I = TypeVar("I")  # noqa: E741 - an item
T = TypeVar("T")

#: How many messages are loaded ahead of the one being sent.
AHEAD: Final = 8
#: Originals up to this size (bytes) are asked for several at a time, so many messages and bytes at the most, whose
#: UIDs are no further apart than this.
SMALL: Final = 32_000
TOGETHER: Final = 50
PORTION: Final = 1 << 17
NEAR: Final = 4
#: Messages of one table reply with header blocks.
HEADER_BATCH: Final = 200
_END_OF_HEADER: Final = b"\r\n\r\n"


class Reading:
    """Bytes and properties of one View's messages."""

    def __init__(self, view: View) -> None:
        self._view = view

    async def sources(self, uids: Iterable[int]) -> AsyncIterator[Source]:
        """The bytes of messages, in order; those that are gone are left out."""
        async for found in overlapping(self._portions(uids), self._portion, AHEAD):
            for source in found:
                yield source

    async def passing(self, uids: Iterable[int], test: Callable[[bytes], bool]) -> set[int]:
        """The UIDs of messages whose bytes pass a test."""
        found = set()
        async for source in self.sources(uids):
            data = source.read()
            if await self._view.store.compute(len(data), partial(test, data)):
                found.add(source.uid)
        return found

    def _portions(self, uids: Iterable[int]) -> Iterator[Sequence[int]]:
        """Messages one by one, or several small neighbours at a time where the store gives these in one call."""
        rows = self._view.rows
        small: list[int] = []
        weight = 0
        for uid in uids:
            index = rows.index(uid) if self._view.store.gives_originals else -1
            size = rows.sizes[index] if index >= 0 else 0
            fits = 0 < size <= SMALL and (not small or 0 < uid - small[-1] <= NEAR)
            if small and (not fits or weight + size > PORTION or len(small) >= TOGETHER):
                yield small
                small, weight = [], 0
            if 0 < size <= SMALL:
                small.append(uid)
                weight += size
            else:
                yield [uid]
        if small:
            yield small

    async def _portion(self, uids: Sequence[int]) -> list[Source]:
        given = await self._together(uids) if len(uids) > 1 else {}
        singles = overlapping([uid for uid in uids if uid not in given], self._source, AHEAD)
        given.update([(source.uid, source) async for source in singles if source is not None])
        return [given[uid] for uid in uids if uid in given]

    async def _together(self, uids: Sequence[int]) -> dict[int, Source]:
        """Originals from a table: those it gives in full, which no store has to do."""
        tag, size = pr.PR_EC_IMAP_EMAIL, pr.PR_EC_IMAP_EMAIL_SIZE
        try:
            rows = await self.properties(uids, (tag, size))
        except NotFound:
            return {}
        except MapiError:
            self._view.store.withholds_originals()
            return {}
        whole = {
            uid: Source(uid, row[tag])
            for uid, row in zip(uids, rows, strict=True)
            if tag in row and len(row[tag]) == row.get(size)
        }
        if not whole and any(size in row for row in rows):
            self._view.store.withholds_originals()
        return whole

    async def _source(self, uid: int) -> Source | None:
        index = self._view.index(uid)
        if index < 0:
            return None
        entryid = self._view.rows.entryid(index)
        try:
            data = await self._original(entryid, self._view.rows.sizes[index])
            if data is None:
                data = await self._generated(entryid, self._view.rows.keys[index])
        except NotFound:
            return None
        return Source(uid, data)

    async def _original(self, entryid: bytes, size: int) -> bytes | Blob | None:
        if not size:
            return None
        try:
            data: bytes | Blob = await load_prop(self._view.store.session, entryid, pr.PR_EC_IMAP_EMAIL)
        except NotFound:
            return None  # the size was copied with a message, the original was not
        return data or None

    async def _generated(self, entryid: bytes, key: int) -> bytes | Blob:
        loaded = await load_message(self._view.store.session, entryid)
        options = ToMimeOptions(
            identity=key.to_bytes(8, "little"),
            own=self._view.store.is_own_mail(self._view),
            calendar=internet_part,
        )
        content = loaded.content
        return await self._view.store.compute(
            _weight(content), lambda: gathered(to_mime(content, options).chunks())
        )

    async def headers(self, uids: Iterable[int]) -> AsyncIterator[tuple[int, bytes]]:
        """The header blocks of messages with the empty line, in order; those that are gone are left out."""
        iterator = iter(uids)
        while batch := list(islice(iterator, HEADER_BATCH)):
            blocks = await self._stored_headers(batch)
            rest = self.sources(uid for uid in batch if uid not in blocks)
            following = await anext(rest, None)
            for uid in batch:
                if uid in blocks:
                    yield uid, blocks[uid]
                elif following is not None and following.uid == uid:
                    yield uid, header_of(following)
                    following = await anext(rest, None)

    async def _stored_headers(self, uids: Sequence[int]) -> dict[int, bytes]:
        """Header blocks the store keeps with originals; only those that say exactly what the original says."""
        rows = self._view.rows
        stored = [uid for uid in uids if (index := rows.index(uid)) >= 0 and rows.sizes[index]]
        tags = (pr.PR_TRANSPORT_MESSAGE_HEADERS, pr.PR_EC_IMAP_EMAIL_SIZE)
        found: dict[int, bytes] = {}
        if not stored:
            return found
        for uid, props in zip(stored, await self.properties(stored, tags), strict=True):
            text = props.get(pr.PR_TRANSPORT_MESSAGE_HEADERS)
            if text and props.get(pr.PR_EC_IMAP_EMAIL_SIZE) and text.isascii():
                found[uid] = crlf(text.encode("ascii")).rstrip(b"\r\n") + _END_OF_HEADER
        return found

    async def properties(self, uids: Sequence[int], keys: Sequence[PropKey]) -> list[NamedProps]:
        """Properties of messages, in the order asked; missing ones and messages that are gone give none."""
        if not uids:
            return []
        view = self._view
        tags = await view.store.tags_of(keys)
        found: dict[int, NamedProps] = {}
        async with Table.contents(
            view.store.session,
            view.mailbox.entryid,
            (pr.PR_EC_IMAP_ID, *tags),
            restriction=self._among(sorted(uids)),
            flags=int(TableFlags.NOCAP),
        ) as table:
            async for rows in table.batches():
                for row in rows:
                    values = [value_of(prop) for prop in row]
                    pairs = zip(keys, values[1:], strict=True)
                    found[values[0]] = {key: value for key, value in pairs if value is not None}
        return [found.get(uid, {}) for uid in uids]

    def _among(self, uids: list[int]) -> Restriction | None:
        """A restriction to these UIDs that is cheap to evaluate: wide rather than long."""
        if len(uids) * 2 >= len(self._view.uids):
            whole = uids[0] == self._view.uids[0] and uids[-1] == self._view.uids[-1]
            return None if whole else uid_range(uids[0], uids[-1])
        if uids[-1] - uids[0] < 2 * len(uids) or len(uids) > HEADER_BATCH * 5:
            return uid_range(uids[0], uids[-1])
        return uid_ranges(uids)


def internet_part(content: MessageContent) -> bytes | None:
    """The part in Internet format of a meeting, appointment, task or contact shown as a mail; None for mails."""
    if str(content.props.get(pr.PR_MESSAGE_CLASS, "")).upper().startswith("IPM.CONTACT"):
        return to_vcard(content)
    return calendar_part(content, in_mail=True)


def _weight(content: MessageContent) -> int:
    """About how many bytes have to be worked through to write a mail; markup is slower than data."""
    texts = sum(len(content.props.get(tag) or b"") for tag in (pr.PR_BODY, pr.PR_HTML, pr.PR_RTF_COMPRESSED))
    return 8 * texts + sum(
        attachment.data.size if isinstance(attachment.data, Blob) else len(attachment.data or b"")
        for attachment in content.attachments
    )


def header_of(source: Source) -> bytes:
    """The header block of a message with its empty line."""
    size = 1 << 16
    while True:
        head = source.slice(0, size)
        end = head.find(_END_OF_HEADER)
        if end >= 0:
            return head[: end + len(_END_OF_HEADER)]
        if head.startswith(b"\r\n"):
            return b"\r\n"
        if len(head) < size:
            return head
        size *= 4


async def overlapping(items: Iterable[I], load: Callable[[I], Awaitable[T]], ahead: int) -> AsyncIterator[T]:
    """Load items several at a time and yield the results in order; what is under way is cancelled at the end."""
    iterator = iter(items)
    running: deque[Deferred[T]] = deque()

    async def one(item: I) -> T:
        return await load(item)

    def start(count: int) -> None:
        running.extend(Deferred.fromCoroutine(one(item)) for item in islice(iterator, count))

    try:
        start(ahead)
        while running:
            result = await running.popleft()
            start(1)
            yield result
    finally:
        for deferred in running:
            deferred.addErrback(lambda _: None)
            deferred.cancel()
