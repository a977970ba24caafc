"""How many PUTs and DELETEs one client makes that waits for each answer; store and gateway are processes of their own.

python -m bench.dav_writes [events] [rounds]
"""

from __future__ import annotations

import http.client
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.dav import Gateway, events
from gateway.mapiclient import Special
from tests.dav.server import Client, event
from tests.support import reactor
from tests.support.gateway import GatewayProcess
from tests.support.store import StoreProcess

TICKS = os.sysconf("SC_CLK_TCK")
TIMES = 50


def used(pid: int) -> float:
    """Processor time of a process (milliseconds)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS * 1e3


class Writer:
    """A client that keeps its connection."""

    def __init__(self, port: int, user: str) -> None:
        self.client = Client(port, user)
        self.path = self.client.collection("calendar")
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._numbers, self._gone = itertools.count(), itertools.count(1)

    def __call__(self, method: str, path: str, body: str = "") -> int:
        self._connection.request(method, self.path + path, body.encode(), self.client.authorization)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def put(self) -> None:
        name = f"new-{next(self._numbers)}"
        assert self("PUT", f"{name}.ics", event(name, "New")) == 201

    def put_over(self) -> None:
        assert self("PUT", "uid-0.ics", event("uid-0", f"Changed {next(self._numbers)}")) == 204

    def delete(self) -> None:
        assert self("DELETE", f"uid-{next(self._gone)}.ics") == 204


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    with tempfile.TemporaryDirectory() as directory, StoreProcess(Path(directory, "store"), ["bench"]) as store:
        reactor.start()
        reactor.call(lambda: Gateway(store.url)).fill("bench", Special.CALENDAR, events(count))
        with GatewayProcess(Path(directory, "gateway"), store.url) as gateway:
            writer = Writer(gateway.port("dav"), "bench")
            works: dict[str, Callable[[], Any]] = {
                "PUT of new events": writer.put,
                "PUT over an event": writer.put_over,
                "DELETE of events": writer.delete,
            }
            found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in works}
            for _, (name, work) in itertools.product(range(rounds), works.items()):
                clock, mine, stores = time.perf_counter(), used(gateway.process.pid), used(store.pid)
                for _ in range(TIMES):
                    work()
                seconds = time.perf_counter() - clock
                parts = used(gateway.process.pid) - mine, used(store.pid) - stores
                found[name].append((seconds / TIMES, parts[0] / TIMES, parts[1] / TIMES))
            for name, each in found.items():
                wall, mine, stores = map(min, zip(*each, strict=True))
                print(
                    f"{name:<20} {1 / wall:5.0f} a second, gateway {mine:.1f} ms CPU, store {stores:.1f} ms CPU"
                )


if __name__ == "__main__":
    main()
