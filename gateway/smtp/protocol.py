"""SMTP and LMTP over a Twisted transport: one thing at a time, replies in order, time limits, TLS on demand.

A client that sends ahead is not read while more than `_WAITING` octets wait. A mail whose data came whole is taken
to its end even when the client is gone: the client does not know, and will send it again (RFC 1047).
"""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.defer import TimeoutError as WaitedTooLong
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IPushProducer, ISSLTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway.smtp.codec.replies import Refused, Reply
from gateway.smtp.session import Backend, Session

log: Final = Logger()
_ENDINGS: Final = (CancelledError, WaitedTooLong)
"""How work ends whose client is gone, or does not read."""
_WAITING: Final = 64 * 1024
_AT_ONCE: Final = 100
"""Commands that are answered before others get a turn."""


@implementer(IPushProducer)
class MailProtocol(Protocol):
    """One connection."""

    transport: Any

    def __init__(self, factory: MailFactory) -> None:
        self._factory = factory
        self._buffer = b""
        self._running: Deferred[None] | None = None
        self._skipping = False
        self._paused = False
        self._closing = False
        self._gone = False
        self._tls_next = False
        self._writable: Deferred[None] | None = None

    def connectionMade(self) -> None:
        """Greet."""
        factory, peer = self._factory, self.transport.getPeer()
        host = getattr(peer, "host", "")
        local = isinstance(peer, UNIXAddress) or host == "::1" or host.startswith("127.")
        secure = ISSLTransport.providedBy(self.transport)
        backend = factory.backend
        self._session = Session(backend, self, host, secure=secure, local=local, tls=factory.tls is not None)
        self._heard = self._mail_since = factory.reactor.seconds()
        self._timer = factory.reactor.callLater(backend.options.idle_timeout, self._check_time)
        factory.connections.add(self)
        self.transport.write(factory.greeting(host).encode())
        if not factory.is_welcome(host):
            self.close()
            self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        """Take what the client sent; work on it unless work is under way."""
        self._heard = self._factory.reactor.seconds()
        if self._closing:
            return
        self._buffer += data
        if self._running is None:
            self._running = Deferred()  # dataReceived may be called before the coroutine waits
            work = Deferred.fromCoroutine(self._answer_all())
            self._running = work
            self._factory.working.add(work)
            work.addBoth(self._answered, work)
        elif len(self._buffer) > _WAITING and not self._paused:
            self._paused = True
            self.transport.pauseProducing()

    def _answered(self, outcome: object, work: Deferred[None]) -> None:
        self._running = None
        self._factory.working.discard(work)
        self._heard = self._factory.reactor.seconds()
        if isinstance(outcome, Failure):
            if not isinstance(outcome.value, _ENDINGS):
                log.failure("a mail session ended", failure=outcome)
            self._closing = True
            self.transport.abortConnection()
        if self._gone:
            self._session.leave()
        elif self._closing:
            self.transport.loseConnection()

    async def _answer_all(self) -> None:
        self.transport.registerProducer(self, True)
        try:
            await self._answer_buffered()
        finally:
            self.transport.unregisterProducer()

    async def _answer_buffered(self) -> None:
        answered = 0
        while not self._closing and (reply := await self._next()) is not None:
            if reply and not self._gone:
                self.transport.write(reply)
            if self._writable is not None:  # a client that does not read its replies
                options = self._factory.backend.options
                await self._writable.addTimeout(options.idle_timeout, self._factory.reactor)
            if self._tls_next:
                self._begin_tls()
            answered += 1
            if answered % _AT_ONCE == 0:
                await deferLater(self._factory.reactor, 0)

    async def _next(self) -> bytes | None:
        """The reply to what is next in the buffer, b"" when there is none to give yet, None when no more is there."""
        session = self._session
        if session.data is not None:
            return await self._next_data()
        if session.octets:
            piece = self._take(session.octets)
            session.take_octets(piece)
            return None if session.octets else await session.chunk_taken()
        line = self._line()
        if line is None or isinstance(line, Refused):
            return None if line is None else session.refuse(line.reply.code, line.reply.status, line.reply.text)
        self._mail_since = self._factory.reactor.seconds()
        if line[:5].upper() == b"BDAT ":
            reply = await session.chunk(line)
            return b"" if reply is None else reply
        return await session.line(line)

    async def _next_data(self) -> bytes | None:
        rest = self._session.take_data(self._take(len(self._buffer)))
        if rest is None:
            return None
        self._buffer = rest + self._buffer
        return await self._session.data_taken()

    def _take(self, size: int) -> bytes:
        piece, self._buffer = self._buffer[:size], self._buffer[size:]
        self._resume()
        return piece

    def _line(self) -> bytes | Refused | None:
        """The next line; None when it has not come whole, Refused instead of one that makes no sense."""
        limit = int(self._factory.backend.options.max_line)
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) >= limit:
                self._skipping, self._buffer = True, b""
            return None
        line, self._buffer = self._buffer[: end + 1], self._buffer[end + 1 :]
        self._resume()
        if self._skipping or end >= limit:
            self._skipping = False
            return Refused(500, "5.5.2", "the line is too long")
        if not line.endswith(b"\r\n"):
            return Refused(500, "5.5.2", "lines end in CRLF")
        return line[:-2]

    def _resume(self) -> None:
        if self._paused and len(self._buffer) <= _WAITING and not self._gone:
            self._paused = False
            self.transport.resumeProducing()

    def start_tls(self) -> None:
        """Begin TLS after the reply (session.Connection)."""
        if self._buffer:  # what came in the clear must not count as said under TLS
            self._closing = True
            raise Refused(503, "5.5.1", "nothing may follow STARTTLS before TLS begins")
        self._tls_next = True

    def _begin_tls(self) -> None:
        self._tls_next = False
        self._buffer = b""
        self._session.secure = True
        self.transport.startTLS(self._factory.tls)

    def pauseProducing(self) -> None:
        """The transport has enough (IPushProducer)."""
        if self._writable is None:
            self._writable = Deferred()

    def resumeProducing(self) -> None:
        """The transport wants more (IPushProducer)."""
        writable, self._writable = self._writable, None
        if writable is not None and not writable.called:
            writable.callback(None)

    def stopProducing(self) -> None:
        """The transport is gone (IPushProducer)."""
        self.resumeProducing()

    def close(self) -> None:
        """Close after the reply (session.Connection)."""
        self._closing = True

    def _check_time(self) -> None:
        factory, session = self._factory, self._session
        options, now = factory.backend.options, factory.reactor.seconds()
        left = self._heard + options.idle_timeout - now
        if session.data is not None or session.octets:
            left = min(left, self._mail_since + options.mail_timeout - now)
        if self._running is not None:
            left = max(left, 1)
        if left > 0:
            self._timer = factory.reactor.callLater(left, self._check_time)
            return
        self.farewell(Reply(421, "4.4.2", "nothing was heard for too long"))

    def farewell(self, reply: Reply) -> None:
        """Tell the client why the connection ends, now or after what is under way."""
        self._closing = True
        if self._running is None:
            self.transport.write(reply.encode())
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone; a mail that is being stored is stored."""
        self._gone = self._closing = True
        self._factory.connections.discard(self)
        if self._timer.active():
            self._timer.cancel()
        if self._running is None:
            self._session.leave()


class MailFactory(Factory):
    """Makes the connections of one server. ``tls`` is what STARTTLS begins TLS with."""

    noisy = False

    def __init__(
        self, backend: Backend, reactor: Any, tls: IOpenSSLServerConnectionCreator | None = None
    ) -> None:
        self.backend = backend
        self.reactor = reactor
        self.tls = tls
        self.connections: set[MailProtocol] = set()
        self.working: set[Deferred[None]] = set()

    def buildProtocol(self, addr: object) -> MailProtocol:
        """One connection."""
        return MailProtocol(self)

    def is_welcome(self, host: str) -> bool:
        """Whether a client of this address ("" = a local socket) is served."""
        return True

    def greeting(self, host: str) -> Reply:
        """The first line."""
        if not self.is_welcome(host):
            return Reply(554, "5.7.1", f"{host or 'you'} may not deliver here")
        return Reply(220, "", f"{self.backend.hostname} {'LMTP' if self.backend.lmtp else 'ESMTP'} ready")

    def shut_down(self) -> Deferred[Any]:
        """Tell every client that the server goes; fires when mails that are being stored are stored."""
        working = [*self.working]
        for connection in [*self.connections]:
            connection.farewell(Reply(421, "4.3.2", "the server is shutting down"))
        return gatherResults([_shielded(work) for work in working], consumeErrors=True)


def _shielded(work: Deferred[None]) -> Deferred[None]:
    """Fires when the work is done; cancelling it leaves the work alone."""
    done: Deferred[None] = Deferred()

    def finished(outcome: Any) -> Any:
        if not done.called:
            done.callback(None)
        return outcome

    work.addBoth(finished)
    return done
