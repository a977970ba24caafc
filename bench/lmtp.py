"""What delivery costs: mails a second from one and from several connections, gateway CPU per mail, memory for large ones.

The store runs in a process of its own, with its data safe on disk as in service; figures of CPU are the gateway's alone.
"""

from __future__ import annotations

import resource
import smtplib
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gateway.lmtp.options import Options
from gateway.lmtp.service import Lmtp, LmtpFactory
from gateway.mailbox.runtime import Runtime
from gateway.mailbox.uidcache import UidCache
from gateway.mapiclient.options import PoolOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.sessions import Sessions
from gateway.smtp.codec.data import DataReader
from tests.support import reactor
from tests.support.store import StoreProcess

SMALL = (
    b"From: Ann <ann@example.org>\r\nTo: bob@example.com\r\nSubject: hello\r\n\r\n" + b"Hello, hello.\r\n" * 100
)


def deliver(port: int, user: str, mail: bytes, count: int) -> None:
    with smtplib.LMTP("127.0.0.1", port, timeout=120) as client:
        for number in range(count):
            client.sendmail(
                "ann@example.org", [user], b"Message-ID: <%d.%d@x>\r\n" % (id(client), number) + mail
            )


def measure(name: str, port: int, users: list[str], mail: bytes, count: int) -> None:
    clients = [threading.Thread(target=deliver, args=(port, user, mail, count)) for user in users]
    cpu, clock = cpu_of_reactor(), time.perf_counter()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    seconds, done = time.perf_counter() - clock, count * len(users)
    spent = cpu_of_reactor() - cpu
    print(f"{name:<44}{done / seconds:10,.1f} mails/s{spent / done * 1e3:10.2f} ms CPU of the reactor's thread")


def cpu_of_reactor() -> float:
    return reactor.call(time.thread_time)


def data_reader() -> None:
    data, reader, clock = SMALL * 10_000, DataReader(), time.process_time()
    for start in range(0, len(data), 65536):
        reader.feed(data[start : start + 65536])
    print(
        f"{'mail data, dots and line ends watched':<44}{len(data) / 1e6 / (time.process_time() - clock):10,.0f} MB/s"
    )


def main() -> None:
    data_reader()
    users = [f"user{number}" for number in range(4)]
    with tempfile.TemporaryDirectory() as place, StoreProcess(Path(place), users) as store:

        def build() -> tuple[int, list[object]]:
            pool = Pool(reactor.reactor, PoolOptions())
            sessions = Sessions(pool, store.unix)
            runtime = Runtime(reactor.reactor, UidCache(Path(place) / "uids.sqlite"))
            backend = Lmtp(sessions, runtime, Options(parallel=4), hostname="bench")
            port = reactor.reactor.listenTCP(0, LmtpFactory(backend, reactor.reactor), interface="127.0.0.1")
            return port.getHost().port, [pool, sessions, runtime]

        port, parts = reactor.call(build)
        deliver(port, users[0], SMALL, 5)
        measure("1.5 KB, one connection", port, users[:1], SMALL, 300)
        measure("1.5 KB, four connections", port, users, SMALL, 100)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        large = SMALL + (b"0123456789abcdef" * 4 + b"\r\n") * 310_000
        measure("20 MB, one connection", port, users[:1], large, 3)
        measure("20 MB, four connections", port, users, large, 1)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{'peak memory, before and after the large ones':<44}{before:10,.0f} MiB {peak:,.0f} MiB (clients included)"
        )

        async def close() -> None:
            pool, sessions, runtime = parts
            await sessions.close()  # type: ignore[attr-defined]
            pool.close()  # type: ignore[attr-defined]
            runtime.cache.close()  # type: ignore[attr-defined]

        reactor.run(close)


main()
