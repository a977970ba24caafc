"""A store on a real socket: sessions, stores, objects, folders, tables and names, as a client sees them."""

from __future__ import annotations

import gzip
import secrets
import zlib
from collections.abc import Iterator

import pytest

from gateway.mapi import ids
from gateway.mapi import proptags as pt
from gateway.mapi.errors import ErrorCode
from gateway.mapi.propnames import KEYWORDS, PS_PUBLIC_STRINGS
from gateway.mapi.props import PropName
from gateway.mapi.restrictions import contains, equals
from gateway.mapi.rights import AccessEntry, EntryState, Rights
from gateway.mapi.tables import ObjectType, SortDirection, SortKey, TableFlags, TableType
from gateway.mapiclient.wire import calls_directory as directory
from gateway.mapiclient.wire import calls_folder as folder_calls
from gateway.mapiclient.wire import calls_object as object_calls
from gateway.mapiclient.wire import calls_store as store_calls
from gateway.mapiclient.wire import calls_sync as sync_calls
from gateway.mapiclient.wire import calls_table as table_calls
from gateway.mapiclient.wire.calls import CALLS
from gateway.mapiclient.wire.calls_session import GetLicenseAuth, Logoff
from gateway.mapiclient.wire.envelope import encode_request
from gateway.mapiclient.wire.stream import decode_stream
from gateway.mapiclient.wire.structs import MessageStream, NewFolder, ObjectTree, SourceKeyPair
from gateway.storeserver import answers  # noqa: F401
from gateway.storeserver.dispatch import ANSWERS
from tests.storeserver.mailbox import inbox, new_folder, new_message
from tests.support.soap import SoapClient
from tests.support.store import RunningStore, running_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    with running_store(tmp_path_factory.mktemp("store"), ["alice", "bob"]) as running:
        yield running


@pytest.fixture
def alice(store: RunningStore) -> Iterator[SoapClient]:
    with store.client("alice") as client:
        yield client
        client.call(Logoff())


@pytest.fixture
def bob(store: RunningStore) -> Iterator[SoapClient]:
    with store.client("bob") as client:
        yield client
        client.call(Logoff())


def subjects(client: SoapClient, folder: bytes, flags: int = 0) -> list[str]:
    reply = client.ok(
        table_calls.TableMulti(
            table_calls.TableRequest(
                open=table_calls.OpenRequest(folder, TableType.MS, ObjectType.MESSAGE, flags),
                set_columns=[pt.PR_SUBJECT],
                query_rows=table_calls.QueryRowsRequest(100),
            )
        )
    )
    client.ok(table_calls.TableClose(reply.table_id))
    return [row[0][1] for row in reply.row_set]


# -- the whole


def test_every_declared_call_has_an_answer() -> None:
    assert ANSWERS.keys() == CALLS.keys()


def test_every_call_of_an_unknown_session_is_told_so(store: RunningStore) -> None:
    with store.client() as client:
        for name, call_type in CALLS.items():
            if name in ("logon", "ssoLogon"):
                continue
            body = (
                b'<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/"><E:Body>'
                b'<n:%b xmlns:n="urn:zarafa"><%b>77</%b></n:%b></E:Body></E:Envelope>'
            ) % (name.encode(), *[call_type.session_element.encode()] * 2, name.encode())
            status, answer = client.raw(body)
            assert status == 200, name
            assert str(int(ErrorCode.END_OF_SESSION)).encode() in answer, name


def test_every_call_without_arguments_is_answered(store: RunningStore) -> None:
    with store.client("alice") as client:
        for name, call_type in CALLS.items():
            if name in ("logon", "ssoLogon", "logoff", "notifyGetItems"):
                continue
            body = (
                b'<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/"><E:Body>'
                b'<n:%b xmlns:n="urn:zarafa"><%b>%d</%b></n:%b></E:Body></E:Envelope>'
            ) % (
                name.encode(),
                call_type.session_element.encode(),
                client.session_id,
                call_type.session_element.encode(),
                name.encode(),
            )
            status, answer = client.raw(body)
            assert status == 200, name
            assert str(int(ErrorCode.CALL_FAILED)).encode() not in answer, (name, answer[-300:])


# -- sessions


def test_logon_answers_what_the_server_can_do(store: RunningStore) -> None:
    with store.client() as client:
        reply = client.logon("alice", capabilities=0xE752)
        assert (reply.er, reply.version, len(reply.server_guid)) == (0, "0,11,0,2", 16)
        assert reply.capabilities == 0x9FE8 & ~0x20  # there is no licence server
        assert reply.session_id > 0xFFFF_FFFF
        assert client.headers["transfer-encoding"] == "chunked"
        reply = client.logon("alice", capabilities=0x200)
        assert 0 < reply.session_id <= 0xFFFF_FFFF
        assert "transfer-encoding" not in client.headers
        assert client.headers["content-length"] == str(len(client.body))


@pytest.mark.parametrize(
    ("user", "password", "options", "code"),
    [
        ("alice", "wrong", {}, ErrorCode.LOGON_FAILED),
        ("alice", "", {}, ErrorCode.LOGON_FAILED),
        ("nobody", "nobody", {}, ErrorCode.LOGON_FAILED),
        ("SYSTEM", "", {}, ErrorCode.LOGON_FAILED),
        ("Everyone", "", {}, ErrorCode.LOGON_FAILED),
        ("alice", "alice", {"impersonate_user": "bob"}, ErrorCode.LOGON_FAILED),
        (None, "alice", {}, ErrorCode.LOGON_FAILED),
        ("alice", "alice", {"version": "0,5,1,2"}, ErrorCode.INVALID_VERSION),
    ],
)
def test_logon_is_refused(
    store: RunningStore, user: str, password: str, options: dict[str, object], code: ErrorCode
) -> None:
    with store.client() as client:
        reply = client.logon(user, password, **options)
        assert (reply.er, reply.session_id, reply.server_guid) == (code, 0, b"")
        assert reply.version == "0,11,0,2"


@pytest.mark.parametrize("version", ["11.0.2", "0,11,0,2", "8,1,0", "", None, "x,y"])
def test_any_new_enough_version_may_log_on(store: RunningStore, version: str | None) -> None:
    with store.client() as client:
        assert client.logon("alice", version=version).er == 0


def test_a_client_without_unicode_is_refused(store: RunningStore) -> None:
    with store.client() as client:
        reply = client.logon("alice", capabilities=0)
        assert (reply.er, reply.session_id, reply.version) == (ErrorCode.BAD_CHARWIDTH, 0, None)


def test_credentials_can_be_checked_without_a_session(store: RunningStore) -> None:
    with store.client() as client:
        reply = client.logon("alice", flags=2)
        assert reply.er == 0
        assert reply.session_id
        assert client.er(store_calls.GetStore()) == ErrorCode.END_OF_SESSION


def test_logoff_ends_the_session(store: RunningStore) -> None:
    with store.client("alice") as client:
        assert client.ok(GetLicenseAuth(b"x")).auth_response == b""
        assert client.er(Logoff()) == 0
        assert client.er(store_calls.GetStore()) == ErrorCode.END_OF_SESSION
        assert client.er(Logoff()) == ErrorCode.END_OF_SESSION


def test_root_on_the_local_socket_is_anybody(store: RunningStore) -> None:
    with store.system() as system, SoapClient(store.unix) as client:
        assert client.logon("bob", "").er == 0
        assert client.ok(directory.GetUser()).user.username == "bob"  # type: ignore[union-attr]
        assert client.logon("bob", "", flags=1).er == ErrorCode.LOGON_FAILED
        assert client.logon("bob", "", impersonate_user=None).er == ErrorCode.LOGON_FAILED
        assert client.logon("SYSTEM", "", impersonate_user="alice").er == 0
        assert client.ok(directory.GetUser()).user.username == "alice"  # type: ignore[union-attr]
        assert client.logon("SYSTEM", "", impersonate_user="nobody").er == ErrorCode.LOGON_FAILED
        assert system.ok(directory.GetUser()).user.is_admin == 2  # type: ignore[union-attr]


def test_a_session_belongs_to_where_it_was_opened(store: RunningStore) -> None:
    with store.system() as system, store.client() as other, SoapClient(store.unix) as same:
        assert other.er(Logoff()) == ErrorCode.END_OF_SESSION
        other.session_id = same.session_id = system.session_id
        assert other.er(store_calls.GetStoreType(b"x")) == ErrorCode.END_OF_SESSION
        assert same.ok(directory.GetUser()).user.username == "SYSTEM"  # type: ignore[union-attr]


# -- HTTP and encodings


def test_what_is_no_call_is_a_fault_and_ends_the_connection(store: RunningStore) -> None:
    for body in (
        b"",
        b"<oops",
        b"<a/>",
        b"\x00\xff" * 50,
        encode_request(Logoff(), 1).replace(b"logoff", b"fooBar"),
    ):
        with store.client() as client:
            status, answer = client.raw(body)
            assert status == 500
            assert b"<faultcode>SOAP-ENV:Client</faultcode>" in answer
            assert client.headers["connection"] == "close"


def test_only_post_is_served(store: RunningStore) -> None:
    with store.client() as client:
        status, answer = client.raw(b"", method="GET")
        assert (status, b"HTTP GET method not implemented" in answer) == (405, True)


def test_the_path_does_not_matter_and_compressed_requests_are_read(store: RunningStore) -> None:
    with store.client("alice") as client:
        body = encode_request(store_calls.GetStore(), client.session_id)
        for encoding, data in (("gzip", gzip.compress(body)), ("deflate", zlib.compress(body))):
            status, answer = client.raw(data, headers={"Content-Encoding": encoding})
            assert status == 200
            assert b"<er>0</er>" in answer
        assert client.raw(body, headers={"Content-Encoding": "br"})[0] == 500


def test_a_large_request_and_a_large_answer(alice: SoapClient) -> None:
    data = secrets.token_bytes(3_000_000)
    attachment = ObjectTree(
        mod_props=[
            (pt.PR_ATTACH_METHOD, 1),
            (pt.PR_ATTACH_DATA_BIN, data),
            (pt.PR_ATTACH_LONG_FILENAME, "x.bin"),
        ],
        obj_type=ObjectType.ATTACHMENT,
    )
    message = new_message(alice, inbox(alice), "large", children=[attachment])
    loaded = alice.ok(object_calls.LoadObject(message)).object
    assert loaded is not None
    child = loaded.children[0]
    assert pt.PR_ATTACH_DATA_BIN not in dict(child.mod_props)
    found = alice.ok(object_calls.LoadProp(message, child.server_id, pt.PR_ATTACH_DATA_BIN))
    assert found.prop_val == (pt.PR_ATTACH_DATA_BIN, data)


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
        system.ok(directory.DeleteUser(made.user_id, None))
        system.ok(store_calls.RemoveStore(guid))
        assert system.er(store_calls.ResolveStore(guid)) == ErrorCode.NOT_FOUND
        assert system.er(directory.GetCompanyList()) == ErrorCode.NO_SUPPORT


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


# -- tables


def test_a_table_of_messages(alice: SoapClient) -> None:
    folder = new_folder(alice, "table")
    for subject in ("pear", "Apple", "fig"):
        new_message(alice, folder, subject)
    table = alice.ok(table_calls.TableOpen(folder, TableType.MS, ObjectType.MESSAGE)).table_id
    columns = [pt.PR_SUBJECT, pt.PR_BODY, pt.PR_INSTANCE_KEY]
    alice.ok(table_calls.TableSetColumns(table, columns))
    assert alice.ok(table_calls.TableQueryColumns(table)).prop_tags == tuple(columns)
    alice.ok(table_calls.TableSort(table, [SortKey(pt.PR_SUBJECT, SortDirection.ASCENDING)]))
    rows = alice.ok(table_calls.TableQueryRows(table, 2)).row_set
    assert [row[0] for row in rows] == [(pt.PR_SUBJECT, "Apple"), (pt.PR_SUBJECT, "fig")]
    assert rows[0][1] == (0x1000000A, int(ErrorCode.NOT_FOUND))
    assert alice.ok(table_calls.TableGetRowCount(table)) == table_calls.RowCount(0, 3, 2)
    mark = alice.ok(table_calls.TableCreateBookmark(table)).position
    assert alice.ok(table_calls.TableSeekRow(table, 0, 1)).rows_sought == 1
    alice.ok(table_calls.TableFindRow(table, 0, 0, equals(pt.PR_SUBJECT, "PEAR")))
    assert alice.er(table_calls.TableFindRow(table, 0, 0, equals(pt.PR_SUBJECT, "kiwi"))) == ErrorCode.NOT_FOUND
    assert alice.ok(table_calls.TableQueryRows(table, 9, 1)).row_set[0][0][1] == "pear"
    alice.ok(table_calls.TableSeekRow(table, mark, 0))
    alice.ok(table_calls.TableFreeBookmark(table, mark))
    assert alice.er(table_calls.TableFreeBookmark(table, mark)) == ErrorCode.INVALID_BOOKMARK
    alice.ok(table_calls.TableRestrict(table, contains(pt.PR_SUBJECT, "P")))
    assert alice.ok(table_calls.TableGetRowCount(table)).count == 2
    for call in (
        table_calls.TableSetColumns(table, None),
        table_calls.TableSort(table, None),
        table_calls.TableFindRow(table, 0, 0, None),
        table_calls.TableMulti(None),
        table_calls.TableExpandRow(table, bytes(8), 1),
    ):
        assert alice.er(call) == ErrorCode.INVALID_PARAMETER
    alice.ok(table_calls.TableClose(table))
    assert alice.er(table_calls.TableClose(table)) == ErrorCode.NOT_FOUND
    assert alice.er(table_calls.TableQueryRows(table, 1)) == ErrorCode.NOT_FOUND


def test_a_table_follows_its_folder(alice: SoapClient, store: RunningStore) -> None:
    folder = new_folder(alice, "live")
    table = alice.ok(table_calls.TableOpen(folder, TableType.MS, ObjectType.MESSAGE)).table_id
    assert alice.ok(table_calls.TableGetRowCount(table)).count == 0
    with store.client("alice") as other:
        first = new_message(other, folder, "first")
        assert alice.ok(table_calls.TableGetRowCount(table)).count == 1
        new_message(other, folder, "second")
        other.ok(object_calls.DeleteObjects(0, [first]))
    alice.ok(table_calls.TableSetColumns(table, [pt.PR_SUBJECT]))
    alice.ok(table_calls.TableSeekRow(table, 0, 0))
    assert alice.ok(table_calls.TableQueryRows(table, 9)).row_set == [[(pt.PR_SUBJECT, "second")]]


def test_hierarchy_tables(alice: SoapClient) -> None:
    top = new_folder(alice, "top")
    new_folder(alice, "below", new_folder(alice, "middle", top))
    found = {}
    for flags in (0, TableFlags.CONVENIENT_DEPTH):
        reply = alice.ok(
            table_calls.TableMulti(
                table_calls.TableRequest(
                    open=table_calls.OpenRequest(top, TableType.MS, ObjectType.FOLDER, flags),
                    set_columns=[pt.PR_DISPLAY_NAME, pt.PR_DEPTH],
                    sort=table_calls.SortRequest([SortKey(pt.PR_DEPTH)]),
                    query_rows=table_calls.QueryRowsRequest(100),
                )
            )
        )
        found[flags] = [(row[0][1], row[1][1]) for row in reply.row_set]
    assert found == {0: [("middle", 1)], TableFlags.CONVENIENT_DEPTH: [("middle", 1), ("below", 2)]}


def test_a_failing_step_leaves_no_table_behind(alice: SoapClient, store: RunningStore) -> None:
    request = table_calls.TableRequest(
        open=table_calls.OpenRequest(inbox(alice), TableType.MS, ObjectType.MESSAGE),
        sort=table_calls.SortRequest([SortKey(pt.PR_SUBJECT)], 3),
    )
    assert store.service.server is not None
    before = store.service.server.tables.count
    assert alice.er(table_calls.TableMulti(request)) == ErrorCode.INVALID_PARAMETER
    assert store.service.server.tables.count == before


def test_tables_of_administrators_and_the_address_book(store: RunningStore, alice: SoapClient) -> None:
    with store.system() as system:
        for table_type, minimum in (
            (TableType.STATS_SYSTEM, 5),
            (TableType.STATS_SESSIONS, 2),
            (TableType.STATS_USERS, 3),
            (TableType.USER_STORES, 3),
            (TableType.MAILBOXES, 3),
        ):
            table = system.ok(table_calls.TableOpen(b"", table_type, 10)).table_id
            rows = system.ok(table_calls.TableQueryRows(table, 100)).row_set
            assert len(rows) >= minimum, table_type
        assert system.er(table_calls.TableOpen(b"", TableType.STATS_COMPANY, 10)) == ErrorCode.NOT_FOUND
        assert system.er(table_calls.TableOpen(b"", TableType.MULTI_STORE, 10)) == ErrorCode.NO_SUPPORT
    users = alice.ok(table_calls.TableOpen(b"", TableType.USER_STORES, 0)).table_id
    assert alice.ok(table_calls.TableGetRowCount(users)).count == 0
    book = alice.ok(table_calls.TableOpen(ids.GLOBAL_ADDRESS_BOOK, TableType.AB, ObjectType.MAIL_USER)).table_id
    alice.ok(table_calls.TableSetColumns(book, [pt.PR_ACCOUNT]))
    alice.ok(table_calls.TableRestrict(book, equals(pt.PR_ANR, "al")))
    assert alice.ok(table_calls.TableQueryRows(book, 9)).row_set == [[(pt.PR_ACCOUNT, "alice")]]
    containers = alice.ok(
        table_calls.TableOpen(ids.ADDRESS_BOOK_ROOT, TableType.AB, ObjectType.AB_CONTAINER)
    ).table_id
    assert alice.ok(table_calls.TableGetRowCount(containers)).count == 2
    lists = table_calls.TableOpen(ids.ALL_ADDRESS_LISTS, TableType.AB, ObjectType.MAIL_USER)
    assert alice.er(lists) == ErrorCode.INVALID_PARAMETER


def test_names_resolve(alice: SoapClient) -> None:
    def resolve(text: str, flags: int) -> tuple[object, object]:
        call = directory.AbResolveNames(
            [pt.PR_DISPLAY_NAME, pt.PR_ACCOUNT, pt.PR_TITLE],
            [[(pt.PR_DISPLAY_NAME, text), (pt.PR_RECIPIENT_TYPE, 1)]],
            [0],
            flags,
        )
        reply = alice.ok(call)
        return list(map(list, reply.row_set)), list(reply.row_flags)

    row = [
        (pt.PR_DISPLAY_NAME, "bob"),
        (pt.PR_RECIPIENT_TYPE, 1),
        (pt.PR_ACCOUNT, "bob"),
        (pt.PR_TITLE & ~0xFFFF | 0xA, int(ErrorCode.NOT_FOUND)),
    ]
    assert resolve("bob", 1) == ([row], [2])
    assert resolve("BO", 0) == ([row], [2])
    assert resolve("bo", 1) == ([[]], [0])
    assert alice.er(directory.AbResolveNames((), None, [0])) == ErrorCode.INVALID_PARAMETER
    assert alice.er(directory.AbResolveNames((), [[]], [])) == ErrorCode.INVALID_PARAMETER
    me = alice.ok(directory.GetUser()).user
    assert me is not None
    props = dict(alice.ok(directory.ReadAbProps(me.user_entryid)).prop_vals)
    assert props[pt.PR_ACCOUNT] == "alice"


def test_search_folders(alice: SoapClient, store: RunningStore) -> None:
    folder = new_folder(alice, "searched")
    finder = alice.ok(
        folder_calls.CreateFolder(parent_id=inbox(alice), folder_name="finds", comment="", type=2)
    ).entryid
    first = new_message(alice, folder, "Needle one")
    new_message(alice, folder, "hay")
    get = folder_calls.TableGetSearchCriteria(finder)
    assert alice.er(get) == ErrorCode.NOT_INITIALIZED
    restriction = contains(pt.PR_SUBJECT, "needle")
    alice.ok(folder_calls.TableSetSearchCriteria(finder, restriction, [folder], 6))
    assert alice.ok(get) == folder_calls.TableGetSearchCriteriaReply(restriction, (folder,), 5)
    table = alice.ok(table_calls.TableOpen(finder, TableType.MS, ObjectType.MESSAGE)).table_id
    alice.ok(table_calls.TableSetColumns(table, [pt.PR_SUBJECT, pt.PR_ENTRYID, pt.PR_PARENT_ENTRYID]))
    rows = alice.ok(table_calls.TableQueryRows(table, 9)).row_set
    assert rows == [[(pt.PR_SUBJECT, "Needle one"), (pt.PR_ENTRYID, first), (pt.PR_PARENT_ENTRYID, folder)]]
    with store.client("alice") as other:
        new_message(other, folder, "second needle")
        assert alice.ok(table_calls.TableGetRowCount(table)).count == 2
        other.ok(object_calls.DeleteObjects(0, [first]))
        assert alice.ok(table_calls.TableGetRowCount(table)).count == 1
        other.ok(folder_calls.TableSetSearchCriteria(finder, None, None, 1))
        assert alice.ok(table_calls.TableGetRowCount(table)).count == 0
    below = table_calls.TableOpen(finder, TableType.MS, ObjectType.FOLDER)
    assert alice.er(below) == ErrorCode.NO_SUPPORT
    assert (
        alice.er(folder_calls.TableSetSearchCriteria(folder, restriction, [folder], 6))
        == ErrorCode.INVALID_PARAMETER
    )


# -- whole messages


def whole_message(client: SoapClient, folder: bytes) -> bytes:
    embedded = ObjectTree(mod_props=[(pt.PR_SUBJECT, "inside")], obj_type=ObjectType.MESSAGE)
    (number,) = client.ok(object_calls.GetIdsFromNames([PropName(PS_PUBLIC_STRINGS, "Keywords")], 2)).prop_tags
    children = [
        ObjectTree(
            mod_props=[(pt.PR_RECIPIENT_TYPE, 1), (pt.PR_DISPLAY_NAME, "Bob"), (pt.PR_SMTP_ADDRESS, "b@x")],
            obj_type=ObjectType.MAIL_USER,
        ),
        ObjectTree(
            mod_props=[(pt.PR_ATTACH_METHOD, 1), (pt.PR_ATTACH_DATA_BIN, b"\0\1\r\n--x" * 9000)],
            obj_type=ObjectType.ATTACHMENT,
        ),
        ObjectTree(children=[embedded], mod_props=[(pt.PR_ATTACH_METHOD, 5)], obj_type=ObjectType.ATTACHMENT),
    ]
    more = [
        (pt.PR_BODY, "x" * 50_000),
        (pt.PR_HTML, b"<p>x</p>"),
        ((number + 0x8500) << 16 | 0x101F, ("red", "blue")),
        (0x800D0040, 133_000_000_000_000_000),
    ]
    return new_message(client, folder, "whole", children=children, more=more)


def export(
    client: SoapClient, keys: list[SourceKeyPair], prop_tag: int = pt.PR_SOURCE_KEY
) -> list[MessageStream]:
    call = sync_calls.ExportMessageChangesAsStream(
        0, [pt.PR_SUBJECT, pt.PR_TITLE, pt.PR_ENTRYID], keys, prop_tag
    )
    return list(client.ok(call).msg_streams)


def test_whole_messages_travel_as_streams(alice: SoapClient) -> None:
    folder = new_folder(alice, "streams")
    message, plain = whole_message(alice, folder), new_message(alice, folder, "plain")
    pair = SourceKeyPair(b"", message)
    found = export(alice, [SourceKeyPair(b"", b"unknown"), pair, SourceKeyPair(b"", plain)], pt.PR_ENTRYID)
    assert alice.headers["content-type"].startswith("multipart/related; charset=utf-8; boundary=")
    assert [one.step for one in found] == [1, 2]
    assert list(found[0].prop_vals) == [
        (pt.PR_SUBJECT, "whole"),
        (pt.PR_TITLE & ~0xFFFF | 0xA, int(ErrorCode.NOT_FOUND)),
        (pt.PR_ENTRYID, message),
    ]
    assert found[0].stream_data is not None
    content = decode_stream(found[0].stream_data)
    assert content.props[pt.PR_BODY] == "x" * 50_000
    assert content.props[pt.PR_HTML] == b"<p>x</p>"
    assert content.props[KEYWORDS] == ("red", "blue")
    assert [one[pt.PR_DISPLAY_NAME] for one in content.recipients] == ["Bob"]
    assert content.attachments[0].data == b"\0\1\r\n--x" * 9000
    assert content.attachments[1].embedded is not None
    assert content.attachments[1].embedded.props[pt.PR_SUBJECT] == "inside"
    assert pt.PR_EC_IMAP_EMAIL not in content.props

    keys = {tag: value for tag, value in content.props.items() if tag == pt.PR_SOURCE_KEY}
    loaded = alice.ok(object_calls.LoadObject(folder)).object
    assert loaded is not None
    by_source = SourceKeyPair(dict(loaded.mod_props)[pt.PR_SOURCE_KEY], keys[pt.PR_SOURCE_KEY])
    wrong = SourceKeyPair(b"unknown", keys[pt.PR_SOURCE_KEY])
    assert [one.step for one in export(alice, [wrong, by_source])] == [1]


def test_a_stream_becomes_a_message_again(alice: SoapClient) -> None:
    folder, target = new_folder(alice, "origin"), new_folder(alice, "copy")
    message = whole_message(alice, folder)
    stream = export(alice, [SourceKeyPair(b"", message)], pt.PR_ENTRYID)[0].stream_data
    entryid = ids.message_entryid(target[4:20], secrets.token_bytes(16))
    alice.ok(sync_calls.ImportMessageFromStream(0, 0, target, entryid, True, None, stream))
    again = export(alice, [SourceKeyPair(b"", entryid)], pt.PR_ENTRYID)[0].stream_data
    assert stream is not None
    assert again is not None
    first, second = decode_stream(stream), decode_stream(again)
    for tag in (pt.PR_SUBJECT, pt.PR_BODY, pt.PR_HTML, KEYWORDS, 0x800D0040):
        assert second.props[tag] == first.props[tag]
    assert second.attachments[0].data == first.attachments[0].data
    assert second.attachments[1].embedded is not None

    other = new_message(alice, folder, "other", more=[(pt.PR_IMPORTANCE, 2)])
    alice.ok(object_calls.SetReadFlags(0, None, [entryid]))
    replacement = export(alice, [SourceKeyPair(b"", other)], pt.PR_ENTRYID)[0].stream_data
    alice.ok(sync_calls.ImportMessageFromStream(0, 0, target, entryid, False, None, replacement))
    replaced = alice.ok(object_calls.LoadObject(entryid)).object
    assert replaced is not None
    props = dict(replaced.mod_props)
    assert (props[pt.PR_SUBJECT], props[pt.PR_IMPORTANCE]) == ("other", 2)
    assert props[pt.PR_MESSAGE_FLAGS] & 1
    assert pt.PR_BODY not in replaced.del_props
    assert list(replaced.children) == []


def test_streams_need_a_session_that_asked_for_them(store: RunningStore, alice: SoapClient) -> None:
    with store.client("alice", capabilities=0x210) as old:
        call = sync_calls.ExportMessageChangesAsStream(0, [], [], pt.PR_ENTRYID)
        assert old.er(call) == ErrorCode.NO_SUPPORT
        assert alice.ok(call).msg_streams == ()
    folder = inbox(alice)
    broken = sync_calls.ImportMessageFromStream(
        0, 0, folder, ids.message_entryid(folder[4:20], bytes(16)), True, None, b"\0\0\0\1\xff"
    )
    assert alice.er(broken) == ErrorCode.INVALID_PARAMETER


# -- synchronisation


def test_a_folder_is_synchronised(alice: SoapClient, bob: SoapClient) -> None:
    folder = new_folder(alice, "ics")
    loaded = alice.ok(object_calls.LoadObject(folder)).object
    assert loaded is not None
    key = dict(loaded.mod_props)[pt.PR_SOURCE_KEY]
    assert bob.er(sync_calls.SetSyncStatus(key, 0, 0, 1)) == ErrorCode.NO_ACCESS
    first = new_message(alice, folder, "first")
    sync = alice.ok(sync_calls.SetSyncStatus(key, 0, 0, 1)).sync_id

    def changes(position: int, restriction: object = None) -> tuple[list[int], int]:
        call = sync_calls.GetChanges(key, sync, position, 1, 0x29, restriction)  # type: ignore[arg-type]
        reply = alice.ok(call)
        return [change.change_type for change in reply.changes], reply.max_change_id

    found, position = changes(0)
    assert found == [4097]
    alice.ok(sync_calls.SetSyncStatus(key, sync, position, 1))
    assert [
        (state.sync_id, state.change_id) for state in alice.ok(sync_calls.GetSyncStates([sync])).sync_states
    ] == [(sync, position)]
    assert changes(position) == ([], position)
    alice.ok(object_calls.SetReadFlags(0, None, [first]))
    new_message(alice, folder, "second")
    alice.ok(object_calls.DeleteObjects(0, [first]))
    found, position = changes(position)
    assert found == [4099, 4097, 4100]
    assert changes(0, contains(pt.PR_SUBJECT, "SEC"))[0] == [4097]
    assert changes(0, contains(pt.PR_SUBJECT, "x"))[0] == []
    assert alice.er(sync_calls.GetChanges(key, 0, 0, 1, 0x29)) == ErrorCode.INVALID_PARAMETER
    assert alice.er(sync_calls.SetSyncStatus(key, 9999, 5, 1)) == ErrorCode.NOT_FOUND
    own = alice.ok(store_calls.GetStore()).store_id
    assert alice.ok(sync_calls.GetEntryIdFromSourceKey(own, key)).entryid == folder
    info = alice.ok(sync_calls.GetChangeInfo(folder))
    assert info.prop_ck[0] == pt.PR_CHANGE_KEY
    assert len(info.prop_ck[1]) == 20
