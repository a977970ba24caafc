"""Mail out: attachments, embedded messages and the layout (cases MO09, MO13, MO14, AT18-AT22, TN05, IM16)."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.mapi import proptags as pt
from gateway.mapi.propnames import PSETID_Common, static
from gateway.mapi.props import PT_BINARY
from tests.support.messages import attachment, embedded, file_name, note, parsed, recipient, shape, written

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def _image(cid: str, **props: Any) -> Any:
    return attachment(PNG, MIME_TAG="image/png", CONTENT_ID=cid, ATTACHMENT_HIDDEN=True, **props)


def _only(content: Any, **options: Any) -> Any:
    """The first attached part."""
    return parsed(content, **options).get_payload(1)


def test_MO09_file_name_outside_ascii_with_quotes() -> None:
    octets = written(note(attachments=[attachment(LONG_FILENAME='naïve "x".txt')]))
    assert b"filename=\"naive _x_.txt\";\r\n filename*=utf-8''na%C3%AFve%20%22x%22.txt\r\n" in octets
    assert file_name(_only(note(attachments=[attachment(LONG_FILENAME='naïve "x".txt')]))) == 'naïve "x".txt'


@pytest.mark.parametrize(
    "name", ["a.txt", "a b.txt", "ü" * 200 + ".pdf", "x" * 600 + ".doc", "a;b=c.txt", "日本.txt"]
)
def test_file_names_survive(name: str) -> None:
    part = _only(note(attachments=[attachment(LONG_FILENAME=name)]))
    assert file_name(part) == name
    assert max(map(len, written(note(attachments=[attachment(LONG_FILENAME=name)])).split(b"\r\n"))) <= 120


def test_MO13_embedded_messages_stop_at_the_limit() -> None:
    content = note(BODY="innermost")
    for level in range(10):
        content = note(BODY=f"level {level}", attachments=[embedded(content)])
    octets = written(content)
    assert octets.count(b"message/rfc822") == 7
    assert b"attached too deep" in octets
    assert b"innermost" not in octets
    assert b"innermost" in written(content, depth=10)


def test_MO14_layout_with_inline_images_and_a_document() -> None:
    content = note(
        BODY="x",
        HTML=b"<img src=cid:1@x><img src=cid:2@x>",
        attachments=[
            _image("1@x"),
            attachment(b"%PDF", MIME_TAG="application/pdf", LONG_FILENAME="a.pdf"),
            _image("2@x"),
        ],
    )
    assert shape(parsed(content)) == (
        "mixed",
        ("alternative", "text/plain", ("related", "text/html", "image/png", "image/png")),
        "application/pdf",
    )
    images = [part for part in parsed(content).walk() if part.get_content_type() == "image/png"]
    assert [image["Content-ID"] for image in images] == ["<1@x>", "<2@x>"]
    assert all(image.get_content_disposition() == "inline" for image in images)
    assert all(image.get_payload(decode=True) == PNG for image in images)


def test_a_hidden_image_of_a_plain_mail_is_attached() -> None:
    assert shape(parsed(note(BODY="x", attachments=[_image("1@x")]))) == ("mixed", "text/plain", "image/png")


def test_an_image_without_content_id_is_attached() -> None:
    content = note(HTML=b"<p>x", attachments=[attachment(PNG, MIME_TAG="image/png", ATTACHMENT_HIDDEN=True)])
    assert shape(parsed(content)) == ("mixed", ("alternative", "text/plain", "text/html"), "image/png")


def test_AT18_references_are_named_in_a_note() -> None:
    for method in (2, 3, 4, 7):
        content = note(
            attachments=[
                attachment(None, method, LONG_PATHNAME="https://x.example/a.pdf", LONG_FILENAME="a.pdf"),
                attachment(b"1", LONG_FILENAME="b.bin"),
            ]
        )
        part = _only(content)
        assert (part.get_content_type(), file_name(part)) == ("text/plain", "a.pdf")
        assert "https://x.example/a.pdf" in part.get_payload()
        assert file_name(parsed(content).get_payload(2)) == "b.bin"  # type: ignore[union-attr]


def test_AT19_ole_object_gives_a_note() -> None:
    part = _only(note(attachments=[attachment(b"\xd0\xcf", 6, LONG_FILENAME="o.bmp")]))
    assert (part.get_content_type(), file_name(part)) == ("text/plain", "o.bmp")


def test_AT20_missing_data_gives_a_note_of_the_same_name() -> None:
    part = _only(note(attachments=[attachment(None, LONG_FILENAME="a.doc")]))
    assert part.get_payload() == "Attachment is missing.\r\n"
    assert file_name(part) == "a.doc"


@pytest.mark.parametrize(
    ("tag", "name", "expected"),
    [
        ("multipart/mixed", "a.bin", "application/octet-stream"),
        ("message/rfc822", "a.eml", "application/octet-stream"),
        ("message/partial", "a", "application/octet-stream"),
        ("image/PNG", "a", "image/png"),
        ("\r\n application/pdf; x=y", "a", "application/pdf"),
        ("garbage", "a.pdf", "application/pdf"),
        ("", "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("", "a.eml", "application/octet-stream"),
        ("a b/c", "a.unknown", "application/octet-stream"),
    ],
)
def test_AT21_media_types(tag: str, name: str, expected: str) -> None:
    part = _only(note(attachments=[attachment(MIME_TAG=tag, LONG_FILENAME=name)]))
    assert part.get_content_type() == expected


def test_AT22_calendar_exceptions_are_no_attachments() -> None:
    exception = note(MESSAGE_CLASS="IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}", SUBJECT="moved")
    content = note(BODY="x", attachments=[embedded(exception)])
    assert shape(parsed(content)) == "text/plain"


def test_TN05_voting_makes_no_tnef() -> None:
    content = note(BODY="vote")
    content.props[static(PSETID_Common, 0x8520, PT_BINARY)] = b"\x02\x01"
    assert shape(parsed(content)) == "text/plain"


def test_IM16_attachments_by_rendering_position_then_number() -> None:
    attachments = [
        attachment(LONG_FILENAME="c", RENDERING_POSITION=0xFFFFFFFF, NUM=1),
        attachment(LONG_FILENAME="d", RENDERING_POSITION=0xFFFFFFFF, NUM=2),
        attachment(LONG_FILENAME="b", RENDERING_POSITION=7, NUM=3),
        attachment(LONG_FILENAME="a", RENDERING_POSITION=0, NUM=9),
    ]
    names = [file_name(part) for part in parsed(note(attachments=attachments)).walk() if file_name(part)]
    assert names == ["a", "b", "c", "d"]
    assert written(note(attachments=attachments)) == written(note(attachments=attachments[::-1]))


def test_an_attachment_without_name_is_named_by_its_type() -> None:
    assert file_name(_only(note(attachments=[attachment(MIME_TAG="image/png")]))) == "data.png"
    assert file_name(_only(note(attachments=[attachment()]))) == "data.bin"


def test_two_attachments_of_one_name_and_an_empty_one() -> None:
    content = note(attachments=[attachment(b"", LONG_FILENAME="a"), attachment(b"2", LONG_FILENAME="a")])
    parts = list(parsed(content).walk())[2:]
    assert [part.get_payload(decode=True) for part in parts] == [b"", b"2"]


def test_embedded_message() -> None:
    inner = note(recipient("C", "c@x.example"), SUBJECT="inner", BODY="café", attachments=[attachment()])
    part = _only(note(BODY="outer", attachments=[embedded(inner, DISPLAY_NAME="inner")]))
    assert part.get_content_type() == "message/rfc822"
    message = part.get_payload(0)
    assert (message["Subject"], message["To"]) == ("inner", "C <c@x.example>")
    assert shape(message) == ("mixed", "text/plain", "application/octet-stream")


def test_boundaries_differ_between_nested_mails() -> None:
    content = note(BODY="0", attachments=[attachment()])
    for _ in range(5):
        content = note(BODY="n", attachments=[embedded(content), attachment()])
    boundaries = [part.get_boundary() for part in parsed(content).walk() if part.get_boundary()]
    assert len(boundaries) == len(set(boundaries)) == 6


def test_8bit_inside_an_embedded_mail_is_declared_on_the_way_up() -> None:
    inner = note(recipient("", "ü@ü.example"), BODY="x")
    message = parsed(note(BODY="y", attachments=[embedded(inner)]))
    assert message["Content-Transfer-Encoding"] == "8bit"
    assert message.get_payload(1)["Content-Transfer-Encoding"] == "8bit"  # type: ignore[index]


def test_text_attachment_keeps_its_octets_and_charset() -> None:
    part = _only(
        note(attachments=[attachment(b"\xe9\n", MIME_TAG="text/plain", TEXT_ATTACHMENT_CHARSET="iso-8859-1")])
    )
    assert (part.get_content_charset(), part.get_payload(decode=True)) == ("iso-8859-1", b"\xe9\n")


def test_location_and_description() -> None:
    part = _only(
        note(
            attachments=[
                attachment(CONTENT_LOCATION="http://x/a", CONTENT_BASE="http://x", DISPLAY_NAME="Bild ü")
            ]
        )
    )
    assert part["Content-Location"] == "http://x/a"
    assert part["Content-Base"] == "http://x"
    assert part["Content-Description"] == "Bild =?utf-8?q?=C3=BC?="


def test_injection_through_attachment_properties() -> None:
    evil = 'a"\r\nX-Evil: 1\r\n\r\nbody'
    content = note(
        attachments=[
            attachment(LONG_FILENAME=evil, MIME_TAG=f"text/plain{evil}", CONTENT_ID=evil, CONTENT_LOCATION=evil)
        ]
    )
    assert b"\r\nX-Evil" not in written(content)


def test_the_properties_are_not_changed() -> None:
    content = note(BODY="x", attachments=[attachment(NUM=1), attachment(NUM=0)])
    before = dict(content.props), list(content.attachments)
    written(content)
    assert (content.props, content.attachments) == before
    assert content.props[pt.PR_BODY] == "x"
