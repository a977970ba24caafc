"""Who a recipient is: an address of the store's address book becomes a user's store and its folders.

What the store said is remembered for some seconds, so that a mail to many, or many mails to one, ask once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.lmtp.options import Options
from gateway.mailbox import names
from gateway.mailbox.columns import value_of
from gateway.mapi import proptags as pr
from gateway.mapi.errors import LogonFailed, NotFound, QuotaExceeded
from gateway.mapi.ids import parse_object_entryid
from gateway.mapi.props import Props
from gateway.mapi.tables import ObjectType
from gateway.mapiclient import directory
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.message import load_prop
from gateway.mapiclient.sessions import Lease
from gateway.mapiclient.store import Store
from gateway.mapiclient.table import Table
from gateway.smtp.codec.address import Address
from gateway.smtp.codec.replies import Refused
from gateway.smtp.person import PERSON_COLUMNS, Person
from gateway.smtp.trusted import Trustees

_FOLDERS: Final = (pr.PR_ENTRYID, pr.PR_PARENT_ENTRYID, pr.PR_DISPLAY_NAME)
_MOST: Final = 10_000
_JUNK: Final = 4
_HARD: Final = 3


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where one RCPT leads: a person, and perhaps a folder that the address names."""

    address: Address
    person: Person
    folder: str = ""


@dataclass(slots=True)
class Maildrop:
    """An opened store with what delivery needs to know of it."""

    leased: Caller
    """The session that found it."""
    session: Caller
    """The session on the server where it lies; the same unless there are several servers."""
    store: Store
    inbox: bytes
    inbox_props: Props
    folders: dict[str, bytes] | None = None
    """Entry ids by path in lower case, once somebody asked."""

    @property
    def junk(self) -> bytes:
        """The junk folder, or the Inbox when there is none."""
        others: Sequence[bytes] = self.inbox_props.get(pr.PR_ADDITIONAL_REN_ENTRYIDS) or ()
        return (others[_JUNK] if len(others) > _JUNK else b"") or self.inbox

    @property
    def trash(self) -> bytes:
        """The folder of deleted items."""
        return self.store.props.get(pr.PR_IPM_WASTEBASKET_ENTRYID) or self.inbox


class Recipients:
    """Looks recipients up."""

    def __init__(self, trustees: Trustees, options: Options) -> None:
        self._trustees = trustees
        self._options = options
        self._people: OrderedDict[str, tuple[float, Person | None]] = OrderedDict()
        self._maildrops: OrderedDict[str, tuple[float, Maildrop]] = OrderedDict()
        self._domains = frozenset(domain.lower() for domain in options.domains)

    async def find(self, address: Address) -> Recipient:
        """The recipient of an address (Refused when the address book has none)."""
        person = await self._person(address)
        if person is not None:
            return Recipient(address, person)
        separator = self._options.separator
        local, found, folder = address.local.partition(separator) if separator else (address.local, "", "")
        if found and local:
            person = await self._person(Address(local, address.domain))
            if person is not None:
                return Recipient(address, person, folder)
        raise Refused(550, "5.1.1", f"<{address}>: no such mailbox")

    async def _person(self, address: Address) -> Person | None:
        key = str(address).lower()
        now = self._trustees.clock.seconds()
        known = self._people.get(key)
        if known is not None and now - known[0] < self._options.recipient_cache:
            return known[1]
        person = await self._asked(address)
        self._people[key] = now, person
        self._people.move_to_end(key)
        while len(self._people) > _MOST:
            self._people.popitem(last=False)
        return person

    async def _asked(self, address: Address) -> Person | None:
        """Ask the address book, for the login name too where local parts are login names."""
        wanted = [str(address)]
        if address.domain.lower() in self._domains:
            wanted.append(address.local)
        system = await self._trustees.system()
        for found in await directory.resolve_names(system, wanted, PERSON_COLUMNS, exact=True):
            login = found.props.get(pr.PR_ACCOUNT)
            # An exact name may also be a display name, which is no address.
            if login and found.props.get(pr.PR_OBJECT_TYPE) == ObjectType.MAIL_USER:
                person = Person(login, found.props)
                text = str(address).lower()
                if text in person.addresses or address.local.lower() == login.lower():
                    return person
        return None

    async def open(self, person: Person) -> tuple[Lease, Maildrop]:
        """The person's store, and the lease of the session to release (NotFound, QuotaExceeded, TransportError)."""
        try:
            lease = await self._trustees.lease(person.login)
        except LogonFailed:  # a shared mailbox, say, that nobody may log on to
            lease = await self._trustees.lease_system()
        try:
            return lease, await self._opened(lease, person)
        except BaseException:
            lease.release()
            raise

    async def _opened(self, lease: Lease, person: Person) -> Maildrop:
        now = self._trustees.clock.seconds()
        known = self._maildrops.get(person.login)
        if known is not None and now - known[0] < self._options.recipient_cache:
            maildrop = known[1]
            if maildrop.leased is lease.session or lease.user != person.login:
                return maildrop
        store = await Store.of_user(lease.session, person.login)
        if lease.user != person.login:
            state = await directory.quota(lease.session, person.props[pr.PR_ENTRYID])
            if state.level >= _HARD:
                raise QuotaExceeded
        maildrop = await _maildrop(lease.session, store)
        self._maildrops[person.login] = now, maildrop
        self._maildrops.move_to_end(person.login)
        while len(self._maildrops) > _MOST // 10:
            self._maildrops.popitem(last=False)
        return maildrop

    def forget(self, person: Person) -> None:
        """What is known may be wrong: ask again."""
        self._maildrops.pop(person.login, None)


async def _maildrop(leased: Caller, store: Store) -> Maildrop:
    inbox = await store.receive_folder("IPM")
    props, _ = await load_props(store.session, inbox)
    if pr.PR_RULES_DATA not in props:
        try:
            value = await load_prop(store.session, inbox, pr.PR_RULES_DATA)
            props[pr.PR_RULES_DATA] = value if isinstance(value, bytes) else value.read()
        except NotFound:
            pass
    return Maildrop(leased, store.session, store, inbox, props)


async def folder_named(maildrop: Maildrop, name: str) -> bytes | None:
    """The folder of a ``user+folder`` address, whose levels ``/`` separates, in any case; None when there is none."""
    if maildrop.folders is None:
        maildrop.folders = await _paths(maildrop)
    path = "/".join(names.split(name)).casefold()
    if path == "inbox":
        return maildrop.inbox
    return maildrop.folders.get(path)


async def _paths(maildrop: Maildrop) -> dict[str, bytes]:
    found: dict[bytes, tuple[bytes, str]] = {}
    top = maildrop.store.ipm_subtree
    async with Table.hierarchy(maildrop.session, top, _FOLDERS) as table:
        async for rows in table.batches():
            for row in rows:
                entryid, parent, name = map(value_of, row)
                found[entryid] = parent, name or ""
    return {_path(entryid, found): entryid for entryid in found}


def _path(entryid: bytes, folders: dict[bytes, tuple[bytes, str]]) -> str:
    levels: list[str] = []
    while entryid in folders and len(levels) < 64:
        entryid, name = folders[entryid]
        levels.insert(0, name)
    return "/".join(levels).casefold()


def store_guid(folder: bytes) -> bytes:
    """The GUID of the store a folder lies in (ValueError)."""
    return parse_object_entryid(folder).store
