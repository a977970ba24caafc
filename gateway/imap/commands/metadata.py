"""GETMETADATA and SETMETADATA (RFC 5464)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from gateway.imap.answers import Done, Refused, StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_mailbox as w
from gateway.imap.connection import User
from gateway.mailbox.annotations import MAX_ENTRIES, MAX_VALUE
from gateway.mailbox.raising import raise_modseq
from gateway.mailbox.tree import Mailbox

#: Who administers the server: no client sets it.
_ADMIN: Final = "/shared/admin"


async def get_metadata(user: User, command: c.GetMetadata) -> AsyncIterator[bytes | Done]:
    """Tell annotations; those longer than the client wants are left out and their longest size told (4.2.1)."""
    _check(command.entries if command.depth == 0 else [f"{name}/" for name in command.entries])
    mailbox = await _annotated(user, command.mailbox)
    there = await user.account.annotations(mailbox)
    found = chosen(there, command.entries, command.depth)
    longest = max((len(value or b"") for _, value in found), default=0)
    if command.max_size is not None and longest > command.max_size:
        found = [(name, value) for name, value in found if len(value or b"") <= command.max_size]
    if found:
        yield w.metadata(mailbox.name if mailbox else "", found, utf8=user.connection.utf8)
    if command.max_size is not None and longest > command.max_size:
        yield Done("Some entries are longer", f"METADATA LONGENTRIES {longest}")


async def set_metadata(user: User, command: c.SetMetadata) -> AsyncIterator[bytes | Done]:
    """Set annotations, or remove them."""
    names = [name for name, _ in command.entries]
    _check(names)
    if any(value is not None and len(value) > MAX_VALUE for _, value in command.entries):
        raise Refused("The value is too long", f"METADATA MAXSIZE {MAX_VALUE}")
    mailbox = await _annotated(user, command.mailbox)
    if mailbox is None and any(name == _ADMIN for name, _ in command.entries):
        raise Refused("The entry can only be read", "NOPERM")  # RFC 5464 6.2.2
    there = await user.account.annotations(mailbox)
    after = {name.lower() for name in there} | {name for name, value in command.entries if value is not None}
    if len(after) > MAX_ENTRIES:
        raise Refused("There are too many entries", "METADATA TOOMANY")
    await user.account.annotate(mailbox, dict(command.entries))
    if mailbox is not None and chosen(there, names, 0) != list(command.entries):
        await raise_modseq(user.account, mailbox)
    user.annotates(mailbox, dict(command.entries))
    yield Done()


def chosen(
    there: Mapping[str, bytes], wanted: Sequence[str], depth: int | None
) -> list[tuple[str, bytes | None]]:
    """The entries asked for; one that does not exist is told as NIL. Depth 1 adds children, None all below."""
    found: dict[str, bytes | None] = {}
    for name in wanted:
        below = {
            entry: value
            for entry, value in there.items()
            if entry.lower().startswith(name + "/")
            and (depth is None or entry.count("/") - name.count("/") <= depth)
        }
        exact = {entry: value for entry, value in there.items() if entry.lower() == name}
        if not exact and not below:
            found[name] = None
        found.update(exact)
        found.update(below)
    return list(found.items())


def _check(entries: Sequence[str]) -> None:
    """Raise StateError for an entry that is neither private nor shared (3.2)."""
    if any(not name.startswith(("/private/", "/shared/")) for name in entries):
        raise StateError("Entries begin with /private/ or /shared/")


async def _annotated(user: User, name: str) -> Mailbox | None:
    return await user.mailbox(name) if name else None
