"""A server that follows a script: one step for every request that comes, the last step for all after it.

A step is a function of the `Conversation`; it answers, or does not, or does something else altogether.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import httptools
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol

from gateway.mapiclient.address import Server, parse_server
from tests.support.reactor import reactor

Step: TypeAlias = "Callable[[Conversation], None]"


class Conversation(Protocol):
    """One connection of a client; ``body`` is that of its last request."""

    transport: Any

    def __init__(self, script: Script) -> None:
        self.script = script
        self.body = b""
        self.headers: dict[str, str] = {}
        self._parser = httptools.HttpRequestParser(self)

    def connectionMade(self) -> None:
        self.script.open.add(self)
        self.script.accepted += 1

    def dataReceived(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.body, self.headers = b"", {}

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode().lower()] = value.decode()

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.script.take(self)

    def connectionLost(self, reason: Any = None) -> None:
        self.script.left(self)

    def reply(self, body: bytes, head: bytes = b"") -> None:
        """A good reply."""
        self.transport.write(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body))


class Script(Factory):
    """The steps, and what has happened so far."""

    noisy = False

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.bodies: list[str] = []
        self.accepted = 0
        self.open: set[Conversation] = set()
        self._wanted: list[tuple[Callable[[], bool], Deferred[None]]] = []

    def buildProtocol(self, _addr: Any) -> Conversation:
        return Conversation(self)

    def take(self, conversation: Conversation) -> None:
        """A request is complete: the next step."""
        self.bodies.append(conversation.body.decode())
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        step(conversation)
        self._look()

    def left(self, conversation: Conversation) -> None:
        """A client went away."""
        self.open.discard(conversation)
        self._look()

    def until(self, condition: Callable[[], bool]) -> Deferred[None]:
        """Wait for a request or the end of a connection to make it true."""
        done: Deferred[None] = Deferred()
        self._wanted.append((condition, done))
        self._look()
        return done

    def _look(self) -> None:
        for entry in [entry for entry in self._wanted if entry[0]()]:
            self._wanted.remove(entry)
            entry[1].callback(None)


@asynccontextmanager
async def listening(script: Script, path: str = "", context: Any = None) -> AsyncIterator[Server]:
    """Run the script on a TCP port (with TLS, given a context factory) or a Unix socket."""
    if path:
        port, server = reactor.listenUNIX(path, script), parse_server(f"unix:{path}")
    elif context is not None:
        port = reactor.listenSSL(0, script, context, interface="127.0.0.1")
        server = parse_server(f"https://127.0.0.1:{port.getHost().port}")
    else:
        port = reactor.listenTCP(0, script, interface="127.0.0.1")
        server = parse_server(f"http://127.0.0.1:{port.getHost().port}")
    try:
        yield server
    finally:
        for conversation in [*script.open]:
            conversation.transport.abortConnection()
        await script.until(lambda: not script.open)
        await port.stopListening()


def echo(conversation: Conversation) -> None:
    """Answer what was asked."""
    conversation.reply(conversation.body)


def hang(conversation: Conversation) -> None:
    """Never answer."""


def drop(conversation: Conversation) -> None:
    """Close instead of answering."""
    conversation.transport.loseConnection()


def reset(conversation: Conversation) -> None:
    """Reset the connection instead of answering."""
    conversation.transport.abortConnection()


def echo_and_drop(conversation: Conversation) -> None:
    """Answer, then close the connection although it was to be kept."""
    echo(conversation)
    conversation.transport.loseConnection()


def raw(data: bytes, *, close: bool = False) -> Step:
    """Write these bytes, and perhaps close."""

    def step(conversation: Conversation) -> None:
        conversation.transport.write(data)
        if close:
            conversation.transport.loseConnection()

    return step


def later(seconds: float, then: Step = echo) -> Step:
    """Do something after a while."""
    return lambda conversation: reactor.callLater(seconds, then, conversation) and None
