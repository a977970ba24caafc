"""Evolution's data server (what Evolution, GNOME Calendar and GNOME Contacts use) on a running gateway, without a desktop."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dav.server import Client, card, event
from tests.support.gateway import GatewayProcess
from tests.support.patience import PATIENCE

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not Path("/usr/libexec/evolution-source-registry").exists(),
        reason="needs evolution-data-server, python3-gi, gir1.2-ecal-2.0, gir1.2-ebook-1.2 and dbus",
    ),
]
_SCRIPT = Path(__file__).with_name("evolution.py")
_SOURCE = """\
[Data Source]
DisplayName=Remote
Enabled=true
Parent={parent}
[Authentication]
Host=127.0.0.1
Port={port}
User={user}
Method=plain/password
RememberPassword=false
[Security]
Method=none
[WebDAV Backend]
ResourcePath={path}
[{section}]
BackendName={backend}
[Offline]
StaySynchronized=true
[Refresh]
Enabled=false
"""
#: A session of D-Bus with the data server only: a keyring would ask for its password.
_BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{services}</servicedir>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>
"""
_SERVICES = Path("/usr/share/dbus-1/services")
_SECTIONS = {
    "events": ("Calendar", "caldav", "caldav-stub"),
    "tasks": ("Task List", "caldav", "caldav-stub"),
    "contacts": ("Address Book", "carddav", "carddav-stub"),
}


#: On a busy machine its own time limits may end it before it has done anything.
_NOT_BEGUN = ("never: connected", "never asked for the password")


class Evolution:
    """One source of a user's data server; every run starts it again on what it has cached."""

    def __init__(self, home: Path, client: Client, kind: str, path: str) -> None:
        self._kind = kind
        self._user = client.user
        section, backend, parent = _SECTIONS[kind]
        sources = home / "config" / "evolution" / "sources"
        sources.mkdir(parents=True)
        (home / "run").mkdir(mode=0o700)
        (sources / "remote.source").write_text(
            _SOURCE.format(
                parent=parent, port=client.port, user=client.user, path=path, section=section, backend=backend
            )
        )
        services = home / "services"
        services.mkdir()
        for each in _SERVICES.glob("org.gnome.evolution.dataserver.*"):
            (services / each.name).symlink_to(each)
        self._bus = home / "bus.conf"
        self._bus.write_text(_BUS.format(services=services))
        places = {"CONFIG": "config", "CACHE": "cache", "DATA": "data"}
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(home / "run"),
            "GSETTINGS_BACKEND": "memory",
            **{f"XDG_{name}_HOME": str(home / place) for name, place in places.items()},
        }

    def __call__(self, *steps: tuple[str, ...]) -> dict[str, Any]:
        """Carry steps out; what the data server has then, UID to text."""
        done = self._run(steps)
        if any(words in done.stderr for words in _NOT_BEGUN):
            done = self._run(steps)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def brings(self, is_there: Callable[[], bool]) -> bool:
        """Whether the server is told what the data server has kept back: it may end before it has told everything."""
        return is_there() or any(self() is not None and is_there() for _ in range(3))

    def _run(self, steps: tuple[tuple[str, ...], ...]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                "dbus-run-session",
                f"--config-file={self._bus}",
                "--",
                "/usr/bin/python3",
                str(_SCRIPT),
                self._kind,
                self._user,
            ],
            input=json.dumps(steps),
            capture_output=True,
            timeout=PATIENCE,
            env=self._environment,
            check=False,
            text=True,
        )


def bare(calendar: str) -> str:
    """The component of a calendar object: what Evolution's library takes."""
    return calendar[calendar.index("BEGIN:V", 5) : calendar.rindex("END:VCALENDAR")]


def task(uid: str, summary: str) -> str:
    return event(uid, summary).replace("VEVENT", "VTODO").replace("DURATION:PT1H\r\n", "")


@pytest.mark.parametrize("kind", ["events", "tasks", "contacts"])
def test_evolution_sees_and_makes_changes(
    gateway: GatewayProcess, user: str, tmp_path: Path, kind: str
) -> None:
    client = Client(gateway.port("dav"), user)
    container = {"events": "calendar", "tasks": "VTODO", "contacts": "addressbook"}[kind]
    write = {"events": event, "tasks": task, "contacts": card}[kind]
    suffix = ".vcf" if kind == "contacts" else ".ics"
    path = client.collection(container)
    evolution = Evolution(tmp_path, client, kind, path)

    def texts() -> list[str]:
        _, found = client.sync(path)
        return [client("GET", each).text for each in found]

    assert client("PUT", f"{path}first{suffix}", write("first", "Made here")).status == 201
    added = write("second", "Made there")
    found = evolution(("until", "Made here"), ("add", added if kind == "contacts" else bare(added)))
    assert len(found) == 2
    assert evolution.brings(lambda: sorted("Made here" in each for each in texts()) == [False, True])

    own = next(uid for uid, text in found.items() if "Made there" in text)
    evolution(("change", own, "Made there", "Changed there"))
    assert evolution.brings(lambda: any("Changed there" in each for each in texts()))

    assert client("PUT", f"{path}first{suffix}", write("first", "Changed here")).status == 204
    found = evolution(("until", "Changed here"), ("remove", own))
    assert ["Changed here" in text for text in found.values()] == [True]
    assert evolution.brings(lambda: len(texts()) == 1)

    assert client("DELETE", f"{path}first{suffix}").status in (200, 204)
    assert evolution(("until-gone", "Changed here")) == {}
