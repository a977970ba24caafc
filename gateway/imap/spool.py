"""Where large literals lie while they arrive: an unnamed file that goes with the last reference."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from gateway.imap.codec.cursor import Literal
from gateway.mailbox.source import SpooledFile
from gateway.mapi.content import Blob


class FileSpool:
    """A spool in a file. Writes go to the page cache and do not block for long."""

    __slots__ = ("_file", "_spooled")

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="mapi-gateway-imap-")  # noqa: SIM115 - closed by `close`
        self._spooled = SpooledFile(self._file)

    def write(self, data: bytes) -> None:
        """Take the next octets."""
        self._file.write(data)

    def chunks(self) -> Iterator[bytes]:
        """All octets, from the start."""
        return self.blob().chunks()

    def blob(self) -> Blob:
        """The octets as a value that others read."""
        self._file.flush()
        return self._spooled.blob()

    def close(self) -> None:
        """Forget the octets."""
        self._file.close()


def content(literal: Literal) -> bytes | Blob:
    """What a literal holds, as others take it."""
    return literal.spool.blob() if isinstance(literal.spool, FileSpool) else literal.read()
