"""Incremental change synchronisation."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.mapi import ids
from gateway.mapi import proptags as p
from gateway.mapi.changes import Change, ChangeAction, ChangeClass, SyncFlags, SyncKind, collapse
from gateway.mapi.errors import Collision, ErrorCode, InvalidParameter, MapiError, NoAccess, NotFound
from gateway.mapi.rights import Rights
from gateway.storeserver import accounts, changes, copying, folders, locate, messages, rows
from gateway.storeserver.accounts import NewAccount
from gateway.storeserver.database import Transaction
from tests.support.storecore import World

M, F = ChangeClass.MESSAGE, ChangeClass.FOLDER
NEW, CHANGE, FLAG, SOFT, HARD = ChangeAction
MAIL = SyncFlags.NORMAL | SyncFlags.READ_STATE


class Client:
    """One synchronisation as a client keeps it."""

    def __init__(
        self,
        world: World,
        folder: bytes,
        kind: int = SyncKind.CONTENTS,
        flags: int = MAIL,
        actor: object = None,
    ) -> None:
        self.world = world
        self.kind = kind
        self.flags = flags
        self.actor = actor or world.alice
        self.key = world.props(folder)[p.PR_SOURCE_KEY]
        self.id = world.call(changes.set_status, self.actor, self.key, 0, 0, kind)
        self.position = 0

    def run(self, flags: int | None = None) -> list[Change]:
        """What changed since the last run."""
        found, self.position = self.world.ask(
            changes.get_changes,
            self.actor,
            self.key,
            self.id,
            self.position,
            self.kind,
            self.flags if flags is None else flags,
        )
        return found

    def kinds(self, flags: int | None = None) -> list[int]:
        return [change.change_type for change in self.run(flags)]


def key(world: World, entryid: bytes) -> bytes:
    result: bytes = world.props(entryid)[p.PR_SOURCE_KEY]
    return result


def test_the_first_run_lists_everything_newest_first(world: World) -> None:
    first, second = world.save(world.inbox), world.save(world.inbox)
    world.save(world.inbox, flags=0x40)
    client = Client(world, world.inbox)
    found = client.run()
    assert [change.source_key for change in found] == [key(world, second), key(world, first)]
    assert {change.change_type for change in found} == {M | NEW}
    assert {change.parent_source_key for change in found} == {client.key}
    assert client.run() == []


def test_later_runs_give_the_raw_rows_in_order(world: World) -> None:
    client = Client(world, world.inbox)
    client.run()
    entryid = world.save(world.inbox)
    source_key = key(world, entryid)
    world.update(entryid, [(p.PR_SUBJECT, "x")])
    world.call(messages.set_read_flags, world.alice, 1, [entryid])
    world.call(messages.set_message_status, world.alice, entryid, 8, 8)
    found = client.run()
    # A later change replaces the row of an earlier one.
    assert [change.change_type for change in found] == [M | NEW, M | FLAG, M | CHANGE]
    assert [change.flags for change in found] == [0, 1, 0]
    assert {change.source_key for change in found} == {source_key}
    numbers = [change.change_id for change in found]
    assert numbers == sorted(numbers)
    assert client.position == numbers[-1]
    assert ids.change_id_of(world.props(entryid)[p.PR_CHANGE_KEY]) == numbers[-1]
    world.call(messages.set_read_flags, world.alice, 4, [entryid])
    world.call(messages.delete_messages, world.alice, [entryid], hard=False)
    assert [(change.change_type, change.flags) for change in client.run()] == [(M | FLAG, 0), (M | SOFT, 0)]


def test_deletions_are_never_forgotten(world: World) -> None:
    client = Client(world, world.inbox)
    entryids = [world.save(world.inbox) for _ in range(5)]
    client.run()
    left = {key(world, entryid) for entryid in entryids}
    other = world.folder("Other")
    world.call(messages.delete_messages, world.alice, entryids[:2], hard=True)
    world.call(messages.copy_messages, world.alice, entryids[2:], other, move=True)
    # Back and forth: every source key that ever left is reported.
    for _ in range(3):
        world.call(messages.copy_messages, world.alice, world.entryids(other), world.inbox, move=True)
        back = world.entryids(world.inbox)
        left |= {key(world, entryid) for entryid in back}
        world.call(messages.copy_messages, world.alice, back, other, move=True)
    found = collapse(client.run())
    assert all(change.is_delete for change in found.values())
    assert found.keys() == left


def test_the_flags_choose_what_is_told(world: World) -> None:
    client = Client(world, world.inbox)
    client.run()
    normal, hidden = world.save(world.inbox), world.save(world.inbox, flags=0x40)
    world.call(messages.set_read_flags, world.alice, 1, [normal])
    world.call(messages.delete_messages, world.alice, [normal], hard=False)
    world.call(messages.delete_messages, world.alice, [hidden], hard=True)
    start = client.position

    def told(flags: int) -> list[int]:
        client.position = start
        return client.kinds(flags)

    assert told(0) == []
    assert told(SyncFlags.NORMAL) == [M | NEW, M | SOFT]
    assert told(MAIL) == [M | NEW, M | FLAG, M | SOFT]
    assert told(SyncFlags.ASSOCIATED) == [M | NEW, M | HARD]
    assert told(SyncFlags.ASSOCIATED | SyncFlags.NO_DELETIONS) == [M | NEW]
    assert told(SyncFlags.NORMAL | SyncFlags.NO_SOFT_DELETIONS) == [M | NEW]
    assert told(MAIL | SyncFlags.CATCHUP) == []
    assert client.kinds() == []


def test_own_changes_are_not_told(world: World) -> None:
    client, other = Client(world, world.inbox), Client(world, world.inbox)
    client.run()
    other.run()
    entryid = world.save(world.inbox, sync_id=client.id)
    world.call(messages.set_read_flags, world.alice, 1, [entryid], sync_id=client.id)
    assert client.kinds() == []
    assert other.kinds() == [M | NEW, M | FLAG]
    # The position moved on all the same.
    assert client.position == other.position


def test_sync_ids(world: World) -> None:
    client = Client(world, world.inbox)
    assert world.ask(changes.states, [client.id, 999]) == [(client.id, 1)]
    assert (
        world.call(changes.set_status, world.alice, client.key, client.id, 17, SyncKind.CONTENTS) == client.id
    )
    assert world.ask(changes.states, [client.id]) == [(client.id, 17)]
    with pytest.raises(NotFound):
        world.call(changes.set_status, world.alice, client.key, 999, 17, SyncKind.CONTENTS)
    with pytest.raises(Collision):
        world.call(changes.set_status, world.alice, client.key, client.id, 17, SyncKind.HIERARCHY)
    with pytest.raises(NotFound):
        world.call(changes.set_status, world.alice, b"nonsense", 0, 0, SyncKind.CONTENTS)
    with pytest.raises(NoAccess):
        world.call(changes.set_status, world.bob, client.key, 0, 0, SyncKind.CONTENTS)
    with pytest.raises(NoAccess):
        world.call(changes.set_status, world.alice, b"", 0, 0, SyncKind.CONTENTS)


@pytest.mark.parametrize(
    ("sync_id", "change_id", "code"),
    [
        (0, 5, ErrorCode.INVALID_PARAMETER),
        (999, 5, ErrorCode.NOT_FOUND),
        (999, 0, ErrorCode.DATABASE_ERROR),
    ],
)
def test_unknown_sync_ids(world: World, sync_id: int, change_id: int, code: ErrorCode) -> None:
    source_key = world.props(world.inbox)[p.PR_SOURCE_KEY]
    with pytest.raises(MapiError) as caught:
        world.ask(changes.get_changes, world.alice, source_key, sync_id, change_id, SyncKind.CONTENTS, MAIL)
    assert caught.value.code == code


def test_a_sync_id_that_is_not_used_expires(world: World) -> None:
    old, fresh = Client(world, world.inbox), Client(world, world.inbox)
    world.time += 91 * 86400
    world.call(changes.set_status, world.alice, fresh.key, fresh.id, 5, SyncKind.CONTENTS)
    assert world.call(changes.forget_old) == 1
    assert fresh.run() == []
    old.position = 5
    with pytest.raises(NotFound):
        old.run()


def test_the_system_follows_the_whole_server(world: World) -> None:
    sync_id = world.call(changes.set_status, world.system, b"", 0, 0, SyncKind.CONTENTS)
    _, position = world.ask(
        changes.get_changes, world.system, b"", sync_id, 0, SyncKind.CONTENTS, SyncFlags.CATCHUP
    )
    world.save(world.inbox)
    world.save(world.bob_inbox, actor=world.bob)
    found, _ = world.ask(changes.get_changes, world.system, b"", sync_id, position, SyncKind.CONTENTS, MAIL)
    assert [change.change_type for change in found] == [M | NEW, M | NEW]
    assert len({change.parent_source_key for change in found}) == 2


def test_the_hierarchy_lists_parents_first(world: World) -> None:
    top = world.folder("Top")
    below = world.folder("Below", top)
    world.folder("Search", top, type=folders.SEARCH)
    client = Client(world, top, SyncKind.HIERARCHY)
    deep = world.folder("Deep", below)
    found = client.run()
    assert [(change.source_key, change.parent_source_key) for change in found] == [
        (key(world, below), key(world, top)),
        (key(world, deep), key(world, below)),
    ]
    assert {change.change_type for change in found} == {F | NEW}


def test_changes_of_the_hierarchy(world: World) -> None:
    client = Client(world, world.subtree, SyncKind.HIERARCHY)
    client.run()
    top = world.folder("Top")
    below = world.folder("Below", top)
    world.update(below, [(p.PR_DISPLAY_NAME, "Renamed")])
    assert client.kinds() == [F | NEW, F | NEW, F | CHANGE]
    world.call(copying.copy_folder, world.alice, below, world.inbox, None, copying.FOLDER_MOVE)
    (moved,) = client.run()
    assert (moved.change_type, moved.parent_source_key) == (F | CHANGE, key(world, world.inbox))
    # One row for the whole tree.
    world.folder("Deep", below)
    client.run()
    world.call(folders.delete_folder, world.alice, below, 5)
    assert client.kinds() == [F | SOFT]
    world.call(folders.delete_folder, world.alice, top, 0x15)
    assert client.kinds() == [F | HARD]
    # Messages are no business of a hierarchy.
    world.save(world.inbox)
    assert client.kinds() == []


def test_folders_one_may_not_see_are_skipped_with_what_is_below(world: World) -> None:
    top = world.folder("Top")
    world.grant(top, world.bob_account, Rights.REVIEWER)
    hidden = world.folder("Hidden", top)
    world.grant(hidden, world.bob_account, 0)
    client = Client(world, top, SyncKind.HIERARCHY, actor=world.bob)
    inner = world.folder("Inner", hidden)
    world.grant(inner, world.bob_account, Rights.REVIEWER)
    seen = world.folder("Seen", top)
    assert [change.source_key for change in client.run()] == [key(world, seen)]
    world.update(hidden, [(p.PR_COMMENT, "x")])
    world.update(seen, [(p.PR_COMMENT, "x")])
    assert [change.source_key for change in client.run()] == [key(world, seen)]


class Restricted(Client):
    """A synchronisation of the messages whose importance is high."""

    def run(self, flags: int | None = None) -> list[Change]:
        with self.world.database.write() as tx:
            found, self.position = changes.get_changes(
                tx,
                self.world.alice,
                self.key,
                self.id,
                self.position,
                self.kind,
                self.flags if flags is None else flags,
                lambda ids: important(tx, self.world, ids),
            )
        return found


def important(tx: Transaction, world: World, ids: Sequence[int]) -> list[int]:
    found = rows.rows_of_messages(tx, world.alice, ids, [p.PR_IMPORTANCE])
    return [id_ for id_, props in found if props.get(p.PR_IMPORTANCE) == 2]


HIGH, LOW = [(p.PR_IMPORTANCE, 2)], [(p.PR_IMPORTANCE, 0)]


def test_a_restricted_synchronisation(world: World) -> None:
    high, low = world.save(world.inbox, HIGH), world.save(world.inbox, LOW)
    client = Restricted(world, world.inbox)
    assert [change.source_key for change in client.run()] == [key(world, high)]
    before = client.position
    assert client.run() == []
    assert client.position == before
    # One begins to match, one changes but still matches, one comes that never matches.
    world.update(low, HIGH)
    world.update(high, [(p.PR_SUBJECT, "x")])
    world.save(world.inbox, LOW)
    found = client.run()
    assert [(change.change_type, change.source_key) for change in found] == [
        (M | CHANGE, key(world, high)),
        (M | NEW, key(world, low)),
    ]
    # One stops matching, one goes.
    keys = {key(world, high), key(world, low)}
    repeat = client.position
    world.update(high, LOW)
    world.call(messages.delete_messages, world.alice, [low], hard=True)
    found = client.run()
    assert {(change.change_type, change.source_key) for change in found} == {(int(HARD), each) for each in keys}
    assert client.run() == []
    # Asking again from an earlier position answers again.
    client.position = repeat
    assert {change.source_key for change in client.run()} == keys


def test_a_restriction_that_is_dropped(world: World) -> None:
    world.save(world.inbox, HIGH)
    low = world.save(world.inbox, LOW)
    client = Restricted(world, world.inbox)
    client.run()
    with world.database.write() as tx:
        found, _ = changes.get_changes(
            tx, world.alice, client.key, client.id, client.position, SyncKind.CONTENTS, MAIL
        )
    assert [(change.change_type, change.source_key) for change in found] == [(M | NEW, key(world, low))]


def test_a_position_without_a_set_means_the_client_has_everything(world: World) -> None:
    high, low = world.save(world.inbox, HIGH), world.save(world.inbox, LOW)
    plain = Client(world, world.inbox)
    plain.run()
    client = Restricted(world, world.inbox)
    client.id, client.position = plain.id, plain.position
    later = world.save(world.inbox, HIGH)
    found = client.run()
    assert {(change.change_type, change.source_key) for change in found} == {
        (M | NEW, key(world, later)),
        (int(HARD), key(world, low)),
    }
    assert key(world, high) not in {change.source_key for change in found}


def test_the_address_book_has_a_log_of_its_own(world: World) -> None:
    def run(position: int) -> tuple[list[Change], int]:
        result: tuple[list[Change], int] = world.ask(
            changes.get_changes, world.alice, container, 0, position, SyncKind.ADDRESS_BOOK, 0
        )
        return result

    container = ids.GLOBAL_ADDRESS_BOOK
    found, position = run(0)
    assert [change.source_key for change in found] == [
        world.alice_account.entryid,
        world.bob_account.entryid,
    ]
    assert {change.change_type for change in found} == {ChangeClass.ADDRESS_BOOK | NEW}
    assert {change.change_id for change in found} == {position}
    assert run(position) == ([], 0)
    carol = world.call(accounts.create_account, world.system, NewAccount("carol", "Carol"))
    world.call(accounts.change_account, world.system, carol, {"full_name": "Caroline"})
    found, position = run(position)
    assert [change.change_type for change in found] == [ChangeClass.ADDRESS_BOOK | CHANGE]
    world.call(accounts.delete_account, world.system, carol)
    found, _ = run(position)
    assert [(change.change_type, change.source_key) for change in found] == [
        (ChangeClass.ADDRESS_BOOK | HARD, carol.entryid)
    ]
    with pytest.raises(NotFound):
        world.call(changes.set_status, world.alice, container, 0, 0, SyncKind.ADDRESS_BOOK)


def test_source_keys_lead_to_entryids(world: World) -> None:
    entryid = world.save(world.inbox)
    store, folder_key, message_key = world.store.entryid, key(world, world.inbox), key(world, entryid)
    assert world.ask(changes.entryid_of, store, folder_key, b"") == world.inbox
    assert world.ask(changes.entryid_of, store, folder_key, message_key) == entryid
    for wrong in (
        (store, folder_key, b"nonsense"),
        (store, b"nonsense", message_key),
        (world.bob_store.entryid, folder_key, message_key),
        (store, key(world, world.subtree), message_key),
    ):
        with pytest.raises(NotFound):
            world.ask(changes.entryid_of, *wrong)
    world.call(messages.delete_messages, world.alice, [entryid], hard=False)
    with pytest.raises(NotFound):
        world.ask(changes.entryid_of, store, folder_key, message_key)


def test_change_info(world: World) -> None:
    entryid = world.save(world.inbox)
    for target in (entryid, world.inbox):
        props = world.props(target)
        assert world.ask(changes.change_info, world.alice, target) == (
            props[p.PR_PREDECESSOR_CHANGE_LIST],
            props[p.PR_CHANGE_KEY],
        )
    with pytest.raises(NoAccess):
        world.ask(changes.change_info, world.bob, entryid)


def test_news_for_a_subscriber(world: World) -> None:
    contents, hierarchy = Client(world, world.inbox), Client(world, world.subtree, SyncKind.HIERARCHY)
    contents.run()
    hierarchy.run()
    assert world.ask(changes.has_news, contents.id, contents.position) is None
    assert world.ask(changes.has_news, hierarchy.id, hierarchy.position) is None
    world.save(world.inbox)
    assert world.ask(changes.has_news, contents.id, contents.position) == world.logged[-1].change_id
    world.folder("Deep", world.inbox)
    assert world.ask(changes.has_news, hierarchy.id, hierarchy.position) == world.logged[-1].change_id
    world.save(world.inbox, sync_id=contents.id)
    assert world.ask(changes.has_news, contents.id, world.logged[-1].change_id - 1) is None
    with pytest.raises(NotFound):
        world.ask(changes.has_news, 999, 0)


def test_a_synchronisation_of_a_folder_that_was_deleted(world: World) -> None:
    entryid = world.folder("Gone")
    client = Client(world, entryid)
    client.run()
    world.call(folders.delete_folder, world.alice, entryid, 0)
    with pytest.raises(NotFound):
        client.run()
    assert world.ask(locate.folder_by_entryid, entryid, deleted=None).is_deleted


def test_the_kind_must_be_that_of_the_sync_id(world: World) -> None:
    client = Client(world, world.inbox)
    client.kind = SyncKind.HIERARCHY
    with pytest.raises(Collision):
        client.run()
    client.id = 0
    with pytest.raises(InvalidParameter):
        client.run()
