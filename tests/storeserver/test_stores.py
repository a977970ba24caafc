"""Stores: what is in a new one, finding, attaching and removing them, receive folders."""

from __future__ import annotations

import struct

import pytest

from gateway.mapi import ids
from gateway.mapi import proptags as p
from gateway.mapi.errors import Collision, ErrorCode, InvalidParameter, NoAccess, NotFound
from gateway.mapi.tables import ObjectType
from gateway.storeserver import accounts, containers, folder_rows, locate, stores
from gateway.storeserver.accounts import NewAccount
from gateway.storeserver.rowplan import RowKind
from tests.support.storecore import World

#: Where each special folder's entry id is, and the folder's name and container class.
OF_STORE = [
    (p.PR_IPM_SUBTREE_ENTRYID, "IPM_SUBTREE", None),
    (p.PR_IPM_OUTBOX_ENTRYID, "Outbox", None),
    (p.PR_IPM_WASTEBASKET_ENTRYID, "Deleted Items", None),
    (p.PR_IPM_SENTMAIL_ENTRYID, "Sent Items", None),
    (p.PR_VIEWS_ENTRYID, "IPM_VIEWS", None),
    (p.PR_COMMON_VIEWS_ENTRYID, "IPM_COMMON_VIEWS", None),
    (p.PR_FINDER_ENTRYID, "FINDER_ROOT", None),
    (p.PR_IPM_FAVORITES_ENTRYID, "Shortcut", None),
    (p.PR_SCHEDULE_FOLDER_ENTRYID, "Schedule", None),
]
OF_INBOX = [
    (p.PR_IPM_APPOINTMENT_ENTRYID, "Calendar", "IPF.Appointment"),
    (p.PR_IPM_CONTACT_ENTRYID, "Contacts", "IPF.Contact"),
    (p.PR_IPM_JOURNAL_ENTRYID, "Journal", "IPF.Journal"),
    (p.PR_IPM_NOTE_ENTRYID, "Notes", "IPF.StickyNote"),
    (p.PR_IPM_TASK_ENTRYID, "Tasks", "IPF.Task"),
    (p.PR_IPM_DRAFTS_ENTRYID, "Drafts", "IPF.Note"),
]


def root(world: World) -> bytes:
    entryid: bytes = world.props(world.subtree)[p.PR_PARENT_ENTRYID]
    return entryid


def test_every_special_folder_is_found_by_its_property(world: World) -> None:
    store = world.props(world.store.entryid)
    for tag, name, container_class in OF_STORE:
        props = world.props(store[tag])
        assert (props[p.PR_DISPLAY_NAME], props.get(p.PR_CONTAINER_CLASS)) == (name, container_class)
    for holder in (root(world), world.inbox):
        inbox = world.props(holder)
        for tag, name, container_class in OF_INBOX:
            props = world.props(inbox[tag])
            assert (props[p.PR_DISPLAY_NAME], props.get(p.PR_CONTAINER_CLASS)) == (name, container_class)
        unused, junk = inbox[p.PR_ADDITIONAL_REN_ENTRYIDS][:4], inbox[p.PR_ADDITIONAL_REN_ENTRYIDS][4]
        assert unused == (b"",) * 4
        assert world.props(junk)[p.PR_DISPLAY_NAME] == "Junk E-mail"


def test_the_root_is_its_own_parent_and_has_no_counters(world: World) -> None:
    props = world.props(root(world))
    assert props[p.PR_PARENT_ENTRYID] == props[p.PR_RECORD_KEY] == root(world)
    assert props[p.PR_FOLDER_TYPE] == 0
    assert not {p.PR_CONTENT_COUNT, p.PR_PARENT_SOURCE_KEY, p.PR_CHANGE_KEY} & props.keys()


def test_the_folders_of_2007_are_blocks_of_entryids(world: World) -> None:
    blob = world.props(world.inbox)[p.PR_IPM_OL2007_ENTRYIDS]
    found = {}
    while blob[:4] != bytes(4):
        kind, size, element, length = struct.unpack_from("<HHHH", blob)
        assert (size, element) == (length + 4, 1)
        found[kind] = world.props(blob[8 : 8 + length])[p.PR_DISPLAY_NAME]
        blob = blob[8 + length :]
    assert blob == bytes(4)
    assert found == {
        0x8001: "RSS Feeds",
        0x8006: "Conversation Action Settings",
        0x8007: "Quick Step Settings",
        0x8008: "Suggested Contacts",
    }


def test_free_busy_messages(world: World) -> None:
    associated, message, public, folder = world.props(world.inbox)[p.PR_FREEBUSY_ENTRYIDS]
    assert public == b""
    assert world.props(folder)[p.PR_DISPLAY_NAME] == "Freebusy Data"
    props = world.props(message)
    assert props[p.PR_PARENT_ENTRYID] == folder
    assert props[p.PR_SUBJECT] == "LocalFreebusy"
    assert props[p.PR_FREEBUSY_NUM_MONTHS] == 6
    calendar = world.props(world.inbox)[p.PR_IPM_APPOINTMENT_ENTRYID]
    assert world.entryids(calendar, RowKind.ASSOCIATED) == [associated]
    assert world.entryids(calendar) == []


def test_everything_in_a_new_store_belongs_to_its_owner(world: World) -> None:
    number = world.ask(locate.folder_by_entryid, root(world)).id
    found = world.ask(folder_rows.folder_rows, world.alice, number, [p.PR_DISPLAY_NAME], recursive=True)
    assert len(found) == 22
    owners = {world.ask(locate.folder_by_id, key).owner_id for key, _ in found}
    assert owners == {world.alice.user_id}


def test_the_public_store(world: World) -> None:
    props = world.props(world.public.entryid, actor=world.bob)
    assert props[p.PR_DISPLAY_NAME] == "Public Folders"
    assert p.PR_MAILBOX_OWNER_NAME not in props
    names = {
        p.PR_IPM_SUBTREE_ENTRYID: "IPM_SUBTREE",
        p.PR_NON_IPM_SUBTREE_ENTRYID: "NON_IPM_SUBTREE",
        p.PR_FINDER_ENTRYID: "FINDER_ROOT",
        p.PR_SPLUS_FREE_BUSY_ENTRYID: "SCHEDULE+ FREE BUSY",
        p.PR_FREE_BUSY_FOR_LOCAL_SITE_ENTRYID: "Zarafa 1",
    }
    for tag, name in names.items():
        assert world.props(props[tag], actor=world.system)[p.PR_DISPLAY_NAME] == name
    assert world.ask(stores.public_store).guid == world.public.guid
    with pytest.raises(Collision):
        world.call(stores.create_public)


def test_the_store_of_system_has_ids_of_the_old_form(world: World) -> None:
    store = world.ask(stores.store_of, accounts.SYSTEM_ID)
    assert (len(store.entryid), store.id, store.root_id) == (36, 1, 2)
    props = world.props(store.entryid, actor=world.system)
    assert props[p.PR_DISPLAY_NAME] == "Inbox - SYSTEM"
    assert props[p.PR_USER_ENTRYID] == props[p.PR_MAILBOX_OWNER_ENTRYID] == ids.SYSTEM_USER
    top = world.ask(locate.folder_by_id, store.root_id).entryid
    assert ids.parse_object_entryid(top).unique == (2).to_bytes(4, "little")
    assert world.props(top, actor=world.system)[p.PR_FOLDER_TYPE] == 0


def test_stores_are_found_by_owner_guid_and_entryid(world: World) -> None:
    for found in (
        world.ask(stores.store_of, world.alice.user_id),
        world.ask(locate.store_by_guid, world.store.guid),
        world.ask(locate.store_by_entryid, world.store.entryid),
    ):
        assert found.id == world.store.id
    with pytest.raises(NotFound):
        world.ask(stores.store_of, world.alice.user_id, 2)
    with pytest.raises(NotFound):
        world.ask(locate.store_by_guid, b"x" * 16)
    with pytest.raises(Collision):
        world.call(stores.create_private, world.alice_account)


def new_ids(guid: bytes = b"G" * 16) -> tuple[bytes, bytes]:
    return (
        ids.object_entryid(guid, ObjectType.STORE, b"s" * 16),
        ids.object_entryid(guid, ObjectType.FOLDER, b"r" * 16),
    )


def test_an_empty_store_has_the_clients_ids(world: World) -> None:
    carol = world.call(accounts.create_account, world.system, NewAccount("carol", "Carol"))
    store, top = new_ids()
    with pytest.raises(NoAccess):
        world.call(stores.create_empty, world.alice, 0, carol, store, top)
    made = world.call(stores.create_empty, world.system, 0, carol, store, top)
    assert (made.entryid, made.guid) == (store, b"G" * 16)
    assert world.props(top, actor=accounts.actor_of(carol))[p.PR_FOLDER_TYPE] == 0
    assert world.ask(stores.receive_folders, store) == []
    for wrong in ((store, new_ids(b"H" * 16)[1]), (top, store), (b"x" * 48, top)):
        with pytest.raises(InvalidParameter) as caught:
            world.call(stores.create_empty, world.system, 2, carol, *wrong)
        assert caught.value.code == ErrorCode.INVALID_ENTRYID
    with pytest.raises(Collision):
        world.call(stores.create_empty, world.system, 0, carol, *new_ids(b"I" * 16))


def test_detaching_attaching_and_removing_a_store(world: World) -> None:
    entryid = world.save(world.inbox)
    with pytest.raises(NoAccess):
        world.call(stores.unhook, world.alice, 0, world.alice_account)
    with pytest.raises(Collision):
        world.call(stores.remove, world.system, world.store.guid)
    world.call(stores.unhook, world.system, 0, world.alice_account)
    with pytest.raises(NotFound):
        world.ask(stores.store_of, world.alice.user_id)
    # The former owner has no more rights in it.
    with pytest.raises(NoAccess):
        world.load(world.inbox)
    assert world.ask(containers.store_name, world.ask(locate.store_by_guid, world.store.guid)).endswith(
        "Alice Example"
    )
    with pytest.raises(NoAccess):
        world.call(stores.hook, world.bob, 0, world.bob_account, world.store.guid)
    # It becomes bob's, and what bob had becomes the orphan.
    world.call(stores.hook, world.system, 0, world.bob_account, world.store.guid)
    assert world.ask(stores.store_of, world.bob.user_id).guid == world.store.guid
    assert world.load(entryid, actor=world.bob)
    with pytest.raises(NoAccess):
        world.load(entryid)
    world.call(stores.remove, world.system, world.bob_store.guid)
    with pytest.raises(NotFound):
        world.ask(locate.store_by_guid, world.bob_store.guid)
    with pytest.raises(NotFound):
        world.load(world.bob_inbox, actor=world.system)


def test_deleting_a_user_leaves_an_orphan(world: World) -> None:
    world.call(stores.orphan_all, world.system, world.bob_account)
    world.call(accounts.delete_account, world.system, world.bob_account)
    store = world.ask(locate.store_by_guid, world.bob_store.guid)
    assert (store.orphan, store.former_owner) == (True, "bob")
    assert world.props(store.entryid, actor=world.system)[p.PR_DISPLAY_NAME] == "Inbox - bob"
    world.call(stores.remove, world.system, store.guid)


@pytest.mark.parametrize(
    ("asked", "matched"),
    [("IPM", "IPM"), ("ipm.note.smime", "IPM"), ("REPORT.IPM.Note.NDR", "REPORT.IPM"), ("", ""), ("X.Y", "")],
)
def test_receive_folders(world: World, asked: str, matched: str) -> None:
    found = world.ask(stores.receive_folder, world.store.entryid, asked)
    assert found == (world.inbox, matched)


def test_binding_a_message_class(world: World) -> None:
    other = world.folder("Other")
    store = world.store.entryid
    assert world.ask(stores.receive_folder, store, "IPC.x") == (root(world), "IPC")
    world.call(stores.set_receive_folder, world.alice, store, other, "IPM.Note.Special")
    assert world.ask(stores.receive_folder, store, "ipm.note.special.more") == (other, "IPM.Note.Special")
    world.call(stores.set_receive_folder, world.alice, store, None, "IPM.Note.Special")
    assert world.ask(stores.receive_folder, store, "IPM.Note.Special")[0] == world.inbox
    assert len(world.ask(stores.receive_folders, store)) == 5
    for folder, message_class in ((None, ""), (world.bob_inbox, "IPM")):
        with pytest.raises(InvalidParameter):
            world.call(stores.set_receive_folder, world.alice, store, folder, message_class)
    with pytest.raises(NoAccess):
        world.call(stores.set_receive_folder, world.bob, store, other, "IPM")
    with pytest.raises(NotFound):
        world.ask(stores.receive_folder, world.public.entryid, "IPM")


def test_logons_are_remembered(world: World) -> None:
    world.call(stores.note_logon, world.alice.user_id)
    world.time += 5
    world.call(stores.note_logon, world.alice.user_id, logoff=True)
    props = world.props(world.store.entryid)
    assert props[p.PR_LAST_LOGOFF_TIME] - props[p.PR_LAST_LOGON_TIME] == 5 * 10_000_000
    world.call(stores.note_logon, accounts.SYSTEM_ID)
