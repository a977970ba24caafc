"""Items as calendar objects (RFC 4791 4.1): one item, one UID, one VCALENDAR."""

from __future__ import annotations

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.blocks import Block
from gateway.convert.ical.events_out import event_of, write_event
from gateway.convert.ical.journals import write_journal
from gateway.convert.ical.kinds import kind_of
from gateway.convert.ical.layout import ZonesUsed, calendar_object
from gateway.convert.ical.options import DEFAULTS, Options
from gateway.convert.ical.privacy import hides, shown
from gateway.convert.ical.retained import Retained, read
from gateway.convert.ical.tasks_out import write_task
from gateway.convert.ical.values import octets
from gateway.mapi.content import MessageContent


def to_ical(content: MessageContent, options: Options = DEFAULTS) -> bytes:
    """The calendar object of an appointment, meeting message, task, journal entry or note, as UTF-8.

    The same content and options always give the same octets. A series is one object with all its modified
    instances. ParseError when the content has no form in a calendar: no start, another class.
    """
    kept = Retained() if hides(content, options) else read(octets(content.props, ids.RETAINED))
    if not options.sees_private:  # what is kept for an instance may be as private as the instance
        kept = Retained(kept.calendar, {"": kept.of("")})
    zones = ZonesUsed()
    blocks = components(shown(content, options), kept, zones, options)
    return calendar_object([block for _, block in blocks], zones, options.method, kept.calendar)


def components(
    content: MessageContent, kept: Retained, zones: ZonesUsed, options: Options
) -> list[tuple[str, Block]]:
    """The components of an item with the keys under which things are kept for them (ParseError)."""
    kind = kind_of(content.props)
    if kind == "VEVENT":
        return write_event(event_of(content, options), kept, zones, options)
    if kind == "VTODO":
        return [("", write_task(content, kept, zones, options))]
    if kind == "VJOURNAL":
        return [("", write_journal(content, kept, zones, options))]
    raise ParseError("the message class has no form in a calendar")
