r"""Which mailboxes a LIST names, and what is said of each (RFC 9051 6.3.9, 7.3.1; RFC 5258).

Patterns are matched in time proportional to the name, whatever the pattern: all positions in the pattern are
followed at once, as the bits of an integer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway.imap.codec import commands as c
from gateway.imap.codec import write_mailbox as w
from gateway.mailbox.names import DELIMITER, INBOX
from gateway.mailbox.others import Wanted, wanted_by
from gateway.mailbox.tree import Mailbox, Mailboxes


class Pattern:
    """A mailbox name with wildcards: ``*`` is any text, ``%`` any text within one level."""

    __slots__ = ("_final", "_literals", "_percents", "_stars")

    def __init__(self, text: str) -> None:
        self._literals: dict[str, int] = {}
        self._stars = self._percents = 0
        for position, character in enumerate(text):
            bit = 1 << position
            if character == "*":
                self._stars |= bit
            elif character == "%":
                self._percents |= bit
            else:
                self._literals[character] = self._literals.get(character, 0) | bit
        self._final = 1 << len(text)

    def matches(self, name: str) -> bool:
        """Whether the whole name fits."""
        here = self._skipped(1)
        for character in name:
            stays = here & (self._stars if character == DELIMITER else self._stars | self._percents)
            here = self._skipped((here & self._literals.get(character, 0)) << 1 | stays)
            if not here:
                return False
        return bool(here & self._final)

    def _skipped(self, here: int) -> int:
        """The positions, and those behind wildcards that stand for nothing."""
        wild = self._stars | self._percents
        while (more := here | (here & wild) << 1) != here:
            here = more
        return here


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a LIST."""

    name: str
    attributes: tuple[str, ...]
    mailbox: Mailbox | None
    extended: tuple[tuple[str, tuple[str, ...]], ...] = ()


def attributes(mailbox: Mailbox) -> list[str]:
    """What is said of a mailbox without being asked."""
    found = [] if mailbox.selectable else ["\\Noselect"]
    found.append("\\HasChildren" if mailbox.has_children else "\\HasNoChildren")
    if mailbox.special_use is not None:
        found.append(mailbox.special_use)
    return found


def normalized(mailbox: Mailbox, asked: str, *, utf8: bool) -> bytes:
    """LIST of a mailbox, with the name a client asked for where it is spelt otherwise here (RFC 9051 6.3.9.7)."""
    old = (("OLDNAME", (asked,)),) if asked != mailbox.name else ()
    return w.list_item(attributes(mailbox), mailbox.name, utf8=utf8, extended=old)


def patterns_of(reference: str, patterns: Iterable[str]) -> list[Pattern]:
    """Patterns behind their reference, which is a plain prefix (6.3.9)."""
    texts = [reference + pattern for pattern in patterns]
    # INBOX is spelt in any case of letters (5.1).
    texts += [INBOX + text[5:] for text in texts if text[:5].upper() == INBOX != text[:5]]
    return [Pattern(text) for text in texts]


def needs_subscriptions(command: c.List) -> bool:
    """Whether subscriptions matter."""
    return "SUBSCRIBED" in command.selection or "SUBSCRIBED" in command.returns


def wanted_others(command: c.List) -> Wanted:
    """Which other users' mailboxes are named: those are looked for only then, for it takes calls."""
    return wanted_by(command.reference + pattern for pattern in command.patterns)


def matches(command: c.List, tree: Mailboxes, subscribed: frozenset[str]) -> Iterator[Listed]:
    """The mailboxes a LIST asks for, parents before children."""
    patterns = patterns_of(command.reference, command.patterns)
    selected = _selected(command, tree, subscribed)
    names = _names(tree, subscribed if "SUBSCRIBED" in command.selection else frozenset())
    if not command.selection - {"REMOTE", "RECURSIVEMATCH"}:
        selected = frozenset(names)
    above = _parents(selected) if "RECURSIVEMATCH" in command.selection else frozenset()
    for name, mailbox in names.items():
        chosen = name in selected
        if (chosen or name in above) and any(pattern.matches(name) for pattern in patterns):
            yield _listed(command, name, mailbox, subscribed, below=name in above)


def _names(tree: Mailboxes, more: frozenset[str]) -> dict[str, Mailbox | None]:
    """Every name there is: mailboxes, others a client subscribed to, and parents that are no mailboxes."""
    found: dict[str, Mailbox | None] = {mailbox.name: mailbox for mailbox in tree}
    missing = (more | _parents(found)) - found.keys()
    if not missing:
        return found
    found.update(dict.fromkeys(missing))
    return dict(sorted(found.items(), key=lambda item: (item[0] != INBOX, item[0].split(DELIMITER))))


def _selected(command: c.List, tree: Mailboxes, subscribed: frozenset[str]) -> frozenset[str]:
    chosen: set[str] = {mailbox.name for mailbox in tree}
    if "SPECIAL-USE" in command.selection:
        chosen = {mailbox.name for mailbox in tree if mailbox.special_use is not None}
    if "SUBSCRIBED" in command.selection:
        chosen = chosen & subscribed if "SPECIAL-USE" in command.selection else set(subscribed)
    return frozenset(chosen)


def _parents(names: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for name in names:
        while DELIMITER in name:
            name = name.rpartition(DELIMITER)[0]
            found.add(name)
    return frozenset(found)


def _listed(
    command: c.List, name: str, mailbox: Mailbox | None, subscribed: frozenset[str], *, below: bool
) -> Listed:
    said = attributes(mailbox) if mailbox is not None else _of_nothing(command, name, subscribed)
    if needs_subscriptions(command) and name in subscribed:
        said.append("\\Subscribed")
    # RFC 5258 3.5: which selection options something below fits.
    criteria = tuple(sorted(command.selection & {"SUBSCRIBED", "SPECIAL-USE"}))
    return Listed(name, tuple(said), mailbox, (("CHILDINFO", criteria),) if below and criteria else ())


def _of_nothing(command: c.List, name: str, subscribed: frozenset[str]) -> list[str]:
    r"""What is said of a name that is no mailbox: clients of old know \Noselect only."""
    if name in subscribed:
        return ["\\NonExistent"]
    return ["\\NonExistent" if command.extended else "\\Noselect", "\\HasChildren"]


def lsub_matches(
    command: c.Lsub, tree: Mailboxes, subscribed: frozenset[str]
) -> Iterator[tuple[str, Sequence[str]]]:
    r"""Subscribed names that fit; with ``%`` also, as \Noselect, the parents of such that lie deeper."""
    patterns = patterns_of(command.reference, (command.pattern,))
    parents = _parents(subscribed) - subscribed if command.pattern.endswith("%") else frozenset()
    for name in sorted(subscribed | parents, key=lambda name: (name != INBOX, name.split(DELIMITER))):
        if any(pattern.matches(name) for pattern in patterns):
            yield name, ("\\Noselect",) if name in parents else _lsub_attributes(tree, name)


def _lsub_attributes(tree: Mailboxes, name: str) -> Sequence[str]:
    return attributes(tree.get(name)) if name in tree else ()
