"""HTTP/1.1 as a store server speaks it (RFC 9112): a request's head, a reply's head and body. No I/O.

One reply at a time is read by `ReplyReader` on httptools; `inflate` undoes Content-Encoding in pieces of
bounded size. Every bad input raises `HttpError` with a reason, nothing else.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final, Protocol

import httptools

#: The most bytes that may come without one of the body among them: header fields, trailers, chunk extensions.
HEAD_BYTES: Final = 65_536
#: The most bytes `inflate` yields at once.
PIECE: Final = 65_536
_NO_BODY: Final = frozenset({204, 304})


class HttpError(ValueError):
    """The bytes are no HTTP reply, or one that the gateway does not take."""


def request_head(host: str, path: str, *, compression: bool) -> bytes:
    """The head of a POST up to the value of Content-Type, which `request_tail` completes."""
    accept = "Accept-Encoding: gzip, deflate\r\n" if compression else ""
    lines = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: mapi-gateway\r\n{accept}Content-Type: "
    return lines.encode("ascii")


def request_tail(content_type: bytes, length: int | None) -> bytes:
    """The rest of the head; without a length the body follows in chunks (RFC 9112 7.1)."""
    if length is None:
        return b"%b\r\nTransfer-Encoding: chunked\r\n\r\n" % content_type
    return b"%b\r\nContent-Length: %d\r\n\r\n" % (content_type, length)


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; empty data would end the body, so it gives nothing."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


LAST_CHUNK: Final = b"0\r\n\r\n"


class ReplyReader:
    """Reads one reply after another. `feed` bytes, take the body from ``pieces``, look at the attributes.

    ``started``: a byte of this reply has come; ``head_complete``: status and header fields are known;
    ``complete``: the reply is whole; ``keep_alive``: the connection may carry another exchange.
    """

    __slots__ = (
        "_between", "_parser", "complete", "content_type", "encoding", "framed", "head_complete",
        "keep_alive", "pieces", "started", "status", "trailing",
    )  # fmt: skip

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.reset()

    def reset(self) -> None:
        """Ready for the next reply."""
        self.status = 0
        self.content_type = ""
        self.encoding = ""
        self.framed = False
        self.started = self.head_complete = self.complete = self.trailing = False
        self.keep_alive = True
        self.pieces: list[bytes] = []
        self._between = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the connection."""
        if self.complete:
            self.trailing = True
            return
        self.started = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise HttpError("the server wants to speak another protocol (101 Switching Protocols)") from None
        except httptools.HttpParserCallbackError as error:
            raise HttpError(str(error.__context__ or error)) from None
        except httptools.HttpParserError as error:
            if not self.complete:
                raise HttpError(f"the reply is not HTTP: {error}") from None
            self.trailing = True
        if self.pieces:
            self._between = 0
        else:
            self._between += len(data)
            if self._between > HEAD_BYTES:
                raise HttpError(f"more than {HEAD_BYTES} bytes of header fields")

    def end(self) -> bool:
        """The connection ended properly; whether that makes the reply complete (RFC 9112 6.3, rule 8)."""
        if self.head_complete and not self.framed:
            self.complete = True
        return self.complete

    # httptools calls these

    def on_message_begin(self) -> None:
        """The first byte of a reply."""
        if self.complete:
            self.trailing = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header field."""
        if self.trailing:
            return
        field = name.lower()
        if field == b"content-type":
            self.content_type = value.decode("latin-1")
        elif field in (b"content-length", b"transfer-encoding"):
            self.framed = True
        elif field == b"content-encoding":
            self.encoding = value.decode("latin-1").strip().lower()

    def on_headers_complete(self) -> None:
        """The empty line. An interim reply (RFC 9110 15.2) is no reply yet."""
        if self.trailing:
            return
        self.status = self._parser.get_status_code()
        if self.status >= 200:
            self.head_complete = True
            self.framed = self.framed or self.status in _NO_BODY
            self.keep_alive = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """A piece of the body, unchunked."""
        if not self.trailing:
            self.pieces.append(data)

    def on_message_complete(self) -> None:
        """The reply is whole."""
        if self.status >= 200:
            self.complete = True
        else:
            self.content_type = self.encoding = ""
            self.framed = False


class Inflate(Protocol):
    """Undoes a content coding: pieces in, pieces out."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What can be decoded now, in pieces of at most `PIECE` bytes."""
        ...

    def close(self) -> None:
        """The body is over; HttpError when the coding is not."""
        ...


def inflate(encoding: str) -> Inflate | None:
    """The decoder of a Content-Encoding (RFC 9110 8.4.1); None for none, HttpError for an unknown one."""
    if encoding in {"", "identity"}:
        return None
    if encoding in {"gzip", "x-gzip", "deflate"}:
        return _Zlib(raw_allowed=encoding == "deflate")
    raise HttpError(f"the reply has the unknown Content-Encoding {encoding!r}")


class _Zlib:
    """gzip and deflate. Some servers send deflate without the zlib header that RFC 9110 8.4.1.2 asks for."""

    def __init__(self, *, raw_allowed: bool) -> None:
        self._raw_allowed = raw_allowed
        self._stream: zlib._Decompress | None = None
        self._start = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        stream = self._stream
        if stream is None:
            data = self._start = self._start + data
            if len(data) < 2:
                return
            stream = self._stream = zlib.decompressobj(self._window(data))
        try:
            while data:
                piece = stream.decompress(data, PIECE)
                if piece:
                    yield piece
                data = stream.unconsumed_tail
        except zlib.error as error:
            raise HttpError(f"the compressed reply is damaged: {error}") from None
        if stream.unused_data:
            raise HttpError("the compressed reply goes on after its end")

    def close(self) -> None:
        if self._stream is None or not self._stream.eof:
            raise HttpError("the compressed reply ends too early")

    def _window(self, data: bytes) -> int:
        zlib_header = data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0
        return -zlib.MAX_WBITS if self._raw_allowed and not zlib_header else zlib.MAX_WBITS | 32
