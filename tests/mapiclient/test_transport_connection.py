"""One connection against a transport in memory and a clock: every way an exchange can end."""

from __future__ import annotations

import gzip

import pytest
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock

from gateway.mapiclient.errors import (
    BadReply,
    CallTimeout,
    ConnectionClosed,
    ServerFault,
    StaleConnection,
    TransportError,
)
from tests.mapiclient.toy import Said, TextSink
from tests.mapiclient.wired import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_exchange(bench: Bench) -> None:
    bench.ask("hi")
    assert bench.transport.value() == (
        b"POST / HTTP/1.1\r\nHost: store:236\r\nUser-Agent: mapi-gateway\r\n"
        b"Content-Type: text/xml; charset=utf-8\r\nContent-Length: 4\r\n\r\n7:hi"
    )
    bench.answer(b"hello")
    assert bench.told == [("hello", True)]
    bench.ask("again")
    bench.answer(b"there")
    assert bench.told[1:] == [("there", True)]
    assert bench.connection.exchanges == 2
    bench.connection.close()
    assert bench.clock.getDelayedCalls() == []


def test_a_reply_byte_by_byte(bench: Bench) -> None:
    bench.ask()
    for byte in b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n":
        bench.connection.dataReceived(bytes([byte]))
    assert bench.told == [("hello", True)]


def test_a_compressed_reply(bench: Bench) -> None:
    bench.ask()
    bench.answer(gzip.compress(b"hello"), b"Content-Encoding: gzip\r\n")
    assert bench.told == [("hello", True)]


def test_a_reply_that_ends_with_the_connection(bench: Bench) -> None:
    bench.ask()
    bench.connection.dataReceived(b"HTTP/1.1 200 OK\r\n\r\nhello")
    assert bench.told == []
    bench.end()
    assert bench.told == [("hello", False)]
    assert bench.clock.getDelayedCalls() == []


def test_a_reset_does_not_complete_such_a_reply(bench: Bench) -> None:
    bench.ask()
    bench.connection.dataReceived(b"HTTP/1.1 200 OK\r\n\r\nhel")
    bench.end(ConnectionLost)
    assert type(bench.told[0]) is ConnectionClosed


@pytest.mark.parametrize("head", [b"Connection: close\r\n", b""])
def test_a_connection_that_is_to_close_or_says_too_much_is_not_used_again(bench: Bench, head: bytes) -> None:
    bench.ask()
    extra = b"" if head else b"extra"
    bench.connection.dataReceived(b"HTTP/1.1 200 OK\r\n%bContent-Length: 5\r\n\r\nhello%b" % (head, extra))
    assert bench.told == [("hello", False)]
    assert bench.transport.disconnecting


@pytest.mark.parametrize(
    ("received", "kind", "words"),
    [
        (b"", ConnectionClosed, "before the reply"),
        (b"HTTP/1.1 200", ConnectionClosed, "in the middle"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", ConnectionClosed, "in the middle"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            ConnectionClosed,
            "in the middle",
        ),
    ],
)
def test_half_a_reply(bench: Bench, received: bytes, kind: type[TransportError], words: str) -> None:
    bench.ask()
    if received:
        bench.connection.dataReceived(received)
    bench.end()
    (error,) = bench.told
    assert type(error) is kind
    assert words in str(error)
    assert "http://store:236" in str(error)
    assert "say" in str(error)
    assert error.unknown


def test_a_kept_alive_connection_that_ends_without_a_byte_is_stale(bench: Bench) -> None:
    bench.ask()
    bench.answer(b"hello")
    bench.ask()
    bench.end(ConnectionLost)
    assert type(bench.told[1]) is StaleConnection
    assert bench.told[1].unknown


@pytest.mark.parametrize(
    ("received", "words"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "not HTTP"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "status 404"),
        (b"HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<p>", "status 500"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "status 204"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nhello", "br"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", "damaged"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong", "this is wrong"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshort", "too short"),
    ],
)
def test_what_is_no_reply(bench: Bench, received: bytes, words: str) -> None:
    bench.ask()
    bench.connection.dataReceived(received)
    assert type(bench.error) is BadReply
    assert words in str(bench.error)


def test_a_reply_that_is_too_large(bench: Bench) -> None:
    bench.ask(reply_bytes=1000)
    bench.answer(gzip.compress(bytes(100_000)), b"Content-Encoding: gzip\r\n")
    assert type(bench.error) is BadReply
    assert "larger than 1000 bytes" in str(bench.error)


def test_a_fault_is_not_a_transport_error(bench: Bench) -> None:
    bench.ask()
    bench.answer(b"fault", b"Content-Type: text/xml\r\n", b"500 Internal Server Error")
    assert type(bench.error) is ServerFault
    assert "no such method" in str(bench.error)


def test_a_defect_of_the_decoder_is_reported_as_it_is(bench: Bench) -> None:
    class Broken(TextSink):
        def close(self) -> Said:
            raise ZeroDivisionError

    bench.ask(sink=Broken)
    bench.answer(b"hello")
    assert type(bench.error) is ZeroDivisionError


def test_no_reply_in_time(bench: Bench) -> None:
    bench.ask(seconds=20.0, idle_seconds=5.0)
    bench.clock.advance(19.9)
    assert bench.told == []
    bench.clock.advance(0.1)
    assert type(bench.error) is CallTimeout
    assert "20 seconds" in str(bench.error)
    assert bench.error.unknown


def test_a_reply_that_stops(bench: Bench) -> None:
    bench.ask(seconds=20.0, idle_seconds=5.0)
    bench.clock.advance(10)
    bench.connection.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    bench.clock.advance(4.9)
    bench.connection.dataReceived(b"h")
    bench.clock.advance(4.9)
    assert bench.told == []
    bench.clock.advance(0.1)
    assert "stopped for 5 seconds" in str(bench.error)


def test_a_reply_that_trickles_is_cut_off_in_the_end(bench: Bench) -> None:
    bench.ask(seconds=20.0, idle_seconds=5.0)
    bench.connection.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
    for _ in range(19):
        bench.clock.advance(1)
        bench.connection.dataReceived(b"x")
    assert bench.told == []
    bench.clock.advance(1)
    assert "20 seconds" in str(bench.error)


def test_a_server_that_speaks_first_is_not_used(bench: Bench) -> None:
    bench.connection.dataReceived(b"220 smtp ready\r\n")
    assert bench.told == ["lost"]
    assert bench.transport.disconnecting


def test_the_end_of_a_free_connection(bench: Bench) -> None:
    bench.end()
    assert bench.told == ["lost"]
    assert not bench.connection.reusable


def test_closing_tells_nobody(bench: Bench) -> None:
    bench.ask()
    bench.connection.close()
    bench.connection.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    bench.end()
    assert bench.told == []
    assert bench.clock.getDelayedCalls() == []


class Slow(TextSink):
    """A sink that takes 2 ms for each piece."""

    clock: Clock

    def feed(self, data: bytes) -> None:
        self.clock.rightNow += 0.002
        super().feed(data)


def large(bench: Bench) -> bytes:
    """Ask with a slow sink, and let a compressed reply of 1 MB come in one piece."""

    def sink(content_type: str) -> Slow:
        slow = Slow(content_type)
        slow.clock = bench.clock
        return slow

    bench.ask(sink=sink, reply_bytes=10_000_000)
    body = bytes(range(256)).replace(b"\x80", b"")[:128] * 8192
    bench.answer(gzip.compress(body), b"Content-Encoding: gzip\r\n")
    return body


def test_decoding_is_cut_into_slices_and_the_transport_is_paused(bench: Bench) -> None:
    body = large(bench)
    assert bench.transport.producerState == "paused"
    bench.clock.advance(0)
    assert bench.told == [(body.decode(), True)]
    assert len(bench.clock.took) >= 4
    assert max(bench.clock.took) <= 0.007
    assert bench.transport.producerState == "producing"


def test_a_connection_that_ends_while_its_reply_is_decoded_still_gives_the_reply(bench: Bench) -> None:
    body = large(bench)
    bench.end()
    assert bench.told == []
    bench.clock.advance(0)
    assert bench.told == [(body.decode(), False)]
    assert bench.clock.getDelayedCalls() == []


def test_closing_stops_a_decoding_that_is_paused(bench: Bench) -> None:
    large(bench)
    bench.connection.close()
    assert bench.clock.getDelayedCalls() == []
    assert bench.told == []
