"""Mailbox names: every folder path has exactly one, and comes back from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mailbox import names

levels = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4).map(tuple)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("Sent Items",), "Sent Items"),
        (("Projects", "2026"), "Projects/2026"),
        (("A/B",), "A=2FB"),
        (("100%", "*"), "100=25/=2A"),
        (("x=2Fy",), "x=3D2Fy"),
        (("a=b",), "a=b"),
        (("Gelöscht",), "Gelöscht"),
        (("inbox",), "=69nbox"),
        (("INBOX", "old"), "=49NBOX/old"),
        (("line\r\nbreak",), "line=0D=0Abreak"),
        (("",), "=00"),
    ],
)
def test_a_path_and_its_name(path: tuple[str, ...], name: str) -> None:
    assert names.join(path) == name
    assert names.split(name) == path


@given(levels)
def test_any_path_comes_back_from_its_name(path: tuple[str, ...]) -> None:
    assert names.split(names.join(path)) == path


@given(levels, levels)
def test_two_paths_never_share_a_name(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert (names.join(one) == names.join(other)) == (one == other)


@given(levels)
def test_no_name_holds_what_list_or_the_line_would_misread(path: tuple[str, ...]) -> None:
    name = names.join(path)
    assert not set(name) & set("*%\r\n\0")
    assert name.count("/") == len(path) - 1


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("inbox", "INBOX"),
        ("Inbox/Sub", "INBOX/Sub"),
        ("a//b/", "a/b"),
        ("INBOXES", "INBOXES"),
        ("=69nbox", "=69nbox"),
        ("", ""),
    ],
)
def test_canonical_spelling(sent: str, canonical: str) -> None:
    assert names.canonical(sent) == canonical
    assert names.canonical(canonical) == canonical
