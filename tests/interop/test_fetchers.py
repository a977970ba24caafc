"""Programs that fetch mail: curl, getmail, fetchmail, mpop and poplib; with TLS and without, leaving mail and taking it."""

from __future__ import annotations

import imaplib
import os
import poplib
import ssl
from pathlib import Path

import pytest

from tests.interop.mails import mail
from tests.support.gateway import GatewayProcess, run_program
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.interop


@pytest.fixture
def filled(gateway: GatewayProcess, user: str) -> str:
    """A user with ten mails."""
    with imaplib.IMAP4(*gateway.address("imap"), timeout=PATIENCE) as imap:
        imap.login(user, user)
        for number in range(10):
            status, _ = imap.append("INBOX", None, None, mail(number))
            assert status == "OK"
    return user


def lines_of(data: bytes) -> list[bytes]:
    """A mail whatever the line ends, which fetchers convert, and without the lines that getmail adds."""
    lines = data.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    return [line for line in lines if not line.startswith((b"Return-Path: ", b"X-getmail-"))]


@pytest.mark.parametrize("protocol", ["imap", "imaps", "pop3", "pop3s"])
def test_curl_reads_a_mail(gateway: GatewayProcess, filled: str, protocol: str, tmp_path: Path) -> None:
    path = "INBOX;MAILINDEX=3" if protocol.startswith("imap") else "3"
    url = f"{protocol}://localhost:{gateway.port(protocol)}/{path}"
    output = tmp_path / "mail"
    certificate = str(gateway.certificate)
    command = ["curl", "--silent", "--show-error", "--user", f"{filled}:{filled}", "--cacert", certificate]
    run_program(*command, "-4", "--output", str(output), url)
    assert output.read_bytes() == mail(2)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_curl_insists_on_tls(gateway: GatewayProcess, filled: str, protocol: str) -> None:
    url = f"{protocol}://localhost:{gateway.port(protocol)}/"
    certificate = str(gateway.certificate)
    command = ["curl", "--silent", "--show-error", "--ssl-reqd", "--user", f"{filled}:{filled}"]
    said = run_program(*command, "--cacert", certificate, "-4", url)
    assert "INBOX" in said if protocol == "imap" else len(said.splitlines()) == 10


def test_curl_uploads(gateway: GatewayProcess, user: str, tmp_path: Path) -> None:
    file = tmp_path / "mail"
    file.write_bytes(mail(4))
    url = f"imap://localhost:{gateway.port('imap')}/INBOX"
    run_program(
        "curl", "--silent", "--show-error", "-4", "--user", f"{user}:{user}", "--upload-file", str(file), url
    )
    output = tmp_path / "back"
    run_program(
        "curl", "--silent", "-4", "--user", f"{user}:{user}", "--output", str(output), f"{url};MAILINDEX=1"
    )
    assert output.read_bytes() == mail(4)


_GETMAIL = """\
[retriever]
type = {kind}
server = localhost
port = {port}
username = {user}
password = {user}
[destination]
type = MDA_external
path = /bin/sh
arguments = ("-c", "cat > {taken}/$$")
allow_root_commands = true
[options]
read_all = false
delete = {delete}
delivered_to = false
received = false
"""


@pytest.mark.parametrize(
    ("kind", "protocol"),
    [("SimplePOP3Retriever", "pop3"), ("SimplePOP3SSLRetriever", "pop3s"), ("SimpleIMAPRetriever", "imap")],
)
def test_getmail(gateway: GatewayProcess, filled: str, kind: str, protocol: str, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()

    def run(delete: str) -> None:
        text = _GETMAIL.format(kind=kind, port=gateway.port(protocol), user=filled, taken=taken, delete=delete)
        (tmp_path / "getmailrc").write_text(text)
        run_program("getmail", "--getmaildir", str(tmp_path), "--rcfile", "getmailrc")

    run("false")
    found = sorted(lines_of(file.read_bytes()) for file in taken.iterdir())
    assert found == sorted(lines_of(mail(number)) for number in range(10))
    run("false")  # by the unique ids it sees that it has them all
    assert len(list(taken.iterdir())) == 10
    run("true")
    run("true")
    with imaplib.IMAP4(*gateway.address("imap"), timeout=PATIENCE) as imap:
        imap.login(filled, filled)
        assert imap.select("INBOX")[1] == [b"0"]


@pytest.mark.parametrize("protocol", ["pop3", "imap"])
def test_fetchmail(gateway: GatewayProcess, filled: str, protocol: str, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    rc = tmp_path / "fetchmailrc"
    rc.write_text(
        f"poll localhost service {gateway.port(protocol)} proto {protocol.upper()} user {filled} password {filled} "
        f"no rewrite fetchall nokeep sslproto '' mda \"/bin/sh -c 'cat > {taken}/$$'\"\n"
    )
    rc.chmod(0o600)
    environment = {**os.environ, "FETCHMAILHOME": str(tmp_path), "HOME": str(tmp_path)}
    run_program("fetchmail", "-f", str(rc), "--pidfile", str(tmp_path / "pid"), "--invisible", env=environment)
    found = sorted(
        file.read_bytes().partition(b"Message-ID: ")[2].split(b"\n")[0].strip() for file in taken.iterdir()
    )
    expected = sorted(mail(number).partition(b"Message-ID: ")[2].split(b"\r\n")[0] for number in range(10))
    assert found == expected
    with imaplib.IMAP4(*gateway.address("imap"), timeout=PATIENCE) as imap:
        imap.login(filled, filled)
        assert imap.select("INBOX")[1] == [b"0"]


_MPOP = """\
account default
host localhost
port {port}
user {user}
password {user}
auth {auth}
tls {tls}
tls_starttls {starttls}
tls_trust_file {certificate}
keep {keep}
delivery maildir {taken}
received_header off
uidls_file {taken}.uidls
"""


@pytest.mark.parametrize(
    ("protocol", "tls", "starttls", "auth"),
    [
        ("pop3", "off", "off", "user"),
        ("pop3", "off", "off", "plain"),
        ("pop3", "on", "on", "login"),
        ("pop3s", "on", "off", "plain"),
    ],
)
def test_mpop(
    gateway: GatewayProcess, filled: str, protocol: str, tls: str, starttls: str, auth: str, tmp_path: Path
) -> None:
    """It pipelines, and it checks what LIST promised."""
    taken = tmp_path / "taken"
    for name in ("new", "cur", "tmp"):
        (taken / name).mkdir(parents=True)

    def run(keep: str) -> str:
        trust = gateway.certificate if tls == "on" else ""
        text = _MPOP.format(port=gateway.port(protocol), user=filled, auth=auth, tls=tls, starttls=starttls, certificate=trust, keep=keep, taken=taken)  # fmt: skip
        rc = tmp_path / "mpoprc"
        rc.write_text("\n".join(line for line in text.splitlines() if line != "tls_trust_file "))
        rc.chmod(0o600)
        return run_program("mpop", "-C", str(rc), "--quiet")

    run("on")
    found = sorted(lines_of(file.read_bytes()) for file in (taken / "new").iterdir())
    assert found == sorted(lines_of(mail(number)) for number in range(10))
    run("on")  # by the unique ids it sees that it has them all
    assert len(list((taken / "new").iterdir())) == 10
    run("off")
    with imaplib.IMAP4(*gateway.address("imap"), timeout=PATIENCE) as imap:
        imap.login(filled, filled)
        assert imap.select("INBOX")[1] == [b"0"]


@pytest.mark.parametrize("protocol", ["pop3", "pop3s"])
def test_fetchmail_over_tls(gateway: GatewayProcess, filled: str, protocol: str, tmp_path: Path) -> None:
    """Leaving mail on the server, by unique ids."""
    taken = tmp_path / "taken"
    taken.mkdir()
    how = "ssl" if protocol == "pop3s" else "sslproto TLS1.2+"
    rc = tmp_path / "fetchmailrc"
    rc.write_text(
        f"poll localhost service {gateway.port(protocol)} proto POP3 uidl user {filled} password {filled} {how} "
        f"sslcertck sslcertfile {gateway.certificate} no rewrite keep mda \"/bin/sh -c 'cat > {taken}/$$'\"\n"
    )
    rc.chmod(0o600)
    environment = {**os.environ, "FETCHMAILHOME": str(tmp_path), "HOME": str(tmp_path)}
    run_program("fetchmail", "-f", str(rc), "--pidfile", str(tmp_path / "pid"), "--invisible", env=environment)
    assert len(list(taken.iterdir())) == 10


@pytest.mark.parametrize("protocol", ["pop3", "pop3s"])
def test_poplib(gateway: GatewayProcess, filled: str, protocol: str) -> None:
    context = ssl.create_default_context(cafile=str(gateway.certificate))
    host, port = "localhost", gateway.port(protocol)
    pop = poplib.POP3_SSL(host, port, context=context, timeout=PATIENCE) if protocol == "pop3s" else poplib.POP3(host, port, timeout=PATIENCE)  # fmt: skip
    try:
        if protocol == "pop3":
            pop.stls(context)
        assert {"TOP", "UIDL", "SASL", "PIPELINING", "UTF8"} <= set(pop.capa())
        pop.utf8()
        pop.user(filled)
        pop.pass_(filled)
        count, octets = pop.stat()
        assert (count, octets) == (10, sum(len(mail(number)) for number in range(10)))
        for number in range(1, 11):
            _, lines, size = pop.retr(number)
            assert b"\r\n".join(lines) + b"\r\n" == mail(number - 1)
            assert size == int(pop.list(number).split()[2]) == len(mail(number - 1))  # type: ignore[union-attr]
            pop.dele(number)
        pop.rset()
        assert pop.stat() == (count, octets)
        pop.quit()
    finally:
        pop.close()
