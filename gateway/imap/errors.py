"""The one table of errors: what a client is told of each exception (RFC 9051 7.1, RFC 5530)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.convert.mime.transfer import UnknownEncoding
from gateway.imap.answers import Refused, StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec.errors import ParseError
from gateway.mailbox.specialuse import UseImpossible
from gateway.mapi import errors as mapi
from gateway.mapiclient.errors import SessionLost, TooManyFailures, TransportError


@dataclass(frozen=True, slots=True)
class Answer:
    """The tagged response of a failed command. `ours` marks a bug, to be logged with its traceback."""

    kind: str
    words: str
    code: str = ""
    ours: bool = False


#: The first row whose class fits counts.
_TABLE: Final[tuple[tuple[type[BaseException], str, str, str], ...]] = (
    (mapi.NotFound, "NO", "NONEXISTENT", "No such mailbox or message"),
    (mapi.NoAccess, "NO", "NOPERM", "You may not do this"),
    (mapi.Collision, "NO", "ALREADYEXISTS", "A mailbox of that name exists already"),
    (mapi.LogonFailed, "NO", "AUTHENTICATIONFAILED", "Wrong user name or password"),
    (mapi.QuotaExceeded, "NO", "OVERQUOTA", "The mail store is full"),
    (mapi.NotEmpty, "NO", "HASCHILDREN", "The mailbox has mailboxes below it"),
    (mapi.FolderCycle, "NO", "CANNOT", "A mailbox cannot move below itself"),
    (mapi.NotSupported, "NO", "CANNOT", "The mail store cannot do this"),
    (mapi.InvalidParameter, "NO", "CANNOT", "The mail store does not take this"),
    (mapi.TooBig, "NO", "LIMIT", "Too large for the mail store"),
    (mapi.StoreBusy, "NO", "UNAVAILABLE", "The mail store is busy, try again later"),
    (mapi.EndOfSession, "NO", "UNAVAILABLE", "The mail store ended the session, try again"),
    (mapi.WrongServer, "NO", "UNAVAILABLE", "The mail store is on another server that cannot be reached"),
    (UnknownEncoding, "NO", "UNKNOWN-CTE", "The encoding of the part is not known"),  # RFC 3516 4.3
    (mapi.PartialCompletion, "NO", "", "Some messages could not be processed"),
    (TooManyFailures, "NO", "LIMIT", "Too many failed logins, try again later"),
    (SessionLost, "NO", "UNAVAILABLE", "The mail store ended the session, try again"),
    (TransportError, "NO", "UNAVAILABLE", "The mail store cannot be reached, try again later"),
)

#: Commands for whose missing target a client may create it and try again (6.3.12, 6.4.7).
_TARGETED: Final = (c.Append, c.Copy, c.Move, c.Replace)
_LOGINS: Final = (c.Authenticate, c.Login)


def answer_to(error: BaseException, command: c.Command | None = None) -> Answer:
    """What to say when a command failed with this error."""
    if isinstance(error, ParseError):
        return Answer("NO" if error.no else "BAD", error.message, error.code)
    if isinstance(error, StateError):
        return Answer("BAD", error.words, error.code)
    if isinstance(error, Refused):
        return Answer("NO", error.words, error.code)
    if isinstance(error, UseImpossible):
        return Answer("NO", str(error), "USEATTR")  # RFC 6154 section 3
    for kind, status, code, words in _TABLE:
        if isinstance(error, kind):
            if kind is mapi.NotFound and isinstance(command, _TARGETED):
                return Answer(status, "No such mailbox", "TRYCREATE")
            if kind is mapi.NotFound and isinstance(command, _LOGINS):
                return Answer(status, "The user has no mail store", "CONTACTADMIN")
            return Answer(status, words, code)
    return Answer("NO", "Internal error", "SERVERBUG", ours=True)
