"""Sharers: the other users who let a user see something in their stores.

No server tells who they are; each store has to be looked into. A portion of a large directory is asked at a time, the
next one when somebody lists again. Whoever is named, or is an acquaintance, is looked at whatever the size of the
directory.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterable, Mapping
from math import inf
from typing import Final, Generic, TypeVar

from gateway.mailbox.acquaintances import Acquaintances
from gateway.mailbox.reading import overlapping
from gateway.mapi.errors import MapiError
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.directory import user_named
from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.wire.calls_directory import GetUserList

T = TypeVar("T")

#: How many users are looked at for one listing, and how many of them at a time.
PORTION: Final = 200
AHEAD: Final = 8
#: How long (seconds) what is known is good, what everybody shares at least that long, and longer the more there are.
KNOWN_AGE: Final = 600.0
AGE_PER_USER: Final = 20.0
#: How soon (seconds) the next portion is asked, and somebody named is looked at again.
PORTION_AGE: Final = 5.0
NAMED_AGE: Final = 10.0
#: So many names that clients asked for are remembered.
MAX_NAMED: Final = 1000
_NOBODY: Final = frozenset({"", "SYSTEM"})


class Sharers(Generic[T]):
    """Who shares something with a user, and what ``look`` found there.

    ``look`` opens a user's store by login name and returns what may be seen, None when that is nothing.
    """

    def __init__(
        self,
        session: Caller,
        user: str,
        look: Callable[[str], Awaitable[T | None]],
        acquaintances: Acquaintances,
        portion: int = PORTION,
    ) -> None:
        self._session = session
        self._ignored = _NOBODY | {user}
        self._look = look
        self._acquaintances = acquaintances
        self._portion = portion
        self._found: dict[str, T] = {}
        self._known: set[str] = set()
        self._remembered: set[str] | None = None
        self._named_at: dict[str, float] = {}
        self._last = ""
        self._next_at = self._next_round_at = -inf

    @property
    def found(self) -> Mapping[str, T]:
        """What may be seen, by login name."""
        return self._found

    async def ask(self, now: float) -> bool:
        """Look at those known and at the next portion of the directory when it is time; whether it was."""
        if now < self._next_at:
            return False
        portion = await self._portion_at(now) if self._last or now >= self._next_round_at else []
        logins = [*sorted(self._known - self._ignored - set(portion)), *portion]
        async for _ in overlapping(logins, self._see, AHEAD):
            pass
        await self._remember()
        self._next_at = now + (PORTION_AGE if self._last else KNOWN_AGE)
        return True

    async def look_for(self, login: str, now: float) -> bool:
        """Look at somebody who is named, unless that was done a moment ago; whether it was done now."""
        if login in self._ignored or now - self._named_at.get(login, -inf) <= NAMED_AGE:
            return False
        if len(self._named_at) >= MAX_NAMED:
            self._named_at.clear()
        if login in self._found or await self._is_login(login):
            await self._see(login)
            await self._remember()
        self._named_at[login] = now
        return True

    def stale(self, login: str) -> None:
        """Have somebody looked at again as soon as he is named."""
        self._named_at.pop(login, None)

    async def _is_login(self, name: str) -> bool:
        """Whether a user is called just so: servers may take other spellings too, and each would be another user."""
        try:
            return (await user_named(self._session, name)).username == name
        except MapiError:
            return False

    async def _portion_at(self, now: float) -> list[str]:
        """The portion of the directory behind the last one; acquaintances are in the first."""
        users = (await self._session.call(GetUserList())).users
        logins = sorted({user.username or "" for user in users} - self._ignored)
        begin = bisect_right(logins, self._last)
        portion = logins[begin : begin + self._portion]
        is_last = begin + self._portion >= len(logins) or not portion
        opened = await self._acquainted(logins) if not begin and len(portion) < len(logins) else set()
        self._last = "" if is_last else portion[-1]
        if is_last:
            self._next_round_at = now + max(KNOWN_AGE, AGE_PER_USER * len(logins))
        return sorted(opened | set(portion))

    async def _acquainted(self, logins: Iterable[str]) -> set[str]:
        self._remembered = set(await self._acquaintances.remembered())
        self._known |= self._remembered
        spelled = {login.lower(): login for login in logins}
        return {spelled.get(name.lower(), name) for name in await self._acquaintances.opened()} - self._ignored

    async def _remember(self) -> None:
        """Have those who were found by chance or by name found next time, where not everybody is asked at once."""
        if self._remembered is not None and self._remembered != self._known:
            self._remembered = set(self._known)
            await self._acquaintances.remember(self._remembered)

    async def _see(self, login: str) -> None:
        try:
            seen = await self._look(login)
        except MapiError:
            seen = None
        except TransportError:
            return  # on a server that cannot be reached now: what was known stays
        if seen is not None:
            self._found[login] = seen
            self._known.add(login)
        else:
            self._found.pop(login, None)
            self._known.discard(login)
