"""The commands as an administrator uses them: starting, mistakes, reload, the check, the end."""

from __future__ import annotations

import imaplib
import os
import poplib
import random
import signal
import socket
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.tls import make_self_signed
from tests.interop.conftest import add_user
from tests.interop.mails import mail
from tests.support.gateway import ADMIN, TWISTD, GatewayProcess, Running, run_program, store, until
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.interop


def refused(*command: str) -> str:
    """What a command says that ends with an error."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1, done
    return done.stdout + done.stderr


def gateway_with(file: Path, text: str) -> tuple[str, ...]:
    file.write_text(text)
    return TWISTD, "--nodaemon", "--pidfile=", "gateway", "--config", str(file)


def test_a_typo_in_the_configuration_is_named(tmp_path: Path) -> None:
    said = refused(*gateway_with(tmp_path / "g.toml", "[imap]\nlistn = []\n"))
    assert f"{tmp_path / 'g.toml'}: [imap] has no option listn" in said
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        configuration = (
            f'[gateway]\ncache = "c"\n[imap]\nlisten = ["{place}"]\ntls_listen = []\n[dav]\nenabled = false\n'
        )
        said = refused(*gateway_with(tmp_path / "g.toml", configuration))
    assert f"imap: {place} is taken: another program" in said
    assert "Traceback" not in said


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    said = refused(*gateway_with(tmp_path / "g.toml", '[tls]\ncertificate = "missing.pem"\n'))
    assert f"{tmp_path / 'missing.pem'}: No such file or directory" in said
    assert "Traceback" not in said


def test_everything_in_one_process_and_the_check(tmp_path: Path) -> None:
    configuration = tmp_path / "gateway.toml"
    configuration.write_text(_EMBEDDED)
    with Running("gateway", "--config", str(configuration), "--greet") as running:
        running.wait_for("User demo, password demo")
        options = [
            *(
                f"--{name}={place.rpartition(':')[2]}"
                for name, place in running.places.items()
                if name != "store"
            ),
            f"--store=http://{running.places['store']}/",
        ]
        check = [ADMIN, "check", "localhost", "--user", "demo"]
        said = run_program(*check, *options, "--password", "demo", "--ca-file", str(tmp_path / "tls.pem"))
        assert [line.split()[:2] for line in said.splitlines()] == [
            ["ok", name] for name in ("imap", "imaps", "pop3", "pop3s", "dav", "davs", "store")
        ]
        said = refused(*check, *options, "--password", "wrong", "--insecure")
        assert said.count("BAD") == 7
        assert said.count("the password is wrong, or the user's feature is switched off") == 6
        assert "the store refuses the user name or the password" in said
        said = refused(*check, *options, "--password", "demo")
        assert said.count("the certificate is not trusted: self-signed certificate") == 5
        nothing = ["--imap=1", "--imaps=0", "--pop3=0", "--pop3s=0"]
        assert "nothing listens there" in refused(*check, *nothing, "--password", "demo")


_EMBEDDED = """\
[gateway]
cache = "cache"
[store]
embedded = true
[embedded]
data = "store"
listen = ["127.0.0.1:0"]
demo = true
[imap]
listen = ["127.0.0.1:0"]
tls_listen = ["127.0.0.1:0"]
[dav]
listen = ["127.0.0.1:0"]
tls_listen = ["127.0.0.1:0"]
[pop3]
listen = ["127.0.0.1:0"]
tls_listen = ["127.0.0.1:0"]
[tls]
certificate = "tls.pem"
self_signed = true
[limits]
wrong_password_delay = "10ms"
wrong_password_longest = "10ms"
[log]
levels = { "gateway.pop3" = "debug" }
"""


def test_the_demo_says_which_port_is_taken(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text(_EMBEDDED)
    with Running("gateway", "--config", str(tmp_path / "gateway.toml")) as running:
        place = running.places["pop3"]
        text = _EMBEDDED.replace('[pop3]\nlisten = ["127.0.0.1:0"]', f'[pop3]\nlisten = ["{place}"]')
        (tmp_path / "gateway.toml").write_text(text)
        said = refused(ADMIN, "demo", "--data", str(tmp_path))
    assert f"{place}: taken by another program, perhaps by another `make run`" in said


def test_the_demo_writes_a_configuration_that_works_and_keeps_it(tmp_path: Path) -> None:
    """The ports of `make run` are fixed; here somebody has chosen others."""
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "gateway.toml").write_text(_EMBEDDED)
    process = subprocess.Popen(
        [ADMIN, "demo", "--data", str(tmp_path / "var")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        assert any("Ready. Connect to" in line for line in lines)
        assert any("Ctrl-C stops everything" in line for line in lines)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) in (0, -signal.SIGINT)
    assert (tmp_path / "var" / "gateway.toml").read_text() == _EMBEDDED
    assert not list(tmp_path.glob("twistd*"))


def test_reload_takes_the_new_certificate(gateway: GatewayProcess, user: str, tmp_path: Path) -> None:
    def serial() -> str:
        return ssl.get_server_certificate(gateway.address("imaps"))

    with imaplib.IMAP4(*gateway.address("imap"), timeout=PATIENCE) as imap:
        imap.login(user, user)
        before = serial()
        old = gateway.certificate.read_bytes()
        make_self_signed(tmp_path / "new.pem")
        gateway.certificate.write_bytes((tmp_path / "new.pem").read_bytes())
        gateway.process.send_signal(signal.SIGHUP)
        gateway.wait_for("the certificates were read again")
        assert serial() != before
        gateway.certificate.write_text("nonsense")
        gateway.process.send_signal(signal.SIGHUP)
        gateway.wait_for("the certificates stay as they are")
        assert serial() != before
        gateway.certificate.write_bytes(old)
        gateway.process.send_signal(signal.SIGHUP)
        gateway.wait_for("the certificates were read again")
        assert serial() == before
        assert imap.noop()[0] == "OK"


def test_clients_are_told_when_the_gateway_stops(tmp_path: Path) -> None:
    with store(tmp_path / "store") as store_process:
        add_user(tmp_path / "store", "alice")
        gateway = GatewayProcess(tmp_path, f"http://{store_process.places['store']}/").start()
        imap = imaplib.IMAP4(*gateway.address("imap"), timeout=PATIENCE)
        imap.login("alice", "alice")
        pop3 = poplib.POP3(*gateway.address("pop3"), timeout=PATIENCE)
        gateway.stop()
        assert imap.readline().startswith(b"* BYE ")
        assert pop3.file.readline().startswith(b"-ERR [SYS/TEMP] the server is shutting down")
        imap.shutdown()
        pop3.close()
        assert not any("alice alice" in line or "password" in line.lower() for line in gateway.lines)


def test_quit_deletes_all_or_nothing_whatever_dies(tmp_path: Path) -> None:
    """kill -9 of the gateway around QUIT: afterwards the marked messages are all there or all gone (RFC 1939 section 6)."""
    seed = random.randrange(10**6)
    print("seed", seed)
    random_ = random.Random(seed)
    with store(tmp_path / "store") as store_process:
        add_user(tmp_path / "store", "alice")
        url = f"http://{store_process.places['store']}/"
        outcomes = set()
        for turn in range(4):
            gateway = GatewayProcess(tmp_path, url).start()
            outcomes.add(
                _interrupted_quit(gateway, random_.choice([0, 0.002, 0.01, 0.05]) if turn else PATIENCE)
            )
        assert outcomes <= {"deleted", "kept"}
        assert "deleted" in outcomes


def _interrupted_quit(gateway: GatewayProcess, patience: float) -> str:
    """Fill, mark three of five, QUIT, wait for the answer for a moment, kill; what became of the three."""
    with imaplib.IMAP4(*gateway.address("imap"), timeout=PATIENCE) as imap:
        imap.login("alice", "alice")
        if imap.select("INBOX")[1] != [b"0"]:
            imap.store("1:*", "+FLAGS", r"(\Deleted)")
            imap.expunge()
        for number in range(5):
            imap.append("INBOX", None, None, mail(number))
    pop3 = poplib.POP3(*gateway.address("pop3"), timeout=PATIENCE)
    pop3.user("alice")
    pop3.pass_("alice")
    for number in (1, 2, 3):
        pop3.dele(number)
    pop3.sock.sendall(b"QUIT\r\n")
    pop3.sock.settimeout(patience or 0.0001)
    with suppress(TimeoutError):
        pop3.sock.recv(100)
    gateway.kill()
    pop3.close()
    gateway.start()
    try:
        with imaplib.IMAP4(*gateway.address("imap"), timeout=PATIENCE) as imap:
            until(lambda: True if imap.login("alice", "alice")[0] == "OK" else None)
            count = int(imap.select("INBOX")[1][0])
    finally:
        gateway.stop()
    return {5: "kept", 2: "deleted"}.get(count, f"{count} left")


def test_the_admin_command_runs_outside_the_sources(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    said = run_program(ADMIN, "--version", cwd=tmp_path, env=environment)
    assert "version 0." in said
