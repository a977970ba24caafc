"""What lies at a path, as properties ask: a principal, a proxy group, a collection or an item."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from xml.etree import ElementTree as ET

from gateway.dav import hrefs
from gateway.dav.people import Person
from gateway.dav.places import Place
from gateway.dav.scope import RequestScope

_D = "{DAV:}"


@dataclass(frozen=True)
class Resource:
    """One resource of a request."""

    scope: RequestScope
    parts: list[str]

    @cached_property
    def place(self) -> Place | None:
        """The collection that it is, or lies in."""
        if len(self.parts) < 2 or self.is_proxy:
            return None
        return self.scope.place(self.parts[0], self.parts[1])

    @cached_property
    def person(self) -> Person | None:
        """The user or group whose principal it is."""
        if len(self.parts) != 1 or self.parts[0] in (hrefs.PUBLIC, hrefs.DIRECTORY):
            return None
        return self.scope.person(self.parts[0])

    @property
    def is_user(self) -> bool:
        """Whether it is the principal of a user."""
        return self.person is not None and not self.person.is_group

    @property
    def is_own(self) -> bool:
        """Whether it is the principal of the session's user."""
        return self.parts == [self.scope.user]

    @property
    def is_proxy(self) -> bool:
        """Whether it is a group of those who act for somebody."""
        return len(self.parts) == 2 and self.parts[1] in hrefs.PROXIES

    @property
    def is_collection(self) -> bool:
        """Whether it is a calendar or address book."""
        return len(self.parts) == 2 and self.place is not None


def put_href(parent: ET.Element, path: str) -> None:
    """Add an href."""
    ET.SubElement(parent, f"{_D}href").text = path


def put_principals(parent: ET.Element, names: Iterable[str]) -> None:
    """Add the hrefs of principals."""
    for name in names:
        put_href(parent, hrefs.principal_path(name))
