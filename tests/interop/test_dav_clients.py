"""Real CalDAV and CardDAV clients on a running gateway: curl, python-caldav, vdirsyncer both ways."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import caldav
import pytest

from tests.dav.server import card, event, unfolded
from tests.support.gateway import GatewayProcess, run_program
from tests.support.store import StoreProcess

pytestmark = pytest.mark.interop
VDIRSYNCER = Path(sys.executable).with_name("vdirsyncer")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a gateway before a store, each a process of its own."""
    directory = tmp_path_factory.mktemp("dav-clients")
    with (
        StoreProcess(directory / "store", ["ann", "bob"]) as store,
        GatewayProcess(directory / "gateway", store.url) as gateway,
    ):
        yield f"http://127.0.0.1:{gateway.port('dav')}/"


def test_curl(url: str, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    assert curl
    login = [curl, "-sS", "--fail-with-body", "-u", "ann:ann"]
    assert "Calendars and contacts of ann" in run_program(*login, url)
    said = run_program(*login, "-X", "PROPFIND", "-H", "Depth: 1", f"{url}ann/")
    assert "calendar" in said
    assert "HTTP/1.1 200 OK" in said
    found = run_program(*login, "-L", "-X", "PROPFIND", "-H", "Depth: 0", f"{url}.well-known/caldav")
    assert "/ann/" in found


def test_curl_attaches_a_file_to_one_day_of_a_series(url: str, tmp_path: Path) -> None:
    """RFC 8607, with the requests of its examples."""
    curl = shutil.which("curl")
    assert curl
    login, path = [curl, "-sS", "--fail-with-body", "-u", "ann:ann"], f"{url}ann/files/"
    run_program(*login, "-X", "MKCALENDAR", path)
    text = event("series", "Every day", "20261201T090000Z", "RRULE:FREQ=DAILY;COUNT=5")
    (tmp_path / "series.ics").write_text(text, newline="")
    (tmp_path / "agenda.txt").write_text("One thing only")
    run_program(*login, "-T", f"{tmp_path}/series.ics", path)
    said = ["-H", "Content-Type: text/plain", "-H", "Content-Disposition: attachment;filename=agenda.txt"]
    target = f"{path}series.ics?action=attachment-add&rid=20261203T090000Z"
    head = run_program(*login, "-i", *said, "--data-binary", f"@{tmp_path}/agenda.txt", target)
    assert "201 Created" in head
    found = unfolded(run_program(*login, f"{path}series.ics"))
    [address] = re.findall(r"^ATTACH;.*FILENAME=agenda.txt;SIZE=14:(\S+)", found, re.M)
    assert "RECURRENCE-ID:20261203T090000Z" in found
    assert run_program(*login, address) == "One thing only"


def test_python_caldav(url: str) -> None:
    with caldav.DAVClient(url, username="ann", password="ann") as client:
        principal = client.principal()
        calendar = principal.make_calendar("From python", cal_id="from-python")
        assert "From python" in [each.get_display_name() for each in principal.calendars()]
        calendar.save_event(event("py-1", "Standup", "20261201T090000Z", "RRULE:FREQ=DAILY;COUNT=5"))
        calendar.save_event(event("py-2", "Review", "20261210T090000Z"))
        start, end = datetime(2026, 12, 2, tzinfo=UTC), datetime(2026, 12, 4, tzinfo=UTC)
        found = calendar.search(start=start, end=end, event=True, expand=False)
        assert ["Standup" in each.data for each in found] == [True]
        expanded = calendar.search(start=start, end=end, event=True, expand=True)
        assert len(expanded) == 2
        review = calendar.event_by_uid("py-2")
        review.data = review.data.replace("Review", "Retrospective")
        review.save()
        assert "Retrospective" in calendar.event_by_uid("py-2").data
        synced = calendar.objects(load_objects=True)
        assert len(list(synced)) == 2
        review.delete()
        synced.sync()
        assert len(list(synced)) == 1
        calendar.delete()


def vdirsyncer(configuration: Path, *arguments: str) -> str:
    return run_program(str(VDIRSYNCER), "--config", str(configuration), *arguments)


CONFIGURATION = """
[general]
status_path = "{status}"
[pair events]
a = "here"
b = "there"
collections = ["from b"]
conflict_resolution = "a wins"
metadata = ["displayname", "color"]
[storage here]
type = "filesystem"
path = "{path}"
fileext = "{suffix}"
[storage there]
type = "{kind}"
url = "{url}"
username = "{user}"
password = "{user}"
"""


@pytest.mark.parametrize(("kind", "suffix", "user"), [("caldav", ".ics", "bob"), ("carddav", ".vcf", "bob")])
def test_vdirsyncer_both_ways(url: str, tmp_path: Path, kind: str, suffix: str, user: str) -> None:
    def side(name: str) -> tuple[Path, Path]:
        (tmp_path / name).mkdir()
        configuration = tmp_path / f"{name}.conf"
        configuration.write_text(
            CONFIGURATION.format(
                status=tmp_path / f"{name}-status",
                path=tmp_path / name,
                suffix=suffix,
                kind=kind,
                url=url,
                user=user,
            )
        )
        run_program("sh", "-c", f"yes | {VDIRSYNCER} --config {configuration} discover")
        vdirsyncer(configuration, "sync")
        return configuration, tmp_path / name

    def item(number: int, text: str) -> str:
        return event(f"v-{number}", text) if kind == "caldav" else card(f"v-{number}", text)

    one, here = side("one")
    two, there = side("two")
    name = _collection(url, kind, user)
    for number in range(20):
        (here / name / f"v-{number}{suffix}").write_bytes(item(number, f"Item {number}").encode())
    vdirsyncer(one, "sync")
    vdirsyncer(two, "sync")
    assert len(list((there / name).iterdir())) == 20
    changed = next(path for path in (there / name).iterdir() if "Item 7" in path.read_text())
    changed.write_bytes(changed.read_bytes().replace(b"Item 7", b"Changed 7"))
    next(path for path in (there / name).iterdir() if "Item 3\n" in path.read_text()).unlink()
    vdirsyncer(two, "sync")
    vdirsyncer(one, "sync")
    texts = [path.read_text() for path in (here / name).iterdir()]
    assert len(texts) == 19
    assert sum("Changed 7" in text for text in texts) == 1
    assert not any("Item 3\n" in text for text in texts)
    vdirsyncer(one, "sync")
    said = vdirsyncer(one, "--verbosity=INFO", "sync")
    assert "Uploading" not in said
    assert "Copying" not in said


def _collection(url: str, kind: str, user: str) -> str:
    """The last part of the address of the user's own calendar or address book."""
    from tests.dav.server import Client

    client = Client(int(url.rstrip("/").rpartition(":")[2]), user)
    return client.collection("calendar" if kind == "caldav" else "addressbook").rstrip("/").rpartition("/")[2]
