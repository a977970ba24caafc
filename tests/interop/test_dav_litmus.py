"""litmus, the WebDAV test suite. A calendar server takes no files and has no directories in calendars, so a proxy makes
events of its files, and what needs directories is known to fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.interop.filesasevents import files_as_events
from tests.support.gateway import GatewayProcess
from tests.support.patience import PATIENCE

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("litmus") is None, reason="needs litmus: apt install litmus"),
]
_DIRECTORY: Final = "makes a directory in a directory: there are no calendars in calendars (RFC 4791 4.2)"
_PROPERTIES: Final = "sets properties of a file: only collections keep properties of clients"
#: What fails, and why. The suites also skip what builds on a test that failed.
_FAILS: Final[dict[str, dict[str, str]]] = {
    "basic": {"delete_fragment": _DIRECTORY, "mkcol": _DIRECTORY},
    "copymove": dict.fromkeys(("copy_init", "copy_coll", "copy_shallow", "move", "move_coll"), _DIRECTORY),
    "props": dict.fromkeys(("propset", "propmanyns", "propget"), _PROPERTIES),
    "http": {},
}
_RESULT: Final = re.compile(r"^ ?\d+\. (\w+)\.+ *(pass|FAIL|SKIPPED|WARNING)(.*)", re.M)


@pytest.mark.parametrize("suite", _FAILS)
def test_litmus(gateway: GatewayProcess, user: str, tmp_path: Path, suite: str) -> None:
    with files_as_events(gateway.port("dav")) as port:
        done = subprocess.run(
            ["litmus", "-k", f"http://127.0.0.1:{port}/{user}/", user, user],
            env={**os.environ, "TESTS": suite},
            cwd=tmp_path,  # where it leaves its logs
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            text=True,
        )
    said = done.stdout.replace("\r", "\n")
    results = [(name, result, words) for name, result, words in _RESULT.findall(said)]
    assert ("finish", "pass") in [each[:2] for each in results], said + done.stderr
    failed = {name: words for name, result, words in results if result == "FAIL"}
    assert failed.keys() == _FAILS[suite].keys(), said
    warned = [words for _, result, words in results if result == "WARNING"]
    assert [each for each in warned if "Class 2" not in each] == [], said
