"""CAPABILITY (RFC 9051 6.1.1) and ID (RFC 2971)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap.answers import Done
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_status
from gateway.imap.connection import Connection


async def capability(connection: Connection, command: c.Capability) -> AsyncIterator[bytes | Done]:
    """Say what is offered now."""
    yield write_status.capability(connection.capabilities)


async def identify(connection: Connection, command: c.Id) -> AsyncIterator[bytes | Done]:
    """Learn the client's name, tell ours."""
    connection.identify({name: value for name, value in command.fields if value is not None})
    name = connection.options.name
    yield write_status.identification([("name", name)] if name else [])
