"""Modified instances of a series: blob entry, exception attachment and override component (MS-OXOCAL 2.2.10).

The blob says when an instance is and which values differ; the message embedded in the attachment has the values.
A store may lack either. Existing attachments are updated in place, so that what iCalendar cannot carry stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias, TypeVar

from gateway.convert.ical import propids as ids
from gateway.convert.ical.alarms import delta
from gateway.convert.ical.civil import DAY
from gateway.convert.ical.itemzone import end_zone, start_zone
from gateway.convert.ical.marks import busy_status
from gateway.convert.ical.moments import EPOCH, filetime, local, naive_utc, of_rtime, rtime, utc_of
from gateway.convert.ical.pattern import Instance, Override, Pattern
from gateway.convert.ical.spans import Span
from gateway.convert.ical.timezones import Zone
from gateway.convert.ical.values import number, text
from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.props import NamedProps, PropKey

_T = TypeVar("_T")
_KeyOf: TypeAlias = "Callable[[AttachmentContent, Zone], int | None]"
_EMBEDDED: Final = 5
_EXCEPTION: Final = 2
_NOT_POSITIONED: Final = 0xFFFFFFFF
_BODY: Final = (pt.PR_BODY, pt.PR_HTML, pt.PR_RTF_COMPRESSED, pt.PR_INTERNET_CPID)
#: Values of an instance that count only if the blob says that they differ.
_FLAGGED: Final[dict[Override, tuple[PropKey, ...]]] = {
    Override.SUBJECT: (pt.PR_SUBJECT,),
    Override.MEETING_TYPE: (ids.STATE,),
    Override.REMINDER_DELTA: (ids.REMINDER_DELTA,),
    Override.REMINDER_SET: (ids.REMINDER_SET,),
    Override.LOCATION: (ids.LOCATION, ids.WHERE, ids.LOCATION_URL),
    Override.BUSY_STATUS: (ids.BUSY_STATUS,),
    Override.ALL_DAY: (ids.ALL_DAY,),
    Override.COLOR: (ids.COLOR,),
}
#: Properties of the series that no instance has.
_NOT_INHERITED: Final = (
    ids.RECUR,
    ids.RECURRING,
    ids.RECURRENCE_TYPE,
    ids.RECURRENCE_TEXT,
    ids.IS_RECURRING,
    ids.ZONE_RECUR,
    ids.ZONE_STRUCT,
    ids.RETAINED,
)


@dataclass(slots=True)
class Exceptional:
    """A modified instance with its attachment, if the store has one."""

    instance: Instance
    attachment: AttachmentContent | None = None


def is_exception(attachment: AttachmentContent) -> bool:
    """Whether an attachment is a modified instance, not a message that somebody attached."""
    if attachment.embedded is None:
        return False
    started = number(attachment.props, pt.PR_EXCEPTION_STARTTIME)
    return started is not None and naive_utc(started) is not None


def exceptions_of(content: MessageContent, pattern: Pattern, zone: Zone) -> list[Exceptional]:
    """The modified instances of a series, each with its attachment."""
    left = [attachment for attachment in content.attachments if is_exception(attachment)]
    found = [Exceptional(instance) for instance in pattern.modified]
    for key_of, key in _MATCHES:
        by_key: dict[int | None, AttachmentContent] = {}
        for attachment in left:
            by_key.setdefault(key_of(attachment, zone), attachment)
        by_key.pop(None, None)
        for each in found:
            if each.attachment is None:
                each.attachment = by_key.pop(key(each.instance), None)
        taken = {id(each.attachment) for each in found}
        left = [attachment for attachment in left if id(attachment) not in taken]
    return found


def original_of(attachment: AttachmentContent, zone: Zone) -> int | None:
    """Where the pattern puts a modified instance, local rtime."""
    embedded = attachment.embedded
    moment = naive_utc(number(embedded.props, ids.REPLACE_TIME)) if embedded is not None else None
    moment = moment or naive_utc(number(attachment.props, pt.PR_EXCEPTION_REPLACETIME))
    return None if moment is None else rtime(local(moment, zone))


def _start_of(attachment: AttachmentContent, zone: Zone) -> int | None:
    moment = naive_utc(number(attachment.props, pt.PR_EXCEPTION_STARTTIME))
    return None if moment is None else rtime(moment)


def _day_of(attachment: AttachmentContent, zone: Zone) -> int | None:
    original = original_of(attachment, zone)
    return None if original is None else original // DAY


#: What tells which attachment belongs to an instance, the surest first.
_MATCHES: Final[tuple[tuple[_KeyOf, Callable[[Instance], int]], ...]] = (
    (original_of, lambda instance: instance.original),
    (_start_of, lambda instance: instance.start),
    (_day_of, lambda instance: instance.original // DAY),
)


# Reading what is stored


def whole(master: MessageContent, each: Exceptional, zone: Zone) -> MessageContent:
    """A modified instance with all its values: its own, and the series' for the rest."""
    props: NamedProps = {key: value for key, value in master.props.items() if key not in _NOT_INHERITED}
    instance, embedded = each.instance, each.attachment.embedded if each.attachment is not None else None
    own = dict(embedded.props) if embedded is not None else {}
    for flag, keys in _FLAGGED.items():
        if not instance.overrides & flag:
            for key in keys:
                own.pop(key, None)
    if embedded is not None and not _has_body(own, instance):
        for tag in _BODY:
            own.pop(tag, None)
    elif embedded is not None:
        for tag in _BODY:
            props.pop(tag, None)
    props |= _of_blob(instance)
    props |= own
    _fill_times(props, instance, zone)
    recipients = master.recipients
    if embedded is not None and _has_attendees(embedded):
        recipients = embedded.recipients
    return MessageContent(props, recipients, embedded.attachments if embedded is not None else [])


def _has_body(own: NamedProps, instance: Instance) -> bool:
    marked = own.get(ids.EXCEPTIONAL_BODY)
    return (
        instance.body or bool(marked) or (marked is None and bool(own.get(pt.PR_BODY) or own.get(pt.PR_HTML)))
    )


def _has_attendees(embedded: MessageContent) -> bool:
    marked = embedded.get(ids.EXCEPTIONAL_ATTENDEES)
    return bool(marked) or (marked is None and bool(embedded.recipients))


def _of_blob(instance: Instance) -> NamedProps:
    """The values that the blob has."""
    values: NamedProps = {
        pt.PR_SUBJECT: instance.subject,
        ids.STATE: instance.meeting_type,
        ids.REMINDER_DELTA: instance.reminder_delta,
        ids.REMINDER_SET: instance.reminder_set,
        ids.LOCATION: instance.location,
        ids.BUSY_STATUS: instance.busy_status,
        ids.ALL_DAY: instance.all_day,
        ids.COLOR: instance.color,
    }
    if instance.location is not None:
        values[ids.WHERE] = instance.location
        values[ids.LOCATION_URL] = ""
    if instance.reminder_set and instance.reminder_delta is None:
        values[ids.REMINDER_DELTA] = ids.DEFAULT_DELTA
    return {key: value for key, value in values.items() if value is not None}


def _fill_times(props: NamedProps, instance: Instance, zone: Zone) -> None:
    """The blob knows best when an instance is; seconds it leaves out."""
    for key, minutes in ((ids.START, instance.start), (ids.END, instance.end)):
        moment = filetime(utc_of(of_rtime(minutes), zone))
        stored = naive_utc(number(props, key))
        if stored is None or stored.replace(second=0, microsecond=0) != EPOCH + timedelta(
            microseconds=moment // 10
        ):
            props[key] = moment


def instance_span(props: NamedProps, instance: Instance, zone: Zone, *, embedded: bool) -> Span:
    """The times of a modified instance, in the series' zone unless it is known to be in another."""
    start, end = of_rtime(instance.start), of_rtime(max(instance.end, instance.start))
    if props.get(ids.ALL_DAY):
        first = _midnight_near(instance.start)
        last = max(_midnight_near(instance.end), first + DAY)
        return Span(of_rtime(first), of_rtime(last), zone, zone, True)
    own = start_zone(props, start.year, recurring=False) if embedded else None
    other = end_zone(props, start.year, own) if own is not None else None
    if own is None or own.name == zone.name:
        own = zone
    if other is None or other.name == own.name:
        other = own
    return Span(_moved(start, zone, own), _moved(end, zone, other), own, other)


def _moved(wall: datetime, zone: Zone, other: Zone) -> datetime:
    """A wall-clock time as another zone's."""
    return wall if other is zone else local(utc_of(wall, zone), other)


def _midnight_near(minutes: int) -> int:
    return (minutes + DAY // 2) // DAY * DAY


# Writing


def instance_of(
    master: MessageContent, content: MessageContent, span: Span, original: int, zone: Zone
) -> Instance:
    """The blob's entry for a modified instance: only what differs from the series."""
    own, series = content.props, master.props
    # Dates are the same everywhere: an all-day instance has no zone.
    start = span.start if span.all_day else local(span.utc_start, zone)
    end = span.end if span.all_day else local(span.utc_end, zone)
    reminder = bool(own.get(ids.REMINDER_SET))
    entry = Instance(rtime(start), max(rtime(end), rtime(start)), original)
    return replace(
        entry,
        subject=_other(text(own, pt.PR_SUBJECT), text(series, pt.PR_SUBJECT)),
        meeting_type=_other(number(own, ids.STATE) or 0, number(series, ids.STATE) or 0),
        reminder_set=_other(reminder, bool(series.get(ids.REMINDER_SET))),
        reminder_delta=_other(delta(own), delta(series)) if reminder else None,
        location=_other(text(own, ids.LOCATION), text(series, ids.LOCATION)),
        busy_status=_other(busy_status(own), busy_status(series)),
        all_day=_other(span.all_day, bool(series.get(ids.ALL_DAY))),
        color=_other(number(own, ids.COLOR) or 0, number(series, ids.COLOR) or 0),
        attachment=True if content.attachments else None,
        body=bool(own.get(ids.EXCEPTIONAL_BODY)),
    )


def _other(own: _T, series: _T) -> _T | None:
    return None if own == series else own


def exception_attachment(
    stored: AttachmentContent | None, embedded: MessageContent, instance: Instance, zone: Zone
) -> AttachmentContent:
    """The attachment of a modified instance."""
    attachment = AttachmentContent({}) if stored is None else stored
    attachment.embedded = embedded
    attachment.props |= {
        pt.PR_ATTACH_METHOD: _EMBEDDED,
        pt.PR_ATTACHMENT_FLAGS: _EXCEPTION,
        pt.PR_ATTACHMENT_HIDDEN: True,
        pt.PR_ATTACHMENT_LINKID: 0,
        pt.PR_ATTACH_FLAGS: 0,
        pt.PR_RENDERING_POSITION: _NOT_POSITIONED,
        # The local wall clock, as if it were UTC.
        pt.PR_EXCEPTION_STARTTIME: filetime(of_rtime(instance.start)),
        pt.PR_EXCEPTION_ENDTIME: filetime(of_rtime(instance.end)),
        pt.PR_EXCEPTION_REPLACETIME: filetime(utc_of(of_rtime(instance.original), zone)),
    }
    attachment.props.setdefault(pt.PR_DISPLAY_NAME, "Untitled")
    return attachment
