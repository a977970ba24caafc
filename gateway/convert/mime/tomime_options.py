"""What a mail written from properties depends on beside the properties."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

from gateway.convert.mime.tomime_people import PLACEHOLDER_DOMAIN, Resolve
from gateway.convert.mime.tomime_values import binary, number, text
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent

#: Writes a meeting, appointment or task as iCalendar, a contact as vCard; None when it is nothing of the kind.
Calendar: TypeAlias = "Callable[[MessageContent], bytes | None]"


@dataclass(frozen=True, slots=True)
class ToMimeOptions:
    """How to write a mail. Whoever wants the same bytes again gives the same options again."""

    identity: bytes = b""
    """What tells this message from all others and never changes (its source key, say): boundaries and a missing
    Message-ID are made from it. Empty: the first of search key, source key and entry id that the content has."""
    own: bool = False
    """Whether the mail is read by its author (drafts, sent mail, submission): Bcc and receipt requests are
    written."""
    marks: bool = False
    """Whether what a reader may change later is written: categories (Keywords) and follow-up (X-Message-Flag,
    Reply-By). Off where the bytes must survive a change of flags, as in IMAP."""
    calendar: Calendar | None = None
    """The calendar converter; None leaves meetings and appointments as plain mails."""
    resolve: Resolve | None = None
    """SMTP addresses of address book entry ids, for messages that do not carry them."""
    depth: int = 7
    """How many mails deep embedded messages are written; what lies deeper is named in a note."""
    domain: str = PLACEHOLDER_DOMAIN
    """Right-hand side of the Message-IDs given to messages that have none."""


def identity_of(content: MessageContent, options: ToMimeOptions) -> bytes:
    """The octets that identify a message, see `ToMimeOptions.identity`.

    A message without any key (one that was never stored) is identified by what does not change with flags.
    """
    props = content.props
    return (
        options.identity
        or binary(props, pt.PR_SEARCH_KEY)
        or binary(props, pt.PR_SOURCE_KEY)
        or binary(props, pt.PR_ENTRYID)
        or _digest(content)
    )


def _digest(content: MessageContent) -> bytes:
    props = content.props
    facts = (
        text(props, pt.PR_INTERNET_MESSAGE_ID),
        text(props, pt.PR_SUBJECT),
        number(props, pt.PR_CLIENT_SUBMIT_TIME),
        number(props, pt.PR_MESSAGE_DELIVERY_TIME),
        number(props, pt.PR_CREATION_TIME),
        text(props, pt.PR_SENT_REPRESENTING_EMAIL_ADDRESS),
        text(props, pt.PR_BODY),
    )
    return blake2b(repr(facts).encode("utf-8", "replace"), digest_size=16).digest()
