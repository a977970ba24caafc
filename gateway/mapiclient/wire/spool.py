"""Places for values that are too large to hold: files given by the caller, and `Blob`s over them."""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, TypeAlias
from weakref import finalize

from gateway.mapi.content import Blob
from gateway.mapiclient.wire.errors import WireError

#: Makes an empty file that can be written, sought and read; it is closed when no value refers to it any more.
Sink: TypeAlias = Callable[[], BinaryIO]

_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What a message may need; all limits apply before memory is used.

    ``size`` bytes of one message, ``depth`` of nested elements, ``items`` of one array. Values longer than
    ``spool_from`` bytes go to the sink when there is one.
    """

    size: int = 1 << 30
    depth: int = 200
    items: int = 5_000_000
    spool_from: int = 1 << 18


class _Spooled:
    """A file of the sink, closed when nothing refers to it any more."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = 0
        # Not __del__: the file must outlive this object even when both are part of one garbage cycle.
        finalize(self, file.close)

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self.size += self.file.write(data)

    def chunks(self) -> Iterator[bytes]:
        """The bytes, as often as wanted and by several readers at once."""
        position = 0
        while position < self.size:
            self.file.seek(position)
            data = self.file.read(min(_CHUNK, self.size - position))
            if not data:
                raise WireError("a spooled value was cut")
            position += len(data)
            yield data

    def blob(self) -> Blob:
        """The bytes as a value."""
        return Blob(self.size, self.chunks)


class Base64Spool:
    """Decodes base64 text, piece by piece, into a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = _Spooled(file)
        self._rest = ""
        self._padded = False

    def write(self, text: str) -> None:
        """Take the next piece, which may be cut anywhere and contain blanks."""
        text = self._rest + text
        if any(blank in text for blank in " \t\r\n"):
            text = "".join(text.split())
        usable = len(text) & ~3
        self._rest = text[usable:]
        if usable:
            self._decode(text[:usable])

    def _decode(self, text: str) -> None:
        if self._padded:
            raise WireError("bad base64: data after padding")
        try:
            data = a2b_base64(text, strict_mode=True)
        except ValueError as error:
            raise WireError(f"bad base64: {error}") from None
        self._padded = text.endswith("=")
        self._file.write(data)

    def close(self) -> Blob:
        """All of it."""
        if self._rest:
            raise WireError("bad base64: incorrect padding")
        return self._file.blob()


class PartStore:
    """Collects the raw bytes of one MIME part: in memory, or in a file once they are many."""

    def __init__(self, sink: Sink | None, spool_from: int) -> None:
        self._sink, self._spool_from = sink, spool_from
        self._pieces: list[bytes] = []
        self._file: _Spooled | None = None
        self._size = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self._size += len(data)
        if self._file is not None:
            self._file.write(data)
            return
        self._pieces.append(data)
        if self._sink is not None and self._size > self._spool_from:
            self._file = _Spooled(self._sink())
            self._file.write(b"".join(self._pieces))
            self._pieces.clear()

    def close(self) -> bytes | Blob:
        """All of it."""
        return b"".join(self._pieces) if self._file is None else self._file.blob()
