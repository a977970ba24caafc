"""A real Postfix on loopback ports: it delivers into the store by LMTP, and it is the smarthost of submission."""

from __future__ import annotations

import imaplib
import shutil
import socket
import tempfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.support.gateway import GatewayProcess, run_program, until
from tests.support.store import RunningStore, running_store

pytestmark = pytest.mark.interop
ETC = Path(__file__).parents[2] / "etc" / "postfix-main.cf"
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """A Postfix of its own in a directory of its own."""

    def __init__(self, port: int, lmtp: int) -> None:
        self.port = port
        self.home = Path(tempfile.mkdtemp(prefix="postfix-"))
        self.home.chmod(0o755)
        for name, owner in (("etc", "root"), ("queue", "root"), ("data", "postfix")):
            (self.home / name).mkdir()
            shutil.chown(self.home / name, owner)
        known = run_program(
            "postconf", "-dH"
        ).split()  # an older Postfix lacks some of our example's parameters
        lines = [line for line in ETC.read_text().splitlines() if line.partition(" ")[0] in known]
        text = "\n".join(lines).replace("127.0.0.1:1024", f"127.0.0.1:{lmtp}")
        more = f"queue_directory = {self.home}/queue\ndata_directory = {self.home}/data\ninet_interfaces = 127.0.0.1\n"
        more += "alias_maps =\nalias_database =\ninet_protocols = ipv4\n"
        more += f"maillog_file_prefixes = /tmp\nmaillog_file = {self.home}/log\n"
        (self.home / "etc" / "main.cf").write_text(f"{text}\n{more}")
        (self.home / "etc" / "master.cf").write_text(MASTER.format(port=port))
        self.command("start")

    def command(self, word: str) -> None:
        run_program("postfix", "-c", str(self.home / "etc"), word)

    def close(self) -> None:
        self.command("stop")
        shutil.rmtree(self.home)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    with running_store(tmp_path_factory.mktemp("store")) as running:
        for name in ("alice", "bob"):
            running.add_user(name, email=f"{name}@example.com")
        yield running


@pytest.fixture(scope="module")
def gateway(
    store: RunningStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[GatewayProcess, Postfix]]:
    port = free_port()
    more = f"""
[lmtp]
enabled = true
listen = ["127.0.0.1:0"]
[submission]
enabled = true
listen = ["127.0.0.1:0"]
tls_listen = []
smarthost = "127.0.0.1:{port}"
sent_items = true
queue_interval = 0.2
"""
    with GatewayProcess(
        tmp_path_factory.mktemp("gateway"), store.url, trusted=store.unix, more=more
    ) as running:
        postfix = Postfix(port, running.port("lmtp"))
        try:
            yield running, postfix
        finally:
            postfix.close()


def mails(gateway: GatewayProcess, user: str, subject: str) -> list[bytes] | None:
    """The mails of a subject in a user's Inbox, None when there are none yet."""
    with imaplib.IMAP4("127.0.0.1", gateway.port("imap")) as client:
        client.login(user, user)
        client.select("INBOX")
        numbers = client.search(None, "SUBJECT", f'"{subject}"')[1][0].split()
        return [client.fetch(number.decode(), "(BODY.PEEK[])")[1][0][1] for number in numbers] or None


def test_postfix_delivers_what_swaks_sends(gateway: tuple[GatewayProcess, Postfix]) -> None:
    running, postfix = gateway
    run_program(
        "swaks", "--server", f"127.0.0.1:{postfix.port}", "--from", "ann@example.org", "--to", "alice@example.com,bob@example.com",
        "--header", "Subject: through Postfix", "--body", "Hello\n.\n..dots\n",
    )  # fmt: skip
    for user in ("alice", "bob"):
        (mail,) = until(lambda user=user: mails(running, user, "through Postfix"))  # type: ignore[misc]
        assert b"Hello\r\n.\r\n..dots\r\n" in mail
        assert message_from_bytes(mail)["Received"] is not None


def test_swaks_speaks_lmtp_to_us(gateway: tuple[GatewayProcess, Postfix]) -> None:
    running, _ = gateway
    run_program(
        "swaks", "--protocol", "LMTP", "--server", f"127.0.0.1:{running.port('lmtp')}", "--from", "ann@example.org",
        "--to", "alice@example.com", "--header", "Subject: by LMTP", "--pipeline",
    )  # fmt: skip
    assert len(until(lambda: mails(running, "alice", "by LMTP"))) == 1


def test_a_user_submits_and_postfix_brings_it_home(gateway: tuple[GatewayProcess, Postfix]) -> None:
    running, _ = gateway
    run_program(
        "swaks", "--server", f"127.0.0.1:{running.port('submission')}", "--tls", "--auth", "PLAIN", "--auth-user", "alice",
        "--auth-password", "alice", "--from", "alice@example.com", "--to", "bob@example.com", "--header", "Subject: round trip",
    )  # fmt: skip
    assert len(until(lambda: mails(running, "bob", "round trip"))) == 1


def test_an_unknown_recipient_is_returned(gateway: tuple[GatewayProcess, Postfix]) -> None:
    running, _ = gateway
    run_program(
        "swaks", "--server", f"127.0.0.1:{running.port('submission')}", "--auth", "PLAIN", "--auth-user", "alice",
        "--auth-password", "alice", "--from", "alice@example.com", "--to", "nobody@example.com", "--header", "Subject: lost",
    )  # fmt: skip
    (report,) = until(lambda: mails(running, "alice", "Undelivered Mail Returned to Sender"))
    assert b"5.1.1" in report
