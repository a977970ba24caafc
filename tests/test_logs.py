"""Log lines: one event is one line, for people or for machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from twisted.logger import Logger, LogPublisher
from twisted.python.failure import Failure

from gateway.config import Log
from gateway.logs import Output, observer

Written = Callable[..., tuple[Logger, Path, Output]]


@pytest.fixture
def outputs() -> Iterator[list[Output]]:
    opened: list[Output] = []
    yield opened
    for output in opened:
        output.close()


@pytest.fixture
def written(tmp_path: Path, outputs: list[Output]) -> Callable[..., tuple[Logger, Path, Output]]:
    def begin(**options: object) -> tuple[Logger, Path, Output]:
        file = tmp_path / "log"
        settings = Log(file=str(file), **options)
        outputs.append(Output(settings))
        publisher = LogPublisher(observer(settings, outputs[-1]))
        return Logger("gateway.imap", observer=publisher), file, outputs[-1]

    return begin


def test_text_is_one_line_whatever_a_client_sends(written: Written) -> None:
    log, file, _ = written()
    log.info("login of {user} failed", user="x\r\n2026 info gateway: login of root")
    (line,) = file.read_text().splitlines()
    assert " info gateway.imap: login of x\\r\\n2026 info gateway: login of root failed" in line


def test_levels_are_per_part(written: Written) -> None:
    log, file, _ = written(level="warn", levels={"gateway.pop3": "debug"})
    log.info("not this")
    log.warn("this")
    Logger("gateway.pop3.session", observer=log.observer).debug("this too")
    assert [line.partition(": ")[2] for line in file.read_text().splitlines()] == ["this", "this too"]


def test_json(written: Written) -> None:
    log, file, _ = written(format="json")
    log.info("{user} logged in", user="demo", source=object())
    try:
        raise ValueError("no")
    except ValueError:
        log.failure("it broke", Failure())
    first, second = map(json.loads, file.read_text().splitlines())
    assert (first["message"], first["user"], first["level"], first["part"]) == (
        "demo logged in",
        "demo",
        "info",
        "gateway.imap",
    )
    assert "ValueError: no" in second["traceback"]
    assert second["level"] == "critical"


def test_a_file_that_was_moved_away_is_reopened(written: Written, tmp_path: Path) -> None:
    log, file, output = written()
    log.info("one")
    file.rename(tmp_path / "log.1")
    log.info("two")
    output.reopen()
    log.info("three")
    assert len((tmp_path / "log.1").read_text().splitlines()) == 2
    assert file.read_text().rstrip().endswith("three")
