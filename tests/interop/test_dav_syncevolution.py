"""SyncEvolution keeps a directory of events and one of contacts in step with the gateway, without a desktop."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.dav.server import Client, card, event
from tests.support.gateway import GatewayProcess, run_program

pytestmark = [
    pytest.mark.interop,
    *[
        pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program}: apt install {package}")
        for program, package in (
            ("syncevolution", "syncevolution"),
            ("dbus-run-session", "dbus"),
        )
    ],
]


class Machine:
    """A directory of files that SyncEvolution keeps in step with one collection."""

    def __init__(self, home: Path, client: Client, source: str, path: str) -> None:
        self.files = home / "files"
        self.files.mkdir(parents=True)
        self._source = source
        places = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "CACHE", "DATA")}
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", **places}
        base = f"http://127.0.0.1:{client.port}"
        backend, text = ("caldav", "text/calendar") if source == "calendar" else ("carddav", "text/vcard")
        self._run(
            "--configure", "--template", "webdav", f"syncURL={base}/", f"username={client.user}",
            f"password={client.user}", "keyring=no", f"{source}/backend={backend}",
            f"{source}/database={base}{path}", "target-config@webdav", source,
        )  # fmt: skip
        self._run(
            "--configure", "--template", "SyncEvolution_Client", "syncURL=local://@webdav", "username=",
            "password=", "keyring=no", f"{source}/sync=two-way", f"{source}/backend=file",
            f"{source}/databaseFormat={text}", f"{source}/database=file://{self.files}", "webdav", source,
        )  # fmt: skip

    def _run(self, *arguments: str) -> str:
        command = ("dbus-run-session", "--", "syncevolution", "--daemon=no", *arguments)
        return run_program(*command, env=self._environment)

    def sync(self, mode: str = "two-way") -> None:
        """Exchange what was changed; ``slow`` compares everything, as it must be done first."""
        self._run("--sync", mode, "webdav", self._source)

    @property
    def texts(self) -> list[str]:
        """What is in the files."""
        return [path.read_text() for path in self.files.iterdir()]


@pytest.mark.parametrize("source", ["calendar", "addressbook"])
def test_both_sides_have_what_either_changed(
    gateway: GatewayProcess, user: str, tmp_path: Path, source: str
) -> None:
    client = Client(gateway.port("dav"), user)
    write, suffix = (event, ".ics") if source == "calendar" else (card, ".vcf")
    path = client.collection(source)
    machine = Machine(tmp_path, client, source, path)

    assert client("PUT", f"{path}first{suffix}", write("first", "Made here")).status == 201
    (machine.files / "own").write_bytes(write("second", "Made there").encode())
    machine.sync("slow")
    assert sorted("Made here" in text for text in machine.texts) == [False, True]
    _, found = client.sync(path)
    assert sorted("Made there" in client("GET", each).text for each in found) == [False, True]

    assert client("PUT", f"{path}first{suffix}", write("first", "Changed here")).status == 204
    own = machine.files / "own"
    own.write_bytes(own.read_bytes().replace(b"Made there", b"Changed there"))
    machine.sync()
    assert sorted("Changed here" in text for text in machine.texts) == [False, True]
    assert sorted("Changed there" in client("GET", each).text for each in found) == [False, True]

    own.unlink()
    machine.sync()
    assert len(client.sync(path)[1]) == 1
    client("DELETE", f"{path}first{suffix}")
    machine.sync()
    assert machine.texts == []
