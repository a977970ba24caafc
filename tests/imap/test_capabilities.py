"""docs/rfc.md says what the program offers, and the program offers what it says."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.imap.capabilities import TABLE
from gateway.imap.codec import commands as c
from gateway.imap.codec.parser import COMMANDS, UID_COMMANDS
from gateway.imap.dispatch import FOR_CONNECTION, FOR_SELECTION, FOR_USER

DOCUMENT = Path(__file__).parents[2] / "docs" / "rfc.md"
ROW = re.compile(r"\| (\d+|-) \| [^|]+ \| (?:`([^`]+)`|-) \| (yes|partial|no) \| ([^|]*)\|")


def rows() -> list[tuple[str, str, str, str]]:
    text = DOCUMENT.read_text().partition("## IMAP\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    found = [ROW.fullmatch(line) for line in lines]
    assert None not in found, [line for line, match in zip(lines, found, strict=True) if match is None]
    return [match.groups("") for match in found if match is not None]  # type: ignore[misc]


def test_every_capability_is_documented_and_the_other_way_round() -> None:
    documented = {name for _, name, support, _ in rows() if name and support != "no"}
    assert documented == {entry.name for entry in TABLE}


def test_what_is_not_offered_is_not_in_the_table() -> None:
    absent = {name for _, name, support, _ in rows() if support == "no"}
    assert not absent & {entry.name for entry in TABLE}


def test_what_is_partial_says_what_is_missing() -> None:
    assert all(remarks.strip() for _, _, support, remarks in rows() if support == "partial")


def test_every_command_has_somebody_to_serve_it() -> None:
    served = {**FOR_CONNECTION, **FOR_USER, **FOR_SELECTION}
    kinds = {kind for kind in vars(c).values() if isinstance(kind, type) and issubclass(kind, c.Command)}
    kinds -= {c.Command, c.AnyState, c.BeforeLogin, c.InMailbox}
    assert kinds == served.keys()
    assert len(COMMANDS) + len(UID_COMMANDS) >= len(served)


def test_tables_and_states_agree() -> None:
    assert all(kind.states == c.State.SELECTED for kind in FOR_SELECTION)
    assert all(kind.states == c.State.LOGGED_IN for kind in FOR_USER)
