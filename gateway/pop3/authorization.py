"""The commands before login: USER, PASS, AUTH, STLS, UTF8; and what a login does (RFC 1939 section 4, RFC 5034, RFC 2595)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable

from gateway.pop3.codec import Command, ParseError, err, listing, ok
from gateway.pop3.errors import InUse, StateError, TooSoon
from gateway.pop3.maildrop import Maildrop
from gateway.pop3.session import Reply, Session, State


async def user(session: Session, command: Command) -> Reply:
    """Take the name; whether it exists is not told (RFC 1939 section 13)."""
    _require_safety(session)
    session.user = command.text
    return ok("send PASS")


async def password(session: Session, command: Command) -> Reply:
    """Log in with the name that USER gave."""
    _require_safety(session)
    name, session.user = session.user, ""
    if not name:
        raise StateError("send USER first")
    return await log_in(session, name, command.text)


async def stls(session: Session, command: Command) -> Reply:
    """Begin TLS; what was known before is forgotten (RFC 2595 section 4)."""
    if session.secure:
        raise StateError("TLS is active already")
    if not session.shared.tls:
        raise StateError("TLS is not configured here")
    session.user = ""
    session.connection.start_tls()
    return ok("begin TLS")


async def utf8(session: Session, command: Command) -> Reply:
    """Switch to UTF-8 mode (RFC 6856 section 2). Mail is sent as it is in both modes."""
    session.utf8 = True
    return ok("UTF-8 it is")


async def auth(session: Session, command: Command) -> Reply:
    """Begin a SASL exchange (RFC 5034), or list the mechanisms as old clients ask."""
    if not command.text.strip():
        return listing("mechanisms follow", [name.encode() for name in MECHANISMS])
    _require_safety(session)
    mechanism, _, initial = command.text.strip().partition(" ")
    begin = MECHANISMS.get(mechanism.upper())
    if begin is None:
        raise ParseError(f"no such mechanism; there are {' '.join(MECHANISMS)}")
    return await begin(session, initial.strip() or None)


async def _plain(session: Session, initial: str | None) -> Reply:
    """PLAIN (RFC 4616): authorization identity, name and password in one message."""

    async def finish(line: bytes) -> Reply:
        words = _decoded(line).split("\0")
        if len(words) != 3:
            raise ParseError("a PLAIN message has three parts")
        if words[0] not in ("", words[1]):
            raise ParseError("logging in for somebody else is not offered")
        return await log_in(session, words[1], words[2])

    return await finish(initial.encode()) if initial is not None else _ask(session, b"", finish)


async def _login(session: Session, initial: str | None) -> Reply:
    """LOGIN: the name, then the password, as many clients still do."""

    async def name(line: bytes) -> Reply:
        found = _decoded(line)

        async def finish(line: bytes) -> Reply:
            return await log_in(session, found, _decoded(line))

        return _ask(session, b"Password:", finish)

    return await name(initial.encode()) if initial is not None else _ask(session, b"Username:", name)


MECHANISMS: dict[str, Callable[[Session, str | None], Awaitable[Reply]]] = {"PLAIN": _plain, "LOGIN": _login}
"""The SASL mechanisms by name."""


def _ask(session: Session, challenge: bytes, then: Callable[[bytes], Awaitable[Reply]]) -> bytes:
    """A server challenge; the next line is the answer, "*" gives up (RFC 5034 section 4)."""

    async def answer(line: bytes) -> Reply:
        session.exchange = None
        if line == b"*":
            return err("the exchange was cancelled")
        return await then(line)

    session.exchange = answer
    return b"+ " + base64.b64encode(challenge) + b"\r\n"


def _decoded(line: bytes) -> str:
    """The text of a base64 line; "=" is the empty one."""
    if line == b"=":
        return ""
    try:
        return base64.b64decode(line, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ParseError("the response is not base64 of UTF-8") from error


def _require_safety(session: Session) -> None:
    """Refuse passwords in the clear where the configuration does."""
    if not session.may_log_in:
        how = "send STLS first" if session.shared.tls else "connect to the TLS port"
        raise StateError(f"passwords are not taken in the clear: {how}")


async def log_in(session: Session, name: str, password: str) -> Reply:
    """Open the maildrop of a user, or of ``user+folder``; raise what errors.py translates."""
    shared = session.shared
    if not password or "\0" in name + password:
        raise ParseError("a password is needed")
    user_name, folder = _split(name, shared.options.folder_separator, shared.options.mailbox)
    account = await shared.authenticate(user_name, password, session.peer)
    try:
        if shared.logged_in_lately(account.user):
            raise TooSoon
        maildrop = await Maildrop.open(account, folder, shared.options)
    except BaseException:
        account.logout()
        raise
    session.maildrop = maildrop
    try:
        _lock(session, maildrop)
    except InUse:
        session.leave()
        raise
    session.state = State.TRANSACTION
    return ok(f"{len(maildrop)} messages")


def _split(name: str, separator: str, mailbox: str) -> tuple[str, str]:
    """User and folder of a login name."""
    if not separator:
        return name, mailbox
    user_name, _, folder = name.partition(separator)
    return (user_name, folder or mailbox) if user_name else (name, mailbox)


def _lock(session: Session, maildrop: Maildrop) -> None:
    """Take the maildrop for this session alone, if the configuration wants that (RFC 1939 section 4)."""
    if not session.shared.options.exclusive:
        return
    lock = (maildrop.account.user, maildrop.mailbox.entryid)
    if lock in session.shared.locks:
        raise InUse
    session.shared.locks.add(lock)
    session.lock = lock
