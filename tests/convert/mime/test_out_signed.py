"""Mail out: S/MIME messages (cases SM02, SM03, SM05)."""

from __future__ import annotations

import pytest

from gateway.mapi.content import Blob
from gateway.mapi.propnames import PS_INTERNET_HEADERS
from gateway.mapi.props import PT_UNICODE, NamedTag, PropName
from tests.support.messages import attachment, embedded, note, parsed, shape, written

SIGNED = (
    b'Content-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n\tmicalg=sha-256; boundary="s"\r\n'
    b"\r\npreamble\r\n--s\r\nContent-Type: text/plain\r\n\r\nhi  \r\n\r\n--s\r\n"
    b"Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\nMIIB\r\n--s--\r\n"
)
OPAQUE = bytes(range(256)) * 4


@pytest.mark.parametrize("message_class", ["IPM.Note.SMIME.MultipartSigned", "IPM.Note.SMIME.MultiPartSigned"])
@pytest.mark.parametrize("blob", [False, True])
def test_SM02_clear_signed_octets_are_untouched(message_class: str, blob: bool) -> None:
    data = Blob(len(SIGNED), lambda: iter([SIGNED[:100], SIGNED[100:]])) if blob else SIGNED
    content = note(
        MESSAGE_CLASS=message_class,
        SUBJECT="s",
        BODY="x",
        attachments=[attachment(data, MIME_TAG="multipart/signed")],
    )
    octets = written(content)
    assert octets.endswith(b"MIME-Version: 1.0\r\n" + SIGNED)
    assert octets.count(b"Content-Type: multipart/signed") == 1
    assert shape(parsed(content)) == ("signed", "text/plain", "application/pkcs7-signature")


def test_clear_signed_inside_another_mail() -> None:
    data = SIGNED.replace(b"hi", b"h\xe9")
    inner = note(
        MESSAGE_CLASS="IPM.Note.SMIME.MultipartSigned",
        attachments=[attachment(data, MIME_TAG="multipart/signed")],
    )
    octets = written(note(attachments=[embedded(inner)]))
    assert data in octets
    assert octets.count(b"Content-Transfer-Encoding: 8bit") == 2


@pytest.mark.parametrize("data", [b"no header", b"", b"X: y\r\n\r\ncontent-type: x", None])
def test_signed_data_without_its_content_type_is_an_attachment(data: bytes | None) -> None:
    content = note(
        MESSAGE_CLASS="IPM.Note.SMIME.MultipartSigned",
        BODY="x",
        attachments=[attachment(data, MIME_TAG="multipart/signed", LONG_FILENAME="smime.p7m")],
    )
    assert shape(parsed(content))[0:2] == ("mixed", "text/plain")


def test_SM03_encrypted_with_its_own_content_type() -> None:
    content = note(
        MESSAGE_CLASS="IPM.Note.SMIME", attachments=[attachment(OPAQUE, MIME_TAG="application/pkcs7-mime")]
    )
    key = NamedTag(PropName(PS_INTERNET_HEADERS, "content-type"), PT_UNICODE)
    content.props[key] = 'application/pkcs7-mime; smime-type=signed-data; name="x.p7m"'
    message = parsed(content)
    assert message["Content-Type"].split() == [
        "application/pkcs7-mime;",
        "smime-type=signed-data;",
        'name="x.p7m"',
    ]
    assert message.get_payload(decode=True) == OPAQUE
    assert written(content).endswith(b"\r\n")


def test_encrypted_without_a_content_type_property() -> None:
    content = note(
        MESSAGE_CLASS="IPM.Note.SMIME", attachments=[attachment(OPAQUE, MIME_TAG="application/pkcs7-mime")]
    )
    message = parsed(content)
    assert message.get_content_type() == "application/x-pkcs7-mime"
    assert message.get_param("smime-type") == "enveloped-data"


def test_SM05_smime_class_with_two_attachments_is_a_normal_mail() -> None:
    content = note(
        MESSAGE_CLASS="IPM.Note.SMIME",
        attachments=[attachment(OPAQUE, MIME_TAG="application/pkcs7-mime"), attachment()],
    )
    assert shape(parsed(content)) == (
        "mixed",
        "text/plain",
        "application/pkcs7-mime",
        "application/octet-stream",
    )
