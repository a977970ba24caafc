"""Mail out: the same bytes on every read (cases IM11, IM12, IM13; what takes part and what does not)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from gateway.mapi.propnames import KEYWORDS, PS_INTERNET_HEADERS, PSETID_Common, static
from gateway.mapi.props import PT_UNICODE, NamedTag, PropName
from gateway.mapi.times import from_unix
from tests.support.messages import attachment, embedded, note, parsed, recipient, written


def _rich() -> MessageContent:
    return note(
        recipient("B", "b@x.example", ROWID=0),
        recipient("C", "c@x.example", 2, ROWID=1),
        SUBJECT="Grüße",
        BODY="b",
        HTML=b"<p>b",
        attachments=[attachment(NUM=0), embedded(note(BODY="inner"), NUM=1)],
    )


def test_IM11_two_reads_and_another_process_give_the_same_bytes() -> None:
    octets = written(_rich())
    assert written(_rich()) == octets
    code = (
        "import sys; from tests.convert.mime.test_out_stability import _rich; from tests.support.messages import written;"
        "sys.stdout.buffer.write(written(_rich()))"
    )
    root = str(Path(__file__).parents[3])
    environment = {
        **os.environ,
        "PYTHONPATH": root,
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Kolkata",
        "LANG": "de_DE",
    }
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment, check=True, cwd=root
    )
    assert found.stdout == octets


@pytest.mark.parametrize(
    "change",
    [
        {pt.PR_MESSAGE_FLAGS: 1},
        {pt.PR_MSG_STATUS: 0x208},
        {pt.PR_FLAG_STATUS: 2, pt.PR_FOLLOWUP_ICON: 6, pt.PR_TODO_ITEM_FLAGS: 8},
        {pt.PR_LAST_MODIFICATION_TIME: from_unix(1)},
        {pt.PR_LAST_VERB_EXECUTED: 102, pt.PR_LAST_VERB_EXECUTION_TIME: 5, pt.PR_ICON_INDEX: 261},
        {pt.PR_CHANGE_KEY: b"x" * 20, pt.PR_PREDECESSOR_CHANGE_LIST: b"y"},
        {KEYWORDS: ("red",)},
        {static(PSETID_Common, 0x8530, PT_UNICODE): "Follow up", pt.PR_FLAG_STATUS: 2, pt.PR_REPLY_TIME: 7},
        {pt.PR_MESSAGE_SIZE: 5, pt.PR_HASATTACH: False, pt.PR_EC_IMAP_ID: 9, pt.PR_ENTRYID: b"moved"},
        {pt.PR_DISPLAY_TO: "x", pt.PR_NORMALIZED_SUBJECT: "y", pt.PR_ACCESS: 3},
    ],
)
def test_IM12_flags_and_bookkeeping_do_not_change_the_bytes(change: dict[Any, Any]) -> None:
    content = _rich()
    octets = written(content)
    content.props.update(change)
    assert written(content) == octets


def test_IM13_missing_message_id_is_made_from_the_search_key() -> None:
    found = parsed(note())["Message-ID"]
    assert found == parsed(note(SUBJECT="other", BODY="other"))["Message-ID"]
    assert found != parsed(note(SEARCH_KEY=b"another search key"))["Message-ID"]
    assert found.endswith("@mapi.invalid>")
    assert parsed(note(), domain="x.example")["Message-ID"].endswith("@x.example>")


def test_the_given_identity_wins_over_keys_of_the_message() -> None:
    made = parsed(note(), identity=b"source key")["Message-ID"]
    assert made == parsed(note(SEARCH_KEY=b"", ENTRYID=b"e"), identity=b"source key")["Message-ID"]
    assert made != parsed(note())["Message-ID"]


def test_a_message_without_any_key_still_has_a_stable_message_id() -> None:
    content = note(SEARCH_KEY=None)
    assert parsed(content)["Message-ID"] == parsed(note(SEARCH_KEY=None))["Message-ID"]
    assert parsed(content)["Message-ID"] != parsed(note(SEARCH_KEY=None, SUBJECT="s"))["Message-ID"]


def test_order_of_properties_and_rows_does_not_matter() -> None:
    content = _rich()
    for name in ("x-b", "x-a"):
        content.props[NamedTag(PropName(PS_INTERNET_HEADERS, name), PT_UNICODE)] = name
    turned = MessageContent(
        dict(reversed(content.props.items())), content.recipients[::-1], content.attachments[::-1]
    )
    assert written(turned) == written(content)
