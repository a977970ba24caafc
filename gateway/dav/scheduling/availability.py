"""calendar-availability of the scheduling Inbox: the user's working hours (RFC 7953 7.2).

The web client's settings hold the hours, a property of the store beside them the text as the client wrote it.
"""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

from gateway.convert.errors import ParseError
from gateway.convert.ical import availability_of, with_hours, working_hours_of
from gateway.convert.ical.timezones import Zone
from gateway.mapi import proptags as pr
from gateway.mapi.errors import NotFound
from gateway.mapi.propnames import PSETID_Gateway
from gateway.mapi.props import PT_UNICODE, NamedProps, NamedTag, PropKey, PropName
from gateway.mapiclient.message import load_prop
from gateway.mapiclient.names import Names
from gateway.mapiclient.store import Store

KEPT: Final = NamedTag(PropName(PSETID_Gateway, "calendar-availability"), PT_UNICODE)
#: The standard's name, and the one that Apple's programs use.
PROPERTIES: Final = frozenset(
    (
        "{urn:ietf:params:xml:ns:caldav}calendar-availability",
        "{http://calendarserver.org/ns/}calendar-availability",
    )
)


async def read(store: Store, zone: Zone) -> str | None:
    """The availability of a store's owner, None when he never set working hours."""
    settings, kept = [await _text(store, key) for key in (pr.PR_EC_WEBACCESS_SETTINGS_JSON, KEPT)]
    found = availability_of(settings, kept.encode("utf-8", "replace"), zone)
    return None if found is None else found.decode("utf-8")


async def _text(store: Store, key: PropKey) -> str:
    (tag,) = await Names(store.session).tags([key], create=False)
    if not tag:
        return ""
    try:
        value = await load_prop(store.session, store.entryid, tag)
    except NotFound:
        return ""
    return value if isinstance(value, str) else ""


async def write(store: Store, element: ET.Element | None, zone: Zone) -> str:
    """Take over a client's availability, or that there is none; the precondition that it breaks, else nothing."""
    text = (element.text or "").strip() if element is not None else ""
    try:
        hours = working_hours_of(text.encode("utf-8", "replace"), zone) if element is not None else None
        settings = with_hours(await _text(store, pr.PR_EC_WEBACCESS_SETTINGS_JSON), hours)
    except ParseError:
        return "C:valid-calendar-data"
    props: NamedProps = {pr.PR_EC_WEBACCESS_SETTINGS_JSON: settings, KEPT: text}
    await store.set_props(props)
    return ""
