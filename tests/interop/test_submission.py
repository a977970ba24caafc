"""Programs that send: smtplib, swaks and curl, on the port for STARTTLS and on the one for TLS."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.mails import mail
from tests.submission.smarthosts import Script, smarthost
from tests.support.gateway import GatewayProcess, run_program
from tests.support.patience import PATIENCE
from tests.support.store import RunningStore, running_store

pytestmark = pytest.mark.interop
ME = "alice@example.com"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    with running_store(tmp_path_factory.mktemp("store")) as running:
        running.add_user("alice", email=ME)
        yield running


@pytest.fixture(scope="module")
def script() -> Iterator[Script]:
    with smarthost() as running:
        yield running


@pytest.fixture(scope="module")
def sender(
    store: RunningStore, script: Script, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    more = f"""
[submission]
enabled = true
listen = ["127.0.0.1:0"]
tls_listen = ["127.0.0.1:0"]
plaintext_login = "never"
smarthost = "{script.address}"
"""
    place = tmp_path_factory.mktemp("gateway")
    with GatewayProcess(place, store.url, trusted=store.unix, more=more) as running:
        yield running


@pytest.fixture
def mails(script: Script) -> list[bytes]:
    script.mails.clear()
    return script.mails


def mine(number: int) -> bytes:
    """A mail of the user."""
    return mail(number).replace(b"anna@example.com", ME.encode())


@pytest.mark.parametrize("implicit", [False, True])
def test_smtplib(sender: GatewayProcess, mails: list[bytes], implicit: bool) -> None:
    context = ssl.create_default_context(cafile=str(sender.certificate))
    if implicit:
        client: smtplib.SMTP = smtplib.SMTP_SSL(
            "localhost", sender.port("submissions"), context=context, timeout=PATIENCE
        )
    else:
        client = smtplib.SMTP("localhost", sender.port("submission"), timeout=PATIENCE)
    with client:
        client.ehlo()
        if not implicit:
            assert not client.has_extn("auth")
            assert client.docmd("AUTH", "PLAIN AGFsaWNlAGFsaWNl")[0] == 538
            client.starttls(context=context)
        client.login("alice", "alice")
        for number in range(3):
            client.sendmail(ME, ["ann@example.org"], mine(number))
    assert [each.replace(b"\r\n..", b"\r\n.") for each in mails] == [mine(number) for number in range(3)]


@pytest.mark.parametrize("auth", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("implicit", [False, True])
def test_swaks(sender: GatewayProcess, mails: list[bytes], auth: str, implicit: bool) -> None:
    port = sender.port("submissions" if implicit else "submission")
    run_program(
        "swaks", "--server", f"127.0.0.1:{port}", "--tls-on-connect" if implicit else "--tls", "--auth", auth,
        "--auth-user", "alice", "--auth-password", "alice", "--from", ME, "--to", "ann@example.org",
    )  # fmt: skip
    assert len(mails) == 1


@pytest.mark.parametrize("protocol", ["smtp", "smtps"])
def test_curl(sender: GatewayProcess, mails: list[bytes], protocol: str, tmp_path: Path) -> None:
    file = tmp_path / "mail"
    file.write_bytes(mine(5))
    port = sender.port("submissions" if protocol == "smtps" else "submission")
    run_program(
        "curl", "--silent", "--show-error", "-4", "--ssl-reqd", "--cacert", str(sender.certificate), "--user", "alice:alice",
        "--mail-from", ME, "--mail-rcpt", "ann@example.org", "--upload-file", str(file), f"{protocol}://localhost:{port}/",
    )  # fmt: skip
    assert [each.replace(b"\r\n..", b"\r\n.") for each in mails] == [mine(5)]
