"""The data on disk: one server at a time, damage that is told, backups, checks, a full disk, sudden ends."""

from __future__ import annotations

import random
import resource
import secrets
import shutil
import threading
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.admin import main
from gateway.mapi import ids
from gateway.mapi import proptags as p
from gateway.mapi.errors import ErrorCode
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire import calls_object as object_calls
from gateway.mapiclient.wire.errors import Fault
from gateway.mapiclient.wire.structs import ObjectTree
from gateway.storeserver import locate
from gateway.storeserver.attachments import sweep
from gateway.storeserver.backup import back_up
from gateway.storeserver.database import StoreDatabase
from gateway.storeserver.directory import DirectoryLock, StoreUnusable
from gateway.storeserver.options import Options
from gateway.storeserver.service import make_service
from gateway.storeserver.soundness import findings
from tests.storeserver.mailbox import inbox, new_folder, new_message, subjects
from tests.support import reactor
from tests.support.patience import PATIENCE
from tests.support.soap import SoapClient
from tests.support.store import TEST_DATABASE, StoreProcess, running_store
from tests.support.storecore import OPTIONS, World


def admin(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["store", "--data", str(data), *arguments])


# One server at a time


def test_a_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with running_store(tmp_path, ["alice"]) as store:
        second = make_service(Options(data=str(tmp_path), listen=()), reactor.reactor, TEST_DATABASE)
        with pytest.raises(StoreUnusable, match=rf"{tmp_path} is used by another store server \(process \d+\)"):
            reactor.call(second.privilegedStartService)
        store.client("alice").close()
        store.restart()
        store.client("alice").close()


# Damage


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"This is no database at all. " * 200, "damaged, or no database of a store"),
        (
            b"SQLite format 3\0" + b"\x10\0\1\1\0\x40\x20\x20" + bytes(4072),
            "damaged, or no database of a store",
        ),
    ],
    ids=["text", "header only"],
)
def test_a_damaged_database_is_told_at_the_start(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "store.db").write_bytes(content)
    with pytest.raises(StoreUnusable, match=said) as caught:
        StoreDatabase(tmp_path, options=OPTIONS)
    assert "put the last backup in its place" in str(caught.value)
    listed = CliRunner().invoke(main, ["user", "--data", str(tmp_path), "list"])
    assert listed.exit_code == 1
    assert said in listed.output


def test_what_is_wrong_is_found(world: World, tmp_path: Path) -> None:
    world.save(world.inbox, [(p.PR_SUBJECT, "s"), (p.PR_EC_IMAP_EMAIL, b"m" * 40_000)])
    world.save(world.inbox, [(p.PR_EC_IMAP_EMAIL, b"n" * 40_000)])
    small = world.save(world.inbox, [(p.PR_EC_IMAP_EMAIL, b"small")])
    number, folder = world.load(small).server_id, world.ask(locate.folder_by_entryid, world.inbox).id
    assert list(findings(tmp_path, contents=True)) == []
    assert admin(tmp_path, "check").output == "the data are sound\n"
    first, second = sorted(world.database.files.listed())
    first.write_bytes(b"x" * 40_000)
    second.unlink()
    assert list(findings(tmp_path)) == [f"attachment file {second} is missing"]
    second.write_bytes(b"x")
    with world.database.write() as tx:
        tx.connection.exec_driver_sql(f"update folders set messages = 7, unread = 8 where id = {folder}")
        tx.connection.exec_driver_sql(f"delete from details where object_id = {number}")
        tx.connection.exec_driver_sql("delete from instances where data is not null")
    found = list(findings(tmp_path, contents=True))
    expected = [
        f"message {number} has lost its properties",
        f"property {p.PR_EC_IMAP_EMAIL:#010x} of object {number} is missing",
        "(Inbox) says it has 7 messages, and has 3",
        "(Inbox) says it has 8 unread messages, and has 3",
        f"attachment file {first} is damaged",
        f"attachment file {second} has 1 bytes instead of 40000",
    ]
    assert len(found) == len(expected)
    for line in expected:
        assert any(one.endswith(line) for one in found), line
    checked = admin(tmp_path, "check", "--contents")
    assert checked.exit_code == 1
    assert "6 findings: put the last backup in place" in checked.output


def test_pages_that_are_overwritten_are_found(tmp_path: Path) -> None:
    World(tmp_path).database.close()
    path = tmp_path / "store.db"
    data = bytearray(path.read_bytes())
    data[8192 : 8192 + 4096] = secrets.token_bytes(4096)
    path.write_bytes(data)
    assert any("database" in finding for finding in findings(tmp_path))


# Backups


def test_a_backup_of_a_running_store_is_a_store(tmp_path: Path) -> None:
    data, target = tmp_path / "data", tmp_path / "backup"
    with running_store(data, ["alice"]) as store, store.client("alice") as client:
        folder = inbox(client)
        new_message(client, folder, "first", more=[(p.PR_EC_IMAP_EMAIL, b"1" * 50_000)])
        gone = new_message(client, folder, "gone", more=[(p.PR_EC_IMAP_EMAIL, b"2" * 50_000)])
        done = admin(data, "backup", str(target))
        assert "2 attachment files, 2 of them new" in done.output
        new_message(client, folder, "second", more=[(p.PR_EC_IMAP_EMAIL, b"3" * 50_000)])
        client.ok(object_calls.DeleteObjects(0x10, [gone]))
        assert store.service.server is not None
        assert sweep(store.service.server.database) == 1
        new_message(client, folder, "third")
        assert "attachment files, 1 of them new" in admin(data, "backup", str(target)).output
        new_message(client, folder, "too late")
    assert list(findings(target, contents=True)) == []
    with running_store(target) as restored, restored.client("alice") as client:
        assert sorted(subjects(client, inbox(client))) == ["first", "second", "third"]
        assert admin(data, "backup", str(target)).exit_code == 1  # it is in use


def test_a_backup_is_not_made_of_nothing_or_in_place(tmp_path: Path) -> None:
    assert "there is no store" in admin(tmp_path / "nowhere", "backup", str(tmp_path / "target")).output
    World(tmp_path / "data").database.close()
    assert "another directory" in admin(tmp_path / "data", "backup", str(tmp_path / "data")).output


def test_a_backup_beside_writers_is_of_one_moment(world: World, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            world.save(world.inbox, [(p.PR_EC_IMAP_EMAIL, secrets.token_bytes(33_000))])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            target = tmp_path.with_name(f"{tmp_path.name}-backup{number}")
            back_up(tmp_path, target)
            assert list(findings(target, contents=True)) == []
            shutil.rmtree(target)
    finally:
        stop.set()
        writer.join(PATIENCE)


# A full disk


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StoreProcess]:
    with StoreProcess(tmp_path, ["alice"]) as store:
        yield store


def test_a_full_disk_is_a_refusal_and_nothing_is_half_there(store: StoreProcess, tmp_path: Path) -> None:
    with store.client("alice") as client:
        folder = inbox(client)
        new_message(client, folder, "before")
        _, hard = resource.prlimit(store.pid, resource.RLIMIT_FSIZE)
        written = (tmp_path / "store.db-wal").stat().st_size
        resource.prlimit(store.pid, resource.RLIMIT_FSIZE, (written + 100_000, hard))
        codes = [save(client, folder, f"mail {number}", b"m" * 20_000) for number in range(30)]
        assert set(codes) == {0, ErrorCode.DATABASE_ERROR}
        with pytest.raises(Fault, match="no room for the request"):
            save(client, folder, "spooled", bytes(written + 200_000))
    with store.client("alice") as client:
        resource.prlimit(store.pid, resource.RLIMIT_FSIZE, (35_000, hard))
        assert save(client, folder, "kept in a file", bytes(40_000)) == ErrorCode.DATABASE_ERROR
        assert len(subjects(client, folder)) == 1 + codes.count(0)
        resource.prlimit(store.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert save(client, folder, "after", bytes(40_000)) == 0
        assert len(subjects(client, folder)) == 2 + codes.count(0)
        assert list(findings(tmp_path, contents=True)) == []
    assert not list((tmp_path / "attachments").rglob("*.part"))


def save(client: SoapClient, folder: bytes, subject: str, mail: bytes) -> int:
    entryid = ids.message_entryid(folder[4:20], secrets.token_bytes(16))
    props = [(p.PR_SUBJECT, subject), (p.PR_MESSAGE_CLASS, "IPM.Note"), (p.PR_EC_IMAP_EMAIL, mail)]
    tree = ObjectTree(mod_props=props, obj_type=ObjectType.MESSAGE)
    return client.call(object_calls.SaveObject(folder, entryid, tree, 0)).er


# Sudden ends


class Writer(threading.Thread):
    """A client that saves mails in a folder of its own, deletes some, and notes what was answered."""

    def __init__(self, store: StoreProcess, number: int, seed: int, enough: threading.Semaphore) -> None:
        super().__init__()
        self.client = store.client("alice")
        self.folder = new_folder(self.client, f"folder {seed}-{number}")
        self.there: dict[str, bytes] = {}
        self.uncertain: set[str] = set()
        self.enough = enough
        self.chance = random.Random(seed * 10 + number)

    def run(self) -> None:
        """Go on until the store is gone."""
        saved: dict[str, bytes] = {}
        try:
            for number in range(100_000):
                subject = f"mail {number}"
                mail = self.chance.randbytes(self.chance.choice((10, 5_000, 40_000)))
                self.uncertain = {subject}
                saved[subject] = new_message(
                    self.client, self.folder, subject, more=[(p.PR_EC_IMAP_EMAIL, mail)]
                )
                self.there[subject] = mail
                if self.chance.random() < 0.2:
                    gone = self.chance.choice(list(self.there))
                    self.uncertain = {gone}
                    self.client.ok(object_calls.DeleteObjects(0x10, [saved[gone]]))
                    del self.there[gone]
                self.uncertain = set()
                self.enough.release()
        except (OSError, HTTPException):
            return
        finally:
            self.client.close()


def test_whatever_was_answered_is_there_after_kill_9(store: StoreProcess, tmp_path: Path) -> None:
    seed = secrets.randbelow(1 << 20)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for turn in range(2):
        enough = threading.Semaphore(0)
        writers = [Writer(store, number, seed * 10 + turn, enough) for number in range(3)]
        for writer in writers:
            writer.start()
        for _ in range(chance.randrange(5, 40)):
            assert enough.acquire(timeout=PATIENCE)
        with pytest.raises(StoreUnusable, match=rf"process {store.pid}\)"):
            DirectoryLock(tmp_path)
        store.kill()
        for writer in writers:
            writer.join(PATIENCE)
        store.start()
        assert list(findings(tmp_path, contents=True)) == [], f"seed {seed}"
        with store.client("alice") as client:
            for writer in writers:
                found = subjects(client, writer.folder, limit=100_000)
                assert len(found) == len(set(found)), f"seed {seed}"
                there = set(found)
                assert there - writer.uncertain == writer.there.keys() - writer.uncertain, f"seed {seed}"
