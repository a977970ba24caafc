"""How full the user's store is (RFC 4331)."""

from __future__ import annotations

from gateway.dav.scope import RequestScope
from gateway.mapi.errors import MapiError
from gateway.mapiclient import directory


def used_and_free(scope: RequestScope) -> tuple[int, int | None]:
    """Bytes that the user's store has, and bytes that may still come; None without a limit (MapiError)."""
    if scope.quota is None:
        scope.quota = scope.wait(lambda: _ask(scope))
    return scope.quota


async def _ask(scope: RequestScope) -> tuple[int, int | None]:
    person = await scope.shared.people.person(scope.session, scope.user)
    if person is None:
        raise MapiError(call="GetQuota")
    state = await directory.quota(scope.session, person.entryid)
    return state.size, max(state.hard - state.size, 0) if state.hard else None
