"""ENABLE (RFC 9051 6.3.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from gateway.imap import notifying
from gateway.imap.answers import Done
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_status
from gateway.imap.connection import User

#: What can be enabled, and what comes along with it.
ENABLES: Final[dict[str, tuple[str, ...]]] = {
    "CONDSTORE": ("CONDSTORE",),
    "QRESYNC": ("QRESYNC", "CONDSTORE"),  # RFC 7162 3.2.3
    "IMAP4REV2": ("IMAP4REV2",),
    "UTF8=ACCEPT": ("UTF8=ACCEPT",),
    "UIDONLY": ("UIDONLY",),
    "METADATA": ("METADATA",),  # RFC 5464 section 4.4: changes are told
    "METADATA-SERVER": ("METADATA-SERVER",),
}
_SPELLING: Final = {"IMAP4REV2": "IMAP4rev2"}


async def enable(user: User, command: c.Enable) -> AsyncIterator[bytes | Done]:
    """Turn extensions on; what is unknown is passed over."""
    connection = user.connection
    wanted = [name for name in command.names if name in ENABLES]
    new = [name for name in wanted if name not in connection.enabled]
    for name in wanted:
        connection.enabled.update(ENABLES[name])
    if any(name.startswith("METADATA") for name in new) and user.options.idle:
        yield await notifying.start(user, user.wishes)
    yield write_status.enabled(_SPELLING.get(name, name) for name in dict.fromkeys(new))
