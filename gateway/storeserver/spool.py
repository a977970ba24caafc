"""Bodies of requests and replies: small ones in memory, large ones in an unnamed temporary file."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO, Final

IN_MEMORY: Final = 256 * 1024
"""Bytes of a body that stay in memory."""
CHUNK: Final = 64 * 1024


class TooLarge(ValueError):
    """A body exceeds its limit."""


class Body:
    """Bytes that are written once, front to back, and then read any number of times.

    Raises TooLarge as soon as more than ``limit`` bytes are written.
    """

    __slots__ = ("_file", "_limit", "_pieces", "size")

    def __init__(self, limit: int) -> None:
        self.size = 0
        self._limit = limit
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None

    @classmethod
    def of(cls, data: bytes) -> Body:
        """A body of bytes that exist already."""
        body = cls(len(data))
        body.size = len(data)
        body._pieces.append(data)
        return body

    def write(self, data: bytes) -> None:
        """Append."""
        self.size += len(data)
        if self.size > self._limit:
            self.close()
            raise TooLarge(f"more than {self._limit} bytes")
        if self._file is None and self.size > IN_MEMORY:
            # buffering would only copy: the pieces are large
            self._file = TemporaryFile(prefix="gateway-store-", buffering=0)  # noqa: SIM115
            for piece in self._pieces:
                self._file.write(piece)
            self._pieces.clear()
        if self._file is not None:
            self._file.write(data)
        else:
            self._pieces.append(data)

    def chunks(self) -> Iterator[bytes]:
        """The bytes again, in pieces. Only one reader at a time."""
        if self._file is None:
            yield from self._pieces
            return
        self._file.seek(0)
        while data := self._file.read(CHUNK):
            yield data

    def head(self, size: int) -> bytes:
        """The first bytes, of a body in memory; nothing of a large one."""
        return b"" if self._file is not None or not self._pieces else self._pieces[0][:size]

    def read(self) -> bytes:
        """All of it."""
        return b"".join(self.chunks())

    def close(self) -> None:
        """Free what it holds."""
        self._pieces.clear()
        if self._file is not None:
            self._file.close()
            self._file = None


def inflated(chunks: Iterator[bytes], encoding: str, limit: int) -> Iterator[bytes]:
    """The bytes behind a gzip or deflate content coding (RFC 9110 8.4.1).

    Raises TooLarge beyond ``limit`` bytes of result and ValueError for broken data, before it is all in memory.
    """
    window = zlib.MAX_WBITS | 32  # gzip or zlib, as the header says
    inflater = zlib.decompressobj(window)
    raw = encoding == "deflate"
    total = 0
    for number, chunk in enumerate(chunks):
        data = chunk
        while data and not inflater.eof:
            try:
                piece = inflater.decompress(data, CHUNK)
            except zlib.error as error:
                if not (raw and number == 0 and total == 0):
                    raise ValueError(f"broken {encoding} data: {error}") from None
                raw = False  # some senders of "deflate" leave out the zlib wrapper
                inflater = zlib.decompressobj(-zlib.MAX_WBITS)
                continue
            total += len(piece)
            if total > limit:
                raise TooLarge(f"more than {limit} bytes behind the {encoding} coding")
            yield piece
            data = inflater.unconsumed_tail
    if not inflater.eof:
        raise ValueError(f"the {encoding} data ends too early")
