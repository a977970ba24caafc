"""What a message gets that its maker did not give."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.mapi import proptags as pr
from gateway.mapiclient.defaults import message_defaults, recipient_defaults, subject_prefix


@pytest.mark.parametrize(
    ("subject", "prefix"),
    [
        ("Re: hello", "Re: "),
        ("AW:hello", "AW:"),
        ("Fwd: x", "Fwd: "),
        ("R: x", "R: "),
        ("Note: x", ""),
        ("12: x", ""),
        (": x", ""),
        ("hello", ""),
        ("", ""),
    ],
)
def test_a_prefix_is_short_and_no_number(subject: str, prefix: str) -> None:
    assert subject_prefix(subject) == prefix


def test_a_message_is_completed() -> None:
    rows: list[Any] = [
        {pr.PR_RECIPIENT_TYPE: 1, pr.PR_DISPLAY_NAME: "Ann"},
        {pr.PR_RECIPIENT_TYPE: 0x80000001, pr.PR_EMAIL_ADDRESS: "bob@example.test"},
        {pr.PR_RECIPIENT_TYPE: 2, pr.PR_DISPLAY_NAME: "Cee"},
        {pr.PR_RECIPIENT_TYPE: 1},
    ]
    found = message_defaults({pr.PR_SUBJECT: "Re: hello"}, rows)
    assert found[pr.PR_DISPLAY_TO] == "Ann; bob@example.test"
    assert (found[pr.PR_DISPLAY_CC], found[pr.PR_DISPLAY_BCC]) == ("Cee", "")
    assert (found[pr.PR_SUBJECT_PREFIX], found[pr.PR_CONVERSATION_TOPIC]) == ("Re: ", "hello")
    assert len(found[pr.PR_SEARCH_KEY]) == 16


def test_what_is_given_is_kept() -> None:
    complete = message_defaults({}, [])
    assert message_defaults(complete, [{pr.PR_DISPLAY_NAME: "x"}]) == {}
    assert recipient_defaults(recipient_defaults({}, 1), 2) == {}
