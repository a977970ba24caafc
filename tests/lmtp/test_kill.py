"""kill -9 of the gateway and of the store while mail comes in: what had its 250 is there, and nothing is there too often."""

from __future__ import annotations

import imaplib
import os
import random
import re
import smtplib
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.gateway import GatewayProcess
from tests.support.patience import PATIENCE
from tests.support.store import StoreProcess

ROUNDS = int(os.environ.get("KILL_ROUNDS", "1"))
MAILS = 12


class Mta:
    """Hands mails over, and hands them over again until it hears a 250 (RFC 5321 4.5.4.1)."""

    def __init__(self) -> None:
        self.tries: Counter[str] = Counter()
        self.taken: set[str] = set()

    def deliver(self, port: int, names: list[str]) -> None:
        """Try each mail once that was not taken yet."""
        for name in names:
            if name in self.taken:
                continue
            with (
                suppress(OSError, smtplib.SMTPException),
                smtplib.LMTP("127.0.0.1", port, timeout=PATIENCE) as client,
            ):
                self.tries[name] += 1
                client.sendmail("ann@example.org", ["alice"], f"Subject: {name}\r\n\r\n{name}\r\n")
                self.taken.add(name)


def stored(port: int) -> Counter[str]:
    """The subjects in the Inbox, as IMAP tells them."""
    with imaplib.IMAP4("127.0.0.1", port, timeout=PATIENCE) as client:
        client.login("alice", "alice")
        client.select("INBOX")
        _, found = (
            client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            if client.search(None, "ALL")[1][0]
            else ("", [])
        )
    texts = b"".join(part[1] for part in found if isinstance(part, tuple))
    return Counter(re.findall(r"Subject: (\S+)", texts.decode()))


@pytest.mark.parametrize("victim", ["gateway", "store"])
def test_what_was_taken_is_there(tmp_path: Path, victim: str) -> None:
    seed = int(os.environ.get("KILL_SEED", "0")) or random.randrange(1 << 32)
    print(f"KILL_SEED={seed}")
    dice, mta, names = random.Random(seed), Mta(), []
    more = '[lmtp]\nenabled = true\nlisten = ["127.0.0.1:0"]\n'
    (tmp_path / "store").mkdir()
    with StoreProcess(tmp_path / "store", ["alice"]) as store:
        gateway = GatewayProcess(tmp_path / "gateway", store.url, trusted=store.unix, more=more).start()
        try:
            for turn in range(ROUNDS):
                fresh = [f"{turn}-{number}" for number in range(MAILS)]
                names += fresh
                work = threading.Thread(target=mta.deliver, args=(gateway.port("lmtp"), names))
                work.start()
                work.join(dice.uniform(0, 0.3))
                if victim == "gateway":
                    gateway.kill()
                    work.join(60)
                    gateway.start()
                else:
                    store.kill()
                    work.join(60)
                    store.start()
            for _ in range(200):
                mta.deliver(gateway.port("lmtp"), names)
                if len(mta.taken) == len(names):
                    break
                threading.Event().wait(0.1)
            found = stored(gateway.port("imap"))
        finally:
            gateway.kill()
    assert mta.taken == set(names)
    assert set(found) == set(names)
    assert {name: count for name, count in found.items() if count > mta.tries[name]} == {}
