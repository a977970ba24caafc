"""What was handed over, on disk before anything else is done with it: so a crash never makes a mail go out twice.

One file per message that is being sent. It is written (and synced) right after the smarthost's answer and removed when
the message has left the queue. A crash between the answer and the file is the one case nobody can tell from a crash
before the answer (RFC 1047): the mail is sent again then, with the same Message-ID. All functions block.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path

import msgspec
from twisted.logger import Logger

log = Logger()


class Entry(msgspec.Struct, kw_only=True):
    """How far a message is."""

    entryid: bytes
    sent: list[str] = []
    """Recipients that the smarthost took it for."""
    failed: dict[str, tuple[int, str, str]] = {}
    """Recipients that it refused for good: code, status, text."""
    over: bool = False
    """Whether nothing is left to be sent."""
    file_sent: bool = True
    """Whether it goes to Sent Items."""
    reported: bool = False
    """Whether the sender was told of the failures."""
    delayed: bool = False
    """Whether the sender was told that it waits."""


class Journal:
    """The entries in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def _file(self, entryid: bytes) -> Path:
        return self._directory / f"{blake2b(entryid, digest_size=20).hexdigest()}.sent"

    def get(self, entryid: bytes) -> Entry:
        """The entry of a message; a new one when there is none, or none that can be read."""
        return _read(self._file(entryid)) or Entry(entryid=entryid)

    def put(self, entry: Entry) -> None:
        """Write an entry; when this returns it survives a power cut."""
        self._directory.mkdir(parents=True, exist_ok=True)
        file = self._file(entry.entryid)
        new = file.with_suffix(".new")
        with new.open("wb") as opened:
            opened.write(msgspec.json.encode(entry))
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(new, file)
        self._sync()

    def remove(self, entryid: bytes) -> None:
        """The message has left the queue."""
        self._file(entryid).unlink(missing_ok=True)

    def all(self) -> list[Entry]:
        """What was under way when the process ended."""
        entries = map(_read, sorted(self._directory.glob("*.sent")))
        return [entry for entry in entries if entry is not None]

    def _sync(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read(file: Path) -> Entry | None:
    """The entry in a file; None when there is none, or the disk gives back something else than was written."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Entry)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        log.error("{file} is damaged, its message may be sent again: {error}", file=str(file), error=str(error))
        return None
