"""kill -9 of the gateway while it empties the outgoing queue: everything goes out, and only what was in flight goes out again."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from email import message_from_bytes
from pathlib import Path

from tests.submission.server import Server
from tests.submission.test_queue import state, submit
from tests.support.gateway import GatewayProcess, until

ROUNDS = int(os.environ.get("KILL_ROUNDS", "2"))
MAILS = 5


def test_nothing_is_lost_and_nothing_goes_out_twice(server: Server, user: str, tmp_path: Path) -> None:
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
"""
    gateway = GatewayProcess(tmp_path, server.store.url, trusted=server.store.unix, more=more).start()
    try:
        for turn in range(ROUNDS):
            for number in range(MAILS):
                names.append(f"{turn}-{number}@example.org")
                submit(server, user, names[-1])
            threading.Event().wait(dice.uniform(0, 0.3))
            gateway.kill()
            gateway.start()
        until(lambda: state(server, user)["sent"] == len(names) or None, 60)
    finally:
        gateway.kill()
    sent = Counter(mail[1][0] for mail in server.smarthost.mails)
    assert set(sent) == set(names)
    assert (
        sum(sent.values()) - len(sent) <= ROUNDS
    )  # RFC 1047: one mail at most is in flight when the process dies
    ids = {message_from_bytes(mail[2])["Message-ID"] for mail in server.smarthost.mails}
    assert len(ids) == len(names)
    assert state(server, user) == {"queue": 0, "inbox": 0, "outbox": 0, "sent": len(names)}
