"""One client's HTTP connection: framing, limits, time-outs, one request at a time (RFC 9112).

What a client sends while its request is being answered waits in a bounded buffer. Bodies are limited before they
are stored, and every wait has an end: for the first byte of a request, for the rest of it, and for the client to
take the answer. The parser is httptools (llhttp).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Final, Protocol

import httptools
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.storeserver.http import Application, HttpLimits, Request, Response, head_of
from gateway.storeserver.spool import Body, TooLarge

log: Final = Logger()

MAX_HEADERS: Final = 64
MAX_HEADER_BYTES: Final = 16 * 1024
MAX_WAITING: Final = 64 * 1024
"""Bytes a client may send ahead while its request is being answered."""
MIN_RATE: Final = 8 * 1024
"""Bytes per second a client must send or take, on average, beyond the time-out."""
LINGER: Final = 2.0
"""Seconds a refused client may go on sending before the connection is cut."""


class Owner(Protocol):
    """What made a connection, and knows all of them."""

    stopping: bool

    def peer_of(self, transport: Any) -> Any:
        """Who is at the other end."""

    def forget(self, connection: HttpConnection) -> None:
        """The connection has ended."""


class _Refused(Exception):
    """The request in progress cannot be taken."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class HttpConnection(TwistedProtocol):
    """One client's connection."""

    factory: Owner
    transport: Any

    def __init__(self, application: Application, limits: HttpLimits, clock: IReactorTime) -> None:
        self._application = application
        self._limits = limits
        self._clock = clock
        self._peer: Any = None
        self._parser = httptools.HttpRequestParser(self)
        self._incoming: Request | None = None
        self._header_bytes = 0
        self._ready: deque[Request] = deque()
        self._waiting = bytearray()
        self._paused = False
        self._answering: Deferred[Response] | None = None
        self._sending: _Sending | None = None
        self._closing = False
        self._lingers = False
        self._deadline = 0.0
        self._timer: IDelayedCall | None = None

    @property
    def busy(self) -> bool:
        """Whether a request is being answered."""
        return self._answering is not None or self._sending is not None

    # -- the connection

    def connectionMade(self) -> None:
        """Begin to wait for a request."""
        self._peer = self.factory.peer_of(self.transport)
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
        self._wait(self._limits.idle)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Stop working for a client that has left."""
        self._closing = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self.factory.forget(self)
        if self._sending is not None:
            self._sending.stopProducing()
        if self._answering is not None:
            self._answering.cancel()
        for request in (*self._ready, *([self._incoming] if self._incoming else [])):
            request.body.close()

    def dataReceived(self, data: bytes) -> None:
        """Parse, or keep for later."""
        if self._closing:
            return
        if self.busy or self._ready or self._waiting:
            self._waiting += data
            if len(self._waiting) > MAX_WAITING and not self._paused:
                self._paused = True
                self.transport.pauseProducing()
            return
        self._parse(data)

    def _parse(self, data: bytes) -> None:
        if self._incoming is None:
            self._wait(self._limits.read)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # we speak nothing else, so the upgrade is ignored (RFC 9110 7.8)
        except (httptools.HttpParserError, _Refused) as error:
            self._refuse(_cause(error))
            return
        self._extend(len(data))
        self._next()

    def _refuse(self, error: BaseException) -> None:
        refused = error if isinstance(error, _Refused) else _Refused(400, "not an HTTP request")
        if self._incoming is not None:
            self._incoming.body.close()
            self._incoming = None
        response = self._application.refuse(refused.status, refused.reason)
        response.close = True
        self._lingers = True
        self._send(None, response)

    # -- what the parser tells

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        self._incoming = Request("", "", {}, Body(self._limits.body), self._peer)
        self._header_bytes = 0

    def _current(self) -> Request:
        if self._incoming is None:
            raise _Refused(400, "not an HTTP request")
        return self._incoming

    def on_url(self, url: bytes) -> None:
        """Note the target."""
        self._count_header(url)
        self._current().target += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header field."""
        self._count_header(name + value)
        headers = self._current().headers
        headers[name.decode("latin-1").lower()] = value.decode("latin-1")
        if len(headers) > MAX_HEADERS:
            raise _Refused(431, "too many header fields")

    def _count_header(self, data: bytes) -> None:
        self._header_bytes += len(data)
        if self._header_bytes > MAX_HEADER_BYTES:
            raise _Refused(431, "the header is too large")

    def on_headers_complete(self) -> None:
        """Refuse what is too large before any of it is read."""
        request = self._current()
        request.method = self._parser.get_method().decode("latin-1")
        request.http_1_0 = self._parser.get_http_version() == "1.0"
        request.keep_alive = self._parser.should_keep_alive()
        length = request.headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > self._limits.body:
            raise _Refused(413, f"a request may have {self._limits.body} bytes")
        if request.headers.get("expect", "").lower() == "100-continue" and not self.busy:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body."""
        try:
            self._current().body.write(data)
        except TooLarge:
            raise _Refused(413, f"a request may have {self._limits.body} bytes") from None
        except OSError as error:
            log.error("no room for a request: {error}", error=error)
            raise _Refused(503, "there is no room for the request now") from None

    def on_message_complete(self) -> None:
        """Queue the request; parsing goes on with the data at hand."""
        self._ready.append(self._current())
        self._incoming = None

    # -- answering

    def _next(self) -> None:
        """Answer the next request if there is one."""
        if not self._ready or self.busy or self._closing:
            return
        request = self._ready.popleft()
        self._deadline = 0.0
        answering = self._answering = self._application.respond(request)
        answering.addCallbacks(
            lambda response: self._answered(request, response), lambda failure: self._failed(request, failure)
        )

    def _answered(self, request: Request, response: Response) -> None:
        self._answering = None
        request.body.close()
        if self._closing:
            response.body.close()
        else:
            self._send(request, response)

    def _failed(self, request: Request, failure: Failure) -> None:
        self._answering = None
        request.body.close()
        if not isinstance(failure.value, CancelledError):
            log.failure("no answer to {method} {target}", failure, method=request.method, target=request.target)
            self.transport.abortConnection()

    def _send(self, request: Request | None, response: Response) -> None:
        chunked = response.chunked and request is not None and not request.http_1_0
        close = response.close or request is None or not request.keep_alive or self.factory.stopping
        head = head_of(response, chunked, close)
        self._wait(self._limits.write)
        body = response.body
        if body.size <= MAX_WAITING:
            data = body.read()
            framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if chunked and data else data
            self.transport.write(head + framed + (b"0\r\n\r\n" if chunked and not data else b""))
            self._sent(response, close)
            return
        self.transport.write(head)
        self._sending = _Sending(self, response, chunked, close)
        self.transport.registerProducer(self._sending, False)

    def progress(self, sent: int) -> None:
        """The client took some of the answer."""
        self._wait(self._limits.write)

    def finished(self, response: Response, close: bool) -> None:
        """A long answer is out, or will never be."""
        self._sending = None
        if not self._closing:
            self.transport.unregisterProducer()
            self._sent(response, close)

    def _sent(self, response: Response, close: bool) -> None:
        response.body.close()
        if response.sent is not None:
            response.sent()
        if close:
            self._close()
            return
        self._wait(self._limits.idle)
        self._resume()

    def _resume(self) -> None:
        """Go on with what came in meanwhile."""
        data = bytes(self._waiting)
        self._waiting.clear()
        if self._paused:
            self._paused = False
            self.transport.resumeProducing()
        if self._ready:
            self._waiting += data
            self._clock.callLater(0, self._next)
        elif data:
            # not from here: a client that sends many requests at once would make this a deep recursion
            self._waiting += data
            self._clock.callLater(0, self._take_waiting)

    def _take_waiting(self) -> None:
        if self._closing or self.busy:
            return
        data = bytes(self._waiting)
        self._waiting.clear()
        if data:
            self._parse(data)

    def _close(self) -> None:
        """Close; a client that is still sending a refused request gets the chance to read why."""
        self._closing = True
        self._ready.clear()
        self._waiting.clear()
        if self._paused:
            self.transport.resumeProducing()
        self._wait(LINGER)
        if self._lingers:
            self.transport.loseWriteConnection()
        else:
            self.transport.loseConnection()

    def close_when_idle(self) -> None:
        """Close now, or after the answer in progress."""
        if not self.busy and not self._ready:
            self._closing = True
            self.transport.loseConnection()

    def abort(self) -> None:
        """Cut the connection."""
        self.transport.abortConnection()

    # -- time

    def _wait(self, seconds: float | None) -> None:
        """Expect something within this time; `_deadline` 0 means no end."""
        if seconds is None:
            self._deadline = 0.0
            return
        self._deadline = self._clock.seconds() + seconds
        if self._timer is None:
            self._timer = self._clock.callLater(seconds, self._expired)
        elif self._timer.getTime() > self._deadline:
            self._timer.reset(seconds)

    def _extend(self, received: int) -> None:
        """Data buys time: a slow client may take longer for a large request, but not for ever."""
        if self._deadline and not self.busy:
            self._deadline += received / MIN_RATE

    def _expired(self) -> None:
        self._timer = None
        if not self._deadline:
            return
        left = self._deadline - self._clock.seconds()
        if left > 0:
            self._timer = self._clock.callLater(left, self._expired)
            return
        self.transport.abortConnection()


class _Sending:
    """Sends a long body as fast as the client takes it (IPullProducer)."""

    def __init__(self, connection: HttpConnection, response: Response, chunked: bool, close: bool) -> None:
        self._connection = connection
        self._response = response
        self._chunked = chunked
        self._close = close
        self._chunks: Iterator[bytes] | None = response.body.chunks()

    def resumeProducing(self) -> None:
        """Send the next piece."""
        if self._chunks is None:
            return
        data = next(self._chunks, b"")
        if data:
            self._connection.progress(len(data))
            transport = self._connection.transport
            transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
            return
        self._chunks = None
        if self._chunked:
            self._connection.transport.write(b"0\r\n\r\n")
        self._connection.finished(self._response, self._close)

    def stopProducing(self) -> None:
        """The client has left."""
        if self._chunks is not None:
            self._chunks = None
            self._response.body.close()


def _cause(error: BaseException) -> BaseException:
    """What a callback raised; the parser wraps it."""
    while error.__context__ is not None and not isinstance(error, _Refused):
        error = error.__context__
    return error
