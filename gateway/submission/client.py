# mypy: disallow_untyped_calls=False, disallow_subclassing_any=False
"""Twisted's SMTP client, made to carry many mails as they are: their own dots, their own line ends, a reply for each recipient.

Greeting, EHLO, STARTTLS and AUTH are Twisted's; from then on commands go out together where the server can (RFC 2920).
"""

from __future__ import annotations

import io
import re
from collections import deque
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.mail.smtp import SUCCESS, ESMTPClient, LOGINAuthenticator, PLAINAuthenticator, TLSError
from twisted.protocols.basic import FileSender
from twisted.python.failure import Failure

from gateway.smtp.codec.replies import Reply
from gateway.submission.options import Options
from gateway.submission.passage import Passage

_STATUS: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\s+(.*)", re.DOTALL)
_ANY: Final = range(1000)
_CLOSING: Final = 421


class SmarthostClient(ESMTPClient):
    """A connection. `ready` fires when mails may be sent, or with the error that stopped it."""

    debug = False
    transport: Any

    def __init__(self, options: Options, tls: Any, hostname: str) -> None:
        super().__init__(options.smarthost_password.encode() or None, tls, hostname.encode())
        self.ready: Deferred[None] = Deferred()
        self.timeout: Any = float(options.smarthost_timeout)
        self.requireAuthentication = bool(options.smarthost_user)
        self.requireTransportSecurity = options.smarthost_tls in ("starttls", "implicit")
        if options.smarthost_user:
            user = options.smarthost_user.encode()
            self.registerAuthenticator(PLAINAuthenticator(user))
            self.registerAuthenticator(LOGINAuthenticator(user))
        self._is_lmtp = options.smarthost_protocol == "lmtp"
        self.extensions: dict[str, str] = {}
        """What the server can, with its parameters."""
        self.carried = 0
        """Mails so far."""
        self.is_usable = True
        self.handed_over = False
        """Whether the mail of now has left whole: the server may have taken it, whatever happens next (RFC 1047)."""
        self._replies: deque[Reply | Failure] = deque()
        self._waiting: Deferred[Reply] | None = None
        self._half_done = False

    # Twisted's part

    def esmtpState_ehlo(self, code: int, resp: bytes) -> None:
        """Say hello; LMTP has a word of its own for it, and nothing to fall back to (RFC 2033 4.1)."""
        if not self._is_lmtp:
            super().esmtpState_ehlo(code, resp)
            return
        self._expected = SUCCESS
        self._okresponse = self.esmtpState_serverConfig
        self._failresponse = self.esmtpEHLORequired
        self.sendLine(b"LHLO " + self.identity)

    def esmtpState_serverConfig(self, code: int, resp: bytes) -> None:
        """Remember what the server can."""
        lines = resp.decode("ascii", "replace").splitlines()[1:]
        words = (line.split(maxsplit=1) for line in lines if line.split())
        self.extensions = {name.upper(): "".join(rest) for name, *rest in words}
        super().esmtpState_serverConfig(code, resp)

    def esmtpState_starttls(self, code: int, resp: bytes) -> None:
        """Begin TLS, unless something was said ahead in the clear (the response injection of RFC 3207 6)."""
        if self.clearLineBuffer():
            self.sendError(TLSError(code, b"the server spoke in the clear after it had agreed to TLS", b""))
            return
        super().esmtpState_starttls(code, resp)

    def smtpState_from(self, code: int, resp: bytes) -> None:
        """Logged in, or nothing to log in for: mails may come."""
        self._expected: Any = _ANY
        self._okresponse = self._failresponse = self._replied
        self.setTimeout(None)
        if not self.ready.called:
            self.ready.callback(None)

    def sendError(self, exc: Exception) -> None:
        """Something went wrong; the connection ends."""
        self._fail(Failure(exc))
        super().sendError(exc)

    def connectionLost(self, reason: Any = None) -> None:
        """The connection is gone."""
        super().connectionLost(reason)
        self._fail(Failure(ConnectionLost("the connection was lost")))

    def _fail(self, failure: Failure) -> None:
        self.is_usable = False
        if not self.ready.called:
            self.ready.errback(failure)
        elif self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting.errback(failure)
        else:
            self._replies.append(failure)

    # one mail after the other

    async def send(self, passage: Passage) -> list[tuple[str, Reply]]:
        """Hand a mail over; a reply for each recipient. Raises when the connection fails."""
        self.handed_over = False
        self.carried += 1
        self.setTimeout(self.timeout)
        try:
            return await self._send(passage)
        except BaseException:
            self.is_usable = False
            raise
        finally:
            self.setTimeout(None)

    async def _send(self, passage: Passage) -> list[tuple[str, Reply]]:
        begin = [b"RSET"] if self._half_done else []
        commands = [*begin, *passage.commands(self.extensions), b"DATA"]
        ahead = "PIPELINING" in self.extensions
        self._half_done = True
        if ahead:
            self.transport.write(b"\r\n".join(commands) + b"\r\n")
        replies = []
        for number, command in enumerate(commands[:-1]):
            replies.append(await self._answer(command, ahead=ahead))
            if number == len(begin) and not replies[-1].is_good and not ahead:
                return passage.outcome(replies[-1], [], [replies[-1]])
        mail, recipients = replies[len(begin)], replies[len(begin) + 1 :]
        wanted = sum(reply.is_good for reply in recipients) if mail.is_good else 0
        if not ahead and not wanted:
            return passage.outcome(mail, recipients, [mail])
        data = [await self._answer(commands[-1], ahead=ahead)]
        if data[0].code == 354:
            wire = passage.wire() if wanted else b""
            data = await self._transfer(wire, wanted if self._is_lmtp else 1) or data
            self._half_done = False
        return passage.outcome(mail, recipients, data)

    async def _transfer(self, wire: bytes, replies: int) -> list[Reply]:
        """Send mail data and its end (RFC 5321 4.1.1.4); nothing but the end when nobody wants it (RFC 2920 3.1).

        LMTP replies once for each recipient that was taken (RFC 2033 4.2).
        """
        if wire:
            await FileSender().beginFileTransfer(io.BytesIO(wire), self.transport, self._noting)
        self.handed_over = bool(wire)
        self.sendLine(b".")
        self.resetTimeout()
        return [await self._next() for _ in range(replies)]

    def _noting(self, chunk: bytes) -> bytes:
        self.resetTimeout()
        return chunk

    async def _answer(self, command: bytes, *, ahead: bool) -> Reply:
        if not ahead:
            self.sendLine(command)
        return await self._next()

    async def _next(self) -> Reply:
        if self._replies:
            found = self._replies.popleft()
            if isinstance(found, Failure):
                found.raiseException()
            else:
                return found
        self._waiting = Deferred()
        return await self._waiting

    def _replied(self, code: int, resp: bytes) -> None:
        reply = _reply(code, resp)
        if code == _CLOSING:
            self.is_usable = False
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(reply)
        else:
            self._replies.append(reply)
            self.is_usable = self.is_usable and bool(self._half_done)  # nobody asked: it says goodbye

    def leave(self) -> None:
        """End the connection politely."""
        if self.is_usable and self.transport is not None:
            self.is_usable = False
            self._okresponse = self._failresponse = self.smtpState_disconnect
            self.setTimeout(5.0)
            self.sendLine(b"QUIT")
        elif self.transport is not None:
            self.transport.loseConnection()

    def timeoutConnection(self) -> None:
        """The server is silent for too long."""
        super().timeoutConnection()
        self.transport.abortConnection()


def _reply(code: int, text: bytes) -> Reply:
    said = text.decode("utf-8", "replace")
    match = _STATUS.match(said)
    if match:
        return Reply(code, match[1], " ".join(match[2].split()))
    return Reply(code, f"{code // 100}.0.0", " ".join(said.split()))
