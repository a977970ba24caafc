"""HTTP/1.1 as the store speaks it (RFC 9112): requests, responses, and who answers them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from gateway.storeserver.spool import Body


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Sizes in bytes, times in seconds; no time: wait for ever."""

    body: int = 512 * 1024 * 1024
    idle: float | None = 60.0
    """Until the next request begins on an open connection."""
    read: float = 60.0
    write: float = 60.0


@dataclass(slots=True)
class Request:
    """A complete request."""

    method: str
    target: str
    headers: dict[str, str]
    """By lower-case name; the last one of a name counts."""
    body: Body
    peer: Any
    """What the factory knows about the connection."""
    keep_alive: bool = True
    http_1_0: bool = False


@dataclass(slots=True)
class Response:
    """An answer; its body is closed when it has been sent."""

    status: int
    body: Body
    headers: list[tuple[str, str]] = field(default_factory=list)
    chunked: bool = False
    close: bool = False
    sent: Callable[[], None] | None = None


class Application(Protocol):
    """Answers requests."""

    def respond(self, request: Request) -> Deferred[Response]:
        """The answer. Cancelled when the client has left; must not fail otherwise."""

    def refuse(self, status: int, reason: str) -> Response:
        """The answer to something that is no acceptable request."""


def head_of(response: Response, chunked: bool, close: bool) -> bytes:
    """Status line and header fields of a response, with the empty line."""
    phrase = HTTPStatus(response.status).phrase
    lines = [f"HTTP/1.1 {response.status} {phrase}", *(f"{name}: {value}" for name, value in response.headers)]
    lines.append("Transfer-Encoding: chunked" if chunked else f"Content-Length: {response.body.size}")
    lines.append(f"Connection: {'close' if close else 'keep-alive'}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
