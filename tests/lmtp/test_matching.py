"""Conditions of rules: every kind of restriction, on messages that are not in a store (MS-OXCDATA 2.12)."""

from __future__ import annotations

import pytest

from gateway.lmtp.matching import Subject, matches
from gateway.mapi import proptags as pr
from gateway.mapi import restrictions as r
from gateway.mapi.props import MV_FLAG

CATEGORIES = 0x85A0001F | MV_FLAG
NAMED = 0x8600001F
SUBJECT = Subject(
    {
        pr.PR_SUBJECT: "Invoice 12",
        pr.PR_NORMALIZED_SUBJECT: "invoice 12",
        pr.PR_MESSAGE_SIZE: 100,
        pr.PR_MESSAGE_FLAGS: 2,
        pr.PR_IMPORTANCE: 2,
        pr.PR_CLIENT_SUBMIT_TIME: 1000,
        pr.PR_HASATTACH: True,
        pr.PR_SENDER_SEARCH_KEY: b"SMTP:A@B\0",
        CATEGORIES: ("Red", "Blue"),
        NAMED: "x-mailer 3",
    },
    [
        {pr.PR_SMTP_ADDRESS: "bob@example.com", pr.PR_RECIPIENT_TYPE: 1},
        {pr.PR_SMTP_ADDRESS: "carl@example.com", pr.PR_RECIPIENT_TYPE: 2},
    ],
    [{pr.PR_ATTACH_LONG_FILENAME: "invoice.pdf"}],
)


def content(fuzzy: int, tag: int, value: object) -> r.Restriction:
    return r.Content(fuzzy, tag, (tag, value))


def compare(relop: int, tag: int, value: object) -> r.Restriction:
    return r.Property(relop, tag, (tag, value))


FULL, PART, BEGIN, ANY_CASE = r.Fuzzy.FULLSTRING, r.Fuzzy.SUBSTRING, r.Fuzzy.PREFIX, r.Fuzzy.IGNORECASE
NO = r.Or(())
CASES = {
    "content, part, any case": (content(PART | ANY_CASE, pr.PR_SUBJECT, "INVOICE"), True),
    "content, part, exact case": (content(PART, pr.PR_SUBJECT, "invoice"), False),
    "content, beginning": (content(BEGIN, pr.PR_SUBJECT, "Inv"), True),
    "content, beginning elsewhere": (content(BEGIN, pr.PR_SUBJECT, "12"), False),
    "content, whole": (content(FULL | ANY_CASE, pr.PR_SUBJECT, "invoice 12"), True),
    "content, not whole": (content(FULL | ANY_CASE, pr.PR_SUBJECT, "invoice"), False),
    "content, 8-bit tag": (r.Content(BEGIN, pr.PR_SUBJECT & ~1, (pr.PR_SUBJECT & ~1, "Inv")), True),
    "content, bytes": (content(FULL, pr.PR_SENDER_SEARCH_KEY, b"SMTP:A@B\0"), True),
    "content, part of bytes": (content(PART, pr.PR_SENDER_SEARCH_KEY, b"A@B"), True),
    "content, absent": (content(PART, pr.PR_BODY, ""), False),
    "content, one of several values": (content(FULL | ANY_CASE, CATEGORIES, "blue"), True),
    "content, of an instance": (content(FULL | ANY_CASE, CATEGORIES | 0x2000, "blue"), True),
    "content, none of several values": (content(FULL, CATEGORIES, "Green"), False),
    "content, named property": (content(PART, NAMED, "mailer"), True),
    "content of another type": (content(PART, pr.PR_IMPORTANCE, "2"), False),
    "property =": (compare(r.Relop.EQ, pr.PR_SUBJECT, "INVOICE 12"), True),
    "property = absent": (compare(r.Relop.EQ, pr.PR_BODY, "x"), False),
    "property != absent": (compare(r.Relop.NE, pr.PR_BODY, "x"), True),
    "property !=": (compare(r.Relop.NE, pr.PR_IMPORTANCE, 2), False),
    "property <": (compare(r.Relop.LT, pr.PR_MESSAGE_SIZE, 100), False),
    "property <=": (compare(r.Relop.LE, pr.PR_MESSAGE_SIZE, 100), True),
    "property >": (compare(r.Relop.GT, pr.PR_CLIENT_SUBMIT_TIME, 999), True),
    "property >=": (compare(r.Relop.GE, pr.PR_CLIENT_SUBMIT_TIME, 1001), False),
    "property, bool": (compare(r.Relop.EQ, pr.PR_HASATTACH, True), True),
    "property of another type": (compare(r.Relop.GT, pr.PR_MESSAGE_SIZE, "x"), False),
    "property, pattern": (compare(r.Relop.RE, pr.PR_SUBJECT, "[0-9]+$"), True),
    "property, malformed pattern": (compare(r.Relop.RE, pr.PR_SUBJECT, "["), False),
    "property, pattern on a number": (compare(r.Relop.RE, pr.PR_MESSAGE_SIZE, "1"), False),
    "two properties": (r.CompareProps(r.Relop.EQ, pr.PR_SUBJECT, pr.PR_NORMALIZED_SUBJECT), True),
    "two properties, differ": (r.CompareProps(r.Relop.GT, pr.PR_IMPORTANCE, pr.PR_MESSAGE_SIZE), False),
    "two properties, one absent": (r.CompareProps(r.Relop.EQ, pr.PR_SUBJECT, pr.PR_BODY), False),
    "bits clear": (r.Bitmask(pr.PR_MESSAGE_FLAGS, 1, False), True),
    "bits set": (r.Bitmask(pr.PR_MESSAGE_FLAGS, 2, True), True),
    "bits not set": (r.Bitmask(pr.PR_MESSAGE_FLAGS, 4, True), False),
    "size of text": (r.Size(r.Relop.EQ, pr.PR_SUBJECT, 10), True),
    "size of bytes": (r.Size(r.Relop.LT, pr.PR_SENDER_SEARCH_KEY, 9), False),
    "size of a number": (r.Size(r.Relop.EQ, pr.PR_IMPORTANCE, 4), True),
    "size of a time": (r.Size(r.Relop.EQ, pr.PR_CLIENT_SUBMIT_TIME, 8), True),
    "exists": (r.Exist(pr.PR_SUBJECT), True),
    "exists not": (r.Exist(pr.PR_BODY), False),
    "not": (r.Not(r.Exist(pr.PR_BODY)), True),
    "and of none": (r.And(()), True),
    "and": (r.And((r.Exist(pr.PR_SUBJECT), NO)), False),
    "or of none": (NO, False),
    "or": (r.Or((NO, r.Exist(pr.PR_SUBJECT))), True),
    "all but an exception": (r.And((r.contains(pr.PR_SUBJECT, "invoice"), r.Not(r.Or((r.contains(pr.PR_SUBJECT, "12"),))))), False),
    "a recipient": (r.Sub(pr.PR_MESSAGE_RECIPIENTS, r.equals(pr.PR_SMTP_ADDRESS, "BOB@example.com")), True),
    "a recipient in Cc": (r.Sub(pr.PR_MESSAGE_RECIPIENTS, r.And((r.equals(pr.PR_SMTP_ADDRESS, "bob@example.com"), compare(r.Relop.EQ, pr.PR_RECIPIENT_TYPE, 2)))), False),
    "an attachment": (r.Sub(pr.PR_MESSAGE_ATTACHMENTS, content(PART, pr.PR_ATTACH_LONG_FILENAME, ".pdf")), True),
    "an attachment, none like it": (r.Sub(pr.PR_MESSAGE_ATTACHMENTS, NO), False),
    "comment": (r.Comment(r.Exist(pr.PR_BODY), ()), False),
    "comment of nothing": (r.Comment(None, ()), True),
}  # fmt: skip


@pytest.mark.parametrize(("restriction", "expected"), CASES.values(), ids=CASES)
def test_restrictions(restriction: r.Restriction, expected: bool) -> None:
    assert matches(restriction, SUBJECT) is expected


@pytest.mark.parametrize("kind", [lambda inner: r.And((inner,)), r.Not, lambda inner: r.Comment(inner, ())])
def test_restrictions_are_not_followed_for_ever(kind: type) -> None:
    deep: r.Restriction = r.And(())
    for _ in range(1001):
        deep = kind(deep)
    assert not matches(deep, SUBJECT)


def test_a_pattern_that_would_take_for_ever_does_not() -> None:
    """A backtracking matcher needs 2 to the power of 60 steps for this one."""
    evil = compare(r.Relop.RE, pr.PR_SUBJECT, "(a+)+(a+)+(a+)+$")
    assert not matches(evil, Subject({pr.PR_SUBJECT: "a" * 60 + "!"}))
