"""Addresses of the configuration become listening sockets; what does not work is said in words."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.protocol import Factory, Protocol

from gateway.listen import Address, ListenError, Listening, addresses, inherited, place_of
from tests.support.patience import PATIENCE
from tests.support.reactor import call, reactor, run

GOOD = [
    ("127.0.0.1:143", ["127.0.0.1:143"]),
    ("[::1]:143", ["[::1]:143"]),
    ("localhost:0", ["127.0.0.1:0"]),
    ("*:993", ["0.0.0.0:993", "[::]:993"]),
    (":993", ["0.0.0.0:993", "[::]:993"]),
    ("unix:/run/imap.sock", ["unix:/run/imap.sock"]),
    ("systemd:imap", ["systemd:imap"]),
]


@pytest.mark.parametrize(("text", "places"), GOOD)
def test_addresses(text: str, places: list[str]) -> None:
    assert list(map(str, addresses(text))) == places


@pytest.mark.parametrize(
    "text", ["", "143", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "mail.example:143", "unix:"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ListenError, match='"'):
        addresses(text)


class Hello(Protocol):
    def connectionMade(self) -> None:
        self.transport.write(b"hello")
        self.transport.loseConnection()


def listening(*texts: str) -> Listening:
    service = Listening("test", texts, Factory.forProtocol(Hello), reactor)
    call(service.startService)
    return service


def stop(service: Listening) -> None:
    async def work() -> None:
        await service.stopService()

    run(work)


def hello_from(family: int, address: Any) -> bytes:
    with socket.socket(family) as client:
        client.settimeout(5)
        client.connect(address)
        return client.recv(100)


def test_tcp() -> None:
    service = listening("127.0.0.1:0")
    place = place_of(service.ports[0])
    host, _, port = place.rpartition(":")
    assert hello_from(socket.AF_INET, (host, int(port))) == b"hello"
    with pytest.raises(ListenError, match=f"test: {place} is taken: another program"):
        listening(place)
    stop(service)
    stop(listening(place))


def test_a_local_socket_replaces_a_dead_one_but_not_a_live_one(tmp_path: Path) -> None:
    path = tmp_path / "s"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    service = listening(f"unix:{path}")
    assert hello_from(socket.AF_UNIX, str(path)) == b"hello"
    assert oct(path.stat().st_mode)[-3:] == "660"
    with pytest.raises(ListenError, match="is taken"):
        listening(f"unix:{path}")
    stop(service)


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ListenError, match=r"^test: unix:.*/missing/s: No such file or directory"):
        listening(f"unix:{tmp_path}/missing/s")


def test_a_socket_that_systemd_opened() -> None:
    """A process gets its sockets from descriptor 3 on, as systemd.exec(5) says."""
    look = (
        "from gateway.listen import inherited; print(*(inherited(n).getsockname()[1] for n in ('imap', '0')))"
    )
    start = 'exec 3<&"$1"; export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=imap; exec "$2" -c "$3"'
    with socket.create_server(("127.0.0.1", 0)) as opened:
        descriptor = opened.fileno()
        command = ["bash", "-c", start, "bash", str(descriptor), sys.executable, look]
        done = subprocess.run(command, pass_fds=[descriptor], capture_output=True, timeout=PATIENCE, check=True)
        port = opened.getsockname()[1]
    assert done.stdout.split() == [b"%d" % port, b"%d" % port]


def test_a_socket_that_systemd_did_not_open() -> None:
    with pytest.raises(ListenError, match='no socket "imap"; it passed 0'):
        inherited("imap")


def test_an_address_prints_as_it_is_written() -> None:
    assert str(Address("tcp", "::1", 5)) == "[::1]:5"
