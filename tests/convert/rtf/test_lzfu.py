"""Compressed RTF (cases BO31, BO32, BO33; MS-OXRTFCP 4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.convert.errors import ParseError
from gateway.convert.rtf.lzfu import beginning, compress, crc, decompress, stored

VECTORS = [
    (
        b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n",
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0",
    ),
    (b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}", "1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0"),
]


@pytest.mark.parametrize(("rtf", "blob"), VECTORS)
def test_BO33_vectors_both_ways(rtf: bytes, blob: str) -> None:
    assert decompress(bytes.fromhex(blob)) == rtf
    assert compress(rtf).hex() == blob


def test_BO32_stored_rtf() -> None:
    blob = stored(b"{\\rtf1 x}")
    assert blob[8:12] == b"MELA"
    assert decompress(blob) == b"{\\rtf1 x}"


def test_BO31_a_wrong_crc_and_bytes_after_the_end_are_forgiven() -> None:
    blob = bytearray.fromhex(VECTORS[0][1])
    blob[12] ^= 0xFF
    assert decompress(bytes(blob) + bytes(7)) == VECTORS[0][0]


def test_a_blob_cut_short_gives_what_it_has() -> None:
    blob = bytes.fromhex(VECTORS[0][1])
    for size in range(16, len(blob)):
        assert VECTORS[0][0].startswith(decompress(blob[:size]))


@given(st.binary(max_size=3000) | st.text("ab\\ {", max_size=6000).map(str.encode))
def test_round_trips(rtf: bytes) -> None:
    assert decompress(compress(rtf)) == rtf
    assert decompress(stored(rtf)) == rtf


def test_matches_across_the_whole_window() -> None:
    rtf = b"".join(b"line %d of the text\r\n" % number for number in range(2000)) + b"a" * 10_000
    blob = compress(rtf)
    assert decompress(blob) == rtf
    assert len(blob) < len(rtf) // 3
    assert beginning(blob, 100) == rtf[:100]
    assert beginning(stored(rtf), 100) == rtf[:100]


@pytest.mark.parametrize("blob", [b"", bytes(15), bytes(16), b"\x0c\0\0\0\0\0\0\0ABCD\0\0\0\0"])
def test_what_is_no_compressed_rtf(blob: bytes) -> None:
    with pytest.raises(ParseError):
        decompress(blob)


def test_a_large_announced_size_is_refused_before_any_work() -> None:
    blob = bytearray.fromhex(VECTORS[0][1])
    blob[4:8] = b"\xff\xff\xff\x7f"
    with pytest.raises(ParseError, match="more than the allowed"):
        decompress(bytes(blob))
    assert beginning(bytes(blob), 5) == b"{\\rtf"


def test_output_ends_at_the_announced_size() -> None:
    blob = bytearray(compress(b"a" * 1000))
    blob[4:8] = (10).to_bytes(4, "little")
    assert decompress(bytes(blob)) == b"a" * 10


def test_crc_of_the_specification() -> None:
    assert crc(bytes.fromhex(VECTORS[0][1])[16:]) == 0xA7C7C5F1
