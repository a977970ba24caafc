"""PHOTO and the picture attachment; KEY and the certificates of a contact (MS-OXOCNTC 2.2.1.8, MS-OXOABK)."""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

from gateway.convert.lines import Line
from gateway.convert.vcard.card import MAX_PHOTO, TooLarge, binary_of, types_of
from gateway.convert.vcard.draft import Draft
from gateway.convert.vcard.fields import HAS_PICTURE, SMART_NO_ATTACH
from gateway.convert.vcard.slots import Slot
from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent, Blob, MessageContent

_BY_VALUE: Final = 1
_SIGNATURES: Final = (
    (b"\xff\xd8\xff", "jpeg"), (b"\x89PNG", "png"), (b"GIF8", "gif"), (b"BM", "bmp"), (b"RIFF", "webp"),
)  # fmt: skip
#: Tag of the certificate in Outlook's wrapping of one (u16 tag, u16 length with this head, data, repeated).
_DER: Final = 3
_ENTRY: Final = struct.Struct("<HH")


def picture_of(content: MessageContent) -> AttachmentContent | None:
    """The attachment that is the contact's picture."""
    return next((each for each in content.attachments if each.props.get(pr.PR_ATTACHMENT_CONTACTPHOTO)), None)


def _bytes_of(attachment: AttachmentContent) -> bytes:
    data = attachment.data
    return data.read() if isinstance(data, Blob) else data or b""


def subtype_of(data: bytes, said: str = "") -> str:
    """The media subtype of a picture: what it is, else what it is said to be."""
    found = next((name for start, name in _SIGNATURES if data.startswith(start)), "")
    return found or {"jpg": "jpeg", "pjpeg": "jpeg"}.get(said, said) or "jpeg"


def export_photo(content: MessageContent, version: str) -> Iterator[Slot]:
    """The picture."""
    attachment = picture_of(content)
    data = _bytes_of(attachment) if attachment is not None else b""
    if attachment is None or not data:
        return
    said = attachment.props.get(pr.PR_ATTACH_MIME_TAG) or ""
    line = photo_line(data, str(said).rpartition("/")[2].lower(), version)
    yield Slot("PHOTO", _mark(data), [line])


def photo_line(data: bytes, said: str, version: str) -> Line:
    """The PHOTO line of a picture."""
    kind, text = subtype_of(data, said), b64encode(data).decode()
    if version == "3.0":
        return Line("PHOTO", text, {"ENCODING": ("b",), "TYPE": (kind.upper(),)})
    return Line("PHOTO", f"data:image/{kind};base64,{text}")


def _mark(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


def take_photo(draft: Draft) -> None:
    """The picture into an attachment; the one that is there stays when it is the same. A link is not followed."""
    old = picture_of(draft.content)
    links = False
    for line in draft.lines("PHOTO"):
        found = binary_of(line)
        if found is None:
            links = links or bool(line.value.strip())
            continue
        data, kind = found
        if not data:
            continue
        if len(data) > MAX_PHOTO:
            raise TooLarge(f"a picture of more than {MAX_PHOTO} bytes")
        draft.claim(line, "PHOTO")
        if old is None or _bytes_of(old) != data:
            _replace(draft, old, _attachment(data, subtype_of(data, kind)))
        return
    if old is not None and not links and draft.is_gone("PHOTO"):
        _replace(draft, old, None)


def _replace(draft: Draft, old: AttachmentContent | None, new: AttachmentContent | None) -> None:
    attachments = draft.content.attachments
    place = next((n for n, each in enumerate(attachments) if each is old), len(attachments))
    attachments[place : place + 1] = [new] if new is not None else []
    draft.content.props[HAS_PICTURE] = new is not None
    if all(each.props.get(pr.PR_ATTACHMENT_HIDDEN) for each in attachments):
        draft.content.props[SMART_NO_ATTACH] = True


def _attachment(data: bytes, subtype: str) -> AttachmentContent:
    name = f"ContactPicture.{'jpg' if subtype == 'jpeg' else subtype}"
    return AttachmentContent(
        {
            pr.PR_ATTACH_METHOD: _BY_VALUE,
            pr.PR_ATTACHMENT_CONTACTPHOTO: True,
            pr.PR_ATTACHMENT_HIDDEN: True,
            pr.PR_ATTACH_FLAGS: 0,
            pr.PR_RENDERING_POSITION: 0xFFFFFFFF,
            pr.PR_ATTACH_LONG_FILENAME: name,
            pr.PR_ATTACH_FILENAME: name,
            pr.PR_ATTACH_MIME_TAG: f"image/{subtype}",
        },
        data,
    )


# Certificates


def der_of(value: bytes) -> bytes:
    """The certificate in a value of PR_USER_X509_CERTIFICATE, wrapped or not; b"" when there is none."""
    if value[:2] == b"\x30\x82":
        return value
    place = 0
    while place + _ENTRY.size <= len(value):
        tag, size = _ENTRY.unpack_from(value, place)
        if size < _ENTRY.size:
            break
        if tag == _DER:
            return value[place + _ENTRY.size : place + size]
        place += size
    return b""


def export_keys(content: MessageContent, version: str) -> Iterator[Slot]:
    """A KEY line for every certificate."""
    ders = [der for value in content.get(pr.PR_USER_X509_CERTIFICATE) or () if (der := der_of(value))]
    if ders:
        yield Slot("KEY", tuple(map(_mark, ders)), [key_line(der, version) for der in ders], optional=True)


def key_line(der: bytes, version: str) -> Line:
    """The KEY line of a certificate."""
    text = b64encode(der).decode()
    if version == "3.0":
        return Line("KEY", text, {"ENCODING": ("b",), "TYPE": ("X509",)})
    return Line("KEY", f"data:application/pkix-cert;base64,{text}")


def take_keys(draft: Draft) -> None:
    """X.509 certificates into values, those that are there untouched; other keys stay lines."""
    old = {der_of(value): value for value in draft.get(pr.PR_USER_X509_CERTIFICATE) or ()}
    values: list[bytes] = []
    for line in draft.lines("KEY"):
        found = binary_of(line)
        if found is None or not _is_certificate(found[0], line):
            continue
        draft.claim(line, "KEY")
        values.append(old.get(found[0], found[0]))
    if values:
        others = [value for der, value in old.items() if not der]
        draft.put(pr.PR_USER_X509_CERTIFICATE, (*values, *others))
    elif draft.is_gone("KEY"):
        draft.drop(pr.PR_USER_X509_CERTIFICATE)


def _is_certificate(data: bytes, line: Line) -> bool:
    return data[:1] == b"\x30" and "pgp" not in types_of(line)
