"""Files of a series and of its instances, each of which has its own (MS-OXOCAL 2.2.10, RFC 8607 3.3.2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.civil import DAY
from gateway.convert.ical.events_in import copied
from gateway.convert.ical.events_out import Event, event_of
from gateway.convert.ical.exceptions import is_exception
from gateway.convert.ical.kinds import kind_of
from gateway.convert.ical.modifying import embedded_of, instance_at, put_instance, stored_instances
from gateway.convert.ical.moments import local, parse_time, rtime
from gateway.convert.ical.options import DEFAULTS, Options
from gateway.convert.ical.retained import read
from gateway.convert.ical.series import falls_on, write_series
from gateway.convert.ical.values import octets
from gateway.mapi.content import AttachmentContent, MessageContent

#: Stands for what is no modified instance: the series, or an item that does not repeat.
MASTER: Final = -1
#: New files of the old ones.
Change = Callable[[list[AttachmentContent]], list[AttachmentContent]]


def day_of(content: MessageContent, recurrence_id: str, options: Options = DEFAULTS) -> int:
    """The day (midnight, rtime) of the instance that a RECURRENCE-ID names, `MASTER` for "M".

    The value is in UTC, a date, or in the zone of the series. ParseError when the item has no such instance.
    """
    if recurrence_id.strip().upper() == "M":
        if _has_only_instances(content):
            raise ParseError("there are only single instances of the series")
        return MASTER
    event = _event(content, options)
    if event is None or event.pattern is None:
        raise ParseError("the item does not repeat")
    wall, is_date, is_utc = parse_time(recurrence_id.strip())
    minutes = rtime(local(wall, event.zone) if is_utc else wall)
    day, pattern = minutes // DAY * DAY, event.pattern
    original = next((each.original for each in pattern.modified if each.original // DAY * DAY == day), None)
    if original is None:
        if not falls_on(pattern, day) or day in pattern.deleted:
            raise ParseError("the series has no instance there")
        original = day + (pattern.start_offset or 0)
    if is_date is not event.span.all_day or (not is_date and minutes != original):
        raise ParseError("the series has no instance at this time")
    return day


def all_days(content: MessageContent, options: Options = DEFAULTS) -> list[int]:
    """All that has files of its own: the days (midnights, rtime) of modified instances, and `MASTER`."""
    event = _event(content, options)
    found = [] if event is None else [each.instance.original // DAY * DAY for each in event.exceptions()]
    return found if found and _has_only_instances(content) else [MASTER, *found]


def _has_only_instances(content: MessageContent) -> bool:
    """Whether an item is a series of which the client knows single instances only."""
    return read(octets(content.props, ids.RETAINED)).of("").only_instances


def files_by_day(
    content: MessageContent, days: Iterable[int], options: Options = DEFAULTS
) -> dict[int, list[AttachmentContent]]:
    """The files of instances (by `day_of`)."""
    own = [each for each in content.attachments if not is_exception(each)]
    event = _event(content, options)
    stored = stored_instances(event) if event is not None else {}
    found = dict.fromkeys(days, own)
    for day in found.keys() & stored.keys():
        attachment = stored[day].attachment
        if attachment is not None and attachment.embedded is not None:
            found[day] = attachment.embedded.attachments
    return found


def files_of(content: MessageContent) -> Iterator[AttachmentContent]:
    """The attachments of an item and of its modified instances."""
    for each in content.attachments:
        if not is_exception(each):
            yield each
        elif each.embedded is not None:
            yield from each.embedded.attachments


def with_files(
    content: MessageContent, days: Collection[int], change: Change, options: Options = DEFAULTS
) -> MessageContent:
    """A copy of an item in which the files of some instances (by `day_of`) are changed.

    An instance that is not modified becomes so, with the files that the series has before.
    """
    result = copied(content)
    event = _event(content, options)
    single = [each for each in days if each != MASTER]
    if single:
        if event is None or event.pattern is None:
            raise ParseError("the item does not repeat")
        pattern, stored = event.pattern, stored_instances(event)
        for day in single:
            full, place = instance_at(event, pattern, day, stored)
            full.attachments = change(full.attachments)
            pattern = put_instance(result, event, pattern, place, embedded_of(event, place, full))
        write_series(result.props, pattern)
    if MASTER in days:
        instances = [each for each in result.attachments if is_exception(each)]
        own = [each for each in result.attachments if not is_exception(each)]
        result.attachments = change(own) + instances
    return result


def _event(content: MessageContent, options: Options) -> Event | None:
    return event_of(content, options) if kind_of(content.props) == "VEVENT" else None
