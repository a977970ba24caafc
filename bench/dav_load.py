"""DAV under load, in one process with IMAP: round trips of IMAP meanwhile, and the memory of the gateway.

Store and gateway are processes of their own, as they run in the world; DAV's clients are one more. Wall times are those
of the machine with all that runs on it: the round trips without load beside them tell how much that is.

    python -m bench.dav_load [events] [seconds]
"""

from __future__ import annotations

import imaplib
import itertools
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.dav.server import Client, D, event, multiget, propfind
from tests.support.gateway import GatewayProcess
from tests.support.store import StoreProcess

CLIENTS = 4
SYNC = '<sync-collection xmlns="DAV:"><sync-token/><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>'
MONTH = (
    '<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns="DAV:"><prop><getetag/><C:calendar-data/>'
    '</prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
    '<C:time-range start="20260201T000000Z" end="20260301T000000Z"/></C:comp-filter></C:comp-filter></C:filter>'
    "</C:calendar-query>"
)


def fill(port: int, user: str, events: int) -> None:
    """Put events into the user's calendar, one every two hours."""
    client = Client(port, user)
    path = client.collection("calendar")
    for number in range(events):
        day = time.strftime("%Y%m%dT%H0000Z", time.gmtime(1_767_225_600 + number * 7200))
        assert (
            client("PUT", f"{path}uid-{number}.ics", event(f"uid-{number}", f"Event {number}", day)).status
            == 201
        )


def load(port: int, user: str, events: int, stop: Any, done: Any) -> None:
    """Clients that ask all the time, each on a thread of this process."""

    def work(number: int) -> None:
        client = Client(port, user)
        path = client.collection("calendar")
        for turn in itertools.count():
            if stop.is_set():
                return
            at = (turn * 50) % max(events - 50, 1)
            paths = [f"{path}uid-{each}.ics" for each in range(at, at + 50)]
            client("PROPFIND", path, propfind(f"{D}getetag"), Depth="1")
            client("REPORT", path, SYNC)
            client("REPORT", path, multiget("calendar", *paths))
            client("REPORT", path, MONTH)
            client(
                "PUT", f"{path}load-{number}-{turn % 50}.ics", event(f"load-{number}-{turn % 50}", f"{turn}")
            )
            with done.get_lock():
                done.value += 5

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def round_trips(client: imaplib.IMAP4, seconds: float) -> list[float]:
    """NOOPs and FETCHes, with pauses between them (milliseconds)."""
    found: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for command in (client.noop, lambda: client.fetch("1:*", "(FLAGS)")):
            begun = time.perf_counter()
            command()  # type: ignore[operator]
            found.append((time.perf_counter() - begun) * 1e3)
        time.sleep(0.01)
    return sorted(found)


def memory(pid: int) -> int:
    """Resident memory of a process (KiB)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def tell(name: str, found: list[float]) -> None:
    p50, p99 = (found[int(len(found) * part)] for part in (0.5, 0.99))
    print(
        f"{name:<28} {len(found):6} round trips, p50 {p50:6.1f} ms, p99 {p99:6.1f} ms, most {found[-1]:6.1f} ms",
        flush=True,
    )


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 30
    with (
        tempfile.TemporaryDirectory() as directory,
        StoreProcess(Path(directory, "store"), ["bench"]) as store,
        GatewayProcess(Path(directory, "gateway"), store.url) as gateway,
    ):
        port = gateway.port("dav")
        fill(port, "bench", events)
        imap = imaplib.IMAP4("127.0.0.1", gateway.port("imap"))
        imap.login("bench", "bench")
        for number in range(50):
            imap.append("INBOX", None, None, f"Subject: {number}\r\n\r\nText\r\n".encode())  # type: ignore[arg-type]
        imap.select()
        tell("IMAP alone", round_trips(imap, seconds / 3))
        stop, done = multiprocessing.Event(), multiprocessing.Value("i", 0)
        clients = multiprocessing.Process(target=load, args=(port, "bench", events, stop, done))
        clients.start()
        round_trips(imap, 3)
        for part in range(3):
            before = done.value
            tell(f"IMAP while DAV is loaded, {part + 1}", round_trips(imap, seconds / 3))
            rate = (done.value - before) / (seconds / 3)
            print(
                f"  {rate:.0f} DAV requests a second, gateway {memory(gateway.process.pid):,} KiB", flush=True
            )
        stop.set()
        clients.join()
        imap.logout()


if __name__ == "__main__":
    main()
