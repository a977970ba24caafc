"""One HTTP connection to a store server: a request goes out, its reply is decoded as it comes in.

A `Connection` carries one `Exchange` at a time. The reply's body is given to a sink piece by piece, never
held; when the sink is slower than the network the transport is paused between pieces, so that nothing else
in the process waits longer than `SLICE_SECONDS`. Whatever goes wrong ends the connection and the exchange
with a `TransportError` that says what happened.
"""

from __future__ import annotations

from socket import MSG_PEEK, socket
from typing import Any, Final, cast

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IDelayedCall,
    IHandshakeListener,
    IReactorTime,
    ISystemHandle,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway.mapiclient.address import Server
from gateway.mapiclient.alarm import Alarm
from gateway.mapiclient.errors import (
    BadReply,
    CallTimeout,
    ConnectionClosed,
    ServerFault,
    StaleConnection,
    TransportError,
)
from gateway.mapiclient.exchange import Exchange, Intake, Outgoing, Owner
from gateway.mapiclient.http import HttpError, ReplyReader, request_head, request_tail
from gateway.mapiclient.wire.errors import Fault, WireError

#: How long replies are decoded before others get a turn.
SLICE_SECONDS: Final = 0.005
#: Bodies up to this size are joined to their head and sent in one piece.
_JOINED: Final = 65_536


@implementer(IHandshakeListener)
class Connection(Protocol):
    """One connection to ``server``. ``opened`` fires when it can be used, ``exchanges`` counts replies."""

    transport: Any

    def __init__(self, server: Server, clock: IReactorTime, owner: Owner, *, compression: bool = False) -> None:
        self.server = server
        self.opened: Deferred[Connection] = Deferred(lambda _: self.close())
        self.exchanges = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.reusable = True
        self._clock = clock
        self._owner = owner
        self._head = request_head(server.host_header, server.path, compression=compression)
        self._reader = ReplyReader()
        self._alarm = Alarm(clock, self._timed_out)
        self._exchange: Exchange | None = None
        self._intake: Intake | None = None
        self._body: Outgoing | None = None
        self._later: IDelayedCall | None = None
        self._ended: Failure | None = None
        self._closed = False
        self._total_at = 0.0
        self._socket: socket | None = None

    # the life of the connection

    def connectionMade(self) -> None:
        """Plain connections can be used now, TLS ones after the handshake."""
        transport = self.transport
        if ITCPTransport.providedBy(transport):
            transport.setTcpNoDelay(True)
            transport.setTcpKeepAlive(True)
        below = getattr(transport, "transport", transport)  # of TLS
        if ISystemHandle.providedBy(below):
            self._socket = cast("socket", below.getHandle())
        if self.server.scheme != "https":
            self.handshakeCompleted()

    def handshakeCompleted(self) -> None:
        """The TLS handshake, where there is one, is over and the server's certificate is good."""
        if not self._closed and not self.opened.called:
            self.opened.callback(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection has ended, by whichever side."""
        if self._closed:
            return
        if self._exchange is not None and self._later is not None:
            self._ended = reason  # what came before the end is still being decoded
            return
        self._end(reason)

    def _end(self, reason: Failure) -> None:
        if self._exchange is None:
            self._gone(reason.value or ConnectionDone())
        elif isinstance(reason.value, ConnectionDone) and self._reader.end():
            self._ended = reason
            self._advance()
        else:
            self._fail(self._closed_early(reason))

    def _gone(self, why: BaseException) -> None:
        """The connection ended while nothing ran on it, perhaps before it could be used."""
        self._shut()
        if self.opened.called:
            self._owner.lost(self)
        else:
            self.opened.errback(why)

    def close(self) -> None:
        """End the connection, and what runs on it, at once. The owner is not told."""
        self._shut()
        if self.transport is not None:
            self.transport.abortConnection()

    def _shut(self) -> None:
        self._closed = True
        self.reusable = False
        self._exchange = self._intake = None
        self._alarm.stop()
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def ended_already(self) -> bool:
        """Whether the server has closed this free connection, or sent something, and the reactor has not seen it.

        Between the server's FIN and `connectionLost` a request would be lost; one look at the socket tells.
        """
        if self._socket is None:
            return False
        try:
            self._socket.recv(1, MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    # the request

    def start(self, exchange: Exchange) -> None:
        """Run an exchange; the owner is told how it ends. The connection must be free."""
        assert self._exchange is None
        assert not self._closed
        self._exchange = exchange
        self._intake = self._body = None
        self._reader.reset()
        now = self._clock.seconds()
        self._total_at = now + exchange.seconds
        body = exchange.body
        if isinstance(body, bytes):
            self._send(self._head + request_tail(exchange.content_type, len(body)), body)
            self._alarm.set(self._total_at)
            return
        self._send(self._head + request_tail(exchange.content_type, exchange.length))
        self._alarm.set(min(self._total_at, now + exchange.idle_seconds))
        self._body = Outgoing(self, body, exchange.length)
        self.transport.registerProducer(self._body, False)

    def _send(self, *pieces: bytes) -> None:
        size = sum(map(len, pieces))
        self.bytes_out += size
        if size > _JOINED:
            self.transport.writeSequence(pieces)
            return
        data = b"".join(pieces)
        sent = self._sent_at_once(data)
        if sent < size:
            self.transport.write(data[sent:])

    def _sent_at_once(self, data: bytes) -> int:
        """Give a request to the kernel without a turn of the reactor: half the cost of a small call.

        The transport's own buffer is empty then, because the connection was free. How many bytes went is
        returned; errors are left for the transport to find.
        """
        if self._socket is None or self._body is not None or self.server.scheme == "https":
            return 0
        try:
            return self._socket.send(data)
        except OSError:
            return 0

    def send_piece(self, body: Outgoing) -> None:
        """The transport wants more of an iterable body."""
        exchange = self._exchange
        if body is not self._body or exchange is None:
            return
        try:
            piece = body.next()
        except Exception as error:  # the body is the caller's code, whatever it raises is his
            self._fail(error)
            return
        self._send(body.end if piece is None else piece)
        if piece is None:
            self._body = None
            self.transport.unregisterProducer()
            self._alarm.set(self._total_at)
        else:
            self._alarm.set(min(self._total_at, self._clock.seconds() + exchange.idle_seconds))

    # the reply

    def dataReceived(self, data: bytes) -> None:
        """Bytes of the reply."""
        self.bytes_in += len(data)
        exchange = self._exchange
        if exchange is None:
            if not self._closed:
                # The server speaks before it is asked: it cannot be trusted with a request.
                self.close()
                self._gone(BadReply("it sends data that nobody asked for", server=str(self.server)))
            return
        try:
            self._reader.feed(data)
            self._take_pieces(exchange)
        except Exception as error:
            self._fail(self._explained(error))
            return
        if self._later is None:
            self._advance()

    def _take_pieces(self, exchange: Exchange) -> None:
        reader = self._reader
        if self._intake is None and reader.head_complete:
            self._intake = self._opened_reply(exchange)
        if self._intake is not None and reader.pieces:
            self._intake.add(reader.pieces)
            reader.pieces = []

    def _opened_reply(self, exchange: Exchange) -> Intake:
        """The status is known: 200, or 500 with a SOAP fault (SOAP 1.1 section 6.2), or no reply at all."""
        reader = self._reader
        if reader.status != 200 and not (reader.status == 500 and "xml" in reader.content_type.lower()):
            raise HttpError(f"it answered HTTP status {reader.status} instead of a reply")
        return Intake(exchange.sink(reader.content_type), reader.encoding, exchange.reply_bytes)

    def _advance(self) -> None:
        """Decode what has come, for a while; then see whether that was all."""
        exchange, intake, seconds = self._exchange, self._intake, self._clock.seconds
        if exchange is None:
            return
        now = seconds()
        try:
            done = intake is None or intake.work(seconds, now + SLICE_SECONDS)
        except Exception as error:
            self._fail(self._explained(error))
            return
        if not done:
            self._pause()
        elif self._reader.complete:
            self._complete(exchange)
        elif self._ended is not None:
            ended, self._ended = self._ended, None
            self._end(ended)
        else:
            self._alarm.set(min(self._total_at, now + exchange.idle_seconds))

    def _pause(self) -> None:
        if self._ended is None:
            self.transport.pauseProducing()
        self._later = self._clock.callLater(0, self._resume)

    def _resume(self) -> None:
        self._later = None
        self._advance()
        if self._later is None and not self._closed and self._ended is None:
            self.transport.resumeProducing()

    def _complete(self, exchange: Exchange) -> None:
        """The reply is whole: the connection becomes free, then the owner hears of it."""
        intake, self._intake = self._intake, None
        assert intake is not None
        try:
            reply, error = intake.close(), None
        except Exception as problem:
            reply, error = None, self._explained(problem)
        self.exchanges += 1
        reader = self._reader
        whole = reader.keep_alive and reader.framed and not reader.trailing
        if not whole or self._body is not None or self._ended is not None:
            self.close()
        self._alarm.clear()
        self._exchange = None
        if error is None:
            self._owner.replied(self, exchange, reply)
        else:
            self.close()
            self._owner.failed(self, exchange, error)

    # what goes wrong

    def _timed_out(self) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        if self._clock.seconds() >= self._total_at:
            reason = f"no complete reply within {exchange.seconds:g} seconds"
        elif self._body is not None:
            reason = f"the server took nothing of the request for {exchange.idle_seconds:g} seconds"
        else:
            reason = f"the reply stopped for {exchange.idle_seconds:g} seconds"
        self._fail(self._error(CallTimeout, reason))

    def _fail(self, error: Exception) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        self.close()
        self._owner.failed(self, exchange, error)

    def _explained(self, error: Exception) -> Exception:
        """What a decoder or parser raised, as an error that names the server and the call."""
        if isinstance(error, Fault):
            name = self._exchange.call if self._exchange else ""
            return ServerFault(f"{name}: {self.server} did not understand the request: {error}", call=name)
        if isinstance(error, HttpError):
            explained: Exception = self._error(BadReply, str(error))
        elif isinstance(error, WireError):
            explained = self._error(BadReply, f"the reply cannot be understood: {error}")
        else:
            return error
        explained.__cause__ = error
        return explained

    def _closed_early(self, reason: Failure) -> TransportError:
        why = "" if isinstance(reason.value, ConnectionDone) else f" ({reason.getErrorMessage()})"
        if not self._reader.started:
            kind = StaleConnection if self.exchanges else ConnectionClosed
            return self._error(kind, f"the connection was closed before the reply{why}")
        return self._error(ConnectionClosed, f"the connection was closed in the middle of the reply{why}")

    def _error(self, kind: type[TransportError], reason: str) -> TransportError:
        exchange = self._exchange
        # An unfinished request cannot have been carried out.
        unknown = self._body is None
        return kind(reason, server=str(self.server), call=exchange.call if exchange else "", unknown=unknown)
