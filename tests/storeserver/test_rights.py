"""Who may do what."""

from __future__ import annotations

import pytest

from gateway.mapi import proptags as p
from gateway.mapi.errors import InvalidParameter, NoAccess, NotFound
from gateway.mapi.ids import EVERYONE
from gateway.mapi.rights import AccessEntry, AccessType, EntryState, Rights
from gateway.storeserver import accounts, folder_rows, folders, groups, locate, messages, rights
from gateway.storeserver.accounts import NewAccount, ObjectClass
from tests.support.storecore import World


def bobs(world: World, entryid: bytes) -> int:
    result: int = world.ask(rights.rights_on, world.bob, entryid)
    return result


def visible(world: World) -> set[str]:
    top = world.ask(locate.folder_by_entryid, world.subtree).id
    found = world.ask(folder_rows.folder_rows, world.bob, top, [p.PR_DISPLAY_NAME], recursive=True)
    return {props[p.PR_DISPLAY_NAME] for _, props in found}


def test_a_stranger_sees_the_store_and_its_root_only(world: World) -> None:
    entryid = world.save(world.inbox)
    props = world.props(world.store.entryid, actor=world.bob)
    root = world.props(world.subtree)[p.PR_PARENT_ENTRYID]
    assert p.PR_IPM_SUBTREE_ENTRYID in props
    assert world.props(root, actor=world.bob)
    for hidden in (world.inbox, world.subtree, entryid):
        with pytest.raises(NoAccess):
            world.load(hidden, actor=world.bob)
        with pytest.raises(NoAccess):
            world.prop(hidden, p.PR_RECORD_KEY, actor=world.bob)
    assert world.rows(world.inbox, actor=world.bob) == []
    assert visible(world) == set()
    with pytest.raises(NoAccess):
        world.save(world.inbox, actor=world.bob)
    with pytest.raises(NoAccess):
        world.folder("X", actor=world.bob)
    with pytest.raises(NoAccess):
        world.update(world.store.entryid, [(p.PR_EC_OUTOFOFFICE, True)], actor=world.bob)
    assert not world.call(messages.delete_messages, world.bob, [entryid], hard=False)
    assert world.load(entryid)


def test_owner_system_and_administrators_may_do_everything(world: World) -> None:
    admin = accounts.Actor(world.bob.user_id, admin_level=1)
    for actor in (world.alice, world.system, admin):
        assert world.ask(rights.rights_on, actor, world.inbox) == Rights.OWNER
        entryid = world.save(world.inbox, actor=actor)
        world.update(entryid, [(p.PR_SUBJECT, "x")], actor=actor)


def test_a_reviewer_reads_and_nothing_else(world: World) -> None:
    entryid = world.save(world.inbox)
    world.grant(world.inbox, world.bob_account, Rights.REVIEWER)
    assert bobs(world, world.inbox) == bobs(world, entryid) == Rights.REVIEWER
    props = world.props(entryid, actor=world.bob)
    assert (props[p.PR_ACCESS], props[p.PR_ACCESS_LEVEL]) == (2, 0)
    folder = world.props(world.inbox, actor=world.bob)
    assert (folder[p.PR_RIGHTS], folder[p.PR_ACCESS]) == (Rights.REVIEWER, 2)
    assert visible(world) == {"Inbox"}
    assert len(world.rows(world.inbox, actor=world.bob)) == 1
    for refused in (
        lambda: world.save(world.inbox, actor=world.bob),
        lambda: world.update(entryid, [(p.PR_SUBJECT, "x")], actor=world.bob),
        lambda: world.update(world.inbox, [(p.PR_COMMENT, "x")], actor=world.bob),
        lambda: world.call(folders.empty_folder, world.bob, world.inbox, 0),
        lambda: world.folder("X", world.inbox, actor=world.bob),
        lambda: world.call(rights.set_entries, world.bob, world.inbox, []),
    ):
        with pytest.raises(NoAccess):
            refused()


def test_an_author_changes_and_deletes_only_what_is_the_authors(world: World) -> None:
    world.grant(world.inbox, world.bob_account, Rights.AUTHOR)
    theirs = world.save(world.inbox)
    mine = world.save(world.inbox, actor=world.bob)
    world.update(mine, [(p.PR_SUBJECT, "x")], actor=world.bob)
    assert world.props(mine, actor=world.bob)[p.PR_ACCESS] == 7
    with pytest.raises(NoAccess):
        world.update(theirs, [(p.PR_SUBJECT, "x")], actor=world.bob)
    assert not world.call(messages.delete_messages, world.bob, [mine, theirs], hard=False)
    assert world.entryids(world.inbox) == [theirs]


def test_creators_may_read_what_they_created(world: World) -> None:
    world.grant(world.inbox, world.bob_account, Rights.CREATE | Rights.FOLDER_VISIBLE)
    world.save(world.inbox)
    mine = world.save(world.inbox, [(p.PR_SUBJECT, "mine")], actor=world.bob)
    assert world.props(mine, actor=world.bob)[p.PR_SUBJECT] == "mine"
    columns = [p.PR_SUBJECT, p.PR_ACCESS]
    assert world.rows(world.inbox, columns, actor=world.bob) == [{p.PR_SUBJECT: "mine", p.PR_ACCESS: 2}]


def test_rights_are_inherited_until_somebody_says_otherwise(world: World) -> None:
    top = world.folder("Top")
    below = world.folder("Below", top)
    deep = world.folder("Deep", below)
    world.grant(top, world.bob_account, Rights.EDITOR)
    assert bobs(world, deep) == Rights.EDITOR
    world.grant(below, world.bob_account, Rights.REVIEWER)
    assert bobs(world, deep) == bobs(world, below) == Rights.REVIEWER
    assert bobs(world, top) == Rights.EDITOR
    world.grant(below, world.bob_account, 0)
    assert bobs(world, deep) == 0
    assert visible(world) == {"Top"}


def test_groups_and_everyone_add_up_on_one_level(world: World) -> None:
    team = world.call(
        accounts.create_account,
        world.system,
        NewAccount("team", "Team", object_class=ObjectClass.SECURITY_GROUP),
    )
    all_teams = world.call(
        accounts.create_account,
        world.system,
        NewAccount("teams", "Teams", object_class=ObjectClass.SECURITY_GROUP),
    )
    world.call(groups.add_member, world.system, team, world.bob_account)
    world.call(groups.add_member, world.system, all_teams, team)
    world.grant(world.inbox, team, Rights.REVIEWER)
    world.grant(world.inbox, all_teams, Rights.EDIT_ANY)
    everyone = AccessEntry(0, AccessType.GRANT, Rights.CREATE, EntryState.NEW | 8, EVERYONE)
    world.call(rights.set_entries, world.alice, world.inbox, [everyone])
    assert bobs(world, world.inbox) == Rights.REVIEWER | Rights.EDIT_ANY | Rights.CREATE
    world.call(groups.remove_member, world.system, team, world.bob_account)
    assert bobs(world, world.inbox) == Rights.CREATE


def test_denials_are_kept_but_not_evaluated(world: World) -> None:
    entries = [
        AccessEntry(0, AccessType.GRANT, Rights.REVIEWER, EntryState.NEW, world.bob_account.entryid),
        AccessEntry(0, AccessType.DENIED, Rights.REVIEWER, EntryState.NEW, world.bob_account.entryid),
    ]
    world.call(rights.set_entries, world.alice, world.inbox, entries)
    assert bobs(world, world.inbox) == Rights.REVIEWER
    kinds = [entry.access_type for entry in world.ask(rights.entries, world.inbox, AccessType.BOTH)]
    assert kinds == [AccessType.DENIED, AccessType.GRANT]


def test_entries_are_changed_and_removed(world: World) -> None:
    world.grant(world.inbox, world.bob_account, Rights.REVIEWER)
    changed = AccessEntry(0, AccessType.GRANT, Rights.EDITOR, EntryState.MODIFY | 8, world.bob_account.entryid)
    world.call(rights.set_entries, world.alice, world.inbox, [changed])
    assert world.ask(rights.entries, world.inbox, AccessType.GRANT) == [
        AccessEntry(
            world.bob.user_id, AccessType.GRANT, Rights.EDITOR, EntryState.NORMAL, world.bob_account.entryid
        )
    ]
    # Without an entry id the number counts.
    removed = AccessEntry(world.bob.user_id, AccessType.GRANT, 0, EntryState.DELETE, b"")
    world.call(rights.set_entries, world.alice, world.inbox, [removed])
    assert world.ask(rights.entries, world.inbox, AccessType.GRANT) == []
    assert bobs(world, world.inbox) == 0


def test_rights_are_given_to_active_users_and_security_groups(world: World) -> None:
    room = world.call(
        accounts.create_account, world.system, NewAccount("room", "Room", object_class=ObjectClass.ROOM)
    )
    for wrong in (room.entryid, b"nonsense", b""):
        entry = AccessEntry(9999, AccessType.GRANT, 1, EntryState.NEW, wrong)
        with pytest.raises((InvalidParameter, NotFound)):
            world.call(rights.set_entries, world.alice, world.inbox, [entry])


def test_the_owner_of_an_object(world: World) -> None:
    world.grant(world.inbox, world.bob_account, Rights.CREATE)
    entryid = world.save(world.inbox, actor=world.bob)
    assert world.ask(rights.owner_of, entryid).name == "bob"
    assert world.ask(rights.owner_of, world.store.entryid).name == "alice"


def test_everybody_publishes_in_the_public_store(world: World) -> None:
    subtree = world.props(world.public.entryid)[p.PR_IPM_SUBTREE_ENTRYID]
    props = world.props(subtree, actor=world.bob)
    assert (props[p.PR_RIGHTS], props[p.PR_ACCESS]) == (Rights.PUBLISHING_AUTHOR, 26)
    folder = world.folder("Everybody's", subtree, actor=world.bob)
    entryid = world.save(folder, actor=world.bob)
    assert world.props(entryid)[p.PR_ACCESS] == 2
    with pytest.raises(NoAccess):
        world.update(entryid, [(p.PR_SUBJECT, "x")])
