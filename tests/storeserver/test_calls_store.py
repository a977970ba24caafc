"""Stores, users and the address book over the wire."""

from __future__ import annotations

import secrets

from gateway.mapi import ids
from gateway.mapi.errors import ErrorCode
from gateway.mapi.tables import ObjectType, TableType
from gateway.mapiclient.wire import calls_directory as directory
from gateway.mapiclient.wire import calls_folder as folder_calls
from gateway.mapiclient.wire import calls_store as store_calls
from gateway.mapiclient.wire import calls_table as table_calls
from gateway.mapiclient.wire.structs import NewFolder
from gateway.storeserver import answers  # noqa: F401
from tests.support.soap import SoapClient
from tests.support.store import RunningStore

# -- stores


def test_stores_and_who_owns_them(alice: SoapClient, bob: SoapClient) -> None:
    mine = alice.ok(store_calls.GetStore())
    assert mine.server_path == "pseudo://Unknown"
    assert mine.store_id[4:20] == mine.root_id[4:20] == mine.guid
    assert alice.ok(store_calls.GetStore(mine.store_id)) == mine
    assert alice.er(store_calls.GetStore(b"")) == ErrorCode.INVALID_PARAMETER
    assert alice.ok(store_calls.GetStoreType(mine.store_id)).store_type == 0
    assert alice.ok(store_calls.GetStoreName(mine.store_id)).store_name == "Inbox - alice"
    found = bob.ok(store_calls.ResolveUserStore("alice"))
    assert (found.store_id, found.guid, found.server_path) == (mine.store_id, mine.guid, "pseudo://Unknown")
    by_guid = bob.ok(store_calls.ResolveStore(mine.guid))
    assert by_guid.store_id[26:28] == b"\x10\0"
    assert by_guid.server_path is None
    assert bob.ok(store_calls.GetStore(by_guid.store_id)) == mine
    assert bob.er(store_calls.ResolveUserStore("nosuch")) == ErrorCode.NOT_FOUND
    assert bob.er(store_calls.ResolveUserStore("alice", 4)) == ErrorCode.NOT_FOUND
    assert bob.er(store_calls.ResolveStore(b"")) == ErrorCode.INVALID_PARAMETER
    public = bob.ok(store_calls.GetPublicStore())
    assert bob.ok(store_calls.GetStoreType(public.store_id)).store_type == 1
    assert bob.ok(store_calls.GetStoreName(public.store_id)).store_name == "Public Folders"
    flagged = bob.ok(store_calls.GetPublicStore(1))
    assert (flagged.store_id[26:28], flagged.server_path) == (b"\1\0", None)
    url = bob.ok(store_calls.ResolvePseudoUrl("pseudo://x"))
    assert (url.server_path, url.is_peer) == ("pseudo://x", True)
    assert bob.er(store_calls.GetServerDetails()) == ErrorCode.NETWORK_ERROR


def test_administration_is_for_administrators(alice: SoapClient) -> None:
    me = alice.ok(directory.GetUser()).user
    assert me is not None
    guid = alice.ok(store_calls.GetStore()).guid
    refused = ErrorCode.NO_ACCESS
    assert alice.er(store_calls.UnhookStore(0, me.user_entryid)) == refused
    assert alice.er(store_calls.HookStore(0, me.user_entryid, guid)) == refused
    assert alice.er(store_calls.RemoveStore(guid)) == refused
    assert alice.er(store_calls.PurgeSoftDelete(0)) == refused
    assert alice.er(store_calls.PurgeCache()) == refused
    assert alice.er(store_calls.PurgeDeferredUpdates()) == refused
    quota = directory.SetQuota(me.user_id, None, directory.Quota(False, False, 1, 1, 1))
    assert alice.er(quota) == refused
    assert (
        alice.er(
            directory.CreateUser(directory.User(username="x", full_name="x", mail_address="x", password="x"))
        )
        == refused
    )
    assert alice.er(directory.DeleteUser(me.user_id, None)) == refused
    assert alice.er(table_calls.TableOpen(b"", TableType.STATS_SESSIONS, 0)) == refused
    assert alice.er(table_calls.TableOpen(b"", TableType.OUTGOING_QUEUE, 5)) == refused
    assert alice.er(store_calls.TestGet("ping")) == refused


def test_a_life_of_a_user(store: RunningStore) -> None:
    with store.system() as system:
        user = directory.User(username="carol", full_name="Carol C", mail_address="carol@x", password="pw")
        made = system.ok(directory.CreateUser(user))
        assert system.ok(directory.ResolveUsername("CAROL")).user_id == made.user_id
        guid = secrets.token_bytes(16)
        root = ids.object_entryid(guid, ObjectType.FOLDER, secrets.token_bytes(16))
        call = store_calls.CreateStore(
            0,
            made.user_id,
            made.user_entryid,
            ids.object_entryid(guid, ObjectType.STORE, secrets.token_bytes(16)),
            root,
        )
        system.ok(call)
        assert system.er(call) == ErrorCode.COLLISION
        batch = folder_calls.CreateFolders(root, [NewFolder("a"), NewFolder("b")])
        assert len(system.ok(batch).entryids or ()) == 2
        assert (
            system.er(folder_calls.CreateFolders(root, [NewFolder("c"), NewFolder("a")])) == ErrorCode.COLLISION
        )
        assert len(system.ok(folder_calls.CreateFolders(root, [NewFolder("c")])).entryids or ()) == 1
        system.ok(directory.SetQuota(made.user_id, None, directory.Quota(False, False, 10, 20, 30)))
        with store.client("carol", "pw") as carol:
            assert carol.ok(directory.GetQuota()).quota == directory.Quota(False, False, 10, 20, 30)
            assert carol.ok(directory.GetQuotaStatus(made.user_id, None)).quota_status == 0
            assert carol.er(directory.GetQuotaStatus(0, b"")) == ErrorCode.INVALID_PARAMETER
            assert carol.er(directory.GetUser(5, b"")) == ErrorCode.INVALID_PARAMETER
        changed = directory.User(user_id=made.user_id, password="new", is_admin=0, is_ab_hidden=0xFFFFFFFF)
        system.ok(directory.SetUser(changed))
        with store.client() as carol:
            assert carol.logon("carol", "pw").er == ErrorCode.LOGON_FAILED
            assert carol.logon("carol", "new").er == 0
        group = system.ok(directory.CreateGroup(directory.Group(group_name="crew", full_name="The crew")))
        system.ok(directory.AddGroupUser(group.group_id, None, made.user_id, None))
        members = system.ok(directory.GetUserListOfGroup(group.group_id, None)).users
        assert [member.username for member in members] == ["carol"]
        groups = system.ok(directory.GetGroupListOfUser(made.user_id, None)).groups
        assert {found.group_name for found in groups} == {"crew", "Everyone"}
        system.ok(directory.AddSendAsUser(made.user_id, None, group.group_id, None))
        assert len(system.ok(directory.GetSendAsList(made.user_id, None)).users) == 1
        system.ok(directory.DelSendAsUser(made.user_id, None, group.group_id, None))
        system.ok(directory.DeleteGroupUser(group.group_id, None, made.user_id, None))
        system.ok(directory.GroupDelete(group.group_id, None))
        assert system.er(directory.GetGroup(group.group_id, None)) == ErrorCode.NOT_FOUND
        assert system.er(store_calls.RemoveStore(guid)) == ErrorCode.COLLISION
        with store.client("carol", "new") as carol:
            system.ok(directory.DeleteUser(made.user_id, None))
            assert carol.er(store_calls.GetStore()) == ErrorCode.END_OF_SESSION
        system.ok(store_calls.RemoveStore(guid))
        assert system.er(store_calls.ResolveStore(guid)) == ErrorCode.NOT_FOUND
        assert system.er(directory.GetCompanyList()) == ErrorCode.NO_SUPPORT
