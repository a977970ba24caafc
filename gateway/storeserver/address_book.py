"""The address book: its containers, the rows of its tables, the properties of users and groups, name resolution.

Containers 0 (root), 1 (Global Address Book) and 2 (All Address Lists) are built in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from gateway.mapi import ids
from gateway.mapi import proptags as p
from gateway.mapi.errors import InvalidParameter, NotFound
from gateway.mapi.props import Props, PropTag, canonical
from gateway.mapi.tables import ObjectType
from gateway.storeserver import groups
from gateway.storeserver.accounts import (
    EVERYONE_ID,
    SYSTEM_ID,
    Account,
    Actor,
    ObjectClass,
    account_by_entryid,
    accounts,
)
from gateway.storeserver.database import Transaction
from gateway.storeserver.rows import Rows

ADDRESS_TYPE: Final = "ZARAFA"
ROOT, GLOBAL, ALL_LISTS = 0, 1, 2
_NAMES: Final = {ROOT: "Address Book", GLOBAL: "Global Address Book", ALL_LISTS: "All Address Lists"}
_RECIPIENTS_UNMODIFIABLE_UNICODE: Final = 0x49
_SUBCONTAINERS: Final = 0x02
_ALL_LISTS_ID: Final = 7000
_DISPLAY_TYPES_EX: Final = {
    ObjectClass.ACTIVE_USER: 0x40000000,
    ObjectClass.NONACTIVE_USER: 0,
    ObjectClass.ROOM: 7,
    ObjectClass.EQUIPMENT: 8,
    ObjectClass.CONTACT: 6,
    ObjectClass.DISTRIBUTION_GROUP: 1,
    ObjectClass.SECURITY_GROUP: 0x40000009,
    ObjectClass.DYNAMIC_GROUP: 3,
}
UNRESOLVED, AMBIGUOUS, RESOLVED = 0, 1, 2


def container_entryid(number: int) -> bytes:
    """The entry id of a built-in container."""
    return ids.address_book_entryid(ids.AddressBookId(ObjectType.AB_CONTAINER, number))


def _parts(entryid: bytes) -> ids.AddressBookId:
    try:
        return ids.parse_address_book_entryid(entryid)
    except ValueError:
        raise NotFound("not the entry id of an address book object") from None


def visible(tx: Transaction, actor: Actor) -> list[Account]:
    """The users and groups the actor sees in the address book: users, then groups, by number."""
    found = [*accounts(tx, groups=False), *accounts(tx, groups=True)]
    if actor.is_system or actor.admin_level >= 1:
        return found
    hidden = {SYSTEM_ID} if tx.options.hide_system else set()
    if tx.options.hide_everyone:
        hidden.add(EVERYONE_ID)
    return [account for account in found if not account.hidden and account.id not in hidden]


def rows(
    tx: Transaction,
    actor: Actor,
    entryid: bytes,
    object_type: int,
    columns: Iterable[PropTag],
    keys: Collection[int] | None = None,
) -> Rows:
    """The rows of an address book table, keyed by account or container number.

    ``object_type`` 4 lists the containers in a container; otherwise the users and groups of the Global Address
    Book, or the members of a distribution list.
    """
    wanted = {canonical(tag) for tag in columns}
    parts = _parts(entryid)
    if parts.type == ObjectType.AB_CONTAINER and object_type == ObjectType.AB_CONTAINER:
        inside = [GLOBAL, ALL_LISTS] if parts.number == ROOT else []
        found = [(number, container_props(number)) for number in inside]
    else:
        senders = p.PR_EC_SENDAS_USER_ENTRYIDS in wanted
        people = _contents(tx, actor, entryid, parts)
        found = [(each.id, account_props(tx, each, senders=senders)) for each in people]
    return [
        (key, {tag: value for tag, value in props.items() if tag in wanted})
        for key, props in found
        if keys is None or key in keys
    ]


def _contents(tx: Transaction, actor: Actor, entryid: bytes, parts: ids.AddressBookId) -> Sequence[Account]:
    if parts.type == ObjectType.AB_CONTAINER:
        if parts.number == ALL_LISTS:
            raise InvalidParameter("the list of address lists has no contents")
        if parts.number not in (ROOT, GLOBAL):
            raise NotFound(f"there is no container {parts.number}")
        return visible(tx, actor)
    group = account_by_entryid(tx, entryid)
    if not group.is_group:
        raise NotFound("a user has no members")
    seen = {account.id for account in visible(tx, actor)}
    return [member for member in groups.members(tx, group) if member.id in seen]


def props_of(tx: Transaction, actor: Actor, entryid: bytes) -> Props:
    """All properties of a user, group or container (readABProps; NotFound)."""
    parts = _parts(entryid)
    if parts.type == ObjectType.AB_CONTAINER:
        if parts.number not in _NAMES:
            raise NotFound(f"there is no container {parts.number}")
        return container_props(parts.number)
    return account_props(tx, account_by_entryid(tx, entryid))


def container_props(number: int) -> Props:
    """The properties of a built-in container."""
    root = number == ROOT
    return {
        p.PR_ENTRYID: container_entryid(number),
        p.PR_RECORD_KEY: container_entryid(number),
        p.PR_INSTANCE_KEY: number.to_bytes(4, "little") + bytes(4),
        p.PR_EMS_AB_PARENT_ENTRYID: container_entryid(ROOT),
        p.PR_PARENT_ENTRYID: container_entryid(ROOT),
        p.PR_OBJECT_TYPE: int(ObjectType.AB_CONTAINER),
        p.PR_DISPLAY_NAME: _NAMES[number],
        p.PR_DISPLAY_TYPE: 0x20000 if number == GLOBAL else 0x50000,
        p.PR_CONTAINER_FLAGS: _RECIPIENTS_UNMODIFIABLE_UNICODE | (_SUBCONTAINERS if root else 0),
        p.PR_EMS_AB_CONTAINERID: _ALL_LISTS_ID if number == ALL_LISTS else 0,
        p.PR_EMS_AB_IS_MASTER: False,
        p.PR_AB_PROVIDER_ID: ids.MUIDECSAB,
        p.PR_DEPTH: 0 if root else 1,
    }


def account_props(tx: Transaction, account: Account, *, senders: bool = True) -> Props:
    """The properties of a user or group; who may send as it is a statement of its own for each."""
    searched = account.full_name if account.is_group else account.email
    key = account.id.to_bytes(4, "little")
    props = account.props | {
        p.PR_ENTRYID: account.entryid,
        p.PR_RECORD_KEY: key,
        p.PR_INSTANCE_KEY: key + bytes(4),
        p.PR_OBJECT_TYPE: int(account.object_type),
        p.PR_ADDRTYPE: ADDRESS_TYPE,
        p.PR_EMAIL_ADDRESS: account.name,
        p.PR_ACCOUNT: account.name,
        p.PR_DISPLAY_NAME: account.full_name,
        p.PR_NORMALIZED_SUBJECT: account.full_name,
        p.PR_TRANSMITABLE_DISPLAY_NAME: account.full_name,
        p.PR_7BIT_DISPLAY_NAME: account.full_name,
        p.PR_SEARCH_KEY: ids.search_key(ADDRESS_TYPE, searched),
        p.PR_DISPLAY_TYPE: _display_type(account),
        p.PR_DISPLAY_TYPE_EX: _DISPLAY_TYPES_EX.get(ObjectClass(account.object_class), 0),
        p.PR_MESSAGE_CLASS: "IPM.DistList" if account.is_group else "IPM.Contact",
        p.PR_AB_PROVIDER_ID: ids.MUIDECSAB,
        p.PR_EC_AB_HIDDEN: account.hidden,
        p.PR_EMS_AB_PARENT_ENTRYID: container_entryid(GLOBAL),
        p.PR_PARENT_ENTRYID: container_entryid(GLOBAL),
    }
    if senders:
        props[p.PR_EC_SENDAS_USER_ENTRYIDS] = tuple(each.entryid for each in groups.senders(tx, account))
    if account.email:
        aliases = tuple(account.props.get(p.PR_EMS_AB_PROXY_ADDRESSES, ()))
        others = tuple(alias if alias.lower().startswith("smtp:") else f"smtp:{alias}" for alias in aliases)
        props[p.PR_SMTP_ADDRESS] = account.email
        props[p.PR_EMS_AB_PROXY_ADDRESSES] = (f"SMTP:{account.email}", *others)
    if not account.is_group:
        props[p.PR_EC_NONACTIVE] = account.object_class != ObjectClass.ACTIVE_USER
        props[p.PR_EC_ADMINISTRATOR] = account.admin_level
    return props


def _display_type(account: Account) -> int:
    if account.is_group:
        return 1
    return 6 if account.object_class == ObjectClass.CONTACT else 0


def resolve_names(
    tx: Transaction,
    actor: Actor,
    columns: Sequence[PropTag],
    queries: Sequence[Props],
    flags: Sequence[int],
    *,
    exact: bool,
) -> list[tuple[Props, int]]:
    """What each query for a name means: the wanted columns and RESOLVED, or nothing and UNRESOLVED or AMBIGUOUS.

    The text is the query's PR_DISPLAY_NAME. ``exact`` compares whole login names, full names and addresses, users
    before groups; otherwise a full name, login name or address that starts with the text is a hit.
    """
    if len(queries) != len(flags):
        raise InvalidParameter("as many flags as names are needed")
    book = visible(tx, actor)
    wanted = [canonical(tag) for tag in columns]
    result: list[tuple[Props, int]] = []
    for query, flag in zip(queries, flags, strict=True):
        if flag == RESOLVED:
            result.append((query, RESOLVED))
            continue
        text = str(query.get(p.PR_DISPLAY_NAME, "")).strip().casefold()
        found = _best(book, text) if exact else _starting_with(book, text)
        if len(found) == 1:
            props = account_props(tx, found[0])
            result.append((query | {tag: props[tag] for tag in wanted if tag in props}, RESOLVED))
        else:
            result.append(({}, AMBIGUOUS if found else UNRESOLVED))
    return result


def _texts(account: Account) -> Iterable[str]:
    yield account.name.casefold()
    yield account.full_name.casefold()
    if account.email:
        yield account.email.casefold()
    for alias in account.props.get(p.PR_EMS_AB_PROXY_ADDRESSES, ()):
        yield alias.rpartition(":")[2].casefold()


def _best(book: Sequence[Account], text: str) -> list[Account]:
    found = [account for account in book if text and text in _texts(account)]
    users = [account for account in found if not account.is_group]
    active = [account for account in users if account.object_class == ObjectClass.ACTIVE_USER]
    return active or users or found


def _starting_with(book: Sequence[Account], text: str) -> list[Account]:
    if not text:
        return []
    exact = _best(book, text)
    if len(exact) == 1:
        return exact
    return [account for account in book if any(each.startswith(text) for each in _texts(account))]
