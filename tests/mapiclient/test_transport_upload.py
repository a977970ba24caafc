"""Requests whose body comes in pieces, and large ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.error import ConnectionLost

from gateway.mapiclient.exchange import Exchange
from gateway.mapiclient.wire.errors import WireError
from tests.mapiclient.toy import Say, Upload, encode
from tests.mapiclient.wired import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def pieces(*data: bytes) -> Iterator[bytes]:
    yield from data


def upload(bench: Bench, body: Iterator[bytes], length: int | None = None, **changes: Any) -> Exchange:
    bench.connection.start(exchange := encode(Upload(body, length), 0, **changes))
    return exchange


def test_a_body_in_pieces_is_sent_as_the_transport_asks_for_it(bench: Bench) -> None:
    upload(bench, pieces(b"abc", b"", b"de"))
    assert bench.transport.value().endswith(b"Transfer-Encoding: chunked\r\n\r\n")
    bench.transport.clear()
    for _ in range(3):
        bench.transport.producer.resumeProducing()
    assert bench.transport.value() == b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert bench.transport.producer is None
    bench.answer(b"thanks")
    assert bench.told == [("thanks", True)]


def test_a_body_in_pieces_of_known_length(bench: Bench) -> None:
    upload(bench, pieces(b"abc", b"de"), 5)
    for _ in range(3):
        bench.transport.producer.resumeProducing()
    assert bench.transport.value().endswith(b"Content-Length: 5\r\n\r\nabcde")


@pytest.mark.parametrize(("length", "words"), [(4, "longer"), (6, "too early")])
def test_a_body_of_another_length_than_said_is_the_callers_error(bench: Bench, length: int, words: str) -> None:
    upload(bench, pieces(b"abc", b"de"), length)
    for _ in range(3):
        if bench.transport.producer is not None and not bench.told:
            bench.transport.producer.resumeProducing()
    assert isinstance(bench.error, ValueError)
    assert words in str(bench.error)


def test_a_body_that_fails_is_the_callers_error(bench: Bench) -> None:
    def body() -> Iterator[bytes]:
        yield b"abc"
        raise OSError("disk")

    upload(bench, body())
    bench.transport.producer.resumeProducing()
    bench.transport.producer.resumeProducing()
    assert isinstance(bench.error, OSError)


def test_an_unfinished_request_was_not_carried_out(bench: Bench) -> None:
    upload(bench, pieces(b"abc", b"de"))
    bench.transport.producer.resumeProducing()
    bench.end(ConnectionLost)
    assert not bench.told[0].unknown


def test_a_server_that_takes_nothing(bench: Bench) -> None:
    upload(bench, pieces(b"abc", b"de"), idle_seconds=5.0)
    bench.clock.advance(4)
    bench.transport.producer.resumeProducing()
    bench.clock.advance(5)
    assert "took nothing of the request for 5 seconds" in str(bench.error)
    assert not bench.error.unknown


def test_an_early_reply_ends_the_request_and_the_connection(bench: Bench) -> None:
    upload(bench, pieces(b"abc", b"de"))
    bench.transport.producer.resumeProducing()
    bench.answer(b"enough")
    assert bench.told == [("enough", False)]


def test_large_bodies_are_sent_whole(bench: Bench) -> None:
    bench.ask("x" * 200_000)
    assert bench.transport.value().endswith(b"Content-Length: 200002\r\n\r\n7:" + b"x" * 200_000)
    assert bench.connection.bytes_out == len(bench.transport.value())


def test_a_wire_error_while_encoding_is_no_business_of_the_connection() -> None:
    with pytest.raises(WireError):
        encode(Say("unwritable"), 0)
