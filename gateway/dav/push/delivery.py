"""Delivery of push messages (RFC 8030 5): one at a time to each push resource, and only the newest for a collection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.logger import Logger

from gateway.dav.push.encryption import encrypted
from gateway.dav.push.endpoints import Endpoints, Forbidden
from gateway.dav.push.keys import ServerKey
from gateway.dav.push.registrations import Registration, Registrations
from gateway.mapiclient.waiting import detached, pause

log: Final = Logger()
#: Messages that are on their way at the same time.
PARALLEL: Final = 8
#: How long (seconds) a push service keeps a message for a client that is away.
TTL: Final = 86_400
#: Pauses after trouble: the first in times of the pace, the longest in seconds; failures after which a message is given up.
_FIRST_PAUSE: Final = 3
_LONGEST_PAUSE: Final = 3600.0
_MOST_FAILURES: Final = 8
_GONE: Final = (404, 410)
_LATER: Final = 429


@dataclass(slots=True)
class _Line:
    """What waits for one push resource: registration to sync token."""

    pending: dict[str, str] = field(default_factory=dict)
    failures: int = 0
    wait: float = 0.0
    work: Deferred[Any] | None = None


class Delivery:
    """Messages on their way. ``pace`` is the time (seconds) between two to the same push resource."""

    def __init__(
        self,
        reactor: Any,
        key: ServerKey,
        registrations: Registrations,
        endpoints: Endpoints,
        pace: float,
        now: Callable[[], float],
        gone: Callable[[str], None],
    ) -> None:
        self._reactor = reactor
        self._key = key
        self._registrations = registrations
        self._endpoints = endpoints
        self._pace = pace
        self._now = now
        self._gone = gone
        self._turns = DeferredSemaphore(PARALLEL)
        self._lines: dict[str, _Line] = {}
        self._stopped = False
        self.newest: Final[dict[str, str]] = {}
        """The sync tokens that are on their way, by registration."""

    def send(self, registration: Registration, token: str) -> None:
        """Tell a client of a new state, instead of what still waits to be told."""
        url = registration.subscription.url
        line = self._lines.setdefault(url, _Line())
        line.pending[registration.id] = self.newest[registration.id] = token
        if line.work is None and not self._stopped:
            line.work = detached(self._run(url, line), lambda why: log.failure("push", failure=why))

    async def _run(self, url: str, line: _Line) -> None:
        """Send until nothing waits."""
        try:
            while line.pending:
                if line.wait:
                    await pause(self._reactor, line.wait)
                name = next(iter(line.pending))
                token = line.pending.pop(name)
                registration = self._registrations.get(name)
                try:
                    if registration is not None and registration.expires > self._now():
                        await self._turn(line, registration, token)
                finally:
                    if name not in line.pending:
                        self._leave(name, token)
            await pause(self._reactor, self._pace)  # what comes now still keeps its distance
        finally:
            line.work = None
            if self._lines.get(url) is line:
                del self._lines[url]
            if line.pending and not self._stopped:
                for name, token in line.pending.items():
                    if (again := self._registrations.get(name)) is not None:
                        self.send(again, token)
                    else:
                        self._leave(name, token)

    async def _turn(self, line: _Line, registration: Registration, token: str) -> None:
        await self._turns.acquire()
        try:
            status, retry = await self._post(registration, token)
        finally:
            self._turns.release()
        if 200 <= status < 300:
            line.failures, line.wait = 0, self._pace
            if self.newest.get(registration.id) == token:
                self._registrations.told(registration, token)
        elif status in _GONE:
            self._drop(line)
            self._gone(registration.subscription.url)
        elif status == 0 or status == _LATER or status >= 500:
            self._again(line, registration, token, retry)
        else:
            log.info("push service refuses with {status}", status=status)
            line.wait = self._pace

    def _drop(self, line: _Line) -> None:
        """Nothing waits any more."""
        for name, token in line.pending.items():
            self._leave(name, token)
        line.pending.clear()

    def _leave(self, name: str, token: str) -> None:
        """A message is no longer on its way; a newer one may be."""
        if self.newest.get(name) == token:
            del self.newest[name]

    def _again(self, line: _Line, registration: Registration, token: str, retry: str) -> None:
        """Try once more, later; the client polls, so that what is given up is not lost."""
        line.failures += 1
        wait = min(_FIRST_PAUSE * self._pace * 2 ** (line.failures - 1), _LONGEST_PAUSE)
        if retry.strip().isdecimal():
            wait = min(max(wait, float(retry)), _LONGEST_PAUSE)
        line.wait = wait
        if line.failures >= _MOST_FAILURES:
            log.info("a push message was given up after {number} attempts", number=line.failures)
            self._drop(line)
        else:
            line.pending.setdefault(registration.id, token)

    async def _post(self, registration: Registration, token: str) -> tuple[int, str]:
        """Status and Retry-After; 0 for a service that cannot be reached, 400 for one that may not be."""
        subscription = registration.subscription
        headers = {
            "Authorization": self._key.authorization(subscription.url, self._now()),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL),
            "Topic": self._key.header_topic(registration.id),
            "Urgency": "normal",
        }
        body = encrypted(message(registration.topic, token), subscription.key, subscription.auth)
        try:
            return await self._endpoints.post(subscription.url, headers, body)
        except Forbidden as error:
            log.info("no push message is sent: {error}", error=str(error))
            return 400, ""
        except CancelledError:
            raise
        except Exception as error:
            log.info("a push message could not be sent: {error!r}", error=error)
            return 0, ""

    def stop(self) -> None:
        """Send no more."""
        self._stopped = True
        for line in [*self._lines.values()]:
            if line.work is not None:
                line.work.cancel()


def message(topic: str, token: str) -> bytes:
    """The body of a push message (draft section 4.1)."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<P:push-message xmlns:D="DAV:" xmlns:P="https://bitfire.at/webdav-push">'
        f"<P:topic>{topic}</P:topic>"
        f"<P:content-update><D:sync-token>{token}</D:sync-token></P:content-update></P:push-message>\n"
    ).encode()
