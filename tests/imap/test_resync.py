"""Clients that keep what they know across sessions (QRESYNC): whatever others do, who comes back knows the mailbox.

The rules of RFC 7162 are kept by the client below: it believes nothing but what it was told, and asks for nothing
it could know. It comes back to the same gateway or to another one on the same store, as behind a load balancer.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.imap.dialogue import Talker, message
from tests.imap.server import Server

STEPS = 60


class Client:
    """A client with a cache: sequence numbers to UIDs (0: not known yet), UIDs to flags, and a mod-sequence."""

    def __init__(self, ports: list[int], user: str, choice: random.Random) -> None:
        self.ports = ports
        self.user = user
        self.choice = choice
        self.connect()
        self.uids: list[int] = []
        self.cache: dict[int, frozenset[str]] = {}
        self.validity = self.modseq = 0
        self.resync()

    def connect(self) -> None:
        self.talker = Talker(self.choice.choice(self.ports))
        self.talker.command(f"LOGIN {self.user} {self.user}")
        self.talker.command("ENABLE QRESYNC")

    # -- what the server says

    def say(self, command: str) -> None:
        by_number = command.startswith(("FETCH", "STORE", "SEARCH"))
        self._highest = self.modseq
        self._lowered = False
        *told, last = self.talker.command(command)
        for line in told:
            assert not (by_number and line.startswith("* VANISHED")), line
            self._hear(line)
        code = re.search(r"HIGHESTMODSEQ (\d+)", last)
        if code:
            self.modseq = int(code[1])
        elif not self._lowered:
            self.modseq = self._highest

    def _hear(self, line: str) -> None:
        if found := re.match(r"\* (\d+) EXISTS", line):
            self.uids += [0] * (int(found[1]) - len(self.uids))
            assert len(self.uids) == int(found[1]), line
        elif found := re.match(r"\* VANISHED (\(EARLIER\) )?(\S+)", line):
            for uid in ranges(found[2]):
                self.cache.pop(uid, None)
                if not found[1]:
                    del self.uids[self._place(uid)]
        elif found := re.match(r"\* (\d+) FETCH \(.*UID (\d+).*FLAGS \((.*?)\)", line):
            number, uid = int(found[1]), int(found[2])
            assert self.uids[number - 1] in (0, uid), line
            self.uids[number - 1] = uid
            self.cache[uid] = frozenset(found[3].split())
        elif found := re.match(r"\* OK \[(UIDVALIDITY|HIGHESTMODSEQ) (\d+)", line):
            if found[1] == "UIDVALIDITY":
                self.validity = int(found[2])
            else:
                self.modseq, self._lowered = int(found[2]), True
        if found := re.search(r"MODSEQ \((\d+)\)", line):
            self._highest = max(self._highest, int(found[1]))

    def _place(self, uid: int) -> int:
        """Where a UID stands that may not have been told: between its neighbours."""
        if uid in self.uids:
            return self.uids.index(uid)
        return next(
            at
            for at, other in enumerate(self.uids)
            if not other and all(known > uid for known in self.uids[at:] if known)
        )

    # -- what the client does

    def resync(self) -> None:
        if self.validity and self.choice.random() < 0.5:
            self.say("UNSELECT")
        elif self.validity:
            self.talker.close()
            self.connect()
        self.uids = []
        # Clients say what they know: another gateway may have seen none of the last messages that are gone.
        newest = max(self.cache, default=1)
        known = f" (QRESYNC ({self.validity} {self.modseq} 1:{newest}))" if self.validity else ""
        self.say(f"SELECT INBOX{known}")
        if known:
            self.say(f"UID FETCH {newest + 1}:* (FLAGS)")
        else:
            self.ask_for_new()

    def ask_for_new(self) -> None:
        while 0 in self.uids:
            first = self.uids.index(0) + 1
            self.say(f"FETCH {first}:{len(self.uids)} (UID FLAGS)")
            self.say("NOOP")

    def step(self) -> None:
        self.choice.choice(ACTIONS)(self)
        self.ask_for_new()
        if self.choice.random() < 0.2:
            self.resync()
            self.check()

    def check(self) -> None:
        """What the client believes is what the server has."""
        told, self.cache = self.cache, {}
        self.say("UID FETCH 1:* (FLAGS)")
        assert told == self.cache

    def some(self) -> str:
        first = self.choice.randint(1, max(len(self.uids), 1))
        return f"{first}:{min(first + 3, len(self.uids))}" if self.uids else "1:*"

    def append(self) -> None:
        self.talker.send(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(MAIL), MAIL))
        while not (line := self.talker.line()).startswith("a "):
            self._hear(line)


MAIL = message("x")
ACTIONS: tuple[Callable[[Client], None], ...] = (
    Client.append,
    Client.append,
    lambda client: client.say(f"STORE {client.some()} +FLAGS (\\Flagged)"),
    lambda client: client.say(f"STORE {client.some()} -FLAGS.SILENT (\\Flagged)"),
    lambda client: client.say(f"STORE {client.choice.randint(1, max(len(client.uids), 1))}:* +FLAGS (\\Deleted)"),
    lambda client: client.say("EXPUNGE"),
    lambda client: client.say("NOOP"),
    lambda client: client.say(f"FETCH {client.some()} (UID FLAGS)"),
)  # fmt: skip


def ranges(text: str) -> list[int]:
    """The UIDs of a set."""
    found: list[int] = []
    for part in text.split(","):
        low, _, high = part.partition(":")
        found += range(int(low), int(high or low) + 1)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whoever_comes_back_knows_the_mailbox(imap_server: Server, tmp_path: Path, seed: int) -> None:
    user, choice = imap_server.new_user(), random.Random(seed)
    elsewhere = Server(imap_server.store, tmp_path)
    try:
        ports = [imap_server.port(), elsewhere.port()]
        clients = [Client(ports, user, choice) for _ in range(3)]
        for _ in range(STEPS):
            choice.choice(clients).step()
        for client in clients:
            client.resync()
            client.check()
            client.talker.close()
        assert clients[0].cache == clients[1].cache == clients[2].cache
    finally:
        elsewhere.close()
