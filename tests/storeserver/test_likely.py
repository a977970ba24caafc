"""What the database leaves out before a restriction is asked: never anything that matches."""

from __future__ import annotations

import random
import string
from typing import Any

import pytest

from gateway.mapi import proptags as p
from gateway.mapi.props import PropTag
from gateway.mapi.restrictions import And, Comment, Content, Fuzzy, Not, Or, Restriction, Sub, contains
from gateway.storeserver import rows
from gateway.storeserver.database import Transaction
from gateway.storeserver.likely import Attached, Combined, Text, likely, may_contain
from gateway.storeserver.restrict import compiled, needs
from tests.support.storecore import World

NAMED = 0x8503001F
MANY = 0x8504101F


def exact(tag: PropTag, value: Any, fuzzy: int = Fuzzy.SUBSTRING) -> Content:
    return Content(int(fuzzy), tag, (tag, value))


A = Text(p.PR_SUBJECT, b"abc", folded=True)
B = Text(p.PR_BODY, b"def", folded=True)
ABC, DEF = contains(p.PR_SUBJECT, "Abc"), contains(p.PR_BODY, "dEf")
UNKNOWN = Not(ABC)


@pytest.mark.parametrize(
    ("restriction", "known"),
    [
        (ABC, A),
        (exact(p.PR_SUBJECT, "Äbc"), Text(p.PR_SUBJECT, "Äbc".encode(), folded=False)),
        (contains(p.PR_SUBJECT, "Grüße an alle"), Text(p.PR_SUBJECT, b"sse an alle", folded=True)),
        (contains(p.PR_SUBJECT, "данные"), None),
        (contains(p.PR_SUBJECT, ""), None),
        (exact(p.PR_SEARCH_KEY, b"key"), Text(p.PR_SEARCH_KEY, b"key", folded=False)),
        (exact(p.PR_SUBJECT, "\ud800"), None),
        (UNKNOWN, None),
        (And((ABC, UNKNOWN)), A),
        (And((ABC, DEF)), Combined((A, B), True)),
        (Or((ABC, DEF)), Combined((A, B), False)),
        (Or((ABC, UNKNOWN)), None),
        (And(()), None),
        (Or(()), None),
        (Comment(ABC, ()), A),
        (Comment(None, ()), None),
        (Sub(p.PR_MESSAGE_ATTACHMENTS, UNKNOWN), Attached()),
        (Sub(p.PR_MESSAGE_RECIPIENTS, ABC), None),
        (Or((ABC, Sub(p.PR_MESSAGE_ATTACHMENTS, DEF))), Combined((A, Attached()), False)),
    ],
)
def test_what_is_known_of_a_restriction(restriction: Restriction, known: object) -> None:
    assert likely(restriction) == known


def test_every_letter_that_becomes_an_ascii_letter_is_known() -> None:
    """Unicode may get more of them."""
    for code in (*range(128, 0xD800), *range(0xE000, 0x30000)):
        for letter in {letter for letter in chr(code).casefold() if letter.isascii()}:
            assert may_contain(chr(code).encode(), letter.encode()), hex(code)


TEXTS = [
    "Straße",
    "STRASSE",
    "strasse",
    "ſtraſſe",
    "300 K",
    "300 \u212a",
    "ﬁnal oﬀer",
    "FINAL OFFER",
    "İstanbul",
    "ǰust",
    "Ẅeiß ẖ",
    "данные",
    "ДАННЫЕ",
    "x" * 300 + "needle",
    "y" * 2000 + "Needle",
    "plain needle",
    "",
]
WANTED = ["straSSE", "300 k", "final", "OFF", "i\u0307stan", "j\u030cust", "ss", "h", "Данные", "NEEDLE", "e"]
TAGS = (p.PR_SUBJECT, p.PR_BODY, p.PR_TRANSPORT_MESSAGE_HEADERS, NAMED, p.PR_NORMALIZED_SUBJECT)


def matching(world: World, restriction: Restriction, *, prefiltered: bool) -> list[int]:
    match, wanted = compiled(restriction), likely(restriction) if prefiltered else None

    def read(tx: Transaction) -> list[int]:
        folder = rows.locate.folder_by_entryid(tx, world.inbox)
        pages = rows.message_pages(tx, world.alice, folder.id, needs(restriction).tags, wanted=wanted)
        return [id_ for page in pages for id_, values in page if match(values)]

    result: list[int] = world.ask(read)
    return result


def fill(world: World) -> None:
    for text in TEXTS:
        stored = [(tag, text) for tag in TAGS if tag != p.PR_NORMALIZED_SUBJECT]
        entryid = world.save(world.inbox, [*stored, (MANY, ("other", text))])
        if text.startswith("İ"):
            world.update(entryid, [(p.PR_SUBJECT, "z" * 5000 + text)])


def test_nothing_that_matches_is_left_out(world: World) -> None:
    fill(world)
    found = 0
    for tag in TAGS:
        for wanted in WANTED:
            for restriction in (contains(tag, wanted), exact(tag, wanted), exact(tag, wanted, Fuzzy.PREFIX)):
                expected = matching(world, restriction, prefiltered=False)
                assert matching(world, restriction, prefiltered=True) == expected, (hex(tag), restriction)
                found += len(expected)
    assert found > 100


def test_nothing_that_matches_is_left_out_of_combinations(world: World) -> None:
    fill(world)
    chance = random.Random(7)

    def any_restriction(depth: int) -> Restriction:
        kind = chance.randrange(5) if depth else 0
        if kind == 1:
            return Not(any_restriction(depth - 1))
        if kind > 1:
            parts = tuple(any_restriction(depth - 1) for _ in range(chance.randrange(1, 4)))
            return And(parts) if kind == 2 else Or(parts)
        tag = chance.choice((*TAGS, MANY))
        text = chance.choice([*WANTED, *string.ascii_lowercase])
        if tag == MANY:
            return Content(
                int(Fuzzy.SUBSTRING | Fuzzy.IGNORECASE), MANY, (p.PR_SUBJECT & 0xFFFF | MANY & ~0xFFFF, text)
            )
        return contains(tag, text)

    for _ in range(150):
        restriction = any_restriction(3)
        expected = matching(world, restriction, prefiltered=False)
        assert matching(world, restriction, prefiltered=True) == expected, restriction


def test_what_tables_do_not_show_leaves_nothing_out(world: World) -> None:
    fill(world)
    for tag in (p.PR_HTML & ~0xFFFF | 0x1F, p.PR_EC_IMAP_EMAIL, p.PR_ENTRYID):
        restriction = contains(tag, "x") if tag & 0xFFFF == 0x1F else exact(tag, b"x")
        both = Or((restriction, contains(p.PR_SUBJECT, "needle")))
        assert matching(world, both, prefiltered=True) == matching(world, both, prefiltered=False)


def test_messages_without_attachments_are_left_out_where_these_matter(world: World) -> None:
    fill(world)

    def read(tx: Transaction, restriction: Restriction) -> int:
        folder = rows.locate.folder_by_entryid(tx, world.inbox)
        wanted = likely(restriction)
        return sum(map(len, rows.message_pages(tx, world.alice, folder.id, (p.PR_SUBJECT,), wanted=wanted)))

    attached = Sub(p.PR_MESSAGE_ATTACHMENTS, contains(p.PR_ATTACH_LONG_FILENAME, "x"))
    assert world.ask(read, attached) == 0
    assert world.ask(read, Or((attached, contains(p.PR_SUBJECT, "plain")))) > 0
    assert world.ask(read, Not(attached)) == len(TEXTS)


def test_most_of_the_others_are_left_out(world: World) -> None:
    fill(world)

    def read(tx: Transaction, tag: PropTag, text: str) -> int:
        folder = rows.locate.folder_by_entryid(tx, world.inbox)
        wanted = likely(contains(tag, text))
        return sum(map(len, rows.message_pages(tx, world.alice, folder.id, (tag,), wanted=wanted)))

    for tag in (p.PR_SUBJECT, p.PR_BODY, NAMED):
        assert world.ask(read, tag, "plain") < len(TEXTS)
    assert world.ask(read, p.PR_BODY, "no such text") < 12
