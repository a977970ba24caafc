"""GETACL, SETACL, DELETEACL, LISTRIGHTS and MYRIGHTS (RFC 4314)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from gateway.imap.answers import Done, Refused, StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_mailbox as w
from gateway.imap.connection import User
from gateway.mailbox.acl import LETTERS, OBSOLETE, TIED, letters_of, with_obsolete
from gateway.mailbox.tree import PERSONAL, Mailbox

ALL: Final = "".join(LETTERS)
#: What can be granted by itself, tied rights together, and at last letters of old (RFC 4314 2.1.1).
GRANTABLE: Final = (
    *dict.fromkeys(next((tied for tied in TIED if letter in tied), letter) for letter in LETTERS),
    *OBSOLETE,
)


async def get_acl(user: User, command: c.GetAcl) -> AsyncIterator[bytes | Done]:
    """Who may do what. The owner of a store is in no list and may do everything."""
    mailbox = await user.mailbox(command.mailbox)
    _must_administer(mailbox)
    entries = await user.account.access_list(mailbox)
    if mailbox.namespace == PERSONAL and all(who != user.account.user for who, _ in entries):
        entries = [(user.account.user, ALL), *entries]
    entries = [(who, with_obsolete(letters)) for who, letters in entries]
    yield w.acl(mailbox.name, entries, utf8=user.connection.utf8)


async def set_acl(user: User, command: c.SetAcl) -> AsyncIterator[bytes | Done]:
    """Grant rights."""
    unknown = set(command.rights) - set(LETTERS) - set(OBSOLETE)
    if unknown:
        raise StateError(f"There is no right {min(unknown)}")  # RFC 4314 3.1: BAD
    mailbox = await user.mailbox(command.mailbox)
    await user.account.set_access(mailbox, command.identifier, command.change + command.rights)
    yield Done()


async def delete_acl(user: User, command: c.DeleteAcl) -> AsyncIterator[bytes | Done]:
    """Take an entry away."""
    mailbox = await user.mailbox(command.mailbox)
    await user.account.set_access(mailbox, command.identifier, None)
    yield Done()


async def list_rights(user: User, command: c.ListRights) -> AsyncIterator[bytes | Done]:
    """What can be granted to somebody: everything, nothing is given without being asked for."""
    mailbox = await user.mailbox(command.mailbox)
    _must_administer(mailbox)
    owner = mailbox.namespace == PERSONAL and command.identifier == user.account.user
    required, optional = (with_obsolete(ALL), ()) if owner else ("", GRANTABLE)
    yield w.list_rights(mailbox.name, command.identifier, required, optional, utf8=user.connection.utf8)


def _must_administer(mailbox: Mailbox) -> None:
    """Raise Refused without the right ``a`` (RFC 4314 section 4)."""
    if not mailbox.rights & LETTERS["a"]:
        raise Refused("You may not see who has which rights", "NOPERM")


async def my_rights(user: User, command: c.MyRights) -> AsyncIterator[bytes | Done]:
    """What the user may do."""
    mailbox = await user.mailbox(command.mailbox)
    yield rights_of(user, mailbox)


def rights_of(user: User, mailbox: Mailbox) -> bytes:
    """MYRIGHTS of a mailbox, rendered."""
    return w.my_rights(mailbox.name, with_obsolete(letters_of(mailbox.rights)), utf8=user.connection.utf8)
