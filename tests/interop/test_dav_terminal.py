"""khal and khard: calendars and contacts of people who live in a terminal, kept on the gateway by vdirsyncer."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.dav.server import Client, unfolded
from tests.support.gateway import GatewayProcess, run_program

pytestmark = [
    pytest.mark.interop,
    *[
        pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program}: apt install {program}")
        for program in ("khal", "khard")
    ],
]
_VDIRSYNCER = Path(sys.executable).with_name("vdirsyncer")
_SYNC = """
[general]
status_path = "{home}/status"
[pair here]
a = "local"
b = "remote"
collections = [["mine", "mine", "{name}"]]
conflict_resolution = "b wins"
[storage local]
type = "filesystem"
path = "{home}"
fileext = "{suffix}"
[storage remote]
type = "{kind}"
url = "http://127.0.0.1:{port}/"
username = "{user}"
password = "{user}"
"""
_KHAL = """
[calendars]
[[work]]
path = {home}/mine
[sqlite]
path = {home}/khal.db
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
local_timezone = Europe/Berlin
default_timezone = Europe/Berlin
[default]
default_calendar = work
"""
_KHARD = """
[addressbooks]
[[mine]]
path = {home}/mine
[general]
editor = true
merge_editor = true
[vcard]
preferred_version = 3.0
"""


class Here:
    """One machine: a directory, its programs, and vdirsyncer."""

    def __init__(self, home: Path, client: Client, kind: str) -> None:
        (home / "mine").mkdir(parents=True)
        self.home = home
        self._sync = home / "sync.conf"
        path = client.collection("calendar" if kind == "caldav" else "addressbook")
        self._sync.write_text(
            _SYNC.format(
                home=home,
                kind=kind,
                name=path.rstrip("/").rpartition("/")[2],
                suffix=".ics" if kind == "caldav" else ".vcf",
                port=client.port,
                user=client.user,
            )
        )
        places = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "CACHE", "DATA")}
        # Debian's programs, with Debian's Python.
        self._environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8", **places}
        self._vdirsyncer("discover")

    def _vdirsyncer(self, *arguments: str) -> None:
        run_program(str(_VDIRSYNCER), "--config", str(self._sync), *arguments, env=os.environ)

    def sync(self) -> None:
        """Exchange what was changed, even when nothing is left."""
        self._vdirsyncer("sync", "--force-delete")

    def run(self, program: str, *arguments: str) -> str:
        """Run a program with its configuration."""
        configuration = self.home / f"{program}.conf"
        if not configuration.exists():
            configuration.write_text({"khal": _KHAL, "khard": _KHARD}[program].format(home=self.home))
        return run_program(f"/usr/bin/{program}", "-c", str(configuration), *arguments, env=self._environment)


def test_khal_shows_on_one_machine_what_was_entered_on_another(
    gateway: GatewayProcess, user: str, tmp_path: Path
) -> None:
    client = Client(gateway.port("dav"), user)
    here, there = Here(tmp_path / "here", client, "caldav"), Here(tmp_path / "there", client, "caldav")
    here.run("khal", "new", "-a", "work", "2026-12-01", "10:00", "11:30", "Grüße", "::", "with soup")
    here.run("khal", "new", "2026-12-05", "2026-12-07", "Fair")
    weekly = ("-r", "weekly", "-u", "2026-12-30", "-l", "Room 2", "-m", "15m")
    here.run("khal", "new", *weekly, "2026-12-02", "09:00", "10:00", "Jour fixe")
    here.sync()
    there.sync()
    wanted = here.run("khal", "list", "2026-12-01", "30d")
    assert wanted.count("Jour fixe") == 4
    assert wanted.count("Fair") == 3
    assert there.run("khal", "list", "2026-12-01", "30d") == wanted
    assert "with soup" in there.run("khal", "search", "Grüße")
    here.sync()
    assert here.run("khal", "list", "2026-12-01", "30d") == wanted
    [series] = [path for path in (there.home / "mine").iterdir() if "FREQ=WEEKLY" in path.read_text()]
    text = series.read_text()
    assert "LOCATION:Room 2" in text
    assert "TRIGGER:-PT15M" in text


def test_khard_shows_on_one_machine_who_was_entered_on_another(
    gateway: GatewayProcess, user: str, tmp_path: Path
) -> None:
    client = Client(gateway.port("dav"), user)
    here, there = Here(tmp_path / "here", client, "carddav"), Here(tmp_path / "there", client, "carddav")
    entered = tmp_path / "ada.yaml"
    entered.write_text(
        "First name: Ada\nLast name: Lovelace\nOrganisation: Engines & Söhne\n"
        "Phone:\n    work: +44 20 7946 0000\nEmail:\n    home: ada@example.com\n"
        "Birthday: 1815-12-10\nNote: first of all\n"
    )
    here.run("khard", "new", "-a", "mine", "-i", str(entered))
    here.sync()
    there.sync()
    shown = there.run("khard", "show", "Lovelace")
    for text in ("Ada Lovelace", "Engines & Söhne", "+44 20 7946 0000", "ada@example.com", "first of all"):
        assert text in shown
    [kept] = (there.home / "mine").iterdir()
    assert "BDAY:1815-12-10" in kept.read_text()
    assert "ada@example.com" in there.run("khard", "email", "--parsable", "ada")
    there.run("khard", "remove", "--force", "Lovelace")
    there.sync()
    here.sync()
    assert list((here.home / "mine").iterdir()) == []
    assert "Lovelace" not in unfolded("".join(client.sync(client.collection("addressbook"))[1]))
