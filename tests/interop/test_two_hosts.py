"""Gateway and store on two hosts: two network namespaces where we may make them, else two addresses of one host."""

from __future__ import annotations

import imaplib
import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.conftest import add_user
from tests.interop.mails import mail
from tests.support.gateway import GatewayProcess, run_program, store
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.interop


@dataclass(frozen=True)
class Hosts:
    """Two addresses, and what to write before a command that is to run on either host."""

    store: str
    gateway: str
    on_store: tuple[str, ...] = ()
    on_gateway: tuple[str, ...] = ()


def _ip(*arguments: str) -> bool:
    """Whether the kernel lets us do this with ip(8)."""
    done = subprocess.run(["ip", *arguments], capture_output=True, check=False)
    return done.returncode == 0


@contextmanager
def namespaces() -> Iterator[Hosts | None]:
    """Two namespaces joined by a cable; None where that is not permitted."""
    mark = uuid.uuid4().hex[:6]
    store_ns, gateway_ns = f"st{mark}", f"gw{mark}"
    with ExitStack() as undo:
        for name in (store_ns, gateway_ns):
            if os.geteuid() or not _ip("netns", "add", name):
                yield None
                return
            undo.callback(_ip, "netns", "del", name)
        steps = [f"link add {store_ns} netns {store_ns} type veth peer name {gateway_ns} netns {gateway_ns}"]
        for name, address in ((store_ns, "10.213.77.1/24"), (gateway_ns, "10.213.77.2/24")):
            steps += [
                f"-n {name} addr add {address} dev {name}",
                f"-n {name} link set {name} up",
                f"-n {name} link set lo up",
            ]
        if not all(_ip(*step.split()) for step in steps):
            yield None
            return
        yield Hosts(
            "10.213.77.1",
            "10.213.77.2",
            ("ip", "netns", "exec", store_ns),
            ("ip", "netns", "exec", gateway_ns),
        )


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    with namespaces() as found:
        yield found or Hosts("127.0.0.1", "127.0.0.2")


def test_mail_goes_from_one_host_to_the_other(hosts: Hosts, tmp_path: Path) -> None:
    data = tmp_path / "store"
    with store(data, f"{hosts.store}:0", prefix=hosts.on_store) as store_process:
        url = f"http://{store_process.places['store']}/"
        add_user(data, "alice")
        with GatewayProcess(tmp_path, url, host=hosts.gateway, prefix=hosts.on_gateway) as gateway:
            assert gateway.address("imap")[0] == hosts.gateway
            file = tmp_path / "mail"
            file.write_bytes(mail(5))
            curl = [*hosts.on_gateway, "curl", "--silent", "--show-error", "--user", "alice:alice"]
            imap = f"imap://{hosts.gateway}:{gateway.port('imap')}/INBOX"
            run_program(*curl, "--upload-file", str(file), imap)
            back = tmp_path / "back"
            run_program(*curl, "--output", str(back), f"pop3://{hosts.gateway}:{gateway.port('pop3')}/1")
            assert back.read_bytes() == mail(5)


def test_a_second_gateway_sees_the_same_numbers(tmp_path: Path) -> None:
    """UIDs and UIDVALIDITY come from the store: a client may change gateways and keeps its cache."""
    data = tmp_path / "store"
    with store(data) as store_process:
        url = f"http://{store_process.places['store']}/"
        add_user(data, "alice")
        with (
            GatewayProcess(tmp_path / "one", url) as one,
            GatewayProcess(tmp_path / "two", url, host="127.0.0.2") as two,
        ):
            seen = []
            for gateway in (one, two):
                with imaplib.IMAP4(*gateway.address("imap"), timeout=PATIENCE) as imap:
                    imap.login("alice", "alice")
                    if gateway is one:
                        for number in range(3):
                            imap.append("INBOX", None, None, mail(number))
                    imap.select("INBOX")
                    seen.append((imap.response("UIDVALIDITY"), imap.fetch("1:*", "(UID RFC822.SIZE)")))
            assert seen[0] == seen[1]
            assert len(seen[0][1][1]) == 3
