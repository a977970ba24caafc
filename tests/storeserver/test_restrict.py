"""Restrictions: what matches, what does not, and what is refused."""

from __future__ import annotations

import time

import pytest

from gateway.mapi import proptags as pt
from gateway.mapi.errors import InvalidParameter
from gateway.mapi.posixregex import Pattern
from gateway.mapi.restrictions import (
    And,
    Bitmask,
    Comment,
    CompareProps,
    Content,
    Exist,
    Fuzzy,
    Not,
    Or,
    Property,
    Relop,
    Restriction,
    Size,
    Sub,
    equals,
)
from gateway.storeserver.restrict import ANY_UID, compiled, needs, uid_bounds

KEYWORDS = 0x8502101F
ROW = {
    pt.PR_SUBJECT: "Größe of the House",
    pt.PR_MESSAGE_FLAGS: 0x11,
    pt.PR_MESSAGE_SIZE: 1000,
    pt.PR_IMPORTANCE: 1000,
    pt.PR_HASATTACH: True,
    pt.PR_MESSAGE_DELIVERY_TIME: 130_000_000_000_000_000,
    pt.PR_SEARCH_KEY: b"abcdef",
    pt.PR_HTML: b"<p>",
    KEYWORDS: ("red", "Blue"),
    pt.PR_MESSAGE_RECIPIENTS: [
        {pt.PR_DISPLAY_NAME: "Bob", pt.PR_RECIPIENT_TYPE: 1},
        {pt.PR_DISPLAY_NAME: "Carol", pt.PR_RECIPIENT_TYPE: 2},
    ],
    pt.PR_MESSAGE_ATTACHMENTS: [],
}
SUBJECT = pt.PR_SUBJECT
IGNORE = Fuzzy.IGNORECASE


def text(fuzzy: int, value: str, tag: int = SUBJECT) -> Content:
    return Content(fuzzy, tag, (tag, value))


def prop(relop: int, tag: int, value: object) -> Property:
    return Property(relop, tag, (tag, value))


YES, NO = Exist(SUBJECT), Exist(pt.PR_BODY)

MATCHES: list[tuple[Restriction, bool]] = [
    (And(()), True),
    (Or(()), False),
    (And((YES, NO)), False),
    (Or((NO, YES)), True),
    (Not(NO), True),
    (Comment(None, ()), True),
    (Comment(NO, ((SUBJECT, "x"),)), False),
    # text is compared without case, found with it
    (prop(Relop.EQ, SUBJECT, "gröSSe of the house"), True),
    (prop(Relop.EQ, SUBJECT, "grosse of the house"), False),
    (prop(Relop.EQ, SUBJECT & ~1, "GRÖSSE OF THE HOUSE"), True),
    (prop(Relop.LT, SUBJECT, "hat"), True),
    (prop(Relop.GE, SUBJECT, "H"), False),
    (text(Fuzzy.FULLSTRING, "Größe of the House"), True),
    (text(Fuzzy.FULLSTRING, "größe of the house"), False),
    (text(Fuzzy.FULLSTRING | IGNORE, "größe of the house"), True),
    (text(Fuzzy.SUBSTRING, "the"), True),
    (text(Fuzzy.SUBSTRING, "THE"), False),
    (text(Fuzzy.SUBSTRING | IGNORE, "THE"), True),
    (text(Fuzzy.PREFIX, "Größe"), True),
    (text(Fuzzy.PREFIX, "of"), False),
    (text(Fuzzy.PREFIX | IGNORE, "GRÖSSE"), True),
    (Content(Fuzzy.PREFIX, pt.PR_SEARCH_KEY, (pt.PR_SEARCH_KEY, b"abc")), True),
    (Content(Fuzzy.SUBSTRING, pt.PR_SEARCH_KEY, (pt.PR_SEARCH_KEY, b"xyz")), False),
    (prop(Relop.RE, SUBJECT, "^gr..e +of"), True),
    (prop(Relop.RE, SUBJECT, "^of"), False),
    # numbers, times, bytes
    (prop(Relop.GT, pt.PR_MESSAGE_SIZE, 999), True),
    (prop(Relop.LE, pt.PR_MESSAGE_SIZE, 999), False),
    (prop(Relop.NE, pt.PR_MESSAGE_SIZE, 1000), False),
    (prop(Relop.EQ, pt.PR_HASATTACH, True), True),
    (prop(Relop.LT, pt.PR_MESSAGE_DELIVERY_TIME, 130_000_000_000_000_001), True),
    (prop(Relop.GT, pt.PR_SEARCH_KEY, b"abcde"), True),
    (CompareProps(Relop.EQ, pt.PR_MESSAGE_SIZE, pt.PR_IMPORTANCE), True),
    (CompareProps(Relop.LT, pt.PR_MESSAGE_SIZE, pt.PR_IMPORTANCE), False),
    (Bitmask(pt.PR_MESSAGE_FLAGS, 1, True), True),
    (Bitmask(pt.PR_MESSAGE_FLAGS, 1, False), False),
    (Bitmask(pt.PR_MESSAGE_FLAGS, 8, False), True),
    (Size(Relop.EQ, SUBJECT, 20), True),
    (Size(Relop.GT, pt.PR_SEARCH_KEY, 6), False),
    (Size(Relop.EQ, pt.PR_MESSAGE_SIZE, 4), True),
    # several values: any of them
    (Property(Relop.EQ, KEYWORDS, (KEYWORDS & ~0x1000, "blue")), True),
    (Property(Relop.EQ, KEYWORDS, (KEYWORDS & ~0x1000, "green")), False),
    (Content(Fuzzy.PREFIX, KEYWORDS, (KEYWORDS & ~0x1000, "re")), True),
    (prop(Relop.EQ, KEYWORDS, ("RED", "blue")), True),
    # what is not there
    (prop(Relop.NE, pt.PR_BODY, "x"), True),
    (prop(Relop.EQ, pt.PR_BODY, "x"), False),
    (prop(Relop.RE, pt.PR_BODY, ".*"), False),
    (text(Fuzzy.SUBSTRING, "", pt.PR_BODY), False),
    (Bitmask(pt.PR_MSG_STATUS, 1, False), False),
    (Size(Relop.GE, pt.PR_BODY, 0), False),
    (CompareProps(Relop.NE, pt.PR_MSG_STATUS, pt.PR_MESSAGE_SIZE), False),
    # tables do not show HTML
    (Exist(pt.PR_HTML), False),
    (prop(Relop.NE, pt.PR_HTML, b"<p>"), True),
    # recipients and attachments
    (Sub(pt.PR_MESSAGE_RECIPIENTS, text(IGNORE, "carol", pt.PR_DISPLAY_NAME)), True),
    (
        Sub(
            pt.PR_MESSAGE_RECIPIENTS,
            And((text(IGNORE, "carol", pt.PR_DISPLAY_NAME), equals(pt.PR_RECIPIENT_TYPE, 1))),
        ),
        False,
    ),
    (Sub(pt.PR_MESSAGE_ATTACHMENTS, And(())), False),
]


@pytest.mark.parametrize(("restriction", "expected"), MATCHES)
def test_a_row_matches(restriction: Restriction, expected: bool) -> None:
    assert compiled(restriction)(ROW) is expected
    assert compiled(Not(restriction))(ROW) is not expected


@pytest.mark.parametrize(
    "restriction",
    [
        Property(Relop.EQ, SUBJECT, (SUBJECT, None)),
        Property(Relop.EQ, SUBJECT, (pt.PR_MESSAGE_SIZE, 3)),
        Property(9, SUBJECT, (SUBJECT, "x")),
        Content(0, pt.PR_MESSAGE_SIZE, (pt.PR_MESSAGE_SIZE, 3)),
        Property(Relop.RE, pt.PR_MESSAGE_SIZE, (pt.PR_MESSAGE_SIZE, 3)),
        Property(Relop.RE, SUBJECT, (SUBJECT, "(")),
        CompareProps(Relop.EQ, SUBJECT, pt.PR_MESSAGE_SIZE),
        Sub(SUBJECT, And(())),
        And((YES,) * 20_000),
    ],
)
def test_what_makes_no_sense_is_refused(restriction: Restriction) -> None:
    with pytest.raises(InvalidParameter):
        compiled(restriction)


def test_a_restriction_nested_too_deeply_matches_nothing() -> None:
    restriction: Restriction = And(())
    for _ in range(15):
        restriction = And((restriction,))
    assert compiled(restriction)(ROW)
    assert not compiled(And((restriction,)))(ROW)


def test_an_ambiguous_name_is_the_beginning_of_something() -> None:
    match = compiled(equals(pt.PR_ANR, "sm"))
    assert match({pt.PR_SURNAME: "Smith"})
    assert match({pt.PR_SMTP_ADDRESS: "SMITH@example.org"})
    assert not match({pt.PR_DISPLAY_NAME: "John Smith"})


def test_needs_names_what_a_row_must_carry() -> None:
    restriction = And(
        (
            text(0, "a", SUBJECT & ~1),
            CompareProps(Relop.EQ, pt.PR_MESSAGE_SIZE, pt.PR_IMPORTANCE),
            Exist(pt.PR_HTML),
            Sub(pt.PR_MESSAGE_RECIPIENTS, Not(Exist(pt.PR_DISPLAY_NAME))),
        )
    )
    wanted = needs(restriction)
    assert wanted.tags == {SUBJECT, pt.PR_MESSAGE_SIZE, pt.PR_IMPORTANCE}
    assert wanted.parts == {pt.PR_MESSAGE_RECIPIENTS: {pt.PR_DISPLAY_NAME}}


REGEX = [
    ("a", "bab", True),
    ("^a", "ba", False),
    ("a$", "ba", True),
    ("^$", "", True),
    ("", "x", True),
    ("^(foo|ba+r)$", "BAAAR", True),
    ("[0-9]{2,3}x", "a12x", True),
    ("^[0-9]{2,3}x", "1234x", False),
    ("[^a-z]", "abc", False),
    ("[[:digit:]_]", "a_", True),
    ("[]a]", "]", True),
    ("a{3}", "aa", False),
    ("a{2,}b", "aaab", True),
    (r"a\.b", "axb", False),
    ("(ab)*c", "ababc", True),
    ("a**b", "aab", True),
    ("colou?r", "the COLOR", True),
    ("^(a{1,2}){2}$", "aaaa", True),
    ("^(a{1,2}){2}$", "aaaaa", False),
    ("stra.e", "STRAßE", True),
]


@pytest.mark.parametrize(("pattern", "subject", "expected"), REGEX)
def test_regular_expressions(pattern: str, subject: str, expected: bool) -> None:
    assert Pattern(pattern).search(subject) is expected


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "[a", "a{", "a{x}", "a{3,1}", "*", "((a{90}){90}){90}", "[[:x:]]", "(" * 40, "a" * 600],
)
def test_a_bad_regular_expression_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidParameter):
        Pattern(pattern)


def test_an_evil_regular_expression_takes_no_time() -> None:
    started = time.process_time()
    assert not Pattern("(a+)+$").search("a" * 3000 + "b")
    assert not Pattern("(.*)(.*)(.*)(.*)x").search("a" * 300)
    assert time.process_time() - started < 2


UID = pt.PR_EC_IMAP_ID


def _uid(relop: Relop, value: int) -> Property:
    return Property(relop, UID, (UID, value))


@pytest.mark.parametrize(
    ("restriction", "bounds"),
    [
        (_uid(Relop.EQ, 7), (7, 7)),
        (_uid(Relop.GE, 7), (7, 0xFFFFFFFF)),
        (_uid(Relop.GT, 7), (8, 0xFFFFFFFF)),
        (_uid(Relop.LE, 7), (0, 7)),
        (_uid(Relop.LT, 7), (0, 6)),
        (_uid(Relop.NE, 7), ANY_UID),
        (And((_uid(Relop.GE, 3), _uid(Relop.LE, 9), Exist(UID))), (3, 9)),
        (Or((_uid(Relop.EQ, 3), _uid(Relop.EQ, 9))), (3, 9)),
        (Or((_uid(Relop.EQ, 3), Exist(UID))), ANY_UID),
        (Or(()), ANY_UID),
        (Not(_uid(Relop.EQ, 3)), ANY_UID),
        (And(()), ANY_UID),
    ],
    ids=repr,
)
def test_bounds_of_uids_hold_for_every_match(restriction: Restriction, bounds: tuple[int, int]) -> None:
    assert uid_bounds(restriction) == bounds
    match = compiled(restriction)
    assert all(bounds[0] <= uid <= bounds[1] for uid in range(20) if match({UID: uid}))
