"""i;unicode-casemap (RFC 5051): what SORT and THREAD compare."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.imap.collation import _CASEMAP, casemap


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", ""),
        ("Re: hello", "RE: HELLO"),
        ("délta", "DE\u0301LTA"),
        ("DE\u0301LTA", "DE\u0301LTA"),
        ("straße", "STRAßE"),  # no single title case letter
        ("\u01c6", "Dz\u030c"),  # title case, then taken apart twice
        ("\ufb01", "fi"),  # compatibility decomposition
        ("한글", "한글"),  # none in UnicodeData.txt
        ("日本", "日本"),
    ],
)
def test_keys(text: str, key: str) -> None:
    assert casemap(text) == key


@pytest.mark.parametrize(
    "ordered",
    [
        ["Zebra", "[list] a"],  # capitals come before the bracket, as small letters would not
        ["Delta", "délta", "Digest"],
        ["a", "B", "c", "_"],
    ],
)
def test_order(ordered: list[str]) -> None:
    assert sorted(set(ordered), key=casemap) == ordered


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_text_has_the_same_key_on_the_short_way(text: str) -> None:
    assert casemap(text) == text.translate(_CASEMAP)
