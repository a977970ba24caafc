"""The RFC 5322 bytes of a message: the stored original, or a mail generated from its properties.

If the store keeps the original, those bytes are the message for every read. If not, the mail is written from the
properties, the same each time (`gateway.convert.mime.to_mime`). Bytes beyond a threshold stay on disk.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Final

from gateway.mapi.content import Blob

#: Mails larger than this are kept in a file while they are read.
SPOOL_LIMIT: Final = 1 << 20
_CHUNK: Final = 1 << 16
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of one message."""

    uid: int
    data: bytes | Blob

    @property
    def size(self) -> int:
        """RFC822.SIZE: exactly as many octets as the data has."""
        return self.data.size if isinstance(self.data, Blob) else len(self.data)

    def slice(self, offset: int, length: int) -> bytes:
        """At most ``length`` octets from ``offset`` on."""
        if isinstance(self.data, Blob):
            return self.data.slice(offset, length)
        return self.data[offset : offset + length]

    def read(self) -> bytes:
        """All of it; large mails are better sliced."""
        return self.data.read() if isinstance(self.data, Blob) else self.data


class SpooledFile:
    """Bytes in an unnamed file, as a Blob. The file goes when the last reference to the Blob does."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size

    def blob(self) -> Blob:
        """The content."""
        return Blob(self._size, self._chunks, self._at)

    def _at(self, offset: int, length: int) -> bytes:
        return os.pread(self._file.fileno(), max(0, min(length, self._size - offset)), offset)

    def _chunks(self) -> Iterator[bytes]:
        offset = 0
        while chunk := self._at(offset, _CHUNK):
            yield chunk
            offset += len(chunk)


def gathered(chunks: Iterable[bytes], limit: int = SPOOL_LIMIT) -> bytes | Blob:
    """Chunks as bytes, or as a file-backed Blob when there are more than ``limit``. Blocks: call in a thread."""
    held: list[bytes] = []
    size = 0
    iterator = iter(chunks)
    for chunk in iterator:
        held.append(chunk)
        size += len(chunk)
        if size > limit:
            return _spooled(held, iterator)
    return b"".join(held)


def _spooled(held: list[bytes], rest: Iterator[bytes]) -> Blob:
    file = tempfile.TemporaryFile(prefix="mapi-gateway-")  # noqa: SIM115 - closed with the Blob
    file.writelines(held)
    file.writelines(rest)
    file.flush()
    return SpooledFile(file).blob()


def crlf(data: bytes) -> bytes:
    """The bytes with every line end as CRLF, so that size and content agree with what is sent."""
    if data.count(b"\n") == data.count(b"\r\n"):
        return data
    return _BARE_LF.sub(b"\r\n", data)
