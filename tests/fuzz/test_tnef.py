"""Fuzz: TNEF. Any octets give message content that can be written as mail, or ParseError."""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.convert.errors import ParseError
from gateway.convert.mime.tomime import to_mime
from gateway.convert.tnef import attributes as att
from gateway.convert.tnef import from_tnef
from gateway.mapi.content import MessageContent
from tests.support.tnef import attribute, stream

IDS = [value for name, value in vars(att).items() if name.isupper() and isinstance(value, int) and value > 2]
WORDS = st.integers(0, 3) | st.sampled_from(
    [0x3701000D, 0x0037001F, 0x80010102, 0x10130102, 0x30030003, 0xFFFFFFFF]
)
LISTS = st.lists(WORDS.map(lambda word: struct.pack("<I", word)) | st.binary(max_size=24), max_size=12).map(
    b"".join
)
DATA = st.binary(max_size=40) | LISTS


def _streams(data: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    one = st.builds(attribute, st.sampled_from(IDS), data, st.sampled_from([1, 1, 2, 2, 3]))
    return st.lists(one, max_size=6).map(lambda attributes: stream(*attributes))


def _embedded(inner: bytes) -> bytes:
    head = struct.pack("<III", 1, 0x3701000D, 1) + struct.pack("<I", 16 + len(inner))
    return head + bytes.fromhex("0703020000000000c000000000000046") + inner + bytes(-len(inner) % 4)


STREAMS = _streams(DATA | _streams(DATA).map(_embedded))


@settings(deadline=None)
@given(st.binary(max_size=60) | STREAMS | st.builds(lambda data, cut: data[:cut], STREAMS, st.integers(0, 200)))
def test_any_octets_are_read_or_fail_cleanly(data: bytes) -> None:
    try:
        content = from_tnef(data, properties=200)
    except ParseError:
        return
    assert _properties(content) <= 200
    mime = to_mime(content)
    assert mime.size == len(mime.bytes())


def _properties(content: MessageContent) -> int:
    """Properties of the message and of the messages inside it, but for those made from legacy attributes."""
    inner: list[Any] = [each.embedded for each in content.attachments if each.embedded is not None]
    return sum(map(len, content.recipients)) + sum(map(_properties, inner))
