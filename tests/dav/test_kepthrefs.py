"""Hrefs on disk: what is kept of a folder, how much of it, and what becomes of a damaged file."""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree

import pytest

from gateway.dav import kepthrefs
from gateway.dav.kepthrefs import HrefFile, Hrefs, KeptHrefs
from tests.support import reactor


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "hrefs.sqlite"


def test_what_was_there_once_is_known_by_the_next_process(path: Path) -> None:
    HrefFile(path).add(b"folder", {b"1": "one.ics", b"2": ""})
    HrefFile(path).add(b"folder", {b"2": "", b"3": "three.ics"})
    assert HrefFile(path).load(b"folder") == {b"1": "one.ics", b"2": "", b"3": "three.ics"}
    assert HrefFile(path).load(b"other") == {}


def test_a_new_name_counts(path: Path) -> None:
    file = HrefFile(path)
    file.add(b"folder", {b"1": ""})
    file.add(b"folder", {b"1": "one.ics"})
    assert file.load(b"folder") == {b"1": "one.ics"}


def test_of_a_folder_the_oldest_that_are_gone_are_forgotten(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kepthrefs, "MOST", 4)
    file = HrefFile(path)
    for key in (b"1", b"2", b"3", b"4", b"5"):
        file.add(b"folder", {key: f"{key.decode()}.ics"})
    assert list(file.load(b"folder")) == [b"2", b"3", b"4", b"5"]
    there = {bytes([number]): "" for number in range(6)}
    file.add(b"folder", there)
    assert file.load(b"folder") == there


def test_the_folders_not_used_for_longest_give_way(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = HrefFile(path)
    monkeypatch.setattr(kepthrefs, "MOST_BYTES", 400)
    for folder in (b"a", b"b", b"c"):
        file.add(folder, {b"%d" % number: "x" * 20 for number in range(7)})
    assert [bool(file.load(folder)) for folder in (b"a", b"b", b"c")] == [False, True, True]


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_damaged_file_is_made_anew(path: Path, damage: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(damage)
    file = HrefFile(path)
    file.add(b"folder", {b"1": "one.ics"})
    assert HrefFile(path).load(b"folder") == {b"1": "one.ics"}


class Folder:
    """A listing with two items."""

    def names(self) -> Hrefs:
        return {b"1": "one.ics", b"2": ""}


def test_what_came_is_known_before_it_was_written_by_itself(path: Path) -> None:
    async def work() -> Hrefs:
        kept = KeptHrefs(reactor.reactor, path)
        kept.changed(b"folder", Folder())
        found = await kept.load(b"folder")
        await kept.stop()
        return found

    assert reactor.run(work) == Folder().names()


def test_a_file_that_cannot_be_used_disturbs_nobody(path: Path) -> None:
    """Nothing is known then, and clients are asked to list everything."""

    async def work() -> Hrefs:
        kept = KeptHrefs(reactor.reactor, path)
        rmtree(path.parent)
        kept.changed(b"folder", Folder())
        found = await kept.load(b"folder")
        kept.changed(b"folder", Folder())
        await kept.stop()
        return found

    assert reactor.run(work) == {}
