# mypy: disallow_untyped_calls=False, disallow_subclassing_any=False
"""Twisted's SMTP client, made to carry one mail as it is: its own dots, its own line ends, one reply per recipient."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.mail.smtp import SUCCESS, ESMTPClient, LOGINAuthenticator, PLAINAuthenticator
from twisted.python.failure import Failure

from gateway.smtp.codec.replies import Reply
from gateway.submission.options import Options

_BARE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_STATUS: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\s+(.*)", re.DOTALL)


class SmarthostClient(ESMTPClient):
    """One mail's way. ``result`` fires with a reply for each recipient, or the error that stopped it."""

    debug = False

    def __init__(
        self, options: Options, tls: Any, hostname: str, sender: str, recipients: list[str], mail: bytes
    ) -> None:
        super().__init__(options.smarthost_password.encode() or None, tls, hostname.encode())
        self.result: Deferred[list[tuple[str, Reply]]] = Deferred()
        self.timeout: Any = float(options.smarthost_timeout)
        self.requireAuthentication = bool(options.smarthost_user)
        self.requireTransportSecurity = options.smarthost_tls != "none"
        if options.smarthost_user:
            user = options.smarthost_user.encode()
            self.registerAuthenticator(PLAINAuthenticator(user))
            self.registerAuthenticator(LOGINAuthenticator(user))
        self._sender, self._to = sender, recipients
        self._file = io.BytesIO(stuffed(mail))
        self._extensions: frozenset[bytes] = frozenset()
        self._needs_8bit = not mail.isascii()
        self._handed_over = False

    def esmtpState_serverConfig(self, code: int, resp: bytes) -> None:
        """Remember what the server can."""
        self._extensions = frozenset(line.split()[0].upper() for line in resp.splitlines() if line.split())
        super().esmtpState_serverConfig(code, resp)

    def smtpState_from(self, code: int, resp: bytes) -> None:
        """MAIL, with what the mail needs and the server can; QUIT after it."""
        if self._handed_over:
            self._disconnectFromServer()
            return
        self._handed_over, self._from = True, self._sender
        self._failresponse = self.smtpTransferFailed
        line = f"MAIL FROM:<{self._sender}>".encode()
        if self._needs_8bit and b"8BITMIME" in self._extensions:
            line += b" BODY=8BITMIME"
        if b"SMTPUTF8" in self._extensions and not all(map(str.isascii, (self._sender, *self._to))):
            line += b" SMTPUTF8"
        self.sendLine(line)
        self._expected = [250]
        self._okresponse = self.smtpState_to

    def smtpState_toOrData(self, code: int, resp: bytes) -> None:
        """RCPT by RCPT, then DATA."""
        if self.lastAddress is not None:
            self.toAddressesResult.append((self.lastAddress, code, resp))
            if code in SUCCESS:
                self.successAddresses.append(self.lastAddress)
        self.lastAddress = next(self.toAddresses, None)
        if self.lastAddress is not None:
            self.sendLine(f"RCPT TO:<{self.lastAddress}>".encode())
        elif self.successAddresses:
            self.sendLine(b"DATA")
            self._expected = [354]
            self._okresponse = self.smtpState_data
        else:
            self.smtpState_msgSent(code, resp)

    def getMailTo(self) -> Iterable[str]:
        """The recipients."""
        return self._to

    def getMailData(self) -> io.BytesIO:
        """The mail as it goes over the wire."""
        return self._file

    def transformChunk(self, chunk: bytes) -> bytes:
        """It is transformed already."""
        self.resetTimeout()
        return chunk

    def finishedFileTransfer(self, lastsent: bytes) -> None:
        """The end of data; the mail ends in CRLF."""
        self.sendLine(b".")

    def sentMail(self, code: int, resp: Any, numOk: int, addresses: Any, log: Any) -> None:  # noqa: N803
        """The answer to the data, or to MAIL, or the last of the recipients."""
        asked = {address: _reply(one, text) for address, one, text in addresses}
        whole = _reply(code, resp)
        replies = [
            (address, whole if asked.get(address, whole).is_good else asked[address]) for address in self._to
        ]
        self._finish(replies)

    def sendError(self, exc: Exception) -> None:
        """Something else went wrong."""
        self._finish(Failure(exc))
        super().sendError(exc)

    def connectionLost(self, reason: Any = None) -> None:
        """The connection is gone."""
        super().connectionLost(reason)
        self._finish(Failure(ConnectionLost("the connection was lost")))

    def _finish(self, outcome: Any) -> None:
        if not self.result.called:
            self.result.callback(outcome)


def _reply(code: int, text: Any) -> Reply:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    match = _STATUS.match(said)
    if match:
        return Reply(code, match[1], " ".join(match[2].split()))
    return Reply(code, f"{code // 100}.0.0", " ".join(said.split()))


def stuffed(mail: bytes) -> bytes:
    """A mail as DATA wants it: CRLF throughout, dots doubled, an end of line at the end (RFC 5321 4.5.2)."""
    mail = _BARE.sub(b"\r\n", mail)
    if not mail.endswith(b"\r\n"):
        mail += b"\r\n"
    mail = mail.replace(b"\r\n.", b"\r\n..")
    return b"." + mail if mail.startswith(b".") else mail
