"""Sequence sets: parsing, resolving, compacting."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.sequence import STAR, SequenceSet, compact, expand, merge, parse_set


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        (b"1", ((1, 1),)),
        (b"1:3", ((1, 3),)),
        (b"3:1", ((1, 3),)),
        (b"1,2,3", ((1, 3),)),
        (b"5,1:3,2:4", ((1, 5),)),
        (b"5:*", ((5, STAR),)),
        (b"*:5", ((5, STAR),)),
        (b"*", ((STAR, STAR),)),
        (b"1,*", ((1, 1), (STAR, STAR))),
        (b"4294967295,*", ((4294967295, 4294967295), (STAR, STAR))),
        (b"2,4:7,9,12:*", ((2, 2), (4, 7), (9, 9), (12, STAR))),
    ],
)
def test_parsing(text: bytes, ranges: tuple[tuple[int, int], ...]) -> None:
    assert parse_set(text).ranges == ranges


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"0",
        b"1,",
        b",1",
        b"1:",
        b":1",
        b"1:2:3",
        b"4294967296",
        b"99999999999",
        b"a",
        b"1 2",
        b"**",
        b"-1",
    ],
)
def test_what_is_no_set(text: bytes) -> None:
    with pytest.raises(ParseError):
        parse_set(text)


def test_a_set_of_uids_may_forbid_the_star() -> None:
    with pytest.raises(ParseError):
        parse_set(b"1:*", star=False)


@pytest.mark.parametrize(
    ("text", "largest", "ranges"),
    [
        (b"5:*", 10, [(5, 10)]),
        (b"5:*", 3, [(3, 5)]),
        (b"*", 7, [(7, 7)]),
        (b"1,*", 1, [(1, 1)]),
        (b"1:2,*", 0, [(1, 2)]),
        (b"5:*", 0, []),
        (b"1:3", 0, [(1, 3)]),
        (b"1,4:*", 5, [(1, 1), (4, 5)]),
    ],
)
def test_the_star_is_the_largest_number_in_use(
    text: bytes, largest: int, ranges: list[tuple[int, int]]
) -> None:
    assert parse_set(text).resolve(largest) == ranges


@given(st.sets(st.integers(1, 300)))
def test_compacting_and_parsing_are_opposites(numbers: set[int]) -> None:
    text = compact(sorted(numbers))
    assert set(expand(parse_set(text.encode()).ranges if text else ())) == numbers
    assert str(SequenceSet(tuple(merge((n, n) for n in numbers)))) == text


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), max_size=20), st.integers(0, 60))
def test_a_set_means_what_its_parts_mean(pairs: list[tuple[int, int]], largest: int) -> None:
    expected = {n for a, b in pairs for n in range(min(a, b), max(a, b) + 1)}
    merged = merge(pairs)
    assert set(expand(merged)) == expected
    assert all(merged[i][1] + 1 < merged[i + 1][0] for i in range(len(merged) - 1))


def test_order_is_kept_when_it_matters() -> None:
    assert compact([7, 8, 3, 4, 5, 1]) == "7:8,3:5,1"


def test_a_huge_set_costs_its_text_only() -> None:
    text = b",".join(b"%d:%d" % (n, 4294967295 - n) for n in range(1, 20000))
    before = time.process_time()
    assert parse_set(text).resolve(100) == [(1, 4294967294)]
    assert time.process_time() - before < 1
