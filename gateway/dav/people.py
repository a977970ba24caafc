"""People: mail addresses of users, asked once for each and kept for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.convert.vcard.gal import gal_addresses
from gateway.mapi import proptags as pr
from gateway.mapi.errors import MapiError
from gateway.mapiclient import directory
from gateway.mapiclient.session import Session

_AGE: Final = 600.0
_MOST: Final = 10_000


class People:
    """Addresses and names of users by login name."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._known: dict[tuple[bytes, str], tuple[float, tuple[str, ...], str]] = {}

    async def addresses(self, session: Session, login: str) -> tuple[tuple[str, ...], str]:
        """All SMTP addresses of a user, the main one first, and his full name; nothing for a user unknown."""
        key = session.server_guid, login
        found = self._known.get(key)
        if found is None or self._seconds() - found[0] > _AGE:
            found = (self._seconds(), *await self._ask(session, login))
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = found
        return found[1], found[2]

    async def _ask(self, session: Session, login: str) -> tuple[tuple[str, ...], str]:
        try:
            person = await directory.user_named(session, login)
            props = await directory.details(session, person.user_entryid)
        except MapiError:
            return (), ""
        props.setdefault(pr.PR_SMTP_ADDRESS, person.mail_address)
        return tuple(gal_addresses(props)), person.full_name or ""
