"""Generated mail as a stream: exact sizes, bounded memory, data that changed (case IM24)."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.convert.mime.tomime import ContentChanged, to_mime
from gateway.convert.mime.tomime_stream import Base64, base64_lines, base64_size
from gateway.mapi.content import Blob
from tests.support.messages import attachment, embedded, note, written

MEGABYTE = 1 << 20


def _blob(*chunks: bytes) -> Blob:
    return Blob(sum(map(len, chunks)), lambda: iter(chunks))


@given(st.binary(max_size=500))
def test_base64_size(data: bytes) -> None:
    assert base64_size(len(data)) == len(base64_lines(data))


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(0, 3))
def test_a_blob_gives_the_same_octets_as_bytes(chunks: list[bytes], large: int) -> None:
    chunks = [*chunks, b"x" * (70_000 * large)]
    data = b"".join(chunks)
    assert b"".join(Base64(_blob(*chunks)).chunks()) == base64_lines(data)
    whole = written(note(attachments=[attachment(data, LONG_FILENAME="a")]))
    assert whole == written(note(attachments=[attachment(_blob(*chunks), LONG_FILENAME="a")]))


def test_IM24_a_large_attachment_streams() -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(50):
            yield bytes(MEGABYTE)

    inner = note(attachments=[attachment(Blob(50 * MEGABYTE, chunks), LONG_FILENAME="big")])
    mime = to_mime(note(attachments=[embedded(inner)]))
    tracemalloc.start()
    size = sum(map(len, mime.chunks()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == mime.size > 50 * MEGABYTE * 4 // 3
    assert peak < 6 * MEGABYTE


def test_size_reads_no_blob() -> None:
    def chunks() -> Iterator[bytes]:
        raise AssertionError("read")

    assert to_mime(note(attachments=[attachment(Blob(300 * MEGABYTE, chunks))])).size > 400 * MEGABYTE


@pytest.mark.parametrize("difference", [-1, 1])
def test_data_of_another_length_is_an_error_never_other_octets(difference: int) -> None:
    blob = Blob(1000 + difference, lambda: iter([bytes(1000)]))
    mime = to_mime(note(attachments=[attachment(blob)]))
    with pytest.raises(ContentChanged):
        mime.bytes()


def test_header_is_the_beginning_up_to_the_blank_line() -> None:
    mime = to_mime(note(BODY="x"))
    assert mime.bytes().startswith(mime.header)
    assert mime.header.endswith(b"\r\n\r\n")
    assert b"\r\n\r\n" not in mime.header[:-2]
