"""The pool against servers on real sockets that behave, misbehave, vanish and come back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred, DeferredList

from gateway.mapiclient.address import Server, parse_server
from gateway.mapiclient.errors import (
    BadReply,
    CallTimeout,
    ConnectFailed,
    ConnectionClosed,
    Overloaded,
    PoolClosed,
    StaleConnection,
)
from gateway.mapiclient.options import PoolOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.wire.errors import WireError
from gateway.mapiclient.wire.schema import Call
from tests.mapiclient.toy import Do, Poll, Say, Upload, encode
from tests.support import scripted
from tests.support.reactor import OwnTime, reactor, run
from tests.support.scripted import Script, drop, echo, echo_and_drop, hang, later, raw, reset

OPTIONS = PoolOptions(connections=3, calls_per_turn=3, connect_seconds=5.0)


def spawn(pool: Pool, server: Server, call: Call[Any], **more: Any) -> Deferred[Any]:
    """Start a call and go on."""
    return Deferred.fromCoroutine(pool.call(server, call, **more))


def failures(*calls: Deferred[Any]) -> Deferred[Any]:
    """The errors that several calls end with."""
    results: Any = DeferredList(calls, consumeErrors=True)
    return results.addCallback(lambda pairs: [value if good else value.value for good, value in pairs])  # type: ignore[no-any-return]


@asynccontextmanager
async def stage(
    *steps: scripted.Step, path: str = "", options: PoolOptions = OPTIONS, **changes: Any
) -> AsyncIterator[tuple[Pool, Server, Script]]:
    """A scripted server and a pool; in the end nothing may run, wait or stay connected."""
    script = Script(*steps)
    pool = Pool(reactor, options, encode=lambda call, session_id: encode(call, session_id, **changes))
    async with scripted.listening(script, path) as server:
        yield pool, server, script
        assert (pool.busy, pool.queued) == (0, 0), repr(pool)
        pool.close()
        assert pool.open == 0
        await script.until(lambda: not script.open)


@pytest.mark.parametrize("where", ["tcp", "unix"])
def test_calls_share_a_connection(where: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(echo, path=str(tmp_path / "store.sock") if where == "unix" else "") as (
            pool,
            server,
            script,
        ):
            for number in range(5):
                assert (await pool.call(server, Say(str(number)), session_id=9)).text == f"9:{number}"
            assert script.accepted == 1
            assert pool.counters.replies == 5
            assert "1 idle" in repr(pool)

    run(story)


def test_calls_at_the_same_time_use_connections_up_to_the_limit() -> None:
    async def story() -> None:
        async with stage(later(0.05)) as (pool, server, script):
            replies = await failures(*(spawn(pool, server, Say(str(n)), turn=n) for n in range(10)))
            assert [reply.text for reply in replies] == [f"0:{n}" for n in range(10)]
            assert script.accepted == 3

    run(story)


@pytest.mark.parametrize("call", [Say("b"), Do("b")])
def test_a_connection_that_the_server_closed_is_noticed_before_the_next_call(call: Call[Any]) -> None:
    async def story() -> None:
        async with stage(echo_and_drop, echo) as (pool, server, script):
            await pool.call(server, Say("a"))
            await script.until(lambda: not script.open)
            assert (await pool.call(server, call)).text == "0:b"
            assert script.bodies == ["0:a", "0:b"]

    run(story)


@pytest.mark.parametrize("step", [drop, reset])
def test_a_stale_connection_is_retried_once_when_the_call_may_be_repeated(step: scripted.Step) -> None:
    async def story() -> None:
        async with stage(echo, step, echo) as (pool, server, script):
            await pool.call(server, Say("a"))
            assert (await pool.call(server, Say("b"))).text == "0:b"
            assert pool.counters.retries == 1
            assert script.bodies == ["0:a", "0:b", "0:b"]

    run(story)


def test_it_is_retried_only_once() -> None:
    async def story() -> None:
        async with stage(echo, drop) as (pool, server, script):
            await pool.call(server, Say("a"))
            with pytest.raises(ConnectionClosed) as caught:
                await pool.call(server, Say("b"))
            assert not isinstance(caught.value, StaleConnection)
            assert script.bodies == ["0:a", "0:b", "0:b"]

    run(story)


def test_a_call_that_may_not_be_repeated_is_not() -> None:
    async def story() -> None:
        async with stage(echo, drop, echo) as (pool, server, script):
            await pool.call(server, Say("a"))
            with pytest.raises(StaleConnection) as caught:
                await pool.call(server, Do("b"))
            assert caught.value.unknown
            assert script.bodies == ["0:a", "0:b"]
            assert (await pool.call(server, Do("c"), repeat=True)).text == "0:c"

    run(story)


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (drop, ConnectionClosed),
        (reset, ConnectionClosed),
        (raw(b"\x16\x03\x01 nonsense \r\n\r\n"), BadReply),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", close=True), ConnectionClosed),
        (raw(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), BadReply),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"), BadReply),
        (raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000), BadReply),
        (
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"2000\r\n" + b"x" * 0x2000),
            CallTimeout,
        ),
        (hang, CallTimeout),
        (later(5.0), CallTimeout),
    ],
)
def test_a_failure_is_that_of_one_call_and_the_next_is_fine(step: scripted.Step, kind: type[Exception]) -> None:
    async def story() -> None:
        async with stage(step, echo, seconds=0.3, idle_seconds=0.2) as (pool, server, _):
            with pytest.raises(kind) as caught:
                await pool.call(server, Do("a"))
            assert str(server) in str(caught.value)
            assert "do" in str(caught.value)
            assert pool.open == 0
            assert (await pool.call(server, Do("b"))).text == "0:b"
            assert pool.counters.failures == 1

    run(story)


def test_a_flood_is_stopped() -> None:
    def flood(conversation: scripted.Conversation) -> None:
        conversation.transport.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 50_000_000)

    async def story() -> None:
        async with stage(flood, echo) as (pool, server, _):
            with pytest.raises(BadReply, match="larger than 1000000 bytes"):
                await pool.call(server, Say("a"))
            assert pool.counters.bytes_in < 5_000_000

    run(story)


def test_a_server_that_is_down_and_comes_back() -> None:
    async def story() -> None:
        async with stage(echo) as (_, server, _):
            pass
        time = OwnTime()
        pool = Pool(time, replace(OPTIONS, back_off=2.0, back_off_most=2.0), encode=encode)
        with pytest.raises(ConnectFailed, match="refused"):
            await pool.call(server, Say("a"))
        with pytest.raises(ConnectFailed, match="say"):
            await pool.call(server, Say("b"))
        assert pool.counters.connects == 1
        assert "down" in repr(pool)
        script = Script(echo)
        port = reactor.listenTCP(server.port, script, interface="127.0.0.1")
        time.passes(4.0)
        assert (await pool.call(server, Say("c"))).text == "0:c"
        assert "down" not in repr(pool)
        pool.close()
        await script.until(lambda: not script.open)
        await port.stopListening()

    run(story)


def test_a_socket_that_does_not_exist(tmp_path: Path) -> None:
    async def story() -> None:
        pool = Pool(reactor, OPTIONS, encode=encode)
        with pytest.raises(ConnectFailed, match=r"store\.sock"):
            await pool.call(parse_server(f"unix:{tmp_path}/store.sock"), Say("a"))
        assert pool.open == 0

    run(story)


def test_cancelling_a_running_call_closes_its_connection() -> None:
    async def story() -> None:
        async with stage(hang, echo) as (pool, server, script):
            running = spawn(pool, server, Say("a"))
            await script.until(lambda: len(script.bodies) == 1)
            running.cancel()
            assert isinstance((await failures(running))[0], CancelledError)
            assert (pool.busy, pool.open) == (0, 0)
            await script.until(lambda: not script.open)
            assert (await pool.call(server, Say("b"))).text == "0:b"

    run(story)


def test_cancelling_a_waiting_call_takes_it_out_of_the_queue() -> None:
    async def story() -> None:
        async with stage(hang, echo, options=replace(OPTIONS, connections=1)) as (pool, server, script):
            first, second, third = (spawn(pool, server, Say(text)) for text in "abc")
            await script.until(lambda: len(script.bodies) == 1)
            second.cancel()
            first.cancel()
            results = await failures(first, second, third)
            assert [type(result).__name__ for result in results] == ["CancelledError", "CancelledError", "Said"]
            assert script.bodies == ["0:a", "0:c"]

    run(story)


def test_cancelling_while_connecting() -> None:
    async def story() -> None:
        async with stage(echo) as (pool, server, script):
            running = spawn(pool, server, Say("a"))
            running.cancel()
            assert isinstance((await failures(running))[0], CancelledError)
            assert (await pool.call(server, Say("b"))).text == "0:b"
            assert script.bodies == ["0:b"]

    run(story)


def test_a_queue_that_is_full_and_one_that_is_slow() -> None:
    async def story() -> None:
        options = replace(OPTIONS, connections=1, queue=1, queue_seconds=0.1)
        async with stage(hang, echo, options=options) as (pool, server, script):
            running = spawn(pool, server, Say("a"))
            await script.until(lambda: len(script.bodies) == 1)
            waiting = spawn(pool, server, Say("b"))
            with pytest.raises(Overloaded, match="too many"):
                await pool.call(server, Say("c"))
            (slow,) = await failures(waiting)
            assert isinstance(slow, Overloaded)
            assert "too long" in str(slow)
            assert not slow.unknown
            running.cancel()
            await failures(running)

    run(story)


def test_polls_do_not_keep_calls_waiting() -> None:
    async def story() -> None:
        def answer(conversation: scripted.Conversation) -> None:
            if b"poll" not in conversation.body:
                echo(conversation)

        async with stage(answer, options=replace(OPTIONS, connections=1)) as (pool, server, script):
            polls = [spawn(pool, server, Poll("poll"), turn=n) for n in range(5)]
            await script.until(lambda: len(script.bodies) == 5)
            assert (await pool.call(server, Say("a"))).text == "0:a"
            assert "5 busy" in repr(pool)
            for poll in polls:
                poll.cancel()
            await failures(*polls)

    run(story)


def test_idle_connections_are_closed_before_the_server_does_it() -> None:
    async def story() -> None:
        async with stage(echo, options=replace(OPTIONS, keep_alive=0.05)) as (pool, server, script):
            await pool.call(server, Say("a"))
            await script.until(lambda: not script.open)
            assert pool.open == 0

    run(story)


def test_closing_the_pool_fails_what_runs_and_waits() -> None:
    async def story() -> None:
        async with stage(hang, options=replace(OPTIONS, connections=1)) as (pool, server, script):
            calls = [spawn(pool, server, Say(text)) for text in "ab"]
            await script.until(lambda: len(script.bodies) == 1)
            pool.close()
            first, second = await failures(*calls)
            assert isinstance(first, PoolClosed)
            assert isinstance(second, PoolClosed)
            assert (first.unknown, second.unknown) == (True, False)
            with pytest.raises(PoolClosed):
                await pool.call(server, Say("c"))
            with pytest.raises(PoolClosed):
                await pool.call(parse_server("http://other"), Say("c"))

    run(story)


def test_a_call_that_cannot_be_written_leaves_the_connection_free() -> None:
    async def story() -> None:
        async with stage(echo) as (pool, server, script):
            with pytest.raises(WireError):
                await pool.call(server, Say("unwritable"))
            assert (await pool.call(server, Say("a"))).text == "0:a"
            assert script.accepted == 1

    run(story)


def test_a_large_body_in_pieces_is_sent_with_backpressure() -> None:
    async def story() -> None:
        async with stage(lambda c: c.reply(b"%d" % len(c.body))) as (pool, server, _):
            pieces = [bytes(100_000)] * 100
            assert (await pool.call(server, Upload(pieces))).text == "10000000"
            assert (await pool.call(server, Upload(pieces, length=10_000_000))).text == "10000000"

    run(story)
