"""What went wrong, as HTTP says it: the one table that turns exceptions into answers.

A `Refused` is raised where a precondition of a DAV RFC has a name; everything else is found in the table.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from twisted.internet.defer import CancelledError
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.convert.errors import ParseError
from gateway.dav.xmltext import xml_text
from gateway.mapi import errors
from gateway.mapiclient.errors import TooManyFailures, TransportError

log: Final = Logger()
NAMESPACES: Final = {
    "D": "DAV:",
    "C": "urn:ietf:params:xml:ns:caldav",
    "CR": "urn:ietf:params:xml:ns:carddav",
    "P": "https://bitfire.at/webdav-push",
}


@dataclass(slots=True)
class Answer:
    """An answer: status, headers, and the body, complete or as pieces that are made when they are asked for."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunks: Iterator[bytes] | None = None


class Refused(Exception):
    """A request that cannot be carried out: ``status``, and the precondition's element (``C:valid-calendar-data``).

    ``path`` is that of the resource in the way, as an href, for preconditions that name it.
    """

    def __init__(self, status: int, precondition: str = "", text: str = "", path: str = "") -> None:
        self.status = status
        self.precondition = precondition
        self.text = text
        self.path = path
        super().__init__(text or precondition or str(status))


class BadRequest(Refused):
    """The client's syntax is wrong."""

    def __init__(self, text: str) -> None:
        super().__init__(400, "", text)


_TABLE: Final[tuple[tuple[type[BaseException], int, str], ...]] = (
    (ParseError, 400, ""),
    (errors.LogonFailed, 401, "user name or password is wrong"),
    (TooManyFailures, 503, "too many logins failed; try again later"),
    (errors.FeatureOff, 403, "calendars and contacts are switched off for this user in the store"),
    (errors.NoAccess, 403, "you may not do this here"),
    (errors.NotFound, 404, "it is not there (any more)"),
    (errors.Collision, 409, "something of that name exists already"),
    (errors.QuotaExceeded, 507, "the store is full"),
    (errors.TooBig, 413, "it is larger than the store takes"),
    (errors.StoreBusy, 503, "the store is busy; try again later"),
    (errors.PartialCompletion, 409, "not everything could be done"),
    (TransportError, 503, "the store does not answer; try again later"),
    (TookTooLong, 503, "the store did not answer in time; try again later"),
    (CancelledError, 503, "the request was broken off; try again later"),
    (errors.MapiError, 500, "the store refused"),
)
_RETRY_SECONDS: Final = "30"


def answer_of(error: BaseException) -> Answer:
    """The answer that tells a client of an error; what is not in the table is a defect, logged under an id."""
    if isinstance(error, Refused):
        return _refusal(error)
    for kind, status, text in _TABLE:
        if isinstance(error, kind):
            return _plain(status, text or str(error), error)
    number = uuid.uuid4().hex[:12]
    log.error("defect {number}: {error!r}", number=number, error=error, log_failure=Failure(error))  # type: ignore[no-untyped-call]
    return plain(500, f"an error of this server; its log tells more under {number}")


def _plain(status: int, text: str, error: BaseException) -> Answer:
    if status >= 500:
        log.info("a request failed: {error}", error=str(error))
    answer = plain(status, text)
    if status == 503:
        answer.headers["Retry-After"] = _RETRY_SECONDS
    return answer


def plain(status: int, text: str) -> Answer:
    """An answer in words."""
    return Answer(status, {"Content-Type": "text/plain; charset=utf-8"}, f"{text}\n".encode())


def _refusal(error: Refused) -> Answer:
    if not error.precondition:
        return plain(error.status, error.text or "refused")
    prefix, _, name = error.precondition.partition(":")
    begin = f"<{name} xmlns={NAMESPACES[prefix]!r}" if prefix != "D" else f"<{name}"
    inner = f"{begin}><D:href>{xml_text(error.path)}</D:href></{name}>" if error.path else f"{begin}/>"
    words = f"<D:responsedescription>{xml_text(error.text)}</D:responsedescription>" if error.text else ""
    body = (
        f'<?xml version="1.0" encoding="utf-8"?>\n<error xmlns="DAV:" xmlns:D="DAV:">{inner}{words}</error>\n'
    )
    return Answer(error.status, {"Content-Type": "application/xml; charset=utf-8"}, body.encode())
