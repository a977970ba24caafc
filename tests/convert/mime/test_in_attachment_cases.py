"""Attachments, S/MIME, reports and TNEF in mail that comes in: the cases AT, SM, RP and TN."""

import struct
from datetime import UTC, datetime

import pytest

from gateway.convert.mime import FromMimeOptions, from_mime, original_properties, scan
from gateway.convert.mime.frommime import SMART_NO_ATTACH
from gateway.convert.mime.frommime_attachments import MAC_INFO
from gateway.convert.mime.frommime_header import internet_header
from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.props import NamedProps
from gateway.mapi.times import from_datetime
from tests.convert.mime.samples import S1, lines
from tests.convert.mime.test_in_body_cases import hidden, multipart, names, text

BODY = text("body")
TNEF = bytes.fromhex(
    "789f3e220100010690080004000000000001000100010790060008000000e404000000000000e80001088007001800000049504d2e4d69"
    "63726f736f6674204d61696c2e4e6f7465003108010390060024000000020000001f003700010000000a000000480069002000ac20000000"
    "0003001700020000001c02"
)


def file(*fields: str, kind: str = "application/pdf", data: str | bytes = b"data") -> bytes:
    return text(data, *fields, kind=kind)


def one(*fields: str, kind: str = "application/pdf", data: str | bytes = b"data") -> AttachmentContent:
    """The only attachment of a mail with a body and this part."""
    (attachment,) = from_mime(multipart("mixed", BODY, file(*fields, kind=kind, data=data))).attachments
    return attachment


FILE_NAMES: list[tuple[str, list[str], str, str]] = [
    ("AT01", ["Content-Disposition: attachment; filename*=utf-8''na%C3%AFve.txt"], "a/b", "naïve.txt"),
    ("AT02", ["Content-Disposition: attachment; filename*0*=utf-8''a%20; filename*1=b.txt"], "a/b", "a b.txt"),
    ("AT03", ['Content-Disposition: attachment; filename="=?utf-8?B?w6QudHh0?="'], "a/b", "ä.txt"),
    ("AT04", ["Content-Disposition: attachment; filename=plain; filename*=utf-8''ext"], "a/b", "ext"),
    ("AT05", [], "a/b; name=only.pdf", "only.pdf"),
    ("AT05-encoded", [], "a/b; name*=utf-8''%C3%A4", "ä"),
    ("AT06", ['Content-Disposition: attachment; filename="..\\\\..\\\\etc/passwd"'], "a/b", "_.._etc_passwd"),
    ("AT06-controls", ['Content-Disposition: attachment; filename="a:b\x01c"'], "a/b", "a_b_c"),
    ("AT07", [], "image/png", "attachment1.png"),
    ("AT07-unknown", [], "x/y", "attachment1.bin"),
    ("filename-wins", ["Content-Disposition: attachment; filename=a"], "a/b; name=b", "a"),
    ("only-dots", ["Content-Disposition: attachment; filename=..."], "image/png", "attachment1.png"),
    ("long", [f"Content-Disposition: attachment; filename={'a' * 300}.txt"], "a/b", "a" * 251 + ".txt"),
]


@pytest.mark.parametrize(
    ("fields", "kind", "name"), [each[1:] for each in FILE_NAMES], ids=[each[0] for each in FILE_NAMES]
)
def test_file_names(fields: list[str], kind: str, name: str) -> None:
    assert one(*fields, kind=kind).props[pr.PR_ATTACH_LONG_FILENAME] == name


def test_at07_names_are_counted() -> None:
    content = from_mime(multipart("mixed", file(), file(kind="image/png"), file()))
    assert names(content) == ["attachment1.pdf", "attachment2.png", "attachment3.pdf"]


def test_at08_content_id() -> None:
    assert one("Content-ID: <img1@x>").props[pr.PR_ATTACH_CONTENT_ID] == "img1@x"
    assert pr.PR_ATTACH_CONTENT_ID not in one("Content-ID: <>").props


def shown(html: str, *fields: str, kind: str = "image/png", subtype: str = "related") -> MessageContent:
    """A mail with HTML and one other part."""
    return from_mime(multipart(subtype, text(html, kind="text/html"), file(*fields, kind=kind)))


INLINE = "Content-Disposition: inline"
SHOWN: list[tuple[str, str, list[str], str, str, bool]] = [
    ("AT09", '<img src="cid:img1@x">', ["Content-ID: <img1@x>", INLINE], "image/png", "mixed", True),
    ("AT09-quoted", '<img src="cid:img1%40x">', ["Content-ID: <img1@x>", INLINE], "image/png", "mixed", True),
    ("AT09-case", "<img src=CID:IMG1@x>", ["Content-ID: <img1@x>", INLINE], "image/png", "mixed", True),
    ("AT09-entity", '<img src="cid:a&amp;b">', ["Content-ID: <a&b>", INLINE], "image/png", "mixed", True),
    (
        "AT09-style",
        "<p style=\"background: url('cid:img1@x')\">",
        ["Content-ID: <img1@x>"],
        "image/png",
        "related",
        True,
    ),
    ("AT10", "<img src=cid:other>", ["Content-ID: <img1@x>", INLINE], "image/png", "related", False),
    ("AT11", '<img src="cid:img1@x">', ["Content-ID: <img1@x>"], "image/png", "related", True),
    (
        "AT12",
        '<img src="http://x.example/i">',
        ["Content-Location: http://x.example/i"],
        "image/png",
        "related",
        True,
    ),
    (
        "attached",
        '<img src="cid:i">',
        ["Content-ID: <i>", "Content-Disposition: attachment"],
        "image/png",
        "mixed",
        False,
    ),
    (
        "attached-related",
        '<img src="cid:i">',
        ["Content-ID: <i>", "Content-Disposition: attachment"],
        "image/png",
        "related",
        True,
    ),
    ("no-image", '<a href="cid:i">', ["Content-ID: <i>"], "application/pdf", "mixed", False),
]


@pytest.mark.parametrize(
    ("html", "fields", "kind", "subtype", "expected"),
    [each[1:] for each in SHOWN],
    ids=[each[0] for each in SHOWN],
)
def test_inline(html: str, fields: list[str], kind: str, subtype: str, expected: bool) -> None:
    content = shown(html, *fields, kind=kind, subtype=subtype)
    (attachment,) = content.attachments
    assert hidden(attachment) is expected
    assert attachment.props[pr.PR_ATTACH_FLAGS] == (4 if expected else 0)
    assert (content.get(SMART_NO_ATTACH) is True) is expected


def test_at09_one_visible_attachment_shows_the_paper_clip() -> None:
    image = file("Content-ID: <i>", kind="image/png")
    content = from_mime(multipart("mixed", text("<img src=cid:i>", kind="text/html"), image, file()))
    assert [hidden(each) for each in content.attachments] == [True, False]
    assert SMART_NO_ATTACH not in content.props


def test_images_before_the_html_are_inline_too() -> None:
    image = file("Content-ID: <i>", kind="image/png")
    content = from_mime(multipart("mixed", image, text("<img src=cid:i>", kind="text/html")))
    assert [hidden(each) for each in content.attachments] == [True]


def test_at13_a_message_is_embedded() -> None:
    (attachment,) = from_mime(S1.replace(b"Subject: in", b"Subject: in\r\nTo: in@x.example")).attachments
    assert attachment.props[pr.PR_ATTACH_METHOD] == 5
    assert attachment.props[pr.PR_DISPLAY_NAME] == "in"
    assert pr.PR_ATTACH_LONG_FILENAME not in attachment.props
    inner = attachment.embedded
    assert inner is not None
    assert inner.props[pr.PR_SENDER_EMAIL_ADDRESS] == "b@x.example"
    assert inner.props[pr.PR_BODY] == "hi\r\n"
    assert [row[pr.PR_EMAIL_ADDRESS] for row in inner.recipients] == ["in@x.example"]


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("base64", b"U3ViamVjdDogaW4NCg0KaGk="),
        ("quoted-printable", b"Subject: in\r\n\r\n=68i"),
        ("8bit", b"Subject: in\r\n\r\nhi"),
    ],
)
def test_an_encoded_message_is_embedded_too(encoding: str, data: bytes) -> None:
    attachment = one(f"Content-Transfer-Encoding: {encoding}", kind="message/rfc822", data=data)
    assert attachment.embedded is not None
    assert (attachment.embedded.props[pr.PR_SUBJECT], attachment.embedded.props[pr.PR_BODY]) == ("in", "hi")


def test_what_is_no_message_is_not_embedded() -> None:
    attachment = one(kind="message/rfc822", data=b"\0\1\2")
    assert (attachment.embedded, attachment.data) == (None, b"\0\1\2")
    assert attachment.props[pr.PR_ATTACH_MIME_TAG] == "message/rfc822"


def test_messages_deep_inside_stay_bytes() -> None:
    data = b"Subject: leaf\r\n\r\nx"
    for level in range(12):
        data = lines(f"Subject: {level}", "Content-Type: message/rfc822", "") + data
    content: MessageContent | None = from_mime(data)
    levels = 0
    while content is not None:
        (attachment,) = content.attachments
        content, levels = attachment.embedded, levels + 1
    assert levels == 8
    assert isinstance(attachment.data, bytes)
    assert attachment.data.endswith(b"Subject: leaf\r\n\r\nx")


@pytest.mark.parametrize(
    "kind", ["message/partial; id=1", "message/delivery-status", "message/external-body", "message/x-foo"]
)
def test_at14_other_messages_are_files(kind: str) -> None:
    attachment = one(kind=kind, data=b"A: b\r\n\r\nx")
    assert attachment.props[pr.PR_ATTACH_METHOD] == 1
    assert attachment.props[pr.PR_ATTACH_MIME_TAG] == kind.partition(";")[0]
    assert attachment.data == b"A: b\r\n\r\nx"


def test_at15_an_empty_attachment() -> None:
    assert one(data=b"").data == b""


def test_at16_two_files_of_one_name() -> None:
    part = file("Content-Disposition: attachment; filename=a")
    assert names(from_mime(multipart("mixed", part, part))) == ["a", "a"]


def test_at17_appledouble() -> None:
    fork = file(kind='application/applefile; name="%pic"', data=b"FORK")
    double = multipart(
        "appledouble",
        fork,
        file("Content-Disposition: attachment; filename=pic.gif", kind="image/gif"),
        boundary="d",
    )
    (attachment,) = from_mime(multipart("mixed", BODY, double)).attachments
    assert attachment.props[pr.PR_ATTACH_LONG_FILENAME] == "pic.gif"
    assert attachment.data == b"data"
    assert attachment.props[MAC_INFO] == b"FORK"


def test_a_resource_fork_alone_is_a_file() -> None:
    double = multipart("appledouble", file(kind="application/applefile", data=b"FORK"), boundary="d")
    assert [each.data for each in from_mime(multipart("mixed", BODY, double)).attachments] == [b"FORK"]


def test_at23_uuencoded_text_is_untouched() -> None:
    body = "hello\r\nbegin 644 f\r\n%:&5L;&\\\r\n`\r\nend\r\n"
    content = from_mime(text(body))
    assert content.props[pr.PR_BODY] == body
    assert content.attachments == []


def test_uuencode_as_transfer_encoding() -> None:
    assert (
        one("Content-Transfer-Encoding: x-uuencode", data=b"begin 644 f\r\n%:&5L;&\\\r\n`\r\nend\r\n").data
        == b"hello"
    )


def test_what_the_fields_of_an_attachment_say() -> None:
    props = one(
        "Content-Description: =?utf-8?Q?=C3=A4?=",
        "Content-Location: http://x.example/\r\n a",
        "Content-Base: http://x.example/",
        'Content-Disposition: attachment; filename=a.longextension.csv; creation-date="Tue, 14 Jul 2026 10:00:00 +0200";'
        ' modification-date="Tue, 14 Jul 2026 10:00:00 GMT"',
        kind="TEXT/csv; charset=utf-8",
    ).props
    expected = {
        pr.PR_DISPLAY_NAME: "ä",
        pr.PR_ATTACH_CONTENT_LOCATION: "http://x.example/a",
        pr.PR_ATTACH_CONTENT_BASE: "http://x.example/",
        pr.PR_ATTACH_EXTENSION: ".csv",
        pr.PR_ATTACH_MIME_TAG: "text/csv",
        pr.PR_TEXT_ATTACHMENT_CHARSET: "utf-8",
        pr.PR_CREATION_TIME: from_datetime(datetime(2026, 7, 14, 8, tzinfo=UTC)),
        pr.PR_LAST_MODIFICATION_TIME: from_datetime(datetime(2026, 7, 14, 10, tzinfo=UTC)),
        pr.PR_RENDERING_POSITION: 0xFFFFFFFF,
        pr.PR_ATTACHMENT_HIDDEN: False,
    }
    assert {tag: props[tag] for tag in expected} == expected


SIGNED_TYPE = 'multipart/signed; protocol="application/pkcs7-signature";\r\n micalg=sha-256; boundary=s'
SIGNED = lines("From: a@x.example", f"Content-Type: {SIGNED_TYPE}", "") + (
    b"--s\r\nContent-Type: multipart/mixed; boundary=t\r\n\r\n--t\r\n\r\nsigned text\r\n--t\r\nContent-Type: image/png\r\n\r\n"
    b"PNG\r\n--t--\r\n\r\n--s\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nSIG\r\n--s--\r\n"
)


def test_sm01_clear_signed() -> None:
    content = from_mime(SIGNED)
    assert content.props[pr.PR_MESSAGE_CLASS] == "IPM.Note.SMIME.MultipartSigned"
    assert content.props[pr.PR_BODY] == "signed text"
    (attachment,) = content.attachments
    assert attachment.props[pr.PR_ATTACH_MIME_TAG] == "multipart/signed"
    assert (
        attachment.data == f"Content-Type: {SIGNED_TYPE}\r\n\r\n".encode() + SIGNED[SIGNED.index(b"--s\r\n") :]
    )
    assert original_properties(SIGNED)[pr.PR_EC_IMAP_EMAIL] == SIGNED


def test_a_protocol_may_be_missing() -> None:
    content = from_mime(SIGNED.replace(b' protocol="application/pkcs7-signature";\r\n', b""))
    assert content.props[pr.PR_MESSAGE_CLASS] == "IPM.Note.SMIME.MultipartSigned"


def test_sm03_encrypted() -> None:
    data = lines(
        "Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n name=smime.p7m",
        "Content-Transfer-Encoding: base64",
        "",
        "Q01T",
    )
    content = from_mime(data)
    assert content.props[pr.PR_MESSAGE_CLASS] == "IPM.Note.SMIME"
    expected = "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"
    assert content.props[internet_header("Content-Type")] == expected
    (attachment,) = content.attachments
    assert (attachment.data, attachment.props[pr.PR_ATTACH_MIME_TAG]) == (b"CMS", "application/pkcs7-mime")


@pytest.mark.parametrize(
    ("subtype", "kinds"),
    [
        ('signed; protocol="application/pgp-signature";', ["application/pgp-signature"]),
        ('encrypted; protocol="application/pgp-encrypted";', ["application/pgp-signature"]),
    ],
    ids=["SM04", "encrypted"],
)
def test_pgp_is_an_ordinary_mail(subtype: str, kinds: list[str]) -> None:
    content = from_mime(multipart(subtype, BODY, file(kind=kinds[0])))
    assert content.props[pr.PR_MESSAGE_CLASS] == "IPM.Note"
    assert content.props[pr.PR_BODY] == "body"
    assert [each.props[pr.PR_ATTACH_MIME_TAG] for each in content.attachments] == kinds


def report(kind: str, *groups: str, returned: bytes = b"") -> bytes:
    """A report about a message."""
    machine = text("\r\n".join(groups), kind=f"message/{kind}")
    parts = [text("for people"), machine, *([returned] if returned else [])]
    return lines("To: me@x.example", "Date: Tue, 14 Jul 2026 10:00:00 +0200") + multipart(
        f"report; report-type={kind};", *parts
    )


FAILED = (
    "Final-Recipient: rfc822; a@x.example\r\nAction: failed\r\nStatus: 5.1.1 (no such user)\r\n"
    "Remote-MTA: dns; mx.x.example\r\nDiagnostic-Code: smtp; 550 unknown\r\n"
)
DELIVERED = "Final-Recipient: rfc822;b@x.example\r\nAction: delivered\r\nStatus: 2.0.0\r\n"
AGENT = "Reporting-MTA: dns; mta.x.example\r\n"


def test_rp01_failed() -> None:
    returned = text("Subject: in\r\n\r\nx", kind="message/rfc822")
    content = from_mime(report("delivery-status", AGENT, FAILED, returned=returned))
    props = content.props
    assert props[pr.PR_MESSAGE_CLASS] == "REPORT.IPM.Note.NDR"
    assert props[pr.PR_REPORTING_MTA] == "mta.x.example"
    assert props[pr.PR_REPORT_TIME] == props[pr.PR_CLIENT_SUBMIT_TIME]
    assert props[pr.PR_BODY] == "for people"
    (row,) = content.recipients
    expected = {
        pr.PR_EMAIL_ADDRESS: "a@x.example",
        pr.PR_RECIPIENT_TYPE: 1,
        pr.PR_NDR_STATUS_CODE: 511,
        pr.PR_NDR_DIAG_CODE: 35,
        pr.PR_DSN_REMOTE_MTA: "mx.x.example",
        pr.PR_SUPPLEMENTARY_INFO: "<mx.x.example #5.1.1 (no such user) 550 unknown>",
    }
    assert {tag: row[tag] for tag in expected} == expected
    assert [each.props[pr.PR_DISPLAY_NAME] for each in content.attachments] == ["in"]


def test_rp02_the_gravest_action_counts() -> None:
    content = from_mime(report("delivery-status", AGENT, DELIVERED, FAILED))
    assert content.props[pr.PR_MESSAGE_CLASS] == "REPORT.IPM.Note.NDR"
    assert [row[pr.PR_EMAIL_ADDRESS] for row in content.recipients] == ["a@x.example"]


@pytest.mark.parametrize(
    ("action", "message_class"),
    [("delivered", "DR"), ("expanded", "Expanded.DR"), ("relayed", "Relayed.DR"), ("Delayed", "Delayed.DR")],
)
def test_actions(action: str, message_class: str) -> None:
    content = from_mime(
        report("delivery-status", AGENT, f"Final-Recipient: rfc822; a@x\r\nAction: {action}\r\n")
    )
    assert content.props[pr.PR_MESSAGE_CLASS] == f"REPORT.IPM.Note.{message_class}"
    assert content.recipients[0][pr.PR_NDR_DIAG_CODE] == 0xFFFFFFFF


@pytest.mark.parametrize(
    ("status", "diagnostic", "reason"),
    [
        ("5.1.4", 1, 1),
        ("5.1.9", 0, 1),
        ("5.2.2", 13, 1),
        ("4.4.3", 0xFFFFFFFF, 6),
        ("4.4.7", 5, 1),
        ("5.7.1", 29, 1),
        ("5.9.9", 0xFFFFFFFF, 1),
    ],
)
def test_status_codes(status: str, diagnostic: int, reason: int) -> None:
    group = f"Final-Recipient: rfc822; a@x\r\nAction: failed\r\nStatus: {status}\r\n"
    (row,) = from_mime(report("delivery-status", group)).recipients
    assert (row[pr.PR_NDR_DIAG_CODE], row[pr.PR_NDR_REASON_CODE]) == (diagnostic, reason)


RECEIPT = (
    "Original-Recipient: rfc822; you@x.example\r\nFinal-Recipient: rfc822; you@y.example\r\n"
    "Original-Message-ID: <1@x.example>\r\nX-MSExch-Correlation-Key: AQID\r\n"
)
RECEIPTS = [
    ("RP03", "manual-action/MDN-sent-manually; displayed", "REPORT.IPM.Note.IPNRN"),
    ("RP03-auto", "automatic-action/MDN-sent-automatically;dispatched/x", "REPORT.IPM.Note.IPNRN"),
    ("RP04", "manual-action/MDN-sent-manually; deleted", "REPORT.IPM.Note.IPNNRN"),
]


@pytest.mark.parametrize(
    ("disposition", "message_class"), [each[1:] for each in RECEIPTS], ids=[each[0] for each in RECEIPTS]
)
def test_receipts(disposition: str, message_class: str) -> None:
    content = from_mime(report("disposition-notification", f"{RECEIPT}Disposition: {disposition}\r\n"))
    submitted = from_datetime(datetime(2026, 7, 14, 8, tzinfo=UTC))
    expected = {
        pr.PR_MESSAGE_CLASS: message_class,
        pr.PR_ORIGINAL_MESSAGE_ID: "<1@x.example>",
        pr.PR_INTERNET_REFERENCES: "<1@x.example>",
        pr.PR_ORIGINAL_DISPLAY_TO: "you@x.example",
        pr.PR_REPORT_TEXT: disposition,
        pr.PR_PARENT_KEY: b"\1\2\3",
        pr.PR_RECEIPT_TIME: submitted,
        pr.PR_ORIGINAL_DELIVERY_TIME: submitted,
        pr.PR_BODY: "for people",
    }
    assert {tag: content.get(tag) for tag in expected} == expected
    assert [row[pr.PR_EMAIL_ADDRESS] for row in content.recipients] == ["me@x.example"]
    assert content.attachments == []


def test_a_receipt_without_multipart() -> None:
    content = from_mime(
        text(f"{RECEIPT}Disposition: x/y; displayed\r\n", kind="message/disposition-notification")
    )
    assert content.props[pr.PR_MESSAGE_CLASS] == "REPORT.IPM.Note.IPNRN"


@pytest.mark.parametrize(
    "data",
    [
        report("x-unknown", "A: b\r\n"),
        report("delivery-status", AGENT),
        report("delivery-status", "Final-Recipient: rfc822; a@x\r\nAction: eaten\r\n"),
        report("disposition-notification", "Disposition: x/y; eaten\r\n"),
        report("disposition-notification", ""),
    ],
    ids=["RP05", "no-recipient", "unknown-action", "unknown-disposition", "empty"],
)
def test_a_report_that_says_nothing_is_a_mail(data: bytes) -> None:
    content = from_mime(data)
    assert content.props[pr.PR_MESSAGE_CLASS] == "IPM.Note"
    assert content.props[pr.PR_BODY] == "for people"
    assert len(content.attachments) == 1
    assert [row[pr.PR_EMAIL_ADDRESS] for row in content.recipients] == ["me@x.example"]


def winmail(data: bytes, kind: str = "application/ms-tnef; name=winmail.dat") -> bytes:
    return lines("Subject: outer", "From: a@x.example") + multipart("mixed", BODY, file(kind=kind, data=data))


@pytest.mark.parametrize("kind", ["application/ms-tnef", "application/octet-stream; name=WINMAIL.DAT"])
def test_tn01_tnef_is_merged(kind: str) -> None:
    content = from_mime(winmail(TNEF, kind))
    assert content.props[pr.PR_SUBJECT] == "outer"
    assert content.props[pr.PR_MESSAGE_CLASS] == "IPM.Note"
    assert content.props[pr.PR_IMPORTANCE] == 2
    assert content.props[pr.PR_BODY] == "body"
    assert content.attachments == []


def test_tn02_a_wrong_checksum_loses_nothing() -> None:
    damaged = TNEF[:-2] + b"\0\0"
    content = from_mime(winmail(damaged))
    assert content.props[pr.PR_IMPORTANCE] == 2


@pytest.mark.parametrize("data", [TNEF[:60], b"", b"no tnef at all"])
def test_tn03_unreadable_tnef_is_a_file(data: bytes) -> None:
    content = from_mime(winmail(data))
    assert names(content) == ["winmail.dat"]
    assert content.attachments[0].data == data


def test_the_day_of_arrival_is_stored_beside_the_original() -> None:
    arrived = from_datetime(datetime(2026, 7, 14, 23, 59, tzinfo=UTC))
    props = original_properties(S1, delivered=arrived)
    assert props[pr.PR_EC_MESSAGE_DELIVERY_DATE] == from_datetime(datetime(2026, 7, 14, tzinfo=UTC))
    assert props[pr.PR_EC_CLIENT_SUBMIT_DATE] == from_datetime(datetime(2026, 7, 14, tzinfo=UTC))


def test_tn04_the_original_keeps_winmail_dat() -> None:
    data = winmail(TNEF)
    assert original_properties(data)[pr.PR_EC_IMAP_EMAIL] == data
    assert scan(data).children[1].body_bytes == TNEF


def tnef(props: NamedProps, attachment: bytes | None = None) -> bytes:
    """A TNEF stream of string and binary properties, and perhaps an attachment."""

    def attribute(level: int, number: int, data: bytes) -> bytes:
        return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)

    listed = struct.pack("<I", len(props))
    for tag, value in props.items():
        data = value.encode("utf-16-le") + b"\0\0" if isinstance(value, str) else value
        listed += struct.pack("<III", tag, 1, len(data)) + data + bytes(-len(data) % 4)  # type: ignore[operator]
    stream = struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x00069003, listed)
    if attachment is not None:
        stream += attribute(2, 0x00069002, struct.pack("<HIHHI", 1, 0xFFFFFFFF, 0, 0, 0))
        stream += attribute(2, 0x00018010, b"inner.txt\0") + attribute(2, 0x0006800F, attachment)
    return stream


def test_tnef_brings_class_body_and_attachments() -> None:
    inner = tnef(
        {pr.PR_MESSAGE_CLASS: "IPM.Task", pr.PR_HTML: b"<p>inner", pr.PR_SUBJECT: "inner"}, b"inner data"
    )
    content = from_mime(winmail(inner))
    props = content.props
    assert (props[pr.PR_MESSAGE_CLASS], props[pr.PR_SUBJECT]) == ("IPM.Task", "outer")
    assert (props[pr.PR_HTML], props[pr.PR_BODY]) == (b"<p>inner", "body")
    assert [each.data for each in content.attachments] == [b"inner data"]


def test_tnef_with_html_inside_rtf() -> None:
    rtf = rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}}{\*\htmltag64 <p>}caf\'e9{\*\htmltag72 </p>}}"
    stored = struct.pack("<IIII", len(rtf) + 12, len(rtf), 0x414C454D, 0) + rtf
    props = from_mime(winmail(tnef({pr.PR_RTF_COMPRESSED: stored}))).props
    assert props[pr.PR_HTML].decode() == "<p>café</p>"
    assert props[pr.PR_INTERNET_CPID] == 65001
    assert pr.PR_RTF_COMPRESSED not in props


def test_tnef_with_text_inside_rtf() -> None:
    rtf = rb"{\rtf1\ansi\fromtext caf\'e9}"
    stored = struct.pack("<IIII", len(rtf) + 12, len(rtf), 0x414C454D, 0) + rtf
    props = from_mime(winmail(tnef({pr.PR_RTF_COMPRESSED: stored}))).props
    assert (props[pr.PR_BODY], pr.PR_RTF_COMPRESSED in props) == ("café", False)


def test_tnef_with_rtf_that_cannot_be_read() -> None:
    props = from_mime(winmail(tnef({pr.PR_RTF_COMPRESSED: b"broken"}))).props
    assert (props[pr.PR_RTF_COMPRESSED], props[pr.PR_BODY]) == (b"broken", "body")


def test_tnef_attachments_have_what_every_attachment_has() -> None:
    (attachment,) = from_mime(winmail(tnef({}, b""))).attachments
    assert (attachment.data, attachment.props[pr.PR_ATTACH_METHOD]) == (b"", 1)
    assert attachment.props[pr.PR_RENDERING_POSITION] == 0xFFFFFFFF


def test_tnef_in_an_unknown_encoding_is_a_file() -> None:
    kind = "application/ms-tnef; name=winmail.dat"
    content = from_mime(
        multipart("mixed", BODY, file("Content-Transfer-Encoding: x-foo", kind=kind, data=TNEF))
    )
    assert [each.data for each in content.attachments] == [TNEF]


def test_tnef_with_rtf_that_is_only_rtf() -> None:
    rtf = rb"{\rtf1\ansi hello}"
    stored = struct.pack("<IIII", len(rtf) + 12, len(rtf), 0x414C454D, 0) + rtf
    props = from_mime(winmail(tnef({pr.PR_RTF_COMPRESSED: stored}))).props
    assert (props[pr.PR_RTF_COMPRESSED], props[pr.PR_RTF_IN_SYNC], props[pr.PR_BODY]) == (stored, True, "body")


def test_delivery_time_is_that_of_the_outer_message_only() -> None:
    (attachment,) = from_mime(S1, FromMimeOptions(delivery_time=7)).attachments
    assert attachment.embedded is not None
    assert pr.PR_MESSAGE_DELIVERY_TIME not in attachment.embedded.props
