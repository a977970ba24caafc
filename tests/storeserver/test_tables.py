"""The table engine: columns, positions, bookmarks, find, categories, and rows that change meanwhile."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gateway.mapi import proptags as pt
from gateway.mapi.errors import ErrorCode, InvalidParameter, MapiError, NotFound
from gateway.mapi.props import PT_ERROR, PT_NULL
from gateway.mapi.restrictions import Bitmask, Exist, Property, Relop, Sub, contains, equals
from gateway.mapi.tables import Bookmark, SortDirection, SortKey
from gateway.storeserver.columns import instance_key, row_key
from gateway.storeserver.tables import Table
from tests.storeserver.rowset import RowSet

SUBJECT, SIZE, FLAGS, KEY = pt.PR_SUBJECT, pt.PR_MESSAGE_SIZE, pt.PR_MESSAGE_FLAGS, pt.PR_INSTANCE_KEY
KEYWORDS = 0x8502101F
TX = None


def five() -> RowSet:
    """Messages 1..5 with subjects e..a and sizes 10..50; odd ones are read."""
    return RowSet({n: {SUBJECT: "edcba"[n - 1], SIZE: n * 10, FLAGS: n & 1} for n in range(1, 6)})


def table(source: RowSet, *columns: int) -> Table[None]:
    result: Table[None] = Table(source)
    result.set_columns(columns or (KEY,))
    return result


def keys(found: Table[None], count: int = 100, *, advance: bool = True) -> list[int]:
    return [row_key(row[0][1]) for row in found.query(TX, count, advance=advance)]


def shown(found: Table[None]) -> list[int]:
    found.seek(TX, Bookmark.BEGINNING, 0)
    return keys(found)


def test_rows_have_the_asked_columns_and_errors_for_missing_values() -> None:
    source = five()
    rows = table(source, SUBJECT & ~1, pt.PR_BODY, SIZE, SUBJECT, pt.PR_ROW_TYPE, 0x00370000).query(TX, 1)
    absent = int(ErrorCode.NOT_FOUND)
    assert rows == [
        [
            (SUBJECT & ~1, "a"),
            (pt.PR_BODY & ~0xFFFF | PT_ERROR, absent),
            (SIZE, 50),
            (SUBJECT, "a"),
            (pt.PR_ROW_TYPE, 1),
            (0x0037000A, absent),
        ]
    ]


def test_long_values_are_cut_unless_the_table_is_uncapped() -> None:
    source = RowSet({1: {SUBJECT: "é" * 300, pt.PR_SEARCH_KEY: b"x" * 600}})
    for capped, sizes in ((True, [255, 511]), (False, [300, 600])):
        found: Table[None] = Table(source, capped=capped)
        found.set_columns([SUBJECT, pt.PR_SEARCH_KEY])
        assert [len(value) for _, value in found.query(TX, 1)[0]] == sizes


def test_reading_advances_and_peeking_does_not() -> None:
    found = table(five())
    assert keys(found, 2) == [5, 4]
    assert found.count(TX) == (5, 2)
    assert keys(found, 2, advance=False) == keys(found, 2) == [3, 2]
    assert keys(found, 9) == [1]
    assert keys(found, 9) == []


def test_seeking_tells_how_far_it_went() -> None:
    found = table(five())
    assert found.seek(TX, Bookmark.BEGINNING, 3) == 3
    assert found.seek(TX, Bookmark.CURRENT, -2) == -2
    assert keys(found, 1) == [4]
    assert found.seek(TX, Bookmark.CURRENT, 99) == 3
    assert found.seek(TX, Bookmark.END, -99) == -5
    with pytest.raises(InvalidParameter) as caught:
        found.seek(TX, 7, 0)
    assert caught.value.code == ErrorCode.INVALID_BOOKMARK


def test_restricting_and_sorting_start_at_the_top() -> None:
    found = table(five())
    keys(found, 3)
    found.restrict(Bitmask(FLAGS, 1, True))
    assert keys(found) == [5, 3, 1]
    found.sort([SortKey(SUBJECT, SortDirection.DESCENDING)])
    assert keys(found) == [1, 3, 5]
    found.restrict(None)
    assert found.count(TX) == (5, 0)


def test_finding_a_row() -> None:
    found = table(five())
    found.find(TX, contains(SUBJECT, "B"), Bookmark.BEGINNING)
    assert keys(found, 1, advance=False) == [4]
    with pytest.raises(NotFound):
        found.find(TX, equals(SIZE, 11), Bookmark.BEGINNING)
    assert keys(found, 1, advance=False) == [4]
    found.find(TX, Exist(SUBJECT), Bookmark.END, backward=True)
    assert keys(found, 1, advance=False) == [1]
    with pytest.raises(NotFound):
        found.find(TX, equals(SUBJECT, "a"), Bookmark.CURRENT)
    found.find(TX, Property(Relop.GE, SIZE, (SIZE, 40)), Bookmark.CURRENT, backward=True)
    assert keys(found, 1, advance=False) == [4]
    found.find(TX, equals(KEY, instance_key(2)), Bookmark.BEGINNING)
    assert keys(found, 1, advance=False) == [2]
    with pytest.raises(NotFound):
        found.find(TX, equals(KEY, instance_key(77)), Bookmark.BEGINNING)


def test_finding_in_many_rows() -> None:
    source = RowSet({n: {SUBJECT: str(n)} for n in range(1, 2501)})
    found = table(source)
    found.find(TX, equals(SUBJECT, "3"), Bookmark.BEGINNING)
    assert found.count(TX) == (2500, 2497)


def test_bookmarks_stay_on_their_row() -> None:
    source = five()
    found = table(source)
    found.seek(TX, Bookmark.BEGINNING, 2)
    mark = found.bookmark(TX)
    assert mark == 3
    source.objects[6] = {}
    found.touch([6])
    assert keys(found, 1) == [3]
    found.seek(TX, mark, 1)
    assert keys(found, 1) == [2]
    found.free_bookmark(mark)
    with pytest.raises(InvalidParameter):
        found.free_bookmark(mark)
    for _ in range(1000):
        found.bookmark(TX)
    with pytest.raises(MapiError):
        found.bookmark(TX)


def test_recipients_take_part_in_a_restriction() -> None:
    source = five()
    source.part_rows[2] = {pt.PR_MESSAGE_RECIPIENTS: [{pt.PR_DISPLAY_NAME: "Bob"}]}
    found = table(source)
    found.restrict(Sub(pt.PR_MESSAGE_RECIPIENTS, equals(pt.PR_DISPLAY_NAME, "bob")))
    assert keys(found) == [2]


def test_an_instance_column_gives_a_row_per_value() -> None:
    source = five()
    source.objects[2][KEYWORDS] = ("red", "blue")
    source.objects[4][KEYWORDS] = ("green",)
    instance = KEYWORDS | 0x2000
    found = table(source, KEY, instance)
    found.sort([SortKey(instance)])
    found.restrict(Exist(KEYWORDS))
    assert found.query(TX, 9) == [
        [(KEY, instance_key(2 | 1 << 32)), (KEYWORDS & ~0x1000, "blue")],
        [(KEY, instance_key(4)), (KEYWORDS & ~0x1000, "green")],
        [(KEY, instance_key(2)), (KEYWORDS & ~0x1000, "red")],
    ]
    with pytest.raises(InvalidParameter):
        found.set_columns([instance, 0x8503301F])


def test_all_columns_are_listed() -> None:
    assert set(table(five()).available_columns(TX)) == {SUBJECT, SIZE, FLAGS, KEY, pt.PR_ROW_TYPE}


# -- rows that change


def event(notice: Any) -> tuple[int, int, int]:
    """Table event, row and the row before it (0: none)."""
    index = row_key(notice.index[1]) if notice.index[0] == KEY else 0
    prior = row_key(notice.prior[1]) if notice.prior[0] == KEY else 0
    return notice.table_event, index, prior


def test_a_table_follows_the_store() -> None:
    source = five()
    found = table(source, KEY, SUBJECT)
    found.sort([SortKey(SUBJECT)])
    found.populate(TX)
    source.objects[9] = {SUBJECT: "bb"}
    source.objects[3][SUBJECT] = "zz"
    del source.objects[1]
    found.touch([9, 3, 1])
    notices = found.refresh(TX)
    assert [event(notice) for notice in notices] == [(4, 1, 0), (5, 3, 2), (3, 9, 4)]
    assert notices[0].row is None
    assert notices[1].row == ((KEY, instance_key(3)), (SUBJECT, "zz"))
    assert found.refresh(TX) == []
    assert shown(found) == [5, 4, 9, 2, 3]


def test_a_row_that_no_longer_matches_leaves() -> None:
    source = five()
    found = table(source)
    found.restrict(Bitmask(FLAGS, 1, True))
    found.populate(TX)
    source.objects[3][FLAGS] = 0
    source.objects[2][FLAGS] = 1
    found.touch([3, 2, 4])
    assert [event(notice)[:2] for notice in found.refresh(TX)] == [(3, 2), (4, 3)]
    assert shown(found) == [5, 2, 1]


def test_the_first_row_has_no_row_before_it() -> None:
    source = five()
    found = table(source)
    found.populate(TX)
    source.objects[6] = {}
    found.touch([6])
    (notice,) = found.refresh(TX)
    assert event(notice) == (3, 6, 0)
    assert notice.prior == (PT_NULL, 0)


def test_many_changes_are_one_notice() -> None:
    source = RowSet()
    found = table(source)
    found.populate(TX)
    source.objects.update({n: {} for n in range(1, 12)})
    found.touch(range(1, 12))
    assert [event(notice) for notice in found.refresh(TX)] == [(1, 0, 0)]
    assert shown(found) == list(range(11, 0, -1))
    source.objects.clear()
    found.touch(None)
    assert [event(notice) for notice in found.refresh(TX)] == [(1, 0, 0)]
    assert shown(found) == []


def test_the_position_stays_on_its_row() -> None:
    source = five()
    found = table(source)
    keys(found, 2)
    source.objects[6] = {}
    source.objects[7] = {}
    del source.objects[5]
    found.touch([5, 6, 7])
    assert keys(found, 1, advance=False) == [3]
    source.objects.update({n: {} for n in range(10, 30)})
    found.touch(range(10, 30))
    assert keys(found, 1, advance=False) == [3]


def test_changes_that_could_not_be_read_are_read_later() -> None:
    class Failing(RowSet):
        broken = False

        def rows(self, tx: object, columns: Any, ids: Any = None) -> Any:
            if self.broken:
                raise MapiError("busy", code=ErrorCode.BUSY)
            return super().rows(tx, columns, ids)

    source = Failing(five().objects)
    found = table(source)
    found.restrict(Bitmask(FLAGS, 1, True))
    found.populate(TX)
    source.objects[7] = {FLAGS: 1}
    found.touch([7])
    source.broken = True
    with pytest.raises(MapiError):
        found.count(TX)
    source.broken = False
    assert found.count(TX)[0] == 4


def test_a_table_nobody_has_read_needs_no_notices() -> None:
    found = table(five())
    found.touch([1])
    assert found.refresh(TX) == []


def test_following_gives_what_reading_anew_gives() -> None:
    rng = random.Random(3)
    source = RowSet({n: {SUBJECT: rng.choice("abcd"), SIZE: rng.randrange(5), FLAGS: 1} for n in range(1, 60)})
    live, last = table(source), 60
    order = [SortKey(SUBJECT), SortKey(SIZE, SortDirection.DESCENDING)]
    live.sort(order)
    live.restrict(Bitmask(FLAGS, 1, True))
    live.populate(TX)
    for _ in range(60):
        changed = rng.sample(sorted(source.objects), 4)
        del source.objects[changed[0]]
        source.objects[changed[1]][SUBJECT] = rng.choice("abcd")
        source.objects[changed[2]][FLAGS] ^= 1
        source.objects[last] = {SUBJECT: rng.choice("abcd"), FLAGS: rng.randrange(2)}
        live.touch([*changed, last])
        last += 1
        fresh = table(source)
        fresh.sort(order)
        fresh.restrict(Bitmask(FLAGS, 1, True))
        assert shown(live) == shown(fresh)


# -- categories


def grouped(*, expanded: int) -> tuple[RowSet, Table[None]]:
    source = RowSet(
        {
            1: {SUBJECT: "x", SIZE: 1, FLAGS: 1},
            2: {SUBJECT: "y", SIZE: 2, FLAGS: 0},
            3: {SUBJECT: "x", SIZE: 3, FLAGS: 0},
            4: {SIZE: 4, FLAGS: 1},
        }
    )
    found = table(source, KEY, SUBJECT, pt.PR_ROW_TYPE, pt.PR_DEPTH, pt.PR_CONTENT_COUNT, pt.PR_CONTENT_UNREAD)
    found.sort([SortKey(SUBJECT), SortKey(SIZE)], 1, expanded)
    return source, found


def values(rows: list[Any]) -> list[list[Any]]:
    """Subject, row type, depth, count and unread of rows; errors are None."""
    return [[None if tag & 0xFFFF == PT_ERROR else value for tag, value in row[1:]] for row in rows]


HEADERS = [[None, 4, 0, 1, 0], ["x", 4, 0, 2, 1], ["y", 4, 0, 1, 1]]


def test_closed_categories_show_only_headers() -> None:
    _, found = grouped(expanded=0)
    assert values(found.query(TX, 9)) == HEADERS


def test_a_category_opens_and_closes() -> None:
    _, found = grouped(expanded=0)
    header = found.query(TX, 2)[1][0][1]
    rows, more = found.expand(TX, header, 1)
    assert (values(rows), more) == ([["x", 1, 1, None, None]], 1)
    assert found.count(TX) == (5, 4)
    found.seek(TX, Bookmark.BEGINNING, 1)
    assert [row[2] for row in found.query(TX, 3)] == [
        (pt.PR_ROW_TYPE, 3),
        (pt.PR_ROW_TYPE, 1),
        (pt.PR_ROW_TYPE, 1),
    ]
    assert found.collapse(TX, header) == 2
    assert found.count(TX) == (3, 2)
    assert found.collapse(TX, header) == 0
    with pytest.raises(NotFound):
        found.expand(TX, instance_key(3), 1)


def test_open_categories_show_their_rows_in_order() -> None:
    source, found = grouped(expanded=1)
    found.sort([SortKey(SUBJECT, SortDirection.DESCENDING), SortKey(SIZE, SortDirection.DESCENDING)], 1, 1)
    assert [key for key in shown(found) if key < 1 << 32] == [2, 3, 1, 4]
    source.objects[5] = {SUBJECT: "y", SIZE: 1, FLAGS: 0}
    found.touch([5])
    assert [key for key in shown(found) if key < 1 << 32] == [2, 5, 3, 1, 4]


def test_categories_sort_by_an_extreme_of_another_property() -> None:
    _, found = grouped(expanded=0)
    keys_ = [SortKey(SUBJECT), SortKey(SIZE, SortDirection.CATEGORY_MAX)]
    found.sort(keys_, 1, 0)
    assert [row[0] for row in values(found.query(TX, 9))] == ["y", "x", None]


def test_two_levels() -> None:
    _, found = grouped(expanded=0)
    found.sort([SortKey(SUBJECT), SortKey(FLAGS)], 2, 2)
    found.set_columns([KEY, pt.PR_DEPTH])
    assert [row[1][1] for row in found.query(TX, 99)] == [0, 1, 2, 0, 1, 2, 1, 2, 0, 1, 2]


def test_the_state_of_categories_is_kept_across_tables() -> None:
    _, first = grouped(expanded=0)
    header = first.query(TX, 2)[1][0][1]
    first.expand(TX, header, 0)
    state = first.collapse_state(TX, header)
    _, second = grouped(expanded=0)
    mark = second.set_collapse_state(TX, state)
    assert second.count(TX)[0] == 5
    second.seek(TX, mark, 0)
    assert values(second.query(TX, 1))[0][0] == "x"
    for bad in (b"", b"[]", b'{"categories": [[]], "row": ""}', b"\xff"):
        with pytest.raises(InvalidParameter):
            second.set_collapse_state(TX, bad)


def test_a_plain_table_has_no_categories() -> None:
    found = table(five())
    with pytest.raises(InvalidParameter):
        found.expand(TX, instance_key(1), 1)
    with pytest.raises(InvalidParameter):
        found.sort([SortKey(SUBJECT)], 2, 0)
