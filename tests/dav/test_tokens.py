"""Positions in a change log whose numbers may become visible out of order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dav import hrefs, tokens
from gateway.dav.tokens import OVERLAP, Position
from gateway.mapi.changes import Change

FOLDER = bytes(range(22))


def changes(*numbers: int) -> list[Change]:
    return [Change(number, b"key", FOLDER, 0x1002, 0) for number in numbers]


@given(st.lists(st.tuples(st.integers(0, OVERLAP - 1), st.integers(1, 8)), min_size=1, max_size=40))
def test_every_change_is_told_once_in_whatever_order_it_appears(steps: list[tuple[int, int]]) -> None:
    """Numbers 100, 101 ... become visible late by less than the overlap; readers come in between."""
    arrivals = sorted(range(len(steps)), key=lambda index: index + steps[index][0])
    position, visible, told = Position(99, 0), [], []
    for count, index in enumerate(arrivals):
        visible.append(100 + index)
        if count % steps[count][1]:
            continue
        asked = changes(*sorted(number for number in visible if number > position.asked_from))
        told += [each.change_id for each in asked if position.is_new(each.change_id)]
        position = position.after(asked, 0)
    asked = changes(*sorted(number for number in visible if number > position.asked_from))
    told += [each.change_id for each in asked if position.is_new(each.change_id)]
    assert sorted(told) == sorted(visible)


def test_changes_are_told_again_as_if_they_had_not_been_seen() -> None:
    position = Position(99, 0).after(changes(*range(68, 140)), 0)
    assert position.without([1, 200]) == position
    less = position.without([130, 139])
    assert [each for each in range(60, 150) if less.is_new(each)] == [130, *range(139, 150)]
    assert less.after(changes(130, 139), 0) == position


def test_a_position_stays_when_nothing_happens() -> None:
    position = Position(500, 0).after(changes(480, 490), 0)
    assert position.after(changes(480, 490), 0) == position
    assert tokens.read(tokens.write(FOLDER, position), FOLDER) == position


def test_only_what_was_not_seen_is_asked_for_again() -> None:
    position = Position(99, 0).after(changes(*range(68, 140)), 0)
    assert position.asked_from == position.number == 139
    later = position.after(changes(142), 142)
    assert later.asked_from == 139
    assert later.after(changes(140, 141), 142).asked_from == 142


@pytest.mark.parametrize(
    "text", ["", "x", "data:,00-1-0", "data:,-1-0", "data:,0-99999999999-0", "data:,zz-1-0"]
)
def test_what_is_no_token(text: str) -> None:
    with pytest.raises(ValueError, match="not a sync token"):
        tokens.read(text, FOLDER)


@given(st.text(max_size=40))
def test_a_name_survives_the_store(name: str) -> None:
    for href in (name, name + ".ics", "=" + name, "=" + name + ".ics"):
        if hrefs.is_name(href):
            assert hrefs.item_href(hrefs.stored_name(href, ".ics"), b"k", ".ics") == href


@pytest.mark.parametrize("stored", [None, "", "a/b", "=..", "=", "x" * 251, "=a\0"])
def test_a_stored_name_that_cannot_be_one_gives_way_to_the_source_key(stored: str | None) -> None:
    assert hrefs.item_href(stored, b"\1\2", ".ics") == "0102.ics"
