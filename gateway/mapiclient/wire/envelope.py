"""Messages: requests, replies and faults as whole bodies (SOAP 1.1, rpc/encoded, as the store writes it).

Client: `encode_request`, `ReplyDecoder`. Server: `RequestDecoder` (or `decode_request`), `encode_reply`,
`encode_fault`. Bodies that hold a `Blob` or a stream are encoded with the ``_chunks`` functions, which never
hold the large values.
"""

from __future__ import annotations

import re
import secrets
from binascii import b2a_base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, Generic, TypeVar

from gateway.mapi.content import Blob
from gateway.mapiclient.wire.calls import CALLS
from gateway.mapiclient.wire.errors import Fault, WireError
from gateway.mapiclient.wire.kinds import Context, Frame, Kind, Piece, Stream
from gateway.mapiclient.wire.multipart import MultipartReader, content_id, content_type, write_parts
from gateway.mapiclient.wire.reader import Reader
from gateway.mapiclient.wire.scalars import TEXT, U64
from gateway.mapiclient.wire.schema import Call, Struct, StructFrame, record_of
from gateway.mapiclient.wire.spool import Limits, PartStore, Sink
from gateway.mapiclient.wire.text import escape, unescape

SERVICE: Final = "urn:zarafa"
XML: Final = "text/xml; charset=utf-8"
_ENVELOPES: Final = ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")
_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xop="http://www.w3.org/2004/08/xop/include" xmlns:xmlmime="http://www.w3.org/2004/11/xmlmime"'
    f' xmlns:ns="{SERVICE}"><SOAP-ENV:Body'
)
_ENCODED: Final = ' SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">'
_TAIL: Final = "</SOAP-ENV:Body></SOAP-ENV:Envelope>\n"
_DEFAULT_LIMITS: Final = Limits()

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Message:
    """A body to send: its Content-Type, its exact size, and its bytes, as often as they are needed."""

    content_type: str
    size: int
    chunks: Callable[[], Iterator[bytes]]


@cache
def _frame_of(element: str) -> tuple[str, str]:
    return f"{_HEAD}{_ENCODED}<ns:{element}>", f"</ns:{element}>{_TAIL}"


def _pieces(element: str, struct: Struct, value: Any, first: str) -> list[Piece]:
    head, tail = _frame_of(element)
    pieces: list[Piece] = [head, first]
    try:
        struct.write_members(value, pieces.append)
    except RecursionError:
        raise WireError("a value that is nested too deeply") from None
    pieces.append(tail)
    return pieces


def _request_pieces(call: Call[Any], session_id: int) -> list[Piece]:
    name = call.session_element
    first = f"<{name}>{session_id:d}</{name}>" if name else ""
    return _pieces(call.name, record_of(type(call)), call, first)


def _reply_pieces(call_type: type[Call[R]], reply: R) -> list[Piece]:
    return _pieces(call_type.reply_element, record_of(call_type.reply_type), reply, "")


def _bytes(pieces: list[Piece]) -> bytes:
    """The body of pieces that are all text (a `Blob` is read, a stream must not be there)."""
    try:
        return _utf8("".join(pieces))  # type: ignore[arg-type]
    except TypeError:
        pass
    if any(isinstance(piece, Stream) for piece in pieces):
        raise WireError("a message with streams must be sent in parts")
    return b"".join(_inline(pieces))


def _utf8(text: str) -> bytes:
    # A lone surrogate has no UTF-8 form: it becomes a question mark rather than an error.
    return text.encode("utf-8", "replace")


def _inline(pieces: list[Piece]) -> Iterator[bytes]:
    run: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            run.append(piece)
        elif isinstance(piece, Blob):
            yield _utf8("".join(run))
            run.clear()
            yield from _base64_chunks(piece)
    yield _utf8("".join(run))


def _base64_chunks(blob: Blob) -> Iterator[bytes]:
    """The bytes as base64, each chunk of a length that needs no padding but the last."""
    rest, seen = b"", 0
    for chunk in blob.chunks():
        seen += len(chunk)
        chunk = rest + chunk
        usable = len(chunk) // 3 * 3
        rest = chunk[usable:]
        if usable:
            yield b2a_base64(chunk[:usable], newline=False)
    if rest:
        yield b2a_base64(rest, newline=False)
    if seen != blob.size:
        raise WireError(f"a value of {blob.size} bytes gave {seen}")


def _message(pieces: list[Piece], href: Callable[[int], tuple[str, str]]) -> Message:
    """A body of any pieces; ``href`` gives the reference and the Content-ID of the nth stream."""
    parts: list[tuple[str, bytes | Blob]] = []
    for index, piece in enumerate(pieces):
        if isinstance(piece, Stream):
            reference, name = href(len(parts))
            parts.append((name, piece.data))
            pieces[index] = f'<xop:Include href="{escape(reference)}"/>'
    if parts:
        boundary = f"=={secrets.token_hex(20)}=="
        size, chunks = write_parts(boundary, _bytes(pieces), parts)
        return Message(content_type(boundary), size, chunks)
    size = sum(
        (piece.size + 2) // 3 * 4 if isinstance(piece, Blob) else len(_utf8(str(piece))) for piece in pieces
    )
    return Message(XML, size, lambda: _inline(pieces))


def encode_request(call: Call[Any], session_id: int) -> bytes:
    """A request (WireError when it holds a stream, or a value that cannot travel)."""
    return _bytes(_request_pieces(call, session_id))


def encode_request_chunks(call: Call[Any], session_id: int) -> Message:
    """A request of any size, streams in parts as clients write them."""
    return _message(_request_pieces(call, session_id), lambda n: (f"cid:id{n + 1}", f"<id{n + 1}>"))


def encode_reply(call_type: type[Call[R]], reply: R) -> bytes:
    """A reply (WireError when it holds a stream, or a value that cannot travel)."""
    return _bytes(_reply_pieces(call_type, reply))


def encode_reply_chunks(call_type: type[Call[R]], reply: R) -> Message:
    """A reply of any size, streams in parts as the store writes them."""
    return _message(_reply_pieces(call_type, reply), lambda n: (f"emcas-{n}", f"emcas-{n}"))


def encode_fault(code: str, reason: str) -> bytes:
    """A fault; ``code`` is ``Client`` or ``Server``."""
    return _utf8(
        f"{_HEAD}><SOAP-ENV:Fault><faultcode>SOAP-ENV:{escape(code)}</faultcode>"
        f"<faultstring>{escape(reason)}</faultstring></SOAP-ENV:Fault>{_TAIL}"
    )


_XMLNS: Final = re.compile(r"""\sxmlns(?::([\w.-]+))?\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@lru_cache(64)
def _declarations(attributes: str) -> dict[str, str]:
    return {prefix: unescape(double or single) for prefix, double, single in _XMLNS.findall(attributes)}


class _Scope:
    """Namespace declarations of the envelope, the body and the call's element."""

    def __init__(self) -> None:
        self._uris: dict[str, str] = {}

    def enter(self, name: str, attributes: str) -> tuple[str, str]:
        """The namespace and the local name of an element (SOAP needs no more than its first three levels)."""
        if attributes:
            self._uris |= _declarations(attributes)
        prefix, _, local = name.rpartition(":")
        return self._uris.get(prefix, ""), local


Payload = Callable[[str, str, str], Kind]


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
        self._reader = Reader(_Document(payload), limits, sink, strict=strict)
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
            self._begin(data)
        if self._parts is not None:
            self._parts.feed(data)
        else:
            self._reader.feed(data)

    def _begin(self, data: bytes) -> None:
        self._begun = True
        if data.startswith(b"--"):
            self._parts = MultipartReader(self._reader.feed, self._part, self._limits.items)

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
