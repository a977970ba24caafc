"""What POP3 costs: RETR of 1,000 small mails and of ten of 20 MiB; CPU and memory of store, gateway and client together."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

from gateway.pop3.options import Options
from tests.pop3.server import Client, running_server

SMALL, COUNT, LARGE, LARGE_COUNT = 2_000, 1_000, 20 << 20, 10


def mail(number: int, size: int) -> bytes:
    head = f"From: a@example.com\r\nTo: b@example.com\r\nSubject: mail {number}\r\n\r\n".encode()
    return head + b".dots and some more text to fill a line of a usual length, as mail is\r\n" * (size // 70)


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, running_server(Path(directory)) as server:
        few, large = server.new_user(), server.new_user()
        for start in range(0, COUNT, 100):
            server.given(few, *[mail(start + number, SMALL) for number in range(100)])
        for number in range(LARGE_COUNT):
            server.given(large, mail(number, LARGE))
        port = server.listen(Options())

        client = Client(port)
        begin = time.perf_counter()
        client.log_in(few)
        client.ask("STAT")
        client.many("UIDL")
        print(f"login, STAT and UIDL of {COUNT} mails: {(time.perf_counter() - begin) * 1000:.0f} ms")
        begin, cpu = time.perf_counter(), time.process_time()
        for number in range(COUNT):
            client.many(f"RETR {number + 1}")
        took, used = time.perf_counter() - begin, time.process_time() - cpu
        print(
            f"RETR one by one: {COUNT / took:.0f} mails/s, {used / COUNT * 1e6:.0f} us CPU each (store, gateway, client)"
        )
        client.close()

        client = Client(port)
        client.log_in(large)
        before, begin, cpu = peak(), time.perf_counter(), time.process_time()
        for number in range(LARGE_COUNT):
            client.send(b"RETR %d\r\n" % (number + 1))
            client.line()
            tail, client._data = client._data, b""
            while not tail.endswith(b"\r\n.\r\n"):
                tail = (tail + client._socket.recv(1 << 16))[-8:]
        took, used = time.perf_counter() - begin, time.process_time() - cpu
        print(
            f"RETR of {LARGE_COUNT} x {LARGE >> 20} MiB: {LARGE_COUNT * LARGE / took / 1e6:.0f} MB/s, {used / LARGE_COUNT:.2f} s CPU each, peak memory {before:.0f} -> {peak():.0f} MiB (store included)"
        )
        client.close()


if __name__ == "__main__":
    main()
