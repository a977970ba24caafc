"""What the server says, rendered."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.imap.codec import write_fetch as f
from gateway.imap.codec import write_mailbox as m
from gateway.imap.codec import write_search as s
from gateway.imap.codec import write_status as t
from gateway.imap.codec import write_values as v
from gateway.imap.codec.cursor import Cursor, Literal
from gateway.imap.codec.reader import Reader, Received


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", b'""'),
        (b"plain", b'"plain"'),
        (b'a"b\\c', b'"a\\"b\\\\c"'),
        (b"two\r\nlines", b"{10}\r\ntwo\r\nlines"),
        (b"\xc3\xa4", b"{2}\r\n\xc3\xa4"),
        (b"a\0b", b"~{3}\r\na\0b"),
        (b"x" * 1025, b"{1025}\r\n" + b"x" * 1025),
    ],
)
def test_strings(raw: bytes, expected: bytes) -> None:
    assert v.string(raw) == expected


def test_strings_in_utf8_may_be_quoted() -> None:
    assert v.string(b"\xc3\xa4", utf8=True) == b'"\xc3\xa4"'
    assert v.nstring(None) == b"NIL"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"atom", b"atom"),
        (b"", b'""'),
        (b"a b", b'"a b"'),
        (b"NIL", b'"NIL"'),
        (b"nil", b'"nil"'),
        (b"(", b'"("'),
    ],
)
def test_astrings(raw: bytes, expected: bytes) -> None:
    assert v.astring(raw) == expected


@given(st.binary(max_size=60))
def test_what_is_written_can_be_read(raw: bytes) -> None:
    reader = Reader()
    # A client would send its literals without waiting.
    written = re.sub(rb"\A(~?\{\d+)\}", rb"\1+}", v.astring(raw))
    reader.receive(b"x " + written + b"\r\n")
    received = reader.next()
    assert isinstance(received, Received)
    cursor = Cursor(received.fragments, received.literals)
    cursor.expect(b"x ")
    assert cursor.astring() == raw
    assert cursor.at_end()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, b'" 1-Jan-1970 00:00:00 +0000"'),
        (837596665, b'"17-Jul-1996 09:44:25 +0000"'),
        (951782400, b'"29-Feb-2000 00:00:00 +0000"'),
        (4294967295, b'" 7-Feb-2106 06:28:15 +0000"'),
    ],
)
def test_dates(seconds: int, expected: bytes) -> None:
    assert v.date_time(seconds) == expected
    assert f.dates([seconds]) == [expected]


def test_a_batch_of_fetches() -> None:
    texts = f.FlagTexts(lambda bits, words: ["\\Seen"] * (bits & 1) + ["Work"] * words)
    columns = [
        (f.UID, [7, 9]),
        (f.FLAGS, texts.column([1, 0], [0, 1])),
        (f.INTERNALDATE, f.dates([0, 0])),
        (f.ENVELOPE, [b"(%s)", b"(100%)"]),
    ]
    assert f.batch([1, 2], columns) == (
        b'* 1 FETCH (UID 7 FLAGS (\\Seen) INTERNALDATE " 1-Jan-1970 00:00:00 +0000" ENVELOPE (%s))\r\n'
        b'* 2 FETCH (UID 9 FLAGS (Work) INTERNALDATE " 1-Jan-1970 00:00:00 +0000" ENVELOPE (100%))\r\n'
    )
    assert f.batch([7], [(f.FLAGS, [b""])], by_uid_only=True) == b"* 7 UIDFETCH (FLAGS ())\r\n"


def test_status_responses_are_one_line() -> None:
    assert t.status("a", "NO", "two\r\nlines ä", "CODE") == b"a NO [CODE] two  lines ?\r\n"


def test_names_of_mailboxes() -> None:
    assert m.list_item(["\\A"], "Entwürfe", utf8=False) == b'* LIST (\\A) "/" "Entw&APw-rfe"\r\n'
    assert m.list_item([], "Entwürfe", utf8=True) == '* LIST () "/" "Entwürfe"\r\n'.encode()
    assert m.list_item([], "INBOX", utf8=True) == b'* LIST () "/" INBOX\r\n'
    extended = [("CHILDINFO", ["SUBSCRIBED"]), ("OLDNAME", ['a"b'])]
    assert m.list_item([], "x", utf8=False, extended=extended) == (
        b'* LIST () "/" "x" ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" ("a\\"b"))\r\n'
    )
    assert (
        m.namespaces(([""], [], ["Public/"]), utf8=False) == b'* NAMESPACE (("" "/")) NIL (("Public/" "/"))\r\n'
    )


def test_search_results() -> None:
    assert s.search([]) == b"* SEARCH\r\n"
    assert s.search([2, 3], 99) == b"* SEARCH 2 3 (MODSEQ 99)\r\n"
    found = s.ESearch(
        "a", True, "x", 5, least=1, most=9, count=3, all=[1, 5, 9], partial=((1, 2), []), modseq=7
    )
    assert found.render() == (
        b'* ESEARCH (TAG "a" MAILBOX "x" UIDVALIDITY 5) UID MIN 1 MAX 9 COUNT 3 ALL 1,5,9 PARTIAL (1:2 NIL) MODSEQ 7\r\n'
    )


def test_threads() -> None:
    node = s.Node
    roots = [node(2), node(3, [node(6, [node(4, [node(23)]), node(44, [node(7, [node(96)])])])])]
    assert s.thread(roots) == b"* THREAD (2)(3 6 (4 23)(44 7 96))\r\n"
    assert s.thread([node(0, [node(3), node(5)])]) == b"* THREAD ((3)(5))\r\n"
    assert s.thread([]) == b"* THREAD\r\n"


def test_literals_are_read_where_they_lie() -> None:
    reader = Reader()
    reader.receive(b"x {3+}\r\nabc\r\n")
    received = reader.next()
    assert isinstance(received, Received)
    [literal] = received.literals
    assert isinstance(literal, Literal)
    assert (literal.size, literal.binary, literal.read()) == (3, False, b"abc")
