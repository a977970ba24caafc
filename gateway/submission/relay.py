"""The smarthost: a few connections that carry one mail after the other, by Twisted's SMTP client (RFC 5321).

What goes out has CRLF line ends only, so that nobody downstream can read an end of data that we did not write.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import CancelledError, DeferredSemaphore
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Factory
from twisted.internet.ssl import Certificate, CertificateOptions, optionsForClientTLS, trustRootFromCertificates
from twisted.logger import Logger
from twisted.mail.smtp import SMTPClientError

from gateway.smtp.codec.address import parse_address
from gateway.smtp.codec.replies import Reply
from gateway.submission.client import SmarthostClient
from gateway.submission.options import Options
from gateway.submission.passage import Impossible, Passage

log: Final = Logger()
#: Seconds that a connection waits for another mail, and how many it carries; many servers end it sooner than others.
_IDLE: Final = 10.0
_MOST_MAILS: Final = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of each recipient; the replies are the smarthost's."""

    sent: list[str] = field(default_factory=list)
    failed: dict[str, Reply] = field(default_factory=dict)
    """Refused for good."""
    later: dict[str, Reply] = field(default_factory=dict)
    """Refused for now; nothing was sent to them, or nobody knows (RFC 1047)."""

    def note(self, recipient: str, reply: Reply) -> None:
        """File a recipient under its reply."""
        if reply.is_good:
            self.sent.append(recipient)
        elif reply.code >= 500:
            self.failed[recipient] = reply
        else:
            self.later[recipient] = reply


class Relay:
    """Hands mail to the smarthost; connections are kept for the next mail."""

    def __init__(self, reactor: Any, options: Options, *, hostname: str) -> None:
        self._reactor = reactor
        self._options = options
        self._hostname = hostname
        self._host, _, port = options.smarthost.rpartition(":")
        self._host = self._host.strip("[]")
        self._port = int(port)
        self._turns = DeferredSemaphore(max(1, options.connections))
        self._idle: list[tuple[SmarthostClient, Any]] = []
        self.connected = 0
        """Connections that were made."""

    async def send(self, sender: str, recipients: Sequence[str], mail: bytes) -> Outcome:
        """Hand a mail over. Never raises for what the smarthost does or says."""
        outcome = Outcome()
        sayable = []
        for recipient in recipients:
            if parse_address(recipient) is None:
                outcome.failed[recipient] = Reply(553, "5.1.3", "that is no address")
            else:
                sayable.append(recipient)
        if sayable:
            await self._turns.acquire()
            try:
                await self._hand_over(Passage(sender, sayable, mail), outcome)
            finally:
                self._turns.release()
        return outcome

    async def _hand_over(self, passage: Passage, outcome: Outcome) -> None:
        try:
            for recipient, reply in await self._carried(passage):
                outcome.note(recipient, reply)
        except Impossible as error:
            outcome.failed.update(dict.fromkeys(passage.recipients, error.reply))
        except Exception as error:  # whatever it is, nobody said that the mail was taken: it stays ours
            log.warn("the smarthost {host}: {error}", host=self._options.smarthost, error=_text_of(error))
            reply = Reply(451, "4.4.1", f"the next mail server: {_text_of(error)}")
            outcome.later.update(dict.fromkeys(passage.recipients, reply))

    async def _carried(self, passage: Passage) -> list[tuple[str, Reply]]:
        """Over a kept connection; over a new one when that has ended meanwhile, which shows before the mail has left."""
        while self._idle:
            client, timer = self._idle.pop()
            timer.cancel()
            if client.is_usable:
                try:
                    return await self._over(client, passage)
                except (ConnectionLost, ConnectionDone, SMTPClientError):
                    if client.handed_over:
                        raise
        return await self._over(await self._connect(), passage)

    async def _over(self, client: SmarthostClient, passage: Passage) -> list[tuple[str, Reply]]:
        try:
            fitting, refused = passage.fitting(client.extensions)
            replies = await client.send(fitting) if fitting.recipients else []
        except CancelledError:
            client.transport.abortConnection()
            raise
        finally:
            self._keep(client)
        return [*replies, *refused.items()]

    def _keep(self, client: SmarthostClient) -> None:
        if client.is_usable and client.carried < _MOST_MAILS:
            self._idle.append((client, self._reactor.callLater(_IDLE, self._expire, client)))
        else:
            client.leave()

    def _expire(self, client: SmarthostClient) -> None:
        self._idle = [entry for entry in self._idle if entry[0] is not client]
        client.leave()

    async def _connect(self) -> SmarthostClient:
        """A connection that is ready; without TLS where that is wanted only if it works (RFC 7435)."""
        try:
            return await self._connected(self._tls_context())
        except CancelledError:
            raise
        except (SMTPClientError, ConnectionLost, ConnectionDone) as error:
            if self._options.smarthost_tls != "opportunistic":
                raise
            log.info("no TLS to {host}: {error}", host=self._options.smarthost, error=_text_of(error))
            return await self._connected(None)

    async def _connected(self, tls: Any) -> SmarthostClient:
        client = SmarthostClient(self._options, tls, self._hostname)
        endpoint: Any = HostnameEndpoint(self._reactor, self._host, self._port, timeout=30)
        if self._options.smarthost_tls == "implicit":
            endpoint = wrapClientTLS(tls, endpoint)
        try:
            await endpoint.connect(_Once(client))
            await client.ready
        except CancelledError:
            if client.transport is not None:
                client.transport.abortConnection()
            raise
        self.connected += 1
        return client

    def close(self) -> None:
        """End the connections that nobody uses."""
        idle, self._idle = self._idle, []
        for client, timer in idle:
            timer.cancel()
            client.leave()

    def _tls_context(self) -> Any:
        kind = self._options.smarthost_tls
        if kind == "none":
            return None
        if kind == "opportunistic":  # against listeners only: whoever answers is believed
            return CertificateOptions()
        if not self._options.smarthost_ca_file:
            return optionsForClientTLS(self._host)
        text = Path(self._options.smarthost_ca_file).read_bytes()
        pems = re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.DOTALL)
        authorities = [Certificate.loadPEM(pem) for pem in pems]
        roots = trustRootFromCertificates(authorities)  # type: ignore[no-untyped-call]
        return optionsForClientTLS(self._host, trustRoot=roots)


class _Once(Factory):
    """Gives the one protocol to the one connection."""

    noisy = False

    def __init__(self, client: SmarthostClient) -> None:
        self._client = client

    def buildProtocol(self, addr: object) -> SmarthostClient:
        """The client."""
        return self._client


def _text_of(error: Exception) -> str:
    """What an error says, for a person."""
    text = error.resp if isinstance(error, SMTPClientError) else str(error)
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
