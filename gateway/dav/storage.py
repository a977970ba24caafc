"""The storage that Radicale is given: paths, and what lies there, for the user of one request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from radicale.item import Item
from radicale.storage import BaseCollection, BaseStorage

from gateway.dav import hrefs
from gateway.dav.collection import Collection, StoredItem
from gateway.dav.principalpaths import Principal, ProxyGroup
from gateway.dav.scope import RequestScope
from gateway.dav.siblings import Siblings

#: What PROPFIND tells of a place must not be older than the request.
_NOW = 0.0


class Storage(BaseStorage):
    """The store, as one request sees it."""

    _is_collision_free = True
    _supports_unicode = True
    _supports_trailing_whitespace = True
    _supports_problematic_chars = True

    def __init__(self, scope: RequestScope) -> None:
        self._scope = scope

    def discover(
        self,
        path: str,
        depth: str = "0",
        child_context_manager: Callable[..., Any] | None = None,
        user_groups: Iterable[str] = (),
    ) -> Iterator[BaseCollection | Item]:
        """What lies at a path, and unless ``depth`` is "0" directly below it."""
        parts = hrefs.split_path(path)
        if len(parts) == 2 and parts[1] in hrefs.PROXIES:
            if self._scope.is_principal(parts[0]):
                yield ProxyGroup("/".join(parts))
        elif len(parts) > 1:
            yield from self._at_place(parts, depth)
        elif not parts or self._scope.is_principal(parts[0]):
            yield Principal("/".join(parts))
            if depth != "0":
                yield from self._below(parts)

    def _below(self, parts: list[str]) -> Iterator[BaseCollection]:
        if not parts:
            yield from (Principal(name) for name in self._scope.principals())
            return
        places = [*self._scope.places(parts[0], _NOW), *self._scope.mailboxes(parts[0]).values()]
        siblings = Siblings(self._scope, places)
        for place in places:
            yield Collection(self._scope, parts[0], place, siblings)

    def _at_place(self, parts: list[str], depth: str) -> Iterator[BaseCollection | Item]:
        collection = self.collection(parts[0], parts[1])
        if collection is None or len(parts) > 3:
            return
        if len(parts) == 3:
            item = collection.item(parts[2])
            if item is not None:
                yield item
            return
        yield collection
        if depth != "0":
            for entry in collection.entries:
                yield StoredItem(collection, entry)

    def collection(self, principal: str, name: str) -> Collection | None:
        """The collection of a name that a principal has and the user may see."""
        place = self._scope.place(principal, name)
        return Collection(self._scope, principal, place) if place else None

    @contextmanager
    def acquire_lock(self, mode: str, user: str = "", *args: Any, **kwargs: Any) -> Iterator[None]:
        """Nothing is locked: each call to the store is a transaction."""
        yield

    def verify(self) -> bool:
        """The store looks after itself."""
        return True
