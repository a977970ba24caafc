"""kill -9 of the gateway and of the store while the outgoing queue is emptied: everything goes out, and only what was in flight
goes out again."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from gateway.mapiclient.errors import TransportError
from gateway.mapiclient.sessions import Sessions
from gateway.smtp.trusted import Trustees
from tests.submission.server import Server
from tests.submission.test_queue import state, submit
from tests.support import reactor
from tests.support.accounts import Mail
from tests.support.gateway import GatewayProcess, until
from tests.support.store import StoreProcess

ROUNDS = int(os.environ.get("KILL_ROUNDS", "1"))
MAILS = 5
ME = "alice@localhost"


class Apart:
    """A store in a process of its own, and the way into it."""

    def __init__(self, store: Any, directory: Path) -> None:
        self.store = store
        self.mail: Mail = reactor.call(lambda: Mail(store, directory))
        self.sessions = reactor.call(lambda: Sessions(self.mail.pool, store.unix))
        self.trustees = Trustees(self.sessions, "tests")

    def close(self) -> None:
        reactor.run(self.sessions.close)
        self.mail.close()


@contextmanager
def apart(directory: Path) -> Iterator[Apart]:
    for name in ("store", "cache"):
        (directory / name).mkdir()
    with StoreProcess(directory / "store", ["alice"]) as store:
        place = Apart(store, directory / "cache")
        try:
            yield place
        finally:
            place.close()


@pytest.mark.parametrize(("victim", "connections"), [("gateway", 1), ("gateway", 5), ("store", 5)])
def test_nothing_is_lost_and_nothing_goes_out_twice(
    server: Server, tmp_path: Path, victim: str, connections: int
) -> None:
    seed = int(os.environ.get("KILL_SEED", "0")) or random.randrange(1 << 32)
    print(f"KILL_SEED={seed}")
    dice, names = random.Random(seed), []
    more = f"""
[submission]
enabled = true
listen = ["127.0.0.1:0"]
tls_listen = []
smarthost = "127.0.0.1:{server.smarthost_port}"
queue_interval = 0.05
retry = 0.05
connections = {connections}
"""
    with apart(tmp_path) as place:
        gateway = GatewayProcess(
            tmp_path / "gateway", place.store.url, trusted=place.store.unix, more=more
        ).start()
        try:
            for turn in range(ROUNDS):
                for number in range(MAILS):
                    names.append(f"{turn}-{number}@example.org")
                    submit(place, "alice", names[-1], sender=ME, PR_SENDER_EMAIL_ADDRESS=ME)  # type: ignore[arg-type]
                threading.Event().wait(dice.uniform(0, 0.3))
                process: Any = gateway if victim == "gateway" else place.store
                process.kill()
                process.start()
            until(lambda: _sent(place) == len(names) or None, 60)
            found = state(place, "alice")  # type: ignore[arg-type]
        finally:
            gateway.kill()
    sent = Counter(mail[1][0] for mail in server.smarthost.mails)
    assert set(sent) == set(names)
    # RFC 1047: as many mails as there are connections are in flight when the gateway dies; the store's death is no matter.
    doubled = ROUNDS * connections if victim == "gateway" else 0
    assert sum(sent.values()) - len(sent) <= doubled
    ids = {message_from_bytes(mail[2])["Message-ID"] for mail in server.smarthost.mails}
    assert len(ids) == len(names)
    assert found == {"queue": 0, "inbox": 0, "outbox": 0, "sent": len(names)}


def _sent(place: Apart) -> int:
    try:
        return state(place, "alice")["sent"]  # type: ignore[arg-type]
    except TransportError:
        return -1
