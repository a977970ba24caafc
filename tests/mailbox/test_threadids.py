"""What names a conversation (RFC 8474 5.2)."""

from __future__ import annotations

import pytest

from gateway.mailbox.threadids import thread_number
from gateway.mapi import proptags as pr
from gateway.mapi.props import NamedProps

HEAD = bytes(range(22))
FIRST = thread_number({pr.PR_INTERNET_MESSAGE_ID: "<1@a>"}, 0)


@pytest.mark.parametrize(
    "props",
    [
        {pr.PR_INTERNET_MESSAGE_ID: "<2@a>", pr.PR_IN_REPLY_TO_ID: "<1@a>"},
        {pr.PR_INTERNET_MESSAGE_ID: "<2@a>", pr.PR_INTERNET_REFERENCES: "<1@a>\r\n <3@a>"},
        {pr.PR_INTERNET_REFERENCES: "<1@a>", pr.PR_IN_REPLY_TO_ID: "<9@a>"},
        {pr.PR_INTERNET_REFERENCES: "Your mail of today, <1@a>"},
        {pr.PR_INTERNET_REFERENCES: "none", pr.PR_IN_REPLY_TO_ID: "<1@a>"},
        {pr.PR_INTERNET_MESSAGE_ID: "<1@a>", pr.PR_CONVERSATION_INDEX: HEAD},
    ],
)
def test_messages_of_one_thread(props: NamedProps) -> None:
    assert thread_number(props, 0) == FIRST


def test_without_message_ids_the_conversation_index_counts() -> None:
    first = thread_number({pr.PR_CONVERSATION_INDEX: HEAD}, 0)
    assert thread_number({pr.PR_CONVERSATION_INDEX: HEAD + bytes(5)}, 0) == first
    assert thread_number({pr.PR_CONVERSATION_INDEX: bytes(22)}, 0) != first


@pytest.mark.parametrize("props", [{}, {pr.PR_CONVERSATION_INDEX: b"short"}, {pr.PR_INTERNET_MESSAGE_ID: "<>"}])
def test_a_message_that_is_like_no_other_is_a_thread_of_its_own(props: NamedProps) -> None:
    assert thread_number(props, 7) == 7


def test_ids_stay_as_they_are() -> None:
    assert f"{FIRST:016x}" == "0d492caae06e1fdf"
