"""Files of Macintosh programs: AppleSingle (RFC 1740 B) and BinHex 4.0 (RFC 1741 A)."""

from __future__ import annotations

import base64
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.convert.mime import from_mime
from gateway.convert.mime.frommime_attachments import MAC_INFO
from gateway.convert.mime.macfiles import apple_single, binhex
from gateway.mapi import proptags as pr

HQX = "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def single(*entries: tuple[int, bytes]) -> bytes:
    head = b"\0\5\x16\0\0\2\0\0" + bytes(16) + struct.pack(">H", len(entries))
    offset, table, body = len(head) + 12 * len(entries), b"", b""
    for kind, data in entries:
        table += struct.pack(">III", kind, offset + len(body), len(data))
        body += data
    return head + table + body


def packed(name: bytes, data: bytes, resource: bytes = b"") -> bytes:
    """BinHex of a file, runs of equal octets made short."""
    head = bytes([len(name)]) + name + struct.pack(">x4s4sHII2x", b"TEXT", b"ttxt", 0, len(data), len(resource))
    raw = (
        (head + data + b"\0\0" + resource + b"\0\0")
        .replace(b"\x90", b"\x90\0")
        .replace(b"a" * 100, b"a\x90\x64")
    )
    digits = base64.b64encode(raw).decode().rstrip("=").translate(str.maketrans(BASE64, HQX))
    lines = [digits[at : at + 64] for at in range(0, len(digits), 64)]
    return ("(This file must be converted with BinHex 4.0)\r\n\r\n:" + "\r\n".join(lines) + ":\r\n").encode()


DATA = b"Hello \x90 there" + b"a" * 100


def test_apple_single() -> None:
    found = apple_single(single((3, b"Caf\x8e.txt"), (1, DATA), (2, b"icon")))
    assert found == ("Café.txt", DATA, True)
    assert apple_single(single((1, DATA))) == ("", DATA, False)


@pytest.mark.parametrize(
    "data", [b"", b"\0\5\x16\0", single((2, b"icon")), single((1, DATA))[:-1], b"\0\5\x16\7" + bytes(60)]
)
def test_what_is_no_apple_single(data: bytes) -> None:
    assert apple_single(data) is None


def test_binhex() -> None:
    assert binhex(packed(b"Caf\x8e.txt", DATA)) == ("Café.txt", DATA, False)
    assert binhex(packed(b"x", DATA, b"icon")) == ("x", DATA, True)


@pytest.mark.parametrize("data", [b"", b":", b"no colon", packed(b"x", DATA)[:90], b":" + b"!" * 30 + b":"])
def test_what_is_no_binhex(data: bytes) -> None:
    found = binhex(data)
    assert found is None or found.data == b""


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("applefile", single((3, b"report.pdf"), (1, DATA), (2, b"icon"))),
        ("mac-binhex40", packed(b"report.pdf", DATA, b"icon")),
    ],
)
def test_in_a_mail(kind: str, data: bytes) -> None:
    text = base64.encodebytes(data)
    (found,) = from_mime(
        f"Content-Type: application/{kind}; name=x.hqx\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode()
        + text
    ).attachments
    assert found.data == DATA
    assert found.props[pr.PR_ATTACH_LONG_FILENAME] == "report.pdf"
    assert found.props[pr.PR_ATTACH_MIME_TAG] == "application/pdf"
    assert found.props[MAC_INFO] == data  # with the fork that others do not know


@pytest.mark.parametrize("kind", ["applefile", "mac-binhex40"])
def test_what_cannot_be_read_stays_as_it_is(kind: str) -> None:
    (found,) = from_mime(f"Content-Type: application/{kind}; name=x.hqx\r\n\r\njunk".encode()).attachments
    assert (found.data, found.props[pr.PR_ATTACH_LONG_FILENAME]) == (b"junk", "x.hqx")


@given(st.binary(max_size=200), st.integers(0, 200), st.binary(max_size=3))
def test_any_octets(data: bytes, place: int, damage: bytes) -> None:
    for text in (data, packed(b"x", data), single((1, data), (3, b"n"))):
        hurt = text[:place] + damage + text[place + len(damage) :]
        binhex(hurt)
        apple_single(hurt)


def test_a_bomb_is_left_alone() -> None:
    began = time.process_time()
    digits = base64.b64encode(b"a" + b"\x90\xff" * 600_000).decode().translate(str.maketrans(BASE64, HQX))
    assert binhex(f":{digits}:".encode()) is None
    assert time.process_time() - began < 10
