"""The rules of an Inbox as a document."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from lxml import etree

from gateway.mapi.restrictions import contains
from gateway.mapi.rules import ActionType, MoveCopy
from gateway.mapiclient.wire.documents import decode_rows, encode_rows
from gateway.mapiclient.wire.errors import WireError
from tests.mapiclient.wire.strategies import actions, examples, restrictions


@examples(100)
@given(restrictions, actions)
def test_rules_survive(condition: Any, action: Any) -> None:
    rows = [[(0x66740014, 7), (0x667900FD, condition), (0x668000FE, action), (0x6682001F, "a rule")], []]
    assert decode_rows(encode_rows(rows)) == rows


def test_a_document_is_xml_that_others_read() -> None:
    rule = [(0x667900FD, contains(0x0037001F, "x")), (0x668000FE, (MoveCopy(ActionType.MOVE, b"s", b"f"),))]
    root = etree.fromstring(encode_rows([rule]))
    assert root.tag == "tableData"
    assert [each.tag for each in root[0][0]] == ["ulPropTag", "res"]
    assert root[0][1][1][0].find("moveCopy/folder").text == "Zg=="


def test_a_document_may_end_with_a_nul_and_be_empty() -> None:
    assert decode_rows(encode_rows([]) + b"\0") == []


@pytest.mark.parametrize("bad", [b"", b"text", b"<a/><b/>", b"<a>", b"<!DOCTYPE a><a/>"])
def test_what_is_no_document_is_an_error(bad: bytes) -> None:
    with pytest.raises(WireError):
        decode_rows(bad)
