"""What a user and a selection need of those who watch for them: NOTIFY, and results that are kept up to date."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.imap.connection import Selection
    from gateway.mailbox.tree import Mailbox


class Notifications(Protocol):
    """What a user needs of `notifying.Notifying`."""

    @property
    def selected_events(self) -> bool:
        """Whether changes of the selected mailbox are told at once."""

    @property
    def flag_events(self) -> bool:
        """Whether changed flags there are told at once."""

    @property
    def delayed(self) -> bool:
        """Whether EXPUNGE waits all the same."""

    def renames(self, *names: str) -> None:
        """The client changes mailboxes itself."""

    def annotates(self, mailbox: Mailbox | None, entries: dict[str, bytes | None]) -> None:
        """The client changed annotations itself."""

    def follow_selected(self) -> None:
        """Another mailbox was selected, or none."""

    def tell(self) -> AsyncIterator[bytes]:
        """What happened in other mailboxes."""

    async def arrived(self, selection: Selection, after: int) -> bytes:
        """What is to be told of new messages."""

    def close(self) -> None:
        """Stop."""


class Kept(Protocol):
    """What a selection needs of `contexts.Context`."""

    def leave(self, selection: Selection) -> bytes:
        """What is to be told before messages leave."""

    def change(self, selection: Selection, serial: int) -> AsyncIterator[bytes]:
        """What is to be told after messages came or changed."""
