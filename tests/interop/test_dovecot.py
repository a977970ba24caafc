"""The same mails in the gateway and in Dovecot: what they answer to the same commands must be the same.

Not compared is what no RFC decides: texts in headers of messages inside others, mails without a date, broken mails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from imapclient import IMAPClient

from tests.interop.variousmails import mails
from tests.support.dovecot import dovecot_program, running_dovecot
from tests.support.gateway import GatewayProcess
from tests.support.patience import PATIENCE

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(dovecot_program() is None, reason="needs dovecot: apt install dovecot-imapd"),
]
COUNT = 60
ALL = list(range(1, COUNT + 1))
FLAGS = [b"\\Seen", b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Draft", b"$Forwarded", b"Work"]


@pytest.fixture(scope="module")
def both(gateway: GatewayProcess, new_user: Callable[[], str]) -> Iterator[tuple[IMAPClient, IMAPClient]]:
    """A client of each, with the same mails in the same order."""
    user = new_user()
    # Another user's process must reach it: pytest keeps its own directories closed.
    with TemporaryDirectory() as base, running_dovecot(Path(base), user) as (address, _):
        ours = IMAPClient("127.0.0.1", gateway.port("imap"), ssl=False, timeout=PATIENCE, use_uid=False)
        theirs = IMAPClient(address[0], address[1], ssl=False, timeout=PATIENCE, use_uid=False)
        with ours, theirs:
            for client in (ours, theirs):
                client.login(user, user)
                fill(client)
            yield ours, theirs


def fill(client: IMAPClient) -> None:
    dice = Random(3)
    for raw in mails(COUNT):
        when = datetime(dice.choice((2020, 2026)), dice.randint(1, 7), dice.randint(1, 28), 12, tzinfo=UTC)
        client.append("INBOX", raw, dice.sample(FLAGS, dice.randint(0, 3)), when)
    client.select_folder("INBOX")


@pytest.mark.parametrize(
    "item",
    [
        "RFC822.SIZE",
        "INTERNALDATE",
        "ENVELOPE",
        "BODY.PEEK[]",
        "BODY.PEEK[HEADER]",
        "BODY.PEEK[TEXT]",
        "BODY.PEEK[1]",
        "BODY.PEEK[1.MIME]",
        "BODY.PEEK[HEADER.FIELDS (SUBJECT FROM X-Thing)]",
        "BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT TO)]",
        "BODY.PEEK[]<10.50>",
        "BODY.PEEK[1]<100000.5>",
        "PREVIEW",
    ],
)
def test_fetch(both: tuple[IMAPClient, IMAPClient], item: str) -> None:
    ours, theirs = (without_number(client.fetch(ALL, [item])) for client in both)
    assert ours == theirs


def without_number(fetched: Any) -> dict[int, dict[bytes, Any]]:
    return {
        number: {key: value for key, value in one.items() if key != b"SEQ"} for number, one in fetched.items()
    }


def test_fetch_of_flags(both: tuple[IMAPClient, IMAPClient]) -> None:
    ours, theirs = (
        {n: set(flags) - {b"\\Recent"} for n, flags in each.get_flags(ALL).items()} for each in both
    )
    assert ours == theirs


@pytest.mark.parametrize("item", ["BODYSTRUCTURE", "BODY"])
def test_fetch_of_structures(both: tuple[IMAPClient, IMAPClient], item: str) -> None:
    """Texts that name no charset are us-ascii for Dovecot; here those are that have no parameters at all."""
    ours, theirs = (without_number(client.fetch(ALL, [item])) for client in both)
    assert lowered(ours) == lowered(theirs)


def lowered(value: Any) -> Any:
    """Names of types, parameters and encodings are the same in any case of letters."""
    if isinstance(value, dict):
        return {key: lowered(each) for key, each in value.items()}
    if isinstance(value, bytes):
        return value.lower()
    return tuple(map(lowered, value)) if isinstance(value, tuple | list) else value


def parts_of(client: IMAPClient, section: str) -> dict[int, bytes]:
    """A section of the mails that have it: one that is not there may be NIL or empty."""
    found = client.fetch(ALL, [f"BODY.PEEK[{section}]"])
    return {number: value for number, one in found.items() if (value := one[f"BODY[{section}]".encode()])}


@pytest.mark.parametrize("section", ["2", "2.MIME", "2.HEADER", "2.TEXT", "1.2", "1.2.MIME", "3", "4.1"])
def test_fetch_of_parts(both: tuple[IMAPClient, IMAPClient], section: str) -> None:
    ours, theirs = (parts_of(client, section) for client in both)
    assert ours == theirs


def searches(count: int) -> list[str]:
    dice = Random(11)
    return [" ".join(key(dice, 0) for _ in range(dice.randint(1, 3))) for _ in range(count)]


WORDS = ["alpha", "bravo", "meeting", "re:", "example", "list", "jo@", "forwarded", '"value 1"', "markup", "oh"]
DAYS = ["13-Jul-2026", "14-Jul-2026", "1-Jan-2020", "10-Feb-2026", "15-Mar-2020"]
KEYS: list[Callable[[Random], str]] = [
    lambda dice: dice.choice(["ANSWERED", "DELETED", "DRAFT", "FLAGGED", "SEEN", "UNSEEN", "UNDELETED", "ALL"]),
    lambda dice: (
        f"{dice.choice(['KEYWORD', 'UNKEYWORD'])} {dice.choice(['$Forwarded', 'Work', 'work', 'other'])}"
    ),
    lambda dice: (
        f"{dice.choice(['BEFORE', 'ON', 'SINCE', 'SENTBEFORE', 'SENTON', 'SENTSINCE'])} {dice.choice(DAYS)}"
    ),
    lambda dice: f"{dice.choice(['FROM', 'TO', 'CC', 'BCC', 'SUBJECT', 'BODY', 'TEXT'])} {dice.choice(WORDS)}",
    lambda dice: (
        f"HEADER {dice.choice(['Subject', 'X-Thing', 'Message-ID', 'From', 'Reply-To'])} {dice.choice(WORDS)}"
    ),
    lambda dice: f"{dice.choice(['LARGER', 'SMALLER'])} {dice.choice([0, 400, 700, 1200])}",
    lambda dice: f"{dice.randint(1, COUNT)}:{dice.randint(1, COUNT)}",
    lambda dice: f"{dice.choice(['OLDER', 'YOUNGER'])} {dice.choice([3600, 40_000_000])}",
]


def key(dice: Random, depth: int) -> str:
    kind = dice.randrange(12) if depth < 3 else 0
    if kind == 9:
        return f"NOT {key(dice, depth + 1)}"
    if kind == 10:
        return f"OR {key(dice, depth + 1)} {key(dice, depth + 1)}"
    if kind == 11:
        return f"({' '.join(key(dice, depth + 1) for _ in range(dice.randint(1, 3)))})"
    return dice.choice(KEYS)(dice)


def test_search(both: tuple[IMAPClient, IMAPClient]) -> None:
    found = {}
    for text in searches(300):
        ours, theirs = (sorted(client.search(text)) for client in both)
        assert ours == theirs, text
        found[text] = ours
    assert sum(0 < len(each) < COUNT for each in found.values()) > 100


@pytest.mark.parametrize(
    "criteria",
    [
        "ARRIVAL",
        "CC",
        "DATE",
        "FROM",
        "SIZE",
        "SUBJECT",
        "TO",
        "REVERSE DATE",
        "SUBJECT REVERSE SIZE",
        "DISPLAYFROM",
    ],
)
def test_sort(both: tuple[IMAPClient, IMAPClient], criteria: str) -> None:
    ours, theirs = (client.sort(criteria) for client in both)
    assert ours == theirs


@pytest.mark.parametrize("algorithm", ["REFERENCES", "ORDEREDSUBJECT"])
def test_thread(both: tuple[IMAPClient, IMAPClient], algorithm: str) -> None:
    ours, theirs = (client.thread(algorithm) for client in both)
    assert ours == theirs
