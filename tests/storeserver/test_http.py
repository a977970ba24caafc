"""The HTTP front: framing, limits, time-outs and clients that misbehave, on a transport in memory."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from gateway.storeserver.http import HttpLimits, Request, Response
from gateway.storeserver.httpconnection import HttpConnection
from gateway.storeserver.httpfactory import HttpFactory
from gateway.storeserver.spool import IN_MEMORY, Body, TooLarge, inflated

LIMITS = HttpLimits(body=1_000_000, idle=5.0, read=10.0, write=20.0)


class Echo:
    """Answers with the body; a target /later waits, /big answers a lot, /chunked is chunked."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        self.later: list[Deferred[Response]] = []
        self.cancelled = 0

    def respond(self, request: Request) -> Deferred[Response]:
        self.requests.append((request.method, request.target, request.body.read()))
        if request.target == "/later":
            waiting: Deferred[Response] = Deferred(self.cancel)
            self.later.append(waiting)
            return waiting
        body = Body(10**9)
        body.write(b"x" * 300_000 if request.target.startswith("/big") else request.body.read())
        return succeed(Response(200, body, [("X", "y")], chunked="chunked" in request.target))

    def cancel(self, _: Any) -> None:
        self.cancelled += 1

    def refuse(self, status: int, reason: str) -> Response:
        return Response(status, Body.of(reason.encode()))


class Wire(StringTransport):
    """A transport that remembers what was done to it."""

    aborted = False
    half_closed = False

    def abortConnection(self) -> None:
        self.aborted = True
        self.disconnecting = True

    def loseWriteConnection(self) -> None:
        self.half_closed = True


class Dialogue:
    """A client of one connection."""

    def __init__(self, limits: HttpLimits = LIMITS) -> None:
        self.clock = Clock()
        self.echo = Echo()
        self.factory = HttpFactory(self.echo, limits, self.clock, lambda transport: "peer")
        self.connection: HttpConnection = self.factory.buildProtocol(None)
        self.wire = Wire()
        self.connection.makeConnection(self.wire)

    def say(self, data: bytes) -> bytes:
        self.connection.dataReceived(data)
        return self.hear()

    def hear(self) -> bytes:
        self.clock.advance(0)
        while self.wire.producer is not None and not self.wire.streaming:
            self.wire.producer.resumeProducing()
            self.clock.advance(0)
        data: bytes = self.wire.value()
        self.wire.clear()
        return data

    def lost(self) -> None:
        self.connection.connectionLost()


def post(body: bytes, target: str = "/", *headers: str) -> bytes:
    head = "\r\n".join([f"POST {target} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers, "", ""])
    return head.encode() + body


def answer(
    body: bytes, connection: str = "keep-alive", status: str = "200 OK", extra: str = "X: y\r\n"
) -> bytes:
    head = f"HTTP/1.1 {status}\r\n{extra}Content-Length: {len(body)}\r\nConnection: {connection}\r\n\r\n"
    return head.encode() + body


def refused(status: str, reason: str) -> bytes:
    return answer(reason.encode(), "close", status, "")


def test_a_request_is_answered_and_the_connection_stays() -> None:
    client = Dialogue()
    assert client.say(post(b"hello")) == answer(b"hello")
    assert client.say(post(b"")) == answer(b"")
    assert client.echo.requests == [("POST", "/", b"hello"), ("POST", "/", b"")]
    assert not client.wire.half_closed


def test_bytes_may_come_one_by_one() -> None:
    client = Dialogue()
    heard = b"".join(client.say(bytes([byte])) for byte in post(b"hello") + post(b"again"))
    assert heard == answer(b"hello") + answer(b"again")


def test_chunked_requests() -> None:
    client = Dialogue()
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert client.say(head + b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n") == answer(b"abcdefg")


def test_chunked_answers() -> None:
    client = Dialogue()
    head = b"HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"
    assert client.say(post(b"hello", "/chunked")) == head + b"5\r\nhello\r\n0\r\n\r\n"
    assert client.say(post(b"", "/chunked")) == head + b"0\r\n\r\n"


def test_large_answers_are_sent_as_the_client_takes_them() -> None:
    client = Dialogue()
    client.connection.dataReceived(post(b"", "/big"))
    assert client.wire.value().endswith(b"\r\n\r\n")
    assert client.connection.busy
    head, _, body = client.hear().partition(b"\r\n\r\n")
    assert b"Content-Length: 300000" in head
    assert body == b"x" * 300_000
    assert not client.connection.busy
    chunked = client.say(post(b"", "/big-chunked"))
    assert chunked.endswith(b"x\r\n0\r\n\r\n")
    assert chunked.count(b"x") == 300_000


def test_requests_sent_ahead_are_answered_in_order() -> None:
    client = Dialogue()
    heard = client.say(post(b"1") + post(b"2") + post(b"3") + post(b"4")[:-1])
    for _ in range(3):
        heard += client.hear()
    assert heard == answer(b"1") + answer(b"2") + answer(b"3")
    assert client.say(b"4") == answer(b"4")


def test_a_client_that_sends_ahead_without_end_is_held_back() -> None:
    client = Dialogue()
    client.say(post(b"", "/later"))
    client.say(post(b"x" * 70_000))
    assert client.wire.producerState == "paused"
    client.echo.later[0].callback(Response(200, Body.of(b"now")))
    heard = client.hear()
    assert heard.startswith(answer(b"now", extra=""))
    assert client.wire.producerState == "producing"
    heard += client.hear()
    assert heard.endswith(b"x" * 70_000)


@pytest.mark.parametrize("ending", ["HTTP/1.0", "HTTP/1.1\r\nConnection: close"])
def test_the_connection_closes_when_the_client_wants_it(ending: str) -> None:
    client = Dialogue()
    request = f"POST /chunked {ending}\r\nContent-Length: 2\r\n\r\nhi".encode()
    heard = client.say(request)
    assert heard.endswith((b"hi", b"2\r\nhi\r\n0\r\n\r\n"))
    assert b"Connection: close" in heard
    assert (b"chunked" in heard) is (ending != "HTTP/1.0")
    assert client.wire.disconnecting
    assert client.say(post(b"more")) == b""
    client.clock.advance(2.1)  # a client that does not take the answer
    assert client.wire.aborted


REFUSED = [
    (b"hello world\r\n\r\n", "400 Bad Request"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400 Bad Request"),
    (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400 Bad Request"),
    (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", "400 Bad Request"),
    (b"POST / HTTP/1.1\r\nContent-Length: 1000001\r\n\r\n", "413 Request Entity Too Large"),
    (
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nF4241\r\n" + b"x" * 1_000_001,
        "413 Request Entity Too Large",
    ),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400 Bad Request"),
    (b"POST / HTTP/1.1\r\nX: " + b"x" * 17_000 + b"\r\n\r\n", "431 Request Header Fields Too Large"),
    (b"POST /" + b"x" * 17_000 + b" HTTP/1.1\r\n\r\n", "431 Request Header Fields Too Large"),
    (
        b"POST / HTTP/1.1\r\n" + b"".join(b"h%d: x\r\n" % n for n in range(70)) + b"\r\n",
        "431 Request Header Fields Too Large",
    ),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", "400 Bad Request"),
]


@pytest.mark.parametrize(("data", "status"), REFUSED)
def test_what_cannot_be_taken_is_refused_and_the_connection_closed(data: bytes, status: str) -> None:
    client = Dialogue()
    heard = client.say(data)
    assert heard.startswith(f"HTTP/1.1 {status}\r\n".encode())
    assert b"Connection: close" in heard
    assert client.wire.half_closed
    assert client.echo.requests == []


def test_a_client_is_asked_to_continue() -> None:
    client = Dialogue()
    head, body = post(b"hello", "/", "Expect: 100-continue").split(b"\r\n\r\n")
    assert client.say(head + b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert client.say(body) == answer(b"hello")


def test_an_idle_connection_is_closed() -> None:
    client = Dialogue()
    client.clock.advance(4)
    client.say(post(b"1"))
    client.clock.advance(4)
    assert not client.wire.aborted
    client.clock.advance(2)
    assert client.wire.aborted


def test_no_idle_limit_means_for_ever() -> None:
    client = Dialogue(HttpLimits(idle=None))
    client.clock.advance(10_000)
    assert client.say(post(b"1")) == answer(b"1")
    client.clock.advance(10_000)
    assert not client.wire.aborted


def test_half_a_request_is_not_waited_for() -> None:
    client = Dialogue()
    client.say(post(b"hello")[:-1])
    client.clock.advance(9)
    assert not client.wire.aborted
    client.clock.advance(2)
    assert client.wire.aborted
    client.lost()
    assert client.clock.getDelayedCalls() == []


def test_a_slow_large_request_gets_more_time() -> None:
    client = Dialogue()
    head = b"POST / HTTP/1.1\r\nContent-Length: 900000\r\n\r\n"
    client.say(head)
    for _ in range(9):
        client.say(b"x" * 100_000)
        client.clock.advance(9)
    assert len(client.echo.requests[0][2]) == 900_000


def test_dribbled_bytes_do_not_buy_time_for_ever() -> None:
    client = Dialogue()
    head = b"POST / HTTP/1.1\r\nContent-Length: 900000\r\n\r\n"
    client.say(head)
    for _ in range(20):
        client.say(b"x")
        client.clock.advance(1)
    assert client.wire.aborted


def test_answering_may_take_long_but_taking_the_answer_may_not() -> None:
    client = Dialogue()
    client.say(post(b"", "/later"))
    client.clock.advance(1000)
    assert not client.wire.aborted
    big = Body(10**6)
    big.write(b"x" * 300_000)
    client.echo.later[0].callback(Response(200, big))
    client.clock.advance(19)
    assert client.wire.producer is not None
    client.wire.producer.resumeProducing()
    client.clock.advance(19)
    assert not client.wire.aborted
    client.clock.advance(2)
    assert client.wire.aborted
    client.lost()


def test_work_for_a_client_that_left_is_cancelled() -> None:
    client = Dialogue()
    client.say(post(b"", "/later"))
    client.lost()
    assert client.echo.cancelled == 1
    assert client.factory.connections == set()


def test_an_answer_after_the_client_left_does_no_harm() -> None:
    client = Dialogue()
    client.echo.cancel = lambda deferred: deferred.callback(Response(200, Body.of(b"late")))  # type: ignore[method-assign]
    client.say(post(b"", "/later"))
    client.lost()
    assert client.hear() == b""


def test_closing_lets_running_answers_finish() -> None:
    idle, busy = Dialogue(), Dialogue()
    busy.say(post(b"", "/later"))
    closed: list[Any] = []
    for client in (idle, busy):
        client.factory.close().addCallback(closed.append)
    assert idle.wire.disconnecting
    assert not busy.wire.disconnecting
    busy.echo.later[0].callback(Response(200, Body.of(b"now")))
    assert b"Connection: close" in busy.hear()
    assert closed == []
    idle.lost()
    busy.lost()
    assert closed == [None, None]
    assert idle.factory.buildProtocol(None) is None


def test_there_is_a_limit_of_connections() -> None:
    factory = HttpFactory(Echo(), LIMITS, Clock(), lambda transport: None, max_connections=2)
    assert factory.buildProtocol(None) is not None
    assert factory.buildProtocol(None) is not None
    assert factory.buildProtocol(None) is None


# -- bodies


def test_a_large_body_goes_to_disk_and_comes_back() -> None:
    body = Body(IN_MEMORY * 3)
    pieces = [bytes([n]) * 50_000 for n in range(12)]
    for piece in pieces:
        body.write(piece)
    assert body.read() == b"".join(pieces) == b"".join(body.chunks())
    assert body.head(10) == b""
    with pytest.raises(TooLarge):
        body.write(b"x" * IN_MEMORY * 3)
    body.close()


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", gzip.compress(b"hello" * 1000, mtime=0)),
        ("deflate", zlib.compress(b"hello" * 1000)),
        ("deflate", zlib.compress(b"hello" * 1000, wbits=-15)),
    ],
)
def test_content_codings_are_undone(encoding: str, data: bytes) -> None:
    for size in (1, 7, len(data)):
        chunks = (data[at : at + size] for at in range(0, len(data), size))
        if encoding == "deflate" and data[0] != 0x78 and size == 1:
            continue  # one byte cannot tell the two kinds of deflate apart
        assert b"".join(inflated(chunks, encoding, 10_000)) == b"hello" * 1000


def test_a_bomb_is_not_inflated() -> None:
    with pytest.raises(TooLarge):
        b"".join(inflated(iter([gzip.compress(bytes(10_000_000))]), "gzip", 1_000_000))


@pytest.mark.parametrize("data", [b"", b"nonsense", gzip.compress(b"x" * 100, mtime=0)[:-5]])
def test_broken_codings_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        b"".join(inflated(iter([data]), "gzip", 1000))
