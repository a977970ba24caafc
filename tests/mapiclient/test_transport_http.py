"""HTTP replies: whole, byte by byte, and broken in every way."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mapiclient.http import PIECE, HttpError, ReplyReader, chunk, inflate, request_head, request_tail

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n"
)
TO_THE_END = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\nhello"


def read(data: bytes, step: int) -> ReplyReader:
    reader = ReplyReader()
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])
    return reader


@pytest.mark.parametrize("step", [1, 2, 7, 10_000])
@pytest.mark.parametrize("reply", [LENGTH, CHUNKED, b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH])
def test_framed_replies(reply: bytes, step: int) -> None:
    reader = read(reply, step)
    assert (reader.complete, reader.status, b"".join(reader.pieces)) == (True, 200, b"hello")
    assert (reader.keep_alive, reader.trailing, reader.framed) == (True, False, True)


@pytest.mark.parametrize("step", [1, 10_000])
def test_a_reply_without_a_length_ends_with_the_connection(step: int) -> None:
    reader = read(TO_THE_END, step)
    assert not reader.complete
    assert reader.end()
    assert b"".join(reader.pieces) == b"hello"
    assert not reader.framed


@pytest.mark.parametrize("reply", [LENGTH, CHUNKED])
def test_half_a_reply_is_not_complete(reply: bytes) -> None:
    for cut in range(len(reply)):
        reader = read(reply[:cut], 10_000)
        assert not reader.end() or cut == len(reply), cut


@pytest.mark.parametrize("step", [1, 10_000])
@pytest.mark.parametrize("extra", [b"x", b"\0", LENGTH, b"HTTP/1.1 200 OK\r\n\r\n"])
def test_trailing_data_is_noticed_and_does_no_harm(extra: bytes, step: int) -> None:
    reader = read(LENGTH + extra, step)
    assert (reader.complete, reader.trailing) == (True, True)
    assert b"".join(reader.pieces) == b"hello"


def test_one_reader_reads_many_replies() -> None:
    reader = ReplyReader()
    for _ in range(3):
        reader.reset()
        assert not reader.started
        reader.feed(LENGTH)
        assert b"".join(reader.pieces) == b"hello"
        reader.reset()
        reader.feed(CHUNKED)
        assert (reader.complete, reader.content_type) == (True, "")


@pytest.mark.parametrize(
    "reply",
    [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x15\x03\x01\x00\x02\x02F", b"HTTP/1.1 abc\r\n\r\n", b"* OK IMAP4rev1 ready\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
     b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"],
)  # fmt: skip
def test_what_is_not_http_is_an_error(reply: bytes) -> None:
    with pytest.raises(HttpError):
        read(reply, 10_000)


def test_connection_close_means_the_end_of_keep_alive() -> None:
    assert not read(LENGTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), 10_000).keep_alive
    assert not read(LENGTH.replace(b"HTTP/1.1", b"HTTP/1.0"), 10_000).keep_alive


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nA: ",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: "],
)  # fmt: skip
def test_endless_header_fields_are_an_error(start: bytes) -> None:
    with pytest.raises(HttpError, match="header"):
        read(start + b"x" * 100_000, 1000)


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_bytes_give_a_reply_or_an_http_error(data: bytes, step: int) -> None:
    for prefix in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"):
        try:
            read(prefix + data, step)
        except HttpError:
            continue


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", gzip.compress(b"hello" * 1000, mtime=0)),
        ("deflate", zlib.compress(b"hello" * 1000)),
        ("deflate", zlib.compress(b"hello" * 1000, wbits=-15)),
    ],
)
@pytest.mark.parametrize("step", [1, 100_000])
def test_inflating(encoding: str, data: bytes, step: int) -> None:
    decoder = inflate(encoding)
    assert decoder is not None
    pieces = [
        piece for start in range(0, len(data), step) for piece in decoder.feed(data[start : start + step])
    ]
    decoder.close()
    assert b"".join(pieces) == b"hello" * 1000


def test_a_bomb_goes_off_in_small_pieces() -> None:
    decoder = inflate("gzip")
    assert decoder is not None
    sizes = [len(piece) for piece in decoder.feed(gzip.compress(bytes(20_000_000), mtime=0))]
    assert sum(sizes) == 20_000_000
    assert max(sizes) <= PIECE


def test_damaged_compression_is_an_error() -> None:
    packed = gzip.compress(b"hello", mtime=0)
    for data in (packed[:10] + b"\xff\xff" + packed[12:], packed + b"more", b"no gzip at all"):
        decoder = inflate("gzip")
        assert decoder is not None
        with pytest.raises(HttpError):
            list(decoder.feed(data))
    decoder = inflate("gzip")
    assert decoder is not None
    list(decoder.feed(packed[:-9]))
    with pytest.raises(HttpError, match="too early"):
        decoder.close()
    with pytest.raises(HttpError, match="br"):
        inflate("br")


def test_requests() -> None:
    head = request_head("h:236", "/", compression=False)
    assert head + request_tail(b"text/xml", 3) == (
        b"POST / HTTP/1.1\r\nHost: h:236\r\nUser-Agent: mapi-gateway\r\n"
        b"Content-Type: text/xml\r\nContent-Length: 3\r\n\r\n"
    )
    assert b"Accept-Encoding: gzip, deflate\r\n" in request_head("", "/s", compression=True)
    assert request_tail(b"x", None).endswith(b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert chunk(b"0123456789abcdef") == b"10\r\n0123456789abcdef\r\n"
    assert chunk(b"") == b""
