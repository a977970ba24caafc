"""Principals: searching users, and properties of what properties point to (RFC 3744 9, RFC 3253 3.8)."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from gateway.dav import multistatus
from gateway.dav.scope import RequestScope
from gateway.mapi import proptags as pr
from gateway.mapi.props import Props
from gateway.mapiclient import directory
from gateway.mapiclient.table import rows_of

_D: Final = "{DAV:}"
_C: Final = "{urn:ietf:params:xml:ns:caldav}"
_CS: Final = "{http://calendarserver.org/ns/}"
SEARCH: Final = f"{_D}principal-property-search"
SEARCH_PROPS: Final = f"{_D}principal-search-property-set"
_MOST: Final = 100
_SEARCHABLE: Final = (f"{_D}displayname", f"{_C}calendar-user-address-set")


def report(scope: RequestScope, root: ET.Element, path: str) -> bytes | None:
    """The answer of a report on principals, None for any other report."""
    if root.tag == SEARCH_PROPS:
        return _search_props()
    if root.tag == SEARCH:
        return _search(scope, root)
    return None


def _search_props() -> bytes:
    parts = [
        f"<principal-search-property><prop>{multistatus.element(tag)}</prop></principal-search-property>"
        for tag in _SEARCHABLE
    ]
    return f'<?xml version="1.0" encoding="utf-8"?>\n<principal-search-property-set xmlns="DAV:">{"".join(parts)}</principal-search-property-set>\n'.encode()


def _search(scope: RequestScope, root: ET.Element) -> bytes:
    """Users whose name or address begins with a text: what clients offer while somebody types an attendee's name."""
    texts = {(each.text or "").strip().removeprefix("mailto:") for each in root.iter(f"{_D}match")} - {""}
    prop = root.find(f"{_D}prop")
    tags = [each.tag for each in prop] if prop is not None else [f"{_D}displayname"]
    found: dict[str, Props] = {}
    for text in sorted(texts)[:4]:
        for props in scope.wait(lambda text=text: rows_of(directory.search(scope.session, text))):  # type: ignore[misc]
            login = props.get(pr.PR_ACCOUNT)
            if login:
                found.setdefault(login, props)
    return multistatus.document(_response(login, props, tags) for login, props in list(found.items())[:_MOST])


def _response(login: str, props: Props, tags: list[str]) -> str:
    path = quote(f"/{login}/")
    address = props.get(pr.PR_SMTP_ADDRESS) or ""
    values = {
        f"{_D}displayname": multistatus.xml_text(props.get(pr.PR_DISPLAY_NAME) or login),
        f"{_D}principal-URL": f"<href>{path}</href>",
        f"{_D}resourcetype": "<principal/><collection/>",
        f"{_C}calendar-user-address-set": f"<href>mailto:{multistatus.xml_text(address)}</href><href>{path}</href>",
        f"{_C}calendar-user-type": "INDIVIDUAL",
        f"{_CS}email-address-set": f'<email-address xmlns="http://calendarserver.org/ns/">{multistatus.xml_text(address)}</email-address>',
    }
    present = "".join(_filled(tag, values[tag]) for tag in tags if tag in values)
    missing = "".join(multistatus.element(tag) for tag in tags if tag not in values)
    found = f"<propstat><prop>{present}</prop><status>HTTP/1.1 200 OK</status></propstat>" if present else ""
    lost = (
        f"<propstat><prop>{missing}</prop><status>HTTP/1.1 404 Not Found</status></propstat>" if missing else ""
    )
    return f"<response><href>{path}</href>{found}{lost}</response>"


def _filled(tag: str, inner: str) -> str:
    empty = multistatus.element(tag)
    name = empty[1:-2].split(" ")[0]
    if not tag.startswith(_D):
        # Elements inside are DAV's own.
        inner = inner.replace("<href>", '<href xmlns="DAV:">')
    return f"{empty[:-2]}>{inner}</{name}>"
