"""kill -9 of the gateway and of the store while POP3 sessions end: what a client has, and what the server has, is everything."""

from __future__ import annotations

import os
import poplib
import random
import smtplib
import threading
from pathlib import Path

import pytest

from tests.support.gateway import GatewayProcess
from tests.support.patience import PATIENCE
from tests.support.store import StoreProcess

ROUNDS = int(os.environ.get("KILL_ROUNDS", "1"))
MAILS = 20


class Fetcher:
    """Takes mails and deletes them, as fetchmail does: never a mail that it does not have by its unique id."""

    def __init__(self) -> None:
        self.taken: dict[bytes, bytes] = {}
        self.quits = 0

    def run(self, port: int, dice: random.Random) -> None:
        """One session: take what is new, delete some of what is there."""
        pop: poplib.POP3 | None = None
        try:
            pop = poplib.POP3("127.0.0.1", port, timeout=PATIENCE)
            pop.user("alice")
            pop.pass_("alice")
            for line in pop.uidl()[1]:
                number, uid = line.split()
                if uid not in self.taken:
                    self.taken[uid] = b"\r\n".join(pop.retr(int(number))[1])
                if dice.random() < 0.5:
                    pop.dele(int(number))
            pop.quit()
            self.quits += 1
        except (OSError, poplib.error_proto):
            return  # it comes again
        finally:
            if pop is not None:
                pop.close()


def subjects(mails: list[bytes]) -> set[bytes]:
    return {mail.partition(b"Subject: ")[2].partition(b"\r\n")[0] for mail in mails}


@pytest.mark.parametrize("victim", ["gateway", "store"])
def test_nothing_is_lost_between_quit_and_its_answer(tmp_path: Path, victim: str) -> None:
    seed = int(os.environ.get("KILL_SEED", "0")) or random.randrange(1 << 32)
    print(f"KILL_SEED={seed}")
    dice, fetcher, names = random.Random(seed), Fetcher(), set()
    more = '[lmtp]\nenabled = true\nlisten = ["127.0.0.1:0"]\nduplicates = 0\n'
    (tmp_path / "store").mkdir()
    with StoreProcess(tmp_path / "store", ["alice"]) as store:
        gateway = GatewayProcess(tmp_path / "gateway", store.url, trusted=store.unix, more=more).start()
        try:
            for turn in range(ROUNDS):
                deliver(gateway.port("lmtp"), [f"{turn}-{number}" for number in range(MAILS)])
                names |= {f"{turn}-{number}".encode() for number in range(MAILS)}
                work = threading.Thread(target=fetcher.run, args=(gateway.port("pop3"), dice))
                work.start()
                work.join(random.Random(seed + turn).uniform(0.05, 0.5))
                process = gateway if victim == "gateway" else store
                process.kill()
                work.join(60)
                process.start()
            for _ in range(20):
                quits = fetcher.quits
                fetcher.run(gateway.port("pop3"), random.Random(0))
                if fetcher.quits > quits:
                    break
                threading.Event().wait(0.2)
        finally:
            gateway.kill()
    assert fetcher.quits
    assert subjects(list(fetcher.taken.values())) == names  # each came once, under one unique id
    assert len(fetcher.taken) == len(names)


def deliver(port: int, names: list[str]) -> None:
    with smtplib.LMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        for name in names:
            client.sendmail("ann@example.org", ["alice"], f"Subject: {name}\r\n\r\n{name}\r\n")
