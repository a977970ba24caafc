"""The global address book as a read-only address book: a small one is listed, one of any size is searched in the store."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import partial
from typing import Final
from weakref import WeakValueDictionary

from gateway.convert.vcard import gal_to_vcard, gal_uid
from gateway.dav.differences import Difference
from gateway.dav.entries import FIRST, LAST, Entry
from gateway.dav.kinds import DIRECTORY
from gateway.dav.listing import Listing
from gateway.dav.tokens import Position
from gateway.mailbox.reading import overlapping
from gateway.mapi import proptags as pr
from gateway.mapi.errors import MapiError
from gateway.mapi.props import Props, present
from gateway.mapi.restrictions import Restriction
from gateway.mapiclient import directory
from gateway.mapiclient.session import Session
from gateway.mapiclient.table import Table

#: How long (seconds) a listing answers: the address book has no change log that could be asked cheaply.
_AGE: Final = 60.0
#: What cards are made of; the digest of these is the ETag, whichever call they came with.
_OF_CARD: Final = (
    pr.PR_DISPLAY_NAME,
    pr.PR_SMTP_ADDRESS,
    pr.PR_OBJECT_TYPE,
    pr.PR_DISPLAY_TYPE_EX,
    pr.PR_GIVEN_NAME,
    pr.PR_SURNAME,
    pr.PR_TITLE,
    pr.PR_COMPANY_NAME,
    pr.PR_DEPARTMENT_NAME,
    pr.PR_OFFICE_LOCATION,
    pr.PR_BUSINESS_TELEPHONE_NUMBER,
    pr.PR_HOME_TELEPHONE_NUMBER,
    pr.PR_MOBILE_TELEPHONE_NUMBER,
    pr.PR_EMS_AB_PROXY_ADDRESSES,
)
COLUMNS: Final = (pr.PR_ENTRYID, pr.PR_ACCOUNT, *_OF_CARD)
_BATCH: Final = 500
#: Entries that are asked for at the same time.
_AT_ONCE: Final = 16
_USERS: Final = 1000


class Directory:
    """The address books of all servers, one listing for each user: companies do not see one another."""

    def __init__(self, most: int, seconds: Callable[[], float]) -> None:
        self._most = most
        self._seconds = seconds
        self._read: dict[tuple[bytes, str], tuple[float, Listing]] = {}
        self._same: WeakValueDictionary[str, Listing] = WeakValueDictionary()
        """Token to listing: users who see the same share it."""
        self._props: dict[str, Props] = {}

    async def listing(self, session: Session) -> Listing:
        """The entries, as they were at most a minute ago; none of an address book with more than are listed."""
        key = session.server_guid, session.user
        at, listing = self._read.get(key, (0.0, None))
        if listing is None or self._seconds() - at > _AGE:
            listing = await self._list(session)
            listing = self._same.setdefault(token_of(listing), listing)
            if len(self._read) > _USERS:
                self._read.clear()
            self._read[key] = self._seconds(), listing
        return listing

    async def _list(self, session: Session) -> Listing:
        listing = Listing(DIRECTORY, 0, Position(0))
        async with directory.entries(session, COLUMNS) as table:
            if await table.row_count() <= self._most:
                async for entry in self._entries(table):
                    listing.put(entry)
        return listing

    async def search(
        self, session: Session, restriction: Restriction | None, fits: Callable[[str], bool], most: int
    ) -> list[Entry]:
        """Entries that the store finds and whose cards fit, at most ``most`` and one."""
        found: list[Entry] = []
        async with directory.entries(session, COLUMNS, restriction=restriction) as table:
            async for entry in self._entries(table):
                if fits(self._card(entry, "3.0").decode("utf-8", "replace")):
                    found.append(entry)
                if len(found) > most:
                    break
        return found

    async def find(self, session: Session, entryids: Sequence[bytes]) -> dict[bytes, Entry]:
        """The entries of these ids, those that are gone left out."""
        found: dict[bytes, Entry] = {}
        async for entry in overlapping(entryids, partial(self._find, session), _AT_ONCE):
            if entry is not None:
                found[entry.entryid] = entry
        return found

    async def _find(self, session: Session, entryid: bytes) -> Entry | None:
        try:
            props = await directory.details(session, entryid)
        except MapiError:
            return None  # gone, hidden from this user, or no entry at all
        return self._entry(
            {tag: value for tag, value in props.items() if tag in COLUMNS} | {pr.PR_ENTRYID: entryid}
        )

    async def since(self, session: Session, token: str) -> Difference:
        """Nothing, when nothing changed since a token; else ValueError: the client reads everything again."""
        listing = await self.listing(session)
        if token != token_of(listing):
            raise ValueError("the address book changed")
        return Difference(listing.position, [], [])

    def texts(self, entries: Iterable[Entry], version: str) -> dict[bytes, bytes]:
        """Key to card of entries."""
        return {entry.source_key: self._card(entry, version) for entry in entries if entry.etag in self._props}

    def forgotten(self, entries: Iterable[Entry]) -> list[bytes]:
        """The ids of entries whose properties are not in memory any more."""
        return [entry.entryid for entry in entries if entry.etag not in self._props]

    def _card(self, entry: Entry, version: str) -> bytes:
        return gal_to_vcard(self._props[entry.etag], version)

    async def _entries(self, table: Table) -> AsyncIterator[Entry]:
        async for rows in table.batches():
            for row in rows:
                props = dict(present(row))
                if props.get(pr.PR_ENTRYID):
                    yield self._entry(props)

    def _entry(self, props: Props) -> Entry:
        entry = _entry(props)
        self._props[entry.etag] = props
        while len(self._props) > 4 * self._most + _BATCH:
            del self._props[next(iter(self._props))]
        return entry


def _entry(props: Props) -> Entry:
    entryid: bytes = props[pr.PR_ENTRYID]
    values = (props.get(tag) for tag in _OF_CARD)
    said = repr([tuple(value) if isinstance(value, list | tuple) else value for value in values])
    digest = hashlib.blake2b(entryid + said.encode("utf-8", "replace"), digest_size=12).hexdigest()
    return Entry(
        f"{entryid.hex()}{DIRECTORY.suffix}",
        f'"{digest}"',
        entryid,
        entryid,
        gal_uid(props),
        "VCARD",
        0,
        False,
        FIRST,
        LAST,
        False,
    )


def entryid_of_href(href: str) -> bytes | None:
    """The entry that an href names, None when it names none."""
    try:
        return bytes.fromhex(href.removesuffix(DIRECTORY.suffix)) or None
    except ValueError:
        return None


def token_of(listing: Listing) -> str:
    """The sync token of what the address book holds now."""
    if not listing.digest:
        etags = "".join(sorted(entry.etag for entry in listing.by_key.values()))
        listing.digest = hashlib.blake2b(etags.encode(), digest_size=12).hexdigest()
    return f"data:,directory-{listing.digest}"
