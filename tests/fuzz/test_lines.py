"""Fuzz: content lines. Any octets give components that are written and read again as they are, or ParseError."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.convert.errors import ParseError
from gateway.convert.lines import MAX_DEPTH, fold, line_text, logical_lines, parse, parse_line, texts, write

PIECES = st.sampled_from(
    [b"BEGIN:A", b"END:A", b"BEGIN:B", b"END:B", b"X;P=1:v", b'X;P="a;b":v', b"G.X:v", b"X;;:", b"X;P=^n^^^':v", b":", b"X",
     b"\r\n", b"\n", b"\r", b"\n ", b"\r\n\t", b"\xef\xbb\xbf", b"\xc3", b"\xa4", b"\0", b'"', b"\\", b";", b",", b"="]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.binary(max_size=6), max_size=60).map(b"".join)


@settings(deadline=None)
@given(TEXTS)
def test_any_octets(data: bytes) -> None:
    try:
        found = parse(data)
    except ParseError:
        return
    for component in found:
        text = write(component)
        assert all(len(line) <= 75 for line in text.split(b"\r\n"))
        (again,) = parse(text) if component.name else [component]
        assert write(again) == text


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_line(line: str) -> None:
    folded = fold(line)
    assert folded.endswith(b"\r\n")
    try:
        found = parse_line(line)
    except ParseError:
        return
    texts(found.value)
    written = line_text(found.name, found.value, found.params, found.group)
    assert "\n" not in written
    assert line_text(*_parts(written)) == written


def _parts(line: str) -> tuple[str, str, object, str]:
    found = parse_line(line)
    return found.name, found.value, found.params, found.group


@pytest.mark.parametrize(
    "piece",
    [
        b"BEGIN:A\n",
        b"BEGIN:A\nEND:A\n",
        b"X;P=a",
        b'X;P="',
        b";",
        b"\n ",
        b"\\",
        b"^n",
        b"X:\xc3\n",
        b"=\n",
        b"\n",
        b"X;a,b,",
    ],
)
def test_time_grows_with_the_length_only(piece: bytes) -> None:
    began = time.process_time()
    for data in (
        piece * 100_000,
        b"BEGIN:A\n" + piece * 100_000,
        b"BEGIN:A\nX" + piece * 100_000 + b":v\nEND:A",
    ):
        try:
            assert all(_depth(each) <= MAX_DEPTH for each in parse(data))
        except ParseError:
            continue
        assert sum(1 for _ in logical_lines(data)) >= 0
    assert time.process_time() - began < 10


def _depth(component: object) -> int:
    return 1 + max(map(_depth, getattr(component, "children", ())), default=0)
