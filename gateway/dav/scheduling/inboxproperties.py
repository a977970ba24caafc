"""What a user says of himself with properties of his scheduling Inbox: working hours, the calendar for invitations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from gateway.convert.errors import ParseError
from gateway.dav.places import Place
from gateway.dav.scheduling import availability, defaultcalendar
from gateway.mapi.props import NamedProps
from gateway.mapiclient.store import Store

if TYPE_CHECKING:
    from gateway.dav.scope import RequestScope

#: They are set on the Inbox only.
PROPERTIES: Final = availability.PROPERTIES | {defaultcalendar.PROPERTY}


def patch(scope: RequestScope, store: Store, changes: Mapping[str, ET.Element | None]) -> dict[str, str]:
    """Make changes of `PROPERTIES`, all or none; the preconditions that they break, by tag."""
    broken: dict[str, str] = {}
    props: NamedProps = {}
    hours = [tag for tag in changes if tag in availability.PROPERTIES]
    calendar: Place | None = None
    try:
        calendar = defaultcalendar.wanted(scope, changes.get(defaultcalendar.PROPERTY))
    except LookupError:
        broken[defaultcalendar.PROPERTY] = "C:valid-schedule-default-calendar-URL"
    try:
        if hours:  # two names of one property: the last word counts
            element = changes[hours[-1]]
            props |= scope.wait(lambda: availability.changes(store, element, scope.shared.zone))
    except ParseError:
        broken |= dict.fromkeys(hours, "C:valid-calendar-data")
    if broken:
        return broken
    if defaultcalendar.PROPERTY in changes:
        props |= _chosen(scope, calendar)
    if props:
        scope.wait(lambda: store.set_props(props))
    return {}


def _chosen(scope: RequestScope, calendar: Place | None) -> NamedProps:
    if calendar is not None:
        scope.wait(lambda: defaultcalendar.keep_busy(scope, calendar))
        scope.stale()
        scope.calendar_changed()
    return defaultcalendar.changes(calendar)
