"""NOOP, LOGOUT, STARTTLS, COMPRESS and UNAUTHENTICATE: about the connection (RFC 9051 6.1, 6.2; RFC 4978, 8437)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap.answers import Done, Refused, StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec.write_status import untagged
from gateway.imap.connection import Connection


async def noop(connection: Connection, command: c.Noop) -> AsyncIterator[bytes | Done]:
    """Look what is new; it is told with the answer."""
    if connection.user is not None and connection.user.selection is not None:
        await connection.user.selection.view.refresh()
    yield Done()


async def logout(connection: Connection, command: c.Logout) -> AsyncIterator[bytes | Done]:
    """Say goodbye."""
    yield untagged("BYE", "Until next time")
    connection.log_out()
    connection.wire.after_answer(connection.wire.disconnect)


async def start_tls(connection: Connection, command: c.StartTLS) -> AsyncIterator[bytes | Done]:
    """Begin TLS behind the answer."""
    if not connection.can_start_tls:
        raise StateError("TLS is not possible here")
    connection.wire.after_answer(connection.wire.start_tls)
    yield Done("Begin TLS negotiation now")


async def compress(connection: Connection, command: c.Compress) -> AsyncIterator[bytes | Done]:
    """Compress behind the answer."""
    if connection.compressed:
        raise Refused("Compression is active already", "COMPRESSIONACTIVE")
    if command.mechanism != "DEFLATE" or not connection.can_compress:
        raise Refused("The mechanism is not supported")
    connection.compressed = True
    connection.wire.after_answer(connection.wire.compress)
    yield Done("Compression begins")


async def unauthenticate(connection: Connection, command: c.Unauthenticate) -> AsyncIterator[bytes | Done]:
    """Back to the state before login; TLS and compression stay (RFC 8437 section 3)."""
    connection.log_out()
    yield Done()
