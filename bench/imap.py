"""What IMAP costs the gateway: process CPU and wall time of one client's commands, memory per idle connection.

Run: ``python bench/imap.py [messages] [idle connections] [directory]``. Store and gateway run as processes of their
own, the client speaks raw IMAP over loopback. Prints figures; asserts nothing.
"""

from __future__ import annotations

import os
import resource
import socket
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.gateway import ADMIN, GatewayProcess, run_program, store

TICK = os.sysconf("SC_CLK_TCK")
MAIL = (
    b"From: Ann <ann@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: Number %d\r\n"
    b"Message-ID: <%d@example.org>\r\nDate: Mon, 13 Jul 2026 10:00:00 +0200\r\n\r\nText of number %d\r\n"
)


class Client:
    """A client that counts octets and does not parse."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = 0
        self._until(b"\r\n")

    def _until(self, end: bytes) -> int:
        tail, size = b"", 0
        while True:
            data = self.socket.recv(1 << 20)
            if not data:
                raise ConnectionError("the gateway closed the connection")
            size += len(data)
            tail = (tail + data)[-4096:]
            if end in tail and tail.endswith(b"\r\n"):
                return size

    def command(self, text: bytes) -> int:
        """Send a command and read to its end; octets of the answer."""
        self.number += 1
        tag = b"t%d " % self.number
        self.socket.sendall(tag + text + b"\r\n")
        return self._until(tag + b"OK")

    def login(self) -> None:
        self.command(b"LOGIN bench bench")


class Gateway:
    """What /proc says of the gateway."""

    def __init__(self, process: GatewayProcess) -> None:
        self.pid = process.process.pid
        self.address = process.address("imap")

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self) -> int:
        """Resident octets."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def measured(self, what: str, client: Client, command: bytes, count: int, times: int = 1) -> None:
        wall, cpu = time.perf_counter(), self.cpu()
        for _ in range(times):
            size = client.command(command)
        wall, cpu = (time.perf_counter() - wall) / times, (self.cpu() - cpu) / times
        print(
            f"{what:52} {wall * 1e3:9.1f} ms wall {cpu * 1e3:8.1f} ms cpu {cpu / count * 1e6:8.2f} us each"
            f" {size:10} octets",
            flush=True,
        )


def fill(gateway: Gateway, count: int) -> None:
    """APPEND until the Inbox has so many mails, in batches (MULTIAPPEND)."""
    client = Client(gateway.address)
    client.login()
    client.socket.sendall(b"s STATUS INBOX (MESSAGES)\r\n")
    answer = b""
    while b"s OK" not in answer:
        answer += client.socket.recv(4096)
    have = int(answer.split(b"MESSAGES ")[1].split(b")")[0])
    wall = time.perf_counter()
    added = count - have
    while have < count:
        batch = min(100, count - have)
        parts = []
        for number in range(have, have + batch):
            mail = MAIL % (number, number, number)
            parts.append(b" {%d+}\r\n%b" % (len(mail), mail))
        client.command(b"APPEND INBOX" + b"".join(parts))
        have += batch
    if added > 0:
        print(
            f"{added} mails appended, 100 at a time: {added / (time.perf_counter() - wall):.0f} per second",
            flush=True,
        )


def commands(gateway: Gateway, count: int) -> None:
    client = Client(gateway.address)
    client.login()
    gateway.measured("SELECT, first", client, b"SELECT INBOX", count)
    gateway.measured("SELECT, again", client, b"SELECT INBOX", count, 5)
    gateway.measured("FETCH 1:* (UID FLAGS)", client, b"FETCH 1:* (UID FLAGS)", count, 3)
    everything = b"FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"
    gateway.measured("FETCH 1:* all metadata, first", client, everything, count)
    gateway.measured("FETCH 1:* all metadata, again", client, everything, count)
    gateway.measured("UID SEARCH UNSEEN LARGER 10", client, b"UID SEARCH UNSEEN LARGER 10", count, 3)
    gateway.measured("UID SEARCH SUBJECT", client, b'UID SEARCH SUBJECT "number 77"', count, 3)
    gateway.measured("UID SEARCH BODY", client, b'UID SEARCH BODY "number 77"', count, 3)
    gateway.measured("FETCH 1:200 BODY.PEEK[]", client, b"FETCH 1:200 BODY.PEEK[]", 200, 3)
    gateway.measured("STORE 1:100 +FLAGS (\\Seen)", client, b"STORE 1:100 +FLAGS (\\Seen)", 100)
    gateway.measured("STORE 1:100 +FLAGS (\\Flagged)", client, b"STORE 1:100 +FLAGS (\\Flagged)", 100)
    gateway.measured("NOOP", client, b"NOOP", 1, 200)
    mail = MAIL % (1, 1, 1)
    append = b"APPEND INBOX {%d+}\r\n%b" % (len(mail), mail)
    gateway.measured("APPEND, one at a time", client, append, 1, 200)
    gateway.measured("LOGIN on a new connection", Client(gateway.address), b"LOGIN bench bench", 1)


def idling(gateway: Gateway, count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 100)), hard))
    warm = [Client(gateway.address) for _ in range(20)]
    for client in warm:
        client.login()
        client.command(b"SELECT INBOX")
    before = gateway.memory()
    clients = [Client(gateway.address) for _ in range(count)]
    for client in clients:
        client.login()
        client.command(b"SELECT INBOX")
    print(f"memory of a connection that selected INBOX: {(gateway.memory() - before) / count / 1024:.1f} KiB")
    for client in (*clients, *warm):
        client.socket.close()


def main(count: int, idle: int, directory: Path) -> None:
    """Measure everything once."""
    data = directory / "store"
    if not data.exists():
        run_program(ADMIN, "user", "--data", str(data), "add", "bench", "--password", "bench")
    more = "[limits]\nconnections_per_address = 20000\n"
    with store(data) as server:
        url = f"http://{server.places['store']}/"
        with GatewayProcess(directory / "gateway", url, more=more) as process:
            fill(Gateway(process), count)
        with GatewayProcess(directory / "gateway", url, more=more) as process:
            commands(Gateway(process), count)
        with GatewayProcess(directory / "gateway", url, more=more) as process:
            idling(Gateway(process), idle)


if __name__ == "__main__":
    arguments = [int(value) for value in sys.argv[1:3]]
    messages, connections = (arguments + [5_000, 500][len(arguments) :])[:2]
    if len(sys.argv) > 3:
        main(messages, connections, Path(sys.argv[3]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(messages, connections, Path(temporary))
