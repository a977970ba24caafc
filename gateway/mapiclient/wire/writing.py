"""Writing: calls, replies and faults as bodies to send (SOAP 1.1, rpc/encoded, as the store writes it)."""

from __future__ import annotations

import secrets
from binascii import b2a_base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

from gateway.mapi.content import Blob
from gateway.mapiclient.wire.errors import WireError
from gateway.mapiclient.wire.kinds import Piece, Stream
from gateway.mapiclient.wire.multipart import content_type, write_parts
from gateway.mapiclient.wire.schema import Call, Struct, record_of
from gateway.mapiclient.wire.text import escape

SERVICE: Final = "urn:zarafa"
XML: Final = "text/xml; charset=utf-8"
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
    if all(type(piece) is str for piece in pieces):
        data = _bytes(pieces)
        return Message(XML, len(data), lambda: iter((data,)))
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
