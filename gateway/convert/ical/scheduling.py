"""Meetings between calendars: messages applied to an item (RFC 5546 2-3, RFC 6638 4, MS-OXOCAL 3.1.4).

Nothing here stores; each function gives the item that is to be stored.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.attendees import attending
from gateway.convert.ical.civil import DAY
from gateway.convert.ical.delegation import told_by, with_delegates
from gateway.convert.ical.events_in import copied
from gateway.convert.ical.events_out import Event, event_of, original_start
from gateway.convert.ical.exceptions import is_exception
from gateway.convert.ical.meetingfiles import instances_with_files, merged
from gateway.convert.ical.modifying import embedded_of, instance_at, put_instance, stored_instances
from gateway.convert.ical.options import DEFAULTS, Options
from gateway.convert.ical.pattern import Pattern
from gateway.convert.ical.people import RECIPIENT, REPRESENTING, SENDER, address_of
from gateway.convert.ical.requested import instance_day, is_older, with_instance
from gateway.convert.ical.series import falls_on, write_series
from gateway.convert.ical.values import number
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent

_ANSWERS: Final = frozenset((ids.ACCEPTED, ids.DECLINED, ids.TENTATIVELY))
#: What belongs to the stored object, not to the meeting.
_OF_STORE: Final = frozenset(
    (
        pt.PR_ENTRYID,
        pt.PR_SOURCE_KEY,
        pt.PR_CHANGE_KEY,
        pt.PR_PREDECESSOR_CHANGE_LIST,
        pt.PR_PARENT_SOURCE_KEY,
        pt.PR_RECORD_KEY,
        pt.PR_SEARCH_KEY,
        pt.PR_CREATION_TIME,
        pt.PR_LAST_MODIFICATION_TIME,
        pt.PR_MESSAGE_FLAGS,
        pt.PR_MESSAGE_SIZE,
        pt.PR_MESSAGE_DELIVERY_TIME,
        pt.PR_CLIENT_SUBMIT_TIME,
        pt.PR_TRANSPORT_MESSAGE_HEADERS,
        pt.PR_INTERNET_MESSAGE_ID,
        pt.PR_PARENT_ENTRYID,
    )
)
_OF_OWNER: Final = frozenset(
    (ids.REMINDER_SET, ids.REMINDER_TIME, ids.REMINDER_SIGNAL, ids.REMINDER_DELTA, ids.LAST_ACK)
)
#: What makes an item a series or an instance of one: taken from a request whole, or not there.
_OF_SERIES: Final = (
    ids.RECUR,
    ids.RECURRENCE_TEXT,
    ids.ZONE_RECUR,
    ids.ZONE_STRUCT,
    ids.REPLACE_TIME,
    ids.RETAINED,
)


def is_outdated(item: MessageContent, message: MessageContent) -> bool:
    """Whether a message of the organizer is older than the item (RFC 5546 2.1.5)."""
    return is_older(message, item)


def apply_request(
    item: MessageContent | None, request: MessageContent, options: Options = DEFAULTS
) -> MessageContent | None:
    """The owner's item for an invitation; None when the stored item is newer, or the change has no form in MAPI.

    His reminder and categories stay. An invitation to one instance changes that instance of what he has.
    """
    if item is not None and _is_about_another(item, request, options):
        try:
            return with_instance(item, request, options)
        except ParseError:
            return None
    if item is not None and is_outdated(item, request):
        return None
    content = copied(item)
    for key in _OF_SERIES:
        content.props.pop(key, None)
    content.props |= {
        key: value for key, value in request.props.items() if key not in _OF_STORE and key not in _OF_OWNER
    }
    if item is None:
        content.props |= {key: request.props[key] for key in _OF_OWNER if key in request.props}
    moved = item is None or any(
        item.props.get(key) != request.props.get(key) for key in (ids.START, ids.END, ids.RECUR)
    )
    busy = number(request.props, ids.INTENDED_BUSY)
    content.props |= {
        pt.PR_MESSAGE_CLASS: "IPM.Appointment",
        ids.STATE: ids.IS_MEETING | ids.IS_RECEIVED,
        ids.RESPONSE: ids.NOT_RESPONDED if moved else number(item.props, ids.RESPONSE) if item else 0,
        pt.PR_ICON_INDEX: 0x403 if request.props.get(ids.RECUR) else 0x402,
    }
    if not moved and item is not None and number(item.props, ids.RESPONSE) == ids.ACCEPTED:
        content.props[ids.BUSY_STATUS] = ids.BUSY if busy is None else busy
    content.recipients = [dict(row) for row in request.recipients]
    own = [each for each in content.attachments if not is_exception(each)]
    sent = [each for each in request.attachments if not is_exception(each)]
    content.attachments = merged(own, sent) + instances_with_files(content.attachments, request.attachments)
    return content


def _is_about_another(item: MessageContent, request: MessageContent, options: Options) -> bool:
    """Whether a request is for one instance, and the item is something else than that instance alone."""
    try:
        target = original_start(request.props, event_of(request, options).span)
        event = event_of(item, options)
    except ParseError:
        return False
    return target is not None and (event.pattern is not None or not _is_instance(event, request, options))


def _is_instance(event: Event, message: MessageContent, options: Options) -> bool:
    """Whether an item is the one instance of a series that a message is about."""
    own = original_start(event.content.props, event.span)
    return own is not None and own[0] // DAY * DAY == instance_day(message, event, options)


def apply_cancellation(
    item: MessageContent, message: MessageContent, options: Options = DEFAULTS
) -> MessageContent | None:
    """The item after a cancellation: marked, or one instance less; None when the message is older."""
    if is_outdated(item, message):
        return None
    content = copied(item)
    try:
        event = event_of(item, options)
        target = original_start(message.props, event_of(message, options).span)
    except ParseError:
        return None
    if event.pattern is None and target is not None and not _is_instance(event, message, options):
        return None
    if event.pattern is None or target is None:
        state = number(content.props, ids.STATE) or 0
        content.props |= {ids.STATE: state | ids.IS_CANCELED, ids.BUSY_STATUS: ids.FREE}
        content.props[ids.SEQUENCE] = number(message.props, ids.SEQUENCE) or 0
        return content
    day = _day(message, event, options)
    if day is None:
        return None
    _without(content, event, event.pattern, day)
    return content


def _without(content: MessageContent, event: Event, pattern: Pattern, day: int) -> None:
    """Delete an instance of a series, with its modification."""
    gone = next((each for each in event.exceptions() if each.instance.original // DAY * DAY == day), None)
    if gone is not None and gone.attachment is not None:
        content.attachments = [each for each in content.attachments if each is not gone.attachment]
    left = tuple(each for each in pattern.modified if each.original // DAY * DAY != day)
    deleted = tuple(sorted({*pattern.deleted, day}))
    write_series(content.props, replace(pattern, deleted=deleted, modified=left))


def _day(message: MessageContent, event: Event, options: Options) -> int | None:
    """Midnight of the instance that a message is about; None when the series has none there."""
    day = instance_day(message, event, options)
    return day if day is not None and event.pattern is not None and falls_on(event.pattern, day) else None


def apply_reply(
    item: MessageContent, reply: MessageContent, options: Options = DEFAULTS
) -> MessageContent | None:
    """The organizer's item with an answer noted; None when nothing changes.

    Answers of people who were not invited, and answers older than the one that is noted, change nothing.
    """
    attendee = address_of(reply.props, REPRESENTING) or address_of(reply.props, SENDER)
    answer = number(reply.props, ids.RESPONSE) or 0
    if answer not in _ANSWERS or not attendee:
        return None
    content = copied(item)
    try:
        event = event_of(item, options)
        target = original_start(reply.props, event.span) if event.pattern is not None else None
    except ParseError:
        return None
    if target is None or event.pattern is None:
        day = None
        noted = _note(content, reply, attendee, answer)
    else:
        day = target[0] // DAY * DAY
        noted = falls_on(event.pattern, day) and _note_instance(content, event, event.pattern, day, reply)
    said = told_by(reply) if noted and answer == ids.DECLINED else None
    if said is not None:
        with suppress(ParseError):
            return with_delegates(content, said, day, options)
    return content if noted else None


def _note(content: MessageContent, reply: MessageContent, attendee: str, answer: int) -> bool:
    """Note an answer in the attendee's row; False when there is none, or a later answer in it."""
    when = number(reply.props, ids.ATTENDEE_CHANGE) or 0
    for row in attending(content):
        if address_of(row, RECIPIENT).lower() != attendee.lower():
            continue
        last = number(row, ids.PR_RECIPIENT_TRACKSTATUS_TIME) or 0
        # Answers are dated in seconds: to a series and to one of its instances they may come in the same one.
        if when and (when < last or (when == last and row.get(pt.PR_RECIPIENT_TRACKSTATUS) == answer)):
            return False
        row[pt.PR_RECIPIENT_TRACKSTATUS] = answer
        if when:
            row[ids.PR_RECIPIENT_TRACKSTATUS_TIME] = when
        if reply.props.get(ids.COUNTER):
            row[ids.PR_RECIPIENT_PROPOSED] = True
            row[ids.PR_RECIPIENT_PROPOSEDSTARTTIME] = reply.props.get(ids.PROPOSED_START, 0)
            row[ids.PR_RECIPIENT_PROPOSEDENDTIME] = reply.props.get(ids.PROPOSED_END, 0)
            content.props[ids.COUNTER] = True
        return True
    return False


def _note_instance(
    content: MessageContent, event: Event, pattern: Pattern, day: int, reply: MessageContent
) -> bool:
    """Note an answer to one instance, which becomes a modified one if it is not one yet."""
    attendee = address_of(reply.props, REPRESENTING) or address_of(reply.props, SENDER)
    full, place = instance_at(event, pattern, day, stored_instances(event))
    if not _note(full, reply, attendee, number(reply.props, ids.RESPONSE) or 0):
        return False
    embedded = embedded_of(event, place, full)
    embedded.props[ids.EXCEPTIONAL_ATTENDEES] = True
    embedded.recipients = full.recipients
    write_series(content.props, put_instance(content, event, pattern, place, embedded))
    return True
