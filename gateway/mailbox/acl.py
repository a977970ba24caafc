"""Rights of mailboxes: IMAP's letters (RFC 4314) and MAPI's bits (MS-OXCPERM 2.2.7), both ways, and the lists.

MAPI has fewer rights: a letter stands for the bits it needs, and a set of bits gives every letter whose bits it has.
``x`` and ``a`` both need ownership of the folder. Identifiers are login names; groups are written ``$group``
and everybody is ``anyone``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.mailbox.tree import Mailbox
from gateway.mapi.errors import InvalidParameter, NotFound
from gateway.mapi.ids import EVERYONE, parse_address_book_entryid
from gateway.mapi.rights import AccessEntry, AccessType, EntryState, Rights, completed
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.folder import get_rights, set_rights
from gateway.mapiclient.wire.calls_directory import GetGroup, GetUser, ResolveGroupname, ResolveUsername

#: Every letter with the bits it needs, in the order RFC 4314 lists them.
LETTERS: Final = {
    "l": Rights.FOLDER_VISIBLE,
    "r": Rights.READ_ANY,
    "s": Rights.EDIT_OWNED,
    "w": Rights.EDIT_ANY,
    "i": Rights.CREATE,
    "p": Rights.CREATE,
    "k": Rights.CREATE_SUBFOLDER,
    "x": Rights.FOLDER_OWNER,
    "t": Rights.DELETE_OWNED,
    "e": Rights.DELETE_ANY,
    "a": Rights.FOLDER_OWNER,
}
#: Letters of RFC 2086 that stand for some of today's. None of them for ``x``: who has that administers the folder here.
OBSOLETE: Final = {"c": "k", "d": "te"}
#: Letters that cannot be granted one without the other here (RIGHTS= and LISTRIGHTS, RFC 4314 2.1.1).
TIED: Final = ("ip", "xa")
ANYONE: Final = "anyone"


def letters_of(rights: int) -> str:
    """The letters a set of bits grants."""
    return "".join(letter for letter, bits in LETTERS.items() if rights & bits == bits)


def with_obsolete(letters: str) -> str:
    """Letters as they are told: with those of RFC 2086 for clients of old (RFC 4314 2.1.1)."""
    virtual = [old for old, today in (("c", "kx"), ("d", "te")) if not set(today).isdisjoint(letters)]
    return letters + "".join(virtual)


def rights_of(letters: str) -> Rights:
    """The bits of letters (InvalidParameter for a letter that does not exist)."""
    rights = Rights(0)
    for letter in "".join(OBSOLETE.get(letter, letter) for letter in letters):
        if letter not in LETTERS:
            raise InvalidParameter(f"there is no right {letter!r}")
        rights |= LETTERS[letter]
    return completed(rights)


async def access_list(session: Caller, mailbox: Mailbox) -> list[tuple[str, str]]:
    """Identifiers and their letters, of the entries on this very folder."""
    entries = await get_rights(session, mailbox.entryid)
    return [(await _identifier(session, entry), letters_of(entry.rights)) for entry in entries]


async def _identifier(session: Caller, entry: AccessEntry) -> str:
    if entry.user_entryid == EVERYONE:
        return ANYONE
    try:
        parts = parse_address_book_entryid(entry.user_entryid)
        if parts.type == ObjectType.DISTRIBUTION_LIST:
            group = (await session.call(GetGroup(group_entryid=entry.user_entryid))).group
            return f"${group.group_name}" if group is not None else f"$#{entry.user_id}"
        user = (await session.call(GetUser(user_entryid=entry.user_entryid))).user
    except (NotFound, ValueError):
        return f"#{entry.user_id}"  # an account that was deleted: still shown, so that it can be removed
    return user.username if user is not None and user.username else f"#{entry.user_id}"


async def set_access(session: Caller, mailbox: Mailbox, identifier: str, letters: str | None) -> None:
    """Replace what an identifier may do; None or no letters take the entry away.

    NotFound for an unknown identifier, NoAccess without ownership, InvalidParameter for an unknown letter.
    """
    entryid = await _entryid(session, identifier)
    existing = await get_rights(session, mailbox.entryid)
    known = any(entry.user_entryid == entryid for entry in existing)
    if letters:
        rights = int(rights_of(letters))
        state = EntryState.MODIFY if known else EntryState.NEW
    elif known:
        rights, state = 0, EntryState.DELETE
    else:
        return
    await set_rights(session, mailbox.entryid, [_entry(entryid, rights, state)])


def _entry(entryid: bytes, rights: int, state: int) -> AccessEntry:
    return AccessEntry(0, AccessType.GRANT, rights, state | EntryState.AUTO_UPDATE_DENIED, entryid)


async def _entryid(session: Caller, identifier: str) -> bytes:
    if identifier.lower() == ANYONE:
        return EVERYONE
    if identifier.startswith("$"):
        return (await session.call(ResolveGroupname(group_name=identifier[1:]))).group_entryid
    return (await session.call(ResolveUsername(username=identifier))).user_entryid


def changed_letters(present: Sequence[tuple[str, str]], identifier: str, change: str) -> str:
    """The letters after ``+letters``, ``-letters`` or plain ``letters`` (RFC 4314 3.1)."""
    before = dict(present).get(identifier, "")
    sign, letters = (change[0], change[1:]) if change[:1] in ("+", "-") else ("", change)
    expanded = "".join(OBSOLETE.get(letter, letter) for letter in letters)
    if sign == "+":
        return before + expanded
    if sign == "-":
        tied = {letter for group in TIED for letter in group if set(group) & set(expanded)}
        return "".join(letter for letter in before if letter not in expanded and letter not in tied)
    return expanded
