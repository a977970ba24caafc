"""What the README shows works as it stands."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.support.gateway import run_program, store

README = Path(__file__).parents[1] / "README.md"


def test_the_library_example_lists_the_newest_subjects(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.+?)```", README.read_text(), re.DOTALL)
    with store(tmp_path / "store", demo=True) as running:
        program = tmp_path / "example.py"
        program.write_text(example.replace("127.0.0.1:12360", running.places["store"]))
        lines = run_program(sys.executable, str(program)).splitlines()
    assert lines[0] == "Welcome"
    assert len(lines) == 3
