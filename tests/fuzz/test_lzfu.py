"""Fuzz: compressed RTF. Any octets give RTF of at most eight times their length, or ParseError."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.convert.errors import ParseError
from gateway.convert.rtf.lzfu import beginning, compress, decompress

BODIES = st.binary(max_size=2000) | st.binary(max_size=300).map(compress).map(lambda blob: blob[16:])
SIZES = st.integers(0, 2**32 - 1) | st.integers(0, 4000)


def _blob(body: bytes, size: int, stored: bool) -> bytes:
    return struct.pack("<II4sI", 0, size, b"MELA" if stored else b"LZFu", 0) + body


@settings(deadline=None)
@given(st.binary(max_size=100) | st.builds(_blob, BODIES, SIZES, st.booleans()))
def test_any_octets_decompress_or_fail_cleanly(blob: bytes) -> None:
    try:
        rtf = decompress(blob, limit=1 << 20)
    except ParseError:
        return
    # A run of eight two-octet references of 17 octets each, behind one control octet.
    assert len(rtf) <= 8 * len(blob) + 17
    assert beginning(blob, 100) == rtf[:100]
