"""Messages: requests, replies and faults as whole bodies, and how they are read.

Client: `encode_request`, `ReplyDecoder`. Server: `RequestDecoder` (or `decode_request`), `encode_reply`,
`encode_fault`. Bodies that hold a `Blob` or a stream are encoded with the ``_chunks`` functions, which never
hold the large values. What writes is in `writing`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

from gateway.mapiclient.wire.calls import CALLS
from gateway.mapiclient.wire.errors import Fault, WireError
from gateway.mapiclient.wire.kinds import Context, Frame, Kind
from gateway.mapiclient.wire.multipart import MultipartReader, content_id
from gateway.mapiclient.wire.reader import Reader
from gateway.mapiclient.wire.scalars import TEXT, U64
from gateway.mapiclient.wire.schema import Call, Struct, StructFrame, record_of
from gateway.mapiclient.wire.spool import Limits, PartStore, Sink
from gateway.mapiclient.wire.text import unescape
from gateway.mapiclient.wire.writing import (
    SERVICE,
    XML,
    Message,
    encode_fault,
    encode_reply,
    encode_reply_chunks,
    encode_request,
    encode_request_chunks,
)

__all__ = (
    "XML",
    "Fault",
    "Limits",
    "Message",
    "ReplyDecoder",
    "RequestDecoder",
    "WireError",
    "decode_reply",
    "decode_request",
    "encode_fault",
    "encode_reply",
    "encode_reply_chunks",
    "encode_request",
    "encode_request_chunks",
)

_ENVELOPES: Final = ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")
_DEFAULT_LIMITS: Final = Limits()

R = TypeVar("R")

_XMLNS: Final = re.compile(r"""\sxmlns(?::([\w.-]+))?\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@lru_cache(64)
def _declarations(attributes: str) -> dict[str, str]:
    return {prefix: unescape(double or single) for prefix, double, single in _XMLNS.findall(attributes)}


class _Scope:
    """Namespace declarations of the envelope, the body and the call's element."""

    def __init__(self, uris: Mapping[str, str] | None = None) -> None:
        self.uris: dict[str, str] = dict(uris or ())

    def enter(self, name: str, attributes: str) -> tuple[str, str]:
        """The namespace and the local name of an element (SOAP needs no more than its first three levels)."""
        if attributes:
            self.uris |= _declarations(attributes)
        prefix, _, local = name.rpartition(":")
        return self.uris.get(prefix, ""), local


Payload = Callable[[str, str, str], Kind]

#: What stands before the call's or the reply's element, as long as nothing unusual is in it.
_HEAD: Final = re.compile(rb"(?:<\?xml[^<>]*\?>\s*+)?(?:<[^<>!?/][^<>]*+(?<!/)>\s*+){2}")


class _Nested(Kind):
    """A frame made beforehand, as a kind."""

    leaf = False

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def frame(self, context: Context) -> Frame:
        """The frame."""
        return self._frame


class _Document(Frame):
    """The whole document: an envelope, its body, and the payload of that."""

    __slots__ = ("level", "payload", "scope", "value")

    def __init__(self, payload: Payload, level: int = 0, scope: _Scope | None = None) -> None:
        self.payload = payload
        self.level = level
        self.scope = scope or _Scope()
        self.value: list[Any] = []

    def child(self, name: str, attributes: str) -> Kind | None:
        """The envelope below the document, the body below the envelope, the payload below the body."""
        uri, local = self.scope.enter(name, attributes)
        if self.level == 2:
            return None if self.value else self.payload(uri, local, name)
        if self.level == 1 and local != "Body":
            return None
        if uri not in _ENVELOPES or local != ("Body" if self.level else "Envelope") or self.value:
            raise WireError(f"<{name[:60]}> is no SOAP envelope")
        return _Nested(_Document(self.payload, self.level + 1, self.scope))

    def put(self, name: str, value: Any) -> None:
        """Take what is below."""
        self.value.append(value)

    def text(self, piece: str) -> None:
        """Refuse text around the elements."""
        if piece.strip("\ufeff \t\r\n"):
            raise WireError("text outside of elements: this is no SOAP message")

    def finish(self) -> Any:
        """The payload's value."""
        if not self.value:
            raise WireError("a SOAP message without a body" if self.level < 2 else "an empty SOAP body")
        return self.value[0]


@lru_cache(64)
def _opened(head: bytes) -> tuple[tuple[str, str], dict[str, str]] | None:
    """The elements that a head opens and the namespaces it declares; None when it opens no envelope and body.

    A server begins all its replies alike, so that this is read once.
    """
    document = _Document(lambda *_: TEXT)
    reader = Reader(document, _DEFAULT_LIMITS, strict=True)
    try:
        reader.feed(head)
    except WireError:
        return None
    elements = reader.open_elements
    return (elements, document.scope.uris) if len(elements) == 2 else None


class _FaultKind(Kind):
    leaf = False

    def frame(self, context: Context) -> Frame:
        """Collects a fault."""
        return _FaultFrame()


class _FaultFrame(Frame):
    """A fault of SOAP 1.1, or 1.2 as far as it has a text."""

    __slots__ = ("code", "reason")

    def __init__(self) -> None:
        self.code = self.reason = ""

    def child(self, name: str, attributes: str) -> Kind | None:
        """Code and text, however deep."""
        local = name.rpartition(":")[2]
        if local in ("Code", "Reason"):
            return _FaultKind()
        return TEXT if local in ("faultcode", "faultstring", "Value", "Text") else None

    def put(self, name: str, value: Any) -> None:
        """Take the code or the text."""
        local = name.rpartition(":")[2]
        if isinstance(value, Fault):
            self.code, self.reason = self.code or value.code, self.reason or value.reason
        elif local in ("faultcode", "Value"):
            self.code = self.code or value
        elif local in ("faultstring", "Text"):
            self.reason = value

    def finish(self) -> Fault:
        """The fault, to be raised."""
        return Fault(self.code, self.reason)


class _CallKind(Kind):
    leaf = False

    def __init__(self, call_type: type[Call[Any]]) -> None:
        self.call_type = call_type

    def frame(self, context: Context) -> Frame:
        """Collects a call and its session id."""
        return _CallFrame(record_of(self.call_type), context, self.call_type.session_element)


class _CallFrame(StructFrame):
    __slots__ = ("session_element", "session_id")

    def __init__(self, kind: Struct, context: Context, session_element: str) -> None:
        super().__init__(kind, context)
        self.session_element = session_element
        self.session_id = 0

    def child(self, name: str, attributes: str) -> Kind | None:
        """An argument or the session id."""
        return U64 if name == self.session_element else super().child(name, attributes)

    def put(self, name: str, value: Any) -> None:
        """Take an argument or the session id."""
        if name == self.session_element:
            self.session_id = value
        else:
            super().put(name, value)

    def finish(self) -> tuple[Any, int]:
        """The call and the session id."""
        return super().finish(), self.session_id


class _Decoder:
    """Takes a body that is an envelope, or a multipart whose first part is one."""

    def __init__(self, payload: Payload, limits: Limits, sink: Sink | None, *, strict: bool) -> None:
        self._limits, self._sink = limits, sink
        self._payload = payload
        self._document = _Document(payload)
        self._reader = Reader(self._document, limits, sink, strict=strict)
        self._parts: MultipartReader | None = None
        self._start = b""
        self._begun = False
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes (WireError, or Fault for a method nobody knows)."""
        self._size += len(data)
        if self._size > self._limits.size:
            raise WireError(f"a message of more than {self._limits.size} bytes")
        if not self._begun:
            data = self._start + data
            if len(data) < 2:
                self._start = data
                return
            data = self._begin(data)
        if self._parts is not None:
            self._parts.feed(data)
        else:
            self._reader.feed(data)

    def _begin(self, data: bytes) -> bytes:
        """See what it is; the bytes that are left to read."""
        self._begun = True
        if data.startswith(b"--"):
            self._parts = MultipartReader(self._reader.feed, self._part, self._limits.items)
            return data
        head = _HEAD.match(data)
        opened = _opened(head[0]) if head is not None else None
        if head is None or opened is None:
            return data
        (envelope, body), scope = opened[0], _Scope(opened[1])
        first, second = (_Document(self._payload, level, scope) for level in (1, 2))
        self._reader.open(envelope, first)
        self._reader.open(body, second)
        return data[head.end() :]

    def _part(self) -> PartStore:
        return PartStore(self._sink, self._limits.spool_from)

    def _value(self) -> Any:
        if self._parts is not None and not self._parts.complete:
            raise WireError("the message ends in the middle of a part")
        if not self._begun:
            self._reader.feed(self._start)
        value = self._reader.close()
        parts = {} if self._parts is None else self._parts.parts
        for owner, attribute, href in self._reader.includes:
            try:
                object.__setattr__(owner, attribute, parts[content_id(href)])
            except KeyError:
                raise WireError(f"the part {href[:60]!r} is missing") from None
        return value


class ReplyDecoder(_Decoder, Generic[R]):
    """Reads the reply to a call as its bytes arrive.

    With a ``sink``, binary property values and parts longer than ``limits.spool_from`` become a `Blob` over a
    file of the sink; without one they are held as bytes.
    """

    def __init__(
        self, call: Call[R] | type[Call[R]], *, limits: Limits = _DEFAULT_LIMITS, sink: Sink | None = None
    ) -> None:
        struct = record_of(call.reply_type)

        def payload(uri: str, local: str, name: str) -> Kind:
            # The element of a reply is not checked: calls share and abbreviate them.
            return _FaultKind() if local == "Fault" and uri in _ENVELOPES else struct

        super().__init__(payload, limits, sink, strict=False)

    def close(self) -> R:
        """The reply (Fault when it is one, WireError when it is not complete)."""
        value = self._value()
        if isinstance(value, Fault):
            raise value
        reply: R = value
        return reply


def _call_kind(uri: str, local: str, name: str) -> Kind:
    call_type = CALLS.get(local)
    if call_type is None or uri != SERVICE:
        raise Fault("Client", f"Method '{name}' not implemented: method name or namespace not recognized")
    return _CallKind(call_type)


class RequestDecoder(_Decoder):
    """Reads a request as its bytes arrive, as leniently as the store: any order, unknown elements ignored."""

    def __init__(self, *, limits: Limits = _DEFAULT_LIMITS, sink: Sink | None = None) -> None:
        super().__init__(_call_kind, limits, sink, strict=True)

    def close(self) -> tuple[Call[Any], int]:
        """The call and its session id (0 when it has none)."""
        call, session_id = self._value()
        return call, session_id


def decode_request(body: bytes, *, limits: Limits = _DEFAULT_LIMITS) -> tuple[Call[Any], int]:
    """The call and the session id of a whole request (WireError, or Fault for a method nobody knows)."""
    decoder = RequestDecoder(limits=limits)
    decoder.feed(body)
    return decoder.close()


def decode_reply(call: Call[R] | type[Call[R]], body: bytes, *, limits: Limits = _DEFAULT_LIMITS) -> R:
    """A whole reply (Fault when it is one, WireError when it is none)."""
    decoder = ReplyDecoder(call, limits=limits)
    decoder.feed(body)
    return decoder.close()
