"""The way in: a protocol that the store's administrator switched off stays closed, and a second login asks nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.entrance import Entrance
from gateway.mapi.errors import FeatureOff, LogonFailed
from gateway.storeserver.database import StoreOptions
from tests.support import reactor
from tests.support.accounts import Mail
from tests.support.store import running_store


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Mail]:
    options = StoreOptions(synchronous="OFF", password_time=1, password_memory=8, disabled_features=("pop3",))
    with running_store(tmp_path / "store", ["alice"], database=options) as store:
        built = Mail(store, tmp_path)
        yield built
        built.close()


def test_a_feature_that_is_off(mail: Mail) -> None:
    async def log_in(protocol: str) -> str:
        account = await Entrance(mail.accounts, protocol)("alice", "alice", "")
        account.logout()
        return account.user

    assert reactor.run(lambda: log_in("imap")) == "alice"
    with pytest.raises(FeatureOff, match="pop3 is switched off for 'alice'"):
        reactor.run(lambda: log_in("pop3"))


def test_a_second_login_makes_no_call(mail: Mail) -> None:
    async def log_in_twice() -> tuple[int, int]:
        entrance = Entrance(mail.accounts, "imap")
        first = await entrance("alice", "alice", "")
        before = mail.pool.counters.calls
        second = await entrance("alice", "alice", "")
        after = mail.pool.counters.calls
        first.logout()
        second.logout()
        return before, after

    before, after = reactor.run(log_in_twice)
    assert before == after > 0


def test_a_wrong_password(mail: Mail) -> None:
    async def log_in() -> None:
        await Entrance(mail.accounts, "imap")("alice", "wrong", "")

    with pytest.raises(LogonFailed):
        reactor.run(log_in)
