"""Where large literals lie while they arrive: an unnamed file that goes with the last reference."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Final

from gateway.imap.codec.cursor import Literal
from gateway.mapi.content import Blob

_CHUNK: Final = 1 << 16


class FileSpool:
    """A spool in a file. Writes go to the page cache and do not block for long."""

    __slots__ = ("_file", "_size")

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="mapi-gateway-imap-")  # noqa: SIM115 - closed by `close`
        self._size = 0

    def write(self, data: bytes) -> None:
        """Take the next octets."""
        self._file.write(data)
        self._size += len(data)

    def chunks(self) -> Iterator[bytes]:
        """All octets, from the start."""
        self._file.flush()
        offset = 0
        while chunk := os.pread(self._file.fileno(), _CHUNK, offset):
            yield chunk
            offset += len(chunk)

    def blob(self) -> Blob:
        """The octets as a value that others read."""
        self._file.flush()
        return Blob(
            self._size, self.chunks, lambda offset, length: os.pread(self._file.fileno(), length, offset)
        )

    def close(self) -> None:
        """Forget the octets."""
        self._file.close()


def content(literal: Literal) -> bytes | Blob:
    """What a literal holds, as others take it."""
    return literal.spool.blob() if isinstance(literal.spool, FileSpool) else literal.read()
