"""Properties that Radicale does not know or tells otherwise, put into its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final
from urllib.parse import quote, unquote
from xml.etree import ElementTree as ET

from gateway.dav import aclprops, collectionprops, hrefs, principalprops, properties, xmlbody
from gateway.dav.principalprops import FOUND, MISSING
from gateway.dav.push import liveproperties as pushed
from gateway.dav.resource import Resource
from gateway.dav.scheduling import liveproperties
from gateway.dav.scope import RequestScope

_D: Final = "{DAV:}"
_C: Final = "{urn:ietf:params:xml:ns:caldav}"
_CR: Final = "{urn:ietf:params:xml:ns:carddav}"
_CS: Final = "{http://calendarserver.org/ns/}"
_LENGTH: Final = f"{_D}getcontentlength"
_MODIFIED: Final = f"{_D}getlastmodified"
_RADICALE: Final = "{http://radicale.org/ns/}"
_STATUS: Final = {200: "HTTP/1.1 200 OK", 403: "HTTP/1.1 403 Forbidden", 404: "HTTP/1.1 404 Not Found"}
_OK: Final = _STATUS[200]
#: Fills an emptied element: its status, None to leave it as Radicale has it.
Fill = Callable[[Resource, ET.Element], "int | None"]
#: Tag to what fills it.
_OWN: Final[dict[str, Fill]] = {
    f"{_C}calendar-user-address-set": principalprops.addresses,
    f"{_CS}email-address-set": principalprops.mail_addresses,
    f"{_C}calendar-home-set": principalprops.home,
    f"{_CR}addressbook-home-set": principalprops.home,
    f"{_CR}directory-gateway": principalprops.directory_gateway,
    f"{_D}principal-URL": principalprops.itself,
    f"{_D}group-membership": principalprops.membership,
    f"{_D}group-member-set": principalprops.members,
    f"{_D}alternate-URI-set": principalprops.empty,
    f"{_C}calendar-user-type": principalprops.user_type,
    f"{_CS}calendar-proxy-read-for": principalprops.reads_for,
    f"{_CS}calendar-proxy-write-for": principalprops.writes_for,
    f"{_D}displayname": principalprops.display_name,
    f"{_D}resourcetype": principalprops.resource_type,
    f"{_D}current-user-privilege-set": aclprops.current,
    f"{_D}supported-privilege-set": aclprops.supported,
    f"{_D}acl": aclprops.access_list,
    f"{_D}acl-restrictions": aclprops.restrictions,
    f"{_D}inherited-acl-set": aclprops.inherited,
    f"{_D}quota-used-bytes": aclprops.used,
    f"{_D}quota-available-bytes": aclprops.available,
    f"{_C}managed-attachments-server-URL": principalprops.empty,
    **collectionprops.FILL,
    **pushed.FILL,
}


def _scheduling_first(tag: str) -> Fill:
    """What scheduling knows of a property goes before what is told of every resource."""
    first, other = liveproperties.FILL[tag], _OWN.get(tag)

    def fill(resource: Resource, element: ET.Element) -> int | None:
        if first(resource.scope, resource.parts, element):
            return FOUND
        return other(resource, element) if other is not None else None

    return fill


_FILL: Final[dict[str, Fill]] = _OWN | {tag: _scheduling_first(tag) for tag in liveproperties.FILL}


#: Properties that are told by what a resource is, whatever a client says.
FILLED: Final = frozenset(_FILL)


def complete(
    multistatus: ET.Element,
    scope: RequestScope,
    *,
    minimal: bool,
    listing: str = "",
    included: Iterable[str] = (),
) -> None:
    """Fill in a multistatus that Radicale made; with ``minimal`` leave out what is missing (RFC 8144 2.1).

    ``listing`` is "allprop" or "propname" for a PROPFIND that asks what there is (RFC 4918 9.1), ``included`` what it
    asks for besides.
    """
    for response in multistatus.iterfind(f"{_D}response"):
        resource = Resource(scope, hrefs.split_path(unquote(response.findtext(f"{_D}href") or "")))
        _name_item(response, resource.parts)
        if listing:
            _list_kept(response, resource)
        _ask_for(response, included)
        for propstat in list(response.iterfind(f"{_D}propstat")) if listing != "propname" else ():
            _complete(response, propstat, resource)
        for propstat in list(_superfluous(response, minimal=minimal)):
            response.remove(propstat)
        if minimal and response.find(f"{_D}propstat") is None and response.find(f"{_D}status") is None:
            _group(response, FOUND)
        _put_found_first(response)


def _name_item(response: ET.Element, parts: list[str]) -> None:
    """An item has the same href as in reports; Radicale's differs in what is quoted."""
    href = response.find(f"{_D}href")
    if href is not None and len(parts) == 3:
        href.text = hrefs.item_path(quote(f"/{parts[0]}/{parts[1]}/"), parts[2])


def _ask_for(response: ET.Element, included: Iterable[str]) -> None:
    """Properties that are asked for besides all others (RFC 4918 14.8): missing, unless they are filled in."""
    there = {element.tag for element in response.iterfind(f"{_D}propstat/{_D}prop/*")}
    if wanted := [tag for tag in included if tag not in there]:
        _group(response, MISSING).extend(map(_named, wanted))


def _named(tag: str) -> ET.Element:
    """An empty property; answers have DAV: as their default namespace, and some properties are in none."""
    return ET.Element(tag, {} if tag.startswith("{") else {"xmlns": ""})


def _put_found_first(response: ET.Element) -> None:
    """Some clients look at the first propstat only."""
    found = next(
        (each for each in response.iterfind(f"{_D}propstat") if each.findtext(f"{_D}status") == _OK), None
    )
    if found is not None:
        response.remove(found)
        response.insert(1, found)


def _complete(response: ET.Element, propstat: ET.Element, resource: Resource) -> None:
    prop = propstat.find(f"{_D}prop")
    if prop is None:
        return
    for element in list(prop):
        fill, filled = _FILL.get(element.tag), ET.Element(element.tag)
        status = fill(resource, filled) if fill is not None else None
        if element.tag == _MODIFIED and not element.text:
            status = MISSING
        if status is None:
            tree = _tree(resource, element.tag)
            if tree is not None:
                prop.remove(element)
                _group(response, FOUND).append(tree)
            continue
        prop.remove(element)
        _group(response, status).append(filled if status == FOUND else ET.Element(element.tag))


def _list_kept(response: ET.Element, resource: Resource) -> None:
    """Put the names of the properties that clients keep as XML beside the others, and take Radicale's own away."""
    prop = _group(response, FOUND)
    for element in list(prop):
        if element.tag.startswith(_RADICALE) or (element.tag == _LENGTH and resource.is_collection):
            prop.remove(element)
    there = {element.tag for element in prop}
    if resource.is_collection and resource.place is not None:
        kept = [key.removeprefix(properties.tree_key("")) for key in properties.trees_of(resource.place)]
        prop.extend(_named(tag) for tag in kept if tag not in there)


def _tree(resource: Resource, tag: str) -> ET.Element | None:
    """A property whose value a client gave as XML."""
    place = resource.place if resource.is_collection else None
    text = place.stored.get(properties.tree_key(tag)) if place is not None else None
    tree = xmlbody.parse(text.encode()) if text else None
    for element in tree.iter() if tree is not None else ():
        if not element.tag.startswith("{"):
            element.set("xmlns", "")  # answers have DAV: as their default namespace
    return tree


def _group(response: ET.Element, status: int) -> ET.Element:
    """The properties of a status, made when there were none."""
    for propstat in response.iterfind(f"{_D}propstat"):
        prop = propstat.find(f"{_D}prop")
        if propstat.findtext(f"{_D}status") == _STATUS[status] and prop is not None:
            return prop
    propstat = ET.Element(f"{_D}propstat")
    prop = ET.SubElement(propstat, f"{_D}prop")
    ET.SubElement(propstat, f"{_D}status").text = _STATUS[status]
    if status == FOUND:
        response.insert(1, propstat)
    else:
        response.append(propstat)
    return prop


def _superfluous(response: ET.Element, *, minimal: bool) -> Iterator[ET.Element]:
    """Empty groups, and for a client that wants little what is missing."""
    propstats = list(response.iterfind(f"{_D}propstat"))
    for propstat in propstats:
        prop = propstat.find(f"{_D}prop")
        status = propstat.findtext(f"{_D}status")
        if ((prop is None or len(prop) == 0) and len(propstats) > 1) or (minimal and status == _STATUS[404]):
            yield propstat
