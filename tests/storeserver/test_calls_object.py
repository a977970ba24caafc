"""Folders, messages, rights and names over the wire."""

from __future__ import annotations

import secrets

from gateway.mapi.errors import ErrorCode
from gateway.mapi.propnames import PS_PUBLIC_STRINGS
from gateway.mapi.props import PropName
from gateway.mapi.rights import AccessEntry, EntryState, Rights
from gateway.mapi.tables import ObjectType, TableFlags, TableType
from gateway.mapiclient.wire import calls_directory as directory
from gateway.mapiclient.wire import calls_folder as folder_calls
from gateway.mapiclient.wire import calls_object as object_calls
from gateway.mapiclient.wire import calls_store as store_calls
from gateway.mapiclient.wire import calls_table as table_calls
from gateway.mapiclient.wire.calls_session import Logoff
from gateway.storeserver import answers  # noqa: F401
from tests.storeserver.mailbox import inbox, new_folder, new_message, subjects
from tests.support.soap import SoapClient
from tests.support.store import RunningStore

# -- folders and messages


def test_a_folder_is_created_found_and_deleted(alice: SoapClient) -> None:
    folder = new_folder(alice, "Things")
    create = folder_calls.CreateFolder(parent_id=inbox(alice), folder_name="things", comment="", type=1)
    assert alice.er(create) == ErrorCode.COLLISION
    assert new_folder(alice, "Things", open_if_exists=True) == folder
    new_message(alice, folder, "one")
    assert alice.er(folder_calls.DeleteFolder(folder)) == ErrorCode.HAS_MESSAGES
    alice.ok(folder_calls.EmptyFolder(folder, 0x10))
    alice.ok(folder_calls.DeleteFolder(folder, 0x15))
    assert alice.er(object_calls.CheckExistObject(folder)) == ErrorCode.NOT_FOUND
    assert alice.er(object_calls.CheckExistObject(b"")) == ErrorCode.INVALID_PARAMETER


def test_messages_move_and_are_deleted(alice: SoapClient) -> None:
    source, target = new_folder(alice, "from"), new_folder(alice, "to")
    entryids = [new_message(alice, source, f"m{n}") for n in range(3)]
    alice.ok(object_calls.CopyObjects(entryids[:1], target, 1))
    alice.ok(object_calls.CopyObjects(entryids[1:2], target, 0))
    assert subjects(alice, source) == ["m2", "m1"]
    assert subjects(alice, target) == ["m1", "m0"]
    partial = object_calls.CopyObjects([entryids[2], entryids[0]], target, 1)
    assert alice.er(partial) == ErrorCode.PARTIAL_COMPLETION
    assert subjects(alice, target) == ["m1", "m2", "m0"]  # the copy is the newest
    alice.ok(object_calls.DeleteObjects(0, entryids[1:2]))
    assert subjects(alice, source) == []
    assert subjects(alice, source, TableFlags.SHOW_SOFT_DELETES) == ["m1"]
    alice.ok(object_calls.DeleteObjects(0x10, entryids[1:2]))
    assert subjects(alice, source, TableFlags.SHOW_SOFT_DELETES) == []
    for call in (
        object_calls.DeleteObjects(0, None),
        object_calls.CopyObjects(None, target),
        object_calls.SetReadFlags(0),
        object_calls.SaveObject(source, entryids[0], None),
    ):
        assert alice.er(call) == ErrorCode.INVALID_PARAMETER


def test_associated_messages_have_a_table_of_their_own(alice: SoapClient) -> None:
    folder = new_folder(alice, "fai")
    new_message(alice, folder, "plain")
    new_message(alice, folder, "hidden", 0x40)
    assert subjects(alice, folder) == ["plain"]
    assert subjects(alice, folder, TableFlags.ASSOCIATED) == ["hidden"]


def test_status_flags_locks_and_the_queue(store: RunningStore, alice: SoapClient, bob: SoapClient) -> None:
    message = new_message(alice, inbox(alice), "locked")
    assert alice.ok(object_calls.SetMessageStatus(message, 8, 8)).message_status == 0
    assert alice.ok(object_calls.GetMessageStatus(message)).message_status == 8
    assert bob.er(object_calls.GetMessageStatus(message)) == ErrorCode.NO_ACCESS
    assert bob.er(object_calls.SetLockState(message, True)) == ErrorCode.NO_ACCESS
    alice.ok(object_calls.SetLockState(message, True))
    with store.client("alice") as other:
        assert other.er(object_calls.LoadObject(message)) == ErrorCode.NO_ACCESS
        assert other.er(object_calls.SetLockState(message, True)) == ErrorCode.SUBMITTED
        assert other.er(object_calls.SetLockState(message, False)) == ErrorCode.SUBMITTED
        alice.ok(object_calls.LoadObject(message))
        alice.ok(object_calls.SetLockState(message, False))
        other.ok(object_calls.SetLockState(message, True))
        other.ok(Logoff())
    alice.ok(object_calls.LoadObject(message))
    own = alice.ok(store_calls.GetStore()).store_id
    queue = alice.ok(table_calls.TableOpen(own, TableType.OUTGOING_QUEUE, ObjectType.MESSAGE)).table_id
    assert alice.ok(table_calls.TableGetRowCount(queue)).count == 0
    alice.ok(object_calls.SubmitMessage(message, 0))
    assert alice.ok(table_calls.TableGetRowCount(queue)).count == 1
    alice.ok(object_calls.AbortSubmit(message))
    assert alice.er(object_calls.AbortSubmit(message)) == ErrorCode.NOT_IN_QUEUE
    assert alice.ok(table_calls.TableGetRowCount(queue)).count == 0
    alice.ok(object_calls.SubmitMessage(message, 3))
    with store.system() as system:
        master = system.ok(table_calls.TableOpen(b"", TableType.OUTGOING_QUEUE, ObjectType.MESSAGE)).table_id
        assert system.ok(table_calls.TableGetRowCount(master)).count == 1
        alice.ok(object_calls.FinishedMessage(message, 3))
        assert system.ok(table_calls.TableGetRowCount(master)).count == 0


def test_rights_decide_who_sees_a_folder(alice: SoapClient, bob: SoapClient) -> None:
    folder = new_folder(alice, "shared", alice.ok(store_calls.GetStore()).root_id)
    new_message(alice, folder, "secret")
    assert subjects(bob, folder) == []
    assert bob.er(object_calls.LoadObject(folder)) == ErrorCode.NO_ACCESS
    assert (
        bob.er(folder_calls.CreateFolder(parent_id=folder, folder_name="x", comment="", type=1))
        == ErrorCode.NO_ACCESS
    )
    user = alice.ok(directory.ResolveUsername("bob"))
    entry = AccessEntry(0, 2, int(Rights.REVIEWER), int(EntryState.NEW), user.user_entryid)
    assert bob.er(folder_calls.SetRights(folder, [entry])) == ErrorCode.NO_ACCESS
    assert alice.er(folder_calls.SetRights(folder, None)) == ErrorCode.INVALID_PARAMETER
    alice.ok(folder_calls.SetRights(folder, [entry]))
    assert [one.user_id for one in bob.ok(folder_calls.GetRights(folder)).rights or ()] == [user.user_id]
    assert subjects(bob, folder) == ["secret"]
    bob.ok(object_calls.LoadObject(folder))


def test_named_properties(alice: SoapClient) -> None:
    name = PropName(PS_PUBLIC_STRINGS, f"x-{secrets.token_hex(4)}")
    assert alice.ok(object_calls.GetIdsFromNames([name], 0)).prop_tags == (0,)
    (number,) = alice.ok(object_calls.GetIdsFromNames([name], 2)).prop_tags
    assert number >= 2
    assert alice.ok(object_calls.GetIdsFromNames([name], 0)).prop_tags == (number,)
    assert alice.ok(object_calls.GetNamesFromIds([number, 30_000])).names == (name, None)
    assert alice.er(object_calls.GetIdsFromNames([PropName(b"short", 1)], 2)) == ErrorCode.INVALID_PARAMETER
