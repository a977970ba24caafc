"""The rows of a View and the UID cache they are saved in."""

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mailbox.modseqs import modseq_of_change
from gateway.mailbox.rows import LAYOUT, Entry, Rows, key_hash
from gateway.mailbox.uidcache import CachedFolder, Meta, UidCache
from gateway.mapi.ids import message_entryid

STORE = bytes(range(16))


def entry(uid: int, **changes: object) -> Entry:
    made = Entry(
        uid,
        message_entryid(STORE, uid.to_bytes(16, "big")),
        b"key%d" % uid,
        uid + 1000,
        uid % 64,
        (("Work",) if uid % 2 else ()),
        uid * 3,
        1_700_000_000 + uid,
        uid * 100,
    )
    return made._replace(**changes)


def rows_of(*uids: int) -> Rows:
    rows = Rows()
    rows.add(entry(uid) for uid in uids)
    return rows


def content(rows: Rows) -> list[tuple[object, ...]]:
    return [
        (
            rows.uids[i],
            rows.entryid(i),
            rows.hierarchy_ids[i],
            rows.flags[i],
            rows.keyword_sets[rows.keywords[i]],
            rows.modseqs[i],
            rows.dates[i],
            rows.sizes[i],
            rows.keys[i],
        )
        for i in range(len(rows))
    ]


def expected(*uids: int) -> list[tuple[object, ...]]:
    return [
        (
            e.uid,
            e.entryid,
            e.hierarchy_id,
            e.flags,
            e.keywords,
            e.modseq,
            e.date,
            e.size,
            key_hash(e.source_key),
        )
        for e in map(entry, uids)
    ]


def test_messages_are_kept_in_order_of_uid() -> None:
    rows = Rows()
    assert rows.add([entry(9), entry(4), entry(7)]) == [4, 7, 9]
    assert content(rows) == expected(4, 7, 9)
    assert [rows.index(uid) for uid in (4, 5, 9, 10)] == [0, -1, 2, -1]


def test_a_uid_that_is_there_is_not_added_again() -> None:
    rows = rows_of(4, 7)
    assert rows.add([entry(7), entry(4, flags=1), entry(8)]) == [8]
    assert content(rows) == expected(4, 7, 8)


@given(st.lists(st.sets(st.integers(1, 60), max_size=5), max_size=8))
def test_a_message_that_comes_late_goes_in_its_place(batches: list[set[int]]) -> None:
    rows = Rows()
    there: set[int] = set()
    for batch in batches:
        assert rows.add(entry(uid) for uid in batch) == sorted(batch - there)
        there |= batch
    assert content(rows) == expected(*sorted(there))


def test_arrays_that_others_hold_do_not_change_under_them() -> None:
    rows = rows_of(1, 2, 3)
    held = rows.uids
    rows.add([entry(4)])
    rows.remove([0])
    assert list(held) == [1, 2, 3]


@given(st.sets(st.integers(1, 200), max_size=40), st.data())
def test_removing_leaves_the_others_whole(uids: set[int], data: st.DataObject) -> None:
    ordered = sorted(uids)
    rows = rows_of(*ordered)
    gone = sorted(data.draw(st.sets(st.sampled_from(ordered)) if ordered else st.just(set())))
    assert rows.remove([ordered.index(uid) for uid in gone]) == gone
    assert content(rows) == expected(*(uid for uid in ordered if uid not in gone))


@given(st.sets(st.integers(1, 4_000_000_000), max_size=20))
def test_packed_rows_come_back(uids: set[int]) -> None:
    rows = Rows()
    rows.add(entry(1)._replace(uid=uid) for uid in uids)
    back = Rows.unpack(rows.pack())
    assert back is not None
    assert content(back) == content(rows)


def test_entry_ids_of_another_shape_are_kept() -> None:
    rows = rows_of(1)
    rows.add([entry(2, entryid=b"short"), entry(3, entryid=message_entryid(b"x" * 16, b"y" * 16))])
    back = Rows.unpack(rows.pack())
    assert back is not None
    assert back.entryid(1) == b"short"
    assert back.entryid(2) == message_entryid(b"x" * 16, b"y" * 16)


@given(st.binary(max_size=200))
def test_a_damaged_blob_is_no_rows(blob: bytes) -> None:
    assert Rows.unpack(blob) is None


def test_rows_of_the_layout_before_are_read() -> None:
    """In it mod-sequences were the bare numbers of the store's log."""
    blob = rows_of(1, 2).pack()
    assert blob[:2] == bytes((0x96, LAYOUT))  # an array of six, the layout first
    back = Rows.unpack(blob[:1] + bytes((LAYOUT - 1,)) + blob[2:])
    assert back is not None
    assert list(back.modseqs) == [modseq_of_change(uid * 3) for uid in (1, 2)]


def test_a_message_costs_less_than_eighty_bytes() -> None:
    rows = rows_of(*range(1, 2001))
    assert len(rows.pack()) / 2000 < 80


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "uids.sqlite"


def meta(uid: int) -> Meta:
    return Meta(uid, uid * 10, b"(env %d)" % uid, b"(body)", b"(structure)")


def test_what_was_saved_is_loaded_by_the_next_process(path: Path) -> None:
    cache = UidCache(path)
    folder = CachedFolder(5, 77, 77, 10, rows_of(1, 2).pack())
    cache.save(b"folder", folder)
    cache.add_metas(b"folder", [meta(1), meta(2)])
    cache.close()
    again = UidCache(path)
    assert again.load(b"folder") == folder
    assert again.load(b"other") is None
    assert again.metas(b"folder", [1, 2, 3]) == {1: meta(1), 2: meta(2)}
    again.close()


def test_what_is_remembered_before_the_folder_is_saved_is_kept(path: Path) -> None:
    cache = UidCache(path)
    cache.add_metas(b"folder", [meta(1)])
    found = cache.load(b"folder")
    assert found is not None
    assert Rows.unpack(found.messages) is None
    cache.save(b"folder", CachedFolder(5, 77, 77, 10, b"x"))
    assert cache.metas(b"folder", [1]) == {1: meta(1)}
    cache.close()


def test_what_is_gone_is_dropped(path: Path) -> None:
    cache = UidCache(path)
    cache.save(b"folder", CachedFolder(5, 77, 77, 10, b""))
    cache.add_metas(b"folder", [*map(meta, range(1, 3000))])
    cache.save(b"folder", CachedFolder(5, 78, 78, 10, b""), gone=[2])
    assert sorted(cache.metas(b"folder", range(1, 3000))) == [1, *range(3, 3000)]
    assert cache.known(b"folder", 1, 4000) == 2998
    cache.forget(b"folder")
    assert cache.load(b"folder") is None
    assert cache.metas(b"folder", [1]) == {}
    cache.close()


@pytest.mark.parametrize("damage", [b"no database at all" * 300, b""])
def test_a_damaged_file_is_made_anew(path: Path, damage: bytes) -> None:
    UidCache(path).close()
    path.write_bytes(damage)
    cache = UidCache(path)
    cache.save(b"folder", CachedFolder(1, 2, 2, 3, b"x"))
    assert cache.load(b"folder") == CachedFolder(1, 2, 2, 3, b"x")
    cache.close()


def test_a_file_of_another_version_is_made_anew(path: Path) -> None:
    cache = UidCache(path)
    cache.save(b"folder", CachedFolder(1, 2, 2, 3, b"x"))
    cache.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    cache = UidCache(path)
    assert cache.load(b"folder") is None
    cache.close()


def test_two_processes_may_share_the_file(path: Path) -> None:
    one, other = UidCache(path), UidCache(path)
    one.save(b"folder", CachedFolder(1, 2, 2, 3, b"x"))
    assert other.load(b"folder") == CachedFolder(1, 2, 2, 3, b"x")
    other.save(b"folder", CachedFolder(1, 9, 9, 3, b"y"))
    assert one.load(b"folder") == CachedFolder(1, 9, 9, 3, b"y")
    one.close()
    other.close()
    assert os.path.exists(path)


@given(st.sets(st.integers(1, 60)), st.lists(st.integers(0, 70)))
def test_positions_of_many_are_the_positions_of_each(uids: set[int], asked: list[int]) -> None:
    rows = rows_of(*sorted(uids))
    assert rows.indices(asked) == [rows.index(uid) for uid in asked]


def test_closing_waits_for_the_call_that_is_under_way(path: Path) -> None:
    for _ in range(20):
        cache = UidCache(path)
        blob = bytes(200_000)
        with ThreadPoolExecutor(4) as threads:
            saving = [threads.submit(cache.save, b"f%d" % n, CachedFolder(1, n, n, 1, blob)) for n in range(12)]
            cache.close()
        for done in saving:
            assert done.exception() is None or isinstance(done.exception(), sqlite3.ProgrammingError)
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            cache.load(b"f1")
