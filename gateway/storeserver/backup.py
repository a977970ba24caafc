"""A copy of a store's data, taken while it is in use.

The database is copied as of one moment. Attachment files never change and are named by their content, so they are
copied before that, and what came meanwhile after it; what the copy has already is not copied again.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.storeserver.attachments import AttachmentFiles
from gateway.storeserver.directory import ATTACHMENTS, DATABASE, DirectoryLock, StoreUnusable, unusable

_ATTEMPTS: Final = 3
_FILES: Final = "select hash from instances where data is null"


@dataclass(frozen=True, slots=True)
class Copied:
    """What a backup did."""

    octets: int
    """Size of the database."""
    files: int
    """Attachment files in the backup ..."""
    new: int
    """... and how many of them were copied this time."""


def back_up(directory: Path, target: Path) -> Copied:
    """Copy a store that may be running (StoreUnusable, OSError); an older backup in the target is brought up to date.

    The target is a store's directory itself afterwards: it may be put in the place of the original.
    """
    source = directory / DATABASE
    if not source.exists():
        raise StoreUnusable(f"there is no store in {directory}")
    if target.resolve() == directory.resolve():
        raise StoreUnusable("a backup needs another directory")
    lock = DirectoryLock(target)  # not into the directory of a running store
    try:
        files, kept = AttachmentFiles(directory / ATTACHMENTS), AttachmentFiles(target / ATTACHMENTS)
        new = sum(_copy(path, kept) for path in files.listed() if len(path.name) == 64)
        for _ in range(_ATTEMPTS):
            wanted = _snapshot(source, target / (DATABASE + ".new"))
            missing = [digest for digest in wanted if not kept.path(digest).exists()]
            present = [digest for digest in missing if files.path(digest).exists()]
            new += sum(_copy(files.path(digest), kept) for digest in present)
            if len(present) == len(missing):  # else some were deleted for good since the snapshot
                break
        _put_in_place(target)
        names = {digest.hex() for digest in wanted}
        for path in list(kept.listed()):
            if path.name not in names:
                path.unlink()
        return Copied((target / DATABASE).stat().st_size, len(names), new)
    finally:
        lock.release()


def _snapshot(source: Path, copy: Path) -> list[bytes]:
    """Copy the database as it is at this moment; the hashes of the attachment files that belong to it."""
    copy.unlink(missing_ok=True)
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as original,
            closing(sqlite3.connect(copy)) as snapshot,
        ):
            original.backup(snapshot)
            return [bytes(digest) for (digest,) in snapshot.execute(_FILES)]
    except sqlite3.Error as error:
        raise unusable(source, error) from error


def _put_in_place(target: Path) -> None:
    for left in ("-wal", "-shm"):
        (target / (DATABASE + left)).unlink(missing_ok=True)
    (target / (DATABASE + ".new")).replace(target / DATABASE)


def _copy(path: Path, kept: AttachmentFiles) -> bool:
    """Copy a file that is not there yet; whether that was so."""
    copy = kept.path(bytes.fromhex(path.name))
    if copy.exists():
        return False
    copy.parent.mkdir(parents=True, exist_ok=True)
    partial = copy.with_name(copy.name + ".part")
    try:
        shutil.copyfile(path, partial)
    except FileNotFoundError:
        return False  # deleted meanwhile
    partial.replace(copy)
    return True
