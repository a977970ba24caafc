"""Copy, move, delete, read flags, status, the outgoing queue, quota."""

from __future__ import annotations

import pytest

from gateway.mapi import proptags as p
from gateway.mapi.changes import ChangeAction, ChangeClass
from gateway.mapi.errors import (
    ErrorCode,
    InvalidParameter,
    MapiError,
    NoAccess,
    NotFound,
    QuotaExceeded,
)
from gateway.mapi.notices import Event
from gateway.mapi.tables import ObjectType
from gateway.storeserver import copying, groups, locate, messages, outgoing, rows
from gateway.storeserver.groups import Quota
from gateway.storeserver.rowplan import RowKind
from tests.support.storecore import World, attachment, recipient

NEW, CHANGE, FLAG, SOFT, HARD = (ChangeClass.MESSAGE | action for action in ChangeAction)


def kinds(world: World) -> list[int]:
    return [event.change_type for event in world.logged]


def move(world: World, entryids: list[bytes], target: bytes, **more: object) -> bool:
    complete: bool = world.call(messages.copy_messages, world.alice, entryids, target, move=True, **more)
    return complete


def test_a_copy_has_ids_of_its_own_and_the_same_content(world: World) -> None:
    other = world.folder("Other")
    original = world.save(
        world.inbox,
        [(p.PR_SUBJECT, "s"), (p.PR_BODY, "b" * 2000), (p.PR_MESSAGE_FLAGS, 1), (p.PR_MSG_STATUS, 8)],
        [recipient("R"), attachment(b"data" * 100)],
    )
    world.time += 60
    assert world.call(messages.copy_messages, world.alice, [original], other, move=False)
    (copy,) = world.entryids(other)
    before, after = world.props(original), world.props(copy)
    for tag in (p.PR_RECORD_KEY, p.PR_SOURCE_KEY, p.PR_CHANGE_KEY, p.PR_EC_IMAP_ID):
        assert before[tag] != after[tag]
    assert after[p.PR_EC_IMAP_ID] > before[p.PR_EC_IMAP_ID]
    for tag in (p.PR_SUBJECT, p.PR_BODY, p.PR_MESSAGE_FLAGS, p.PR_MSG_STATUS, p.PR_MESSAGE_SIZE):
        assert before[tag] == after[tag]
    file = world.load(copy).children[1]
    assert world.prop(copy, p.PR_ATTACH_DATA_BIN, file.server_id) == b"data" * 100
    assert world.counters(world.inbox)[:2] == world.counters(other)[:2] == (1, 0)
    assert kinds(world) == [NEW]


def test_copying_is_told(world: World) -> None:
    other = world.folder("Other")
    original = world.save(world.inbox)
    world.call(messages.copy_messages, world.alice, [original], other, move=False, sync_id=7)
    assert [(event.change_type, event.sync_id) for event in world.logged] == [(NEW, 7)]
    copied, counted = world.events
    assert (copied.kind, copied.old, copied.old_parent, copied.parent) == (
        Event.COPIED,
        original,
        world.inbox,
        other,
    )
    assert (counted.kind, counted.entryid, counted.counters) == (Event.MODIFIED, other, True)


def test_a_move_renames_the_message_everywhere(world: World) -> None:
    other = world.folder("Other")
    original = world.save(world.inbox, [(p.PR_SUBJECT, "s"), (p.PR_BODY, "b" * 40000)])
    before = world.props(original)
    number = world.load(original).server_id
    assert move(world, [original], other)
    with pytest.raises(NotFound):
        world.load(original)
    (moved,) = world.entryids(other)
    after = world.props(moved)
    for tag in (p.PR_RECORD_KEY, p.PR_SOURCE_KEY, p.PR_CHANGE_KEY, p.PR_EC_IMAP_ID):
        assert before[tag] != after[tag]
    assert after[p.PR_EC_IMAP_ID] > before[p.PR_EC_IMAP_ID]
    assert world.load(moved).server_id == number
    assert world.prop(moved, p.PR_BODY) == "b" * 40000
    assert kinds(world) == [HARD, NEW]
    assert [event.folder_source_key for event in world.logged] == [
        world.props(world.inbox)[p.PR_SOURCE_KEY],
        world.props(other)[p.PR_SOURCE_KEY],
    ]
    told = world.events[0]
    assert (told.kind, told.entryid, told.old, told.parent, told.old_parent) == (
        Event.MOVED,
        moved,
        original,
        other,
        world.inbox,
    )
    assert world.counters(world.inbox) == (0, 0, 0, 0, 0)
    assert world.counters(other) == (1, 1, 0, 0, 0)


def test_moving_to_where_it_is_changes_nothing(world: World) -> None:
    entryid = world.save(world.inbox)
    assert move(world, [entryid], world.inbox)
    assert world.events == []
    assert world.entryids(world.inbox) == [entryid]


def test_what_cannot_be_copied_makes_it_partial(world: World) -> None:
    other = world.folder("Other")
    entryid = world.save(world.inbox)
    assert not move(world, [entryid, world.new_entryid()], other)
    assert world.subjects(other) == ["a subject"]
    # Messages of another store: nothing is done at all.
    world.save(world.inbox)
    (mine,) = world.entryids(world.inbox)
    foreign = world.save(world.bob_inbox, actor=world.bob)
    assert not world.call(messages.copy_messages, world.system, [mine, foreign], other, move=True)
    assert world.entryids(world.inbox) == [mine]
    with pytest.raises(NotFound):
        move(world, [mine], mine)
    with pytest.raises(NoAccess):
        world.call(messages.copy_messages, world.alice, [mine], world.bob_inbox, move=False)


def test_soft_deletion_and_restoring_by_a_move(world: World) -> None:
    entryid = world.save(world.inbox, [(p.PR_SUBJECT, "s")])
    imap_id = world.props(entryid)[p.PR_EC_IMAP_ID]
    world.time += 100
    assert world.call(messages.delete_messages, world.alice, [entryid], hard=False)
    assert kinds(world) == [SOFT]
    told = world.events[0]
    assert (told.kind, told.entryid, told.parent, told.gone, told.state) == (
        Event.DELETED,
        entryid,
        world.inbox,
        False,
        0,
    )
    with pytest.raises(NotFound):
        world.load(entryid)
    hidden = world.props(entryid, 0x400)
    assert hidden[p.PR_DELETED_ON] == hidden[p.PR_CREATION_TIME] + 100 * 10_000_000
    assert world.subjects(world.inbox) == []
    assert world.rows(world.inbox, [p.PR_SUBJECT, p.PR_DELETED_ON], RowKind.DELETED) == [
        {p.PR_SUBJECT: "s", p.PR_DELETED_ON: hidden[p.PR_DELETED_ON]}
    ]
    assert world.counters(world.inbox) == (0, 0, 0, 1, 0)
    # Doing it again changes nothing, restoring gives new ids.
    world.call(messages.delete_messages, world.alice, [entryid], hard=False)
    assert kinds(world) == []
    assert move(world, [entryid], world.inbox)
    assert kinds(world) == [NEW]
    assert world.events[0].restored
    (restored,) = world.entryids(world.inbox)
    after = world.props(restored)
    assert restored != entryid
    assert after[p.PR_EC_IMAP_ID] > imap_id
    assert p.PR_DELETED_ON not in after
    assert world.counters(world.inbox) == (1, 1, 0, 0, 0)


def test_hard_deletion(world: World) -> None:
    entryid = world.save(world.inbox, [(p.PR_BODY, "b" * 4000)], [attachment(b"d" * 3000)])
    hidden = world.save(world.inbox)
    world.call(messages.delete_messages, world.alice, [hidden], hard=False)
    assert world.call(messages.delete_messages, world.alice, [entryid, hidden, world.new_entryid()], hard=True)
    assert kinds(world) == [HARD, HARD]
    assert [event.gone for event in world.events[:2]] == [True, True]
    for gone in (entryid, hidden):
        with pytest.raises(NotFound):
            world.load(gone, 0x400)
    assert world.counters(world.inbox) == (0, 0, 0, 0, 0)


def test_associated_messages_are_counted_and_listed_apart(world: World) -> None:
    entryid = world.save(world.inbox, [(p.PR_SUBJECT, "settings")], flags=0x40)
    assert world.props(entryid)[p.PR_MESSAGE_FLAGS] & 0x40
    assert world.counters(world.inbox) == (0, 0, 1, 0, 0)
    assert world.subjects(world.inbox) == []
    assert world.subjects(world.inbox, RowKind.ASSOCIATED) == ["settings"]
    world.call(messages.delete_messages, world.alice, [entryid], hard=False)
    assert world.counters(world.inbox) == (0, 0, 0, 0, 1)
    assert world.subjects(world.inbox, RowKind.DELETED_ASSOCIATED) == ["settings"]


def test_a_read_flag_gives_a_new_change_key_but_no_new_time(world: World) -> None:
    entryid = world.save(world.inbox)
    before = world.props(entryid)
    world.time += 50
    world.call(messages.set_read_flags, world.alice, 1, [entryid], sync_id=3)
    after = world.props(entryid)
    assert after[p.PR_MESSAGE_FLAGS] == 1
    assert after[p.PR_CHANGE_KEY] != before[p.PR_CHANGE_KEY]
    assert after[p.PR_LAST_MODIFICATION_TIME] == before[p.PR_LAST_MODIFICATION_TIME]
    assert [(event.change_type, event.sync_id) for event in world.logged] == [(FLAG, 3)]
    assert world.counters(world.inbox)[:2] == (1, 0)
    assert [(event.kind, event.object_type) for event in world.events] == [
        (Event.MODIFIED, ObjectType.MESSAGE),
        (Event.MODIFIED, ObjectType.FOLDER),
    ]
    # What is read already produces nothing.
    world.call(messages.set_read_flags, world.alice, 0, [entryid])
    assert (world.events, world.logged) == ([], [])
    world.call(messages.set_read_flags, world.alice, 4, [entryid])
    assert world.props(entryid)[p.PR_MESSAGE_FLAGS] == 0
    assert world.counters(world.inbox)[:2] == (1, 1)


def test_a_whole_folder_is_marked_read(world: World) -> None:
    for _ in range(3):
        world.save(world.inbox)
    hidden = world.save(world.inbox)
    world.call(messages.delete_messages, world.alice, [hidden], hard=False)
    world.call(messages.set_read_flags, world.alice, 1, None, world.inbox)
    assert len(world.logged) == 3
    assert len({event.change_id for event in world.logged}) == 3
    assert world.counters(world.inbox)[:2] == (3, 0)
    assert world.props(hidden, 0x400)[p.PR_MESSAGE_FLAGS] == 0
    with pytest.raises(InvalidParameter):
        world.call(messages.set_read_flags, world.alice, 1, None, None)
    with pytest.raises(NoAccess):
        world.call(messages.set_read_flags, world.bob, 1, None, world.inbox)


@pytest.mark.parametrize(
    ("flags", "before", "after"),
    [
        (0x10, 0x100, 0x100),
        (0x20, 0x300, 0x200),
        (0x40, 0x300, 0x100),
        (0x21, 0x100, 0x001),
        (0x64, 0x301, 0x000),
    ],
)
def test_receipts_that_are_pending(world: World, flags: int, before: int, after: int) -> None:
    entryid = world.save(world.inbox, [(p.PR_MESSAGE_FLAGS, before)])
    world.call(messages.set_read_flags, world.alice, flags, [entryid])
    assert world.props(entryid)[p.PR_MESSAGE_FLAGS] == after


def test_the_status_of_a_message(world: World) -> None:
    entryid = world.save(world.inbox)
    assert world.ask(messages.message_status, world.alice, entryid) == 0
    assert world.rows(world.inbox, [p.PR_MSG_STATUS]) == [{p.PR_MSG_STATUS: 0}]
    assert p.PR_MSG_STATUS not in world.props(entryid)
    assert world.call(messages.set_message_status, world.alice, entryid, 0x0F, 0x08) == 0
    assert kinds(world) == [CHANGE]
    assert [event.kind for event in world.events] == [Event.MODIFIED]
    assert world.call(messages.set_message_status, world.alice, entryid, 0x10000, 0x10000) == 8
    assert world.ask(messages.message_status, world.alice, entryid) == 0x10008
    assert world.rows(world.inbox, [p.PR_MSG_STATUS]) == [{p.PR_MSG_STATUS: 0x10008}]
    with pytest.raises(NoAccess):
        world.call(messages.set_message_status, world.bob, entryid, 8, 8)


def test_the_master_queue(world: World) -> None:
    entryid = world.save(world.inbox, [(p.PR_MESSAGE_FLAGS, 9)])
    before = world.props(entryid)
    for _ in range(2):
        world.call(outgoing.submit, world.alice, entryid, 3)
        assert (world.logged, [event.queue_only for event in world.events]) == ([], [True])
    assert world.props(entryid) == before
    found = world.ask(rows.queue_rows, world.system, None, [p.PR_ENTRYID, p.PR_EC_OUTGOING_FLAGS])
    assert [row for _, row in found] == [{p.PR_ENTRYID: entryid, p.PR_EC_OUTGOING_FLAGS: 3}]
    store = world.ask(locate.store_by_entryid, world.store.entryid)
    assert world.ask(rows.queue_ids, world.alice, store) == []
    with pytest.raises(NoAccess):
        world.ask(rows.queue_ids, world.alice, None)
    world.call(outgoing.finished, world.alice, entryid, 3)
    assert world.ask(rows.queue_ids, world.system, None) == []
    assert world.props(entryid)[p.PR_MESSAGE_FLAGS] == 1
    assert kinds(world) == [CHANGE]


def test_the_local_queue_marks_the_message(world: World) -> None:
    entryid = world.save(world.inbox)
    world.call(outgoing.submit, world.alice, entryid, 0)
    assert world.props(entryid)[p.PR_MESSAGE_FLAGS] == 4 | 8
    assert kinds(world) == [CHANGE]
    store = world.ask(locate.store_by_entryid, world.store.entryid)
    assert world.ask(rows.queue_ids, world.alice, store) == [world.load(entryid).server_id]
    world.call(outgoing.abort_submit, world.alice, entryid)
    assert world.props(entryid)[p.PR_MESSAGE_FLAGS] == 8
    with pytest.raises(MapiError) as caught:
        world.call(outgoing.abort_submit, world.alice, entryid)
    assert caught.value.code == ErrorCode.NOT_IN_QUEUE


def test_only_the_owner_sends(world: World) -> None:
    entryid = world.save(world.inbox)
    with pytest.raises(NoAccess):
        world.call(outgoing.submit, world.bob, entryid, 3)
    subtree = world.props(world.public.entryid)[p.PR_IPM_SUBTREE_ENTRYID]
    public = world.save(subtree, actor=world.system)
    with pytest.raises(NoAccess):
        world.call(outgoing.submit, world.system, public, 3)


def limit(world: World, **levels: int) -> None:
    quota = Quota(**levels, is_default=False)
    world.call(groups.set_quota, world.system, world.alice.user_id, quota)


def test_over_the_hard_quota_nothing_is_written(world: World) -> None:
    other = world.folder("Other")
    entryid = world.save(world.inbox, [(p.PR_BODY, "b" * 5000)])
    limit(world, hard=1000)
    assert world.ask(groups.quota_status, world.alice, world.alice_account)[1] == groups.QuotaState.HARD
    for refused in (
        lambda: world.save(world.inbox),
        lambda: world.update(entryid, [(p.PR_SUBJECT, "x")]),
        lambda: world.call(outgoing.submit, world.alice, entryid, 3),
        lambda: world.call(copying.copy_folder, world.alice, other, world.inbox, None, 0),
    ):
        with pytest.raises(QuotaExceeded):
            refused()
    assert not world.call(messages.copy_messages, world.alice, [entryid], other, move=False)
    # What does not need room still works.
    world.call(messages.set_read_flags, world.alice, 1, [entryid])
    world.call(messages.set_message_status, world.alice, entryid, 8, 8)
    world.folder("Another")
    world.update(world.store.entryid, [(p.PR_EC_OUTOFOFFICE, False)])
    assert move(world, [entryid], other)
    # SYSTEM delivers all the same.
    world.save(world.inbox, actor=world.system)
    limit(world, hard=0)
    world.save(world.inbox)


def test_over_the_soft_quota_nothing_is_sent(world: World) -> None:
    entryid = world.save(world.inbox, [(p.PR_BODY, "b" * 5000)])
    limit(world, warn=10, soft=1000, hard=1_000_000)
    with pytest.raises(QuotaExceeded):
        world.call(outgoing.submit, world.alice, entryid, 3)
    world.save(world.inbox)
    limit(world, warn=10, soft=1_000_000, hard=0)
    world.call(outgoing.submit, world.alice, entryid, 3)
    assert world.ask(groups.quota_status, world.alice, world.alice_account)[1] == groups.QuotaState.WARN
    assert world.props(world.store.entryid)[p.PR_QUOTA_SEND_THRESHOLD] == 976
