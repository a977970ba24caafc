"""Users of the store by their mail addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.mapi import proptags as pr
from gateway.mapiclient import directory
from gateway.mapiclient.session import Session
from gateway.smtp.person import PERSON_COLUMNS, Person


@dataclass(frozen=True, slots=True)
class User:
    """A user of the store."""

    login: str
    entryid: bytes


async def users_of(session: Session, addresses: Sequence[str]) -> dict[str, User]:
    """The users with these mail addresses, in one call; whom the address book does not have is left out."""
    if not addresses:
        return {}
    found: dict[str, User] = {}
    answers = await directory.resolve_names(session, addresses, PERSON_COLUMNS, exact=True)
    for address, answer in zip(addresses, answers, strict=False):
        person = Person(answer.props.get(pr.PR_ACCOUNT) or "", answer.props)
        if person.login and address.lower() in person.addresses:
            found[address] = User(person.login, answer.props[pr.PR_ENTRYID])
    return found


async def is_same(session: Session, address: str, others: Sequence[str]) -> bool:
    """Whether an address is of the same user as one of others."""
    found = await users_of(session, [address, *others])
    return address in found and any(
        each in found and found[each].login == found[address].login for each in others
    )
