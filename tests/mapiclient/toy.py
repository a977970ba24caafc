"""A toy call for tests of the transport and the pool: text goes out, text comes back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from gateway.mapiclient.exchange import Exchange
from gateway.mapiclient.wire.errors import Fault, WireError
from gateway.mapiclient.wire.schema import Call, Wait


@dataclass(frozen=True, slots=True)
class Said:
    """The reply: the whole body."""

    text: str
    er: int = 0


@dataclass(frozen=True, slots=True)
class Say(Call[Said]):
    """A call that may be repeated."""

    name: ClassVar = "say"
    idempotent: ClassVar = True
    text: str = ""


@dataclass(frozen=True, slots=True)
class Do(Call[Said]):
    """A call that may not be repeated."""

    name: ClassVar = "do"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Upload(Call[Said]):
    """A call with a body in pieces."""

    name: ClassVar = "upload"
    pieces: Iterable[bytes] = ()
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Poll(Call[Said]):
    """A call that waits."""

    name: ClassVar = "poll"
    kind: ClassVar = Wait.POLL
    text: str = ""


class TextSink:
    """Joins the body; "fault" and "wrong" are what a decoder would refuse."""

    def __init__(self, content_type: str) -> None:
        self.content_type = content_type
        self.pieces: list[bytes] = []

    def feed(self, data: bytes) -> None:
        if data == b"wrong":
            raise WireError("this is wrong")
        self.pieces.append(data)

    def close(self) -> Said:
        body = b"".join(self.pieces)
        if body == b"fault":
            raise Fault("Client", "no such method")
        if body == b"short":
            raise WireError("too short")
        return Said(body.decode())


def encode(call: Call[Any], session_id: int, **changes: Any) -> Exchange:
    """The toy's codec."""
    body: Any = call.pieces if isinstance(call, Upload) else f"{session_id}:{call.text}".encode()  # type: ignore[attr-defined]
    if body == b"0:unwritable":
        raise WireError("this cannot be written")
    values: dict[str, Any] = {
        "call": call.name, "body": body, "sink": TextSink, "seconds": 30.0, "idle_seconds": 10.0,
        "reply_bytes": 1_000_000, "length": getattr(call, "length", None),
    }  # fmt: skip
    return Exchange(**(values | changes))
