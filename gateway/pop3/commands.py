"""Every command: in which states it may be given and what does it. CAPA and LANG, which any state has, live here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from gateway.pop3 import authorization, codec, transaction
from gateway.pop3.codec import Command, ParseError, listing, ok
from gateway.pop3.errors import StateError
from gateway.pop3.session import Reply, Session, State

_LANGUAGES: Final = {"en": "English", "i-default": "English"}


@dataclass(frozen=True, slots=True)
class Entry:
    """The states of a command and its work."""

    states: frozenset[State]
    run: Callable[[Session, Command], Awaitable[Reply]]


async def capa(session: Session, command: Command) -> Reply:
    """What this server can do, here and now (RFC 2449 section 5)."""
    return listing("capabilities follow", [line.encode() for line in capabilities(session)])


def capabilities(session: Session) -> list[str]:
    """The lines of CAPA."""
    options = session.shared.options
    before = session.state is State.AUTHORIZATION
    offers = {
        "TOP": True,
        "UIDL": True,
        "RESP-CODES": True,
        "AUTH-RESP-CODE": True,
        "PIPELINING": True,
        "STLS": before and session.shared.tls and not session.secure,
        "USER": session.may_log_in,
        f"SASL {' '.join(authorization.MECHANISMS)}": session.may_log_in,
        "UTF8 USER": True,
        "LANG": True,
        "EXPIRE NEVER": True,
        f"LOGIN-DELAY {options.login_delay:.0f}": bool(options.login_delay),
        f"IMPLEMENTATION {options.implementation}": bool(options.implementation),
    }
    return [line for line, offered in offers.items() if offered]


async def lang(session: Session, command: Command) -> Reply:
    """List the languages of reply texts, or choose one (RFC 6856 section 3)."""
    wanted = command.text.strip().lower()
    if not wanted:
        return listing("languages follow", [f"{tag} {name}".encode() for tag, name in _LANGUAGES.items()])
    tag = "en" if wanted == "*" or wanted.startswith("en-") else wanted
    if tag not in _LANGUAGES:
        raise ParseError("this language is not spoken here")
    return ok(f"{tag} {_LANGUAGES[tag]} it is")


_BEFORE: Final = frozenset({State.AUTHORIZATION})
_AFTER: Final = frozenset({State.TRANSACTION})
_ANY: Final = _BEFORE | _AFTER

COMMANDS: Final = {
    "USER": Entry(_BEFORE, authorization.user),
    "PASS": Entry(_BEFORE, authorization.password),
    "AUTH": Entry(_BEFORE, authorization.auth),
    "STLS": Entry(_BEFORE, authorization.stls),
    "UTF8": Entry(_BEFORE, authorization.utf8),
    "CAPA": Entry(_ANY, capa),
    "LANG": Entry(_ANY, lang),
    "QUIT": Entry(_ANY, transaction.quit_),
    "NOOP": Entry(_AFTER, transaction.noop),
    "STAT": Entry(_AFTER, transaction.stat),
    "LIST": Entry(_AFTER, transaction.list_sizes),
    "UIDL": Entry(_AFTER, transaction.unique_ids),
    "RETR": Entry(_AFTER, transaction.retrieve),
    "TOP": Entry(_AFTER, transaction.top),
    "DELE": Entry(_AFTER, transaction.delete),
    "RSET": Entry(_AFTER, transaction.reset),
}
"""The grammar of the same names is in codec.GRAMMAR."""


async def answer(session: Session, line: bytes) -> Reply:
    """Carry out one line of the client; raise what errors.py translates."""
    if session.exchange is not None:
        exchange, session.exchange = session.exchange, None
        return await exchange(line)
    command = codec.parse(line)
    entry = COMMANDS[command.name]
    if session.state not in entry.states:
        raise StateError(
            "log in first" if session.state is State.AUTHORIZATION else "you are logged in already"
        )
    return await entry.run(session, command)
