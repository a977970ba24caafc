"""Properties of single resources, for PROPFIND and for the reports that follow one resource to others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from radicale.app.propfind import xml_propfind_response
from radicale.item import Item
from radicale.storage import BaseCollection

from gateway.dav import liveprops
from gateway.dav.collection import Collection, StoredItem
from gateway.dav.rights import letters
from gateway.dav.scope import RequestScope

_D: Final = "{DAV:}"
#: Properties that all items of a collection have in common.
SHARED: Final = frozenset(
    f"{_D}{name}"
    for name in (
        "owner", "acl", "acl-restrictions", "inherited-acl-set", "current-user-privilege-set",
        "supported-privilege-set", "supported-report-set", "current-user-principal", "principal-collection-set",
    )
)  # fmt: skip


class Properties:
    """Tells properties. ``application`` is Radicale's, with the storage of the request."""

    def __init__(self, application: Any, scope: RequestScope, *, minimal: bool, largest: int) -> None:
        self.scope = scope
        self._application = application
        self._minimal = minimal
        self._largest = largest

    def resources(self, path: str, depth: str = "0") -> list[BaseCollection | Item]:
        """What lies at a path."""
        return list(self._application._storage.discover(path, depth))

    def at(self, path: str, tags: list[str]) -> ET.Element:
        """The response about what lies at a path; a status when nothing does."""
        found = self.resources(path)
        if found:
            return self.of(found[0], tags)
        response = ET.Element(f"{_D}response")
        ET.SubElement(response, f"{_D}href").text = quote(path)
        ET.SubElement(response, f"{_D}status").text = "HTTP/1.1 404 Not Found"
        return response

    def of(
        self,
        resource: BaseCollection | Item,
        tags: list[str],
        listing: str = "",
        included: Iterable[str] = (),
    ) -> ET.Element:
        """The response about one resource."""
        collection: Any = resource.collection if isinstance(resource, StoredItem) else resource
        rights = letters(collection.place) if isinstance(collection, Collection) else "R"
        # Radicale takes no names without a namespace.
        included = [*included, *(tag for tag in tags if not tag.startswith("{"))]
        tags = [tag for tag in tags if tag.startswith("{")]
        response: ET.Element = xml_propfind_response(
            self._application, "", f"/{collection.path}/", resource, tags, self.scope.user, "utf-8",
            self._largest, write="w" in rights, raw_permissions=rights, allprop=not tags and listing == "allprop",
        )  # fmt: skip
        around = ET.Element(f"{_D}multistatus")
        around.append(response)
        liveprops.complete(around, self.scope, minimal=self._minimal, listing=listing, included=included)
        return response

    def everything(self, resource: BaseCollection | Item, included: Iterable[str]) -> ET.Element:
        """The response about one resource to a client that asks for all properties, and some more (RFC 4918 9.1)."""
        return self.of(resource, [], "allprop", included)

    def shared(self, collection: Collection, tags: list[str]) -> dict[str, str]:
        """The properties among these that are the same for every item of a collection, as text by tag."""
        wanted = [tag for tag in tags if tag in SHARED]
        entry = next(iter(collection.entries), None) if wanted else None
        if entry is None:
            return {}
        response = self.of(StoredItem(collection, entry), wanted)
        return {
            element.tag: ET.tostring(element, "unicode")
            for propstat in response.iterfind(f"{_D}propstat")
            if " 200 " in (propstat.findtext(f"{_D}status") or "")
            for element in propstat.iterfind(f"{_D}prop/*")
        }
