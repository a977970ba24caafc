"""Who may send as whom: a user's own addresses, send-as of the directory, and delegates of a store (mapi-soap 13.7)."""

from __future__ import annotations

from collections.abc import Sequence
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

_LOCAL_FREEBUSY: Final = 1


async def person_named(session: Caller, login: str) -> Person:
    """The person of a login name (NotFound)."""
    found = (await directory.resolve_names(session, [login], PERSON_COLUMNS, exact=True))[0]
    if (found.props.get(pr.PR_ACCOUNT) or "").lower() != login.lower():
        raise NotFound(f"the address book has no {login!r}")
    return Person(found.props[pr.PR_ACCOUNT], found.props)


async def may_send_as(trustees: Trustees | None, person: Person, address: str) -> bool:
    """Whether a person may use an address as his own. Others' addresses need a store that trusts the gateway."""
    if address.lower() in person.addresses:
        return True
    if trustees is None:
        return False
    system = await trustees.system()
    found = (await directory.resolve_names(system, [address], PERSON_COLUMNS, exact=True))[0]
    other = Person(found.props.get(pr.PR_ACCOUNT) or "", found.props)
    if address.lower() not in other.addresses:
        return False
    try:
        users = await directory.may_send_as(system, found.props[pr.PR_ENTRYID])
    except MapiError:
        users = []
    if any((user.username or "").lower() == person.login.lower() for user in users):
        return True
    is_user = found.props.get(pr.PR_OBJECT_TYPE) == ObjectType.MAIL_USER
    return is_user and await _is_delegate(system, other, person)


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
