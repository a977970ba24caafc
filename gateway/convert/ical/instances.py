"""Several instances of a series whose owner does not have the series: he was invited to these only (RFC 4791 4.1).

MAPI keeps one item for a UID here. So they become a series of nothing but these days, of which each is modified;
MAPI clients show every one of them at its time.
"""

from __future__ import annotations

from datetime import timedelta

from gateway.convert.errors import ParseError
from gateway.convert.ical.civil import DAY
from gateway.convert.ical.finite import listing
from gateway.convert.ical.moments import ONE_DAY, When, Zones, rtime
from gateway.convert.ical.options import Options
from gateway.convert.ical.rruleparts import Unrepresentable
from gateway.convert.ical.series import Series
from gateway.convert.ical.spans import Span, read_span
from gateway.convert.ical.timezones import UTC_ZONE
from gateway.convert.lines import Component


def original_time(component: Component, zones: Zones) -> When:
    """RECURRENCE-ID (ParseError when there is none)."""
    line = component.first("RECURRENCE-ID")
    if line is None:
        raise ParseError("no RECURRENCE-ID")
    return zones.when(line)


def first_instance(components: list[Component], zones: Zones) -> Component:
    """The instance that the series has first."""
    return min(components, key=lambda each: original_time(each, zones).utc)


def series_of_instances(components: list[Component], zones: Zones, options: Options) -> tuple[Series, Span]:
    """The series of nothing but these instances, and the times of its first.

    Raises `Unrepresentable` when the series had them at different times of the day.
    """
    first = first_instance(components, zones)
    own, place = read_span(first, zones, options).to_minutes(), original_time(first, zones)
    all_day = place.is_date
    zone = options.zone if all_day else own.zone or UTC_ZONE if place.zone.name == "UTC" else place.zone
    starts = [original_time(each, zones).wall_in(zone).replace(second=0) for each in components]
    if all_day:
        starts = [each.replace(hour=0, minute=0) for each in starts]
    if len({each.time() for each in starts}) > 1:
        raise Unrepresentable("instances of a series at different times of the day have no form in MAPI")
    start, length = min(starts), own.end_in_zone - own.start
    if all_day:
        length = max(timedelta(days=length.days), ONE_DAY)
    span = Span(start, start + length, zone, zone, all_day)
    days = {rtime(each) // DAY * DAY for each in starts}
    offset = rtime(start) % DAY
    pattern = listing(days, offset, offset + rtime(span.end) - rtime(start))
    return Series(pattern, dates=tuple(sorted(days)), only_instances=True), span
