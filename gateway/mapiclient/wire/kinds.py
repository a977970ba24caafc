"""Kinds: how one value is written to and read from an element, each with both directions.

A kind that is a *leaf* reads its element's text in one go (`Kind.parse`). Every other kind, and a leaf whose
text comes in pieces, is read by a `Frame`: the reader gives it children and text, and asks for the value at
the end. Writers append text to a list; a `Blob` or a `Stream` in that list stands for bytes written later.
"""

# ruff: noqa: D102  (overrides are described where they are first declared)

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias

from gateway.mapi.content import Blob
from gateway.mapiclient.wire.errors import WireError


class Include:
    """Stands for bytes of a part until the part has arrived."""

    __slots__ = ("href",)

    def __init__(self, href: str) -> None:
        self.href = href


@dataclass(frozen=True, slots=True)
class Stream:
    """Bytes that travel as a part of their own (XOP 1.0), not inside the XML."""

    data: bytes | Blob


#: What writers produce: XML text, bytes to be written as base64, or a part.
Piece: TypeAlias = "str | Blob | Stream"
Add: TypeAlias = "Callable[[Piece], None]"
Write: TypeAlias = "Callable[[Any, Add], None]"


class Context(Protocol):
    """What a frame may ask of the reader that made it."""

    max_items: int

    def spool(self, length: int) -> Spool | None:
        """A place for base64 text that has grown to this length; None to go on holding it."""

    def include(self, owner: object, attribute: str, href: str) -> None:
        """Have the attribute set to the bytes of a part once it has arrived."""


class Spool(Protocol):
    """Takes base64 text piece by piece and gives the bytes."""

    def write(self, text: str) -> None:
        """Take the next piece."""

    def close(self) -> Blob:
        """All of it."""


class Frame:
    """Reads one element that is not yet complete."""

    __slots__ = ("element",)
    hungry: ClassVar[bool] = False
    """Whether `fast` can take children straight from the buffer."""
    element: str

    def child(self, name: str, attributes: str) -> Kind | None:
        """The kind of a child element; None to ignore it and all below."""
        return None

    def put(self, name: str, value: Any) -> None:
        """Take the value of a child."""

    def text(self, piece: str) -> None:
        """Take a piece of text."""

    def fast(self, buffer: str, position: int) -> int:
        """Take as many children of the usual form as the buffer has; the new position."""
        return position

    def is_cut(self, buffer: str, position: int) -> bool:
        """Whether `fast` would take a child that begins here, if only the rest of it were there."""
        return False

    def finish(self) -> Any:
        """The value."""
        return None


class Kind:
    """How a value is written and read."""

    leaf: ClassVar[bool] = True
    mutable: ClassVar[bool] = False
    """Whether `empty` must be called for every use."""

    def empty(self) -> Any:
        """The value of an element that is missing although it always exists."""
        return None

    def writer(self, name: str) -> Write:
        """A function that writes a value as an element of this name."""
        raise NotImplementedError

    def parse(self, text: str) -> Any:
        """The value of a leaf's text."""
        raise NotImplementedError

    def frame(self, context: Context) -> Frame:
        """A reader of one value."""
        return _LeafFrame(self)


class _LeafFrame(Frame):
    """A leaf whose text came in pieces, or has comments in it."""

    __slots__ = ("kind", "pieces")

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.pieces: list[str] = []

    def text(self, piece: str) -> None:
        self.pieces.append(piece)

    def finish(self) -> Any:
        return self.kind.parse("".join(self.pieces))


class Ignored(Frame):
    """Swallows an element that means nothing to us."""

    __slots__ = ()


class Array(Kind):
    """A list of values as ``<item>`` children, with or without the count that SOAP 1.1 section 5.4 asks for.

    The count of a message that is read means nothing: the items are what there is. Whatever a child is called, it is an
    item, as for the store itself.
    """

    leaf = False

    def __init__(self, item: Kind, array_type: str = "", into: Callable[[Iterable[Any]], Any] = tuple) -> None:
        self.item = item
        self.into = into
        self.mutable = into is list  # type: ignore[misc]
        self.pattern: re.Pattern[str] | None = None
        self.convert: Callable[[re.Match[str]], Any] | None = None
        self._array_type = array_type
        if item.leaf:
            self.pattern = re.compile("<item>([^<]*+)</item>")
            self.convert = lambda match: item.parse(match[1])

    def empty(self) -> Any:
        return self.into(())

    def frame(self, context: Context) -> Frame:
        return ArrayFrame(self, context)

    def writer(self, name: str) -> Write:
        item, array_type = self.item.writer("item"), self._array_type

        def write(value: Any, add: Add) -> None:
            if value and array_type:
                add(f'<{name} SOAP-ENC:arrayType="{array_type}[{len(value)}]">')
            else:
                add(f"<{name}>")
            for each in value or ():
                item(each, add)
            add(f"</{name}>")

        return write


class ArrayFrame(Frame):
    """Collects the items of an array."""

    __slots__ = ("items", "kind", "limit")
    hungry = True

    def __init__(self, kind: Array, context: Context) -> None:
        self.kind = kind
        self.limit = context.max_items
        self.items: list[Any] = []

    def child(self, name: str, attributes: str) -> Kind | None:
        if len(self.items) >= self.limit:
            raise WireError(f"an array of more than {self.limit} items")
        return self.kind.item

    def put(self, name: str, value: Any) -> None:
        self.items.append(value)

    def fast(self, buffer: str, position: int) -> int:
        pattern, convert = self.kind.pattern, self.kind.convert
        if pattern is None or convert is None:
            return position
        match, append = pattern.match, self.items.append
        while found := match(buffer, position):
            append(convert(found))
            position = found.end()
        if len(self.items) > self.limit:
            raise WireError(f"an array of more than {self.limit} items")
        return position

    def finish(self) -> Any:
        items = self.items
        return items if self.kind.into is list else self.kind.into(items)
