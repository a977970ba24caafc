"""The global address book as a read-only address book: listed for people who browse, searched in the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Final

from gateway.convert.vcard import gal_to_vcard, gal_uid
from gateway.dav.kinds import DIRECTORY
from gateway.dav.listing import FIRST, LAST, Difference, Entry, Listing
from gateway.dav.tokens import Position
from gateway.mapi import proptags as pr
from gateway.mapi.props import Props, present
from gateway.mapiclient import directory
from gateway.mapiclient.session import Session
from gateway.mapiclient.table import Table

#: How long (seconds) a listing answers: the address book has no change log that could be asked cheaply.
_AGE: Final = 60.0
_COLUMNS: Final = (
    *directory.COLUMNS,
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


class Directory:
    """The address books of all servers, one listing for each user: companies do not see one another."""

    def __init__(self, most: int, seconds: Callable[[], float]) -> None:
        self._most = most
        self._seconds = seconds
        self._read: dict[tuple[bytes, str], tuple[float, Listing]] = {}
        self._props: dict[str, Props] = {}

    async def listing(self, session: Session) -> Listing:
        """The entries, as they were at most a minute ago."""
        key = session.server_guid, session.user
        at, listing = self._read.get(key, (0.0, None))
        if listing is None or self._seconds() - at > _AGE:
            listing = self._listing(await self._rows(directory.entries(session, _COLUMNS)))
            if len(self._read) > 1000:
                self._read.clear()
            self._read[key] = self._seconds(), listing
        return listing

    async def search(self, session: Session, text: str) -> list[Entry]:
        """The entries in which a name, address or the like begins with a text."""
        found = self._listing(await self._rows(directory.search(session, text, _COLUMNS)))
        return list(found.by_key.values())

    async def since(self, session: Session, token: str) -> Difference:
        """Nothing, when nothing changed since a token; else ValueError: the client reads everything again."""
        listing = await self.listing(session)
        if token != token_of(listing):
            raise ValueError("the address book changed")
        return Difference(listing.position, [], [])

    def texts(self, entries: Iterable[Entry], version: str) -> dict[bytes, bytes]:
        """Key to card of entries."""
        return {
            entry.source_key: gal_to_vcard(self._props[entry.etag], version)
            for entry in entries
            if entry.etag in self._props
        }

    async def _rows(self, table: Table) -> list[Props]:
        found: list[Props] = []
        async with table:
            async for rows in table.batches():
                found += [dict(present(row)) for row in rows]
                if len(found) >= self._most:
                    break
        return found[: self._most]

    def _listing(self, rows: Iterable[Props]) -> Listing:
        listing = Listing(DIRECTORY, 0, Position(0))
        for props in rows:
            entry = _entry(props)
            self._props[entry.etag] = props
            listing.put(entry)
        while len(self._props) > 4 * self._most:
            del self._props[next(iter(self._props))]
        return listing


def _entry(props: Props) -> Entry:
    uid = gal_uid(props)
    digest = hashlib.blake2b(repr(sorted(props.items())).encode("utf-8", "replace"), digest_size=12).hexdigest()
    entryid = props.get(pr.PR_ENTRYID, b"")
    return Entry(
        f"{uid}{DIRECTORY.suffix}",
        f'"{digest}"',
        entryid or uid.encode(),
        entryid,
        uid,
        "VCARD",
        0,
        False,
        FIRST,
        LAST,
        False,
    )


def token_of(listing: Listing) -> str:
    """The sync token of what the address book holds now."""
    digest = hashlib.blake2b(digest_size=12)
    for etag in sorted(entry.etag for entry in listing.by_key.values()):
        digest.update(etag.encode())
    return f"data:,directory-{digest.hexdigest()}"
