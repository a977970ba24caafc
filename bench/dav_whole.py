"""What a whole calendar costs as one text: CPU and memory of the gateway, for clients that read fast, slowly and not at all.

Store and gateway are processes of their own. Slow clients read nothing until the others are done.

    python -m bench.dav_whole [events] [slow clients]
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.dav import Gateway
from bench.dav import events as items
from gateway.mapiclient import Special
from tests.dav.server import Client
from tests.support import reactor
from tests.support.gateway import GatewayProcess
from tests.support.store import StoreProcess


def asking(client: Client, path: str) -> socket.socket:
    """A connection on which a whole collection was asked for."""
    connection = socket.create_connection(("127.0.0.1", client.port))
    headers = {"Host": "here", "Connection": "close", **client.authorization}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    connection.sendall("\r\n".join(lines).encode())
    return connection


def read(connection: socket.socket) -> int:
    """Read all of an answer and keep nothing; how many bytes it had."""
    size, buffer = 0, bytearray(1 << 16)
    with connection:
        while count := connection.recv_into(buffer):
            size += count
    return size


class Watch:
    """The CPU time (s) and the memory (KiB) of a process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    @property
    def memory(self) -> int:
        pages = int(Path(f"/proc/{self._pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024

    @property
    def cpu(self) -> float:
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @contextmanager
    def told(self, name: str) -> Iterator[Callable[[int], None]]:
        """Print what happens meanwhile; the memory is looked at every 5 ms."""
        before, most, size, ended = self.memory, self.memory, 0, threading.Event()

        def look() -> None:
            nonlocal most
            while not ended.wait(0.005):
                most = max(most, self.memory)

        def said(count: int) -> None:
            nonlocal size
            size += count

        thread = threading.Thread(target=look)
        thread.start()
        cpu, clock = self.cpu, time.perf_counter()
        yield said
        cpu, clock = self.cpu - cpu, time.perf_counter() - clock
        ended.set()
        thread.join()
        print(
            f"{name:<34} {cpu:6.2f} s CPU {clock:6.2f} s {size:>12,} bytes, memory {before:,} KiB, at most +{most - before:,}",
            flush=True,
        )


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    slow = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    with (
        tempfile.TemporaryDirectory() as directory,
        StoreProcess(Path(directory, "store"), ["bench"]) as store,
        GatewayProcess(Path(directory, "gateway"), store.url) as gateway,
    ):
        reactor.start()
        reactor.call(lambda: Gateway(store.url)).fill("bench", Special.CALENDAR, items(events))
        client, watch = Client(gateway.port("dav"), "bench"), Watch(gateway.process.pid)
        path = client.collection("calendar")
        client.sync(path)
        for turn in ("first", "again", "once more"):
            with watch.told(f"whole calendar, {turn}") as said:
                said(read(asking(client, path)))
        with watch.told(f"{slow} clients that read later") as said:
            connections = [asking(client, path) for _ in range(slow)]
            said(read(asking(client, path)))
        with watch.told("and then they read") as said:
            for connection in connections:
                said(read(connection))


if __name__ == "__main__":
    main()
