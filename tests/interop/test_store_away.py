"""The store is killed between two calls, stays away, comes back: one clear error for each command, then everything goes on."""

from __future__ import annotations

import imaplib
import poplib
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import add_user
from tests.interop.mails import mail
from tests.support.gateway import GatewayProcess, store, until
from tests.support.patience import PATIENCE
from tests.support.ports import HeldPort

pytestmark = pytest.mark.interop


class Stage:
    """A store that can be killed, and a gateway before it."""

    def __init__(self, directory: Path) -> None:
        self._data = directory / "store"
        self._held = HeldPort()
        self.place = f"127.0.0.1:{self._held.number}"
        self.store = store(self._data, self.place).start()
        add_user(self._data, "alice")
        self.gateway = GatewayProcess(directory, f"http://{self.place}/").start()

    def close(self) -> None:
        self.gateway.stop()
        self.store.stop()
        self._held.release()

    def kill_store(self) -> None:
        self.store.kill()

    def start_store(self) -> None:
        self.store = store(self._data, self.place).start()

    def imap(self) -> imaplib.IMAP4:
        imap = imaplib.IMAP4(*self.gateway.address("imap"), timeout=PATIENCE)
        imap.login("alice", "alice")
        return imap

    def pop3(self) -> poplib.POP3:
        pop3 = poplib.POP3(*self.gateway.address("pop3"), timeout=PATIENCE)
        pop3.user("alice")
        pop3.pass_("alice")
        return pop3


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    built = Stage(tmp_path)
    yield built
    built.close()


def test_an_open_connection_survives_the_stores_death(stage: Stage) -> None:
    with stage.imap() as imap:
        for number in range(3):
            assert imap.append("INBOX", None, None, mail(number))[0] == "OK"
        imap.select("INBOX")
        pop3 = stage.pop3()
        stage.kill_store()

        status, said = imap.uid("COPY", "1:*", "Drafts")
        assert (status, said[0].split(b" ")[0]) == ("NO", b"[UNAVAILABLE]")
        with pytest.raises(poplib.error_proto, match=r"\[SYS/TEMP\]"):
            pop3.retr(2)
        with pytest.raises(poplib.error_proto, match=r"\[SYS/TEMP\]"):
            poplib_login(stage)
        assert imap.noop()[0] in ("OK", "NO")

        stage.start_store()
        ((_, data), _) = until_ok(lambda: imap.fetch("2", "(BODY.PEEK[])"))
        assert data == mail(1)
        assert b"\r\n".join(pop3.retr(3)[1]) + b"\r\n" == mail(2)
        assert imap.append("INBOX", None, None, mail(3))[0] == "OK"
        pop3.dele(1)
        pop3.quit()
        assert imap.select("INBOX")[1] == [b"3"]


def poplib_login(stage: Stage) -> None:
    """Try to log in with a password that nobody has proven: the store has to be asked."""
    pop3 = poplib.POP3(*stage.gateway.address("pop3"), timeout=PATIENCE)
    try:
        pop3.user("bob")
        pop3.pass_("bob")
    finally:
        pop3.close()


def until_ok(command: Callable[[], Any]) -> list[Any]:
    """Repeat a command while the store has not been noticed yet."""

    def attempt() -> list[Any] | None:
        status, data = command()
        assert status == "OK" or data[0].startswith(b"[UNAVAILABLE]"), data
        return data if status == "OK" else None

    return until(attempt)


def test_what_was_answered_is_there_after_kill_9(stage: Stage) -> None:
    """Appends go on while the store dies again and again: each OK is a mail, each NO is none or one."""
    seed = random.randrange(10**6)
    print("seed", seed)
    random_ = random.Random(seed)
    stored: list[int] = []
    unknown: list[int] = []
    with stage.imap() as imap:
        number = 0
        for _ in range(3):
            for _ in range(random_.randint(1, 8)):
                status, said = imap.append("INBOX", None, None, mail(number))
                (stored if status == "OK" else unknown).append(number)
                assert status == "OK" or said[0].startswith(b"[UNAVAILABLE]"), said
                number += 1
            stage.kill_store()
            stage.start_store()
        until_ok(lambda: imap.select("INBOX"))
        _, answer = imap.fetch("1:*", "(BODY.PEEK[])")
    there = [part[1] for part in answer if isinstance(part, tuple)]
    assert len(there) == len(set(there)), "a mail is there twice"
    assert {mail(each) for each in stored} <= set(there) <= {mail(each) for each in stored + unknown}


def test_the_gateway_starts_before_the_store(tmp_path: Path) -> None:
    held = HeldPort()
    place = f"127.0.0.1:{held.number}"
    with GatewayProcess(tmp_path, f"http://{place}/") as gateway:
        imap = imaplib.IMAP4(*gateway.address("imap"), timeout=PATIENCE)
        with pytest.raises(imaplib.IMAP4.error, match="UNAVAILABLE"):
            imap.login("alice", "alice")
        with store(tmp_path / "store", place):
            add_user(tmp_path / "store", "alice")
            until(lambda: True if logs_in(imap) else None)
            imap.logout()
    held.release()


def logs_in(imap: imaplib.IMAP4) -> bool:
    """Whether a login succeeds; the store may be away, the password is right."""
    try:
        imap.login("alice", "alice")
    except imaplib.IMAP4.error as error:
        if "UNAVAILABLE" not in str(error):
            raise
        return False
    return True
