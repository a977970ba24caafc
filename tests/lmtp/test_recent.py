"""The memory of what came lately: bounded, and it survives."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.lmtp.recent import Recent
from gateway.mailbox.runtime import Runtime
from tests.lmtp.server import Client, Server
from tests.support import reactor

Connect = Callable[..., Client]


class Clock:
    now = 1000.0


@contextmanager
def opened(server: Server, clock: Clock, state: Path | None, **more: int) -> Iterator[Recent]:
    runtime = Runtime(reactor.reactor, server.mail.cache, now=lambda: clock.now)
    recent = reactor.call(lambda: Recent(runtime, 100, state, **more))
    try:
        yield recent
    finally:
        reactor.call(recent.close)


def test_for_a_time_and_in_one_place(server: Server) -> None:
    clock = Clock()
    with opened(server, clock, None) as recent:
        reactor.call(recent.add, "ann", "", "<1@x>")
        asked = [("ann", "", "<1@x>"), ("bob", "", "<1@x>"), ("ann", "Lists", "<1@x>"), ("ann", "", "<2@x>")]
        assert [recent.has(*one) for one in asked] == [True, False, False, False]
        clock.now += 100
        assert not recent.has("ann", "", "<1@x>")


def test_a_mail_without_an_id_is_always_new(server: Server) -> None:
    with opened(server, Clock(), None) as recent:
        reactor.call(recent.add, "ann", "", "")
        assert not recent.has("ann", "", "")


def test_it_survives_a_restart_until_its_time_is_over(server: Server, tmp_path: Path) -> None:
    clock = Clock()
    with opened(server, clock, tmp_path) as recent:
        reactor.call(recent.add, "ann", "", "<1@x>")
    clock.now += 50
    with opened(server, clock, tmp_path) as recent:
        assert recent.has("ann", "", "<1@x>")
        reactor.call(recent.add, "ann", "", "<2@x>")
    clock.now += 60
    with opened(server, clock, tmp_path) as recent:
        assert [recent.has("ann", "", f"<{number}@x>") for number in (1, 2)] == [False, True]


def test_it_is_bounded_on_disk_too(server: Server, tmp_path: Path) -> None:
    clock = Clock()
    for _ in range(3):
        with opened(server, clock, tmp_path, most=10) as recent:
            for number in range(30):
                clock.now += 1
                reactor.call(recent.add, "ann", "", f"<{number}@x>")
            assert sum(recent.has("ann", "", f"<{number}@x>") for number in range(30)) == 10
            reactor.call(recent.add, "bob", "", "<1@x>")
    with closing(sqlite3.connect(tmp_path / "delivered.sqlite")) as database:
        assert database.execute("select count(*) from delivered").fetchone()[0] < 60


def test_a_file_that_is_no_database_stops_no_mail(server: Server, tmp_path: Path) -> None:
    (tmp_path / "delivered.sqlite").write_bytes(b"x" * 5000)
    with opened(server, Clock(), tmp_path) as recent:
        reactor.call(recent.add, "ann", "", "<1@x>")
        assert recent.has("ann", "", "<1@x>")


def test_a_mail_that_comes_again_after_a_restart_is_stored_once(
    server: Server, user: str, connect: Connect
) -> None:
    mail = b"Message-ID: <%s@example.org>\r\n\r\nHello\r\n" % user.encode()
    assert connect().deliver(mail, f"{user}@example.com") == ["250 2.1.5 delivered"]
    reactor.call(server.backends[-1].close)
    assert connect().deliver(mail, f"{user}@example.com") == ["250 2.1.5 delivered before"]
    assert server.mails(user) == [mail]
