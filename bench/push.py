"""Push: how long mail takes to clients that wait in IDLE, and what each of them costs.

Run: ``python bench/push.py [connections] [users] [mails] [mails per second]``. Store and gateway run as processes of
their own, the clients speak raw IMAP over loopback; mails arrive by APPEND from other connections, at a steady rate.
Every waiting client of a user is to be told; the delay is taken from the moment APPEND is sent (the store's work is
in it) and from the moment APPEND is answered. Prints figures; asserts nothing.
"""

from __future__ import annotations

import re
import resource
import select
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from imap import MAIL, Client, Gateway

from gateway.storeserver.database import StoreDatabase
from gateway.storeserver.service import create_user
from tests.support.gateway import GatewayProcess, store

_EXISTS = re.compile(rb"\* (\d+) EXISTS\r\n")
#: Connections that append, each for a user of its own.
SENDERS = 20
GRACE = 20.0


def log_in(gateway: Gateway, user: str) -> Client:
    """A connection of a user."""
    client = Client(gateway.address)
    client.command(f"LOGIN {user} {user}".encode())
    return client


@dataclass
class Crowd:
    """Clients in IDLE, and what they were told when."""

    waiting: dict[int, tuple[Client, str]] = field(default_factory=dict)
    told: list[tuple[str, int, float]] = field(default_factory=list)
    """User, number of messages, time; once for each connection."""
    bells: int = 0

    def __post_init__(self) -> None:
        self._poll = select.epoll()
        self._buffers: dict[int, bytes] = {}
        self._last: dict[int, int] = {}

    def add(self, gateway: Gateway, user: str) -> None:
        """One more client."""
        client = log_in(gateway, user)
        client.command(b"SELECT INBOX")
        client.socket.sendall(b"idle IDLE\r\n")
        assert client.socket.recv(4096).startswith(b"+ ")
        self.waiting[client.socket.fileno()] = client, user
        self._poll.register(client.socket, select.EPOLLIN)

    def listen(self, seconds: float) -> None:
        """Take what arrives, for so long or until nothing does."""
        for descriptor, _ in self._poll.poll(seconds):
            now = time.perf_counter()
            client, user = self.waiting[descriptor]
            data = client.socket.recv(65536)
            if not data:
                raise ConnectionError("the gateway closed a waiting connection")
            self.bells += 1
            data = self._buffers.get(descriptor, b"") + data
            for found in _EXISTS.finditer(data):
                count = int(found[1])
                for number in range(self._last.get(descriptor, 0) + 1, count + 1):
                    self.told.append((user, number, now))
                self._last[descriptor] = count
            self._buffers[descriptor] = data[data.rfind(b"\n") + 1 :]


class Sender(threading.Thread):
    """Appends mails to the INBOXes of some users, one after another, at a steady rate."""

    def __init__(self, gateway: Gateway, users: list[str], count: int, rate: float) -> None:
        super().__init__(daemon=True)
        self._clients = [(user, log_in(gateway, user)) for user in users]
        self._count = count
        self._rate = rate
        self.sent: dict[tuple[str, int], tuple[float, float]] = {}
        """User and number of the message to when APPEND was sent and answered."""

    def run(self) -> None:
        begun = time.perf_counter()
        for index in range(self._count):
            time.sleep(max(0.0, begun + index / self._rate - time.perf_counter()))
            user, client = self._clients[index % len(self._clients)]
            mail = MAIL % (index, index, index)
            before = time.perf_counter()
            client.command(b"APPEND INBOX {%d+}\r\n%b" % (len(mail), mail))
            self.sent[user, index // len(self._clients) + 1] = before, time.perf_counter()


def percentiles(what: str, values: list[float]) -> None:
    """p50, p99 and the longest, in milliseconds."""
    ordered = sorted(values)
    p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    print(f"{what:46} p50 {p50 * 1e3:7.1f} ms  p99 {p99 * 1e3:7.1f} ms  longest {ordered[-1] * 1e3:7.1f} ms")


def gather(gateway: Gateway, names: list[str], connections: int) -> Crowd:
    """The waiting crowd, user by user; prints what it costs."""
    crowd = Crowd()
    start, empty, cpu = time.perf_counter(), gateway.memory(), gateway.cpu()
    for name in names:
        crowd.add(gateway, name)
    first = gateway.memory()
    for index in range(len(names), connections):
        crowd.add(gateway, names[index % len(names)])
    more = connections - len(names)
    last = gateway.memory()
    print(
        f"{connections} connections in IDLE after {time.perf_counter() - start:.1f} s, {gateway.cpu() - cpu:.1f} s cpu"
    )
    print(f"memory of a user's first connection: {(first - empty) / len(names) / 1024:.1f} KiB")
    if more:
        print(f"memory of every further connection: {(last - first) / more / 1024:.1f} KiB")
    print(f"memory of all, by connection: {(last - empty) / connections / 1024:.1f} KiB", flush=True)
    return crowd


def push(gateway: Gateway, names: list[str], crowd: Crowd, count: int, rate: float) -> None:
    """Deliver, listen, print."""
    sender = Sender(gateway, names[:SENDERS], count, rate)
    clients = {name: sum(user == name for _, user in crowd.waiting.values()) for name in names[:SENDERS]}
    expected = sum(clients[names[index % SENDERS % len(names)]] for index in range(count))
    cpu, begun = gateway.cpu(), time.perf_counter()
    sender.start()
    quiet = time.perf_counter() + GRACE
    while len(crowd.told) < expected and time.perf_counter() < quiet:
        before = crowd.bells
        crowd.listen(0.1)
        if crowd.bells > before or sender.is_alive():
            quiet = time.perf_counter() + GRACE
    sender.join()
    wall, cpu = time.perf_counter() - begun, gateway.cpu() - cpu
    told = [
        (sender.sent[user, number], when) for user, number, when in crowd.told if (user, number) in sender.sent
    ]
    print(
        f"{count} mails in {wall:.1f} s, {len(told)} of {expected} tidings arrived, gateway {cpu / wall:.0%} of a core"
    )
    print(f"processor time of the gateway: {cpu / count * 1e3:.2f} ms each mail")
    percentiles("APPEND, sent to answered", [answered - sent for sent, answered in sender.sent.values()])
    percentiles("push delay, since APPEND was sent", [when - sent for (sent, _), when in told])
    percentiles("push delay, since APPEND was answered", [max(0.0, when - after) for (_, after), when in told])


def main(connections: int, users: int, mails: int, rate: float, directory: Path) -> None:
    """Set everything up and measure once."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    names = [f"user{number}" for number in range(users)]
    database = StoreDatabase(directory / "store")
    for name in names:
        create_user(database, name, name)
    database.close()
    more = "[limits]\nconnections_per_address = 20000\n"
    with store(directory / "store") as server:
        url = f"http://{server.places['store']}/"
        with GatewayProcess(directory / "gateway", url, more=more) as process:
            gateway = Gateway(process)
            warm = [log_in(gateway, name) for name in names[:SENDERS]]  # what the first logins cost is nobody's
            crowd = gather(gateway, names, connections)
            print(f"pids: gateway {process.process.pid}, store {server.process.pid}", flush=True)
            push(gateway, names, crowd, mails, rate)
            for client in warm:
                client.socket.close()


if __name__ == "__main__":
    given = [int(value) for value in sys.argv[1:5]]
    sizes = given + [1_000, 100, 400, 20][len(given) :]
    with tempfile.TemporaryDirectory() as temporary:
        main(*sizes, Path(temporary))
