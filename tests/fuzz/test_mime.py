"""Fuzz: mail. Any bytes have a structure, sections, texts and a message content, in bounded time."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.convert.mime import from_mime
from gateway.convert.mime.dates import filetime
from gateway.convert.mime.encoded import base64, text
from tests.convert.mime import promises
from tests.fuzz.mime import CORPUS, SLOWEST, damaged


@pytest.mark.parametrize("data", CORPUS)
def test_whole_mails(data: bytes) -> None:
    promises.check(data)


@settings(deadline=None)
@given(st.integers(0, 2**63))
def test_damaged_mails(seed: int) -> None:
    began = time.process_time()
    promises.check(damaged(seed))
    assert time.process_time() - began < SLOWEST


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_header_values(value: bytes) -> None:
    text(value).encode()
    filetime(value.decode("latin-1"))
    assert len(base64(value)) <= len(value) * 3 // 4 + 3


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 50_000,
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" * 20_000,
        b"Content-Type: message/rfc822\r\n\r\n" * 20_000,
        b"Content-Type: text/plain" + b"; a=b" * 100_000,
        b"Content-Type: text/plain" + b'; a="' * 100_000,
        b"Content-Disposition: attachment" + b"; filename*%d*=a" % 7 * 50_000,
        b"Subject: " + b"=?utf-8?Q?a?= " * 50_000,
        b"Subject: " + b"=?utf-8?Q?" * 50_000,
        b"Subject: " + b"=?" * 200_000,
        b"Subject: a\r\n" * 50_000,
        b"Subject:" + b"\r\n " * 200_000,
        b"no colon " * 100_000,
        b"\r\n".join(b"A" * 100 for _ in range(5_000)),
        b"To: " + b"(" * 300_000,
        b"To: " + b'"\\"' * 100_000,
        b"Keywords: " + b"," * 300_000,
        b"References: " + b"<a@b>\r\n " * 50_000,
        b"Content-Type: text/html\r\n\r\n" + b"<meta " * 100_000,
        b"Content-Type: text/html\r\n\r\n" + b"<body" * 100_000,
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=\t" * 200_000,
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=" * 400_000,
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b"A=" * 200_000,
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n" + b"Action: failed\r\n\r\n" * 30_000,
    ],
    ids=range(23),
)  # fmt: skip
def test_bombs(data: bytes) -> None:
    """Large input made to be slow takes time in proportion to its length only."""
    began = time.process_time()
    promises.check(data)
    assert time.process_time() - began < 20


def test_references_to_many_parts() -> None:
    """Every part is looked for among the references once."""
    parts = b"".join(
        b"--b\r\nContent-Type: image/png\r\nContent-ID: <%d@x>\r\n\r\nx\r\n" % n for n in range(900)
    )
    html = (
        b"--b\r\nContent-Type: text/html\r\n\r\n"
        + b"".join(b"<img src=cid:%d@x>" % n for n in range(20_000))
        + b"\r\n"
    )
    began = time.process_time()
    content = from_mime(b"Content-Type: multipart/related; boundary=b\r\n\r\n" + html + parts + b"--b--")
    assert len(content.attachments) == 900
    assert time.process_time() - began < SLOWEST
