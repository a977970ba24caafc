"""Row sets are read the same, whatever the rows have in common."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mapi.props import Prop
from gateway.mapiclient.wire.calls_table import RowsReply, TableQueryRows
from gateway.mapiclient.wire.envelope import ReplyDecoder, decode_reply, encode_reply
from gateway.mapiclient.wire.errors import WireError
from gateway.mapiclient.wire.rowpattern import LESSONS

UID, SUBJECT, ENTRYID, DATE, READ, WORDS = (
    0x67820003,
    0x0037001F,
    0x0FFF0102,
    0x0E060040,
    0x0E69000B,
    0x8501101F,
)
NOT_FOUND = 0x8004010F
CELLS: dict[int, st.SearchStrategy[object]] = {
    UID: st.integers(0, 0xFFFF_FFFF),
    SUBJECT: st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=9),
    ENTRYID: st.binary(max_size=9),
    DATE: st.integers(-(1 << 63), (1 << 63) - 1),
    READ: st.booleans(),
    WORDS: st.lists(st.sampled_from(["a", "<b>"]), max_size=2).map(tuple),
}


def cell(tag: int) -> st.SearchStrategy[Prop]:
    value = CELLS[tag].map(lambda value: (tag, value))
    missing = st.sampled_from([NOT_FOUND, NOT_FOUND, NOT_FOUND, 0x80000002])
    return value | missing.map(lambda code: (tag & ~0xFFFF | 0xA, code))


ROW = st.tuples(*map(cell, CELLS)).map(list)


@settings(max_examples=40)
@given(st.lists(ROW, min_size=1, max_size=6), st.integers(1, 90), st.integers(10, 3000))
def test_rows_come_as_they_were_sent(rows: list[list[Prop]], times: int, piece: int) -> None:
    sent = rows * times
    body = encode_reply(TableQueryRows, RowsReply(row_set=sent))
    decoder = ReplyDecoder(TableQueryRows)
    for start in range(0, len(body), piece):
        decoder.feed(body[start : start + piece])
    assert decoder.close().row_set == sent


def test_a_row_of_another_shape_among_many_is_read() -> None:
    usual: list[Prop] = [(UID, 1), (SUBJECT, "a & b")]
    other: list[Prop] = [(UID, 2), (SUBJECT & ~0xFFFF | 0xA, NOT_FOUND)]
    wide: list[Prop] = [*usual, (READ, True)]
    sent = [*[usual] * LESSONS * 2, other, *[usual] * 3, wide, *[wide] * LESSONS * 2, other, usual]
    reply = decode_reply(TableQueryRows, encode_reply(TableQueryRows, RowsReply(row_set=sent)))
    assert reply.row_set == sent


@pytest.mark.parametrize("bad", [b"<ul>-1</ul>", b"<ul>x</ul>", b"<ul>99999999999</ul>"])
def test_a_bad_value_among_many_rows_is_an_error(bad: bytes) -> None:
    body = encode_reply(TableQueryRows, RowsReply(row_set=[[(UID, n)] for n in range(LESSONS * 3)]))
    last = b"<ul>%d</ul>" % (LESSONS * 3 - 1)
    assert last in body
    with pytest.raises(WireError):
        decode_reply(TableQueryRows, body.replace(last, bad))


def test_a_value_of_another_type_than_its_column_is_none() -> None:
    body = encode_reply(TableQueryRows, RowsReply(row_set=[[(UID, n)] for n in range(LESSONS * 3)]))
    last = b"<ul>%d</ul>" % (LESSONS * 3 - 1)
    reply = decode_reply(TableQueryRows, body.replace(last, b"<b>true</b>"))
    assert reply.row_set[-1] == [(UID, None)]


def test_rows_without_columns_are_rows() -> None:
    sent: list[list[Prop]] = [[] for _ in range(LESSONS * 3)]
    assert decode_reply(TableQueryRows, encode_reply(TableQueryRows, RowsReply(row_set=sent))).row_set == sent


@pytest.mark.parametrize("piece", [1, 7, 100])
def test_rows_with_blanks_between_their_elements_are_read_at_the_latest_at_the_end(piece: int) -> None:
    sent: list[list[Prop]] = [[(UID, n), (SUBJECT, "x" * n)] for n in range(LESSONS * 2)]
    body = encode_reply(TableQueryRows, RowsReply(row_set=sent)).replace(b"</item></item>", b"</item> </item>")
    decoder = ReplyDecoder(TableQueryRows)
    for start in range(0, len(body), piece):
        decoder.feed(body[start : start + piece])
    assert decoder.close().row_set == sent
