"""The smarthost: one mail, one connection, by Twisted's SMTP client (RFC 5321).

What goes out has CRLF line ends only, so that nobody downstream can read an end of data that we did not write.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import DeferredSemaphore
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.protocol import Factory
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates
from twisted.logger import Logger
from twisted.mail.smtp import SMTPClientError

from gateway.smtp.codec.address import parse_address
from gateway.smtp.codec.replies import Reply
from gateway.submission.client import SmarthostClient
from gateway.submission.options import Options

log: Final = Logger()


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
    """Hands mail to the smarthost."""

    def __init__(self, reactor: Any, options: Options, *, hostname: str) -> None:
        self._reactor = reactor
        self._options = options
        self._hostname = hostname
        self._host, _, port = options.smarthost.rpartition(":")
        self._host = self._host.strip("[]")
        self._port = int(port)
        self._turns = DeferredSemaphore(max(1, options.connections))

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
                await self._hand_over(sender, sayable, mail, outcome)
            finally:
                self._turns.release()
        return outcome

    async def _hand_over(self, sender: str, recipients: list[str], mail: bytes, outcome: Outcome) -> None:
        client = SmarthostClient(self._options, self._tls_context(), self._hostname, sender, recipients, mail)
        endpoint: Any = HostnameEndpoint(self._reactor, self._host, self._port, timeout=30)
        if self._options.smarthost_tls == "implicit":
            endpoint = wrapClientTLS(self._tls_context(), endpoint)
        try:
            await endpoint.connect(_Once(client))
            for recipient, reply in await client.result:
                outcome.note(recipient, reply)
        except Exception as error:  # whatever it is, the mail was not taken and stays ours
            log.warn("the smarthost {host}: {error}", host=self._options.smarthost, error=_text_of(error))
            for recipient in recipients:
                outcome.later[recipient] = Reply(451, "4.4.1", f"the next mail server: {_text_of(error)}")

    def _tls_context(self) -> Any:
        if self._options.smarthost_tls == "none":
            return None
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
