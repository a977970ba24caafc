"""NAMESPACE (RFC 9051 6.3.10): the user's own mailboxes, other users', public folders."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap.answers import Done
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_mailbox
from gateway.imap.connection import User
from gateway.mailbox.tree import OTHER, PUBLIC


async def namespace(user: User, command: c.Namespace) -> AsyncIterator[bytes | Done]:
    """Name the prefixes; a class without mailboxes is NIL."""
    found: dict[str, set[str]] = {OTHER: set(), PUBLIC: set()}
    for mailbox in await user.account.mailboxes():
        if mailbox.namespace in found:
            found[mailbox.namespace].add(mailbox.name.partition("/")[0] + "/")
    classes = ([""], sorted(found[OTHER]), sorted(found[PUBLIC]))
    yield write_mailbox.namespaces(classes, utf8=user.connection.utf8)
