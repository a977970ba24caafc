"""What collections lie in, as Radicale sees it: the root, principals, and groups of those who act for somebody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from radicale.item import Item
from radicale.storage import BaseCollection


class Principal(BaseCollection):
    """The root, or a principal: a user, the public folders, the address book."""

    def __init__(self, path: str) -> None:
        self._path = path

    @property
    def path(self) -> str:
        """The path without slashes around it."""
        return self._path

    @property
    def etag(self) -> str:
        """Never the same: what lies below is not part of it."""
        return '"principal"'

    @property
    def last_modified(self) -> str:
        """Unknown."""
        return ""

    def get_meta(self, key: str | None = None) -> Any:
        """Its name."""
        meta = {"D:displayname": self._path} if self._path else {}
        return meta if key is None else meta.get(key)

    def get_all(self) -> Iterable[Item]:
        """Nothing but collections lies in it."""
        return ()


class ProxyGroup(Principal):
    """A group of those who act for somebody: a principal below his own."""

    @property
    def is_principal(self) -> bool:
        """It is one, although its path has two parts."""
        return True
