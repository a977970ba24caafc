"""One mail on its way in: envelope and body, which moves to a file when it grows."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from typing import IO, Any

from gateway.mailbox.source import SpooledFile
from gateway.mapi.content import Blob
from gateway.smtp.codec.address import Address


class Body:
    """Octets as they arrive; at most ``limit`` are kept, the rest is counted."""

    def __init__(self, limit: int, spool_above: int) -> None:
        self._limit = limit
        self._spool_above = spool_above
        self._memory: list[bytes] = []
        self._file: IO[bytes] | None = None
        self.size = 0

    @property
    def is_too_big(self) -> bool:
        """Whether more came than is taken."""
        return self.size > self._limit

    def add(self, data: bytes) -> None:
        """Take octets (OSError when the disk is full)."""
        self.size += len(data)
        if self.is_too_big:
            self.close()
        elif self._file is not None:
            self._file.write(data)
        else:
            self._memory.append(data)
            if self.size > self._spool_above:
                self._file = tempfile.TemporaryFile(prefix="mapi-gateway-")  # noqa: SIM115 - lives with the Body
                self._file.writelines(self._memory)
                self._memory.clear()

    def close(self) -> None:
        """Let go of everything."""
        self._memory.clear()
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def content(self) -> bytes | Blob:
        """All of it."""
        if self._file is not None:
            self._file.flush()
            return SpooledFile(self._file).blob()
        return b"".join(self._memory)


@dataclass(slots=True)
class Transaction:
    """A mail: from MAIL to the end of its data."""

    sender: Address
    body: Body
    utf8: bool = False
    recipients: list[tuple[Address, Any]] = field(default_factory=list)
    """Each with what the backend made of it."""
