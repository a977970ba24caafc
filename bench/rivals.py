"""The gateway before its store and Dovecot on a maildir, on one machine: the wall time that the same client sees.

Run: ``python bench/rivals.py [messages, 1000 or more] [directory]``. It needs Debian's package ``dovecot-imapd`` (2.3). Dovecot runs
from a configuration of its own on a high port of the loopback, without root, in a directory that goes away; a directory
that is given keeps the mails for the next run. Prints a table; asserts nothing.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from imap import MAIL, Client, fill

from tests.support.dovecot import dovecot_program, running_dovecot
from tests.support.gateway import ADMIN, GatewayProcess, run_program, store

IDLE = 100
MANY = 20


@dataclass
class Server:
    """One of the two, while it runs."""

    name: str
    address: tuple[str, int]
    pid: int
    figures: dict[str, float] = field(default_factory=dict)

    def memory(self) -> int:
        """Octets of the process and those below it, each shared page counted in its part."""
        family, found = {self.pid}, {self.pid}
        while found:
            found = {pid for pid, parent in parents().items() if parent in found} - family
            family |= found
        return sum(proportional(pid) for pid in family)


def parents() -> dict[int, int]:
    """Every process's parent."""
    answer = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            answer[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it ended meanwhile
    return answer


def proportional(pid: int) -> int:
    """PSS in octets."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


@contextmanager
def gateway(directory: Path) -> Iterator[Server]:
    """Our own, two processes."""
    data = directory / "store"
    if not data.exists():
        run_program(ADMIN, "user", "--data", str(data), "add", "bench", "--password", "bench")
    more = "[limits]\nconnections_per_address = 20000\n"
    with store(data) as server:
        url = f"http://{server.places['store']}/"
        with GatewayProcess(directory / "gateway", url, more=more) as process:
            yield Server("gateway", process.address("imap"), process.process.pid)


@contextmanager
def dovecot(directory: Path) -> Iterator[Server]:
    """Dovecot as it comes."""
    with running_dovecot(directory / "dovecot", "bench") as (address, pid):
        yield Server("dovecot", address, pid)


def timed(server: Server, what: str, client: Client, *commands: bytes) -> None:
    """The best of a few commands, in milliseconds, since other work of the machine only adds; the median of many."""
    times = []
    for command in commands:
        start = time.perf_counter()
        client.command(command)
        times.append((time.perf_counter() - start) * 1e3)
    server.figures[what] = min(times) if len(times) < MANY else median(times)


def measure(server: Server, count: int) -> None:
    """Every figure of one server, which was started anew; its mails were there before."""
    client = Client(server.address)
    client.login()
    everything = b"FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"
    before = server.memory()
    waiting = [Client(server.address) for _ in range(IDLE)]
    for one in waiting:
        one.login()
    server.figures["memory of a logged-in client, KiB"] = (server.memory() - before) / IDLE / 1024
    for one in waiting:
        one.socket.close()
    timed(server, "SELECT, first after a start", client, b"SELECT INBOX")
    timed(server, "SELECT warm", client, *[b"SELECT INBOX"] * 15)
    timed(server, "FETCH 1:* FLAGS", client, *[b"FETCH 1:* (FLAGS)"] * 15)
    timed(server, "FETCH 1:* all metadata, first", client, everything)
    timed(server, "FETCH 1:* all metadata, again", client, *[everything] * 5)
    timed(server, "SEARCH UNSEEN LARGER 10", client, *[b"SEARCH UNSEEN LARGER 10"] * 15)
    timed(server, "SEARCH SUBJECT", client, *[b'SEARCH SUBJECT "number 77"'] * 3)
    timed(server, "SEARCH BODY", client, *[b'SEARCH BODY "number 77"'] * 3)
    bodies = [b"FETCH %d:%d BODY.PEEK[]" % (first, first + 199) for first in range(1, 1001, 200)]
    timed(server, "BODY[] of 200, others each time", client, *bodies)
    timed(server, "BODY[] of one", client, *[b"FETCH %d BODY.PEEK[]" % n for n in range(count - 20, count)])
    timed(server, "STORE of 100 flags", client, *[b"STORE 1:100 %cFLAGS (\\Seen)" % sign for sign in b"+-+-+-"])
    mail = MAIL % (1, 1, 1)
    timed(server, "APPEND of one", client, *[b"APPEND INBOX {%d+}\r\n%b" % (len(mail), mail)] * 200)


def table(ours: dict[str, float], theirs: dict[str, float]) -> None:
    """The figures side by side, as a table of Markdown."""
    print("| milliseconds unless said otherwise | gateway | Dovecot | ratio |\n|---|---:|---:|---:|")
    for what, figure in ours.items():
        print(f"| {what} | {figure:.1f} | {theirs[what]:.1f} | {figure / theirs[what]:.2f} |")
    rates = [1e3 / figures["APPEND of one"] for figures in (ours, theirs)]
    print(f"| APPEND, per second | {rates[0]:.0f} | {rates[1]:.0f} | {rates[0] / rates[1]:.2f} |")


def main(count: int, directory: Path) -> None:
    """Fill both, start both anew, measure one after the other."""
    figures = []
    for start in (gateway, dovecot):
        with start(directory) as server:
            fill(server, count)
        with start(directory) as server:
            measure(server, count)
            figures.append(server.figures)
    table(*figures)


if __name__ == "__main__":
    if dovecot_program() is None:
        print("left out: there is no Dovecot to compare with (apt install dovecot-imapd)")
        raise SystemExit
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    if len(sys.argv) > 2:
        main(messages, Path(sys.argv[2]).absolute())
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(messages, Path(temporary))
