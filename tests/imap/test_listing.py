"""Patterns of LIST, without a store."""

from __future__ import annotations

import time

import pytest

from gateway.imap.codec.commands import List
from gateway.imap.listing import Pattern, matches
from gateway.mailbox.tree import PUBLIC, Mailbox, Mailboxes


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*", ["", "a", "a/b"], []),
        ("%", ["", "a"], ["a/b"]),
        ("a*", ["a", "ab", "a/b/c"], ["b"]),
        ("a/%", ["a/", "a/b"], ["a", "a/b/c"]),
        ("%/%", ["a/b"], ["a", "a/b/c"]),
        ("*b", ["b", "a/b"], ["ba"]),
        ("a%c", ["ac", "abc"], ["a/c"]),
        ("*%", ["a/b"], []),
        ("a", ["a"], ["aa", ""]),
        ("", [""], ["a"]),
    ],
)
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [name for name in (*yes, *no) if Pattern(pattern).matches(name)] == yes


def test_no_pattern_takes_long() -> None:
    pattern = Pattern("*a" * 400 + "b")
    before = time.process_time()
    assert not pattern.matches("a" * 1000)
    assert time.process_time() - before < 1


def box(name: str, **more: object) -> Mailbox:
    return Mailbox(name, name.encode(), name.encode(), 1, b"store", **more)  # type: ignore[arg-type]


TREE = Mailboxes(
    [
        box("INBOX", has_children=True),
        box("INBOX/sub"),
        box("Sent", special_use="\\Sent"),
        box("Public folders/a", namespace=PUBLIC),
        box("work", selectable=False, has_children=True),
        box("work/x"),
    ]
)


def listed(command: List, subscribed: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    return [(found.name, " ".join(found.attributes)) for found in matches(command, TREE, subscribed)]


def test_parents_that_are_no_mailboxes_are_shown() -> None:
    assert listed(List("", ("%",))) == [
        ("INBOX", "\\HasChildren"),
        ("Public folders", "\\Noselect \\HasChildren"),
        ("Sent", "\\HasNoChildren \\Sent"),
        ("work", "\\Noselect \\HasChildren"),
    ]


def test_inbox_in_any_case() -> None:
    assert [name for name, _ in listed(List("", ("inbox*",)))] == ["INBOX", "INBOX/sub"]
    assert [name for name, _ in listed(List("InBox/", ("%",)))] == ["INBOX/sub"]


def test_subscribed_names_that_do_not_exist() -> None:
    command = List("", ("*",), frozenset({"SUBSCRIBED"}), extended=True)
    assert listed(command, frozenset({"Sent", "gone"})) == [
        ("Sent", "\\HasNoChildren \\Sent \\Subscribed"),
        ("gone", "\\NonExistent \\Subscribed"),
    ]


def test_special_use() -> None:
    assert listed(List("", ("*",), frozenset({"SPECIAL-USE"}), extended=True)) == [
        ("Sent", "\\HasNoChildren \\Sent")
    ]
