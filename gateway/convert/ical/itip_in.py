"""Invitations, answers and cancellations that come by mail, as meeting messages (RFC 5546, RFC 6047, MS-OXCMSG 3).

What is not exactly one invitation, answer or cancellation stays the file that it is.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.addressees import keep_attendees
from gateway.convert.ical.attendees import TO, partstat
from gateway.convert.ical.civil import DAY
from gateway.convert.ical.delegation import delegates
from gateway.convert.ical.moments import Zones, filetime, of_rtime
from gateway.convert.ical.options import DEFAULTS, Options
from gateway.convert.ical.pattern import EndType, Frequency, Pattern, PatternType
from gateway.convert.ical.people import REPRESENTING, SENDER, calendar_address, new_row, person_props
from gateway.convert.ical.reading import item_of, items, single_calendar
from gateway.convert.ical.series import packed_date, packed_time, stored_pattern
from gateway.convert.ical.texts import read_body
from gateway.convert.ical.values import number
from gateway.convert.lines import Component, Line
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from gateway.mapi.props import NamedProps

_PREFIX: Final = "IPM.Schedule.Meeting."
_REQUEST: Final = _PREFIX + "Request"
_METHODS: Final = ("REQUEST", "REPLY", "COUNTER", "CANCEL")
#: Message class and icon of an answer.
_ANSWERS: Final = {
    ids.ACCEPTED: (_PREFIX + "Resp.Pos", 0x405),
    ids.DECLINED: (_PREFIX + "Resp.Neg", 0x406),
    ids.TENTATIVELY: (_PREFIX + "Resp.Tent", 0x407),
}
_REQUEST_ICON: Final = 0x404
_CANCEL_ICON: Final = 0x408
_UPDATE_ICON: Final = 0x409
_SIDE_EFFECTS: Final = 0x1C61
_INITIAL: Final = 1
_FULL_UPDATE: Final = 0x10000
_ANY_START: Final = Line("DTSTART", "20000101T000000Z")
_TIMES: Final = (
    ids.START,
    ids.END,
    ids.COMMON_START,
    ids.COMMON_END,
    pt.PR_START_DATE,
    pt.PR_END_DATE,
    ids.DURATION,
    ids.CLIP_START,
    ids.CLIP_END,
    ids.ZONE_NAME,
    ids.ZONE_START,
    ids.ZONE_END,
    ids.END_ZONE_NAME,
)
_OLD_TYPES: Final = {
    (Frequency.DAILY, PatternType.DAY): 64,
    (Frequency.DAILY, PatternType.WEEK): 48,
    (Frequency.WEEKLY, PatternType.WEEK): 48,
    (Frequency.MONTHLY, PatternType.MONTH): 12,
    (Frequency.MONTHLY, PatternType.MONTH_END): 12,
    (Frequency.MONTHLY, PatternType.MONTH_NTH): 56,
    (Frequency.YEARLY, PatternType.MONTH): 7,
    (Frequency.YEARLY, PatternType.MONTH_END): 7,
    (Frequency.YEARLY, PatternType.MONTH_NTH): 51,
}


def meeting_content(
    calendar: bytes, method: str = "", mail: MessageContent | None = None, options: Options = DEFAULTS
) -> MessageContent | None:
    """The meeting message of a mail with a calendar in it; None when the calendar is to stay an attachment.

    ``method`` is what the part's Content-Type names, for calendars that do not say it themselves. ``mail`` is the
    mail itself: what its header and body say wins, its attachments come first. The owner of ``options`` is the
    recipient.
    """
    try:
        found = _meeting(calendar, method, options)
    except ParseError:
        return None
    if found is None or mail is None:
        return found
    name, subject = found.props[pt.PR_MESSAGE_CLASS], found.props.get(pt.PR_SUBJECT, "")
    props: NamedProps = {**found.props, **mail.props, pt.PR_MESSAGE_CLASS: name}
    props[pt.PR_SUBJECT] = mail.props.get(pt.PR_SUBJECT) or subject
    rows = mail.recipients or found.recipients
    content = MessageContent(props, [dict(row) for row in rows], [*mail.attachments, *found.attachments])
    keep_attendees(content, found)
    return content


def _meeting(data: bytes, named: str, options: Options) -> MessageContent | None:
    calendar = single_calendar(data)
    method = (calendar.text("METHOD") or "").strip().upper() or named.strip().upper()
    components = items(calendar)
    if method not in _METHODS or components[0].name != "VEVENT":
        return None
    if method in ("REPLY", "COUNTER") and not _is_one_answer(components):
        return None
    # Whose calendar it goes to does not matter yet: a meeting message has its own states.
    plain = replace(options, owner=(), sees_private=True)
    timeless = method == "REPLY" and components[0].first("DTSTART") is None
    content = _without_times(calendar, components[0], plain) if timeless else item_of(calendar, None, plain)
    if method == "REQUEST":
        _make_request(content)
    elif method == "CANCEL":
        _make_cancellation(content)
    else:
        _make_answer(content, components[0], Zones(calendar, options.zone), counter=method == "COUNTER")
    props = content.props
    props[ids.SIDE_EFFECTS] = _SIDE_EFFECTS
    props[ids.REMINDER_SET] = props.get(ids.REMINDER_SET, False) and method == "REQUEST"
    if (pattern := stored_pattern(props)) is not None:
        props.update(_legacy(pattern))
    return content


def _without_times(calendar: Component, component: Component, options: Options) -> MessageContent:
    """An answer that does not repeat when the meeting is (RFC 5546 3.2.3 leaves DTSTART out)."""
    instance = component.first("RECURRENCE-ID")
    start = _ANY_START if instance is None else Line("DTSTART", instance.value, instance.params)
    component.lines.append(start)
    content = item_of(calendar, None, options)
    for key in _TIMES:
        content.props.pop(key, None)
    return content


def _is_one_answer(components: list[Component]) -> bool:
    return len(components) == 1 and sum(1 for _ in components[0].all("ATTENDEE")) == 1


def _make_request(content: MessageContent) -> None:
    props = content.props
    props[pt.PR_MESSAGE_CLASS] = _REQUEST
    props.setdefault(ids.INTENDED_BUSY, props.get(ids.BUSY_STATUS, ids.BUSY))
    update = bool(number(props, ids.SEQUENCE))
    props |= {
        ids.BUSY_STATUS: ids.TENTATIVE,
        ids.STATE: ids.IS_MEETING | ids.IS_RECEIVED,
        ids.RESPONSE: ids.NOT_RESPONDED,
        ids.INVITED: True,
        ids.MEETING_TYPE: _FULL_UPDATE if update else _INITIAL,
        pt.PR_RESPONSE_REQUESTED: True,
        pt.PR_ICON_INDEX: _UPDATE_ICON if update else _REQUEST_ICON,
    }


def _make_cancellation(content: MessageContent) -> None:
    content.props |= {
        pt.PR_MESSAGE_CLASS: _PREFIX + "Canceled",
        ids.BUSY_STATUS: ids.FREE,
        ids.STATE: ids.IS_MEETING | ids.IS_RECEIVED | ids.IS_CANCELED,
        ids.RESPONSE: ids.NOT_RESPONDED,
        ids.INVITED: True,
        pt.PR_RESPONSE_REQUESTED: False,
        pt.PR_ICON_INDEX: _CANCEL_ICON,
    }


def _make_answer(content: MessageContent, component: Component, zones: Zones, *, counter: bool) -> None:
    line = component.first("ATTENDEE")
    organizer = component.first("ORGANIZER")
    if line is None or not (attendee := calendar_address(line)):
        raise ParseError("an answer of nobody")
    answer = ids.DECLINED if delegates(line) else partstat(line)
    if counter and answer not in _ANSWERS:
        answer = ids.TENTATIVELY
    if answer not in _ANSWERS:
        raise ParseError("an answer that says nothing")
    props = content.props
    props[pt.PR_MESSAGE_CLASS], props[pt.PR_ICON_INDEX] = _ANSWERS[ids.TENTATIVELY if counter else answer]
    for role in (REPRESENTING, SENDER):
        props.update(person_props(line.param("CN"), attendee, role))
    address = calendar_address(organizer) if organizer is not None else ""
    name = organizer.param("CN") if organizer is not None else ""
    content.recipients = [new_row(name, address, TO)] if address else []
    read_body(component, props, "COMMENT")
    props |= {
        ids.STATE: ids.IS_MEETING | ids.IS_RECEIVED,
        ids.RESPONSE: answer,
        ids.INVITED: False,
        ids.COUNTER: counter,
        pt.PR_RESPONSE_REQUESTED: False,
    }
    if ids.OWNER_CHANGE in props:
        props[ids.ATTENDEE_CHANGE] = props.pop(ids.OWNER_CHANGE)
    if counter:
        _propose(component, props, zones)


def _propose(component: Component, props: NamedProps, zones: Zones) -> None:
    """The times of a counter-proposal are proposed; the meeting's own are said beside them."""
    props[ids.PROPOSED_START], props[ids.PROPOSED_END] = props[ids.START], props[ids.END]
    starts, ends = (ids.START, ids.COMMON_START, pt.PR_START_DATE), (ids.END, ids.COMMON_END, pt.PR_END_DATE)
    for name, keys in (("X-MS-OLK-ORIGINALSTART", starts), ("X-MS-OLK-ORIGINALEND", ends)):
        line = component.first(name)
        if line is not None:
            with suppress(ParseError):
                moment = filetime(zones.when(line).utc)
                props |= dict.fromkeys(keys, moment)


def _legacy(pattern: Pattern) -> NamedProps:
    """The recurrence in the fields of old meeting requests (MS-OXOCAL 2.2.6)."""
    first = of_rtime(pattern.start)
    offset = pattern.start_offset or 0
    props: NamedProps = {
        ids.IS_RECURRING: True,
        ids.START_DATE: packed_date(first),
        ids.START_TIME: packed_time(offset),
        ids.END_TIME: packed_time(pattern.end_offset),
        ids.DAY_INTERVAL: 0,
        ids.WEEK_INTERVAL: 0,
        ids.MONTH_INTERVAL: 0,
        ids.YEAR_INTERVAL: 0,
        ids.DAY_OF_WEEK_MASK: int(pattern.days),
        ids.DAY_OF_MONTH_MASK: 1 << max(pattern.day_of_month - 1, 0) if pattern.day_of_month else 0,
        ids.MONTH_OF_YEAR_MASK: 0,
        ids.OLD_RECURRENCE_TYPE: _OLD_TYPES.get((pattern.frequency, pattern.type), 0),
        ids.DAY_OF_WEEK_START: pattern.first_day_of_week,
        ids.END_DATE: 0 if pattern.end_type is EndType.NEVER else packed_date(of_rtime(pattern.end)),
    }
    if pattern.type is PatternType.DAY:
        props[ids.DAY_INTERVAL] = pattern.period // DAY
    elif pattern.type is PatternType.WEEK:
        props[ids.WEEK_INTERVAL] = pattern.period
    elif pattern.frequency is Frequency.YEARLY:
        props[ids.YEAR_INTERVAL] = pattern.period // 12
        props[ids.MONTH_OF_YEAR_MASK] = 1 << first.month - 1
    else:
        props[ids.MONTH_INTERVAL] = pattern.period
    return props
