r"""The items of FETCH, from where they are to be had cheapest.

Columns of the View cost nothing, metadata (ENVELOPE, sizes) one look into the cache per batch, header sections
one table per batch, everything else the message itself.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.convert.mime.structure import Part
from gateway.imap import sections, telling
from gateway.imap.codec import write_fetch as w
from gateway.imap.codec.fetchitems import Attribute, Binary, BinarySize, Item, LazyPreview, Section
from gateway.imap.codec.write_values import string
from gateway.imap.connection import Selection
from gateway.imap.selected import Rows
from gateway.mailbox.metadata import MessageMeta
from gateway.mailbox.source import Source
from gateway.mapi import proptags as pr

Body = Section | Binary | BinarySize

_STRUCTURED: Final = frozenset({Attribute.ENVELOPE, Attribute.BODY, Attribute.BODYSTRUCTURE})
_BLANK: Final = re.compile(r"\s+")
_PREVIEW: Final = 200
#: Characters of a header block and of a message that one batch may hold.
_HEADERS: Final = 200
#: New messages that are described without being asked for (NOTIFY).
MOST_NEW: Final = 100
_MESSAGES: Final = 200
_METADATA: Final = 500
_COLUMNS: Final = 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """What one FETCH needs of each message."""

    plain: tuple[Item, ...]
    bodies: tuple[Body, ...]

    @property
    def structured(self) -> bool:
        """Whether ENVELOPE or a structure is needed."""
        return not _STRUCTURED.isdisjoint(self.plain)

    @property
    def headers_only(self) -> bool:
        """Whether header blocks are all that is needed of messages."""
        return all(isinstance(body, Section) and sections.needs_header_only(body) for body in self.bodies)

    @property
    def batch(self) -> int:
        """Messages at a time."""
        if self.bodies:
            return _HEADERS if self.headers_only else _MESSAGES
        return _METADATA if self.structured else _COLUMNS


def plan(items: Iterable[Item]) -> Plan:
    """Sort items by where they come from."""
    wanted = tuple(items)
    bodies = tuple(item for item in wanted if isinstance(item, Section | Binary | BinarySize))
    return Plan(tuple(item for item in wanted if not isinstance(item, Section | Binary | BinarySize)), bodies)


def unasked(selection: Selection, items: Iterable[Item]) -> Plan:
    """The same for messages a client is told of without asking, with what it wants of any such (RFC 7162 3.2.4)."""
    more = (Attribute.UID, Attribute.MODSEQ) if selection.connection.condstore else ()
    return plan(dict.fromkeys((*items, *more)))


async def batch(selection: Selection, wanted: Plan, rows: Rows) -> AsyncIterator[bytes]:
    """FETCH responses for some messages; those that are gone are left out."""
    loaded = await _loaded(selection, wanted, rows.uids)
    # From here on nothing is waited for: the View's columns do not move while they are read.
    keep, places = _there(selection, rows, loaded)
    if keep is not None:
        rows = Rows([rows.numbers[at] for at in keep], [rows.uids[at] for at in keep])
        loaded = {item: [values[at] for at in keep] for item, values in loaded.items()}
    if not rows:
        return
    uid_only = selection.connection.uid_only
    numbers = rows.uids if uid_only else rows.numbers
    columns = _columns(selection, wanted, rows.uids, places, loaded)
    if not wanted.bodies:
        yield w.batch(numbers, columns, by_uid_only=uid_only)
        return
    heads = dict(zip(rows.uids, w.heads(numbers, columns, by_uid_only=uid_only), strict=True))
    pieces = _with_headers if wanted.headers_only else _with_messages
    async for piece in pieces(selection, wanted, rows.uids, heads):
        yield piece


async def _loaded(selection: Selection, wanted: Plan, uids: Sequence[int]) -> dict[Item, Sequence[object]]:
    """The items that have to be waited for, in the order of the UIDs; None for a message that is gone."""
    view = selection.view
    loaded: dict[Item, Sequence[object]] = {}
    metas = await view.envelopes(uids) if wanted.structured else []
    for item in wanted.plain:
        if item is Attribute.PREVIEW or isinstance(item, LazyPreview):
            loaded[item] = await _previews(selection, uids)
        elif item is Attribute.SIZE:
            loaded[item] = [meta and meta.size for meta in metas] if metas else await _sizes(selection, uids)
        elif item is Attribute.THREADID:
            threads = await view.thread_ids(uids)
            loaded[item] = [thread and b"(%b)" % thread.encode("ascii") for thread in map(threads.get, uids)]
        elif item in _STRUCTURED:
            loaded[item] = [meta and _STRUCTURES[item](meta) for meta in metas]
    return loaded


def _there(
    selection: Selection, rows: Rows, loaded: dict[Item, Sequence[object]]
) -> tuple[list[int] | None, Sequence[int]]:
    """Which of the messages still exist (None: all of them), and their places in the View."""
    places = telling.positions(selection.view, rows.uids)
    missing = {at for values in loaded.values() for at, value in enumerate(values) if value is None}
    if isinstance(places, range) and not missing:
        return None, places
    keep = [at for at, place in enumerate(places) if place >= 0 and at not in missing]
    return keep, [places[at] for at in keep]


# -- columns


_LOADED: Final[dict[Item, bytes]] = {
    Attribute.SIZE: w.SIZE,
    Attribute.ENVELOPE: w.ENVELOPE,
    Attribute.BODY: w.BODY,
    Attribute.BODYSTRUCTURE: w.BODYSTRUCTURE,
    Attribute.THREADID: w.THREADID,
    Attribute.PREVIEW: w.PREVIEW,
    LazyPreview(): w.PREVIEW,
}
_STRUCTURES: Final[dict[Item, Callable[[MessageMeta], bytes]]] = {
    Attribute.ENVELOPE: lambda meta: meta.envelope,
    Attribute.BODY: lambda meta: meta.body,
    Attribute.BODYSTRUCTURE: lambda meta: meta.structure,
}


def _columns(
    selection: Selection,
    wanted: Plan,
    uids: Sequence[int],
    places: Sequence[int],
    loaded: dict[Item, Sequence[object]],
) -> list[w.Column]:
    columns: list[w.Column] = []
    for item in wanted.plain:
        if item in loaded:
            columns.append((_LOADED[item], loaded[item]))
        elif not (item is Attribute.UID and selection.connection.uid_only):
            columns.append(_column(selection, item, uids, places))
    return columns


def _column(selection: Selection, item: Item, uids: Sequence[int], places: Sequence[int]) -> w.Column:
    view = selection.view
    if item is Attribute.UID:
        return w.UID, uids
    if item is Attribute.FLAGS:
        flags, keywords = _slice(view.flags, places), _slice(view.keywords, places)
        return w.FLAGS, selection.flag_texts.column(flags, keywords)
    if item is Attribute.INTERNALDATE:
        return w.INTERNALDATE, w.dates(_slice(view.dates, places))
    if item is Attribute.MODSEQ:
        return w.MODSEQ, _slice(view.modseqs, places)
    if item is Attribute.EMAILID:
        return w.EMAILID, [view.email_id(at).encode("ascii") for at in places]
    return w.SAVEDATE, w.dates(view.save_dates(uids))


def _slice(column: Sequence[int], places: Sequence[int]) -> Sequence[int]:
    """The values at some places of a column of the View."""
    if isinstance(places, range):
        return column[places.start : places.stop]
    return [column[at] for at in places]


async def _sizes(selection: Selection, uids: Sequence[int]) -> Sequence[int | None]:
    places = telling.positions(selection.view, uids)
    if isinstance(places, range) and all(known := _slice(selection.view.size_column, places)):
        return known
    found = await selection.view.sizes(uids)
    return [found.get(uid) for uid in uids]


async def _previews(selection: Selection, uids: Sequence[int]) -> list[bytes]:
    """The beginnings of the texts (RFC 8970): what a table gives of them is enough."""
    rows = await selection.view.rows_of(uids, (pr.PR_BODY,))
    return [string(_BLANK.sub(" ", row.get(pr.PR_BODY) or "").strip()[:_PREVIEW].encode()) for row in rows]


# -- sections


async def _with_headers(
    selection: Selection, wanted: Plan, uids: Sequence[int], heads: dict[int, bytes]
) -> AsyncIterator[bytes]:
    async for uid, block in selection.view.header_sources(uids):
        parts = [heads[uid]]
        for body in wanted.bodies:
            if isinstance(body, Section):
                octets = sections.section_of_header(block, body).cut(body.partial)
                parts += (_separator(parts), _head(body, octets), _without_nul(octets.read()))
        yield b"".join((*parts, w.CLOSING))


async def _with_messages(
    selection: Selection, wanted: Plan, uids: Sequence[int], heads: dict[int, bytes]
) -> AsyncIterator[bytes]:
    async for source in selection.view.sources(uids):
        structure = await _structure_of(selection, wanted, source)
        # All that can fail comes before the first octet of the response.
        found = [(body, await _octets(selection, body, source, structure)) for body in wanted.bodies]
        for piece in _rendered(heads[source.uid], found):
            yield piece


def _rendered(head: bytes, found: Sequence[tuple[Body, sections.Octets | None]]) -> Iterator[bytes]:
    """A response in pieces of bounded size."""
    held = [head]
    for body, octets in found:
        held.append(_separator(held))
        if isinstance(body, BinarySize):
            held.append(b"%b %d" % (body.label, 0 if octets is None else octets.size))
        elif octets is None:
            held.append(w.body_nil(body.label, None if body.partial is None else body.partial[0]))
        else:
            part = octets.cut(body.partial)
            held.append(_head(body, part))
            for piece in part.pieces():
                held.append(piece if isinstance(body, Binary) else _without_nul(piece))
                if len(piece) == sections.PIECE:
                    yield b"".join(held)
                    held = [b""]
    held.append(w.CLOSING)
    yield b"".join(held)


def _without_nul(piece: bytes) -> bytes:
    """Octets that may stand in a literal, which has no NUL (RFC 9051 section 9, CHAR8): as many; BINARY tells the true."""
    return piece.replace(b"\0", b"\x80") if b"\0" in piece else piece


def _separator(held: list[bytes]) -> bytes:
    """A space, unless the response has just been opened."""
    return b"" if held[-1].endswith(b"(") and len(held) == 1 else b" "


def _head(body: Section | Binary, octets: sections.Octets) -> bytes:
    origin = None if body.partial is None else body.partial[0]
    return w.body_head(body.label, origin, octets.size, binary=isinstance(body, Binary))


async def _structure_of(selection: Selection, wanted: Plan, source: Source) -> Part | None:
    if all(isinstance(body, Section) and not body.part and not body.text for body in wanted.bodies):
        return None  # the whole message, nothing else
    return await selection.view.store.compute(source.size, lambda: sections.scanned(source))


async def _octets(
    selection: Selection, body: Body, source: Source, structure: Part | None
) -> sections.Octets | None:
    if structure is None:
        return sections.of_source(source)
    if isinstance(body, Section):
        return sections.section_of(structure, body)
    path = body.part
    if isinstance(body, BinarySize):
        size = await selection.view.store.compute(source.size, lambda: sections.decoded_size(structure, path))
        return sections.Octets(size, lambda offset, length: b"")
    return await selection.view.store.compute(source.size, lambda: sections.decoded(structure, path))
