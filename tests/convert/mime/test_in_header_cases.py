"""Headers and addresses of mail that comes in: the cases ML01 to ML50."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.convert.mime import FromMimeOptions, envelope, from_mime, normalised, original_properties, scan
from gateway.convert.mime.frommime_header import (
    COMMON_END,
    FLAG_REQUEST,
    TASK_COMPLETE,
    TASK_DUE,
    TASK_STATUS,
    internet_header,
)
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.ids import parse_one_off_entryid
from gateway.mapi.propnames import KEYWORDS, PSETID_Common, static
from gateway.mapi.props import PT_BOOLEAN, PT_UNICODE, NamedProps
from gateway.mapi.times import from_datetime
from tests.convert.mime.samples import lines

BOB_ONE_OFF = bytes.fromhex(
    "00000000812b1fa4bea310199d6e00dd010f54020000018042006f006200000053004d00540050000000"
    "62006f006200400078002e006500780061006d0070006c0065000000"
)


def read(*rows: str | bytes) -> MessageContent:
    return from_mime(lines(*rows, "", "x"))


def utc(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def rows_of(content: MessageContent) -> list[tuple[int, str, str]]:
    return [
        (row[pr.PR_RECIPIENT_TYPE], row[pr.PR_DISPLAY_NAME], row[pr.PR_EMAIL_ADDRESS])
        for row in content.recipients
    ]


#: Property values by case; None stands for a property that must not be there.
SIMPLE: list[tuple[str, list[str | bytes], NamedProps]] = [
    (
        "ML01",
        ['From: "Doe, John" <j@x.example>'],
        {
            pr.PR_SENT_REPRESENTING_NAME: "Doe, John",
            pr.PR_SENT_REPRESENTING_ADDRTYPE: "SMTP",
            pr.PR_SENT_REPRESENTING_EMAIL_ADDRESS: "j@x.example",
            pr.PR_SENT_REPRESENTING_SMTP_ADDRESS: "j@x.example",
            pr.PR_SENT_REPRESENTING_SEARCH_KEY: b"SMTP:J@X.EXAMPLE\0",
            pr.PR_SENDER_NAME: "Doe, John",
            pr.PR_SENDER_ADDRTYPE: "SMTP",
            pr.PR_SENDER_EMAIL_ADDRESS: "j@x.example",
            pr.PR_SENDER_SMTP_ADDRESS: "j@x.example",
            pr.PR_SENDER_SEARCH_KEY: b"SMTP:J@X.EXAMPLE\0",
        },
    ),
    (
        "ML02",
        ["From: A <a@x.example>", "Sender: B <b@x.example>"],
        {pr.PR_SENT_REPRESENTING_EMAIL_ADDRESS: "a@x.example", pr.PR_SENDER_EMAIL_ADDRESS: "b@x.example"},
    ),
    (
        "ML03",
        ["Sender: B <b@x.example>"],
        {pr.PR_SENT_REPRESENTING_EMAIL_ADDRESS: "b@x.example", pr.PR_SENDER_EMAIL_ADDRESS: "b@x.example"},
    ),
    (
        "ML04",
        ["From: a@x.example, b@x.example"],
        {
            pr.PR_SENT_REPRESENTING_EMAIL_ADDRESS: "a@x.example",
            pr.PR_SENT_REPRESENTING_NAME: "a@x.example",
            pr.PR_TRANSPORT_MESSAGE_HEADERS: "From: a@x.example, b@x.example\r\n",
        },
    ),
    (
        "ML05",
        ["From: <>"],
        {pr.PR_SENT_REPRESENTING_NAME: None, pr.PR_SENDER_ENTRYID: None, pr.PR_BODY: "x\r\n"},
    ),
    ("ML06", [b"From: caf\xe9 <c@x.example>"], {pr.PR_SENT_REPRESENTING_NAME: "café"}),
    ("ML07", ["From: =?UTF-8?B?w6Q=?= =?UTF-8?B?w7Y=?= <a@x.example>"], {pr.PR_SENT_REPRESENTING_NAME: "äö"}),
    ("ML08", ["Subject: =?utf-8?B?4oI=?= =?utf-8?B?rA==?="], {pr.PR_SUBJECT: "€"}),
    ("ML09", ["Subject: =?x-unknown?Q?a=E9b?="], {pr.PR_SUBJECT: "aéb"}),
    ("ML10", ["Subject: =?gb2312?B?gUA=?="], {pr.PR_SUBJECT: "丂"}),
    ("ML11", ["Subject: a\r\n\tb"], {pr.PR_SUBJECT: "a b"}),
    ("ML12", ["Subject: Re: AW: x"], {pr.PR_SUBJECT_PREFIX: "Re: ", pr.PR_NORMALIZED_SUBJECT: "AW: x"}),
    ("ML13", ["Subject: Hello: x"], {pr.PR_SUBJECT_PREFIX: "", pr.PR_NORMALIZED_SUBJECT: "Hello: x"}),
    ("ML14", ["Subject: 1: x"], {pr.PR_SUBJECT_PREFIX: "", pr.PR_NORMALIZED_SUBJECT: "1: x"}),
    ("ML15", ["Subject: a", "Subject: b"], {pr.PR_SUBJECT: "a"}),
    ("ML16", ["To: a@x.example"], {pr.PR_SUBJECT: ""}),
    ("ML25", ["Message-ID: <>"], {pr.PR_INTERNET_MESSAGE_ID: None}),
    ("ML26", ["Message-ID: <[abc]@x>"], {pr.PR_INTERNET_MESSAGE_ID: "<[abc]@x>"}),
    (
        "ML28",
        ["Thread-Index: Ad0TZsTHAAECAwQFBgcICQoLDA0ODw=="],
        {pr.PR_CONVERSATION_INDEX: bytes.fromhex("01dd1366c4c7000102030405060708090a0b0c0d0e0f")},
    ),
    ("ML29", ["Thread-Index: !!!"], {pr.PR_CONVERSATION_INDEX: None}),
    ("ML30", ["Date: Tue, 14 Jul 2026 10:00:00 +0200"], {pr.PR_CLIENT_SUBMIT_TIME: 0x01DD1366C4C7C000}),
    ("ML31", ["Date: 14 Jul 26 10:00 EDT"], {pr.PR_CLIENT_SUBMIT_TIME: utc("2026-07-14T14:00")}),
    ("ML32", ["Date: Wed, 14 Jul 2026 10:00:00 +0000"], {pr.PR_CLIENT_SUBMIT_TIME: utc("2026-07-14T10:00")}),
    (
        "ML33-east",
        ["Date: Tue, 14 Jul 2026 10:00:00 +0845"],
        {pr.PR_CLIENT_SUBMIT_TIME: utc("2026-07-14T01:15")},
    ),
    (
        "ML33-west",
        ["Date: Tue, 14 Jul 2026 10:00:00 -0930"],
        {pr.PR_CLIENT_SUBMIT_TIME: utc("2026-07-14T19:30")},
    ),
    ("ML36", ["Importance: high", "X-Priority: 5"], {pr.PR_IMPORTANCE: 0, pr.PR_PRIORITY: 0xFFFFFFFF}),
    ("ML36-order", ["X-Priority: 5", "Importance: high"], {pr.PR_IMPORTANCE: 0}),
    ("ML37", ["X-Priority: 1 (Highest)"], {pr.PR_IMPORTANCE: 2, pr.PR_PRIORITY: 1}),
    ("ML38", ["Sensitivity: company-confidential"], {pr.PR_SENSITIVITY: 3}),
    ("ML39", ["Keywords: a, b;c"], {KEYWORDS: ("a", "b", "c")}),
    (
        "ML40",
        ["Disposition-Notification-To: r@x.example"],
        {pr.PR_READ_RECEIPT_REQUESTED: True, pr.PR_MESSAGE_FLAGS: 0x302},
    ),
    ("ML41", ["Disposition-Notification-To:"], {pr.PR_READ_RECEIPT_REQUESTED: None, pr.PR_MESSAGE_FLAGS: 2}),
    ("ML42", ["From x@y Mon Jan  1 10:00:00 2024", "Subject: s"], {pr.PR_SUBJECT: "s"}),
    ("ML42-quoted", [">From x@y Mon Jan  1 10:00:00 2024", "Subject: s"], {pr.PR_SUBJECT: "s"}),
    ("ML43", ["To: a@x.example", "no field", "Subject: s"], {pr.PR_SUBJECT: "s"}),
    ("ML45", [b"Subject: a\0b"], {pr.PR_SUBJECT: "ab"}),
    (
        "ML46",
        [b"\xef\xbb\xbfSubject: s"],
        {pr.PR_SUBJECT: "s", pr.PR_TRANSPORT_MESSAGE_HEADERS: "Subject: s\r\n"},
    ),
    ("ML48", ["X-Auto-Response-Suppress: DR, OOF"], {pr.PR_AUTO_RESPONSE_SUPPRESS: 0x11}),
    (
        "ML49",
        ["X-Message-Flag: Follow up"],
        {FLAG_REQUEST: "Follow up", pr.PR_FLAG_STATUS: 2, TASK_STATUS: 0, TASK_COMPLETE: False},
    ),
    (
        "ML50",
        ["From: ü@ü.example"],
        {pr.PR_SENDER_EMAIL_ADDRESS: "ü@ü.example", pr.PR_SENDER_SMTP_ADDRESS: "ü@ü.example"},
    ),
]


@pytest.mark.parametrize(("rows", "expected"), [each[1:] for each in SIMPLE], ids=[each[0] for each in SIMPLE])
def test_properties(rows: list[str | bytes], expected: NamedProps) -> None:
    content = read(*rows)
    assert {key: content.get(key) for key in expected} == expected


RECIPIENTS: list[tuple[str, list[str | bytes], list[tuple[int, str, str]]]] = [
    ("ML17", ["To: undisclosed-recipients:;"], []),
    (
        "ML18",
        ["To: team: a@x.example, b@x.example;, c@x.example"],
        [
            (1, "a@x.example", "a@x.example"),
            (1, "b@x.example", "b@x.example"),
            (1, "c@x.example", "c@x.example"),
        ],
    ),
    (
        "ML19",
        ["Cc: A <a@x.example>", "Cc: B <b@x.example>"],
        [(2, "A", "a@x.example"), (2, "B", "b@x.example")],
    ),
    ("ML20", ["Bcc: a@x.example"], [(3, "a@x.example", "a@x.example")]),
    (
        "ML21",
        ["To: a@x.example; b@x.example"],
        [(1, "a@x.example", "a@x.example"), (1, "b@x.example", "b@x.example")],
    ),
    ("group-without-members", ["To: team:;"], [(1, "team", "")]),
    ("encoded-whole", ["To: =?utf-8?Q?J_=3Cj@x.example=3E?="], [(1, "J", "j@x.example")]),
    ("encoded-address", ["To: =?utf-8?Q?j=40x.example?="], [(1, "j@x.example", "j@x.example")]),
    ("name-only", ["To: Some Body"], [(1, "Some Body", "")]),
    ("empty", ["To:", "Cc: <>"], []),
    (
        "order",
        ["Cc: c@x.example", "To: t@x.example"],
        [(1, "t@x.example", "t@x.example"), (2, "c@x.example", "c@x.example")],
    ),
]


@pytest.mark.parametrize(
    ("rows", "expected"), [each[1:] for each in RECIPIENTS], ids=[each[0] for each in RECIPIENTS]
)
def test_recipients(rows: list[str | bytes], expected: list[tuple[int, str, str]]) -> None:
    assert rows_of(read(*rows)) == expected


def test_ml20_bcc_stays_in_the_original() -> None:
    data = lines("Bcc: a@x.example", "", "x")
    assert original_properties(data)[pr.PR_EC_IMAP_EMAIL] == data


def test_ml22_ten_thousand_recipients() -> None:
    content = read("To: " + ",\r\n ".join(f'"Doe, J {n}" <j{n}@x.example>' for n in range(10_000)))
    assert len(content.recipients) == 10_000
    assert content.recipients[-1][pr.PR_DISPLAY_NAME] == "Doe, J 9999"
    assert content.props[pr.PR_DISPLAY_TO].count("; ") == 9_999


def test_ml23_reply_to() -> None:
    props = read("Reply-To: Bob <bob@x.example>").props
    assert props[pr.PR_REPLY_RECIPIENT_ENTRIES] == bytes.fromhex(
        "010000004c00000046000000"
    ) + BOB_ONE_OFF + bytes(2)
    assert props[pr.PR_REPLY_RECIPIENT_NAMES] == "Bob"


def test_ml24_recipient_row() -> None:
    (row,) = read("To: Bob <bob@x.example>").recipients
    assert row[pr.PR_SEARCH_KEY] == bytes.fromhex("534D54503A424F4240582E4558414D504C4500")
    assert row[pr.PR_ENTRYID] == BOB_ONE_OFF
    assert {tag: row[tag] for tag in (pr.PR_OBJECT_TYPE, pr.PR_DISPLAY_TYPE, pr.PR_ADDRTYPE)} == {
        pr.PR_OBJECT_TYPE: 6,
        pr.PR_DISPLAY_TYPE: 0,
        pr.PR_ADDRTYPE: "SMTP",
    }


def test_ml27_long_references() -> None:
    ids = [f"<{n}@x.example>" for n in range(4000)]
    content = read("References: " + "\r\n ".join(ids))
    assert len(content.props[pr.PR_INTERNET_REFERENCES]) > 64 * 1024
    assert content.props[pr.PR_INTERNET_REFERENCES] == " ".join(ids)


def test_ml34_no_date_is_invented() -> None:
    data = lines("Date: garbage", "", "x")
    content = from_mime(data, FromMimeOptions(delivery_time=utc("2026-07-14T08:00")))
    assert pr.PR_CLIENT_SUBMIT_TIME not in content.props
    assert content.props[pr.PR_MESSAGE_DELIVERY_TIME] == utc("2026-07-14T08:00")
    assert envelope(scan(data)).startswith(b'("garbage" ')


def test_ml35_delivery_without_date() -> None:
    content = from_mime(lines("Subject: x", "", "x"), FromMimeOptions(delivery_time=utc("2026-07-14T08:00")))
    assert pr.PR_CLIENT_SUBMIT_TIME not in content.props
    assert content.props[pr.PR_MESSAGE_DELIVERY_TIME] == utc("2026-07-14T08:00")
    assert pr.PR_MESSAGE_DELIVERY_TIME not in read("Subject: x").props


def test_the_topmost_received_tells_when_a_mail_arrived() -> None:
    content = read(
        "Received: by a; Tue, 14 Jul 2026 10:00:02 +0200",
        "Received: by b; Tue, 14 Jul 2026 10:00:01 +0200",
        "Date: Tue, 14 Jul 2026 10:00:00 +0200",
    )
    assert content.props[pr.PR_MESSAGE_DELIVERY_TIME] == utc("2026-07-14T08:00:02")


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\n\r\n"])
def test_ml44_headers_only(end: bytes) -> None:
    content = from_mime(b"Subject: s\r\nTo: a@x.example" + end)
    assert content.props[pr.PR_SUBJECT] == "s"
    assert content.props[pr.PR_BODY] == ""
    assert len(content.recipients) == 1


def test_ml45_the_original_keeps_its_nul() -> None:
    data = b"Subject: a\0b\r\n\r\nx"
    assert original_properties(data)[pr.PR_EC_IMAP_EMAIL] == data


def test_ml47_bare_line_feeds_are_stored_as_crlf() -> None:
    data = normalised(b"Subject: s\n\nline\nline\r\n")
    original = original_properties(data)
    assert data == b"Subject: s\r\n\r\nline\r\nline\r\n"
    assert original[pr.PR_EC_IMAP_EMAIL_SIZE] == len(original[pr.PR_EC_IMAP_EMAIL]) == len(data)
    assert original_properties(normalised(data)) == original


def test_ml50_the_local_part_is_not_translated() -> None:
    one_off = parse_one_off_entryid(read("From: ü@ü.example").props[pr.PR_SENDER_ENTRYID])
    assert (one_off.name, one_off.address) == ("ü@ü.example", "ü@ü.example")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("In-Reply-To: <a@x> <b@x>", {pr.PR_IN_REPLY_TO_ID: "<a@x> <b@x>"}),
        ("Thread-Topic: =?utf-8?Q?=C3=A4?=", {pr.PR_CONVERSATION_TOPIC: "ä"}),
        ("Subject: Re: topic", {pr.PR_CONVERSATION_TOPIC: "topic"}),
        ("Expires: Tue, 14 Jul 2026 10:00:00 +0200", {pr.PR_EXPIRY_TIME: utc("2026-07-14T08:00")}),
        (
            "Deferred-Delivery: Tue, 14 Jul 2026 10:00:00 +0200",
            {pr.PR_DEFERRED_SEND_TIME: utc("2026-07-14T08:00")},
        ),
        ("Reply-By: Tue, 14 Jul 2026 10:00:00 +0200", {pr.PR_REPLY_TIME: utc("2026-07-14T08:00")}),
        ("Reply-By: soon", {pr.PR_REPLY_TIME: None}),
        ("X-MSMail-Priority: Low", {pr.PR_IMPORTANCE: 0}),
        ("Priority: urgent", {pr.PR_IMPORTANCE: 2}),
        ("X-Priority: nonsense", {pr.PR_IMPORTANCE: 1}),
        ("Importance: nonsense", {pr.PR_IMPORTANCE: 1, pr.PR_SENSITIVITY: 0}),
        ("Sensitivity: nonsense", {pr.PR_SENSITIVITY: 0}),
        ("Keywords: =?utf-8?Q?=C3=A4=2Cb?=", {KEYWORDS: ("ä", "b")}),
        ("Keywords: a\r\nKeywords: b", {KEYWORDS: ("a", "b")}),
        ("Keywords: ,;", {KEYWORDS: None}),
        ("Content-Language: de-AT, en", {pr.PR_MESSAGE_LOCALE_ID: 0x0C07}),
        ("Content-Language: en", {pr.PR_MESSAGE_LOCALE_ID: 0x09}),
        ("Content-Language: tlh", {pr.PR_MESSAGE_LOCALE_ID: None}),
        ("Precedence: bulk", {pr.PR_INTERNET_PRECEDENCE: "bulk"}),
        ("Auto-Submitted: auto-replied", {pr.PR_AUTO_RESPONSE_SUPPRESS: 0x30}),
        ("Auto-Submitted: no", {pr.PR_AUTO_RESPONSE_SUPPRESS: None}),
        ("X-Auto-Response-Suppress: All", {pr.PR_AUTO_RESPONSE_SUPPRESS: 0xFFFFFFFF}),
        ("X-Auto-Response-Suppress: None\r\nAuto-Submitted: auto-replied", {pr.PR_AUTO_RESPONSE_SUPPRESS: 0}),
        ("List-Unsubscribe: <mailto:u@x>", {pr.PR_LIST_UNSUBSCRIBE: "<mailto:u@x>"}),
        ("X-List-Help: <mailto:h@x>", {pr.PR_LIST_HELP: "<mailto:h@x>"}),
        ("Return-Receipt-To: a@x.example", {pr.PR_ORIGINATOR_DELIVERY_REPORT_REQUESTED: True}),
        ("X-Kopano-Vacation: 1", {pr.PR_ICON_INDEX: 0x11B}),
        ("X-MS-Exchange-Organization-SCL: -1", {pr.PR_CONTENT_FILTER_SCL: 0xFFFFFFFF}),
        ("X-MS-Exchange-Organization-SCL: x", {pr.PR_CONTENT_FILTER_SCL: None}),
        ("X-MS-Exchange-Organization-SenderIdResult: Pass", {pr.PR_SENDER_ID_STATUS: 2}),
        ("X-MS-Exchange-Organization-PRD: x.example", {pr.PR_PURPORTED_SENDER_DOMAIN: "x.example"}),
        ("Content-ID: <body@x>", {pr.PR_BODY_CONTENT_ID: "body@x"}),
        ("Content-Class: fax", {pr.PR_MESSAGE_CLASS: "IPM.Note.Microsoft.Fax"}),
        ("Content-Class: urn:content-class:custom.a.b", {pr.PR_MESSAGE_CLASS: "IPM.Note.Custom.a.b"}),
        ("Content-Class: InfoPathForm.g.n", {pr.PR_MESSAGE_CLASS: "IPM.InfoPathForm.g.n"}),
        ("Content-Class: urn:content-classes:message", {pr.PR_MESSAGE_CLASS: "IPM.Note"}),
    ],
)
def test_other_fields(row: str, expected: dict[Any, Any]) -> None:
    content = read(row)
    assert {key: content.get(key) for key in expected} == expected


def test_a_follow_up_is_due_when_a_reply_is_wanted() -> None:
    props = read("X-Message-Flag: x", "Reply-By: Tue, 14 Jul 2026 10:00:00 +0200").props
    assert props[COMMON_END] == utc("2026-07-14T08:00")
    assert props[TASK_DUE] == utc("2026-07-14T00:00")


def test_classification() -> None:
    props = read("X-Microsoft-Classified: true", "X-Microsoft-Classification: secret").props
    assert props[static(PSETID_Common, 0x85B5, PT_BOOLEAN)] is True
    assert props[static(PSETID_Common, 0x85B6, PT_UNICODE)] == "secret"


def test_configured_fields_become_named_properties() -> None:
    options = FromMimeOptions(indexed_headers=frozenset({"x-spam-flag"}))
    data = lines("X-Spam-Flag: YES", "X-Other: no", "", "x")
    assert from_mime(data, options).get(internet_header("x-spam-flag")) == "YES"
    assert from_mime(data).get(internet_header("x-spam-flag")) is None


def test_who_is_shown() -> None:
    props = read("To: A <a@x.example>, b@x.example", "Cc: C <c@x.example>").props
    assert (props[pr.PR_DISPLAY_TO], props[pr.PR_DISPLAY_CC], props[pr.PR_DISPLAY_BCC]) == (
        "A; b@x.example",
        "C",
        "",
    )


def test_the_transport_header_has_crlf_and_no_blank_line() -> None:
    content = from_mime(b"Subject: s\nX: caf\xe9\n folded\nY: a\rb\n\nbody")
    assert content.props[pr.PR_TRANSPORT_MESSAGE_HEADERS] == "Subject: s\r\nX: café\r\n folded\r\nY: a b\r\n"
