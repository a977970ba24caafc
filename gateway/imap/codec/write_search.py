"""SEARCH, ESEARCH, SORT, THREAD and UIDBATCHES responses (RFC 9051 7.3.4; RFC 3501 7.2.5; RFC 5256, 9394)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.imap.codec.sequence import compact
from gateway.imap.codec.write_values import mailbox, quoted


def _numbers(numbers: Iterable[int]) -> bytes:
    values = tuple(numbers)
    return b" %d" * len(values) % values


def search(numbers: Iterable[int], modseq: int | None = None) -> bytes:
    """``* SEARCH 2 84``, with the highest mod-sequence of the messages (RFC 7162 3.1.5)."""
    tail = b"" if modseq is None else b" (MODSEQ %d)" % modseq
    return b"* SEARCH%b%b\r\n" % (_numbers(numbers), tail)


def sort(numbers: Iterable[int], modseq: int | None = None) -> bytes:
    """``* SORT 5 3 4`` (RFC 5256 section 4), with the highest mod-sequence of the messages (RFC 7162 3.1.9)."""
    tail = b"" if modseq is None else b" (MODSEQ %d)" % modseq
    return b"* SORT%b%b\r\n" % (_numbers(numbers), tail)


@dataclass(slots=True)
class ESearch:
    """The items of an ESEARCH response; None and empty are left out."""

    tag: str
    by_uid: bool = False
    mailbox: str | None = None
    uid_validity: int = 0
    least: int | None = None
    most: int | None = None
    count: int | None = None
    all: Sequence[int] | None = None
    partial: tuple[tuple[int, int], Sequence[int]] | None = None
    modseq: int | None = None
    relevancy: Sequence[int] | None = None
    utf8: bool = field(default=False, kw_only=True)

    def render(self) -> bytes:
        """``* ESEARCH (TAG "a") UID ...``."""
        parts = [b"* ESEARCH (TAG %b" % quoted(self.tag.encode())]
        if self.mailbox is not None:
            name = mailbox(self.mailbox, utf8=self.utf8)
            parts.append(b" MAILBOX %b UIDVALIDITY %d" % (name, self.uid_validity))
        parts.append(b")")
        if self.by_uid:
            parts.append(b" UID")
        for name, value in ((b"MIN", self.least), (b"MAX", self.most), (b"COUNT", self.count)):
            if value is not None:
                parts.append(b" %b %d" % (name, value))
        if self.all:
            parts.append(b" ALL " + compact(self.all).encode())
        if self.partial is not None:
            (first, last), found = self.partial
            parts.append(b" PARTIAL (%d:%d %b)" % (first, last, compact(found).encode() or b"NIL"))
        if self.relevancy is not None:
            parts.append(b" RELEVANCY (%b)" % _numbers(self.relevancy).strip())
        if self.modseq is not None:
            parts.append(b" MODSEQ %d" % self.modseq)
        parts.append(b"\r\n")
        return b"".join(parts)


#: A place in a result, 0 for "wherever it belongs", and messages that come in or leave there.
Step = tuple[int, Sequence[int]]


def context(tag: str, *, by_uid: bool, removed: Sequence[Step] = (), added: Sequence[Step] = ()) -> bytes:
    """``* ESEARCH (TAG "a") UID REMOVEFROM (0 5) ADDTO (1 7)`` (RFC 5267 4.3.3, 4.3.4)."""
    parts = [b"* ESEARCH (TAG %b)%b" % (quoted(tag.encode()), b" UID" if by_uid else b"")]
    for name, steps in ((b"REMOVEFROM", removed), (b"ADDTO", added)):
        told = b" ".join(b"%d %b" % (place, compact(numbers).encode()) for place, numbers in steps if numbers)
        if told:
            parts.append(b" %b (%b)" % (name, told))
    return b"".join((*parts, b"\r\n")) if len(parts) > 1 else b""


@dataclass(slots=True)
class Node:
    """A message of a thread, or a place for one that is missing (number 0), and what answers it."""

    number: int
    children: list[Node] = field(default_factory=list)


def thread(roots: Iterable[Node]) -> bytes:
    """``* THREAD (2)(3 6 (4 23)(44 7 96))`` (RFC 5256 section 4). Not recursive: threads may be deep."""
    out = [b"* THREAD"]
    for position, root in enumerate(roots):
        if position == 0:
            out.append(b" ")
        out.append(b"(")
        _thread(root, out)
        out.append(b")")
    out.append(b"\r\n")
    return b"".join(out)


def _thread(root: Node, out: list[bytes]) -> None:
    todo: list[Node | bytes] = [root]
    first = True
    while todo:
        node = todo.pop()
        if isinstance(node, bytes):
            out.append(node)
            first = node == b"("
            continue
        if node.number:
            out.append(b"%d" % node.number if first else b" %d" % node.number)
            first = False
        if len(node.children) == 1:
            todo.append(node.children[0])
        elif node.children:
            if not first:
                out.append(b" ")
            for child in reversed(node.children):
                todo += (b")", child, b"(")


def uid_batches(tag: str, ranges: Iterable[tuple[int, int]]) -> bytes:
    """``* UIDBATCHES (TAG "a") 99:50,49:1``: highest first."""
    text = ",".join(f"{high}:{low}" for high, low in ranges).encode()
    return b"* UIDBATCHES (TAG %b)%b\r\n" % (quoted(tag.encode()), b" " + text if text else b"")
