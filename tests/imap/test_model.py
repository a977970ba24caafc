"""Clients in many modes do what they like in one mailbox, at two gateways: every response is checked by a model.

What each client believes in the end, and its results that are kept up to date, is what the server has.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from tests.imap.dialogue import message
from tests.imap.model import Believer, Known, Mode, Result, numbers
from tests.imap.server import Server
from tests.support.patience import PATIENCE

STEPS = 60
MODES = (
    Mode(),
    Mode(("IMAP4REV2",)),
    Mode(("CONDSTORE",)),
    Mode(("QRESYNC",)),
    Mode(("QRESYNC", "UIDONLY"), by_uid=True),
    Mode(("UIDONLY",), by_uid=True),
    Mode(notify="selected-delayed"),
    Mode(("QRESYNC", "IMAP4REV2"), notify="selected-delayed"),
    Mode(("CONDSTORE",), notify="selected", by_uid=True),
    Mode(("QRESYNC",), notify="selected", by_uid=True),
)
SEARCHES = (
    "ALL",
    "UNSEEN",
    "FLAGGED",
    "NOT DELETED",
    "UID 1:*",
    "KEYWORD $x OR SEEN DRAFT",
    "SUBJECT b",
    "LARGER 330",
)
ORDERS = ("SUBJECT", "REVERSE ARRIVAL", "SIZE SUBJECT")
FLAGS = ("\\Seen", "\\Flagged", "\\Deleted", "\\Deleted \\Seen", "$x", "\\Draft $y", "")


class World:
    """A mailbox, the clients in it, and what they may do."""

    def __init__(self, ports: list[int], user: str, choice: random.Random) -> None:
        self.choice = choice
        self.clients = [Believer(choice.choice(ports), user, mode) for mode in choice.sample(MODES, 5)]
        self.idle: set[Believer] = set()
        self.missed: list[tuple[Believer, Known, list[str]]] = []
        self.witness = Believer(ports[0], user, Mode(by_uid=True))
        self.witness.run("CREATE other")
        for client in self.clients:
            client.run("SELECT INBOX")

    def step(self) -> None:
        """Some clients do something, at once or one after the other."""
        awake = [client for client in self.clients if client not in self.idle]
        together = self.choice.sample(awake, min(len(awake), self.choice.choice((1, 1, 1, 2, 3))))
        running = [self.choice.choice(ACTIONS)(self, client) for client in together]
        for one in running:
            next(one, None)
        for one in running:
            for _ in one:
                pass
        for client in tuple(self.idle):
            client.overhear()
            if self.choice.random() < 0.3:
                self.idle.discard(client)
                client.done()

    # -- what a client may do: what it says comes before the yield, what it reads behind it

    def append(self, client: Believer) -> Iterator[None]:
        subject = self.choice.choice("abc") * self.choice.randint(1, 40)
        data = message(subject)
        client.log.append(f"# {subject}")
        client.begin(f"APPEND INBOX ({self.choice.choice(FLAGS)}) {{{len(data)}+}}", data + b"\r\n")
        yield
        told = re.search(r"APPENDUID \d+ (\d+)", client.finish())
        client.must(told is not None, "APPENDUID is missing")
        assert told is not None
        client.must(all(one.uid != int(told[1]) for one in client.messages[:-1]), "APPENDUID of an old message")

    def store(self, client: Believer) -> Iterator[None]:
        chosen, named, uid = self.some(client)
        sign, silent = self.choice.choice(("+", "-", "")), self.choice.choice(("", ".SILENT"))
        if client.mode.notify:
            silent = ""  # what is told meanwhile may be older or newer than one's own change
        flags = self.choice.choice(FLAGS)
        since = ""
        if client.mode.condstore and self.choice.random() < 0.3:
            since = f"(UNCHANGEDSINCE {max(client.highest, 1)}) "
        client.begin(f"{uid}STORE {named} {since}{sign}FLAGS{silent} ({flags})")
        yield
        ending = client.finish()
        client.must(ending.startswith("OK") or (not uid and ending.startswith("BAD")), f"STORE: {ending}")
        if silent:
            if not since:
                self.stored(client, chosen, sign, flags)
        elif not since:
            told = told_flags(client, client.heard)
            gone = "EXPUNGEISSUED" in ending or uid
            for one in chosen:
                client.must(bool(gone) or one in client.messages, "EXPUNGEISSUED is missing")
                client.must(bool(gone) or one.flags is not None, f"nothing was told of {one.uid} of {told}")

    def stored(self, client: Believer, chosen: list[Known], sign: str, text: str) -> None:
        """With .SILENT the client itself knows what it did, unless it was told something else meanwhile."""
        told = told_flags(client, client.heard)
        flags = frozenset(text.split())
        for one in chosen:
            if one.flags is None or one.uid in told:
                continue
            one.flags = {"+": one.flags | flags, "-": one.flags - flags, "": flags}[sign]

    def fetch(self, client: Believer) -> Iterator[None]:
        _, named, uid = self.some(client)
        items = self.choice.choice(("FLAGS", "(UID FLAGS MODSEQ)", "(FLAGS INTERNALDATE RFC822.SIZE)"))
        if "MODSEQ" in items and not client.mode.condstore:
            items = "(UID FLAGS)"
        client.begin(f"{uid}FETCH {named} {items}")
        yield
        client.must(client.finish().startswith("OK"), "FETCH")
        told = sum("FETCH" in line for line in client.heard)
        client.must(bool(uid) or told <= len(client.messages) * 2, "too many responses")

    def search(self, client: Believer) -> Iterator[None]:
        uid = self.prefix(client)
        client.begin(f"{uid}SEARCH {self.choice.choice(SEARCHES)}")
        there = len(client.messages)
        yield
        client.finish()
        for line in client.heard:
            if found := re.match(r"\* (?:SEARCH|ESEARCH \(.*\) ALL) ([\d ,:]+)", line):
                named = numbers(found[1].replace(" ", ","))
                client.must(
                    bool(uid) or max(named) <= max(there, len(client.messages)), f"no such message: {line}"
                )

    def save(self, client: Believer) -> Iterator[None]:
        """SEARCHRES: ``$`` is what was found, without what is gone."""
        uid = self.prefix(client)
        wanted = self.choice.choice(("", "MIN ", "COUNT ", "MIN MAX "))
        client.run(f"{uid}SEARCH RETURN ({wanted}SAVE) {self.choice.choice(SEARCHES)}")
        client.begin(f"UID SEARCH RETURN (ALL COUNT) {'$' if not client.mode.uid_only else 'UID $'}")
        yield
        ending = client.finish()
        client.must(ending.startswith("OK"), f"SEARCH $: {ending}")
        told = next(line for line in client.heard if line.startswith("* ESEARCH (TAG") and "COUNT" in line)
        most = {"MIN ": 1, "MIN MAX ": 2}.get(wanted, len(client.messages) + 3)
        found = re.search(r"COUNT (\d+)", told)
        client.must(found is not None and int(found[1]) <= most, "$ has too much in it")

    def keep(self, client: Believer) -> Iterator[None]:
        uid, search, order = self.prefix(client), self.choice.choice(SEARCHES), ""
        if client.mode.vanished:
            uid = "UID "  # which of several unknown messages has vanished is not told
        command = "SEARCH RETURN (UPDATE ALL)"
        if self.choice.random() < 0.4:
            order = self.choice.choice(ORDERS)
            command, search = f"SORT RETURN (UPDATE ALL) ({order}) UTF-8", search
        if len(client.results) > 3:
            yield
            return
        client.begin(f"{uid}{command} {search}")
        result = Result(f"UID {command.replace('UPDATE ', '')} {search}", bool(uid), bool(order))
        tag = client.tag
        client.results[tag] = result
        yield
        client.finish()

    def cancel(self, client: Believer) -> Iterator[None]:
        if not client.results:
            yield
            return
        tag = self.choice.choice([*client.results])
        client.begin(f'CANCELUPDATE "{tag}"')
        yield
        client.results[tag].ending = True
        client.must(client.finish().startswith("OK"), "CANCELUPDATE")
        del client.results[tag]

    def copy(self, client: Believer) -> Iterator[None]:
        """COPYUID names the same mails."""
        _, named, uid = self.some(client)
        client.run("UID FETCH 1:* (EMAILID)")
        emails = {one.uid: one.email for one in client.messages}
        command, target = self.choice.choice(("COPY", "COPY", "MOVE")), self.choice.choice(("other", "INBOX"))
        client.begin(f"{uid}{command} {named} {target}")
        yield
        ending = client.finish()
        told = next((line for line in [*client.heard, ending] if "COPYUID" in line), "")
        if found := re.search(r"COPYUID \d+ (\S+) ([\d,:]+)\]", told):
            self.witness.run(f"EXAMINE {target}")
            self.witness.run(f"UID FETCH {found[2]} (EMAILID)")
            copies = {one.uid: one.email for one in self.witness.messages}
            for old, new in zip(numbers(found[1]), numbers(found[2]), strict=True):
                same = emails.get(old, "") in ("", copies.get(new) or emails.get(old))
                client.must(same, f"{new} is no copy of {old}: {told}")

    def plain(self, client: Believer) -> Iterator[None]:
        client.begin(
            self.choice.choice(("NOOP", "NOOP", "CHECK", "EXPUNGE", "EXPUNGE", "STATUS INBOX (MESSAGES)"))
        )
        yield
        client.must(client.finish().startswith("OK"), "NOOP")

    def rest(self, client: Believer) -> Iterator[None]:
        client.begin("IDLE")
        yield
        client.wait_for_idle()
        self.idle.add(client)

    def again(self, client: Believer) -> Iterator[None]:
        client.begin(
            self.choice.choice(("SELECT INBOX", "SELECT INBOX (CONDSTORE)"))
            if client.mode.condstore
            else "SELECT INBOX"
        )
        yield
        client.finish()
        client.uids()

    def prefix(self, client: Believer) -> str:
        return "UID " if client.mode.by_uid or self.choice.random() < 0.4 else ""

    def some(self, client: Believer) -> tuple[list[Known], str, str]:
        """Messages, how they are named, and ``UID`` if that is by UID."""
        uid = self.prefix(client)
        client.uids()
        first = self.choice.randint(0, max(len(client.messages) - 1, 0))
        chosen = client.messages[first : first + self.choice.randint(1, 3)]
        if not chosen:
            return [], "1:*", uid
        names = [one.uid for one in chosen] if uid else [client.messages.index(one) + 1 for one in chosen]
        return chosen, ",".join(map(str, names)), uid

    # -- in the end

    def wake(self) -> None:
        for client in tuple(self.idle):
            self.idle.discard(client)
            client.done()

    def check(self) -> None:
        """Everybody knows the mailbox, and soon the same mailbox: notices of the store take their time."""
        self.wake()
        until = monotonic() + PATIENCE
        while True:
            for client in self.clients:
                self.settled(client)
            beliefs = [{one.uid: one.flags for one in client.messages} for client in self.clients]
            differ = [
                client for client, belief in zip(self.clients, beliefs, strict=True) if belief != beliefs[0]
            ]
            if not differ:
                break
            differ[0].must(monotonic() < until, f"not all believe the same: {beliefs}")
        for client, one, log in self.missed:  # what is gone by now could not be changed any more
            assert one not in client.messages, "\n".join([f"nothing was told of {one}", *log])

    def settled(self, client: Believer) -> None:
        """The client hears of everything; then it asks, and learns nothing new."""
        until = monotonic() + PATIENCE
        while True:
            client.run("NOOP")
            client.overhear()
            told, before = {one: one.flags for one in client.messages}, len(client.log)
            client.run("UID FETCH 1:* (FLAGS)")
            # What comes to light meanwhile is told besides what was asked for.
            heard = [line.removeprefix("S: ") for line in client.log[before:]]
            twice = [uid for uid, times in Counter(told_flags(client, heard)).items() if times > 1]
            self.missed += [
                (client, one, client.log[-40:])
                for one, flags in told.items()
                if flags not in (None, one.flags) and one.uid not in twice
            ]
            same = told == {one: one.flags for one in client.messages} and all(one.uid for one in told)
            wrong = self.wrong_result(client)
            if same and not wrong:
                return
            client.must(monotonic() < until, wrong or "there is always something new")

    def wrong_result(self, client: Believer) -> str:
        """A result that was kept up to date and is not what a fresh search finds; not for long, if one is just gone."""
        for tag, result in client.results.items():
            client.run(result.search)
            answer = next(line for line in client.heard if line.startswith("* ESEARCH"))
            found = re.search(r" ALL (\S+)", answer)
            fresh = numbers(found[1]) if found else []
            kept = [one.uid if isinstance(one, Known) else one for one in result.found]
            if fresh != (kept if result.sorted else sorted(kept)):
                return f"{result.search}, kept as {tag}: {kept}, and is {fresh}"
        return ""


def told_flags(client: Believer, heard: list[str]) -> list[int]:
    """The UIDs of messages whose flags an answer told."""
    found = (re.match(r"\* (\d+) (UID)?FETCH \((?:.*?UID (\d+))?", line) for line in heard)
    return [int(one[1] if one[2] else one[3] or client.messages[int(one[1]) - 1].uid) for one in found if one]


ACTIONS: tuple[Callable[[World, Believer], Iterator[None]], ...] = (
    World.append, World.append, World.append, World.store, World.store, World.store, World.store, World.fetch,
    World.search, World.save, World.keep, World.keep, World.cancel, World.copy, World.plain, World.plain,
    World.plain, World.rest, World.again,
)  # fmt: skip


@contextmanager
def worlds(server: Server, directory: Path, seed: int) -> Iterator[World]:
    elsewhere = Server(server.store, directory)
    try:
        world = World([server.port(), elsewhere.port()], server.new_user(), random.Random(seed))
        yield world
        for client in (*world.clients, world.witness):
            client.talker.close()
    finally:
        elsewhere.close()


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_every_response_is_right_in_every_mode(imap_server: Server, tmp_path: Path, seed: int) -> None:
    with worlds(imap_server, tmp_path, seed) as world:
        for step in range(1, STEPS + 1):
            world.step()
            if step % 20 == 0:
                world.check()
