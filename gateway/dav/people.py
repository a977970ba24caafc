"""People: users and groups by name and by entry id, asked once for each and kept for a while."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from gateway.convert.vcard.gal import gal_addresses
from gateway.dav import hrefs
from gateway.mapi import proptags as pr
from gateway.mapi.errors import MapiError
from gateway.mapi.ids import EVERYONE, parse_address_book_entryid
from gateway.mapi.tables import ObjectType
from gateway.mapiclient import directory
from gateway.mapiclient.session import Session
from gateway.mapiclient.wire.calls_directory import GetGroup, GetUserListOfGroup, ResolveGroupname
from gateway.mapiclient.wire.structs import Group, User

_AGE: Final = 600.0
#: Who was not there may have been added since.
_AGE_OF_NOBODY: Final = 30.0
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Person:
    """A user or a group."""

    entryid: bytes
    principal: str
    """The first part of its paths: the login name, or the group's name behind `hrefs.GROUP`."""
    name: str
    addresses: tuple[str, ...] = ()
    """SMTP addresses, the main one first."""
    is_group: bool = False
    is_hidden: bool = False
    """Whether the address book does not show it."""


class People:
    """Users and groups of the directory."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._known: dict[tuple[bytes, str | bytes], tuple[float, Person | None]] = {}

    async def addresses(self, session: Session, login: str) -> tuple[tuple[str, ...], str]:
        """All SMTP addresses of a user, the main one first, and his full name; nothing for a user unknown."""
        person = await self.person(session, login)
        return (person.addresses, person.name) if person is not None else ((), "")

    async def person(self, session: Session, principal: str) -> Person | None:
        """A user by login name, a group by its name behind `hrefs.GROUP`; None when there is none."""
        return await self._kept(session, principal, lambda: self._named(session, principal))

    async def of_entryid(self, session: Session, entryid: bytes) -> Person | None:
        """A user or group by its entry id; None when it is gone."""
        return await self._kept(session, entryid, lambda: self._identified(session, entryid))

    async def groups_of(self, session: Session, person: Person) -> list[Person]:
        """The groups that a user or group is directly in; that of everybody is none."""
        try:
            found = await directory.groups_of(session, person.entryid)
        except MapiError:
            return []
        return [_of_group(each) for each in found if each.group_entryid != EVERYONE and each.group_name]

    async def members_of(self, session: Session, group: Person) -> list[Person]:
        """The users and groups that are directly in a group."""
        try:
            found = (await session.call(GetUserListOfGroup(group_entryid=group.entryid))).users
        except MapiError:
            return []
        people = [await self.of_entryid(session, each.user_entryid) for each in found]
        return [each for each in people if each is not None]

    async def _kept(
        self, session: Session, key: str | bytes, ask: Callable[[], Awaitable[Person | None]]
    ) -> Person | None:
        place = session.server_guid, key
        found = self._known.get(place)
        if found is None or self._seconds() - found[0] > (_AGE if found[1] else _AGE_OF_NOBODY):
            try:
                person = await ask()
            except MapiError:
                person = None
            if len(self._known) >= _MOST:
                self._known.clear()
            found = self._known[place] = self._seconds(), person
        return found[1]

    async def _named(self, session: Session, principal: str) -> Person | None:
        if not principal.startswith(hrefs.GROUP):
            return await self._user(session, await directory.user_named(session, principal))
        name = principal.removeprefix(hrefs.GROUP)
        entryid = (await session.call(ResolveGroupname(group_name=name))).group_entryid
        return await self._identified(session, entryid)

    async def _identified(self, session: Session, entryid: bytes) -> Person | None:
        try:
            kind = parse_address_book_entryid(entryid).type
        except ValueError:
            return None
        if kind == ObjectType.DISTRIBUTION_LIST:
            group = (await session.call(GetGroup(group_entryid=entryid))).group
            return _of_group(group) if group is not None and group.group_name else None
        return await self._user(session, await directory.user(session, entryid))

    async def _user(self, session: Session, user: User) -> Person | None:
        if not user.username:
            return None
        try:
            props = await directory.details(session, user.user_entryid)
        except MapiError:
            props = {}
        props.setdefault(pr.PR_SMTP_ADDRESS, user.mail_address)
        addresses = tuple(gal_addresses(props))
        hidden = bool(user.is_ab_hidden)
        return Person(user.user_entryid, user.username, user.full_name or "", addresses, is_hidden=hidden)


def _of_group(group: Group) -> Person:
    name = group.group_name or ""
    addresses = (group.full_email,) if group.full_email else ()
    return Person(
        group.group_entryid,
        hrefs.GROUP + name,
        group.full_name or name,
        addresses,
        is_group=True,
        is_hidden=bool(group.is_ab_hidden),
    )
