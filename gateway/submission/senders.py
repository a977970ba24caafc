"""Who may send as whom: a user's own addresses, send-as of the directory, and delegates of a store (MS-OXODLGT)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.errors import MapiError, NotFound
from gateway.mapi.tables import ObjectType
from gateway.mapiclient import directory
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.message import load_message
from gateway.mapiclient.store import Store
from gateway.smtp.person import PERSON_COLUMNS, Person
from gateway.smtp.trusted import Trustees
from gateway.submission.header import addresses_of

_LOCAL_FREEBUSY: Final = 1


class Standing(Enum):
    """What an address is to a person."""

    OWN = "own"
    """His own, or one that he may send as: nobody sees the difference."""
    ON_BEHALF = "on behalf"
    """That of somebody whose delegate he is: Sender must tell who wrote (RFC 5322 3.6.2)."""
    FOREIGN = "foreign"


async def person_named(session: Caller, login: str) -> Person:
    """The person of a login name (NotFound)."""
    found = (await directory.resolve_names(session, [login], PERSON_COLUMNS, exact=True))[0]
    if (found.props.get(pr.PR_ACCOUNT) or "").lower() != login.lower():
        raise NotFound(f"the address book has no {login!r}")
    return Person(found.props[pr.PR_ACCOUNT], found.props)


class Senders:
    """Knows; without a store that trusts the gateway only of people's own addresses."""

    def __init__(self, trustees: Trustees | None) -> None:
        self._trustees = trustees

    async def standing(self, person: Person, address: str) -> Standing:
        """What an address is to a person."""
        if address.lower() in person.addresses:
            return Standing.OWN
        if self._trustees is None:
            return Standing.FOREIGN
        system = await self._trustees.system()
        found = (await directory.resolve_names(system, [address], PERSON_COLUMNS, exact=True))[0]
        other = Person(found.props.get(pr.PR_ACCOUNT) or "", found.props)
        if address.lower() not in other.addresses:
            return Standing.FOREIGN
        if await _may_send_as(system, found.props[pr.PR_ENTRYID], person):
            return Standing.OWN
        is_user = found.props.get(pr.PR_OBJECT_TYPE) == ObjectType.MAIL_USER
        if is_user and await _is_delegate(system, other, person):
            return Standing.ON_BEHALF
        return Standing.FOREIGN

    async def admitted(self, person: Person, mail: bytes) -> bytes | None:
        """The mail as this person may send it, with the Sender that it needs; None when he may not."""
        if not person.address:
            return None
        senders = addresses_of(mail, "sender")
        for sender in senders:
            if await self.standing(person, sender) is not Standing.OWN:
                return None
        standings = [await self.standing(person, author) for author in addresses_of(mail, "from")]
        if Standing.FOREIGN in standings:
            return None
        return mail if senders else with_sender(mail, person, standings)


def with_sender(mail: bytes, person: Person, standings: Sequence[Standing]) -> bytes:
    """A mail without Sender with it, when From is somebody else or several (RFC 5322 3.6.2)."""
    if Standing.ON_BEHALF in standings or len(standings) > 1:
        return f"Sender: <{person.address}>\r\n".encode() + mail
    return mail


async def may_send_as(trustees: Trustees, person: Person, address: str) -> bool:
    """Whether a person may send under an address, as his own or on behalf."""
    return await Senders(trustees).standing(person, address) is not Standing.FOREIGN


async def _may_send_as(system: Caller, entryid: bytes, person: Person) -> bool:
    """Whether the directory lets a person send as a user or group."""
    try:
        users = await directory.may_send_as(system, entryid)
    except MapiError:
        return False
    return any((user.username or "").lower() == person.login.lower() for user in users)


async def _is_delegate(system: Caller, principal: Person, person: Person) -> bool:
    """Whether a person is named as a delegate in the principal's store."""
    try:
        store = await Store.of_user(system, principal.login)
        root, _ = await load_props(store.session, store.root)
        entryids: Sequence[bytes] = root.get(pr.PR_FREEBUSY_ENTRYIDS) or ()
        if len(entryids) <= _LOCAL_FREEBUSY:
            return False
        settings = (await load_message(store.session, entryids[_LOCAL_FREEBUSY])).content
    except MapiError:
        return False
    return person.props.get(pr.PR_ENTRYID) in (settings.props.get(pr.PR_SCHDINFO_DELEGATE_ENTRYIDS) or ())
