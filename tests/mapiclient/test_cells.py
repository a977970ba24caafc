"""Cells of listings are written as any other property is, only faster."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.mapi import props as p
from gateway.mapiclient.wire.values import PROPS, write_prop

VALUES: list[tuple[int, list[Any]]] = [
    (p.PT_LONG, [0, 1, 0xFFFF_FFFF, -1, True]),
    (p.PT_ERROR, [0x8004_010F, 0]),
    (p.PT_BOOLEAN, [True, False]),
    (p.PT_SYSTIME, [0, 1, 133_000_000_000_000_000, (1 << 63) - 1, -1, -(1 << 63)]),
    (p.PT_LONGLONG, [0, -5, 1 << 40]),
    (p.PT_UNICODE, ["", "text", "<a & b>", "Grüße\r\n"]),
    (p.PT_STRING8, ["", "text"]),
    (p.PT_BINARY, [b"", b"\x00\xff" * 40]),
    (p.PT_MV_UNICODE, [(), ("a", "b")]),
]


@pytest.mark.parametrize(
    "prop", [(0x3001_0000 | kind, value) for kind, values in VALUES for value in values], ids=repr
)
def test_a_cell_is_a_property(prop: tuple[int, Any]) -> None:
    cell: list[Any] = []
    PROPS.writer("row")([prop], cell.append)
    plain: list[Any] = []
    write_prop(prop, plain.append)
    assert "".join(cell) == f'<row SOAP-ENC:arrayType="propVal[1]"><item>{"".join(plain)}</item></row>'
