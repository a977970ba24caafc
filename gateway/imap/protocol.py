"""The connection as Twisted sees it: octets in and out, timers, TLS, compression, one command at a time.

Input is taken from the client only as fast as its commands are answered: what has arrived waits in the reader, and
beyond a limit in the client's own host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, ISSLTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.imap.answers import Goodbye
from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.parser import Request, parse
from gateway.imap.codec.reader import Broken, Continue, Hopeless, Line, Need, Received
from gateway.imap.codec.write_status import CONTINUE_LITERAL, untagged
from gateway.imap.connection import Authenticate, Connection
from gateway.imap.dispatch import answer, farewell, refusal
from gateway.imap.incoming import Incoming, Repeated
from gateway.imap.options import Options
from gateway.imap.output import Output
from gateway.imap.wire import Bell

log: Final = Logger()
#: Octets of further commands that are taken in while one is being answered.
AHEAD: Final = 1 << 16
#: How long a client may take to read the last answers (seconds).
_LINGER: Final = 30.0


class IMAP(Protocol):
    """One client. Also the `Wire` of its `Connection`."""

    factory: IMAPFactory

    def __init__(self) -> None:
        self.peer = ""
        self.loopback = False
        self._incoming = Incoming()
        self._bell: Bell | None = None
        self._line: Deferred[bytes] | None = None
        self._running: Deferred[None] | None = None
        self._afterwards: list[Callable[[], None]] = []
        self._interjection: Callable[[], Awaitable[None]] | None = None
        self._bad = 0
        self._closing = False
        self._reading = True
        self._pumping = False
        self._timer: IDelayedCall | None = None

    # -- from the transport

    def connectionMade(self) -> None:
        """Greet."""
        address = self.transport.getPeer()  # type: ignore[union-attr]
        self.peer = str(getattr(address, "host", "") or "")
        self.loopback = _is_loopback(self.peer)
        self._output = Output(
            self.transport, self.factory.reactor, self.factory.options.write_timeout, self._abort
        )
        self.connection = Connection(
            self.factory.authenticate, self.factory.options, self, tls=self.factory.tls is not None
        )
        self.limits_changed()
        name = self.factory.options.name
        self.write(
            untagged("OK", f"{name or 'IMAP'} ready", f"CAPABILITY {' '.join(self.connection.capabilities)}")
        )
        self._rest()
        self.factory.connections.add(self)

    def dataReceived(self, data: bytes) -> None:
        """Take what the client sent."""
        if self._closing:
            return
        try:
            self._incoming.receive(data)
        except Goodbye as error:
            self.say_goodbye(error)
        self._pump()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Stop everything that works for this client."""
        self._closing = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._running is not None:
            self._running.cancel()
        self.connection.log_out()
        self._incoming.reader.close()
        self.factory.gone(self)

    # -- the loop

    def _pump(self) -> None:
        """Take events until something has to be waited for."""
        if self._pumping:
            return
        self._pumping = True
        self._output.begin()
        try:
            while not self._closing and (self._running is None or self._wants_line):
                if not self._event():
                    break
        finally:
            self._pumping = False
        self._throttle()

    @property
    def _wants_line(self) -> bool:
        return self._line is not None or self._bell is not None

    def _event(self) -> bool:
        """Handle one event; False when there is none."""
        try:
            event = self._incoming.next()
        except Goodbye as error:
            self.say_goodbye(error)
            return False
        if isinstance(event, Need):
            return False
        if isinstance(event, Continue):
            self.write(CONTINUE_LITERAL)
        elif isinstance(event, Line):
            self._give_line(event.text)
        elif isinstance(event, Received):
            self._begin(event)
        elif isinstance(event, Broken):
            self._refuse(event.error.tag, event.error)
        elif isinstance(event, Hopeless):
            self.say_goodbye(Goodbye(event.reason, "TOOBIG"))
        return True

    def _begin(self, received: Received) -> None:
        try:
            request = parse(received, self.connection.dialect)
        except ParseError as error:
            received.close()
            self.connection.refused(error)
            self._refuse(error.tag, error)
            return
        self._rest()
        running = self._running = Deferred.fromCoroutine(self._answer(request))
        running.addErrback(self._failed)
        running.addBoth(lambda _: received.close())
        running.addBoth(lambda _: self._finished())

    async def _answer(self, request: Request) -> None:
        well = await answer(self.connection, request)
        afterwards, self._afterwards = self._afterwards, []
        for work in afterwards:
            work()
        self._count(well=well)

    def _finished(self) -> None:
        self._running = None
        self._line = self._bell = None
        if not self._closing:
            self._rest()
            self._pump()
            self._interject()

    def interject(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do this, which says something, as soon as no command is being answered."""
        self._interjection = work
        self._interject()

    def _interject(self) -> None:
        work = self._interjection
        if work is None or self._running is not None or self._closing:
            return
        self._interjection = None

        async def say() -> None:
            await work()

        running = self._running = Deferred.fromCoroutine(say())
        running.addErrback(self._not_said)
        running.addBoth(lambda _: self._said())

    def _said(self) -> None:
        self._running = None
        if not self._closing:
            self._pump()
            self._interject()

    def _not_said(self, failure: Failure) -> None:
        if isinstance(failure.value, Goodbye):
            self.say_goodbye(failure.value)
        elif not isinstance(failure.value, CancelledError):
            log.warn("{peer} could not be told what is new: {error}", peer=self.peer, error=failure.value)

    def _failed(self, failure: Failure) -> None:
        if isinstance(failure.value, CancelledError):
            return
        if isinstance(failure.value, Goodbye):
            self.say_goodbye(failure.value)
            return
        log.failure("the connection of {peer} failed", failure=failure, peer=self.peer)
        self._abort()

    def _refuse(self, tag: str, error: Exception) -> None:
        self._rest()
        self.write(refusal(tag, error))
        self._count(well=False)

    def _count(self, *, well: bool) -> None:
        """Too many errors in a row end the connection: whoever sends them will not stop."""
        self._bad = 0 if well else self._bad + 1
        if self._bad >= self.factory.options.max_bad_commands:
            self.say_goodbye(Goodbye("Too many errors"))

    # -- timers and pressure

    def _rest(self) -> None:
        """Start the autologout timer again."""
        options = self.factory.options
        seconds = options.login_timeout if self.connection.user is None else options.idle_timeout
        if self._timer is not None and self._timer.active():
            self._timer.reset(seconds)
        else:
            self._timer = self.factory.reactor.callLater(seconds, self._timed_out)

    def _timed_out(self) -> None:
        if self._closing:
            self._abort()
        elif self._running is not None and not self._wants_line:
            self._rest()  # a running command has time limits of its own
            return
        self.say_goodbye(Goodbye("Idle for too long"))

    def _throttle(self) -> None:
        """Read from the client only while there is room for what it says."""
        reading = self._incoming.pending < AHEAD or self._running is None
        if reading is not self._reading and not self._closing:
            self._reading = reading
            transport: Any = self.transport
            if reading:
                transport.resumeProducing()
            else:
                transport.pauseProducing()

    # -- Wire

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return ISSLTransport.providedBy(self.transport)

    def write(self, data: bytes) -> None:
        """Send a little, at once."""
        if data and not self._closing:
            self._output.write(data)

    async def send(self, data: bytes) -> None:
        """Send a piece, wait for room."""
        await self._output.send(data)

    async def line(self) -> bytes:
        """The next raw line of the client."""
        self._line = Deferred()
        self._incoming.reader.raw()
        self._later_pump()
        return await self._line

    def line_rings(self, bell: Bell) -> None:
        """Ring when the next raw line is there."""
        self._bell = bell
        self._incoming.reader.raw()
        self._later_pump()

    def _later_pump(self) -> None:
        if self._incoming.pending:
            self.factory.reactor.callLater(0, self._pump)

    def _give_line(self, text: bytes) -> None:
        self._rest()
        if self._bell is not None:
            bell, self._bell = self._bell, None
            bell.line = text
            bell.ring()
        elif self._line is not None:
            line, self._line = self._line, None
            line.callback(text)

    def unread(self, line: bytes) -> None:
        """Take a raw line as a command instead."""
        self._incoming.reader.unread(line)

    def every(self, seconds: float, work: Callable[[], None]) -> Callable[[], None]:
        """Do something again and again; returns the way to stop."""
        return Repeated(self.factory.reactor, seconds, work).stop

    def seconds(self) -> float:
        """The clock."""
        return float(self.factory.reactor.seconds())

    def after_answer(self, work: Callable[[], None]) -> None:
        """Do this when the tagged response was sent."""
        self._afterwards.append(work)

    def start_tls(self) -> None:
        """Begin the TLS handshake. What came in plain text behind STARTTLS is thrown away (RFC 9051 6.2.1)."""
        self._incoming.reader.rest()
        self.transport.startTLS(self.factory.tls)  # type: ignore[union-attr]

    def compress(self) -> None:
        """Compress both directions."""
        self._output.compress()
        self._incoming.decompress()

    def disconnect(self) -> None:
        """Close when everything was sent."""
        self._closing = True
        self._output.close()
        if self._timer is not None and self._timer.active():
            self._timer.reset(_LINGER)
        self.transport.loseConnection()  # type: ignore[union-attr]

    def limits_changed(self) -> None:
        """Apply the limits of the present state."""
        self._incoming.limit(self.factory.options, logged_in=self.connection.user is not None)

    def say_goodbye(self, error: Goodbye) -> None:
        """BYE, and close."""
        if not self._closing:
            self._output.write(farewell(error))
            self.disconnect()
            if self._running is not None:
                self._running.cancel()

    def _abort(self) -> None:
        self._closing = True
        self.transport.abortConnection()  # type: ignore[union-attr]


class IMAPFactory(Factory):
    """Makes a protocol for each client.

    `authenticate(user, password, peer)` gives a `gateway.mailbox.account.Account`; `tls` is what
    `transport.startTLS` takes, None for no STARTTLS.
    """

    noisy = False

    def __init__(self, authenticate: Authenticate, options: Options, reactor: Any, tls: Any = None) -> None:
        self.authenticate = authenticate
        self.options = options
        self.reactor = reactor
        self.tls = tls
        self.connections: set[IMAP] = set()
        self._empty: Deferred[None] | None = None

    def buildProtocol(self, addr: object) -> IMAP:  # type: ignore[override]
        """A protocol for a new client."""
        protocol = IMAP()
        protocol.factory = self
        return protocol

    def gone(self, connection: IMAP) -> None:
        """A client has left."""
        self.connections.discard(connection)
        if not self.connections and self._empty is not None:
            empty, self._empty = self._empty, None
            empty.callback(None)

    def shut_down(self) -> Deferred[None]:
        """Say goodbye to every client; fires when all have left."""
        self._empty = Deferred()
        empty = self._empty
        for connection in tuple(self.connections):
            connection.say_goodbye(Goodbye("The server is shutting down"))
        if not self.connections:
            self._empty = None
            empty.callback(None)
        return empty


def _is_loopback(host: str) -> bool:
    """Whether a peer is this host; a local socket has no address and is."""
    if not host:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
