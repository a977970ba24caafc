"""Every case of the conversion tables is a test by its id, or stands with its decision in a README of the tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
CASES = (TESTS / "data" / "convert" / "cases.txt").read_text(encoding="ascii").split()
_ID = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2}\d\d)(?!\d)")
_RANGE = re.compile(r"\b([A-Z]{2})(\d\d)-\1(\d\d)\b")


def ids_in_tests() -> set[str]:
    """The ids in names of tests, in their parameters and in their tables."""
    found: set[str] = set()
    for file in (TESTS / "convert").rglob("test_*.py"):
        if file != Path(__file__):
            found.update(
                each.upper() for each in _ID.findall(file.read_text(encoding="utf-8").replace("_", " "))
            )
    return found


def ids_in_lists() -> set[str]:
    """The ids of the tables that say where else a case is tested, or why it is not."""
    found: set[str] = set()
    for file in (TESTS / "convert").rglob("README.md"):
        text = file.read_text(encoding="utf-8")
        found.update(_ID.findall(text))
        for kind, first, last in _RANGE.findall(text):
            found.update(f"{kind}{number:02d}" for number in range(int(first), int(last) + 1))
    return found


def test_the_list_is_complete_in_itself() -> None:
    assert len(CASES) == len(set(CASES)) == 456


@pytest.mark.parametrize("kind", sorted({case[:2] for case in CASES}))
def test_every_case_is_a_test_or_has_its_decision(kind: str) -> None:
    missing = {case for case in CASES if case[:2] == kind} - ids_in_tests() - ids_in_lists()
    assert not missing
    others = {case for case in ids_in_lists() if case[:2] == kind} - set(CASES)
    assert not others, "a README names cases that do not exist"


@pytest.mark.parametrize(
    "kind", ["ML", "BO", "AT", "SM", "RP", "TN", "IM", "CG", "CE", "CD", "CR", "CX", "VC", "DL"]
)
def test_the_tests_themselves_name_the_cases(kind: str) -> None:
    assert not {case for case in CASES if case[:2] == kind} - ids_in_tests()


def test_what_is_listed_elsewhere_is_there() -> None:
    """Tests that the list points to exist."""
    text = (TESTS / "convert" / "README.md").read_text(encoding="utf-8")
    pointers = re.findall(r"`(\w+/\w+\.py)::(\w+)`", text)
    assert pointers
    for file, name in pointers:
        assert f"def {name}(" in (TESTS / file).read_text(encoding="utf-8"), (file, name)
