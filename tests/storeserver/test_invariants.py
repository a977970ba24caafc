"""Whatever happens to a store: its counters, sizes, keys and log stay true, and values are what was last set."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.mapi import proptags as p
from gateway.mapi.changes import SyncFlags, SyncKind, collapse
from gateway.mapi.props import Props
from gateway.storeserver import changes, copying, deleting, folders, loading, locate, messages, properties
from gateway.storeserver.database import Transaction
from gateway.storeserver.saving import hot_and_cold
from gateway.storeserver.schema import DELETED
from tests.support.storecore import World, attachment, embedded, message, recipient

TAGS = {
    p.PR_SUBJECT: st.text(max_size=1500),
    p.PR_BODY: st.text(max_size=1500),
    p.PR_SENDER_ENTRYID: st.binary(max_size=1500),
    p.PR_IMPORTANCE: st.integers(0, 0xFFFF_FFFF),
    p.PR_FLAG_STATUS: st.integers(0, 2),
    p.PR_EC_ENABLED_FEATURES: st.lists(st.text(max_size=300), max_size=6).map(tuple),
    p.PR_MESSAGE_DELIVERY_TIME: st.integers(0, 1 << 62),
}
PROPS = st.fixed_dictionaries({}, optional=TAGS)


def stored(props: Props) -> Props:
    """The properties as the store keeps them: text ends at NUL."""
    return {tag: properties.checked(tag, value) for tag, value in props.items()}


@given(PROPS)
def test_packed_properties_come_back(props: Props) -> None:
    props = stored(props)
    assert properties.unpack(properties.pack(props)) == props
    hot, cold, long = hot_and_cold(props)
    whole = properties.unpack(hot) | cold | long
    spilled = whole.pop(0, False)
    assert whole == props
    assert spilled == any(
        tag in props and tag not in properties.unpack(hot) for tag in TAGS if properties.may_be_hot(tag)
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(PROPS, st.sets(st.sampled_from(list(TAGS)))), min_size=1, max_size=5))
def test_a_message_has_what_was_last_set(world: World, steps: list[tuple[Props, set[int]]]) -> None:
    entryid = world.save(world.inbox)
    expected: Props = {p.PR_SUBJECT: "a subject"}
    for props, gone in steps:
        world.update(entryid, list(props.items()), list(gone))
        expected = {tag: value for tag, value in expected.items() if tag not in gone} | stored(props)
    loaded = world.props(entryid)
    assert {tag: value for tag, value in loaded.items() if tag in TAGS} == expected
    (row,) = world.rows(world.inbox, list(TAGS), ids=[world.load(entryid).server_id])
    assert row == expected
    with world.database.read() as tx:
        found = locate.message_by_entryid(tx, entryid)
        assert found.size == real_size(tx, world, found.entryid)


def real_size(tx: Transaction, world: World, entryid: bytes) -> int:
    """What a message's values come to, counted from scratch."""
    found = locate.message_by_entryid(tx, entryid, deleted=None)
    sql = f"select coalesce(sum(size), 0) from long_values where top_id = {found.id}"
    total = int(tx.connection.exec_driver_sql(sql).scalar_one())
    hot = properties.unpack(found.hot)
    hot.pop(0, None)
    cold_sql = f"select props from details where object_id = {found.id}"
    cold = properties.unpack(tx.connection.exec_driver_sql(cold_sql).scalar_one())
    parts = loading.parts_of(tx, found.id)
    sets = [hot, cold, *[part.props for part in parts]]
    return 96 + total + sum(properties.total_size(each) for each in sets)


class Chaos:
    """Does random things to alice's store."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.folders = [world.inbox, *[world.folder(name) for name in ("One", "Two")]]
        self.count = 0

    def step(self) -> None:
        actions: list[Callable[[], None]] = [
            self.save,
            self.save,
            self.update,
            self.read,
            self.delete,
            self.move,
            self.copy,
            self.restore,
            self.folder,
        ]
        self.random.choice(actions)()

    def some(self, *, deleted: bool = False) -> list[bytes]:
        sql = f"""
            select entryid from messages where state {">=" if deleted else "<"} 1024 and state & 64 = 0
            and store_id = {self.world.store.id} order by id
        """
        with self.world.database.read() as tx:
            found = [bytes(row[0]) for row in tx.connection.exec_driver_sql(sql)]
        return self.random.sample(found, min(len(found), self.random.randint(1, 4)))

    def save(self) -> None:
        self.count += 1
        children = [recipient("R"), attachment(b"d" * self.random.randint(0, 3000))]
        children.append(embedded(message([(p.PR_BODY, "b" * self.random.randint(0, 3000))])))
        props = [
            (p.PR_SUBJECT, "s" * self.random.randint(0, 2000)),
            (p.PR_MESSAGE_FLAGS, self.random.randint(0, 1)),
            (p.PR_EC_IMAP_EMAIL, b"m" * self.random.randint(0, 3000)),
        ]
        flags = self.random.choice([0, 0, 0, 0x40])
        chosen = self.random.sample(children, self.random.randint(0, 3))
        self.world.save(self.random.choice(self.folders), props, chosen, flags=flags)

    def update(self) -> None:
        for entryid in self.some():
            first = self.world.load(entryid).children[:1]
            gone = [
                type(child)(delete=True, server_id=child.server_id, obj_type=child.obj_type) for child in first
            ]
            props = [(p.PR_BODY, "b" * self.random.randint(0, 3000))]
            self.world.update(entryid, props, [p.PR_SUBJECT], [*gone, recipient("New")])

    def read(self) -> None:
        self.world.call(messages.set_read_flags, self.world.alice, self.random.choice([0, 1, 4]), self.some())

    def delete(self) -> None:
        hard = self.random.random() < 0.3
        self.world.call(messages.delete_messages, self.world.alice, self.some(), hard=hard)

    def move(self) -> None:
        target = self.random.choice(self.folders)
        self.world.call(messages.copy_messages, self.world.alice, self.some(), target, move=True)

    def copy(self) -> None:
        target = self.random.choice(self.folders)
        self.world.call(messages.copy_messages, self.world.alice, self.some(), target, move=False)

    def restore(self) -> None:
        target = self.random.choice(self.folders)
        found = self.some(deleted=True)
        self.world.call(messages.copy_messages, self.world.alice, found, target, move=True)

    def folder(self) -> None:
        self.count += 1
        top = self.world.folder(f"Folder {self.count}")
        self.world.save(top)
        flags = copying.COPY_SUBFOLDERS
        self.world.call(copying.copy_folder, self.world.alice, self.folders[1], top, None, flags)
        if self.random.random() < 0.5:
            hard = self.random.choice([0, folders.HARD])
            self.world.call(folders.delete_folder, self.world.alice, top, 5 | hard)
            if not hard and self.random.random() < 0.5:
                self.world.call(
                    copying.copy_folder, self.world.alice, top, self.world.inbox, None, copying.FOLDER_MOVE
                )


@pytest.mark.parametrize("seed", range(4))
def test_counters_sizes_and_the_log_stay_true(world: World, seed: int) -> None:
    chaos = Chaos(world, seed)
    source_key = world.props(world.inbox)[p.PR_SOURCE_KEY]
    sync_id = world.call(changes.set_status, world.alice, source_key, 0, 0, SyncKind.CONTENTS)
    mirror: set[bytes] = set()
    position = 0
    for number in range(60):
        chaos.step()
        if number % 7 == 0:
            position = follow(world, source_key, sync_id, position, mirror)
    follow(world, source_key, sync_id, position, mirror)
    rows = world.rows(world.inbox, [p.PR_SOURCE_KEY])
    assert mirror == {row[p.PR_SOURCE_KEY] for row in rows}
    world.call(check, world)


def follow(world: World, source_key: bytes, sync_id: int, position: int, mirror: set[bytes]) -> int:
    """Bring a client's copy of a folder up to date with what changed since."""
    found, position = world.ask(
        changes.get_changes, world.alice, source_key, sync_id, position, SyncKind.CONTENTS, SyncFlags.NORMAL
    )
    for key, change in collapse(found).items():
        if change.is_delete:
            mirror.discard(key)
        else:
            mirror.add(key)
    return position


def check(tx: Transaction, world: World) -> None:
    store = locate.store_by_guid(tx, world.store.guid)
    root = locate.folder_by_id(tx, store.root_id)
    everything = [root, *locate.subtree(tx, root, deleted=None)]
    sizes = 0
    imap_ids: list[int] = []
    for folder in everything:
        assert deleting.recount(tx, folder) == 0, folder.name
        inside = locate.messages_where(tx, locate.schema.messages.c.folder_id == folder.id)
        for found in inside:
            assert found.size == real_size(tx, world, found.entryid)
            assert (found.deleted_on is not None) == bool(found.state & DELETED)
            imap_ids.append(found.imap_id)
            sizes += found.size
    assert store.size == sizes
    assert len(imap_ids) == len(set(imap_ids))
