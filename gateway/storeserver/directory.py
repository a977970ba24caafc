"""The directory of a store's data: that only one server uses it, and what is said when it cannot be used."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Final

DATABASE: Final = "store.db"
ATTACHMENTS: Final = "attachments"
_LOCK: Final = "lock"


class StoreUnusable(OSError):
    """The data cannot be used; the text says why, and what to do."""


class DirectoryLock:
    """Keeps other store servers away from a directory until it is released, or the process ends however it ends.

    Programs that only open the database (``gateway-admin``) are not kept away: they take turns with the server.
    """

    def __init__(self, directory: Path) -> None:
        """Take it (StoreUnusable when another server has it)."""
        directory.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._descriptor, 20).decode("ascii", "replace").strip() or "of unknown number"
            os.close(self._descriptor)
            raise StoreUnusable(
                f"{directory} is used by another store server (process {holder}): stop that one, or name another directory"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, b"%d\n" % os.getpid())

    def release(self) -> None:
        """Let others in."""
        os.close(self._descriptor)


_REASONS: Final = {
    sqlite3.SQLITE_BUSY: "another program has kept it locked for too long",
    sqlite3.SQLITE_FULL: "the disk is full; make room",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; may this user read and write there?",
    sqlite3.SQLITE_READONLY: "it cannot be written; may this user write there?",
    sqlite3.SQLITE_IOERR: "the disk gives errors, or is full",
}


def unusable(path: Path, error: BaseException) -> StoreUnusable:
    """What is said of a database that does not open."""
    cause = getattr(error, "orig", error)
    reason = _REASONS.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    if reason is not None:
        return StoreUnusable(f"{path}: {reason} ({cause})")
    return StoreUnusable(
        f"{path} is damaged, or no database of a store ({cause}). Keep a copy of {path.parent} as it is, then put the"
        " last backup in its place; `gateway-admin store check` tells what else is wrong"
    )
