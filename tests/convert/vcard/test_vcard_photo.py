"""Contacts: pictures and certificates, case by case."""

from __future__ import annotations

import base64
import struct

import pytest

from gateway.convert.vcard import MAX_PHOTO, TooLarge
from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent, Blob, MessageContent
from tests.convert.vcard.cards import address, contact, lines_of, put_again, read

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(200))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(100))


def photo_line(data: bytes, kind: str = "JPEG") -> str:
    return f"PHOTO;ENCODING=b;TYPE={kind}:{base64.b64encode(data).decode()}"


def test_VC29_a_photo() -> None:
    found = read(photo_line(JPEG))
    (attachment,) = found.attachments
    assert (attachment.data, attachment.props[pr.PR_ATTACH_MIME_TAG]) == (JPEG, "image/jpeg")
    assert attachment.props[pr.PR_ATTACHMENT_CONTACTPHOTO] is True
    assert attachment.props[pr.PR_ATTACHMENT_HIDDEN] is True
    assert attachment.props[pr.PR_ATTACH_LONG_FILENAME] == "ContactPicture.jpg"
    assert found.get(address(0x8015, 0xB)) is True
    assert lines_of(found, "PHOTO") == [photo_line(JPEG)]


def test_VC30_a_photo_as_data_uri() -> None:
    line = f"PHOTO:data:image/png;base64,{base64.b64encode(PNG).decode()}"
    for version in ("3.0", "4.0"):
        found = read(line, version=version)
        assert found.attachments[0].data == PNG
        assert found.attachments[0].props[pr.PR_ATTACH_MIME_TAG] == "image/png"
        # In 3.0 a value without ENCODING would be a link.
        assert lines_of(found, "PHOTO", "4.0") == [line]
        assert lines_of(found, "PHOTO", "3.0") == [photo_line(PNG, "PNG")]


def test_VC31_an_unchanged_photo_is_left_alone() -> None:
    picture = AttachmentContent(
        {pr.PR_ATTACHMENT_CONTACTPHOTO: True, pr.PR_ATTACH_NUM: 7},
        Blob(len(JPEG), lambda: iter([JPEG[:9], JPEG[9:]])),
    )
    before = MessageContent({pr.PR_MESSAGE_CLASS: "IPM.Contact"}, attachments=[AttachmentContent(), picture])
    assert put_again(before).attachments[1] is picture
    changed = read(photo_line(PNG, "PNG"), existing=before)
    assert changed.attachments[0] is before.attachments[0]
    assert changed.attachments[1].data == PNG
    assert len(before.attachments) == len(changed.attachments) == 2


def test_VC32_a_removed_photo() -> None:
    before = read(photo_line(JPEG))
    after = read(existing=before)
    assert (after.attachments, after.get(address(0x8015, 0xB))) == ([], False)
    assert read("PHOTO:", existing=before).attachments == []


def test_VC33_a_photo_elsewhere_is_not_fetched() -> None:
    line = "PHOTO;VALUE=uri:https://x.example/a.jpg"
    found = read(line)
    assert (found.attachments, lines_of(found, "PHOTO")) == ([], [line])


def test_VC34_a_photo_that_is_too_large_is_refused() -> None:
    with pytest.raises(TooLarge):
        read(photo_line(JPEG + bytes(MAX_PHOTO)))


def test_an_apple_crop_rectangle_is_kept_with_the_photo() -> None:
    line = photo_line(JPEG).replace("PHOTO;", "PHOTO;X-ABCROP-RECTANGLE=ABClipRect_1&0&0&64&64;")
    found = read(line)
    assert sorted(lines_of(found, "PHOTO")[0].partition(":")[0].split(";")) == sorted(
        line.partition(":")[0].split(";")
    )
    retained = next(
        value for key, value in found.props.items() if not isinstance(key, int) and key.name.id == "vcard"
    )
    assert len(retained) < 500


DER = b"\x30\x82\x01\x00" + bytes(range(256))


def test_VC41_a_certificate() -> None:
    line = f"KEY;ENCODING=b;TYPE=X509:{base64.b64encode(DER).decode()}"
    found = read(line)
    assert found.get(pr.PR_USER_X509_CERTIFICATE) == (DER,)
    assert lines_of(found, "KEY") == [line]
    assert lines_of(found, "KEY", "4.0") == [
        f"KEY:data:application/pkix-cert;base64,{base64.b64encode(DER).decode()}"
    ]


def test_VC42_a_wrapped_certificate() -> None:
    wrapped = struct.pack("<HH", 0x20, 8) + b"caps" + struct.pack("<HH", 3, 4 + len(DER)) + DER
    other = struct.pack("<HH", 0x20, 8) + b"caps"
    stored = contact(USER_X509_CERTIFICATE=(wrapped, other))
    assert lines_of(stored, "KEY") == [f"KEY;ENCODING=b;TYPE=X509:{base64.b64encode(DER).decode()}"]
    assert put_again(stored).get(pr.PR_USER_X509_CERTIFICATE) == (wrapped, other)
    assert read(existing=stored).get(pr.PR_USER_X509_CERTIFICATE) == (wrapped, other)
    pgp = "KEY;TYPE=PGP;ENCODING=b:" + base64.b64encode(b"\x99\x01").decode()
    assert lines_of(read(pgp), "KEY") == [pgp]
