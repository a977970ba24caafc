"""Collections that are told of in one answer, and what is asked of the store for all of them together."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.dav.places import Place
from gateway.dav.scope import RequestScope
from gateway.dav.tokens import Position


class Siblings:
    """Collections of one answer, their rows just read: where their change logs stand is asked for together."""

    def __init__(self, scope: RequestScope, places: Sequence[Place]) -> None:
        self._scope = scope
        self._places = places
        self._positions: dict[bytes, Position] | None = None

    def position(self, place: Place) -> Position | None:
        """Where the log of one of them stands; None when it cannot be seen."""
        if self._positions is None:
            scope = self._scope
            asked = [(scope.session_of(each), each) for each in self._places if each.home is not None]
            self._positions = scope.wait(lambda: scope.shared.listings.positions(asked))
        return self._positions.get(place.source_key)
