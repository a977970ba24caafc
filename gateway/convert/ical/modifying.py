"""One instance of a series made a modified one, or changed further (MS-OXOCAL 2.2.10).

An instance that begins to be modified is as the series has it, with the files and what is kept of the series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.convert.ical import propids as ids
from gateway.convert.ical.civil import DAY, civil
from gateway.convert.ical.events_out import Event
from gateway.convert.ical.exceptions import (
    Exceptional,
    exception_attachment,
    instance_of,
    is_exception,
    whole,
)
from gateway.convert.ical.globalid import InstanceDate
from gateway.convert.ical.identity import uid_of, write_ids
from gateway.convert.ical.moments import filetime, of_rtime, rtime, utc_of
from gateway.convert.ical.options import Options
from gateway.convert.ical.pattern import Instance, Pattern
from gateway.convert.ical.retained import Kept, read, written
from gateway.convert.ical.spans import Span, write_span
from gateway.convert.ical.values import octets, text
from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, MessageContent


def stored_instances(event: Event) -> dict[int, Exceptional]:
    """The modified instances of a series by their days (midnight, rtime)."""
    return {each.instance.original // DAY * DAY: each for each in event.exceptions()}


def instance_at(
    event: Event, pattern: Pattern, day: int, stored: Mapping[int, Exceptional]
) -> tuple[MessageContent, Exceptional]:
    """The instance of a day (midnight, rtime) with all its values, and what is ``stored`` of it, if anything.

    Rows of recipients may be changed. An instance that is not modified yet has the files of the series.
    """
    offset = pattern.start_offset or 0
    found = stored.get(day) or Exceptional(Instance(day + offset, day + pattern.end_offset, day + offset))
    full = whole(event.content, found, event.zone)
    files = full.attachments
    if found.attachment is None:
        files = [_copied(each) for each in event.content.attachments if not is_exception(each)]
    return MessageContent(full.props, [dict(row) for row in full.recipients], list(files)), found


def _copied(file: AttachmentContent) -> AttachmentContent:
    return AttachmentContent(dict(file.props), file.data, file.embedded)


def embedded_of(event: Event, place: Exceptional, full: MessageContent) -> MessageContent:
    """The message of an instance: a copy of the stored one, or a new one that is as the series has it."""
    if place.attachment is not None and place.attachment.embedded is not None:
        old = place.attachment.embedded
        return MessageContent(dict(old.props), old.recipients, full.attachments)
    embedded = MessageContent({}, [], full.attachments)
    span, original = _span(event, place.instance), of_rtime(place.instance.original)
    write_span(embedded.props, span, Options(zone=event.zone))
    embedded.props |= {
        pt.PR_MESSAGE_CLASS: ids.EXCEPTION_CLASS,
        pt.PR_SUBJECT: text(full.props, pt.PR_SUBJECT),
        ids.REPLACE_TIME: filetime(utc_of(original, event.zone)),
        ids.RECURRING: False,
        ids.IS_EXCEPTION: True,
        ids.EXCEPTIONAL_BODY: False,
        ids.EXCEPTIONAL_ATTENDEES: False,
    }
    write_ids(embedded.props, uid_of(event.content.props), InstanceDate(*civil(rtime(original) // DAY)))
    return embedded


def put_instance(
    content: MessageContent, event: Event, pattern: Pattern, place: Exceptional, embedded: MessageContent
) -> Pattern:
    """Give a series the message of one instance; the pattern to be written then. Only ``content`` is changed."""
    instance, old = place.instance, place.attachment
    full = MessageContent(whole(event.content, place, event.zone).props, [], embedded.attachments)
    if old is None:
        instance = instance_of(content, full, _span(event, instance), instance.original, event.zone)
        _keep(content, instance.original // DAY)
    instance = replace(instance, attachment=True if embedded.attachments else None)
    attachment = exception_attachment(None, embedded, instance, event.zone)
    if old is None:
        content.attachments.append(attachment)
    else:
        attachment.props = {**old.props, **attachment.props}
        content.attachments = [attachment if each is old else each for each in content.attachments]
    modified = tuple(each for each in pattern.modified if each.original != instance.original)
    deleted = tuple(sorted({*pattern.deleted, instance.original // DAY * DAY}))
    return replace(pattern, deleted=deleted, modified=(*modified, instance))


def _span(event: Event, instance: Instance) -> Span:
    return event.span._replace(
        start=of_rtime(instance.start), end=of_rtime(instance.end), end_zone=event.span.zone
    )


def _keep(content: MessageContent, day: int) -> None:
    """What is kept beside the series is kept beside its new instance, too, but how people were written."""
    kept = read(octets(content.props, ids.RETAINED))
    series = kept.of("")
    pieces = [each for each in series.pieces if not each.key.startswith(("ATTENDEE", "ORGANIZER"))]
    if pieces or series.parts or series.alarms:
        one = Kept(pieces, series.alarms, series.alarms_of, series.parts, html=series.html)
        kept.components[str(day)] = one
        content.props[ids.RETAINED] = written(kept)
