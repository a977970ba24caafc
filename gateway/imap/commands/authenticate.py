"""LOGIN and AUTHENTICATE (RFC 9051 6.2.2, 6.2.3; RFC 4616, 4959)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.imap.answers import Done, Refused
from gateway.imap.codec import commands as c
from gateway.imap.codec import sasl
from gateway.imap.connection import Connection


async def login(connection: Connection, command: c.Login) -> AsyncIterator[bytes | Done]:
    """Log in with a password."""
    await connection.log_in(command.user, command.password)
    yield welcome(connection)


async def authenticate(connection: Connection, command: c.Authenticate) -> AsyncIterator[bytes | Done]:
    """Log in by SASL."""
    if not connection.may_log_in:
        raise Refused("Use TLS first", "PRIVACYREQUIRED")
    octets = command.initial
    if command.mechanism == "PLAIN":
        if octets is None:
            yield sasl.EMPTY
            octets = sasl.response(await connection.wire.line())
        authorize, user, password = sasl.plain(octets)
        if authorize not in ("", user):
            raise Refused("Acting as somebody else is not possible", "AUTHORIZATIONFAILED")
    elif command.mechanism == "LOGIN":
        if octets is None:
            yield sasl.USER
            octets = sasl.response(await connection.wire.line())
        user = sasl.text(octets)
        yield sasl.PASSWORD
        password = sasl.text(sasl.response(await connection.wire.line()))
    else:
        raise Refused("The mechanism is not supported")
    await connection.log_in(user, password)
    yield welcome(connection)


def welcome(connection: Connection) -> Done:
    """The answer to a login: capabilities have changed, so they come along (7.1)."""
    return Done("Logged in", f"CAPABILITY {' '.join(connection.capabilities)}")
