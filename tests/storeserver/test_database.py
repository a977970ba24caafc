"""Transactions: durability, concurrency, rollback; attachment files and their collection."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gateway.mapi import proptags as p
from gateway.mapi.errors import ErrorCode, StoreBusy, TooBig
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.structs import ObjectTree
from gateway.storeserver import accounts, attachments, identity, locate, messages, objects, rows, stores
from gateway.storeserver.attachments import sweep
from gateway.storeserver.database import StoreDatabase, StoreOptions, Transaction
from gateway.storeserver.directory import StoreUnusable
from tests.support.storecore import OPTIONS, World, attachment, message

ROOT = Path(__file__).parents[2]
#: Appends mails until it is killed, and tells the number of each after it was written.
WRITER = """
import sys
from pathlib import Path
from gateway.mapi import proptags as p
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.structs import ObjectTree
from gateway.storeserver import accounts, identity, objects, stores
from gateway.storeserver.database import StoreDatabase, StoreOptions

options = StoreOptions(password_time=1, password_memory=8, inline_limit=100)
database = StoreDatabase(Path(sys.argv[1]), options=options)
with database.write() as tx:
    new = accounts.NewAccount("writer", "Writer", password="x")
    account = accounts.create_account(tx, accounts.SYSTEM, new)
    store = stores.create_private(tx, account)
    inbox = stores.receive_folder(tx, store.entryid, "")[0]
actor = accounts.actor_of(account)
number = 0
while True:
    with database.write() as tx:
        data = b"%d " % number * 200
        tree = ObjectTree(
            obj_type=ObjectType.MESSAGE,
            mod_props=[(p.PR_SUBJECT, str(number)), (p.PR_EC_IMAP_EMAIL, data)],
        )
        entryid = identity.new_entryid(tx, store.guid, ObjectType.MESSAGE)
        objects.save_object(tx, actor, inbox, entryid, tree)
    print(number, flush=True)
    number += 1
"""


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, env=environment
    ) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(60)]
        writer.send_signal(signal.SIGKILL)
        told += [int(line) for line in writer.stdout.read().split()]
    database = StoreDatabase(tmp_path, options=OPTIONS)
    with database.read() as tx:
        account = accounts.account_named(tx, "writer")
        store = stores.store_of(tx, account.id)
        folder = locate.folder_by_entryid(tx, stores.receive_folder(tx, store.entryid, "")[0])
        actor = accounts.actor_of(account)
        found = {
            int(row[p.PR_SUBJECT]): row[p.PR_ENTRYID]
            for _, row in rows.message_rows(tx, actor, folder.id, [p.PR_SUBJECT, p.PR_ENTRYID])
        }
        assert set(told) <= found.keys()
        for number, entryid in found.items():
            mail = objects.load_prop(tx, actor, entryid, 0, p.PR_EC_IMAP_EMAIL)[1]
            assert mail == b"%d " % number * 200
        assert folder.messages == len(found)
    # Nothing is in the way of further work, and what the kill left over is cleared away.
    attachments.sweep(database)
    assert len(list(database.files.listed())) == len(found)
    with database.write() as tx:
        tx.take("hierarchy")
    database.close()


def test_readers_see_a_snapshot_while_another_writes(world: World) -> None:
    entryid = world.save(world.inbox, [(p.PR_SUBJECT, "before")])
    with world.database.read() as reader:
        before = dict(objects.load_object(reader, world.alice, entryid).mod_props)
        world.update(entryid, [(p.PR_SUBJECT, "after")])
        world.save(world.inbox)
        again = dict(objects.load_object(reader, world.alice, entryid).mod_props)
        assert before == again
    assert world.props(entryid)[p.PR_SUBJECT] == "after"


def test_writers_take_turns_and_readers_do_not_wait(world: World) -> None:
    failures: list[BaseException] = []
    seen: list[int] = []
    done = threading.Event()

    def append() -> None:
        try:
            for _ in range(15):
                with world.database.write() as tx:
                    tree = ObjectTree(obj_type=ObjectType.MESSAGE, mod_props=[(p.PR_SUBJECT, "x")])
                    entryid = identity.new_entryid(tx, world.store.guid, ObjectType.MESSAGE)
                    objects.save_object(tx, world.alice, world.inbox, entryid, tree)
        except BaseException as error:
            failures.append(error)

    def listing() -> None:
        try:
            while not done.is_set():
                with world.database.read() as tx:
                    folder = locate.folder_by_entryid(tx, world.inbox)
                    ids = rows.message_ids(tx, world.alice, folder.id)
                    assert folder.messages == len(ids)
                    seen.append(len(ids))
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=append) for _ in range(3)]
    readers = [threading.Thread(target=listing) for _ in range(2)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join(60)
    done.set()
    for thread in readers:
        thread.join(60)
    assert failures == []
    assert len(seen) >= 2
    found = world.rows(world.inbox, [p.PR_EC_IMAP_ID, p.PR_SOURCE_KEY, p.PR_CHANGE_KEY])
    assert len(found) == 45
    for tag in (p.PR_EC_IMAP_ID, p.PR_SOURCE_KEY, p.PR_CHANGE_KEY):
        assert len({row[tag] for row in found}) == 45


def test_two_programs_may_use_one_database(world: World, tmp_path: Path) -> None:
    other = StoreDatabase(tmp_path, clock=lambda: world.time, options=OPTIONS)
    assert other.guid == world.database.guid
    world.save(world.inbox)
    with other.write() as tx:
        entryid = identity.new_entryid(tx, world.store.guid, ObjectType.MESSAGE)
        objects.save_object(tx, world.alice, world.inbox, entryid, message())
    world.save(world.inbox)
    numbers = [row[p.PR_EC_IMAP_ID] for row in world.rows(world.inbox, [p.PR_EC_IMAP_ID])]
    assert len(set(numbers)) == 3
    other.close()


def test_a_failed_call_changes_nothing(world: World) -> None:
    before = world.ask(lambda tx: (tx.last("imap"), tx.last("change")))

    def save_and_fail(tx: Transaction) -> None:
        tree = message([(p.PR_SUBJECT, "lost")])
        entryid = identity.new_entryid(tx, world.store.guid, ObjectType.MESSAGE)
        objects.save_object(tx, world.alice, world.inbox, entryid, tree)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        world.call(save_and_fail)
    assert world.subjects(world.inbox) == []
    assert world.counters(world.inbox) == (0, 0, 0, 0, 0)
    assert world.ask(lambda tx: (tx.last("imap"), tx.last("change"))) == before
    world.save(world.inbox)


def test_a_reading_transaction_takes_no_numbers(world: World) -> None:
    with world.database.read() as tx, pytest.raises(RuntimeError):
        tx.take("imap")


def test_a_broken_database_is_told_as_such(world: World) -> None:
    with pytest.raises(StoreBusy) as caught, world.database.read() as tx:
        tx.connection.exec_driver_sql("select * from nothing")
    assert caught.value.code == ErrorCode.DATABASE_ERROR


def test_a_database_of_another_version_is_refused(world: World, tmp_path: Path) -> None:
    with world.database.write() as tx:
        tx.connection.exec_driver_sql("update server set version = 99")
    with pytest.raises(StoreUnusable, match="version 99"):
        StoreDatabase(tmp_path, options=OPTIONS)


def test_a_word_for_durability_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="SOMETIMES"):
        StoreDatabase(tmp_path, options=StoreOptions(synchronous="SOMETIMES"))


def test_times_are_whole_seconds(world: World) -> None:
    with world.database.read() as tx:
        assert tx.now % 10_000_000 == 0
        assert tx.exact_now - tx.now == 2_500_000


def test_large_data_is_kept_once_in_a_file(world: World) -> None:
    data = os.urandom(40_000)
    first = world.save(world.inbox, [(p.PR_EC_IMAP_EMAIL, data)], [attachment(data), attachment(b"small")])
    (path,) = world.database.files.listed()
    assert path.read_bytes() == data
    assert path.parent.name == path.name[:2]
    world.save(world.inbox, [], [attachment(data)])
    other = world.folder("Other")
    world.call(messages.copy_messages, world.alice, [first], other, move=False)
    assert list(world.database.files.listed()) == [path]
    # It stays as long as anything has it.
    for folder in (world.inbox, other):
        assert sweep(world.database) == 0
        world.call(messages.delete_messages, world.alice, world.entryids(folder), hard=True)
    assert sweep(world.database) == 1
    assert list(world.database.files.listed()) == []
    with world.database.read() as tx:
        assert tx.connection.exec_driver_sql("select count(*) from instances").scalar() == 0


def test_replacing_data_frees_the_old(world: World) -> None:
    entryid = world.save(world.inbox, [(p.PR_EC_IMAP_EMAIL, b"a" * 40_000)])
    world.update(entryid, [(p.PR_EC_IMAP_EMAIL, b"b" * 40_000)])
    assert world.prop(entryid, p.PR_EC_IMAP_EMAIL) == b"b" * 40_000
    assert sweep(world.database) == 1
    world.update(entryid, gone=[p.PR_EC_IMAP_EMAIL])
    assert sweep(world.database) == 1


def test_the_sweep_removes_what_a_crash_left(world: World) -> None:
    entryid = world.save(world.inbox, [(p.PR_EC_IMAP_EMAIL, b"a" * 40_000)])
    (path,) = world.database.files.listed()
    for name in (path.name + ".1234.part", "00" * 32, "strange"):
        path.with_name(name).write_bytes(b"left over")
    assert sweep(world.database) == 3
    assert world.prop(entryid, p.PR_EC_IMAP_EMAIL) == b"a" * 40_000


def test_a_value_may_not_be_larger_than_the_limit(tmp_path: Path) -> None:
    world = World(
        tmp_path,
        StoreOptions(
            synchronous="OFF", password_time=1, password_memory=8, value_limit=9_000, content_limit=10_000
        ),
    )
    for props, children in (
        ([(p.PR_BODY, "b" * 9_001)], []),
        ([(p.PR_EC_IMAP_EMAIL, b"m" * 10_001)], []),
        ([], [attachment(b"d" * 10_001)]),
    ):
        with pytest.raises(TooBig):
            world.save(world.inbox, props, children)
    world.save(world.inbox, [(p.PR_BODY, "b" * 9_000), (p.PR_EC_IMAP_EMAIL, b"m" * 10_000)])
    world.database.close()
