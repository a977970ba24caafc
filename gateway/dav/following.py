"""Reports that follow properties to principals: expand-property, principal-match, acl-principal-prop-set.

RFC 3253 3.8, RFC 3744 9.2 and 9.3. Clients read their home and the people they act for in one request with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from gateway.dav import acl, hrefs
from gateway.dav.errors import BadRequest, Refused
from gateway.dav.resource import Resource
from gateway.dav.telling import Properties

_D: Final = "{DAV:}"
#: Names of elements (NCName of XML), those of rare letters left out.
_NAME: Final = re.compile(r"[^\W\d][\w.-]*")
EXPAND: Final = f"{_D}expand-property"
MATCH: Final = f"{_D}principal-match"
IN_ACL: Final = f"{_D}acl-principal-prop-set"
#: Resources that one report tells of.
_MOST: Final = 1000


class Expansion:
    """An expand-property report."""

    def __init__(self, properties: Properties) -> None:
        self._properties = properties
        self._left = _MOST

    def at(self, path: str, wanted: ET.Element) -> ET.Element:
        """The response about a path; ``wanted`` has property elements (Refused when it leads to too many)."""
        self._left -= 1
        if self._left < 0:
            raise Refused(507, "D:number-of-matches-within-limits", "the properties lead to too many resources")
        names = {_tag(each): each for each in wanted.iterfind(f"{_D}property")}
        response = self._properties.at(path, list(names))
        for propstat in response.iterfind(f"{_D}propstat"):
            for element in propstat.iterfind(f"{_D}prop/*"):
                inner = names.get(element.tag)
                if inner is not None and len(inner):
                    self._replace(element, inner)
        return response

    def _replace(self, element: ET.Element, wanted: ET.Element) -> None:
        """Put the resources that a property names in the place of their hrefs."""
        for number, child in enumerate(list(element)):
            address = (child.text or "").strip()
            if child.tag != f"{_D}href":
                self._replace(child, wanted)
            elif address.startswith(("/", "http://", "https://")):
                element[number] = self.at(hrefs.path_of(address), wanted)


def _tag(element: ET.Element) -> str:
    name = element.get("name", "")
    if not _NAME.fullmatch(name):
        raise BadRequest("a property has a name that is one of XML")
    namespace = element.get("namespace", "DAV:")
    return f"{{{namespace}}}{name}" if namespace else name


def expand(properties: Properties, root: ET.Element, path: str) -> ET.Element:
    """expand-property."""
    return _multistatus([Expansion(properties).at(path, root)])


def match(properties: Properties, root: ET.Element, path: str) -> ET.Element:
    """principal-match: which principals are the user, or which resources name him in a property."""
    scope, tags = properties.scope, _tags(root)
    parts = hrefs.split_path(path)
    if root.find(f"{_D}self") is not None:
        names = _of_user(properties) if not parts else [scope.user] if parts == [scope.user] else []
        return _multistatus(properties.at(f"/{name}/", tags) for name in names)
    wanted = [each.tag for each in root.iterfind(f"{_D}principal-property/*")]
    if len(wanted) != 1:
        raise BadRequest("a principal-match asks for itself or for one property")
    found = []
    for resource in properties.resources(path, "1" if len(parts) < 2 else "0"):
        told = properties.of(resource, wanted)
        values = {unquote(each.text or "") for each in told.iterfind(f"{_D}propstat/{_D}prop/*/{_D}href")}
        if f"/{scope.user}/" in values:
            found.append(properties.of(resource, tags))
    return _multistatus(found)


def _of_user(properties: Properties) -> list[str]:
    """The user's principals: his own, and the groups he is in."""
    scope = properties.scope
    person = scope.person(scope.user)
    groups = scope.wait(lambda: scope.shared.people.groups_of(scope.session, person)) if person else []
    return [scope.user, *(each.principal for each in groups)]


def in_list(properties: Properties, root: ET.Element, path: str) -> ET.Element:
    """acl-principal-prop-set: properties of everybody whom the access control list names."""
    scope = properties.scope
    place = Resource(scope, hrefs.split_path(path)).place
    if place is None or not properties.resources(path):
        raise Refused(403, "D:supported-report")
    if not acl.may_see(place):
        raise Refused(403, "D:need-privileges", "only its owner sees who may do what")
    found = scope.wait(lambda: acl.grants(scope, place))
    names = dict.fromkeys([place.owner, *(each.person.principal for each in found if each.person is not None)])
    return _multistatus(properties.at(f"/{name}/", _tags(root)) for name in names)


def _tags(root: ET.Element) -> list[str]:
    return [each.tag for each in root.iterfind(f"{_D}prop/*")]


def _multistatus(responses: Iterable[ET.Element]) -> ET.Element:
    found = ET.Element(f"{_D}multistatus")
    found.extend(responses)
    return found


#: Report to what answers it.
REPORTS: Final = {EXPAND: expand, MATCH: match, IN_ACL: in_list}
