"""What became of mailboxes: LIST responses for MailboxName and SubscriptionChange (RFC 5465 5.4, 5.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from gateway.imap import listing
from gateway.imap.codec import write_mailbox as w
from gateway.imap.connection import User
from gateway.mailbox.names import DELIMITER, canonical
from gateway.mailbox.tree import Mailbox, Mailboxes

#: Whether an event of a mailbox is to be told.
Wants = Callable[[str, Mailbox], bool]
NAMES: Final = "MAILBOXNAME"
SUBSCRIPTIONS: Final = "SUBSCRIPTIONCHANGE"


class TreeChanges:
    """The mailboxes and subscriptions one client knows of."""

    def __init__(self, user: User, tree: Mailboxes, subscribed: frozenset[str]) -> None:
        self._user = user
        self._tree = tree
        self._subscribed = subscribed
        self._mine: set[str] = set()

    def mine(self, *names: str) -> None:
        """The client itself changes these mailboxes: it need not be told (RFC 5465 section 5)."""
        self._mine.update(map(canonical, names))

    def look(self, tree: Mailboxes, subscribed: frozenset[str], wants: Wants) -> bytes:
        """What changed since the last look, rendered; it counts as told."""
        before, self._tree = self._tree, tree
        subscribed_before, self._subscribed = self._subscribed, subscribed
        mine, self._mine = self._mine, set()
        listed = {box.name: (box, old) for box, old in _changed(before, tree, mine) if wants(NAMES, box)}
        for name in sorted((subscribed ^ subscribed_before) - mine):
            if name in tree and name in before and wants(SUBSCRIPTIONS, tree.get(name)):
                listed.setdefault(name, (tree.get(name), ()))
        return b"".join(self._listed(box, old, exists=name in tree) for name, (box, old) in listed.items())

    def _listed(self, box: Mailbox, old: tuple[str, ...], *, exists: bool) -> bytes:
        said = listing.attributes(box) if exists else ["\\NonExistent"]
        if box.name in self._subscribed and exists:
            said.append("\\Subscribed")
        extended = (("OLDNAME", old),) if old else ()
        return w.list_item(said, box.name, utf8=self._user.connection.utf8, extended=extended)


def _changed(before: Mailboxes, now: Mailboxes, mine: set[str]) -> Iterator[tuple[Mailbox, tuple[str, ...]]]:
    """Mailboxes with something to tell, and the names they had: new, renamed, gone, and parents of new and gone."""
    parents: dict[str, Mailbox] = {}
    for box in now:
        known = before.by_entryid(box.entryid)
        if _is_mine(mine, box.name) or (known is not None and _is_mine(mine, known.name)):
            continue
        if known is None:
            yield box, ()
            _add_parent(parents, now, box)
        elif known.name != box.name and not _moved_along(before, now, known, box):
            yield box, (known.name,)
    for box in before:
        if now.by_entryid(box.entryid) is None and not _is_mine(mine, box.name):
            if box.name not in now:
                yield box, ()
            _add_parent(parents, now, box)
    for box in parents.values():
        if before.by_entryid(box.entryid) is not None:
            yield box, ()


def _add_parent(parents: dict[str, Mailbox], tree: Mailboxes, box: Mailbox) -> None:
    above = box.name.rpartition(DELIMITER)[0]
    if above and above in tree:
        parents[above] = tree.get(above)


def _moved_along(before: Mailboxes, now: Mailboxes, known: Mailbox, box: Mailbox) -> bool:
    """Whether a mailbox has a new name only because the one above it has: of that nothing is said."""
    parent = now.parent_of(box.name)
    old_parent = before.by_entryid(parent.entryid) if parent is not None else None
    if parent is None or old_parent is None or old_parent.name == parent.name:
        return False
    return known.name.removeprefix(old_parent.name) == box.name.removeprefix(parent.name)


def _is_mine(mine: set[str], name: str) -> bool:
    """Whether the client made a mailbox itself, maybe as the parent of another."""
    return any(name == own or own.startswith(name + DELIMITER) for own in mine)
