"""Several servers, trusted logons and tokens, with a store in memory."""

from __future__ import annotations

from typing import cast

import pytest

from gateway.mapi.errors import LogonFailed, WrongServer
from gateway.mapiclient.errors import (
    BadReply,
)
from gateway.mapiclient.sessions import Credentials, Token, Trusted
from gateway.mapiclient.wire.calls_session import Logon
from gateway.mapiclient.wire.calls_store import GetPublicStore, GetStore
from tests.mapiclient.leases import ANN, begun, lease, result, setup


def test_the_lease_goes_where_the_users_store_is() -> None:
    store, sessions = setup()
    store.homes["ann"] = "pseudo://two"
    session = lease(sessions).session
    assert str(session.server) == "http://two:236"
    assert store.names() == ["logon", "getStore", "resolvePseudoUrl", "logoff", "logon", "getStore"]
    assert len(store.sessions) == 1
    store.homes["bob"] = "http://three:236"
    assert str(lease(sessions, Credentials("bob", "bob")).session.server) == "http://three:236"


def test_servers_that_send_us_around_in_circles() -> None:
    store, sessions = setup()
    store._getStore = lambda call, _: GetStore.reply_type(  # type: ignore[method-assign]
        er=0x80000028, server_path="http://two:236" if store.calls[-1][0].host == "one" else "http://one:236"
    )
    with pytest.raises(BadReply, match="circles"):
        lease(sessions)
    assert store.sessions == {}


def test_a_server_with_tls_may_not_send_the_password_over_one_without() -> None:
    store, sessions = setup("https://one:237")
    store.homes["ann"] = "http://two:236"
    with pytest.raises(BadReply, match="without TLS"):
        lease(sessions)
    assert {str(server) for server, _ in store.calls} == {"https://one:237"}


def test_other_peoples_stores_on_other_servers() -> None:
    store, sessions = setup()
    held = lease(sessions)
    session = held.session
    there = result(session.on_server("pseudo://two"))
    assert (str(there.server), there.user, there.epoch) == ("http://two:236", "ann", 0)
    assert result(session.on_server("http://two:236")) is there
    assert result(session.on_server("http://one:236")) is session
    assert result(there.call(GetPublicStore())).er == 0
    assert len(store.sessions) == 2
    store.homes["ann"] = "http://three:236"
    where, reply = result(session.follow(GetStore(entryid=b"x")))
    assert (str(where.server), reply.store_id) == ("http://three:236", b"store")
    with pytest.raises(WrongServer) as caught:
        result(session.call(GetStore(entryid=b"x")))
    assert caught.value.server_path == "http://three:236"
    held.release()
    store.reactor.advance(60)
    assert store.sessions == {}


def test_trusted_logons_need_no_password_and_passwords_are_never_sent_on_trust() -> None:
    store, sessions = setup("unix:/run/store.sock")
    store.here = "unix:/run/store.sock"
    held = lease(sessions, Trusted("carol"))
    logon = cast("Logon", store.calls[0][1])
    assert (logon.username, logon.password, logon.flags) == ("carol", "", 0)
    assert store.calls[0][0].trusted
    login = begun(sessions.lease(Credentials("carol", "anything")))
    store.reactor.advance(1)
    with pytest.raises(LogonFailed):
        result(login)
    logon = cast("Logon", store.calls[-1][1])
    assert (logon.flags, store.calls[-1][0].trusted) == (3, False)
    held.release()
    lease(sessions, Trusted("dave", admin="SYSTEM"))
    logon = cast("Logon", store.calls[-2][1])
    assert (logon.username, logon.impersonate_user) == ("SYSTEM", "dave")


def test_a_trusted_lease_shares_the_session_of_a_user_who_is_there() -> None:
    store, sessions = setup()
    proven = lease(sessions)
    assert lease(sessions, Trusted("ann")).session is proven.session
    assert store.count("logon") == 1


def test_tokens() -> None:
    store, sessions = setup()
    token = Token("ann", "secret")
    assert lease(sessions, token).session is lease(sessions, token).session
    assert store.count("ssoLogon") == 1
    assert "secret" not in repr(token) + repr(ANN)
    refused = begun(sessions.lease(Token("ann", "expired")))
    store.reactor.advance(1)
    with pytest.raises(LogonFailed):
        result(refused)


def test_a_token_that_is_only_proven_leaves_no_session() -> None:
    store, sessions = setup()
    lease(sessions)
    lease(sessions, Token("ann", "secret"))
    assert store.names()[-2:] == ["ssoLogon", "logoff"]
    assert len(store.sessions) == 1
