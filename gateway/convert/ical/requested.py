"""An invitation to one instance, applied to what its guest has of the series (RFC 5546 3.2.2.1, 4.4).

The stored item is written as a calendar object, the instance is put beside it, and the whole is read into the item:
so an instance from a mail is merged as one from a client is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.convert.ical import propids as ids
from gateway.convert.ical.civil import DAY
from gateway.convert.ical.events_out import Event, event_of, original_start
from gateway.convert.ical.exceptions import Exceptional, whole
from gateway.convert.ical.options import Options
from gateway.convert.ical.pattern import Instance
from gateway.convert.ical.reading import item_of
from gateway.convert.ical.values import number
from gateway.convert.ical.writing import to_ical
from gateway.convert.lines import parse
from gateway.mapi.content import MessageContent

#: Files of an instance go through its text, up to so many bytes.
_MOST_INLINE: Final = 8 << 20


def instance_day(message: MessageContent, event: Event, options: Options) -> int | None:
    """Midnight of the instance of a series that a message is about, None when it is about none (ParseError)."""
    span = event_of(message, options).span
    found = original_start(message.props, span._replace(zone=event.zone))
    return None if found is None else found[0] // DAY * DAY


def with_instance(item: MessageContent, request: MessageContent, options: Options) -> MessageContent | None:
    """The item with one instance as its organizer has it now; None when the item knows something newer.

    An instance that the series does not have changes nothing. ParseError when MAPI has no form for the change.
    """
    event = event_of(item, options)
    day = instance_day(request, event, options)
    before = None if day is None else _stored(event, day)
    if before is not None:
        if is_older(request, before):
            return None
        if all(before.props.get(key) == request.props.get(key) for key in (ids.START, ids.END)):
            request = _answered(request, before)
    plain = replace(options, sees_private=True, alarms=True, html=False, inline=0, method="")
    told = replace(plain, alarms=False, inline=_MOST_INLINE)
    (calendar,), (other,) = parse(to_ical(item, plain)), parse(to_ical(request, told))
    calendar.children += other.children  # of two overrides of a day the last counts
    return item_of(calendar, item, replace(plain, alarms=False, from_organizer=True))


def is_older(message: MessageContent, stored: MessageContent) -> bool:
    """Whether a message of the organizer is older than what is stored (RFC 5546 2.1.5)."""

    def age(content: MessageContent) -> tuple[int, int]:
        return number(content.props, ids.SEQUENCE) or 0, number(content.props, ids.OWNER_CHANGE) or 0

    return age(message) < age(stored)


def _stored(event: Event, day: int) -> MessageContent | None:
    """The instance as it is stored: its own values, else the series'; None when there is only another instance."""
    pattern = event.pattern
    if pattern is None:
        return None
    for each in event.exceptions():
        if each.instance.original // DAY * DAY == day:
            return whole(event.content, each, event.zone)
    start = day + (pattern.start_offset or 0)
    return whole(event.content, Exceptional(Instance(start, day + pattern.end_offset, start)), event.zone)


def _answered(request: MessageContent, before: MessageContent) -> MessageContent:
    """A request that leaves the times as they are: the guest has answered it already."""
    props = {**request.props, ids.RESPONSE: before.props.get(ids.RESPONSE, ids.NOT_RESPONDED)}
    props[ids.BUSY_STATUS] = before.props.get(ids.BUSY_STATUS, ids.TENTATIVE)
    return MessageContent(props, request.recipients, request.attachments)
