"""Meeting messages, and items shown as mails, as the text/calendar part of a mail (RFC 6047 2.4, MS-OXCICAL 2.1.3.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.attendees import attendee_line, attending
from gateway.convert.ical.blocks import Block
from gateway.convert.ical.delegation import told_by
from gateway.convert.ical.events_out import Event, event_of, recurrence_id
from gateway.convert.ical.exceptions import is_exception
from gateway.convert.ical.identity import stamps, uid_of
from gateway.convert.ical.kinds import kind_of, method_of
from gateway.convert.ical.layout import ZonesUsed, calendar_object
from gateway.convert.ical.moments import EPOCH, naive_utc, stamp, utc_text
from gateway.convert.ical.options import DEFAULTS, Options
from gateway.convert.ical.people import RECIPIENT, REPRESENTING, SENDER, address_of
from gateway.convert.ical.spans import Span
from gateway.convert.ical.texts import body_text
from gateway.convert.ical.values import number, text
from gateway.convert.ical.writing import to_ical
from gateway.convert.lines import line_text
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from gateway.mapi.props import NamedProps

#: Files of instances have no other place in a mail than the text.
_MOST_INLINE: Final = 8 << 20
_DECLINED: Final = "neg"
_ANSWERS: Final = {"pos": ids.ACCEPTED, _DECLINED: ids.DECLINED, "tent": ids.TENTATIVELY}


def calendar_part(
    content: MessageContent, options: Options = DEFAULTS, *, in_mail: bool = False
) -> bytes | None:
    """The calendar of a mail, with METHOD; None when the message has none or it cannot be written.

    ``in_mail``: the message's own files are parts beside it, only those of instances are in the text.
    """
    if kind_of(content.props) is None:
        return None
    method = method_of(content.props)
    if in_mail:
        inner = [each for each in content.attachments if is_exception(each)]
        content, options = (
            MessageContent(content.props, content.recipients, inner),
            replace(options, inline=_MOST_INLINE),
        )
    try:
        if method == "REPLY":
            return _answer(content, options)
        sent = replace(options, method=method or "PUBLISH", alarms=not method and options.alarms)
        return to_ical(_as_sent(content) if method == "REQUEST" else content, sent)
    except ParseError:
        return None


def _as_sent(content: MessageContent) -> MessageContent:
    """A request with the organizer's busy status; in the recipient's calendar it is tentative first."""
    intended = number(content.props, ids.INTENDED_BUSY)
    if intended is None:
        return content
    props: NamedProps = {**content.props, ids.BUSY_STATUS: intended}
    return MessageContent(props, content.recipients, content.attachments)


def _answer(content: MessageContent, options: Options) -> bytes:
    """A REPLY, or a COUNTER when it proposes another time (RFC 5546 3.2.3, 3.2.7)."""
    props = content.props
    timed = naive_utc(number(props, ids.START)) is not None
    event = event_of(content, options) if timed else Event(content, _untimed(props))
    counter = bool(props.get(ids.COUNTER)) and naive_utc(number(props, ids.PROPOSED_START)) is not None
    zones = ZonesUsed()
    block = Block("VEVENT")
    block.text("UID", uid_of(props))
    instance = recurrence_id(event)
    if instance is not None:
        block.lines.append(instance)
    changed = utc_text(number(props, ids.ATTENDEE_CHANGE))
    block.lines.append(f"DTSTAMP:{changed}" if changed else stamps(props, options)[0])
    if timed:
        _write_times(block, event, zones, counter=counter)
    block.text("SUMMARY", text(props, pt.PR_SUBJECT))
    block.lines.append(f"SEQUENCE:{number(props, ids.SEQUENCE) or 0}")
    if body := body_text(props).rstrip():
        block.text("COMMENT", body)
    _write_sides(block, content)
    return calendar_object([block], zones, "COUNTER" if counter else "REPLY")


def _untimed(props: NamedProps) -> Span:
    """What stands for the times of an answer that has none; which instance it is about may still be a date."""
    return Span(EPOCH, EPOCH, None, None, bool(props.get(ids.ALL_DAY)))


def _write_times(block: Block, event: Event, zones: ZonesUsed, *, counter: bool) -> None:
    """The meeting's times, or the proposed ones with the meeting's beside them."""
    props, span = event.content.props, event.span
    if counter:
        for name, key in (("DTSTART", ids.PROPOSED_START), ("DTEND", ids.PROPOSED_END)):
            when = utc_text(number(props, key))
            if when is not None:
                block.lines.append(f"{name}:{when}")
        block.lines.append(f"X-MS-OLK-ORIGINALSTART:{stamp(span.utc_start)}Z")
        block.lines.append(f"X-MS-OLK-ORIGINALEND:{stamp(span.utc_end)}Z")
        return
    if not span.all_day:
        zones.add(span.zone, span.start.year)
        zones.add(span.end_zone, span.start.year)
    block.lines += span.lines()


def _write_sides(block: Block, content: MessageContent) -> None:
    """Who asked and who answers: the recipient and the sender of an answer."""
    props = content.props
    rows = attending(content) or content.recipients
    organizer = next((row for row in rows if address_of(row, RECIPIENT)), None)
    if organizer is not None:
        address = address_of(organizer, RECIPIENT)
        name = text(organizer, pt.PR_DISPLAY_NAME) or address
        block.lines.append(line_text("ORGANIZER", f"mailto:{address}", {"CN": (name,)}))
    role = REPRESENTING if address_of(props, REPRESENTING) else SENDER
    attendee = address_of(props, role)
    if attendee:
        answer = text(props, pt.PR_MESSAGE_CLASS).lower().split(".")[-1]
        row: NamedProps = {pt.PR_DISPLAY_NAME: text(props, role[0]), pt.PR_RECIPIENT_TYPE: 1}
        said = told_by(content) if answer == _DECLINED else None
        line = attendee_line(row, attendee, _ANSWERS.get(answer, ids.NO_RESPONSE))
        block.lines.append(line if said is None else line_text(said.name, said.value, said.params))
