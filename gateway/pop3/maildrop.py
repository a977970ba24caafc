"""A maildrop: one folder as a POP3 session sees it, frozen at login (RFC 1939 section 4).

Messages have numbers from 1; which of them the client deleted is remembered here and happens in the store only when the session ends
with QUIT, in one call. Sizes are the octets that RETR sends, without the stuffed dots and the end: a mail whose last line has no
end gets one (RFC 1939 section 3) and counts two more than IMAP says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, TypeVar

from gateway.mailbox.source import Source
from gateway.mailbox.tree import Mailbox
from gateway.mailbox.view import View
from gateway.mapi.propnames import NO_FINAL_LINE_END
from gateway.mapi.restrictions import Exist
from gateway.mapiclient.names import Names
from gateway.pop3.errors import NoSuchMessage
from gateway.pop3.options import Options
from gateway.pop3.readahead import ReadAhead

if TYPE_CHECKING:
    from gateway.mailbox.account import Account

T = TypeVar("T")

_AHEAD: Final = 16
"""How many messages are loaded together when a client reads one after the other ..."""
_AHEAD_BYTES: Final = 1 << 20
"""... and how many octets they may have."""


class Maildrop:
    """The messages of one session; open with `Maildrop.open`, end with `close`."""

    def __init__(self, account: Account, mailbox: Mailbox, view: View, options: Options) -> None:
        self.account = account
        self.mailbox = mailbox
        self._view = view
        self._options = options
        self._uids = view.uids if len(view.uids) <= options.max_messages else view.uids[: options.max_messages]
        rows = view.rows
        kopano = options.uidl == "kopano"
        self._entryids = [rows.entryid(index) for index in range(len(self._uids))] if kopano else []
        self._sizes: list[int] | None = None
        self._deleted: set[int] = set()
        self._read: set[int] = set()
        self._last = 0
        self._sources = ReadAhead(view.sources, lambda source: source.uid)
        self._headers = ReadAhead(view.header_sources, lambda header: header[0])

    @classmethod
    async def open(cls, account: Account, name: str, options: Options) -> Maildrop:
        """Open the folder `name`; raise NotFound, NoAccess or what the store answers."""
        mailbox = (await account.mailboxes()).get(name)
        return cls(account, mailbox, await account.view(mailbox), options)

    def close(self) -> None:
        """Let go of the folder and of the account; nothing is deleted."""
        self.account.logout()

    def __len__(self) -> int:
        """How many messages there are, deleted ones included."""
        return len(self._uids)

    def __iter__(self) -> Iterator[int]:
        """The numbers of the messages that are not deleted."""
        return (number for number in range(1, len(self._uids) + 1) if number not in self._deleted)

    def require(self, number: int) -> None:
        """Raise NoSuchMessage unless the number is that of a message."""
        if not 1 <= number <= len(self._uids):
            raise NoSuchMessage(f"there is no message {number}, the maildrop has {len(self._uids)}")
        if number in self._deleted:
            raise NoSuchMessage(f"message {number} is deleted")

    async def sizes(self) -> list[int]:
        """The size of every message in octets; the one of message n at n - 1."""
        if self._sizes is None:
            found = await self._view.sizes(self._uids)
            unended = await self._without_final_line_end()
            self._sizes = [found.get(uid, 0) + (2 if uid in unended else 0) for uid in self._uids]
        return self._sizes

    async def _without_final_line_end(self) -> set[int]:
        """The UIDs of mails whose last line has no end, as was noted when they were stored."""
        (tag,) = await Names(self._view.store.session).tags([NO_FINAL_LINE_END], create=False)
        if not tag or not self._uids:
            return set()
        return await self._view.match(Exist(tag), self._uids[0], self._uids[-1])

    def unique_ids(self) -> list[bytes]:
        """The unique id of every message, for ever the same (RFC 1939 section 7).

        The option `kopano` gives what Kopano's gateway gives, which is longer than the 70 characters that the RFC allows.
        """
        if self._entryids:
            return [entryid.hex().upper().encode() for entryid in self._entryids]
        validity = self._view.uidvalidity
        return [b"%08x%08x" % (validity, uid) for uid in self._uids]

    async def source(self, number: int) -> Source:
        """The bytes of a message; raise NoSuchMessage when it is gone from the store meanwhile."""
        return await self._take(self._sources, number)

    async def header(self, number: int) -> bytes:
        """The header of a message and the empty line after it."""
        return (await self._take(self._headers, number))[1]

    async def _take(self, ahead: ReadAhead[T], number: int) -> T:
        """One item, with those that a client is likely to ask for next."""
        self.require(number)
        in_order, self._last = number == self._last + 1, number
        item = await ahead.take(self._following(number), in_order=in_order)
        if item is None:
            raise NoSuchMessage(f"message {number} is gone: another client deleted it")
        return item

    def _following(self, number: int) -> list[int]:
        """The UID of a message and of those that a client is likely to ask for next, small enough to be loaded together."""
        uids: list[int] = []
        left = _AHEAD_BYTES
        for following in range(number, min(number + _AHEAD, len(self._uids)) + 1):
            if following in self._deleted:
                continue
            left -= self._sizes[following - 1] if self._sizes else _AHEAD_BYTES // 4
            if uids and left < 0:
                break
            uids.append(self._uids[following - 1])
        return uids

    def retrieved(self, number: int) -> None:
        """Remember that a message was sent whole."""
        if self._options.mark_read:
            self._read.add(self._uids[number - 1])

    def delete(self, number: int) -> None:
        """Mark a message deleted for the session."""
        self.require(number)
        self._deleted.add(number)

    def reset(self) -> None:
        """Unmark every deleted message."""
        self._deleted.clear()

    async def finish_reading(self) -> None:
        """Drop what was read ahead, and mark in the store what was read, in one call."""
        await self._sources.forget()
        await self._headers.forget()
        uids, self._read = sorted(self._read), set()
        if uids:
            await self._view.mark_seen(uids)

    async def update(self, now: float) -> int:
        """Delete from the store, in one call, what the session marked; how many messages that were. `now` is Unix time.

        Messages younger than the option `keep` stay, for the user's other devices.
        """
        await self.finish_reading()
        doomed = [self._uids[number - 1] for number in sorted(self._deleted) if self._may_go(number, now)]
        if doomed:
            await self._view.remove(doomed, hard=self._options.delete == "hard")
        return len(doomed)

    def _may_go(self, number: int, now: float) -> bool:
        """Whether a message is old enough to be deleted."""
        if not self._options.keep:
            return True
        index = self._view.index(self._uids[number - 1])
        return index < 0 or now - self._view.dates[index] >= self._options.keep
