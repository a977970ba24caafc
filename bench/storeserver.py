"""What the embedded store's core costs: appends, listings of a large folder, change listings.

Run: ``python bench/storeserver.py [messages] [directory]``. Prints wall and CPU time; asserts nothing.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.mapi import proptags as p
from gateway.mapi.changes import SyncFlags, SyncKind
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.structs import ObjectTree
from gateway.storeserver import accounts, changes, identity, locate, messages, objects, rows, stores
from gateway.storeserver.accounts import Actor
from gateway.storeserver.database import StoreDatabase, StoreOptions
from gateway.storeserver.locate import Store

COLUMNS = (
    p.PR_ENTRYID,
    p.PR_EC_IMAP_ID,
    p.PR_MESSAGE_FLAGS,
    p.PR_MSG_STATUS,
    p.PR_LAST_VERB_EXECUTED,
    p.PR_FLAG_STATUS,
    p.PR_MESSAGE_DELIVERY_TIME,
    p.PR_EC_IMAP_EMAIL_SIZE,
)
MAIL = b"Subject: a mail\r\nFrom: a@example.test\r\n\r\n" + b"The text of the mail.\r\n" * 100


@contextmanager
def timed(what: str, count: int) -> Iterator[None]:
    """Print what the block cost."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"{what:52} {wall * 1e3:9.1f} ms wall {cpu * 1e3:9.1f} ms cpu {wall / count * 1e6:8.1f} us each"
        f" {count / wall:9.0f}/s"
    )


def mail(number: int) -> ObjectTree:
    """A mail as the gateway appends it: properties, two recipients, the stored original."""
    recipients = [
        ObjectTree(
            obj_type=ObjectType.MAIL_USER,
            client_id=row,
            mod_props=[
                (p.PR_RECIPIENT_TYPE, 1),
                (p.PR_ROWID, row),
                (p.PR_DISPLAY_NAME, f"Recipient {row}"),
                (p.PR_ADDRTYPE, "SMTP"),
                (p.PR_EMAIL_ADDRESS, f"r{row}@example.test"),
                (p.PR_SMTP_ADDRESS, f"r{row}@example.test"),
            ],
        )
        for row in range(2)
    ]
    return ObjectTree(
        children=recipients,
        obj_type=ObjectType.MESSAGE,
        mod_props=[
            (p.PR_MESSAGE_CLASS, "IPM.Note"),
            (p.PR_SUBJECT, f"Message number {number}"),
            (p.PR_SUBJECT_PREFIX, ""),
            (p.PR_CONVERSATION_TOPIC, f"Message number {number}"),
            (p.PR_SENDER_NAME, "A Sender"),
            (p.PR_SENDER_EMAIL_ADDRESS, "sender@example.test"),
            (p.PR_SENDER_ADDRTYPE, "SMTP"),
            (p.PR_SENDER_ENTRYID, bytes(60)),
            (p.PR_SENT_REPRESENTING_NAME, "A Sender"),
            (p.PR_SENT_REPRESENTING_EMAIL_ADDRESS, "sender@example.test"),
            (p.PR_SENT_REPRESENTING_ENTRYID, bytes(60)),
            (p.PR_TRANSPORT_MESSAGE_HEADERS, "Received: from somewhere\r\n" * 20),
            (p.PR_DISPLAY_TO, "Recipient 0; Recipient 1"),
            (p.PR_DISPLAY_CC, ""),
            (p.PR_MESSAGE_DELIVERY_TIME, 134_000_000_000_000_000 + number * 10_000_000),
            (p.PR_CLIENT_SUBMIT_TIME, 134_000_000_000_000_000 + number * 10_000_000),
            (p.PR_MESSAGE_FLAGS, number & 1),
            (p.PR_BODY, "The text of the mail.\n" * 30),
            (p.PR_INTERNET_MESSAGE_ID, f"<{number}@example.test>"),
            (p.PR_SEARCH_KEY, number.to_bytes(16, "big")),
            (p.PR_EC_IMAP_EMAIL, b"X-Number: %d\r\n" % number + MAIL),
            (p.PR_EC_IMAP_EMAIL_SIZE, len(MAIL) + 20),
            (p.PR_EC_IMAP_BODYSTRUCTURE, '("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "7BIT" 2300 100)'),
        ],
    )


def bench(directory: Path, count: int) -> None:
    """Measure everything once."""
    database = StoreDatabase(directory, options=StoreOptions(password_time=1, password_memory=64))
    with database.write() as tx:
        owner = accounts.create_account(
            tx, accounts.SYSTEM, accounts.NewAccount("bench", "Bench", "bench@example.test", "bench")
        )
        store = stores.create_private(tx, owner)
    actor = accounts.actor_of(owner)
    with database.read() as tx:
        inbox = stores.receive_folder(tx, store.entryid, "IPM")[0]
    _appends(database, actor, store, inbox, count)
    _listings(database, actor, inbox, count)
    _changes(database, actor, inbox, count)
    _flags(database, actor, inbox)
    database.close()


def _appends(database: StoreDatabase, actor: Actor, store: Store, inbox: bytes, count: int) -> None:
    trees = [mail(number) for number in range(500)]
    with timed("append one mail per transaction, synced to disk", len(trees)):
        for tree in trees:
            with database.write() as tx:
                entryid = identity.new_entryid(tx, store.guid, ObjectType.MESSAGE)
                objects.save_object(tx, actor, inbox, entryid, tree)
    left = count - len(trees)
    with timed("append mails, 1000 per transaction", left):
        for start in range(0, left, 1000):
            with database.write() as tx:
                for number in range(start, min(start + 1000, left)):
                    entryid = identity.new_entryid(tx, store.guid, ObjectType.MESSAGE)
                    objects.save_object(tx, actor, inbox, entryid, mail(1000 + number))


def _listings(database: StoreDatabase, actor: Actor, inbox: bytes, count: int) -> None:
    def listing(what: str, read: Callable[[], object]) -> None:
        with timed(what, count):
            read()

    with database.read() as tx:
        folder = locate.folder_by_entryid(tx, inbox)
        listing("ids", lambda: rows.message_ids(tx, actor, folder.id))
        listing("rows: 2 columns of the table", lambda: rows.message_rows(tx, actor, folder.id, COLUMNS[1:3]))
        listing("rows: 8 columns, 3 of them packed", lambda: rows.message_rows(tx, actor, folder.id, COLUMNS))
        listing("the same again", lambda: rows.message_rows(tx, actor, folder.id, COLUMNS))
        cold = (*COLUMNS, p.PR_EC_IMAP_BODYSTRUCTURE)
        listing("rows: 9 columns, one of the details", lambda: rows.message_rows(tx, actor, folder.id, cold))
        ids = rows.message_ids(tx, actor, folder.id)[:50]
        with timed("rows: 8 columns of 50 messages", 50):
            rows.message_rows(tx, actor, folder.id, COLUMNS, ids=ids)
        entryids = [props[p.PR_ENTRYID] for _, props in rows.message_rows(tx, actor, folder.id, COLUMNS)[:500]]
        with timed("loadObject", 500):
            for entryid in entryids:
                objects.load_object(tx, actor, entryid)
        with timed("loadProp of the stored mail", 500):
            for entryid in entryids:
                objects.load_prop(tx, actor, entryid, 0, p.PR_EC_IMAP_EMAIL)


def _changes(database: StoreDatabase, actor: Actor, inbox: bytes, count: int) -> None:
    flags = SyncFlags.NORMAL | SyncFlags.READ_STATE
    with database.write() as tx:
        key = locate.folder_by_entryid(tx, inbox).source_key
        sync_id = changes.set_status(tx, actor, key, 0, 0, SyncKind.CONTENTS)
    with database.read() as tx:
        with timed("full change listing", count):
            _, position = changes.get_changes(tx, actor, key, sync_id, 0, SyncKind.CONTENTS, flags)
        with timed("changes since long ago", count):
            changes.get_changes(tx, actor, key, sync_id, 1, SyncKind.CONTENTS, flags)
        with timed("changes: nothing new", 1):
            changes.get_changes(tx, actor, key, sync_id, position, SyncKind.CONTENTS, flags)


def _flags(database: StoreDatabase, actor: Actor, inbox: bytes) -> None:
    with database.read() as tx:
        folder = locate.folder_by_entryid(tx, inbox)
        found = rows.message_rows(tx, actor, folder.id, (p.PR_ENTRYID,))[:1000]
    entryids = [props[p.PR_ENTRYID] for _, props in found]
    with timed("mark 1000 messages read, one call", 1000), database.write() as tx:
        messages.set_read_flags(tx, actor, 1, entryids)
    with timed("mark messages unread, one per transaction", 200):
        for entryid in entryids[:200]:
            with database.write() as tx:
                messages.set_read_flags(tx, actor, 4, [entryid])
    with timed("copy 1000 messages, one call", 1000), database.write() as tx:
        messages.copy_messages(tx, actor, entryids, inbox, move=False)
    with timed("delete 1000 messages softly, one call", 1000), database.write() as tx:
        messages.delete_messages(tx, actor, entryids, hard=False)


def main() -> None:
    """Run with the arguments of the command line."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    if len(sys.argv) > 2:
        bench(Path(sys.argv[2]), count)
        return
    with tempfile.TemporaryDirectory() as directory:
        bench(Path(directory), count)


if __name__ == "__main__":
    main()
