"""Sort orders and the order of text."""

from __future__ import annotations

import random

import pytest

from gateway.mapi import proptags as pt
from gateway.mapi.errors import InvalidParameter
from gateway.mapi.tables import SortDirection, SortKey
from gateway.storeserver.collation import equality, sort_key
from gateway.storeserver.sorting import Sorter

ASCENDING, DESCENDING = SortDirection.ASCENDING, SortDirection.DESCENDING


def order(keys: list[SortKey], rows: dict[int, dict[int, object]]) -> list[int]:
    sorter = Sorter(keys)
    return sorter.sorted({key: sorter.order(values) for key, values in rows.items()})


def test_text_sorts_like_a_dictionary() -> None:
    words = ["", " a", "-a", "$a", "1", "2", "a", "A", "á", "ab", "B", "Zoë", "zoo", "ä"]
    expected = ["", " a", "-a", "$a", "1", "2", "a", "A", "á", "ä", "ab", "B", "Zoë", "zoo"]
    random.Random(1).shuffle(words)
    assert sorted(words, key=sort_key) == expected


def test_texts_are_equal_without_case() -> None:
    assert equality("Straße") == equality("STRASSE")
    assert equality("é") == equality("É") == equality("e\N{COMBINING ACUTE ACCENT}")
    assert equality("e") != equality("é")


def test_only_the_beginning_of_a_text_sorts() -> None:
    assert sort_key("x" * 255 + "b") == sort_key("x" * 255 + "a")


def test_rows_without_the_property_come_first_and_last() -> None:
    rows: dict[int, dict[int, object]] = {1: {pt.PR_SUBJECT: "b"}, 2: {}, 3: {pt.PR_SUBJECT: "a"}}
    assert order([SortKey(pt.PR_SUBJECT, ASCENDING)], rows) == [2, 3, 1]
    assert order([SortKey(pt.PR_SUBJECT, DESCENDING)], rows) == [1, 3, 2]


def test_the_second_key_decides_between_equals_and_the_row_key_between_the_rest() -> None:
    rows: dict[int, dict[int, object]] = {
        1: {pt.PR_SUBJECT: "a", pt.PR_MESSAGE_SIZE: 5},
        2: {pt.PR_SUBJECT: "b", pt.PR_MESSAGE_SIZE: 7},
        3: {pt.PR_SUBJECT: "A", pt.PR_MESSAGE_SIZE: 9},
        4: {pt.PR_SUBJECT: "b", pt.PR_MESSAGE_SIZE: 7},
    }
    keys = [SortKey(pt.PR_SUBJECT & ~1, DESCENDING), SortKey(pt.PR_MESSAGE_SIZE, ASCENDING)]
    assert order(keys, rows) == [2, 4, 3, 1]


def test_a_row_is_placed_where_sorting_would_put_it() -> None:
    rng = random.Random(2)
    sorter = Sorter([SortKey(pt.PR_SUBJECT, DESCENDING), SortKey(pt.PR_MESSAGE_SIZE, ASCENDING)])
    orders = {
        key: sorter.order({pt.PR_SUBJECT: rng.choice("abc"), pt.PR_MESSAGE_SIZE: rng.randrange(3)})
        for key in range(200)
    }
    expected = sorter.sorted(orders)
    placed: list[int] = []
    keys = list(orders)
    rng.shuffle(keys)
    for key in keys:
        placed.insert(sorter.place(placed, orders, key, orders[key]), key)
    assert placed == expected


def test_too_many_keys_are_refused() -> None:
    with pytest.raises(InvalidParameter):
        Sorter([SortKey(pt.PR_SUBJECT)] * 17)


@pytest.mark.parametrize("direction", [ASCENDING, DESCENDING])
def test_many_rows_sort_like_few(direction: SortDirection) -> None:
    chance = random.Random(3)
    rows: dict[int, dict[int, object]] = {
        key: {pt.PR_SUBJECT: chance.choice("abcdefgh") * chance.randrange(3)} if key % 7 else {}
        for key in range(25_000)
    }
    texts = {key: row.get(pt.PR_SUBJECT) for key, row in rows.items()}
    expected = sorted(
        rows, key=lambda key: (texts[key] is not None, texts[key] or ""), reverse=direction is DESCENDING
    )
    assert order([SortKey(pt.PR_SUBJECT, direction)], rows) == expected


def test_a_single_value_orders_like_its_row() -> None:
    sorter = Sorter([SortKey(pt.PR_SUBJECT, ASCENDING)])
    for value in (None, "", "text"):
        assert sorter.order_by_value(value) == sorter.order({} if value is None else {pt.PR_SUBJECT: value})
