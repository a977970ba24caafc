"""Thunderbird, on a screen that nobody sees, opens the demo account: it logs in, lists, selects, fetches and waits."""

from __future__ import annotations

import imaplib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.interop.mails import mail
from tests.interop.nss import save_password
from tests.interop.relay import Relay
from tests.support.gateway import GatewayProcess, run_program, until
from tests.support.patience import PATIENCE

pytestmark = [
    pytest.mark.interop,
    pytest.mark.timeout(240),
    *[
        pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program}: apt install {package}")
        for program, package in (("thunderbird", "thunderbird"), ("Xvfb", "xvfb"), ("import", "imagemagick"))
    ],
]

_SETTINGS: dict[str, str | int | bool] = {
    "mail.accountmanager.accounts": "account1",
    "mail.accountmanager.defaultaccount": "account1",
    "mail.account.account1.server": "server1",
    "mail.account.account1.identities": "id1",
    "mail.account.lastKey": 1,
    "mail.identity.id1.fullName": "Demo",
    "mail.identity.id1.useremail": "demo@example.com",
    "mail.identity.id1.valid": True,
    "mail.server.server1.type": "imap",
    "mail.server.server1.hostname": "127.0.0.1",
    "mail.server.server1.userName": "demo",
    "mail.server.server1.name": "demo",
    "mail.server.server1.socketType": 0,
    "mail.server.server1.authMethod": 3,
    "mail.server.server1.login_at_startup": True,
    "mail.server.server1.check_new_mail": True,
    "mail.server.server1.offline_download": True,
    "mail.server.server1.autosync_max_age_days": -1,
    # Nothing that asks, tells of news, or speaks with anybody else.
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.shell.checkDefaultClient": False,
    "mail.rights.version": 1,
    "mailnews.start_page.enabled": False,
    "mailnews.start_page_override.mstone": "ignore",
    "mail.ui.show.migration.on.upgrade": False,
    "app.donation.eoy.version.viewed": 999,
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.policy.bypassNotification": True,
    "toolkit.telemetry.enabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "http://127.0.0.1:9/",
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "mail.phishing.detection.enabled": False,
    "mail.biff.show_alert": False,
    "mail.biff.play_sound": False,
    "mail.check_all_imap_folders_for_new": True,
}


@contextmanager
def screen(directory: Path) -> Iterator[str]:
    """A display without a screen; its name."""
    reading, writing = os.pipe()
    with open(directory / "xvfb.log", "wb") as log:
        process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
            pass_fds=[writing],
            stdout=log,
            stderr=log,
        )
    os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            yield f":{answer.readline().strip()}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


@contextmanager
def thunderbird(profile: Path, display: str) -> Iterator[subprocess.Popen[bytes]]:
    home = profile.parent
    environment = {**os.environ, "DISPLAY": display, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    environment |= {"MOZ_CRASHREPORTER_DISABLE": "1", "MOZ_DISABLE_CONTENT_SANDBOX": "1", "GDK_BACKEND": "x11"}
    with open(home / "thunderbird.log", "wb") as log:
        process = subprocess.Popen(
            ["thunderbird", "--profile", str(profile), "--no-remote"],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait(PATIENCE)


def write_profile(profile: Path, port: int) -> None:
    profile.mkdir()
    settings = {**_SETTINGS, "mail.server.server1.port": port}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in settings.items()]
    (profile / "user.js").write_text("".join(lines))
    save_password(profile, "imap://127.0.0.1", "demo", "demo")


def test_thunderbird_opens_the_demo_account(gateway: GatewayProcess, tmp_path: Path) -> None:
    """The window's picture and what was said on the wire stay in pytest's directory."""
    profile = tmp_path / "profile"
    with Relay(gateway.address("imap")) as relay, screen(tmp_path) as display:
        write_profile(profile, relay.port)
        with thunderbird(profile, display):
            try:
                until(lambda: has_mails(profile, 3), 90)
                until(lambda: True if "IDLE" in upper(relay) else None, 60)
                with imaplib.IMAP4(*gateway.address("imap"), timeout=PATIENCE) as other:
                    other.login("demo", "demo")
                    other.append("INBOX", None, None, mail(5))
                until(lambda: has_mails(profile, 4), 60)
            finally:
                run_program("import", "-display", display, "-window", "root", str(tmp_path / "screen.png"))
                (tmp_path / "dialogue.txt").write_text(relay.transcript())
    commands = upper(relay)
    for wanted in ("AUTHENTICATE PLAIN", "LIST ", 'SELECT "INBOX"', "UID FETCH "):
        assert any(command.startswith(wanted) for command in commands), (wanted, commands)
    assert not relay.refusals()
    assert list(profile.glob("ImapMail/*/Archive.sbd/Orders.msf")), "a folder of the store is not in the tree"


def upper(relay: Relay) -> list[str]:
    return [command.upper() for command in relay.commands()]


def has_mails(profile: Path, count: int) -> bool | None:
    """Whether Thunderbird has copies of so many mails of the INBOX in its own files."""
    for file in profile.glob("ImapMail/*/INBOX"):
        if file.read_bytes().count(b"\nSubject: ") >= count:
            return True
    return None
