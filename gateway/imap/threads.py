"""Threads of messages (RFC 5256 section 3): ORDEREDSUBJECT, REFERENCES, and REFS, which leaves subjects alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from gateway.imap.codec.write_search import Node

_MESSAGE_ID: Final = re.compile(r"<[^<>\s]+>")
#: References beyond this many are of no use and may be meant to hurt.
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Mail:
    """What threading asks of a message. `number` is how it is told, UID or sequence number."""

    number: int
    date: float
    subject: str
    """Base subject."""
    reply: bool
    message_id: str = ""
    references: tuple[str, ...] = ()
    """Message ids of the ancestors, oldest first."""


def references_of(references: str, in_reply_to: str) -> tuple[str, ...]:
    """The ancestors two header fields name (3, REFERENCES step 1): In-Reply-To counts where References is empty."""
    found = _MESSAGE_ID.findall(references)[-_MOST:]
    return tuple(found) if found else tuple(_MESSAGE_ID.findall(in_reply_to)[:1])


def message_id_of(text: str) -> str:
    """The first message id of a field; empty if there is none."""
    found = _MESSAGE_ID.search(text)
    return found[0] if found else ""


def ordered_subject(mails: Iterable[Mail]) -> list[Node]:
    """One thread per base subject: the oldest mail, and all others as its children."""
    ordered = sorted(mails, key=lambda mail: (mail.subject, mail.date, mail.number))
    groups = [list(group) for _, group in groupby(ordered, key=lambda mail: mail.subject)]
    groups.sort(key=lambda group: (group[0].date, group[0].number))
    return [Node(first.number, [Node(mail.number) for mail in rest]) for first, *rest in groups]


@dataclass(slots=True, eq=False)
class _Box:
    """A message, or a place for one that somebody refers to."""

    mail: Mail | None = None
    parent: _Box | None = None
    children: list[_Box] = field(default_factory=list)

    def date(self) -> tuple[float, int]:
        """When a sibling order needs it: a place without a message counts as its first child (step 4)."""
        box = self
        while box.mail is None and box.children:
            box = box.children[0]
        return (box.mail.date, box.mail.number) if box.mail is not None else (0.0, 0)


def references(mails: Sequence[Mail]) -> list[Node]:
    """REFERENCES: by references, then threads of one subject together."""
    roots = _pruned_roots(mails)
    _sort(roots)
    roots = _merged_by_subject(roots)
    _sort(roots)
    return _nodes(roots)


def refs(mails: Sequence[Mail]) -> list[Node]:
    """REFS: by references alone, threads ordered by their newest message."""
    roots = _pruned_roots(mails)
    _sort(roots)
    roots.sort(key=_newest)
    return _nodes(roots)


ALGORITHMS: Final = {"ORDEREDSUBJECT": ordered_subject, "REFERENCES": references, "REFS": refs}


# -- steps 1 to 3


def _pruned_roots(mails: Sequence[Mail]) -> list[_Box]:
    boxes: dict[str, _Box] = {}
    own = [_placed(mail, boxes) for mail in mails]
    roots = [box for box in (*boxes.values(), *own) if box.parent is None]
    return _pruned(list(dict.fromkeys(roots)))


def _placed(mail: Mail, boxes: dict[str, _Box]) -> _Box:
    """Step 1: put a message below what it refers to."""
    box = boxes.get(mail.message_id) if mail.message_id else None
    if box is None or box.mail is not None:  # no id, or one that somebody else has
        box = _Box()
        if mail.message_id and mail.message_id not in boxes:
            boxes[mail.message_id] = box
    box.mail = mail
    above: _Box | None = None
    for reference in mail.references:
        one = boxes.get(reference) or boxes.setdefault(reference, _Box())
        if above is not None and one.parent is None and not _is_below(above, one):
            _adopt(above, one)
        above = one
    if above is not None and not _is_below(above, box):
        if box.parent is not None:
            box.parent.children.remove(box)
        _adopt(above, box)
    return box


def _adopt(parent: _Box, child: _Box) -> None:
    child.parent = parent
    parent.children.append(child)


def _is_below(box: _Box | None, other: _Box) -> bool:
    """Whether a box is another one or lies below it: then linking the other below it would make a loop."""
    while box is not None:
        if box is other:
            return True
        box = box.parent
    return False


def _postorder(roots: Iterable[_Box]) -> Iterator[_Box]:
    """Every box, children before parents. Threads may be deeper than Python's stack."""
    todo = list(roots)
    seen: list[_Box] = []
    while todo:
        box = todo.pop()
        seen.append(box)
        todo += box.children
    yield from reversed(seen)


def _pruned(roots: list[_Box]) -> list[_Box]:
    """Step 3: drop places without a message, their children move up; at the top only a single child does."""
    for box in _postorder(roots):
        children: list[_Box] = []
        for child in box.children:
            children += [child] if child.mail is not None else child.children
        for child in children:
            child.parent = box
        box.children = children
    found: list[_Box] = []
    for root in roots:
        if root.mail is None and len(root.children) <= 1:
            found += root.children
        else:
            found.append(root)
    for root in found:
        root.parent = None
    return found


# -- steps 4 to 6


def _sort(roots: list[_Box]) -> None:
    for box in _postorder(roots):
        box.children.sort(key=_Box.date)
    roots.sort(key=_Box.date)


def _subject(root: _Box) -> Mail | None:
    """The message whose subject stands for a thread (step 5 B)."""
    if root.mail is not None:
        return root.mail
    return root.children[0].mail if root.children else None


def _merged_by_subject(roots: list[_Box]) -> list[_Box]:
    """Step 5: bring threads of one base subject together."""
    table: dict[str, _Box] = {}
    for root in roots:
        mail = _subject(root)
        if mail is None or not mail.subject:
            continue
        there = table.get(mail.subject)
        if there is None or _represents_better(root, there):
            table[mail.subject] = root
    merged: list[_Box] = []
    for root in roots:
        mail = _subject(root)
        there = table.get(mail.subject) if mail is not None else None
        if mail is None or there is None or there is root:
            merged.append(root)
        else:
            _merge(root, there, mail)
    return merged


def _represents_better(root: _Box, there: _Box) -> bool:
    """Step 5 B: a place without a message beats a message, a message that is no reply beats a reply."""
    if (root.mail is None) is not (there.mail is None):
        return root.mail is None
    mine, other = _subject(root), _subject(there)
    return mine is not None and other is not None and other.reply and not mine.reply


def _merge(root: _Box, there: _Box, mail: Mail) -> None:
    """Step 5 C: put one thread into another of the same subject."""
    if root.mail is None and there.mail is None:
        there.children += root.children
    elif there.mail is None or (mail.reply and not there.mail.reply):
        there.children.append(root)
    else:  # both on one level, below a new place
        before = _Box(there.mail, None, there.children)
        there.mail, there.children = None, [before, root]


def _newest(root: _Box) -> tuple[float, int]:
    return max((box.mail.date, box.mail.number) for box in _postorder([root]) if box.mail is not None)


def _nodes(roots: list[_Box]) -> list[Node]:
    made: dict[int, Node] = {}
    for box in _postorder(roots):
        number = box.mail.number if box.mail is not None else 0
        made[id(box)] = Node(number, [made[id(child)] for child in box.children])
    return [made[id(root)] for root in roots]
