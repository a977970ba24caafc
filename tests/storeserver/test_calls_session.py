"""Logon and logoff over the wire."""

from __future__ import annotations

import pytest

from gateway.mapi.errors import ErrorCode
from gateway.mapiclient.wire import calls_directory as directory
from gateway.mapiclient.wire import calls_store as store_calls
from gateway.mapiclient.wire.calls_session import GetLicenseAuth, Logoff
from gateway.storeserver import answers  # noqa: F401
from tests.support.soap import SoapClient
from tests.support.store import RunningStore

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
