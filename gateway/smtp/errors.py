"""What went wrong, as SMTP says it: the one table that turns exceptions into replies (RFC 3463)."""

from __future__ import annotations

import uuid
from typing import Final

from twisted.internet.error import ConnectError
from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.mapi import errors
from gateway.mapiclient.errors import TooManyFailures, TransportError
from gateway.smtp.codec.replies import Refused, Reply

log: Final = Logger()

_TABLE: Final[tuple[tuple[type[Exception], int, str, str], ...]] = (
    (errors.LogonFailed, 535, "5.7.8", "user name or password is wrong"),
    (TooManyFailures, 454, "4.7.0", "too many logins failed; try again later"),
    (errors.QuotaExceeded, 552, "5.2.2", "the mailbox is full"),
    (errors.TooBig, 552, "5.3.4", "the mail store does not take so large a mail"),
    (errors.NoAccess, 550, "5.7.1", "not allowed"),
    (errors.NotFound, 450, "4.2.1", "the mailbox is not there now"),
    (errors.MapiError, 451, "4.3.0", "the mail store refused; try again later"),
    (TransportError, 451, "4.3.0", "the mail store does not answer; try again later"),
    (ConnectError, 451, "4.4.1", "the next mail server does not answer; try again later"),
    (OSError, 452, "4.3.1", "no space to work in; try again later"),
)
"""Exception, code, status, text. What the store says beyond these is taken as passing: the mail stays queued."""


def reply_of(error: Exception) -> Reply:
    """The reply that tells a client of an error; what is not in the table is a defect and logged under an id."""
    if isinstance(error, Refused):
        return error.reply
    for kind, code, status, text in _TABLE:
        if isinstance(error, kind):
            log.info("{code} {status}: {error}", code=code, status=status, error=str(error))
            return Reply(code, status, text)
    number = uuid.uuid4().hex[:12]
    failure = Failure(error)  # type: ignore[no-untyped-call]
    log.error("defect {number}: {error!r}", number=number, error=error, log_failure=failure)
    return Reply(451, "4.3.0", f"an error of this server; its log tells more under {number}")
