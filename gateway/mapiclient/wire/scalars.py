"""Scalars: numbers, booleans, text, base64 bytes, and bytes in parts of their own."""

from __future__ import annotations

import re
import struct
from typing import Any, ClassVar, Final

from gateway.mapi.content import Blob
from gateway.mapiclient.wire.errors import WireError
from gateway.mapiclient.wire.kinds import Add, Context, Frame, Include, Kind, Spool, Stream, Write
from gateway.mapiclient.wire.text import base64_bytes, base64_text, escape, unescape


class _Integer(Kind):
    def __init__(self, low: int, high: int, wrap: int = 0) -> None:
        self._low, self._high, self._wrap = low, high, wrap

    def empty(self) -> int:
        return 0

    def parse(self, text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise WireError(f"not a number: {text[:40]!r}") from None
        if not self._low <= value <= self._high:
            raise WireError(f"number out of range: {text[:40]}")
        return value

    def format(self, value: int) -> str:
        """The number's text; a negative number becomes the unsigned one with the same bits."""
        if value < self._low:
            value += self._wrap
        if not self._low <= value <= self._high:
            raise WireError(f"number out of range: {value}")
        return f"{value:d}"

    def writer(self, name: str) -> Write:
        low, high, head, tail = self._low, self._high, f"<{name}>", f"</{name}>"

        def write(value: int | None, add: Add) -> None:
            value = value or 0
            add(f"{head}{value:d}{tail}" if low <= value <= high else f"{head}{self.format(value)}{tail}")

        return write


U32: Final = _Integer(0, 0xFFFF_FFFF, 1 << 32)
I32: Final = _Integer(-0x8000_0000, 0x7FFF_FFFF)
I16: Final = _Integer(-0x8000, 0x7FFF)
I64: Final = _Integer(-(1 << 63), (1 << 63) - 1)
U64: Final = _Integer(0, (1 << 64) - 1, 1 << 64)


class _Boolean(Kind):
    _values: ClassVar = {"true": True, "1": True, "false": False, "0": False}

    def empty(self) -> bool:
        return False

    def parse(self, text: str) -> bool:
        try:
            return self._values[text.strip()]
        except KeyError:
            raise WireError(f"not a boolean: {text[:40]!r}") from None

    def writer(self, name: str) -> Write:
        yes, no = f"<{name}>true</{name}>", f"<{name}>false</{name}>"

        def write(value: bool, add: Add) -> None:
            add(yes if value else no)

        return write


class _Real(Kind):
    """IEEE 754, written with as many digits as the type has (INF, -INF and NaN as XML Schema spells them)."""

    def __init__(self, digits: int) -> None:
        self._digits = digits

    def empty(self) -> float:
        return 0.0

    def parse(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise WireError(f"not a number: {text[:40]!r}") from None

    def format(self, value: float) -> str:
        """The number's text."""
        if value != value:
            return "NaN"
        if value in (float("inf"), float("-inf")):
            return "INF" if value > 0 else "-INF"
        return f"{value:.{self._digits}G}"

    def writer(self, name: str) -> Write:
        def write(value: float, add: Add) -> None:
            add(f"<{name}>{self.format(value or 0.0)}</{name}>")

        return write


_SINGLE: Final = struct.Struct("f")


class _Single(_Real):
    """A number that has only the precision of 32 bits."""

    def parse(self, text: str) -> float:
        try:
            number: float = _SINGLE.unpack(_SINGLE.pack(super().parse(text)))[0]
        except OverflowError:
            raise WireError(f"number out of range: {text[:40]}") from None
        return number


class _Text(Kind):
    """UTF-8 text; None is an absent element, the empty string an empty one."""

    def parse(self, text: str) -> str:
        return unescape(text) if "&" in text else text

    def writer(self, name: str) -> Write:
        head, tail, nothing = f"<{name}>", f"</{name}>", f"<{name}/>"

        def write(value: str | None, add: Add) -> None:
            if value:
                add(f"{head}{escape(value)}{tail}")
            elif value is not None:
                add(nothing)

        return write


class _Binary(Kind):
    """Base64 bytes; nothing is written as an empty element."""

    def empty(self) -> bytes:
        return b""

    def parse(self, text: str) -> bytes:
        return base64_bytes(text)

    def writer(self, name: str) -> Write:
        head, tail = f"<{name}>", f"</{name}>"

        def write(value: bytes | None, add: Add) -> None:
            add(f"{head}{base64_text(value) if value else ''}{tail}")

        return write


BOOL: Final = _Boolean()
F32: Final = _Single(9)
F64: Final = _Real(17)
TEXT: Final = _Text()
BINARY: Final = _Binary()


class _LargeBinary(_Binary):
    """Bytes that may be a `Blob`: spooled when they are read, streamed when they are written."""

    def frame(self, context: Context) -> Frame:
        return _SpoolFrame(context)

    def writer(self, name: str) -> Write:
        head, tail = f"<{name}>", f"</{name}>"

        def write(value: bytes | Blob | None, add: Add) -> None:
            if isinstance(value, Blob):
                add(head)
                add(value)
                add(tail)
            else:
                add(f"{head}{base64_text(value) if value else ''}{tail}")

        return write


class _SpoolFrame(Frame):
    __slots__ = ("context", "length", "pieces", "spool")

    def __init__(self, context: Context) -> None:
        self.context = context
        self.length = 0
        self.pieces: list[str] = []
        self.spool: Spool | None = None

    def text(self, piece: str) -> None:
        if self.spool is not None:
            self.spool.write(piece)
            return
        self.pieces.append(piece)
        self.length += len(piece)
        self.spool = self.context.spool(self.length)
        if self.spool is not None:
            for each in self.pieces:
                self.spool.write(each)
            self.pieces.clear()

    def finish(self) -> Any:
        return base64_bytes("".join(self.pieces)) if self.spool is None else self.spool.close()


LARGE_BINARY: Final = _LargeBinary()


_HREF: Final = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')""")


class _Xop(Kind):
    """Bytes in a part of their own (XOP 1.0 section 2.1), or inline as base64 when the other end has no MTOM."""

    leaf = False

    def frame(self, context: Context) -> Frame:
        return _XopFrame(context)

    def writer(self, name: str) -> Write:
        def write(value: bytes | Blob | None, add: Add) -> None:
            add(f"<{name}>")
            if value is not None:
                add(Stream(value))
            add(f"</{name}>")

        return write


class _XopFrame(_SpoolFrame):
    __slots__ = ("href",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.href: str | None = None

    def child(self, name: str, attributes: str) -> None:
        if name.rpartition(":")[2] == "Include" and (found := _HREF.search(attributes)):
            self.href = unescape(found[1] if found[1] is not None else found[2])

    def finish(self) -> Any:
        if self.href is not None:
            return Include(self.href)
        return super().finish() if self.length else None


XOP: Final = _Xop()
