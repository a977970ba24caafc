"""Mail out: the header fields of a message (cases MO06, MO07, MO12; fields of MS-OXCMAIL 2.1.2)."""

from __future__ import annotations

import re
from email.header import decode_header, make_header
from typing import Any

import pytest

from gateway.convert.mime.tomime_fields import unstructured
from gateway.convert.mime.tomime_header import date_time, normalized_subject
from gateway.mapi import proptags as pt
from gateway.mapi.propnames import KEYWORDS, PS_INTERNET_HEADERS, PSETID_Common, static
from gateway.mapi.props import PT_UNICODE, NamedTag, PropName
from gateway.mapi.times import from_unix
from tests.support.messages import note, parsed, written


def _decoded(value: str) -> str:
    return str(make_header(decode_header(value.replace("\r\n", ""))))


def test_MO06_line_ends_in_a_subject_add_no_header() -> None:
    octets = written(note(SUBJECT="hello\r\nBcc: evil@x.example\n\nbody"))
    assert b"Subject: hello Bcc: evil@x.example body\r\n" in octets
    assert parsed(note(SUBJECT="a\r\nBcc: b"))["Bcc"] is None


def test_MO07_long_subject_outside_ascii() -> None:
    subject = "Grüße €uro 😀 " * 15
    octets = written(note(SUBJECT=subject))
    words = re.findall(rb"=\?[^?]+\?[qb]\?([^?]*)\?=", octets)
    assert len(words) > 3
    assert all(len(word) <= 75 for word in re.findall(rb"=\?\S+\?=", octets))
    assert all(len(line) <= 76 for line in octets.split(b"\r\n") if b"=?" in line)
    for text, charset in decode_header(parsed(note(SUBJECT=subject))["Subject"]):
        assert isinstance(text, str) or text.decode(charset or "ascii")
    assert _decoded(parsed(note(SUBJECT=subject))["Subject"]) == subject.strip()


@pytest.mark.parametrize("subject", ["日本語の件名" * 20, "ü", "Re: ä b", "a =?x?= b", "x" * 3000, " a  b "])
def test_subjects_survive(subject: str) -> None:
    value = parsed(note(SUBJECT=subject))["Subject"]
    assert _decoded(value) == subject.strip()
    assert max(map(len, written(note(SUBJECT=subject)).split(b"\r\n"))) <= 78


def test_no_encoded_word_splits_a_character() -> None:
    for length in range(1, 80):
        for word in re.findall(rb"=\?utf-8\?[qb]\?[^?]*\?=", unstructured("Subject", "a" * length + "€" * 40)):
            ((text, charset),) = decode_header(word.decode())
            assert text.decode(charset)


def test_a_long_plain_subject_folds_at_spaces() -> None:
    octets = unstructured("Subject", "word " * 40 + "end")
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    assert b"=?" not in octets


def test_MO12_received_lines_stand_on_top_in_order() -> None:
    lines = [
        f"Received: from h{i}.example\r\n\tby h{i + 1}.example; Tue, 14 Jul 2026 08:00:0{i} +0000"
        for i in range(5)
    ]
    header = "\r\n".join(
        ["Return-Path: <r@x.example>", *lines, "Received-SPF: pass", "Subject: old", "List-Id: <l.x>"]
    )
    octets = written(note(TRANSPORT_MESSAGE_HEADERS=header + "\r\n", SUBJECT="new"))
    start = "\r\n".join(["Return-Path: <r@x.example>", *lines, "Received-SPF: pass", "From: A <a@x.example>"])
    assert octets.startswith(start.encode())
    assert b"old" not in octets
    assert b"\r\nList-Id: <l.x>\r\n" in octets


@pytest.mark.parametrize(
    "header",
    [
        "",
        "garbage",
        "\r\n\r\nReceived: body",
        ": x",
        "Received",
        " Received: x",
        "Received:\r\n\r\n",
        "Received:\x00\xff",
    ],
)
def test_broken_transport_headers_do_no_harm(header: str) -> None:
    assert parsed(note(TRANSPORT_MESSAGE_HEADERS=header))["From"] == "A <a@x.example>"


def test_8bit_transport_fields_are_encoded() -> None:
    message = parsed(note(TRANSPORT_MESSAGE_HEADERS="List-Id: Grüße <l.x>\r\n"))
    assert _decoded(message["List-Id"]) == "Grüße <l.x>"


def test_list_fields_from_properties_when_the_header_has_none() -> None:
    content = note(LIST_HELP="<mailto:h@x>", LIST_UNSUBSCRIBE="<mailto:u@x>", INTERNET_PRECEDENCE="bulk")
    content.props[pt.PR_TRANSPORT_MESSAGE_HEADERS] = "List-Help: <mailto:other@x>\r\n"
    message = parsed(content)
    assert message.get_all("List-Help") == ["<mailto:other@x>"]
    assert (message["List-Unsubscribe"], message["Precedence"]) == ("<mailto:u@x>", "bulk")


@pytest.mark.parametrize(
    ("props", "field", "value"),
    [
        ({"IMPORTANCE": 2}, "Importance", "High"),
        ({"IMPORTANCE": 2}, "X-Priority", "1 (Highest)"),
        ({"IMPORTANCE": 0}, "X-Priority", "5 (Lowest)"),
        ({"IMPORTANCE": 1}, "X-Priority", None),
        ({"PRIORITY": 0xFFFFFFFF}, "Importance", "Low"),
        ({"PRIORITY": 1}, "Priority", "urgent"),
        ({"SENSITIVITY": 1}, "Sensitivity", "Personal"),
        ({"SENSITIVITY": 2}, "Sensitivity", "Private"),
        ({"SENSITIVITY": 3}, "Sensitivity", "Company-Confidential"),
        ({"SENSITIVITY": 0}, "Sensitivity", None),
        ({"CONVERSATION_TOPIC": "hello", "SUBJECT": "Re: hello"}, "Thread-Topic", None),
        ({"CONVERSATION_TOPIC": "other", "SUBJECT": "Re: hello"}, "Thread-Topic", "other"),
        ({"EXPIRY_TIME": from_unix(0)}, "Expires", "Thu, 01 Jan 1970 00:00:00 +0000"),
        ({"AUTO_RESPONSE_SUPPRESS": 0x11}, "X-Auto-Response-Suppress", "DR, OOF"),
        ({"AUTO_RESPONSE_SUPPRESS": 0xFFFFFFFF}, "X-Auto-Response-Suppress", "All"),
        ({"AUTO_RESPONSE_SUPPRESS": 0}, "X-Auto-Response-Suppress", None),
        ({"INTERNET_MESSAGE_ID": "<1@x.example>"}, "Message-ID", "<1@x.example>"),
        ({"INTERNET_MESSAGE_ID": "1@x.example"}, "Message-ID", "<1@x.example>"),
        ({"INTERNET_MESSAGE_ID": "<[abc]@x>"}, "Message-ID", "<[abc]@x>"),
        ({"INTERNET_MESSAGE_ID": "<a\r\nX: y>"}, "Message-ID", "<aX:y>"),
        ({"IN_REPLY_TO_ID": "<1@x>"}, "In-Reply-To", "<1@x>"),
        ({"SUBJECT": ""}, "Subject", None),
        (
            {"CONVERSATION_INDEX": bytes.fromhex("01dd1366c4c7000102030405060708090a0b0c0d0e0f")},
            "Thread-Index",
            "Ad0TZsTHAAECAwQFBgcICQoLDA0ODw==",
        ),
    ],
)
def test_properties_and_their_fields(props: dict[str, Any], field: str, value: str | None) -> None:
    assert parsed(note(**props))[field] == value


def test_importance_wins_over_priority() -> None:
    assert parsed(note(IMPORTANCE=1, PRIORITY=1))["Importance"] is None


def test_long_references_fold_between_ids() -> None:
    ids = [f"<{i}.{'x' * 30}@host.example>" for i in range(2000)]
    octets = written(note(INTERNET_REFERENCES=" ".join(ids)))
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    assert parsed(note(INTERNET_REFERENCES=" ".join(ids)))["References"].split() == ids


def test_date_is_submission_then_delivery_then_creation() -> None:
    content = note(
        MESSAGE_DELIVERY_TIME=from_unix(60), CREATION_TIME=from_unix(120), LAST_MODIFICATION_TIME=from_unix(9)
    )
    assert parsed(content)["Date"] == "Tue, 14 Jul 2026 08:00:00 +0000"
    del content.props[pt.PR_CLIENT_SUBMIT_TIME]
    assert parsed(content)["Date"] == "Thu, 01 Jan 1970 00:01:00 +0000"
    del content.props[pt.PR_MESSAGE_DELIVERY_TIME]
    assert parsed(content)["Date"] == "Thu, 01 Jan 1970 00:02:00 +0000"
    del content.props[pt.PR_CREATION_TIME]
    assert parsed(content)["Date"] is None


def test_a_date_beyond_the_calendar_is_left_out() -> None:
    assert date_time(0x7FFFFFFFFFFFFFFF) is None
    assert parsed(note(CLIENT_SUBMIT_TIME=0x7FFFFFFFFFFFFFFF))["Date"] is None


def test_receipts_are_asked_for_in_the_authors_copy_only() -> None:
    content = note(READ_RECEIPT_REQUESTED=True, ORIGINATOR_DELIVERY_REPORT_REQUESTED=True)
    message = parsed(content, own=True)
    assert message["Disposition-Notification-To"] == "A <a@x.example>"
    assert message["Return-Receipt-To"] == "A <a@x.example>"
    assert parsed(content)["Disposition-Notification-To"] is None


def test_categories_and_follow_up_are_marks() -> None:
    content = note(FLAG_STATUS=2, REPLY_TIME=from_unix(0))
    content.props[KEYWORDS] = ("red", "grün", 'a "b"')
    content.props[static(PSETID_Common, 0x8530, PT_UNICODE)] = "Follow up"
    message = parsed(content, marks=True)
    assert "=?utf-8?q?gr=C3=BCn?= ," in message["Keywords"]
    assert _decoded(message["Keywords"]) == 'red, grün , a "b"'
    assert message["X-Message-Flag"] == "Follow up"
    assert message["Reply-By"] == "Thu, 01 Jan 1970 00:00:00 +0000"
    assert parsed(content)["Keywords"] is None
    assert parsed(content)["X-Message-Flag"] is None


def test_header_properties_by_name() -> None:
    content = note()
    for name, value in (
        ("x-mailer", "M"),
        ("X-b-thing", "1"),
        ("x-priority", "5"),
        ("other", "o"),
        ("x-ü", "u"),
    ):
        content.props[NamedTag(PropName(PS_INTERNET_HEADERS, name), PT_UNICODE)] = value
    message = parsed(content)
    assert [name for name in message if name.startswith("X-")] == ["X-B-Thing", "X-Mailer"]


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Re: AW: x", "AW: x"),
        ("Hello: x", "Hello: x"),
        ("1: x", "1: x"),
        ("FWD: x", "x"),
        ("Re:x", "Re:x"),
        ("", ""),
    ],
)
def test_normalized_subject(subject: str, expected: str) -> None:
    assert normalized_subject(subject) == expected


def test_string8_properties_count_too() -> None:
    content = note()
    content.props[pt.PR_SUBJECT & ~1] = "eight"
    assert parsed(content)["Subject"] == "eight"
