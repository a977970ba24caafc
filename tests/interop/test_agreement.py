"""Many clients at two gateways before one store: when they have done with changing, all of them see the same.

What each does is decided by a seed; in which order the store sees it is not.
"""

from __future__ import annotations

import imaplib
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random

import pytest
from imapclient import IMAPClient

from tests.dav.server import Client, D, card, event
from tests.support.gateway import GatewayProcess, Running
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.interop
BOXES = ("INBOX", "Work")
FLAGS = ("(\\Seen)", "(\\Flagged)", "(Work)", "(\\Deleted)")
OPERATIONS = 60


@pytest.fixture(scope="module")
def gateways(
    gateway: GatewayProcess, store_process: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[GatewayProcess]]:
    url = f"http://{store_process.places['store']}/"
    with GatewayProcess(tmp_path_factory.mktemp("second"), url) as second:
        yield [gateway, second]


def together(*work: Callable[[], None]) -> None:
    """Do all this at once, each in a thread; the first error counts."""
    with ThreadPoolExecutor(len(work)) as threads:
        for done in [threads.submit(each) for each in work]:
            done.result(120)


# IMAP


def logged_in(gateway: GatewayProcess, user: str) -> imaplib.IMAP4:
    client = imaplib.IMAP4("127.0.0.1", gateway.port("imap"), timeout=PATIENCE)
    client.login(user, user)
    return client


def change_mails(gateway: GatewayProcess, user: str, seed: int) -> None:
    """Store, mark, copy, move and remove mails; what others removed meanwhile cannot be touched."""
    dice = Random(seed)
    with logged_in(gateway, user) as client:
        client.select("INBOX")
        for number in range(OPERATIONS):
            kind = dice.randrange(9)
            if kind < 3:
                mail = f"Subject: {seed}.{number}\r\n\r\ntext\r\n".encode()
                client.append(dice.choice(BOXES), dice.choice(FLAGS[:2]), "", mail)
            elif kind == 3:
                client.select(dice.choice(BOXES))
            elif kind < 6:
                first = dice.randint(1, 80)
                how = dice.choice(["+FLAGS", "-FLAGS"])
                client.uid("STORE", f"{first}:{first + 40}", how, dice.choice(FLAGS))
            elif kind == 6:
                client.expunge()
            else:
                command = "COPY" if kind == 7 else "MOVE"
                client.uid(command, str(dice.randint(1, 80)), dice.choice(BOXES))


Mails = dict[int, frozenset[bytes]]


class Follower:
    """A client that asks for nothing but what changed (RFC 7162)."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.boxes: dict[str, tuple[int, int, int, Mails]] = {}

    def follow(self, gateway: GatewayProcess) -> None:
        with logged_in(gateway, self.user) as client:
            self._command(client, "ENABLE QRESYNC")
            for box in BOXES:
                self._select(client, box)

    def _select(self, client: imaplib.IMAP4, box: str) -> None:
        validity, modseq, after, mails = self.boxes.get(box, (0, 0, 1, {}))
        resync = f" (QRESYNC ({validity} {modseq}))" if validity else ""
        lines = self._command(client, f"SELECT {box}{resync}")
        numbers = [_number(lines, name) for name in (b"UIDVALIDITY", b"HIGHESTMODSEQ", b"UIDNEXT")]
        _apply(mails, lines)
        _apply(mails, self._command(client, f"UID FETCH {after}:* (FLAGS)"))
        self.boxes[box] = (*numbers, mails)  # type: ignore[assignment]

    @staticmethod
    def _command(client: imaplib.IMAP4, text: str) -> list[bytes]:
        tag = client._new_tag()  # type: ignore[attr-defined]
        client.send(tag + b" " + text.encode() + b"\r\n")
        lines: list[bytes] = []
        while not (line := client.readline()).startswith(tag):
            assert line, "the gateway closed the connection"
            lines.append(line)
        assert line.startswith(tag + b" OK"), line
        return lines

    def mails(self, box: str) -> Mails:
        return self.boxes[box][3]


def _number(lines: list[bytes], name: bytes) -> int:
    return next(int(match[1]) for line in lines if (match := re.search(rb"%b (\d+)" % name, line)))


def _apply(mails: Mails, lines: list[bytes]) -> None:
    for line in lines:
        if vanished := re.match(rb"\* VANISHED (?:\(EARLIER\) )?([\d:,]+)", line):
            for piece in vanished[1].split(b","):
                first, _, last = piece.partition(b":")
                for uid in [uid for uid in mails if int(first) <= uid <= int(last or first)]:
                    del mails[uid]
        elif b" FETCH (" in line:
            uid, flags = re.search(rb"UID (\d+)", line), re.search(rb"FLAGS \(([^)]*)\)", line)
            if uid and flags:
                mails[int(uid[1])] = frozenset(flags[1].split())


def test_mailboxes(gateways: list[GatewayProcess], user: str) -> None:
    one, two = gateways
    with logged_in(one, user) as client:
        client.create("Work")
    followers = [Follower(user), Follower(user)]

    def follow(follower: Follower, seed: int) -> None:
        dice = Random(seed)
        for _ in range(10):
            follower.follow(dice.choice(gateways))

    writers = [partial(change_mails, dice, user, seed) for seed, dice in enumerate((one, two, one, two))]
    together(*writers, *(partial(follow, each, seed) for seed, each in enumerate(followers)))
    truth = Follower(user)
    truth.follow(one)
    for follower, gateway in zip(followers, gateways, strict=True):
        follower.follow(gateway)
    assert len(truth.mails("INBOX")) + len(truth.mails("Work")) > 20
    for box in BOXES:
        for follower in followers:
            assert follower.mails(box) == truth.mails(box)


def test_idle_hears_of_many_changes_at_another_gateway(gateways: list[GatewayProcess], user: str) -> None:
    """Of more than ten messages that one call changes the store says only that their folder has changed."""
    one, two = gateways
    with (
        logged_in(two, user) as other,
        IMAPClient("127.0.0.1", one.port("imap"), ssl=False, timeout=PATIENCE) as client,
    ):
        for number in range(12):
            other.append("INBOX", "", "", f"Subject: {number}\r\n\r\ntext\r\n".encode())
        client.login(user, user)
        assert client.select_folder("INBOX")[b"EXISTS"] == 12
        client.idle()
        other.select("INBOX")
        other.store("1:*", "+FLAGS", "(\\Deleted)")
        other.expunge()
        told: list[tuple[object, ...]] = []
        deadline = time.monotonic() + PATIENCE / 4  # far below the View's own look
        while sum(line[1] == b"EXPUNGE" for line in told) < 12:
            assert time.monotonic() < deadline, told
            told += client.idle_check(timeout=1)
        client.idle_done()


# DAV


class Device:
    """A calendar and an address book that are kept in step by sync-collection (RFC 6578)."""

    def __init__(self, client: Client, seed: int) -> None:
        self.client = client
        self.dice = Random(seed)
        self.name = f"device{seed}"
        self.paths = {client.collection("calendar"): "ics", client.collection("addressbook"): "vcf"}
        self.tokens = dict.fromkeys(self.paths, "")
        self.items: dict[str, dict[str, str]] = {path: {} for path in self.paths}

    def sync(self, path: str) -> None:
        self.tokens[path], changes = self.client.sync(path, self.tokens[path])
        for href, etag in changes.items():
            if etag:
                self.items[path][href] = etag
            else:
                self.items[path].pop(href, None)

    def work(self) -> None:
        for number in range(OPERATIONS):
            self._operate(self.dice.choice(list(self.paths)), number)

    def _operate(self, path: str, number: int) -> None:
        kind = self.dice.randrange(10)
        known = self.items[path]
        if kind < 3 or (kind < 8 and not known):
            href = f"{path}{self.name}-{number}.{self.paths[path]}"
            assert self.client("PUT", href, self._text(href)).status == 201
        elif kind < 6:
            href = self.dice.choice(list(known))
            assert self.client("PUT", href, self._text(href), If_Match=known[href]).status in (204, 412)
        elif kind < 8:
            assert self.client("DELETE", self.dice.choice(list(known))).status in (204, 404)
        else:
            self.sync(path)

    def _text(self, href: str) -> str:
        uid = href.rpartition("/")[2].partition(".")[0]
        if href.endswith("vcf"):
            return card(uid, f"Ann {self.dice.choice(['Smith', 'Jones', 'Miller'])}")
        return event(uid, f"Meeting {self.dice.randint(0, 99)}")


def test_calendars_and_address_books(gateways: list[GatewayProcess], user: str) -> None:
    devices = [Device(Client(gateways[seed % 2].port("dav"), user), seed) for seed in range(4)]
    together(*(device.work for device in devices))
    for path in devices[0].paths:
        for device in devices:
            device.sync(path)
        for gateway in gateways:
            client = Client(gateway.port("dav"), user)
            truth = client.sync(path)[1]
            listed = client.propfind(path, f"{D}getetag", depth="1")
            assert {href: listed.found(href, f"{D}getetag") for href in listed.hrefs if href != path} == truth
            assert len(truth) > 10
            for device in devices:
                assert device.items[path] == truth
