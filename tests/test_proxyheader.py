"""The PROXY header in both versions, fed whole, cut short and with the client's bytes after it."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.proxyheader import LONGEST, ProxyHeader, ProxyHeaderError, parse

V2 = b"\r\n\r\n\x00\r\nQUIT\n"


def v2(command: int, family: int, body: bytes) -> bytes:
    return V2 + struct.pack("!BBH", command, family, len(body)) + body


V4_BODY = bytes([192, 0, 2, 1, 192, 0, 2, 2]) + struct.pack("!HH", 56324, 143)
V6_BODY = bytes.fromhex("20010db8" + "00" * 11 + "01" + "20010db8" + "00" * 11 + "02") + struct.pack(
    "!HH", 4, 5
)
HEADERS = [
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 143\r\n", ("192.0.2.1", 56324), ("192.0.2.2", 143)),
    (b"PROXY TCP6 2001:db8::1 2001:db8::2 4 5\r\n", ("2001:db8::1", 4), ("2001:db8::2", 5)),
    (b"PROXY UNKNOWN\r\n", None, None),
    (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None, None),
    (v2(0x21, 0x11, V4_BODY), ("192.0.2.1", 56324), ("192.0.2.2", 143)),
    (v2(0x21, 0x11, V4_BODY + b"\x03\x00\x04abcd"), ("192.0.2.1", 56324), ("192.0.2.2", 143)),
    (v2(0x21, 0x21, V6_BODY), ("2001:db8::1", 4), ("2001:db8::2", 5)),
    (v2(0x20, 0x11, V4_BODY), None, None),
    (v2(0x20, 0x00, b""), None, None),
    (v2(0x21, 0x31, b"x" * 216), None, None),
]


@pytest.mark.parametrize(("data", "source", "destination"), HEADERS)
def test_headers(data: bytes, source: tuple[str, int] | None, destination: tuple[str, int] | None) -> None:
    expected = ProxyHeader(len(data), source, destination)
    assert parse(data) == expected
    assert parse(data + b"a1 LOGIN x y\r\n") == expected
    for end in range(len(data)):
        assert parse(data[:end]) is None


REFUSED = [
    b"a1 LOGIN x y\r\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 70000\r\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 -1\r\n",
    b"PROXY TCP4 2001:db8::1 192.0.2.2 1 2\r\n",
    b"PROXY TCP4 nowhere 192.0.2.2 1 2\r\n",
    b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
    b"PROXY \r\n",
    b"PROXY " + b"x" * 110,
    v2(0x31, 0x11, V4_BODY),
    v2(0x22, 0x11, V4_BODY),
    v2(0x21, 0x11, V4_BODY[:11]),
    v2(0x21, 0x21, V4_BODY),
    v2(0x21, 0x11, b"x" * LONGEST),
]


@pytest.mark.parametrize("data", REFUSED)
def test_what_is_no_header(data: bytes) -> None:
    with pytest.raises(ProxyHeaderError):
        parse(data)


@given(
    st.one_of(
        st.binary(max_size=200), st.binary(max_size=100).map(V2.__add__), st.binary().map(b"PROXY ".__add__)
    )
)
def test_any_bytes_are_a_header_or_an_error_and_nothing_grows(data: bytes) -> None:
    try:
        header = parse(data)
    except ProxyHeaderError:
        return
    assert header is not None or len(data) < LONGEST
