"""Leases, proofs, logons and their failures, with a store in memory and a clock."""

from __future__ import annotations

from typing import cast

import pytest
from twisted.internet.defer import CancelledError

from gateway.mapi.errors import LogonFailed, NoAccess
from gateway.mapiclient.errors import (
    ConnectFailed,
    HandlesLost,
    PoolClosed,
    SessionLost,
    TooManyFailures,
)
from gateway.mapiclient.sessions import Credentials
from gateway.mapiclient.wire.calls_session import Logon, Result
from gateway.mapiclient.wire.calls_store import GetPublicStore, GetStore
from gateway.mapiclient.wire.calls_table import TableGetRowCount
from tests.mapiclient.leases import ANN, ATTACKER, OPTIONS, WRONG, begun, lease, result, setup


def test_a_login_is_one_logon_and_the_next_one_asks_nobody() -> None:
    store, sessions = setup()
    first = lease(sessions, application="gateway/imap")
    logon = cast("Logon", store.calls[0][1])
    assert store.names() == ["logon", "getStore"]
    assert (logon.username, logon.password, logon.impersonate_user, logon.flags) == ("ann", "secret", "", 1)
    assert logon.client_app_misc == "gateway/imap"
    assert logon.session_group > 0
    assert logon.capabilities == 0xE752
    second = lease(sessions)
    assert second.session is first.session
    assert len(store.calls) == 2
    assert (first.session.user, first.user, first.session.epoch) == ("ann", "ann", 1)
    assert first.session.server_guid == b"http://one:236  "


def test_the_own_store_is_asked_for_once() -> None:
    store, sessions = setup()
    with lease(sessions) as held:
        assert result(held.session.call(GetStore())).store_id == b"store"
        assert store.count("getStore") == 1
        result(held.session.call(GetStore(entryid=b"other")))
        assert store.count("getStore") == 2


def test_logins_at_the_same_time_are_one_logon() -> None:
    store, sessions = setup()
    store.hold()
    logins = [begun(sessions.lease(ANN)) for _ in range(5)]
    assert store.names() == ["logon"]
    store.release()
    assert len({result(login).session for login in logins}) == 1
    assert store.names() == ["logon", "getStore"]


def test_a_cancelled_login_leaves_the_others_alone_and_the_last_one_ends_the_logon() -> None:
    store, sessions = setup()
    store.hold()
    first, second = begun(sessions.lease(ANN)), begun(sessions.lease(ANN))
    first.cancel()
    with pytest.raises(CancelledError):
        result(first)
    store.release()
    assert result(second).user == "ann"
    store.hold()
    third = begun(sessions.lease(Credentials("bob", "bob")))
    third.cancel()
    with pytest.raises(CancelledError):
        result(third)
    assert len(sessions) == 1
    assert "0 logging on" in repr(sessions)


def test_a_proof_expires_and_a_changed_password_is_noticed() -> None:
    store, sessions = setup()
    held = lease(sessions)
    store.reactor.advance(299)
    lease(sessions)
    assert store.count("logon") == 1
    store.reactor.advance(1)
    assert lease(sessions).session is held.session
    assert cast("Logon", store.calls[-1][1]).flags == 3
    assert (store.count("logon"), sessions.counters.proofs) == (2, 1)
    store.reactor.advance(300)
    store.passwords["ann"] = "new"
    refused = begun(sessions.lease(ANN))
    store.reactor.advance(1)
    with pytest.raises(LogonFailed):
        result(refused)
    assert lease(sessions, Credentials("ann", "new")).session is held.session


def test_another_password_asks_the_store_even_when_the_user_is_there() -> None:
    store, sessions = setup()
    lease(sessions)
    refused = begun(sessions.lease(WRONG))
    assert cast("Logon", store.calls[-1][1]).flags == 3
    store.reactor.advance(1)
    with pytest.raises(LogonFailed):
        result(refused)
    assert lease(sessions).user == "ann"


def test_a_wrong_password_is_answered_late_and_later() -> None:
    store, sessions = setup()
    for wait in (0.5, 1.0, 2.0):
        login = begun(sessions.lease(WRONG, address=ATTACKER))
        store.reactor.advance(wait - 0.01)
        assert not login.called
        store.reactor.advance(0.02)
        with pytest.raises(LogonFailed):
            result(login)
    login = begun(sessions.lease(ANN, address="192.0.2.1"))
    store.reactor.advance(2)
    assert result(login).user == "ann"


def test_a_refusal_is_remembered_shortly() -> None:
    store, sessions = setup()
    for _ in range(3):
        login = begun(sessions.lease(WRONG))
        store.reactor.advance(3)
        with pytest.raises(LogonFailed):
            result(login)
    assert store.count("logon") == 2  # the second came within the 5 seconds, the third did not


def test_many_guesses_from_one_address_do_not_pile_up() -> None:
    store, sessions = setup()
    guesses = [begun(sessions.lease(Credentials("ann", str(n)), address=ATTACKER)) for n in range(3)]
    with pytest.raises(TooManyFailures):
        result(sessions.lease(ANN, address=ATTACKER))
    guesses[2].cancel()
    with pytest.raises(CancelledError):
        result(guesses[2])
    from_there = begun(sessions.lease(Credentials("bob", "bob"), address=ATTACKER))
    from_elsewhere = begun(sessions.lease(ANN, address="192.0.2.1"))
    store.reactor.advance(OPTIONS.throttle.most_before)
    assert result(from_there).user == "bob"
    assert result(from_elsewhere).user == "ann"
    for guess in guesses[:2]:
        with pytest.raises(LogonFailed):
            result(guess)


@pytest.mark.parametrize(
    "credentials", [Credentials("", "x"), Credentials("a\0", "x"), Credentials("ann", "x" * 5000)]
)
def test_what_cannot_be_right_is_not_asked(credentials: Credentials) -> None:
    store, sessions = setup()
    login = begun(sessions.lease(credentials))
    store.reactor.advance(1)
    with pytest.raises(LogonFailed):
        result(login)
    assert store.calls == []


def test_a_store_that_is_down_is_nobodys_fault() -> None:
    store, sessions = setup()
    store.down = True
    for _ in range(5):
        with pytest.raises(ConnectFailed):
            result(sessions.lease(ANN, address=ATTACKER))
    store.down = False
    assert lease(sessions, address=ATTACKER).user == "ann"


def test_an_idle_session_is_logged_off() -> None:
    store, sessions = setup()
    first, second = lease(sessions), lease(sessions)
    first.release()
    first.release()
    store.reactor.advance(61)
    assert store.count("logoff") == 0
    second.release()
    store.reactor.advance(59)
    third = lease(sessions)
    store.reactor.advance(61)
    assert store.count("logoff") == 0
    third.release()
    store.reactor.advance(60)
    assert store.count("logoff") == 1
    assert (len(sessions), store.sessions) == (0, {})
    assert store.reactor.getDelayedCalls() == []
    lease(sessions)
    assert store.count("logon") == 2


def test_a_session_that_ended_is_logged_on_again_once_and_every_call_repeated() -> None:
    store, sessions = setup()
    session = lease(sessions).session
    renewed: list[int] = []
    session.watch(lambda: renewed.append(session.epoch))
    store.forget()
    store.hold()
    calls = [begun(session.call(GetPublicStore(flags=n))) for n in range(5)]
    while store.held:
        store.release()
        store.hold()
    store.release()
    for call in calls:
        result(call)
    assert store.count("logon") == 2
    assert store.count("getPublicStore") == 10
    assert (session.epoch, renewed) == (2, [2])
    assert store.sessions.keys() == {2}


def test_what_belonged_to_the_earlier_session_is_not_asked_of_the_new_one() -> None:
    store, sessions = setup()
    session = lease(sessions).session
    assert result(session.call(TableGetRowCount(table_id=7), epoch=1)).count == 7
    store.forget()
    with pytest.raises(HandlesLost):
        result(session.call(TableGetRowCount(table_id=7)))
    with pytest.raises(HandlesLost):
        result(session.call(TableGetRowCount(table_id=7), epoch=1))
    assert store.count("tableGetRowCount") == 2
    assert result(session.call(TableGetRowCount(table_id=7), epoch=2)).count == 7


def test_a_session_that_cannot_be_opened_again_is_lost_and_a_new_login_makes_a_new_one() -> None:
    store, sessions = setup()
    session = lease(sessions).session
    store.forget()
    store.passwords["ann"] = "new"
    for _ in range(3):
        with pytest.raises(SessionLost):
            result(session.call(GetPublicStore()))
    assert store.count("logon") == 2
    assert session.is_lost
    fresh = lease(sessions, Credentials("ann", "new"))
    assert fresh.session is not session
    assert result(fresh.session.call(GetPublicStore())).er == 0


def test_a_store_that_is_down_when_the_session_ended_does_not_lose_it() -> None:
    store, sessions = setup()
    session = lease(sessions).session
    store.forget()
    store.down = True
    with pytest.raises(ConnectFailed):
        result(session.call(GetPublicStore()))
    store.down = False
    assert result(session.call(GetPublicStore())).er == 0


def test_a_proven_new_password_serves_the_next_logon() -> None:
    store, sessions = setup()
    session = lease(sessions).session
    store.passwords["ann"] = "new"
    lease(sessions, Credentials("ann", "new"))
    store.forget()
    assert result(session.call(GetPublicStore())).er == 0


def test_refusals_are_raised_unless_they_are_accepted() -> None:
    store, sessions = setup()
    session = lease(sessions).session
    store._getPublicStore = lambda call, _: Result(er=0x80000003)  # type: ignore[attr-defined]
    with pytest.raises(NoAccess):
        result(session.call(GetPublicStore()))
    assert result(session.call(GetPublicStore(), accept={0x80000003})).er == 0x80000003
    store._getPublicStore = lambda call, _: Result(er=0x8000001A)  # type: ignore[attr-defined]
    assert result(session.call(GetPublicStore())).er == 0x8000001A


def test_closing_logs_everybody_off() -> None:
    store, sessions = setup()
    session = lease(sessions).session
    lease(sessions, Credentials("bob", "bob"))
    store.hold()
    late = begun(sessions.lease(Credentials("eve", "x")))
    closing = begun(sessions.close())
    store.release()
    result(closing)
    assert store.sessions == {}
    with pytest.raises(CancelledError):
        result(late)
    with pytest.raises(SessionLost):
        result(session.call(GetPublicStore()))
    with pytest.raises(PoolClosed):
        result(sessions.lease(ANN))
    assert store.reactor.getDelayedCalls() == []


def test_closing_does_not_wait_for_a_store_that_hangs() -> None:
    store, sessions = setup()
    lease(sessions)
    store.hold()
    closing = begun(sessions.close(seconds=5))
    store.reactor.advance(4.9)
    assert not closing.called
    store.reactor.advance(0.1)
    result(closing)
