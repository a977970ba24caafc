"""TNEF (cases TN01, TN02, TN03; MS-OXTNEF)."""

from __future__ import annotations

import struct

import pytest

from gateway.convert.errors import ParseError
from gateway.convert.tnef import attributes as att
from gateway.convert.tnef import from_tnef
from gateway.mapi import proptags as pt
from gateway.mapi.propnames import KEYWORDS, PSETID_Common, static
from gateway.mapi.props import PT_LONG, PT_MV_UNICODE, PT_UNICODE, PropName, retyped
from gateway.mapi.times import from_unix
from tests.support.tnef import attribute, props, stream, table

TN01 = bytes.fromhex(
    "789f3e220100010690080004000000000001000100010790060008000000e404000000000000e80001088007001800000049504d2e4d6963"
    "726f736f6674204d61696c2e4e6f7465003108010390060024000000020000001f003700010000000a000000480069002000ac2000000000"
    "03001700020000001c02"
)
MESSAGE_IID = bytes.fromhex("0703020000000000c000000000000046")
STORAGE_IID = bytes.fromhex("0b00000000000000c000000000000046")
START = attribute(att.ATTACHMENT_START, struct.pack("<HIHHI", 1, 0xFFFFFFFF, 0, 0, 0), 2)


def _props(*values: object, codec: str = "cp1252") -> bytes:
    return attribute(att.MAPI_PROPERTIES, props(*values, codec=codec))  # type: ignore[arg-type]


def test_TN01_the_vector() -> None:
    assert from_tnef(TN01).props == {
        pt.PR_MESSAGE_CLASS: "IPM.Note",
        pt.PR_SUBJECT: "Hi €",
        pt.PR_IMPORTANCE: 2,
    }


def test_TN02_a_wrong_checksum_is_forgiven() -> None:
    assert from_tnef(TN01[:-2] + b"\xff\xff").get(pt.PR_SUBJECT) == "Hi €"
    assert from_tnef(TN01[:-2]).get(pt.PR_SUBJECT) == "Hi €"
    assert from_tnef(TN01 + bytes(3)).get(pt.PR_SUBJECT) == "Hi €"


def test_TN03_a_stream_cut_short_is_an_error() -> None:
    # Where an attribute ends (its checksum may be missing) the stream is whole as far as anyone can tell.
    ends = {6, 19, 20, 21, 38, 39, 40, 73, 74, 75}
    for size in range(len(TN01) - 2):
        if size in ends:
            from_tnef(TN01[:size])
        else:
            with pytest.raises(ParseError):
                from_tnef(TN01[:size])


@pytest.mark.parametrize("data", [b"", b"x", bytes(100), TN01[1:], b"\x78\x9f\x3e\x22\0\0\x07"])
def test_what_is_no_tnef(data: bytes) -> None:
    with pytest.raises(ParseError):
        from_tnef(data)


def test_every_type_of_property() -> None:
    values = {
        0x00010002: -5,
        pt.PR_IMPORTANCE: 2,
        0x00020005: 1.5,
        pt.PR_READ_RECEIPT_REQUESTED: True,
        0x00030014: -(2**40),
        pt.PR_CLIENT_SUBMIT_TIME: from_unix(0),
        0x00040048: bytes(range(16)),
        pt.PR_SUBJECT: "Grüße €",
        pt.PR_HTML: b"<p>",
        0x00051002: (1, 2),
        0x00061003: (7, 8, 9),
        0x0007101F: ("a", "bc", ""),
        0x00081102: (b"", b"abc"),
        0x00091003: (),
    }
    assert from_tnef(stream(_props(*values.items()))).props == values


def test_8bit_strings_in_the_code_page_of_the_stream() -> None:
    page = attribute(att.OEM_CODEPAGE, struct.pack("<II", 1251, 0))
    content = from_tnef(stream(page, _props((retyped(pt.PR_SUBJECT, 0x1E), "Привет"), codec="cp1251")))
    assert content.props == {pt.PR_SUBJECT: "Привет"}


def test_named_properties() -> None:
    flag = static(PSETID_Common, 0x8530, PT_UNICODE)
    content = from_tnef(
        stream(
            _props(
                ((PT_UNICODE, PropName(PSETID_Common, 0x8530)), "Follow up"),
                ((PT_MV_UNICODE, KEYWORDS.name), ("red", "blue")),
                ((PT_LONG, PropName(bytes(16), 77)), 5),
            )
        )
    )
    assert content.props[flag] == "Follow up"
    assert content.props[KEYWORDS] == ("red", "blue")
    assert 5 in content.props.values()


def test_legacy_attributes() -> None:
    date = struct.pack("<7H", 2026, 7, 14, 8, 0, 0, 2)
    person = struct.pack("<4H", 4, 30, 4, 14) + b"Bob\0" + b"SMTP:b@x.test\0"
    content = from_tnef(
        stream(
            attribute(att.MESSAGE_CLASS, b"IPM.Microsoft Schedule.MtgReq\0"),
            attribute(att.SUBJECT, b"s\xfc\xdf\0"),
            attribute(att.BODY, b"body\0"),
            attribute(att.PRIORITY, struct.pack("<H", 1)),
            attribute(att.DATE_SENT, date),
            attribute(att.DATE_START, bytes(14)),
            attribute(att.MESSAGE_ID, b"00FF10\0"),
            attribute(att.FROM, person),
            attribute(att.SENT_FOR, b"\x02\0A\0" + b"\x0b\0SMTP:a@x.y\0"),
            attribute(att.RESPONSE_REQUESTED, b"\1\0"),
        )
    )
    assert content.props == {
        pt.PR_MESSAGE_CLASS: "IPM.Schedule.Meeting.Request",
        pt.PR_SUBJECT: "süß",
        pt.PR_BODY: "body",
        pt.PR_IMPORTANCE: 2,
        pt.PR_CLIENT_SUBMIT_TIME: 0x01DD1366C4C7C000,
        pt.PR_SEARCH_KEY: b"\x00\xff\x10",
        pt.PR_SENDER_NAME: "Bob",
        pt.PR_SENDER_ADDRTYPE: "SMTP",
        pt.PR_SENDER_EMAIL_ADDRESS: "b@x.test",
        pt.PR_SENT_REPRESENTING_NAME: "A",
        pt.PR_SENT_REPRESENTING_ADDRTYPE: "SMTP",
        pt.PR_SENT_REPRESENTING_EMAIL_ADDRESS: "a@x.y",
        pt.PR_RESPONSE_REQUESTED: True,
    }


@pytest.mark.parametrize(
    ("legacy", "expected"),
    [
        ("IPM.Microsoft Schedule.MtgRespP", "IPM.Schedule.Meeting.Resp.Pos"),
        ("IPM.Microsoft Schedule.MtgRespN", "IPM.Schedule.Meeting.Resp.Neg"),
        ("IPM.Microsoft Schedule.MtgRespA", "IPM.Schedule.Meeting.Resp.Tent"),
        ("IPM.Microsoft Schedule.MtgCncl", "IPM.Schedule.Meeting.Canceled"),
        ("IPM.Microsoft Mail.Non-Delivery", "REPORT.IPM.Note.NDR"),
        ("IPM.Microsoft Mail.Read Receipt", "REPORT.IPM.Note.IPNRN"),
        ("IPM.Task", "IPM.Task"),
    ],
)
def test_message_classes(legacy: str, expected: str) -> None:
    content = from_tnef(stream(attribute(att.MESSAGE_CLASS, legacy.encode() + b"\0")))
    assert content.get(pt.PR_MESSAGE_CLASS) == expected


def test_properties_win_over_legacy_attributes_wherever_they_stand() -> None:
    legacy, mapi = attribute(att.SUBJECT, b"old\0"), _props((pt.PR_SUBJECT, "new"))
    assert (
        from_tnef(stream(legacy, mapi)).props == from_tnef(stream(mapi, legacy)).props == {pt.PR_SUBJECT: "new"}
    )


def test_recipients() -> None:
    rows = table(props((pt.PR_DISPLAY_NAME, "B"), (pt.PR_RECIPIENT_TYPE, 1)), props((pt.PR_DISPLAY_NAME, "C")))
    assert from_tnef(stream(attribute(att.RECIPIENTS, rows))).recipients == [
        {pt.PR_DISPLAY_NAME: "B", pt.PR_RECIPIENT_TYPE: 1},
        {pt.PR_DISPLAY_NAME: "C"},
    ]


def test_attachments() -> None:
    content = from_tnef(
        stream(
            START,
            attribute(att.ATTACHMENT_TITLE, b"LONGNA~1.TXT\0", 2),
            attribute(att.ATTACHMENT_DATA, b"data", 2),
            attribute(att.ATTACHMENT_PROPERTIES, props((pt.PR_ATTACH_LONG_FILENAME, "long name.txt")), 2),
            START,
            attribute(att.ATTACHMENT_TITLE, b"second.bin\0", 2),
            attribute(att.ATTACHMENT_DATA, b"", 2),
        )
    )
    first, second = content.attachments
    assert first.data == b"data"
    assert first.props[pt.PR_ATTACH_LONG_FILENAME] == "long name.txt"
    assert first.props[pt.PR_ATTACH_METHOD] == 1
    assert (second.props[pt.PR_ATTACH_LONG_FILENAME], second.data) == ("second.bin", b"")


def _embedding(inner: bytes) -> bytes:
    data = props((pt.PR_ATTACH_DATA_OBJ, MESSAGE_IID + inner), (pt.PR_ATTACH_METHOD, 5))
    return stream(START, attribute(att.ATTACHMENT_PROPERTIES, data, 2))


def test_embedded_message() -> None:
    (attachment,) = from_tnef(_embedding(TN01)).attachments
    assert attachment.props[pt.PR_ATTACH_METHOD] == 5
    assert attachment.data is None
    assert attachment.embedded is not None
    assert attachment.embedded.get(pt.PR_SUBJECT) == "Hi €"


def test_ole_object() -> None:
    data = props((pt.PR_ATTACH_DATA_OBJ, STORAGE_IID + b"\xd0\xcf"))
    (attachment,) = from_tnef(stream(START, attribute(att.ATTACHMENT_PROPERTIES, data, 2))).attachments
    assert (attachment.props[pt.PR_ATTACH_METHOD], attachment.data) == (6, b"\xd0\xcf")


def test_embedded_messages_stop_at_the_limit() -> None:
    data = TN01
    for _ in range(10):
        data = _embedding(data)
    content = from_tnef(data)
    for _ in range(7):
        assert content.attachments[0].embedded is not None
        content = content.attachments[0].embedded
    (last,) = content.attachments
    assert last.embedded is None
    assert last.props[pt.PR_ATTACH_MIME_TAG] == "application/ms-tnef"
    assert isinstance(last.data, bytes)
    assert from_tnef(last.data).attachments


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        struct.pack("<II", 1, 0x00071003) + b"\xff\xff\xff\x0f",
        struct.pack("<II", 1, pt.PR_HTML) + b"\1\0\0\0\xff\xff\xff\xff",
        struct.pack("<II", 1, 0x00070099) + bytes(8),
        struct.pack("<II", 1, 0x80000003) + bytes(16) + b"\1\0\0\0\xff\xff\0\0",
    ],
)
def test_announced_sizes_are_checked_before_anything_is_made(data: bytes) -> None:
    with pytest.raises(ParseError):
        from_tnef(stream(attribute(att.MAPI_PROPERTIES, data)))


def test_the_number_of_properties_is_limited_over_all_levels() -> None:
    many = _props(*[(pt.PR_IMPORTANCE, 1)] * 30)
    assert from_tnef(stream(many, many), properties=100).props
    with pytest.raises(ParseError, match="more properties"):
        from_tnef(_embedding(stream(many, many, many, many)), properties=100)


def test_a_table_of_empty_rows_is_limited() -> None:
    with pytest.raises(ParseError):
        from_tnef(stream(attribute(att.RECIPIENTS, struct.pack("<I", 60_000) + bytes(240_000))))
