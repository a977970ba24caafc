"""POP3 over a Twisted transport: one command at a time, replies under back-pressure, time limits, TLS on demand.

Nothing is held per connection between commands but the session and an unfinished line. A client that does not read its replies is waited
for, a limited time, before the next piece is made; one that sends ahead is not read while more than `_WAITING` octets wait.
"""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IPushProducer, ISSLTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway.pop3 import codec, commands
from gateway.pop3.errors import CLIENT_ERRORS, reply_of
from gateway.pop3.options import Options
from gateway.pop3.session import Authenticate, Reply, Session, Shared, State

log: Final = Logger()
_ENDINGS: Final = (CancelledError, ConnectionDone, ConnectionLost)
"""How work ends whose client is gone."""
_WAITING: Final = 64 * 1024
_AT_ONCE: Final = 50
"""Commands that are answered before others get a turn."""


@implementer(IPushProducer)
class POP3(Protocol):
    """One connection."""

    transport: Any

    def __init__(self, factory: POP3Factory) -> None:
        self._factory = factory
        self._lines = codec.LineBuffer()
        self._busy = False
        self._work: Deferred[None] | None = None
        self._writable: Deferred[None] | None = None
        self._reading = True
        self._closing = False
        self._tls_next = False
        self._bad = 0
        self._logged_in = False

    def connectionMade(self) -> None:
        """Greet."""
        factory = self._factory
        peer = self.transport.getPeer()
        host = getattr(peer, "host", "")
        local = isinstance(peer, UNIXAddress) or host == "::1" or host.startswith("127.")
        secure = ISSLTransport.providedBy(self.transport)
        self.session = Session(factory.shared, self, host, secure=secure, local=local)
        self._last = self._since = factory.reactor.seconds()
        self._timer = factory.reactor.callLater(factory.options.login_timeout, self._check_time)
        factory.connections.add(self)
        self.transport.write(codec.ok(f"{factory.hostname} POP3 ready"))

    def dataReceived(self, data: bytes) -> None:
        """Take what the client sent; answer it unless an answer is under way."""
        self._last = self._factory.reactor.seconds()
        self._lines.feed(data)
        if not self._busy and not self._closing:
            self._serve()
        elif len(self._lines) > _WAITING and self._reading:
            self._reading = False
            self.transport.pauseProducing()

    def _serve(self) -> None:
        """Answer all lines that are there."""
        self._busy = True
        self._work = Deferred.fromCoroutine(self._answer_all())
        self._work.addBoth(self._served)

    def _served(self, outcome: object) -> None:
        """Every line is answered: be idle, or close."""
        self._busy = False
        self._last = self._factory.reactor.seconds()
        if isinstance(outcome, Failure) and not isinstance(outcome.value, _ENDINGS):
            log.failure("POP3 session ended", failure=outcome)
            self._closing = True
        if self._closing:
            self.transport.loseConnection()
        elif not self._logged_in and self.session.state is State.TRANSACTION:
            self._logged_in = True
            self._timer.reset(self._factory.options.idle_timeout)

    async def _answer_all(self) -> None:
        """Answer line after line until there is no whole one."""
        self.transport.registerProducer(self, True)
        try:
            answered = 0
            while not self._closing and (answer := await self._next_answer()) is not None:
                await self._send(answer)
                if self._tls_next:
                    self._begin_tls()
                answered += 1
                if answered % _AT_ONCE == 0:
                    await deferLater(self._factory.reactor, 0)
        finally:
            self.transport.unregisterProducer()

    async def _next_answer(self) -> Reply | None:
        """The answer to the next line, None when there is none."""
        try:
            line = self._lines.line(self._limit())
            if line is None:
                return None
            if not self._reading and len(self._lines) <= _WAITING // 2:
                self._reading = True
                self.transport.resumeProducing()
            answer = await commands.answer(self.session, line)
            self._bad = 0
        except CancelledError:
            raise  # the client has left
        except Exception as error:
            self._count(error)
            return reply_of(error)
        return answer

    def _limit(self) -> int:
        """How long a line may be now."""
        before = self.session.state is State.AUTHORIZATION
        return codec.AUTH_LINE if before else self._factory.options.max_line

    def _count(self, error: Exception) -> None:
        """Close after too many bad commands in a row."""
        if isinstance(error, CLIENT_ERRORS):
            self._bad += 1
            if self._bad >= self._factory.options.max_bad_commands:
                self._closing = True

    async def _send(self, answer: Reply) -> None:
        """Write an answer, no faster than the client reads."""
        if isinstance(answer, bytes):
            await self._write(answer)
            return
        try:
            async for piece in answer:
                await self._write(piece)
        except _ENDINGS:
            raise
        except Exception as error:  # the reply has begun: only closing tells the client that it is incomplete
            log.info("a reply was cut short: {why}", why=reply_of(error).decode())
            self.transport.abortConnection()
            raise ConnectionLost from error

    async def _write(self, data: bytes) -> None:
        """Write, then wait until the transport wants more; give up on a client that does not read."""
        self.transport.write(data)
        if self._writable is None:
            return
        try:
            await self._writable.addTimeout(self._factory.options.write_timeout, self._factory.reactor)
        except DeferredTimeout as error:
            log.info("{peer} takes no answer: the connection is closed", peer=self.session.peer)
            self.transport.abortConnection()
            raise ConnectionLost from error

    def start_tls(self) -> None:
        """Begin TLS once the reply to STLS is written (session.Connection)."""
        if len(
            self._lines
        ):  # RFC 2595 section 4; commands that came in the clear must not count as protected ones
            self._closing = True
            raise codec.ParseError("nothing may follow STLS before TLS begins")
        self._tls_next = True

    def _begin_tls(self) -> None:
        """Begin TLS."""
        self._tls_next = False
        self._lines.clear()
        self.session.secure = True
        self.transport.startTLS(self._factory.tls)

    def close(self) -> None:
        """Close after the reply (session.Connection)."""
        self._closing = True

    def _check_time(self) -> None:
        """Close a client that is silent for too long, or takes too long to log in; else look again later."""
        factory, session = self._factory, self.session
        if session.state is State.AUTHORIZATION:
            left = self._since + factory.options.login_timeout - factory.reactor.seconds()
        else:
            left = self._last + factory.options.idle_timeout - factory.reactor.seconds()
        if self._busy:
            left = max(left, 1)
        if left > 0:
            self._timer = factory.reactor.callLater(left, self._check_time)
            return
        self.farewell("closing the connection: nothing was heard for too long")

    @property
    def is_updating(self) -> bool:
        """Whether a QUIT is deleting messages, which nothing may interrupt."""
        return self._busy and self.session.state is State.UPDATE

    def farewell(self, text: str) -> None:
        """Tell the client why the connection ends, unless a reply is under way; deleted marks are forgotten (RFC 1939 section 3)."""
        self._closing = True
        if self.is_updating:
            return
        if self._busy:
            self._stop_work()
            self.transport.abortConnection()
        else:
            self.transport.write(codec.err(text, "SYS/TEMP"))
            self.transport.loseConnection()

    def _stop_work(self) -> None:
        """Stop what the client asked for."""
        if self._busy and self._work is not None:
            self._work.cancel()

    def updated(self) -> Deferred[None] | None:
        """Fires when the QUIT that is deleting has done so; None when there is no such."""
        if not self.is_updating or self._work is None:
            return None
        return _end_of(self._work)

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
        """The transport is gone (IPushProducer); connectionLost does the rest."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone: stop what it asked for, unless that is the deletion after QUIT."""
        self._factory.connections.discard(self)
        self._closing = True
        if self._timer.active():
            self._timer.cancel()
        if self.is_updating:
            return
        self._stop_work()
        if self.session.maildrop is not None:
            self._factory.background(self._leave())

    async def _leave(self) -> None:
        """Save what was read, then release the maildrop."""
        try:
            if self.session.maildrop is not None:
                await self.session.maildrop.finish_reading()
        finally:
            self.session.leave()


class POP3Factory(Factory):
    """Makes the connections of one POP3 server.

    `authenticate(user, password, peer)` opens an account. `tls`, if there is a certificate, is what STLS begins TLS with.
    """

    noisy = False

    def __init__(
        self,
        authenticate: Authenticate,
        options: Options,
        reactor: Any,
        tls: IOpenSSLServerConnectionCreator | None = None,
        *,
        hostname: str = "localhost",
        clock: Any = None,
    ) -> None:
        self.options = options
        self.reactor = reactor
        self.tls = tls
        self.hostname = hostname
        self.shared = Shared(authenticate, options, clock or reactor.seconds, tls=tls is not None)
        self.connections: set[POP3] = set()
        self._background: set[Deferred[None]] = set()

    def buildProtocol(self, addr: object) -> POP3:
        """One connection."""
        return POP3(self)

    def background(self, work: Any) -> None:
        """Finish a coroutine whose client is gone."""
        done: Deferred[None] = Deferred.fromCoroutine(work)
        self._background.add(done)

        def finished(outcome: object) -> None:
            self._background.discard(done)
            if isinstance(outcome, Failure):
                log.info("what a client had read could not be marked: {why}", why=outcome.getErrorMessage())

        done.addBoth(finished)

    def shut_down(self) -> Deferred[Any]:
        """Tell every client that the server goes; fires when what follows a QUIT is finished."""
        connections = list(self.connections)
        for connection in connections:
            connection.farewell("the server is shutting down")
        waits = [wait for connection in connections if (wait := connection.updated()) is not None]
        return gatherResults([*waits, *map(_end_of, self._background)], consumeErrors=True)


def _end_of(work: Deferred[None]) -> Deferred[None]:
    """Fires when the work ends, and leaves its outcome to others."""
    done: Deferred[None] = Deferred()

    def ended(outcome: Any) -> Any:
        done.callback(None)
        return outcome

    work.addBoth(ended)
    return done
