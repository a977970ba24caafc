"""What went wrong, as POP3 says it: the one table that turns exceptions into replies (RFC 2449 8.1, RFC 3206)."""

from __future__ import annotations

import uuid
from typing import Final

from twisted.logger import Logger
from twisted.python.failure import Failure

from gateway.mapi import errors
from gateway.mapiclient.errors import TooManyFailures, TransportError
from gateway.pop3.codec import ParseError, err

log: Final = Logger()


class NoSuchMessage(ValueError):
    """The number names no message, or a deleted one, or one that is gone."""


class StateError(ValueError):
    """The right command at the wrong moment."""


class InUse(Exception):
    """Another session has the maildrop."""


class TooSoon(Exception):
    """The user logged in a moment ago (LOGIN-DELAY)."""


_TABLE: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    (ParseError, "", ""),
    (StateError, "", ""),
    (NoSuchMessage, "", ""),
    (InUse, "IN-USE", "another session has the maildrop; try again later"),
    (TooSoon, "LOGIN-DELAY", "you logged in a moment ago; try again later"),
    (errors.LogonFailed, "AUTH", "user name or password is wrong"),
    (TooManyFailures, "SYS/TEMP", "too many logins failed; try again later"),
    (errors.FeatureOff, "SYS/PERM", "POP3 is switched off for this user in the store"),
    (errors.NoAccess, "SYS/PERM", "you have no access to this folder"),
    (errors.NotFound, "SYS/PERM", "there is no such mailbox or message"),
    (errors.QuotaExceeded, "SYS/PERM", "the mailbox is full"),
    (errors.StoreBusy, "SYS/TEMP", "the mail store is busy; try again later"),
    (errors.PartialCompletion, "SYS/TEMP", "some deleted messages not removed"),
    (TransportError, "SYS/TEMP", "the mail store does not answer; try again later"),
    (errors.MapiError, "SYS/TEMP", "the mail store refused"),
)
"""Exception, response code, text; an empty text means the exception's own, which is written for the client."""

CLIENT_ERRORS: Final = (ParseError, StateError)
"""What counts as a bad command."""


def reply_of(error: Exception) -> bytes:
    """The reply that tells a client of an error; what is not in the table is a defect and logged under the id that the client sees."""
    for kind, code, text in _TABLE:
        if isinstance(error, kind):
            if isinstance(error, (TransportError, errors.MapiError)) and not isinstance(
                error, errors.LogonFailed
            ):
                log.info("a command failed: {error}", error=str(error))
            return err(text or str(error), code)
    number = uuid.uuid4().hex[:12]
    failure = Failure(error)  # type: ignore[no-untyped-call]
    log.error("defect {number}: {error!r}", number=number, error=error, log_failure=failure)
    return err(f"an error of this server; its log tells more under {number}", "SYS/PERM")
