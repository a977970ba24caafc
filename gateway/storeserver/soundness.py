"""Whether a store's data are sound: the database itself, what its tables say of each other, the attachment files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Final

from gateway.storeserver.attachments import AttachmentFiles
from gateway.storeserver.directory import ATTACHMENTS, DATABASE, StoreUnusable

_AT_MOST: Final = 100
"""Findings of one kind that are told."""
#: Statements that must find no rows, by what it means when they do.
_RULES: Final = {
    "message {} is in no folder": """
        select m.id from messages m left join folders f on f.id = m.folder_id where f.id is null""",
    "message {} has lost its properties": """
        select m.id from messages m left join details d on d.object_id = m.id where d.object_id is null""",
    "part {} belongs to message {}, which is not there": """
        select p.id, p.message_id from parts p left join messages m on m.id = p.message_id where m.id is null""",
    "property {1:#010x} of object {0} is missing": """
        select l.object_id, l.tag from long_values l left join instances i on i.id = l.instance_id
        where l.instance_id is not null and i.id is null""",
    "folder {} ({}) says it has {} messages, and has {}": """
        select f.id, f.name, f.messages, count(m.id) from folders f
        left join messages m on m.folder_id = f.id and m.state = 0
        where f.type <> 2 group by f.id having f.messages <> count(m.id)""",
    "folder {} ({}) says it has {} unread messages, and has {}": """
        select f.id, f.name, f.unread, count(m.id) from folders f
        left join messages m on m.folder_id = f.id and m.state = 0 and m.message_flags % 2 = 0
        where f.type <> 2 group by f.id having f.unread <> count(m.id)""",
    "UID {} was given {} times": """
        select imap_id, count(*) from messages group by imap_id having count(*) > 1""",
}
_FILES: Final = "select hash, size from instances where data is null"


def findings(directory: Path, *, contents: bool = False) -> Iterator[str]:
    """What is wrong, one line each; nothing for sound data. The store may be running.

    ``contents`` reads the attachment files, too, instead of only looking at their sizes.
    """
    path = directory / DATABASE
    if not path.exists():
        raise StoreUnusable(f"there is no store in {directory}")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.execute("begin")
            yield from _of_database(database)
            yield from _of_files(database, AttachmentFiles(directory / ATTACHMENTS), contents=contents)
    except sqlite3.DatabaseError as error:
        yield f"the database cannot be read: {error}"


def _of_database(database: sqlite3.Connection) -> Iterator[str]:
    for (text,) in database.execute(f"pragma integrity_check({_AT_MOST})"):
        if text != "ok":
            yield f"database: {text}"
    for text, query in _RULES.items():
        for row in database.execute(f"{query} limit {_AT_MOST}"):
            yield text.format(*row)


def _of_files(database: sqlite3.Connection, files: AttachmentFiles, *, contents: bool) -> Iterator[str]:
    wrong = []
    for digest, size in database.execute(_FILES):
        problem = _of_file(files.path(digest), digest, size, contents=contents)
        if problem:
            wrong.append((digest, problem))
    if wrong:
        # A running store may have removed meanwhile what nobody refers to: as of now, does it still count?
        database.rollback()
        kept = {digest for digest, _ in database.execute(_FILES)}
        yield from (problem for digest, problem in wrong if digest in kept)


def _of_file(path: Path, digest: bytes, size: int, *, contents: bool) -> str:
    """What is wrong with an attachment file, "" for nothing."""
    try:
        found = path.stat().st_size
        if found != size:
            return f"attachment file {path} has {found} bytes instead of {size}"
        if contents and sha256(path.read_bytes()).digest() != digest:
            return f"attachment file {path} is damaged"
    except FileNotFoundError:
        return f"attachment file {path} is missing"
    return ""
