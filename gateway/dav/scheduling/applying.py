"""What a meeting message makes of the calendar's item (RFC 5546 3.2, RFC 6638 4)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from gateway.convert.ical import propids as ids
from gateway.convert.ical import scheduling
from gateway.convert.ical.addressees import as_organized
from gateway.convert.ical.attendees import organizer_of
from gateway.convert.ical.kinds import method_of
from gateway.convert.ical.options import Options as IcalOptions
from gateway.convert.ical.values import number, text
from gateway.convert.mime.original import ORIGINAL
from gateway.dav.scheduling.roles import is_over
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import NoAccess

_DELEGATOR_COPY: Final = 0x100000
#: What the mail around an invitation says of itself.
_OF_MAIL: Final = (
    *ORIGINAL,
    pr.PR_PROCESSED,
    pr.PR_RECEIVED_BY_NAME,
    pr.PR_RECEIVED_BY_ADDRTYPE,
    pr.PR_RECEIVED_BY_EMAIL_ADDRESS,
    pr.PR_RECEIVED_BY_ENTRYID,
    pr.PR_RECEIVED_BY_SEARCH_KEY,
    pr.PR_RCVD_REPRESENTING_NAME,
    pr.PR_RCVD_REPRESENTING_ADDRTYPE,
    pr.PR_RCVD_REPRESENTING_EMAIL_ADDRESS,
    pr.PR_RCVD_REPRESENTING_ENTRYID,
    pr.PR_RCVD_REPRESENTING_SEARCH_KEY,
    pr.PR_MESSAGE_TO_ME,
    pr.PR_MESSAGE_CC_ME,
    pr.PR_MESSAGE_RECIP_ME,
)


class Stranger(NoAccess):
    """A message is about a meeting of somebody else than its ``senders``; addresses in small letters."""

    def __init__(self, organizer: str, senders: Collection[str]) -> None:
        self.organizer = organizer
        self.senders = senders
        super().__init__("it is about a meeting of somebody else")


def is_for(message: MessageContent, user: str, options: IcalOptions) -> bool:
    """Whether a message is the user's own affair, not a copy for a delegate of somebody else."""
    if (number(message.props, ids.MEETING_TYPE) or 0) & _DELEGATOR_COPY:
        return False
    received_for = text(message.props, pr.PR_RCVD_REPRESENTING_EMAIL_ADDRESS).lower()
    return not received_for or received_for == user.lower() or options.owns(received_for)


def applied(
    item: MessageContent | None,
    message: MessageContent,
    options: IcalOptions,
    now: float,
    *,
    trusted: bool = False,
) -> MessageContent | None:
    """The calendar's item after a message; None when it changes nothing.

    Stranger when it is not the organizer's, unless it is ``trusted``: he may have several addresses.
    """
    method, sent_by = method_of(message.props), organizer_of(message, options)
    message = as_organized(message, options)
    is_organizer = options.owns(organizer_of(item if item is not None else message, options))
    if method == "REPLY":
        return scheduling.apply_reply(item, message, options) if item is not None and is_organizer else None
    if is_organizer:
        return None  # one's own invitation, back by way of a mailing list
    if item is not None and not trusted:
        _refuse_others(item, {sent_by.lower(), organizer_of(message, options).lower()}, options)
    if method == "CANCEL":
        return scheduling.apply_cancellation(item, message, options) if item is not None else None
    if method != "REQUEST" or (item is None and is_over(message, now)):
        return None
    changed = scheduling.apply_request(item, _without_mail(message), options)
    if changed is not None and item is None:
        changed.props.pop(pr.PR_ENTRYID, None)
    return changed


def _refuse_others(item: MessageContent, senders: Collection[str], options: IcalOptions) -> None:
    """Only the organizer changes a meeting (RFC 5546 2.1.1, RFC 6047 3; Stranger)."""
    organizer = organizer_of(item, options).lower()
    if organizer and organizer not in senders and "" not in senders:
        raise Stranger(organizer, senders)


def _without_mail(message: MessageContent) -> MessageContent:
    props = {key: value for key, value in message.props.items() if key not in _OF_MAIL}
    return MessageContent(props, message.recipients, message.attachments)
