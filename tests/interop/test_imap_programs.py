"""offlineimap keeps a maildir like the store, neomutt is steered by keys, curl asks what URLs can say."""

from __future__ import annotations

import imaplib
import mailbox
import os
import pty
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.interop.mails import mail
from tests.support.gateway import GatewayProcess, run_program
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.interop


@contextmanager
def imap(gateway: GatewayProcess, user: str) -> Iterator[imaplib.IMAP4]:
    with imaplib.IMAP4(*gateway.address("imap"), timeout=PATIENCE) as client:
        client.login(user, user)
        yield client


def fill(gateway: GatewayProcess, user: str, count: int) -> None:
    with imap(gateway, user) as client:
        for number in range(count):
            assert client.append("INBOX", None, None, mail(number))[0] == "OK"


def flags_in_store(gateway: GatewayProcess, user: str, folder: str = "INBOX") -> dict[str, set[str]]:
    """The flags of each mail by the number of its subject."""
    with imap(gateway, user) as client:
        client.select(folder, readonly=True)
        _, answer = client.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
    pairs = [part for part in answer if isinstance(part, tuple)]
    found = {}
    for head, header in pairs:
        identity = re.search(rb"<(\d+)\.", header)
        assert identity is not None
        found[identity[1].decode()] = {flag.decode() for flag in imaplib.ParseFlags(head)}
    return found


_OFFLINEIMAP = """\
[general]
metadata = {directory}/metadata
accounts = work
ui = quiet
[Account work]
localrepository = here
remoterepository = there
[Repository here]
type = Maildir
localfolders = {directory}/mail
[Repository there]
type = IMAP
remotehost = localhost
remoteport = {port}
ssl = {ssl}
starttls = {starttls}
sslcacertfile = {certificate}
remoteuser = {user}
remotepass = {user}
maxconnections = 2
"""


#: OpenSSL of a client that stops at TLS 1.2.
_TLS_12 = """\
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = limits
[limits]
MaxProtocol = TLSv1.2
"""


@pytest.mark.parametrize("tls", ["none", "tls", "starttls"])
def test_offlineimap_synchronizes_both_ways(
    gateway: GatewayProcess, user: str, tls: str, tmp_path: Path
) -> None:
    """STARTTLS runs over TLS 1.2 here, for imaplib2 sometimes waits for ever behind it with TLS 1.3.

    Its writer sends CAPABILITY while its reader takes in the session tickets that follow a TLS 1.3 handshake: two threads in
    one OpenSSL connection. Of 100 connections 3 or 4 hang, with a server of Python's ssl module alone as well; none
    of 100 when that server sends no tickets, and none with TLS 1.2.
    """
    fill(gateway, user, 12)
    config = tmp_path / "offlineimaprc"
    config.write_text(
        _OFFLINEIMAP.format(
            directory=tmp_path,
            port=gateway.port("imaps" if tls == "tls" else "imap"),
            ssl="yes" if tls == "tls" else "no",
            starttls="yes" if tls == "starttls" else "no",
            certificate=gateway.certificate,
            user=user,
        )
    )

    environment = {**os.environ, "HOME": str(tmp_path)}
    if tls == "starttls":
        environment["OPENSSL_CONF"] = str(tmp_path / "openssl.cnf")
        (tmp_path / "openssl.cnf").write_text(_TLS_12)

    def run() -> None:
        run_program("offlineimap", "-c", str(config), "-o", env=environment)

    run()
    here = mailbox.Maildir(tmp_path / "mail" / "INBOX", factory=None)
    taken = sorted(here.get_bytes(key) for key in here.iterkeys())
    assert taken == sorted(mail(number).replace(b"\r\n", b"\n") for number in range(12))
    assert (tmp_path / "mail" / "Sent Items").is_dir()

    for key, message in here.items():
        number = re.match(r"<(\d+)\.", message["Message-ID"])
        assert number is not None
        if number[1] == "3":
            here.remove(key)
        elif number[1] == "4":
            message.set_flags("FS")
            here[key] = message
    drafts = mailbox.Maildir(tmp_path / "mail" / "Drafts", factory=None)
    drafts.add(mail(50).replace(b"\r\n", b"\n"))
    with imap(gateway, user) as client:
        client.select("INBOX")
        client.store("6", "+FLAGS", "\\Answered")
        client.store("7", "+FLAGS", "\\Deleted")
        client.expunge()
    run()
    run()
    flags = flags_in_store(gateway, user)
    assert sorted(flags, key=int) == [str(number) for number in range(12) if number not in (3, 6)]
    assert (flags["4"], flags["5"]) == ({"\\Flagged", "\\Seen"}, {"\\Answered"})
    assert list(flags_in_store(gateway, user, "Drafts")) == ["50"]
    kept = {re.sub(r"\..*", "", message["Message-ID"])[1:]: message.get_flags() for message in here}
    assert sorted(kept) == sorted(flags)
    assert kept["5"] == "R"


_MUTTRC = """\
set folder = {url}
set spoolfile = +INBOX
set imap_pass = {user}
set ssl_starttls = {starttls}
set ssl_force_tls = {starttls}
set certificate_file = {certificate}
set ssl_verify_host = no
set imap_check_subscribed = yes
set delete = yes
set quit = yes
set confirmappend = no
set confirmcreate = no
set mbox_type = Maildir
set header_cache =
set resolve = no
set sleep_time = 0
set wait_key = no
set mail_check_stats = yes
"""


def neomutt(directory: Path, keys: str) -> str:
    """Run it on a terminal with keys already typed; what the terminal showed."""
    shown: list[bytes] = []
    master, terminal = pty.openpty()

    def watch() -> None:
        with suppress(OSError):
            while data := os.read(master, 65536):
                shown.append(data)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    environment = {**os.environ, "TERM": "xterm", "HOME": str(directory), "LINES": "40", "COLUMNS": "120"}
    command = ["neomutt", "-n", "-F", str(directory / "muttrc"), "-e", f'push "{keys}"']
    try:
        done = subprocess.run(
            command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment, timeout=PATIENCE, check=False,
            start_new_session=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise AssertionError(b"".join(shown).decode(errors="replace")) from None
    finally:
        os.close(terminal)
        watching.join(5)
        os.close(master)
    text = b"".join(shown).decode(errors="replace")
    assert done.returncode == 0, text
    return text


@pytest.mark.parametrize(("protocol", "starttls"), [("imap", "no"), ("imap", "yes"), ("imaps", "no")])
def test_neomutt_reads_copies_flags_and_deletes(
    gateway: GatewayProcess, user: str, protocol: str, starttls: str, tmp_path: Path
) -> None:
    fill(gateway, user, 6)
    url = f"{protocol}://{user}@localhost:{gateway.port(protocol)}/"
    (tmp_path / "muttrc").write_text(
        _MUTTRC.format(url=url, user=user, certificate=gateway.certificate, starttls=starttls)
    )
    steps = [
        "<first-entry><display-message><exit>",
        "<tag-pattern>~A<enter><tag-prefix><copy-message>",
        f"<kill-line>{tmp_path}/copies<enter>",
        "<untag-pattern>~A<enter>",
        "<next-entry><flag-message>",
        "<first-entry><copy-message><kill-line>=Drafts<enter>",
        "<last-entry><delete-message><sync-mailbox><quit>",
    ]
    shown = neomutt(tmp_path, "".join(steps))
    copies = mailbox.Maildir(tmp_path / "copies", factory=None)
    assert len(copies) == 6, shown
    flags = flags_in_store(gateway, user)
    assert sorted(flags) == ["0", "1", "2", "3", "4"], shown
    assert "\\Seen" in flags["0"]
    assert "\\Flagged" in flags["1"]
    assert list(flags_in_store(gateway, user, "Drafts")) == ["0"]


def test_curl_asks_with_urls_and_commands(gateway: GatewayProcess, user: str) -> None:
    """The parts of RFC 5092 that curl knows, and commands of one's own."""
    fill(gateway, user, 6)
    curl = ["curl", "--silent", "--show-error", "-4", "--user", f"{user}:{user}"]
    url = f"imap://localhost:{gateway.port('imap')}"
    (found,) = re.findall(r"\* SEARCH ([\d ]+)", run_program(*curl, f"{url}/INBOX?SUBJECT%203%3A"))
    assert found == "4"
    uids = re.findall(r"UID (\d+)", run_program(*curl, f"{url}/INBOX", "--request", "FETCH 1:* (UID)"))
    assert len(uids) == 6
    header = run_program(*curl, f"{url}/INBOX;UID={uids[3]};SECTION=HEADER.FIELDS%20(MESSAGE-ID)")
    assert header.strip() == "Message-ID: <3.7@example.com>"
    assert "MESSAGES 6" in run_program(*curl, f"{url}/", "--request", "STATUS INBOX (MESSAGES SIZE)")
    run_program(*curl, f"{url}/", "--request", "CREATE Work/2024")
    run_program(*curl, f"{url}/INBOX", "--request", f"UID MOVE {uids[0]} Work/2024")
    assert list(flags_in_store(gateway, user, "Work/2024")) == ["0"]
    assert '"Work/2024"' in run_program(*curl, f"{url}/Work/")


def test_curl_makes_an_archive_and_follows_a_thread(gateway: GatewayProcess, user: str) -> None:
    """CREATE-SPECIAL-USE, THREADID and a result that is kept up to date, as anybody can ask for them."""
    fill(gateway, user, 2)
    curl = ["curl", "--silent", "--show-error", "-4", "--user", f"{user}:{user}"]
    url = f"imap://localhost:{gateway.port('imap')}"
    run_program(*curl, f"{url}/", "--request", "CREATE Old (USE (\\Archive))")
    assert '\\Archive) "/" "Old"' in run_program(*curl, f"{url}/", "--request", 'LIST (SPECIAL-USE) "" *')
    (thread,) = re.findall(
        r"THREADID \((T\w+)\)", run_program(*curl, f"{url}/INBOX", "--request", "FETCH 1 THREADID")
    )
    run_program(*curl, f"{url}/INBOX", "--request", "COPY 1 Old")
    found = run_program(*curl, f"{url}/Old", "--request", f"UID SEARCH RETURN (COUNT UPDATE) THREADID {thread}")
    assert "UID COUNT 1" in found
