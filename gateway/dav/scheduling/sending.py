"""Meeting messages as MAPI has them, made of iTIP texts (MS-OXOCAL 3.1.4.6), and who may send them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from twisted.logger import Logger

from gateway.convert.ical import meeting_content
from gateway.convert.ical import propids as ids
from gateway.convert.ical.addressees import addressed
from gateway.convert.ical.attendees import organizer_of
from gateway.convert.ical.delegation import told_by
from gateway.convert.ical.options import Options as IcalOptions
from gateway.convert.ical.people import (
    RECIPIENT,
    REPRESENTING,
    SENDER,
    address_of,
    calendar_address,
    new_row,
    person_props,
)
from gateway.dav.scheduling.meeting import meeting_of
from gateway.dav.scheduling.organizing import Message
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.props import NamedProps
from gateway.mapi.times import from_unix

log: Final = Logger()
_UNSENT_READ: Final = 9
_MASTER_AND_FILE: Final = 3
_TO: Final = 1
_SUBJECTS: Final = {
    "IPM.Schedule.Meeting.Canceled": "Canceled: ",
    "IPM.Schedule.Meeting.Resp.Pos": "Accepted: ",
    "IPM.Schedule.Meeting.Resp.Neg": "Declined: ",
    "IPM.Schedule.Meeting.Resp.Tent": "Tentative: ",
}


@dataclass(slots=True)
class Sending:
    """How mail leaves this process."""

    queue_runs: bool = False
    """Whether this process empties the store's outgoing queue."""
    may_send_as: Callable[[str, str], Awaitable[bool]] | None = None
    """Whether a user (login name) may send under an address; None when nobody can tell."""


def content_of(
    message: Message, delegate: tuple[str, str] | None, options: IcalOptions, now: float
) -> MessageContent | None:
    """The message as MAPI has it; None when it has no form. The owner of ``options`` sends it.

    ``delegate`` are name and address of who sends for him.
    """
    content = meeting_content(message.text, "", None, options)
    if content is None:
        return None
    owner = _owner(message, options)
    roles = person_props(*(delegate or owner), SENDER)
    if message.method == "REQUEST" and not options.owns(organizer_of(content, options)):
        roles |= person_props(*owner, REPRESENTING)  # a guest passes it on
    rows = [row for row in content.recipients if address_of(row, RECIPIENT).lower() in message.recipients]
    known = {address_of(row, RECIPIENT).lower() for row in rows}
    rows += [new_row("", each, _TO) for each in message.recipients if each not in known]
    said = told_by(content)
    content = addressed(content, rows, options, roles)
    prefix = "Delegated: " if said is not None else _SUBJECTS.get(content.props[pr.PR_MESSAGE_CLASS], "")
    props: NamedProps = {
        pr.PR_SUBJECT: prefix + str(content.props.get(pr.PR_SUBJECT) or ""),
        pr.PR_MESSAGE_FLAGS: _UNSENT_READ,
        pr.PR_CLIENT_SUBMIT_TIME: from_unix(now),
        pr.PR_SUBMIT_FLAGS: 0,
        ids.REMINDER_SET: False,
    }
    content.props |= props
    return content


def _owner(message: Message, options: IcalOptions) -> tuple[str, str]:
    """The name of a calendar's owner, and the address under which the meeting knows him."""
    meeting = meeting_of(message.text)
    lines = [meeting.organizer_line, meeting.line_of(options.owner)] if meeting is not None else []
    known = [calendar_address(line) for line in lines if line is not None]
    own = [each for each in known if options.owns(each)]
    return options.owner_name, next(iter(own), "") or next(iter(options.owner), "")
