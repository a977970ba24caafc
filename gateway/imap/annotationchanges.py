"""Which annotations somebody changed: METADATA responses without values (RFC 5464 4.4.2; RFC 5465 5.6, 5.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from gateway.imap.codec import write_mailbox as w
from gateway.imap.connection import User
from gateway.mailbox.tree import Mailbox

SERVER: Final = b""


class AnnotationChanges:
    """The annotations one client knows of, by entry id of the mailbox; `SERVER` are those of the server."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._known: dict[bytes, dict[str, bytes]] | None = None

    def mine(self, mailbox: Mailbox | None, entries: Mapping[str, bytes | None]) -> None:
        """The client itself changed these: it need not be told."""
        if self._known is None:
            return
        known = self._known.setdefault(SERVER if mailbox is None else mailbox.entryid, {})
        for name, value in entries.items():
            if value is None:
                known.pop(name, None)
            else:
                known[name] = value

    async def look(self, mailboxes: Iterable[Mailbox], *, server: bool) -> bytes:
        """What changed since the last look, rendered; it counts as told. The first look tells nothing."""
        wanted = list(mailboxes)
        found = await self._user.account.all_annotations(wanted)
        known, self._known = self._known, found
        if known is None:
            return b""
        utf8 = self._user.connection.utf8
        parts = [
            w.metadata_changed(mailbox.name, changed, utf8=utf8)
            for mailbox in wanted
            if (changed := _changed(known.get(mailbox.entryid, {}), found[mailbox.entryid]))
        ]
        if server and (changed := _changed(known.get(SERVER, {}), found[SERVER])):
            parts.append(w.metadata_changed("", changed, utf8=utf8))
        return b"".join(parts)


def _changed(before: Mapping[str, bytes], now: Mapping[str, bytes]) -> list[str]:
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
