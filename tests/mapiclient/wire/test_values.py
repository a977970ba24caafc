"""Property values: one element per type, absent and empty apart, wrong ones visible."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mapi import props as p
from gateway.mapi.restrictions import And, Exist, Not, Property
from gateway.mapiclient.wire.calls_object import LoadProp, LoadPropReply
from gateway.mapiclient.wire.calls_table import RowsReply, TableQueryRows, TableRestrict
from gateway.mapiclient.wire.envelope import (
    WireError,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
)
from tests.mapiclient.wire.strategies import actions, examples, props_or_null, restrictions

ITEMS = "<item>1</item><item>2</item>"
# The elements of section 1.5 of the protocol's description, as a real server wrote them.
SAMPLES: list[tuple[int, Any, str]] = [
    (p.PT_SHORT, -5, "<i>-5</i>"),
    (p.PT_LONG, 0xFFFFFFFF, "<ul>4294967295</ul>"),
    (p.PT_DOUBLE, 1 / 3, "<dbl>0.33333333333333331</dbl>"),
    (p.PT_DOUBLE, 1e300, "<dbl>1.0000000000000001E+300</dbl>"),
    (p.PT_DOUBLE, float("-inf"), "<dbl>-INF</dbl>"),
    (p.PT_CURRENCY, -(1 << 32) + 5, "<hilo><hi>-1</hi><lo>5</lo></hilo>"),
    (p.PT_ERROR, 0x80000002, "<ul>2147483650</ul>"),
    (p.PT_BOOLEAN, True, "<b>true</b>"),
    (p.PT_LONGLONG, -(1 << 63), "<li>-9223372036854775808</li>"),
    (p.PT_UNICODE, "a<b & c\r\n\x01", "<lpszA>a&lt;b &amp; c&#xD;\n&#x1;</lpszA>"),
    (p.PT_UNICODE, "", "<lpszA/>"),
    (p.PT_SYSTIME, (31000000 << 32) + 5, "<hilo><hi>31000000</hi><lo>5</lo></hilo>"),
    (p.PT_BINARY, b"\0", "<bin>AA==</bin>"),
    (p.PT_BINARY, b"", "<bin></bin>"),
    (p.PT_MV_LONG, (1, 2), f'<mvl SOAP-ENC:arrayType="xsd:unsignedInt[2]">{ITEMS}</mvl>'),
    (p.PT_MV_UNICODE, ("1", "2"), f'<mvszA SOAP-ENC:arrayType="xsd:string[2]">{ITEMS}</mvszA>'),
    (p.PT_MV_BINARY, (), "<mvbin></mvbin>"),
    (p.PT_NULL, 0, "<ul>0</ul>"),
]


@pytest.mark.parametrize(("kind", "value", "xml"), SAMPLES)
def test_a_value_has_the_element_of_its_type(kind: int, value: Any, xml: str) -> None:
    tag = 0x3001 << 16 | kind
    body = encode_reply(LoadProp, LoadPropReply(0, (tag, value)))
    assert f"<ulPropTag>{tag}</ulPropTag>{xml}</lpPropVal>".encode() in body
    assert decode_reply(LoadProp, body).prop_val == (tag, value)


def test_a_float_is_written_with_nine_digits() -> None:
    body = encode_reply(LoadProp, LoadPropReply(0, (0x30010004, 1 / 3)))
    assert b"<flt>0.333333333</flt>" in body


def test_negative_longs_become_unsigned() -> None:
    body = encode_reply(LoadProp, LoadPropReply(0, (0x30010003, -1)))
    assert decode_reply(LoadProp, body).prop_val == (0x30010003, 0xFFFFFFFF)


@examples(100)
@given(st.lists(st.lists(props_or_null, max_size=5), max_size=4))
def test_rows_survive(rows: list[list[p.Prop]]) -> None:
    body = encode_reply(TableQueryRows, RowsReply(0, rows))
    assert decode_reply(TableQueryRows, body).row_set == rows


@examples(100)
@given(restrictions)
def test_restrictions_survive(restriction: Any) -> None:
    call = TableRestrict(1, restriction)
    assert decode_request(encode_request(call, 7)) == (call, 7)


@examples(100)
@given(actions, restrictions)
def test_rules_survive(what: Any, when: Any) -> None:
    rows = [[(0x667900FD, when), (0x668000FE, what)]]
    body = encode_reply(TableQueryRows, RowsReply(0, rows))
    assert decode_reply(TableQueryRows, body).row_set == rows


def test_a_property_without_a_value_is_null() -> None:
    body = encode_reply(TableQueryRows, RowsReply(0, [[(0x0037001F, None), (0x0037001F, "")]]))
    assert b"<item><ulPropTag>3604511</ulPropTag></item>" in body
    assert decode_reply(TableQueryRows, body).row_set == [[(0x0037001F, None), (0x0037001F, "")]]


@pytest.mark.parametrize("wrong", ["<ul>1</ul>", "<bin>AA==</bin>", "<hilo><hi>1</hi><lo>2</lo></hilo>"])
def test_a_value_that_does_not_fit_its_tag_is_none(wrong: str) -> None:
    body = encode_reply(TableQueryRows, RowsReply(0, [[(0x0037001F, "x")]]))
    body = body.replace(b"<lpszA>x</lpszA>", wrong.encode())
    assert decode_reply(TableQueryRows, body).row_set == [[(0x0037001F, None)]]


@pytest.mark.parametrize(
    "prop",
    [
        (0x0037000D, b""),
        (0x00370003, "text"),
        (0x00370003, 1 << 40),
        (0x00370040, 1 << 70),
        (0x0037001F, 5),
        (0x00370102, "text"),
        (0x00371003, 5),
        (0x003700FD, "no restriction"),
    ],
)
def test_a_value_that_cannot_travel_is_an_error(prop: p.Prop) -> None:
    with pytest.raises(WireError, match="0x0037"):
        encode_reply(LoadProp, LoadPropReply(0, prop))


def test_restrictions_that_lack_their_part_are_errors() -> None:
    good = encode_request(TableRestrict(1, Not(Exist(5))), 1)
    for bad in (b"<ulType>99</ulType>", b"<ulType>3</ulType>"):
        with pytest.raises(WireError):
            decode_request(good.replace(b"<ulType>2</ulType>", bad))


def test_a_comparison_without_a_value_is_visible() -> None:
    body = encode_request(TableRestrict(1, Property(4, 5, (5 << 16 | 3, 1))), 1)
    start, end = body.index(b"<ulPropTag>5</ulPropTag>") + 24, body.index(b"</lpProp></lpRestrict>")
    call, _ = decode_request(body[:start] + body[end:])
    assert call == TableRestrict(1, Property(4, 5, None))  # type: ignore[arg-type]


def test_a_restriction_nested_without_end_is_an_error_both_ways() -> None:
    deep: Any = Exist(1)
    for _ in range(2000):
        deep = And((deep,))
    with pytest.raises(WireError, match="deep"):
        encode_request(TableRestrict(1, deep), 1)
    inner = "<item><ulType>0</ulType><lpAnd>" * 500
    body = encode_request(TableRestrict(1, And(())), 1).replace(b"<lpAnd></lpAnd>", f"<lpAnd>{inner}".encode())
    with pytest.raises(WireError, match="deeper"):
        decode_request(body)
