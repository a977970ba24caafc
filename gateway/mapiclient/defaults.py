"""What a client of this store must write itself, because the store does not: values that follow from others.

Other clients list and sort by these, so a message saved without them looks broken there. What is given is kept.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.props import NamedProps, Props, PropTag
from gateway.mapi.tables import ObjectType

#: Properties that list the names of the recipients of a type (MS-OXOMSG 2.2.1.7 to 2.2.1.9).
_DISPLAY: Final[tuple[tuple[int, PropTag], ...]] = (
    (1, pr.PR_DISPLAY_TO),
    (2, pr.PR_DISPLAY_CC),
    (3, pr.PR_DISPLAY_BCC),
)
#: The lower bits of PR_RECIPIENT_TYPE; the others say what became of the recipient.
_TYPE_MASK: Final = 0xF


def subject_prefix(subject: str) -> str:
    """The prefix of a subject as the stock client sees it: up to three characters, a colon and perhaps a space.

    A number is no prefix ("12: the twelfth").
    """
    word, colon, rest = subject.partition(":")
    if not colon or not 1 <= len(word) <= 3 or word.isdecimal():
        return ""
    return f"{word}: " if rest.startswith(" ") else f"{word}:"


def message_defaults(props: Props, recipients: Sequence[NamedProps]) -> Props:
    """The properties that a new message lacks; its flags are its maker's business (none: unread, not a draft)."""
    subject = props.get(pr.PR_SUBJECT) or ""
    prefix = subject_prefix(subject)
    found: Props = {
        pr.PR_MESSAGE_CLASS: "IPM",
        pr.PR_SEARCH_KEY: os.urandom(16),
        pr.PR_SUBJECT_PREFIX: prefix,
        pr.PR_CONVERSATION_TOPIC: subject[len(prefix) :],
    }
    for kind, tag in _DISPLAY:
        names = [
            row.get(pr.PR_DISPLAY_NAME) or row.get(pr.PR_EMAIL_ADDRESS) or ""
            for row in recipients
            if row.get(pr.PR_RECIPIENT_TYPE, 1) & _TYPE_MASK == kind
        ]
        found[tag] = "; ".join(filter(None, names))
    return {tag: value for tag, value in found.items() if tag not in props}


def recipient_defaults(props: Props, number: int) -> Props:
    """The properties that the recipient of this number lacks."""
    found: Props = {
        pr.PR_RECIPIENT_TYPE: 1,
        pr.PR_OBJECT_TYPE: int(ObjectType.MAIL_USER),
        pr.PR_DISPLAY_TYPE: 0,
        pr.PR_INSTANCE_KEY: number.to_bytes(4, "little"),
    }
    return {tag: value for tag, value in found.items() if tag not in props}
