"""Declarations: a dataclass whose annotations say how each field travels serves both ends.

A field is declared as ``table_id: Annotated[int, uint("ulTableId")]``. The order of the fields is the order on
the wire. From a declaration one `Struct` is compiled, on first use, that writes and reads the dataclass.

Missing elements: an optional field (`maybe`, text) is None; anything else has its kind's empty value (0,
false, empty), which is how the store itself reads a message that leaves something out.
"""

# ruff: noqa: D102  (overrides are described where they are first declared)

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Final, Generic, TypeVar, get_args, get_origin, get_type_hints

from gateway.mapiclient.wire.errors import WireError
from gateway.mapiclient.wire.kinds import Add, Array, Context, Frame, Include, Kind, Write
from gateway.mapiclient.wire.scalars import BINARY, BOOL, F64, I16, I32, I64, TEXT, U32, U64, XOP


@dataclass(frozen=True, slots=True)
class Field:
    """How one field of a record travels: its element and its kind."""

    name: str
    kind: Kind
    optional: bool = False

    def writer(self) -> Write:
        """A function that writes the field's value; None of an optional field is no element."""
        write = self.kind.writer(self.name)
        if not self.optional:
            return write

        def write_present(value: Any, add: Add) -> None:
            if value is not None:
                write(value, add)

        return write_present


def field(name: str, kind: Kind) -> Field:
    """An element that always exists."""
    return Field(name, kind)


def maybe(name: str, kind: Kind) -> Field:
    """An element that may be absent: None."""
    return Field(name, kind, optional=True)


def uint(name: str) -> Field:
    """An unsigned 32-bit number."""
    return Field(name, U32)


def sint(name: str) -> Field:
    """A signed 32-bit number."""
    return Field(name, I32)


def short(name: str) -> Field:
    """A signed 16-bit number."""
    return Field(name, I16)


def ulong(name: str) -> Field:
    """An unsigned 64-bit number."""
    return Field(name, U64)


def slong(name: str) -> Field:
    """A signed 64-bit number."""
    return Field(name, I64)


def boolean(name: str) -> Field:
    """True or false."""
    return Field(name, BOOL)


def double(name: str) -> Field:
    """A double."""
    return Field(name, F64)


def text(name: str) -> Field:
    """Text; None is absent."""
    return Field(name, TEXT, optional=True)


def binary(name: str) -> Field:
    """Bytes that always exist, perhaps empty."""
    return Field(name, BINARY)


def maybe_binary(name: str) -> Field:
    """Bytes; None is absent, which is not the same as empty."""
    return Field(name, BINARY, optional=True)


def stream(name: str) -> Field:
    """Bytes or a `Blob` in a MIME part of their own."""
    return Field(name, XOP)


class Repeated(Kind):
    """Children that repeat directly inside their record, without an array element around them."""

    leaf = False

    def __init__(self, item: Kind) -> None:
        self.item = item

    def empty(self) -> tuple[()]:
        return ()

    def writer(self, name: str) -> Write:
        item = self.item.writer(name)

        def write(value: Any, add: Add) -> None:
            for each in value or ():
                item(each, add)

        return write


class Lazy(Kind):
    """A kind that is named before it exists: what a structure that contains itself needs."""

    leaf = False

    def __init__(self, kind: Callable[[], Kind]) -> None:
        self._kind = kind

    def empty(self) -> Any:
        return self._kind().empty()

    def writer(self, name: str) -> Write:
        return lambda value, add: _writer(self._kind(), name)(value, add)

    def frame(self, context: Context) -> Frame:
        return self._kind().frame(context)


@cache
def _writer(kind: Kind, name: str) -> Write:
    return kind.writer(name)


class Struct(Kind):
    """A record: a value made of named fields.

    ``make`` gets a dict of every field by attribute name, ``split`` gives the values of all fields in order.
    """

    leaf = False

    def __init__(
        self,
        members: dict[str, Field],
        make: Callable[[dict[str, Any]], Any],
        split: Callable[[Any], tuple[Any, ...]],
    ) -> None:
        self.make = make
        self.members = members
        self.split = split
        self.by_name = {field.name: (attribute, field.kind) for attribute, field in members.items()}
        self.defaults = {
            attribute: None if field.optional else field.kind.empty()
            for attribute, field in members.items()
            if not (field.kind.mutable and not field.optional)
        }
        self.fresh = tuple(
            (attribute, field.kind)
            for attribute, field in members.items()
            if field.kind.mutable and not field.optional
        )
        self._writers = [field.writer() for field in members.values()]

    def empty(self) -> Any:
        return self.build({})

    def build(self, values: dict[str, Any]) -> Any:
        """The record of the fields that were there."""
        complete = self.defaults | values
        for attribute, kind in self.fresh:
            if attribute not in complete:
                complete[attribute] = kind.empty()
        return self.make(complete)

    def frame(self, context: Context) -> Frame:
        return StructFrame(self, context)

    def write_members(self, value: Any, add: Add) -> None:
        """Write the fields without an element around them."""
        for write, each in zip(self._writers, self.split(value), strict=True):
            write(each, add)

    def writer(self, name: str) -> Write:
        head, tail = f"<{name}>", f"</{name}>"

        def write(value: Any, add: Add) -> None:
            add(head)
            self.write_members(self.empty() if value is None else value, add)
            add(tail)

        return write

    def flat(self) -> tuple[re.Pattern[str], Callable[[re.Match[str]], Any]]:
        """A pattern of the usual form of an item, for records of leaves, and what makes the record of a match."""
        parsers = [field.kind.parse for field in self.members.values()]
        names, make = tuple(self.members), self.make
        body = "".join(f"<{field.name}>([^<]*+)</{field.name}>" for field in self.members.values())

        def convert(match: re.Match[str]) -> Any:
            return make(
                {name: parse(text) for name, parse, text in zip(names, parsers, match.groups(), strict=True)}
            )

        return re.compile(f"<item>{body}</item>"), convert


class StructFrame(Frame):
    """Collects the fields of a record."""

    __slots__ = ("context", "kind", "values")

    def __init__(self, kind: Struct, context: Context) -> None:
        self.kind = kind
        self.context = context
        self.values: dict[str, Any] = {}

    def child(self, name: str, attributes: str) -> Kind | None:
        entry = self.kind.by_name.get(name)
        if entry is None:
            return None
        kind = entry[1]
        return kind.item if isinstance(kind, Repeated) else kind

    def put(self, name: str, value: Any) -> None:
        attribute, kind = self.kind.by_name[name]
        if not isinstance(kind, Repeated):
            self.values[attribute] = value
            return
        items = self.values.setdefault(attribute, [])
        if len(items) >= self.context.max_items:
            raise WireError(f"more than {self.context.max_items} <{name}> elements")
        items.append(value)

    def finish(self) -> Any:
        values = self.values
        includes = [name for name, value in values.items() if type(value) is Include]
        for name, value in values.items():
            if type(value) is list and isinstance(self.kind.members[name].kind, Repeated):
                values[name] = tuple(value)
        hrefs = [values.pop(name).href for name in includes]
        record = self.kind.build(values)
        for name, href in zip(includes, hrefs, strict=True):
            self.context.include(record, name, href)
        return record


def array_of(item: Kind, array_type: str = "") -> Array:
    """An array; flat records are read by a pattern as long as they look as usual."""
    array = Array(item, array_type)
    if isinstance(item, Struct) and all(field.kind.leaf for field in item.members.values()):
        array.pattern, array.convert = item.flat()
    return array


def struct_of(cls: type, **members: Field) -> Struct:
    """The kind of a dataclass that was declared elsewhere; the keywords are its attributes in wire order."""
    return Struct(members, lambda values: cls(**values), _splitter(tuple(members)))


def _splitter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if not names:
        return lambda _: ()
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda value: (get(value),)


def record_of(cls: type) -> Struct:
    """The kind of a dataclass whose annotations carry its fields."""
    struct = _RECORDS.get(cls)
    if struct is None:
        struct = _RECORDS[cls] = _compile(cls)
    return struct


_RECORDS: Final[dict[type, Struct]] = {}


def _compile(cls: type) -> Struct:
    hints = get_type_hints(cls, include_extras=True)
    members: dict[str, Field] = {}
    for each in fields(cls):
        hint = hints[each.name]
        markers = (
            [arg for arg in get_args(hint) if isinstance(arg, Field)] if get_origin(hint) is Annotated else []
        )
        if len(markers) != 1:
            raise TypeError(f"{cls.__name__}.{each.name} does not say how it travels")
        members[each.name] = markers[0]
    return struct_of(cls, **members)


class Wait(StrEnum):
    """How long the answer to a call may take: which of the client's timeouts applies."""

    SHORT = "short"
    """The server answers from memory or a few rows."""
    LONG = "long"
    """The server reads or writes many rows or large values."""
    POLL = "poll"
    """The server holds the request until something happens (notifyGetItems, up to 60 s)."""


R = TypeVar("R")
REGISTRY: Final[dict[str, type[Call[Any]]]] = {}
"""Every declared call by its name on the wire."""


class Call(Generic[R]):
    """A remote call: its arguments without the session id, which goes beside it."""

    __slots__ = ()

    name: ClassVar[str]
    """Name on the wire."""
    idempotent: ClassVar[bool] = False
    """Whether the call may be sent again when it is not known if it was executed."""
    kind: ClassVar[Wait] = Wait.SHORT
    session_element: ClassVar[str] = "ulSessionId"
    """Element of the session id; empty for calls that have none."""
    reply_type: ClassVar[type[Any]]
    reply_element: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        (base,) = cls.__orig_bases__  # type: ignore[attr-defined]
        (cls.reply_type,) = get_args(base)
        if "reply_element" not in cls.__dict__:
            cls.reply_element = f"{cls.name}Response"
        # dataclass(slots=True) makes the class a second time: the last one counts.
        REGISTRY[cls.name] = cls
