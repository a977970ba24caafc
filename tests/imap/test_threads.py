"""Base subjects and threads (RFC 5256 2.1, 3)."""

from __future__ import annotations

import pytest

from gateway.imap.codec.envelope import Address, parse_envelope
from gateway.imap.codec.write_search import thread
from gateway.imap.collation import casemap
from gateway.imap.subjects import base_subject
from gateway.imap.threads import Mail, ordered_subject, references, references_of, refs


@pytest.mark.parametrize(
    ("subject", "base", "reply"),
    [
        ("hello", "hello", False),
        ("Re: hello", "hello", True),
        ("RE: re: FWD: hello", "hello", True),
        ("Re[2]: hello", "hello", True),
        ("[list] Re: [list] hello", "hello", True),
        ("hello (fwd) (fwd)", "hello", True),
        ("[fwd: hello]", "hello", True),
        ("[fwd: Re: [x] hello]", "hello", True),
        ("[list]", "[list]", False),
        ("Re: [list]", "[list]", True),
        ("  two \t words ", "two words", False),
        ("", "", False),
        ("Re:", "", True),
        ("regarding: x", "regarding: x", False),
    ],
)
def test_base_subjects(subject: str, base: str, reply: bool) -> None:
    assert base_subject(subject) == (casemap(base), reply)


def mail(number: int, subject: str = "s", *above: str, reply: bool = False, date: float | None = None) -> Mail:
    return Mail(number, number if date is None else date, subject, reply, f"<{number}>", above)


def shown(roots: list[object]) -> str:
    return thread(roots)[len(b"* THREAD") : -2].decode().strip()  # type: ignore[arg-type]


def test_threads_by_subject() -> None:
    mails = [mail(1, "a"), mail(2, "b"), mail(3, "a"), mail(4, "a"), mail(5, "c")]
    assert shown(ordered_subject(mails)) == "(1 (3)(4))(2)(5)"


@pytest.mark.parametrize(
    ("mails", "expected"),
    [
        ([mail(1), mail(2, "t")], "(1)(2)"),
        ([mail(1), mail(2, "s", "<1>", reply=True), mail(3, "s", "<1>", "<2>", reply=True)], "(1 2 3)"),
        ([mail(1), mail(2, "s", "<1>"), mail(3, "s", "<1>")], "(1 (2)(3))"),
        ([mail(2, "a", "<x>"), mail(3, "b", "<x>")], "((2)(3))"),
        ([mail(2, "a", "<x>")], "(2)"),
        ([mail(1, "a", "<2>"), mail(2, "b", "<1>")], "(2 1)"),
        ([mail(1, "a", "<1>")], "(1)"),
        ([mail(1), mail(2, "s", reply=True)], "(1 2)"),
        ([mail(1, reply=True), mail(2, "s", reply=True)], "((1)(2))"),
        ([mail(1), mail(2)], "((1)(2))"),
        ([mail(3), mail(1, "q"), mail(2, "s", "<3>", date=9)], "(1)(3 2)"),
    ],
)
def test_threads_by_references(mails: list[Mail], expected: str) -> None:
    assert shown(references(mails)) == expected


def test_refs_look_at_the_newest_and_not_at_subjects() -> None:
    mails = [mail(1), mail(2), mail(3, "s", "<1>")]
    assert shown(refs(mails)) == "(2)(1 3)"


def test_a_thread_may_be_deep() -> None:
    chain = [mail(n, "s", f"<{n - 1}>") for n in range(1, 3000)]
    assert shown(references(chain)) == f"({' '.join(str(n) for n in range(1, 3000))})"


def test_two_messages_with_one_id() -> None:
    twins = [
        Mail(1, 1, "a", False, "<x>"),
        Mail(2, 2, "b", False, "<x>"),
        Mail(3, 3, "c", False, "<y>", ("<x>",)),
    ]
    assert shown(references(twins)) == "(1 3)(2)"


def test_references_of_a_header() -> None:
    assert references_of("<a> junk <b>", "<c>") == ("<a>", "<b>")
    assert references_of("", "<c> <d>") == ("<c>",)
    assert references_of("none", "") == ()


def test_envelopes_are_read_back() -> None:
    text = (
        b'("Mon, 7 Feb 1994 21:52:25 -0800" {5}\r\na"b\\c (("A \\"B\\" C" NIL "fred" "foo.bar")) NIL NIL '
        b'((NIL NIL "group" NIL)("Joe" NIL "joe" "a.b")(NIL NIL NIL NIL)) NIL NIL NIL "<x@y>")'
    )
    found = parse_envelope(text)
    assert found.subject == b'a"b\\c'
    assert found.sender == Address(b'A "B" C', b"fred", b"foo.bar")
    assert found.to == Address(mailbox=b"group")
    assert (found.cc, found.message_id) == (Address(), b"<x@y>")


@pytest.mark.parametrize("text", [b"", b"(", b")", b"NIL", b'("a")', b'("', b"({9999}\r\nx"])
def test_what_is_no_envelope_is_empty(text: bytes) -> None:
    assert parse_envelope(text).subject == b""
