"""Rights: what MAPI's rights mean in Radicale's letters. They only spare vain calls; the store decides."""

from __future__ import annotations

from radicale.rights import BaseRights

from gateway.dav import hrefs
from gateway.dav.places import Place
from gateway.dav.scope import RequestScope

_NOTHING = ""


class Rights(BaseRights):
    """The rights of the user of one request."""

    def __init__(self, scope: RequestScope) -> None:
        self._scope = scope

    def authorization(self, user: str, user_groups: set[str], path: str) -> str:
        """The letters of a path: "R" for principals, "r" and "w" for collections and new ones in one's own home."""
        parts = hrefs.split_path(path)
        if len(parts) < 2:
            return "R"  # whether there is such a principal the storage says
        if len(parts) > 2:
            return _NOTHING  # an item has the rights of its collection
        if parts[1] in hrefs.PROXIES:
            return "R"
        place = self._scope.place(*parts)
        if place is None:
            return "RrWw" if parts[0] == user else _NOTHING
        return letters(place)


def letters(place: Place) -> str:
    """Radicale's letters for a collection; "l" keeps its properties from being changed."""
    found = "r" if place.readable else "f" if place.kind.is_calendar else ""
    if place.writable or place.is_owned:
        found += "w"
    if not place.is_owned:
        found += "dl"
    return found
