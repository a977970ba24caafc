"""Attachment data and stored mails: kept once per content, large ones as files named by their SHA-256.

A file is complete and on disk before the row that refers to it is committed; a file nobody refers to (a
rolled back transaction, a purged message) is found and removed by `sweep`. An instance has a number, which
clients may send instead of the bytes they got it for (lpInstanceIds).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gateway.mapi.errors import ErrorCode, MapiError, NotFound, StoreBusy, TooBig
from gateway.storeserver.schema import instances, long_values
from gateway.storeserver.statements import Statement

if TYPE_CHECKING:
    from gateway.storeserver.database import StoreDatabase, Transaction

_INSTANCE_GUID: Final = bytes.fromhex("7976ed54d0d211dd9705be5055d89593")
_INSTANCE_ID: Final = struct.Struct("<4s16sIIII16s")
_SWEEP_AT_ONCE: Final = 500


class AttachmentFiles:
    """The directory of attachment files, sharded by the first two digits of the hash."""

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self.directory = directory
        self.durable = durable

    def path(self, digest: bytes) -> Path:
        """Where the content with this SHA-256 is or would be."""
        text = digest.hex()
        return self.directory / text[:2] / text

    def write(self, digest: bytes, data: bytes, unique: str) -> None:
        """Keep the content; it is complete and on disk when this returns (OSError: nothing is left of it)."""
        path = self.path(digest)
        if path.exists():
            return
        if not self.directory.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            if self.durable:
                self._sync(self.directory.parent)
        path.parent.mkdir(exist_ok=True)
        partial = path.with_name(f"{path.name}.{unique}.part")
        try:
            with partial.open("wb") as file:
                file.write(data)
                if self.durable:
                    file.flush()
                    os.fsync(file.fileno())
            partial.replace(path)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        if self.durable:
            self._sync(path.parent)
            self._sync(self.directory)

    def read(self, digest: bytes) -> bytes:
        """The content (NotFound when the file is missing)."""
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"the attachment file {digest.hex()} is missing") from None
        except OSError as error:
            raise StoreBusy(f"attachment file: {error}", code=ErrorCode.DATABASE_ERROR) from error

    def remove(self, digest: bytes) -> None:
        """Forget the content."""
        self.path(digest).unlink(missing_ok=True)

    def listed(self) -> Iterator[Path]:
        """Every file, half-written ones included."""
        if self.directory.is_dir():
            for shard in sorted(self.directory.iterdir()):
                if shard.is_dir():
                    yield from shard.iterdir()

    @staticmethod
    def _sync(directory: Path) -> None:
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


_BY_HASH: Final = Statement(sa.select(instances.c.id).where(instances.c.hash == sa.bindparam("digest")))
_BY_ID: Final = Statement(
    sa.select(instances.c.hash, instances.c.data).where(instances.c.id == sa.bindparam("number"))
)
_ADD: Final = Statement(instances.insert())


def keep(tx: Transaction, data: bytes) -> int:
    """Keep the content and give its instance number (TooBig above the limit)."""
    if len(data) > tx.options.content_limit:
        raise TooBig(f"{len(data)} bytes are more than the limit of {tx.options.content_limit}")
    digest = sha256(data).digest()
    known = tx.value(_BY_HASH, digest=digest)
    if known is not None:
        return int(known)
    number = tx.take("instance")
    inline = len(data) < tx.options.inline_limit
    if not inline:
        try:
            tx.database.files.write(digest, data, tx.random(8).hex())
        except OSError as error:
            raise StoreBusy(f"attachment file: {error}", code=ErrorCode.DATABASE_ERROR) from error
    tx.run(_ADD, id=number, hash=digest, size=len(data), data=data if inline else None)
    return number


def content(tx: Transaction, number: int) -> bytes:
    """The bytes of an instance (NotFound when there is none)."""
    row = tx.row(_BY_ID, number=number)
    if row is None:
        raise NotFound(f"there is no instance {number}")
    digest, data = row
    return tx.database.files.read(digest) if data is None else bytes(data)


def instance_id(server_guid: bytes, property_id: int, number: int) -> bytes:
    """The single-instance id of the wire, 52 bytes."""
    return _INSTANCE_ID.pack(bytes(4), _INSTANCE_GUID, 0, property_id, number, 0, server_guid)


def instance_number(tx: Transaction, id: bytes) -> tuple[int, int]:
    """The property id and number in a single-instance id of this server that is known (else UNKNOWN_INSTANCE_ID)."""
    if len(id) == _INSTANCE_ID.size:
        _, guid, _, property_id, number, _, server = _INSTANCE_ID.unpack(id)
        ours = guid == _INSTANCE_GUID and server == tx.server_guid
        if ours and tx.row(_BY_ID, number=number) is not None:
            return property_id, number
    raise MapiError("the instance id is not known", code=ErrorCode.UNKNOWN_INSTANCE_ID)


def sweep(database: StoreDatabase) -> int:
    """Remove instances nobody refers to, and files without an instance; gives how many files went.

    Files are removed while writers are kept out, so that none can begin to refer to one at that moment.
    """
    used = sa.select(long_values.c.instance_id).where(long_values.c.instance_id == instances.c.id)
    unused = sa.select(instances.c.id).where(~used.exists()).limit(_SWEEP_AT_ONCE)
    while True:
        with database.write() as tx:
            numbers = tx.connection.execute(unused).scalars().all()
            if numbers:
                tx.connection.execute(instances.delete().where(instances.c.id.in_(numbers)))
        if len(numbers) < _SWEEP_AT_ONCE:
            break
    return _sweep_files(database)


def _sweep_files(database: StoreDatabase) -> int:
    removed = 0
    paths = list(database.files.listed())
    for start in range(0, len(paths), _SWEEP_AT_ONCE):
        batch = paths[start : start + _SWEEP_AT_ONCE]
        with database.write() as tx:
            known = _known_names(tx, batch)
            for path in batch:
                if path.name not in known:
                    path.unlink(missing_ok=True)
                    removed += 1
    return removed


def _known_names(tx: Transaction, paths: list[Path]) -> set[str]:
    digests = [bytes.fromhex(path.name) for path in paths if len(path.name) == 64]
    query = sa.select(instances.c.hash).where(instances.c.hash.in_(digests), instances.c.data.is_(None))
    return {bytes(digest).hex() for digest in tx.connection.execute(query).scalars()}
