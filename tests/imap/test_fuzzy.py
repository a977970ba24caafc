"""FUZZY and RELEVANCY (RFC 6203): words in any order, the most literal matches first."""

from __future__ import annotations

import pytest

from gateway.imap.fuzzy import MOST_WORDS, loose
from gateway.mailbox import criteria as m
from tests.imap.dialogue import Dialogue, message


@pytest.fixture
def filled(imap: Dialogue) -> Dialogue:
    imap.given(
        inbox=[
            message("IMAP break"),
            message("to break an old IMAP server"),
            message("lunch", "After the break we talk about IMAP.\r\n"),
            message("about", "The imap break of today\r\n"),
            message("breakfast"),
        ]
    )
    imap.talker().command("SELECT INBOX")
    return imap


@pytest.mark.parametrize(
    ("keys", "numbers"),
    [
        ('SUBJECT "imap break"', "1"),
        ('FUZZY SUBJECT "imap break"', "1 2"),
        ('FUZZY SUBJECT "break, IMAP!"', "1 2"),
        ('FUZZY TEXT "imap break"', "1 2 3 4"),
        ('FUZZY (BODY "IMAP break")', "3 4"),
        ('FUZZY FROM "example joe"', "1 2 3 4 5"),
        ('FUZZY SUBJECT "bréak"', "1 2 5"),
        ("FUZZY SEEN", ""),
        ("FUZZY 2:3", "2 3"),
        ('NOT FUZZY TEXT "imap break"', "5"),
        ('OR FUZZY SUBJECT "old imap" SUBJECT lunch', "2 3"),
        ('FUZZY TEXT "imap nowhere"', ""),
    ],
)
def test_what_matches(filled: Dialogue, keys: str, numbers: str) -> None:
    words = keys.encode()
    talker = filled.talker()
    talker.send(b"a SEARCH CHARSET UTF-8 " + words + b"\r\n")
    assert talker.line() == f"* SEARCH {numbers}".rstrip()
    assert talker.line() == "a OK Search completed"


def test_how_relevant_it_is(filled: Dialogue) -> None:
    """The subject as it was asked for, its words, the text, its words."""
    filled.talk("""
        C: a1 SEARCH RETURN (ALL RELEVANCY) FUZZY TEXT "imap break"
        S: * ESEARCH (TAG "a1") ALL 1:4 RELEVANCY (100 80 30 60)
        S: a1 OK ...
        C: a2 SORT (RELEVANCY) UTF-8 FUZZY TEXT "imap break"
        S: * SORT 1 2 4 3
        S: a2 OK ...
        C: a3 SORT RETURN (PARTIAL 1:2 RELEVANCY COUNT) (RELEVANCY) UTF-8 FUZZY TEXT "imap break"
        S: * ESEARCH (TAG "a3") COUNT 4 PARTIAL (1:2 1:2) RELEVANCY (100 80)
        S: a3 OK ...
        C: a4 UID SORT (REVERSE RELEVANCY ARRIVAL) UTF-8 FUZZY SUBJECT "imap break"
        S: * SORT ...
        S: a4 OK ...
        C: a5 SEARCH RETURN (RELEVANCY) FUZZY (SUBJECT "imap break" FROM joe)
        S: * ESEARCH (TAG "a5") RELEVANCY (100 75)
        S: a5 OK ...
        C: a6 SEARCH RETURN (ALL RELEVANCY) FUZZY SUBJECT nowhere
        S: * ESEARCH (TAG "a6") RELEVANCY ()
        S: a6 OK ...
        C: a7 ESEARCH IN (personal) RETURN (COUNT RELEVANCY) FUZZY SUBJECT "imap break"
        S: * ESEARCH (TAG "a7" MAILBOX INBOX UIDVALIDITY ...) UID COUNT 2 RELEVANCY (100 50)
        S: a7 OK ...
        C: a8 SEARCH RETURN (RELEVANCY) SUBJECT break
        S: a8 BAD ...
        C: a9 SORT (RELEVANCY) UTF-8 SUBJECT break
        S: a9 BAD ...
        C: b1 SORT RETURN (COUNT UPDATE) (RELEVANCY) UTF-8 FUZZY SUBJECT break
        S: * ESEARCH (TAG "b1") COUNT 3
        S: * NO [NOUPDATE "b1"] ...
        S: b1 OK ...
        C: b2 SEARCH FUZZY
        S: b2 BAD ...
    """)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one", m.Body("one")),
        ("one two", m.And((m.Body("one"), m.Body("two")))),
        ("(one)", m.Body("one")),
        ("", m.Body("")),
        ("...", m.Body("...")),
        ("é", m.Or((m.Body("é"), m.Body("e")))),
        ("x " * (MOST_WORDS + 1), m.Body("x " * (MOST_WORDS + 1))),
    ],
)
def test_texts_become_words(text: str, expected: m.Criterion) -> None:
    assert loose(m.Body(text)) == expected
