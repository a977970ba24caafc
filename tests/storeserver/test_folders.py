"""Folders: create, rename, move, copy, delete, empty, counters."""

from __future__ import annotations

import pytest

from gateway.mapi import proptags as p
from gateway.mapi.changes import ChangeAction, ChangeClass
from gateway.mapi.errors import (
    Collision,
    ErrorCode,
    FolderCycle,
    InvalidParameter,
    NoAccess,
    NotEmpty,
    NotFound,
    NotSupported,
)
from gateway.mapi.notices import Event
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.storeserver import copying, deleting, folder_rows, folders, locate, objects
from gateway.storeserver.database import Transaction
from gateway.storeserver.rowplan import RowKind
from tests.support.storecore import World, attachment, recipient

MOVE = copying.FOLDER_MOVE
ALL = folders.DEL_MESSAGES | folders.DEL_FOLDERS


def names(
    world: World, parent: bytes | None = None, *, recursive: bool = False, deleted: bool = False
) -> list[str]:
    folder = world.ask(locate.folder_by_entryid, parent or world.subtree, deleted=None)
    found = world.ask(
        folder_rows.folder_rows,
        world.alice,
        folder.id,
        [p.PR_DISPLAY_NAME],
        recursive=recursive,
        deleted=deleted,
    )
    return [props[p.PR_DISPLAY_NAME] for _, props in found]


def copy(world: World, folder: bytes, target: bytes, name: str | None = None, flags: int = 0) -> None:
    world.call(copying.copy_folder, world.alice, folder, target, name, flags)


def test_a_new_folder(world: World) -> None:
    before = world.props(world.subtree)
    entryid = world.folder("Projects", comment="a remark")
    props = world.props(entryid)
    assert props[p.PR_DISPLAY_NAME] == "Projects"
    assert props[p.PR_COMMENT] == "a remark"
    assert props[p.PR_FOLDER_TYPE] == 1
    assert props[p.PR_PARENT_ENTRYID] == world.subtree
    assert props[p.PR_RIGHTS] == Rights.OWNER
    assert props[p.PR_ACCESS] == 63
    assert props[p.PR_SUBFOLDERS] is False
    assert world.counters(entryid) == (0, 0, 0, 0, 0)
    after = world.props(world.subtree)
    assert after[p.PR_FOLDER_CHILD_COUNT] == before[p.PR_FOLDER_CHILD_COUNT] + 1
    assert [(event.kind, event.entryid, event.counters) for event in world.events] == [
        (Event.CREATED, entryid, False),
        (Event.MODIFIED, world.subtree, True),
    ]
    assert world.events[0].parent == world.subtree
    assert [event.change_type for event in world.logged] == [ChangeClass.FOLDER | ChangeAction.NEW]


def test_names_are_unique_among_siblings_whatever_the_case(world: World) -> None:
    first = world.folder("Straße")
    for name in ("Straße", "STRASSE"):
        with pytest.raises(Collision):
            world.folder(name)
    assert world.folder("STRASSE", open_if_exists=True) == first
    world.folder("Straße", first)
    assert world.folder("a/b") != world.folder("a/c")


@pytest.mark.parametrize("name", ["", "x" * 1001])
def test_a_name_has_a_sensible_length(world: World, name: str) -> None:
    with pytest.raises(InvalidParameter):
        world.folder(name)


def test_a_client_may_choose_entryid_and_source_key(world: World) -> None:
    wanted = world.folder("One")[:28] + b"u" * 16 + bytes(4)
    assert world.folder("Two", entryid=wanted, source_key=b"k" * 22) == wanted
    assert world.props(wanted)[p.PR_SOURCE_KEY] == b"k" * 22
    with pytest.raises(Collision):
        world.folder("Three", entryid=wanted)
    # A source key of 16 bytes or less is none.
    assert len(world.props(world.folder("Four", source_key=b"short"))[p.PR_SOURCE_KEY]) == 22
    with pytest.raises(InvalidParameter) as caught:
        world.folder("Five", entryid=world.new_entryid())
    assert caught.value.code == ErrorCode.INVALID_ENTRYID
    with pytest.raises(InvalidParameter):
        world.folder("Six", type=3)


def test_a_search_folder_is_not_logged(world: World) -> None:
    entryid = world.folder("Search", type=folders.SEARCH)
    assert world.logged == []
    with pytest.raises(InvalidParameter):
        world.save(entryid)
    with pytest.raises(NotSupported):
        copy(world, world.folder("X"), entryid, flags=MOVE)
    world.call(folders.delete_folder, world.alice, entryid, 0)
    assert world.logged == []
    with pytest.raises(NotFound):
        world.load(entryid, 0x400)


def test_renaming_by_saving_the_name(world: World) -> None:
    entryid, other = world.folder("Old"), world.folder("Other")
    before = world.props(entryid)
    answer = world.update(entryid, [(p.PR_DISPLAY_NAME, "New"), (p.PR_CONTAINER_CLASS, "IPF.Note")])
    after = world.props(entryid)
    assert after[p.PR_DISPLAY_NAME] == "New"
    assert after[p.PR_CONTAINER_CLASS] == "IPF.Note"
    assert after[p.PR_SOURCE_KEY] == before[p.PR_SOURCE_KEY]
    assert after[p.PR_CHANGE_KEY] != before[p.PR_CHANGE_KEY]
    assert dict(answer.mod_props)[p.PR_CHANGE_KEY] == after[p.PR_CHANGE_KEY]
    assert [event.change_type for event in world.logged] == [ChangeClass.FOLDER | ChangeAction.CHANGE]
    with pytest.raises(Collision):
        world.update(other, [(p.PR_DISPLAY_NAME, "NEW")])
    world.update(other, [(p.PR_DISPLAY_NAME, "OTHER")])
    assert names(world)[:2] == ["OTHER", "New"]


def test_moving_keeps_the_ids(world: World) -> None:
    one, two = world.folder("One"), world.folder("Two")
    inside = world.folder("Inside", one)
    message = world.save(inside)
    before = world.props(inside)
    copy(world, inside, two, "Renamed", MOVE)
    after = world.props(inside)
    assert after[p.PR_PARENT_ENTRYID] == two
    assert after[p.PR_DISPLAY_NAME] == "Renamed"
    assert after[p.PR_SOURCE_KEY] == before[p.PR_SOURCE_KEY]
    assert world.props(message)[p.PR_PARENT_ENTRYID] == inside
    assert world.props(one)[p.PR_SUBFOLDERS] is False
    assert world.props(two)[p.PR_SUBFOLDERS] is True
    moved = world.events[0]
    assert (moved.kind, moved.entryid, moved.old) == (Event.MOVED, inside, inside)
    assert (moved.parent, moved.old_parent) == (two, one)
    assert [event.change_type for event in world.logged] == [ChangeClass.FOLDER | ChangeAction.CHANGE]
    assert world.logged[0].folder_source_key == world.props(two)[p.PR_SOURCE_KEY]


def test_a_folder_cannot_go_below_itself_or_onto_a_name(world: World) -> None:
    one = world.folder("One")
    inside = world.folder("Inside", world.folder("Between", one))
    for flags in (MOVE, copying.COPY_SUBFOLDERS):
        for target in (one, inside):
            with pytest.raises(FolderCycle):
                copy(world, one, target, flags=flags)
    two = world.folder("Two")
    world.folder("one", two)
    with pytest.raises(Collision):
        copy(world, one, two, flags=MOVE)
    copy(world, one, world.subtree, "ONE", MOVE)
    assert world.props(one)[p.PR_DISPLAY_NAME] == "ONE"
    with pytest.raises(NoAccess):
        copy(world, world.props(world.subtree)[p.PR_PARENT_ENTRYID], two, flags=MOVE)
    with pytest.raises(NotSupported):
        world.call(copying.copy_folder, world.system, one, world.bob_inbox, None, MOVE)


def test_copying_makes_everything_anew(world: World) -> None:
    source, target = world.folder("Source"), world.folder("Target")
    below = world.folder("Below", source)
    world.update(source, [(p.PR_CONTAINER_CLASS, "IPF.Note"), (p.PR_RULES_DATA, b"r" * 3000)])
    original = world.save(
        source, [(p.PR_SUBJECT, "one"), (p.PR_BODY, "b" * 40000)], [recipient("R"), attachment(b"data")]
    )
    world.save(source, [(p.PR_SUBJECT, "hidden")], flags=0x40)
    world.save(below, [(p.PR_SUBJECT, "two")])
    copy(world, source, target, "Copy", copying.COPY_SUBFOLDERS)
    (made,) = _children(world, target)
    assert world.props(made)[p.PR_CONTAINER_CLASS] == "IPF.Note"
    assert world.prop(made, p.PR_RULES_DATA) == b"r" * 3000
    assert world.props(made)[p.PR_SOURCE_KEY] != world.props(source)[p.PR_SOURCE_KEY]
    assert world.counters(made)[:3] == world.counters(source)[:3] == (1, 1, 1)
    (copied,) = world.entryids(made)
    assert copied != original
    assert world.prop(copied, p.PR_BODY) == "b" * 40000
    person, file = world.load(copied).children
    assert dict(person.mod_props)[p.PR_DISPLAY_NAME] == "R"
    assert world.prop(copied, p.PR_ATTACH_DATA_BIN, file.server_id) == b"data"
    assert names(world, target, recursive=True) == ["Below", "Copy"]
    # Without the flag only the folder itself is copied.
    copy(world, source, target, "Shallow")
    assert names(world, target, recursive=True) == ["Shallow", "Below", "Copy"]


def _children(world: World, parent: bytes) -> list[bytes]:
    number = world.ask(locate.folder_by_entryid, parent).id
    found = world.ask(folder_rows.folder_rows, world.alice, number, [p.PR_ENTRYID], recursive=False)
    return [props[p.PR_ENTRYID] for _, props in found]


def test_a_folder_that_is_not_empty_is_not_deleted_by_mistake(world: World) -> None:
    entryid = world.folder("Full")
    world.save(entryid)
    with pytest.raises(NotEmpty) as caught:
        world.call(folders.delete_folder, world.alice, entryid, folders.DEL_FOLDERS)
    assert caught.value.code == ErrorCode.HAS_MESSAGES
    world.folder("Below", entryid)
    with pytest.raises(NotEmpty) as caught:
        world.call(folders.delete_folder, world.alice, entryid, folders.DEL_MESSAGES)
    assert caught.value.code == ErrorCode.HAS_FOLDERS


def test_deleting_softly_hides_the_tree_and_moving_restores_it(world: World) -> None:
    top, other = world.folder("Top"), world.folder("Other")
    below = world.folder("Below", top)
    message = world.save(below, [(p.PR_SUBJECT, "kept"), (p.PR_MESSAGE_FLAGS, 1)])
    earlier = world.save(below, [(p.PR_SUBJECT, "deleted before")])
    world.call(deleting.delete_messages, world.alice, [earlier], hard=False)
    world.time += 5
    world.call(folders.delete_folder, world.alice, top, ALL)
    for gone in (top, below, message):
        with pytest.raises(NotFound):
            world.load(gone)
    assert [event.change_type for event in world.logged] == [ChangeClass.FOLDER | ChangeAction.SOFT_DELETE]
    assert world.props(top, 0x400)[p.PR_DELETED_ON] == world.props(message, 0x400)[p.PR_DELETED_ON]
    assert names(world, deleted=True) == ["Top"]
    assert world.props(world.subtree)[p.PR_DELETED_FOLDER_COUNT] == 1
    # The name is free again.
    world.folder("Top")
    copy(world, top, other, None, MOVE)
    assert names(world, other, recursive=True) == ["Below", "Top"]
    assert world.subjects(below) == ["kept"]
    assert world.subjects(below, RowKind.DELETED) == ["deleted before"]
    assert world.counters(below) == (1, 0, 0, 1, 0)
    assert p.PR_DELETED_ON not in world.props(top)
    assert world.props(world.subtree)[p.PR_DELETED_FOLDER_COUNT] == 0
    assert [event.change_type for event in world.logged] == [ChangeClass.FOLDER | ChangeAction.NEW]


def test_deleting_for_good_leaves_nothing(world: World) -> None:
    before = world.ask(locate.store_by_entryid, world.store.entryid).size
    top = world.folder("Top")
    world.save(world.folder("Below", top), [(p.PR_BODY, "b" * 5000)], [attachment(b"d" * 2000)])
    world.call(folders.delete_folder, world.alice, top, ALL | folders.HARD)
    assert [event.change_type for event in world.logged] == [ChangeClass.FOLDER | ChangeAction.HARD_DELETE]
    with pytest.raises(NotFound):
        world.load(top, 0x400)
    assert names(world, deleted=True) == []
    assert world.ask(locate.store_by_entryid, world.store.entryid).size == before
    assert world.ask(_leftovers) == 0


def _leftovers(tx: Transaction) -> int:
    """How many rows of long values and details belong to nothing."""
    sql = """
        select (select count(*) from long_values l where l.top_id not in
                (select id from messages union select id from folders union select id from stores))
             + (select count(*) from details d where d.object_id not in
                (select id from messages union select id from folders union select id from stores))
             + (select count(*) from parts where message_id not in (select id from messages))
    """
    return int(tx.connection.exec_driver_sql(sql).scalar_one())


def test_emptying_keeps_the_folder_and_what_is_hidden(world: World) -> None:
    entryid = world.folder("Full")
    world.save(entryid)
    world.save(entryid)
    world.save(entryid, flags=0x40)
    world.folder("Below", entryid)
    world.call(folders.empty_folder, world.alice, entryid, 0)
    assert world.counters(entryid) == (0, 0, 1, 2, 0)
    assert names(world, entryid) == []
    kinds = [event.change_type for event in world.logged]
    assert kinds == [ChangeClass.MESSAGE | ChangeAction.SOFT_DELETE] * 2 + [
        ChangeClass.FOLDER | ChangeAction.SOFT_DELETE
    ]
    world.call(folders.empty_folder, world.alice, entryid, folders.DEL_ASSOCIATED | folders.HARD)
    assert world.counters(entryid) == (0, 0, 0, 2, 0)


def test_the_root_cannot_be_deleted(world: World) -> None:
    root = world.props(world.subtree)[p.PR_PARENT_ENTRYID]
    with pytest.raises(NoAccess):
        world.call(folders.delete_folder, world.alice, root, ALL)


def test_counters_are_corrected(world: World) -> None:
    entryid = world.folder("Counted")
    world.save(entryid, [(p.PR_MESSAGE_FLAGS, 1)])
    world.save(entryid)
    assert world.call(folders.reset_counters, world.alice, entryid) == 0

    def spoil(tx: Transaction) -> None:
        tx.connection.exec_driver_sql("update folders set messages = 77, unread = 5 where name = 'Counted'")

    world.call(spoil)
    assert world.call(folders.reset_counters, world.alice, entryid) == 2
    assert world.counters(entryid) == (2, 1, 0, 0, 0)
    with pytest.raises(InvalidParameter):
        world.call(folders.reset_counters, world.alice, world.store.entryid)
    with pytest.raises(NoAccess):
        world.call(folders.reset_counters, world.bob, entryid)


def test_the_hierarchy_table_tells_depth_parents_and_ids(world: World) -> None:
    one = world.folder("One")
    two = world.folder("Two", one)
    number = world.ask(locate.folder_by_entryid, one).id
    columns = [
        p.PR_ENTRYID,
        p.PR_PARENT_ENTRYID,
        p.PR_DEPTH,
        p.PR_EC_HIERARCHYID,
        p.PR_EC_IMAP_ID,
        p.PR_OBJECT_TYPE,
        p.PR_STORE_ENTRYID,
        p.PR_EC_PARENT_HIERARCHYID,
    ]
    top = world.ask(locate.folder_by_entryid, world.subtree).id
    found = world.ask(folder_rows.folder_rows, world.alice, top, columns, recursive=True)
    id_, row = found[0]
    assert row == {
        p.PR_ENTRYID: two,
        p.PR_PARENT_ENTRYID: one,
        p.PR_DEPTH: 2,
        p.PR_EC_HIERARCHYID: id_,
        p.PR_EC_IMAP_ID: id_,
        p.PR_OBJECT_TYPE: ObjectType.FOLDER,
        p.PR_STORE_ENTRYID: world.store.entryid,
        p.PR_EC_PARENT_HIERARCHYID: number,
    }
    assert [key for key, _ in found] == sorted((key for key, _ in found), reverse=True)
    ids = world.ask(folder_rows.folder_ids, world.alice, top, recursive=True)
    assert ids == [key for key, _ in found]
    assert world.ask(folder_rows.folder_rows, world.alice, top, columns, recursive=True, ids=[id_]) == [
        (id_, row)
    ]


def test_purging_removes_old_soft_deleted_things(world: World) -> None:
    entryid = world.folder("Old")
    world.save(entryid)
    message = world.save(world.inbox)
    world.call(deleting.delete_messages, world.alice, [message], hard=False)
    world.call(folders.delete_folder, world.alice, entryid, ALL)
    world.time += 10 * 86400
    with pytest.raises(NoAccess):
        world.call(deleting.purge, world.alice, 0)
    while world.call(deleting.purge, world.system, 11):
        pass
    assert world.load(message, 0x400)
    while world.call(deleting.purge, world.system, 9):
        pass
    for gone in (message, entryid):
        with pytest.raises(NotFound):
            world.load(gone, 0x400)
    assert world.counters(world.inbox) == (0, 0, 0, 0, 0)
    assert world.props(world.subtree)[p.PR_DELETED_FOLDER_COUNT] == 0
    assert world.ask(_leftovers) == 0


def test_exists_of_a_deleted_folder(world: World) -> None:
    entryid = world.folder("X")
    world.call(folders.delete_folder, world.alice, entryid, 0)
    world.ask(objects.check_exists, entryid, 2)
    with pytest.raises(NotFound):
        world.ask(objects.check_exists, entryid)
