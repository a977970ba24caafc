"""The commands after login (RFC 1939 sections 5 to 7)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from itertools import islice
from typing import Final

from gateway.mailbox.source import Source
from gateway.pop3.codec import CRLF, END, Command, DotStuffer, TopCut, ok
from gateway.pop3.maildrop import Maildrop
from gateway.pop3.session import Reply, Session, State

_SLICE: Final = 64 * 1024
"""Octets of a message that are sent at a time."""
_LINES: Final = 1000
"""Lines of a listing that are sent at a time."""


async def stat(session: Session, command: Command) -> Reply:
    """How many messages, and how many octets."""
    sizes = await session.drop.sizes()
    numbers = list(session.drop)
    return ok(f"{len(numbers)} {sum(sizes[number - 1] for number in numbers)}")


async def list_sizes(session: Session, command: Command) -> Reply:
    """The size of one message or of all."""
    drop = session.drop
    for number in command.numbers:
        drop.require(number)
        return ok(f"{number} {(await drop.sizes())[number - 1]}")
    return _listing(drop, [b"%d" % size for size in await drop.sizes()])


async def unique_ids(session: Session, command: Command) -> Reply:
    """The unique id of one message or of all."""
    drop = session.drop
    for number in command.numbers:
        drop.require(number)
        return ok(f"{number} {drop.unique_ids()[number - 1].decode()}")
    return _listing(drop, drop.unique_ids())


async def _listing(drop: Maildrop, values: list[bytes]) -> AsyncIterator[bytes]:
    """A value for each message that is not deleted, some at a time."""
    yield ok(f"{len(drop)} messages")
    numbers = iter(list(drop))
    while some := list(islice(numbers, _LINES)):
        yield b"".join(b"%d %b\r\n" % (number, values[number - 1]) for number in some)
    yield END


async def retrieve(session: Session, command: Command) -> Reply:
    """A whole message."""
    (number,) = command.numbers
    drop = session.drop
    source = await drop.source(number)
    if source.size > _SLICE:
        return _message(drop, number, source)
    stuffer = DotStuffer()
    body = stuffer.feed(source.slice(0, source.size))
    drop.retrieved(number)
    return b"".join((_octets(source), body, stuffer.finish()))


async def _message(drop: Maildrop, number: int, source: Source) -> AsyncIterator[bytes]:
    """The reply of RETR to a message that is sent in pieces."""
    stuffer = DotStuffer()
    yield _octets(source)
    for chunk in _slices(source):
        yield stuffer.feed(chunk)
    yield stuffer.finish()
    drop.retrieved(number)


def _octets(source: Source) -> bytes:
    """The status line of RETR: as many octets as LIST says."""
    added = 0 if not source.size or source.slice(max(0, source.size - 2), 2) == CRLF else len(CRLF)
    return ok(f"{source.size + added} octets")


async def top(session: Session, command: Command) -> Reply:
    """The header of a message and some lines of its body."""
    number, lines = command.numbers
    if lines == 0:
        header = await session.drop.header(number)
        return _cut([header], 0)
    return _cut(_slices(await session.drop.source(number)), lines)


async def _cut(chunks: Iterable[bytes], lines: int) -> AsyncIterator[bytes]:
    """The reply of TOP."""
    stuffer, cut = DotStuffer(), TopCut(lines)
    yield ok("the top follows")
    for chunk in chunks:
        yield stuffer.feed(cut.feed(chunk))
        if cut.done:
            break
    yield stuffer.finish()


def _slices(source: Source) -> Iterable[bytes]:
    """A message in pieces."""
    return (source.slice(start, _SLICE) for start in range(0, source.size, _SLICE))


async def delete(session: Session, command: Command) -> Reply:
    """Mark a message deleted."""
    (number,) = command.numbers
    session.drop.delete(number)
    return ok(f"message {number} deleted")


async def reset(session: Session, command: Command) -> Reply:
    """Unmark all."""
    session.drop.reset()
    return ok(f"{len(session.drop)} messages")


async def noop(session: Session, command: Command) -> Reply:
    """Nothing."""
    return ok()


async def quit_(session: Session, command: Command) -> Reply:
    """Carry out what was marked, and end (RFC 1939 section 6)."""
    session.connection.close()
    if session.state is State.TRANSACTION:
        session.state = State.UPDATE
        try:
            await session.drop.update(session.shared.clock())
        finally:
            session.leave()
    return ok("bye")
