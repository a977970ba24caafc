"""Client CPU per SOAP call over loopback: `python bench/pool.py`.

A second process answers every request with a recorded kind of reply; what is shown is the CPU of this
process, encoding, transport, pool and decoding included, and the decoding alone to subtract.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import Factory, Protocol

from gateway.mapiclient.address import Server, parse_server
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.wire.calls_session import Logoff, Result
from gateway.mapiclient.wire.calls_table import RowsReply, TableQueryRows
from gateway.mapiclient.wire.envelope import decode_reply, encode_reply, encode_request
from gateway.mapiclient.wire.schema import Call

reactor: Any = _reactor
ROWS = [
    [(0x0FFF0102, bytes(48)), (0x0037001F, f"subject {n}"), (0x0E060040, n << 33), (0x0E070003, n)]
    for n in range(50)
]
REPLIES: dict[str, bytes] = {
    "logoff": encode_reply(Logoff, Result()),
    "tableQueryRows": encode_reply(TableQueryRows, RowsReply(row_set=ROWS)),
}


class Canned(Protocol):
    """Answers each request, which comes in one piece, with the reply to its call."""

    transport: Any

    def dataReceived(self, data: bytes) -> None:
        body = next(reply for name, reply in REPLIES.items() if b"<ns:%b>" % name.encode() in data)
        head = b"HTTP/1.1 200 OK\r\nServer: gSOAP/2.8\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
        self.transport.write(head % len(body) + body)


def serve(path: str) -> None:
    """The other process."""
    factory = Factory.forProtocol(Canned)
    factory.noisy = False
    tcp = reactor.listenTCP(0, factory, interface="127.0.0.1")
    reactor.listenUNIX(path, factory)
    sys.stdout.write(f"{tcp.getHost().port}\n")
    sys.stdout.flush()
    reactor.run()


async def calls(pool: Pool, server: Server, call: Call[Any], count: int) -> None:
    for _ in range(count):
        await pool.call(server, call, session_id=0x7FFFFFFFFFFF, turn="ann")


async def measure(name: str, server: Server, call: Call[Any], count: int, lines: int) -> None:
    pool = Pool(reactor)
    await calls(pool, server, call, 200)
    cpu, wall = time.process_time(), time.perf_counter()
    await gatherResults(
        [Deferred.fromCoroutine(calls(pool, server, call, count // lines)) for _ in range(lines)]
    )
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{name:45} {cpu / count * 1e6:7.1f} us CPU per call, {count / wall:8.0f} calls/s")
    pool.close()


def alone(name: str, work: Callable[[], Any], count: int) -> None:
    before = time.process_time()
    for _ in range(count):
        work()
    print(f"{name:45} {(time.process_time() - before) / count * 1e6:7.1f} us CPU")


async def bench(port: int, path: str) -> None:
    tcp, unix = parse_server(f"http://127.0.0.1:{port}"), parse_server(f"unix:{path}")
    small, rows = Logoff(), TableQueryRows(table_id=1, row_count=50)
    for lines in (1, 5):
        await measure(f"smallest call, TCP, {lines} at a time", tcp, small, 10_000, lines)
        await measure(f"smallest call, Unix socket, {lines} at a time", unix, small, 10_000, lines)
    await measure("50 rows x 4, TCP, 1 at a time", tcp, rows, 2_000, 1)
    alone("  of it: encoding the smallest call", lambda: encode_request(small, 1), 10_000)
    alone("  of it: decoding the smallest reply", lambda: decode_reply(Logoff, REPLIES["logoff"]), 10_000)
    alone("  of it: decoding 50 rows", lambda: decode_reply(TableQueryRows, REPLIES["tableQueryRows"]), 1_000)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/store.sock"
        command = [sys.executable, __file__, "serve", path]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            port = int(other.stdout.readline())
            done = Deferred.fromCoroutine(bench(port, path))
            done.addErrback(lambda why: why.printTraceback()).addBoth(lambda _: reactor.stop())
            reactor.run()
            other.terminate()


if __name__ == "__main__":
    serve(sys.argv[2]) if len(sys.argv) > 2 else main()
