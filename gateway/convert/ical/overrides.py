"""Overrides (RECURRENCE-ID) as modified and deleted instances of a series, merged into the stored ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.convert.errors import ParseError
from gateway.convert.ical import propids as ids
from gateway.convert.ical.attendees import attending
from gateway.convert.ical.civil import DAY, civil
from gateway.convert.ical.events_out import Event
from gateway.convert.ical.exceptions import (
    Exceptional,
    exception_attachment,
    instance_of,
    is_exception,
    whole,
)
from gateway.convert.ical.fields import read_fields
from gateway.convert.ical.globalid import InstanceDate
from gateway.convert.ical.identity import uid_of, write_ids
from gateway.convert.ical.moments import Zones, filetime, of_rtime, rtime, utc_of
from gateway.convert.ical.options import Options
from gateway.convert.ical.pattern import Instance, Pattern
from gateway.convert.ical.people import RECIPIENT, address_of
from gateway.convert.ical.series import Series, falls_on
from gateway.convert.ical.spans import Span, read_span
from gateway.convert.ical.texts import body_text, squeezed
from gateway.convert.ical.timezones import UTC_ZONE, Zone
from gateway.convert.ical.values import number
from gateway.convert.lines import Component
from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.props import NamedProps

MAX_OVERRIDES: Final = 1000
_BODY: Final = (
    pt.PR_BODY,
    pt.PR_HTML,
    pt.PR_BODY_HTML,
    pt.PR_RTF_COMPRESSED,
    pt.PR_RTF_IN_SYNC,
    pt.PR_INTERNET_CPID,
    pt.PR_NATIVE_BODY_INFO,
)
#: What a modified instance always has itself, even when it is as in the series.
_OWN: Final = frozenset(
    (
        ids.START,
        ids.END,
        ids.COMMON_START,
        ids.COMMON_END,
        pt.PR_START_DATE,
        pt.PR_END_DATE,
        ids.DURATION,
        ids.ALL_DAY,
        ids.CLIP_START,
        ids.CLIP_END,
        ids.BUSY_STATUS,
        ids.LOCATION,
        ids.STATE,
        pt.PR_SUBJECT,
        ids.ZONE_START,
        ids.ZONE_END,
        ids.ZONE_NAME,
        ids.END_ZONE_NAME,
    )
)
#: Properties of the series' message that its instances never hold.
_NEVER: Final = frozenset(
    (
        pt.PR_MESSAGE_CLASS,
        pt.PR_ENTRYID,
        pt.PR_SOURCE_KEY,
        pt.PR_CHANGE_KEY,
        pt.PR_PREDECESSOR_CHANGE_LIST,
        pt.PR_SEARCH_KEY,
        pt.PR_RECORD_KEY,
        pt.PR_PARENT_SOURCE_KEY,
        pt.PR_CREATION_TIME,
        pt.PR_LAST_MODIFICATION_TIME,
        ids.RETAINED,
        ids.SIDE_EFFECTS,
        ids.IS_EXCEPTION,
    )
)


def read_overrides(
    content: MessageContent,
    series: Series,
    overrides: list[Component],
    span: Span,
    before: Event | None,
    zones: Zones,
    options: Options,
) -> tuple[Pattern, dict[str, Component]]:
    """The pattern with its changes, and the override of each modified instance by its key.

    The attachments of ``content`` are those of the modified instances afterwards, beside its own. Overrides of
    instances that do not exist are stale and ignored; two instances on one day are refused (ParseError).
    """
    if len(overrides) > MAX_OVERRIDES:
        raise ParseError(f"more than {MAX_OVERRIDES} modified instances")
    zone, pattern = span.zone or UTC_ZONE, series.pattern
    stored = {}
    if before is not None:
        stored = {each.instance.original // DAY: each for each in before.exceptions()}
    changed: dict[int, tuple[Instance, AttachmentContent, Component]] = {}
    deleted = set(pattern.deleted)
    for component in overrides:
        day = _original_day(component, zone, zones)
        if not falls_on(pattern, day) or (series.is_listed and day in pattern.deleted):
            continue
        canceled = (component.text("STATUS") or "").strip().upper() == "CANCELLED"
        if canceled and not series.only_instances:
            deleted.add(day)
            changed.pop(day, None)
            continue
        original = day + (pattern.start_offset or 0)
        old = stored.get(day // DAY)
        is_new = series.only_instances and old is None
        one = _modified(component, content, pattern, original, zone, old, zones, options, is_new=is_new)
        changed[day] = (*one, component)
    _refuse_collisions(pattern, deleted, {day: each[0] for day, each in changed.items()})
    own = [each for each in content.attachments if not is_exception(each)]
    ordered = sorted(changed.values(), key=lambda each: each[0].start)
    content.attachments = own + [attachment for _, attachment, _ in ordered]
    pattern = replace(
        pattern,
        deleted=tuple(sorted(deleted | changed.keys())),
        modified=tuple(instance for instance, _, _ in ordered),
    )
    return pattern, {str(day // DAY): component for day, (_, _, component) in changed.items()}


def _original_day(component: Component, zone: Zone, zones: Zones) -> int:
    line = component.first("RECURRENCE-ID")
    if line is None:
        raise ParseError("no RECURRENCE-ID")
    return rtime(zones.when(line).wall_in(zone)) // DAY * DAY


def _refuse_collisions(pattern: Pattern, deleted: set[int], changed: dict[int, Instance]) -> None:
    """Refuse two instances on a day: MAPI keeps them by their days (MS-OXOCAL 2.2.1.44.1)."""
    taken: set[int] = set()
    for day, instance in changed.items():
        new = instance.start // DAY * DAY
        free = new == day or new in changed or new in deleted or not falls_on(pattern, new)
        if new in taken or not free:
            raise ParseError(f"two instances of the series on {of_rtime(new):%Y-%m-%d} have no form in MAPI")
        taken.add(new)


def _modified(
    component: Component,
    master: MessageContent,
    pattern: Pattern,
    original: int,
    zone: Zone,
    stored: Exceptional | None,
    zones: Zones,
    options: Options,
    *,
    is_new: bool = False,
) -> tuple[Instance, AttachmentContent]:
    """One modified instance; ``is_new``: the series says nothing about it."""
    span = read_span(component, zones, options).to_minutes()
    length = max(pattern.end_offset - (pattern.start_offset or 0), 0)
    place = stored or Exceptional(Instance(original, original + length, original))
    effective = _copy(whole(master, place, zone))
    old = Span(of_rtime(place.instance.start), of_rtime(place.instance.end), zone, zone, span.all_day)
    before = Event(_copy(effective), old)
    read_fields(component, effective, span, None if is_new else before, zones, options)
    embedded = _embedded(effective, master, original, zone, stored)
    instance = instance_of(master, effective, span, original, zone)
    instance = replace(
        instance,
        attachment=True if embedded.attachments else None,
        body=bool(embedded.props.get(ids.EXCEPTIONAL_BODY)),
    )
    attachment = None
    if stored is not None and stored.attachment is not None:
        attachment = AttachmentContent(dict(stored.attachment.props), stored.attachment.data)
    return instance, exception_attachment(attachment, embedded, instance, zone)


def _copy(content: MessageContent) -> MessageContent:
    rows = [dict(row) for row in content.recipients]
    return MessageContent(dict(content.props), rows, list(content.attachments))


def _embedded(
    effective: MessageContent, master: MessageContent, original: int, zone: Zone, stored: Exceptional | None
) -> MessageContent:
    """The message of a modified instance: what it has before, and what differs from the series."""
    old = stored.attachment.embedded if stored is not None and stored.attachment is not None else None
    kept = dict(old.props) if old is not None else {}
    props: NamedProps = {}
    for key, value in effective.props.items():
        if key in kept and key in _NEVER:
            continue
        if key in _OWN or (key not in _NEVER and (key in kept or master.props.get(key) != value)):
            props[key] = value
    props = {**{key: value for key, value in kept.items() if key in effective.props or key in _NEVER}, **props}
    _set_body(props, effective, master, old)
    attendees = old is not None and bool(old.props.get(ids.EXCEPTIONAL_ATTENDEES))
    differ = _people(effective) != _people(master)
    props[ids.EXCEPTIONAL_ATTENDEES] = differ
    props[ids.REPLACE_TIME] = filetime(utc_of(of_rtime(original), zone))
    props[pt.PR_MESSAGE_CLASS] = ids.EXCEPTION_CLASS
    props[ids.RECURRING] = False
    props[ids.IS_EXCEPTION] = True
    write_ids(props, uid_of(master.props), InstanceDate(*civil(original // DAY)))
    rows = effective.recipients if differ or (attendees and old is not None) else []
    return MessageContent(props, rows, effective.attachments)


def _set_body(
    props: NamedProps, effective: MessageContent, master: MessageContent, old: MessageContent | None
) -> None:
    """Give the instance a body of its own only if its text differs, or it had one."""
    had = old is not None and bool(old.props.get(ids.EXCEPTIONAL_BODY))
    own = body_text(effective.props)
    differs = squeezed(own) != squeezed(body_text(master.props))
    for tag in _BODY:
        props.pop(tag, None)
    if differs or had:
        props |= {tag: effective.props[tag] for tag in _BODY if tag in effective.props}
    props[ids.EXCEPTIONAL_BODY] = differs or had


def _people(content: MessageContent) -> set[tuple[str, int, int]]:
    return {
        (
            address_of(row, RECIPIENT).lower(),
            number(row, pt.PR_RECIPIENT_TYPE) or 0,
            number(row, pt.PR_RECIPIENT_TRACKSTATUS) or 0,
        )
        for row in attending(content)
    }
