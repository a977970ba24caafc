"""The octets of a new message: what the client sent, or pieces of what it sent and of messages in the store."""

from __future__ import annotations

from gateway.imap import spool
from gateway.imap.answers import Refused
from gateway.imap.codec import commands as c
from gateway.imap.codec.cursor import Literal
from gateway.imap.connection import User
from gateway.mapi.content import Blob


async def assembled(user: User, message: c.NewMessage) -> bytes | Blob:
    """The octets of a message to store."""
    [part] = message.parts
    if isinstance(part, Literal):
        return spool.content(part)
    raise Refused("URLs are not supported", f"BADURL {part.url}")
