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
from functools import partial
from mmap import ACCESS_READ, mmap
from typing import IO, Final, cast
from weakref import finalize

from gateway.mapi.content import AttachmentContent, Blob, MessageContent

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
    """Bytes in an unnamed file, given out as Blobs. The file is closed with the last reference to them and to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        # Not __del__: the file must outlive this object even when both are part of one garbage cycle.
        finalize(self, file.close)

    def blob(self) -> Blob:
        """All of it, as far as it is written now."""
        size = os.fstat(self._file.fileno()).st_size
        whole = self.part(0, size)
        return Blob(size, whole.chunks, whole.at, partial(self._mapped, size) if size else None)

    def part(self, begin: int, size: int) -> Blob:
        """So many bytes from an offset on."""
        return Blob(size, partial(self._chunks, begin, size), partial(self._at, begin, size))

    def _at(self, begin: int, size: int, offset: int, length: int) -> bytes:
        return os.pread(self._file.fileno(), max(0, min(length, size - offset)), begin + offset)

    def _chunks(self, begin: int, size: int) -> Iterator[bytes]:
        offset = 0
        while chunk := self._at(begin, size, offset, _CHUNK):
            yield chunk
            offset += len(chunk)

    def _mapped(self, size: int) -> mmap:
        return mmap(self._file.fileno(), size, access=ACCESS_READ)


def spool_attachments(content: MessageContent, above: int) -> None:
    """Put the data of attachments larger than ``above`` into one file. Blocks: call in a thread (OSError)."""
    large = [each for each in _attachments(content) if isinstance(each.data, bytes) and len(each.data) > above]
    if not large:
        return
    file = tempfile.TemporaryFile(prefix="mapi-gateway-")  # noqa: SIM115 - closed with the Blobs
    spooled = SpooledFile(file)
    for attachment in large:
        begin, size = file.tell(), file.write(cast("bytes", attachment.data))
        attachment.data = spooled.part(begin, size)
    file.flush()


def _attachments(content: MessageContent) -> Iterator[AttachmentContent]:
    for attachment in content.attachments:
        yield attachment
        if attachment.embedded is not None:
            yield from _attachments(attachment.embedded)


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


def has_bare_line_feeds(data: bytes | mmap) -> bool:
    """Whether some line ends in LF alone."""
    return _BARE_LF.search(data) is not None


def crlf(data: bytes) -> bytes:
    """The bytes with every line end as CRLF, so that size and content agree with what is sent."""
    if data.count(b"\n") == data.count(b"\r\n"):
        return data
    return _BARE_LF.sub(b"\r\n", data)
