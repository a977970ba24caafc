"""NAMESPACE (RFC 9051 6.3.10): the user's own mailboxes, other users', public folders."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap.answers import Done
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_mailbox
from gateway.imap.connection import User
from gateway.mailbox.folders import PUBLIC_PREFIX
from gateway.mailbox.names import DELIMITER
from gateway.mailbox.others import OTHERS_PREFIX
from gateway.mailbox.tree import PUBLIC


async def namespace(user: User, command: c.Namespace) -> AsyncIterator[bytes | Done]:
    """Name the prefixes. Public folders are named when there are any that the user may see."""
    public = any(mailbox.namespace == PUBLIC for mailbox in await user.account.mailboxes())
    classes = ([""], [OTHERS_PREFIX + DELIMITER], [PUBLIC_PREFIX + DELIMITER] if public else [])
    yield write_mailbox.namespaces(classes, utf8=user.connection.utf8)
