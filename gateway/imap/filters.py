"""Which mailboxes a filter means (RFC 5465 section 6), for NOTIFY and ESEARCH."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.imap.codec.commands import MailboxFilter
from gateway.imap.connection import User
from gateway.mailbox.names import DELIMITER, canonical
from gateway.mailbox.others import Wanted, wanted_by
from gateway.mailbox.tree import PERSONAL, Mailbox

#: Filters that mean the selected mailbox.
SELECTED: Final = frozenset({"SELECTED", "SELECTED-DELAYED"})


@dataclass(frozen=True, slots=True)
class _Known:
    """What a filter is applied to."""

    subscribed: frozenset[str]
    wanted: MailboxFilter

    def below(self, mailbox: Mailbox, depth: int | None) -> bool:
        """Whether a mailbox is a named one or lies below it."""
        return any(_is_below(mailbox.name, canonical(name), depth) for name in self.wanted.mailboxes)


_MATCHES: Final[dict[str, Callable[[_Known, Mailbox], bool]]] = {
    # Rules deliver into any own mailbox (RFC 5465 6.3: then the same as "personal").
    "INBOXES": lambda known, mailbox: mailbox.namespace == PERSONAL,
    "PERSONAL": lambda known, mailbox: mailbox.namespace == PERSONAL,
    "SUBSCRIBED": lambda known, mailbox: mailbox.name in known.subscribed,
    "SUBTREE": lambda known, mailbox: known.below(mailbox, None),
    "SUBTREE-ONE": lambda known, mailbox: known.below(mailbox, 1),
    "MAILBOXES": lambda known, mailbox: known.below(mailbox, 0),
}


def _is_below(name: str, top: str, depth: int | None) -> bool:
    if name == top:
        return True
    if not name.startswith(top + DELIMITER):
        return False
    return depth is None or name.count(DELIMITER) - top.count(DELIMITER) <= depth


async def mailboxes_of(user: User, wanted: MailboxFilter) -> list[Mailbox]:
    """The mailboxes with messages that a filter means now."""
    if wanted.kind in SELECTED:
        return [] if user.selection is None else [user.selection.mailbox]
    subscribed = await user.account.subscriptions() if wanted.kind == "SUBSCRIBED" else frozenset()
    tree = await user.account.mailboxes(wanted_others(wanted))
    return [mailbox for mailbox in tree if mailbox.selectable and means(wanted, mailbox, subscribed)]


def wanted_others(*wanted: MailboxFilter) -> Wanted:
    """Which other users' mailboxes filters name: only then are those looked for."""
    return wanted_by(canonical(name) for each in wanted for name in each.mailboxes)


def means(wanted: MailboxFilter, mailbox: Mailbox, subscribed: frozenset[str]) -> bool:
    """Whether a filter, one that does not follow the selected mailbox, means a mailbox."""
    return wanted.kind not in SELECTED and _MATCHES[wanted.kind](_Known(subscribed, wanted), mailbox)
