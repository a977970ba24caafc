"""The mailboxes of other users: ``Other Users/<login>/...``, those that rights allow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from gateway.mailbox import names
from gateway.mailbox.acquaintances import Acquaintances
from gateway.mailbox.sharers import PORTION, Sharers
from gateway.mailbox.tree import FOLDER_TAGS, OTHER, Mailbox, StoreFolders, mailboxes_of
from gateway.mapi.errors import MapiError
from gateway.mapi.ids import parse_object_entryid
from gateway.mapiclient import directory
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.store import Store
from gateway.mapiclient.table import Table, rows_of
from gateway.mapiclient.wire.calls_store import ResolveStore

OTHERS_PREFIX: Final = "Other Users"
_WILDCARDS: Final = frozenset("*%")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose mailboxes are meant, besides the user's own and the public ones."""

    owners: frozenset[str] = frozenset()
    """Login names."""
    everybody: bool = False
    """All who share something: takes many calls."""


NOBODY: Final = Wanted()


def wanted_by(patterns: Iterable[str]) -> Wanted:
    """Whose mailboxes are meant by mailbox names or LIST patterns."""
    owners: set[str] = set()
    everybody = False
    for pattern in patterns:
        if pattern[: len(OTHERS_PREFIX)].lower() != OTHERS_PREFIX.lower():
            continue
        delimiter, level = pattern[len(OTHERS_PREFIX) :][:1], pattern[len(OTHERS_PREFIX) + 1 :]
        owner = level.partition(names.DELIMITER)[0]
        if delimiter == names.DELIMITER and owner and not _WILDCARDS & set(owner):
            owners.add(names.folder_name(owner))
        else:
            everybody = True
    return Wanted(frozenset(owners), everybody)


def owners_of(*mailboxes: str) -> Wanted:
    """Whose mailboxes are named."""
    return Wanted(wanted_by(mailboxes).owners)


class Others:
    """What other users let one user see of their mail, ``own`` is his own store. Readings must not overlap."""

    def __init__(
        self,
        session: Caller,
        user: str,
        own: Callable[[], Store],
        acquaintances: Acquaintances,
        *,
        show_all: bool = False,
        portion: int = PORTION,
    ) -> None:
        self._session = session
        self._own = own
        self._show_all = show_all
        self._sharers = Sharers(session, user, self._look, acquaintances, portion)
        self._owners: dict[bytes, str] = {}

    @property
    def mailboxes(self) -> list[Mailbox]:
        """Their mailboxes, as they were when they were looked at."""
        return [mailbox for found in self._sharers.found.values() for mailbox in found]

    async def look(self, wanted: Wanted, now: float) -> bool:
        """Look at those whose mailboxes are wanted; whether anybody was looked at."""
        looked = [await self._sharers.look_for(login, now) for login in sorted(wanted.owners)]
        return (wanted.everybody and await self._sharers.ask(now)) or any(looked)

    def stale(self, wanted: Wanted) -> None:
        """Something was changed in their stores: have them looked at again when they are named."""
        for login in wanted.owners:
            self._sharers.stale(login)

    async def _look(self, login: str) -> list[Mailbox] | None:
        store = await Store.of_user(self._session, login)
        if store.guid == self._own().guid:
            return None  # the user himself, who spells his name in another way
        prefix = names.DELIMITER.join((OTHERS_PREFIX, names.level_name(login)))
        folders = StoreFolders(store.entryid, store.ipm_subtree, prefix=prefix, namespace=OTHER)
        rows = await rows_of(Table.hierarchy(self._session, store.ipm_subtree, FOLDER_TAGS))
        return mailboxes_of(rows, folders, show_all=self._show_all) or None

    async def owners(self, entryids: Iterable[bytes]) -> Wanted:
        """In whose stores folders are; what is in none that is there now is left out."""
        found: set[str] = set()
        for entryid in entryids:
            try:
                guid = parse_object_entryid(entryid).store
            except ValueError:
                continue
            with suppress(TransportError):  # on a server that cannot be reached now
                if guid not in self._owners:
                    self._owners[guid] = await self._owner(guid)
                found.add(self._owners[guid])
        return Wanted(frozenset(found - {""}))

    async def _owner(self, guid: bytes) -> str:
        try:
            _, store = await self._session.follow(ResolveStore(store_guid=guid))
            return (await directory.user(self._session, store.user_entryid)).username or ""
        except MapiError:
            return ""
