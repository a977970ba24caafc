"""Transfer encodings undone piece by piece give what they give at once (RFC 2045 section 6)."""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.convert.mime.transfer import UnknownEncoding, decoded, decoded_pieces

ENCODINGS = [b"base64", b"quoted-printable", b"7bit", b"x-uuencode"]


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(
    text=st.lists(
        st.sampled_from(
            [
                b"QUJD",
                b"QQ==",
                b"QUI=",
                b"A",
                b"=",
                b"=3D",
                b"=\r\n",
                b"= \r\n",
                b"\r\n",
                b"\n",
                b" ",
                b"xyz",
                b"\xff",
            ]
        )
    ),
    size=st.integers(1, 40),
)
def test_anything(encoding: bytes, text: list[bytes], size: int) -> None:
    data = b"".join(text)
    assert b"".join(decoded_pieces(pieces(data, size), encoding)) == decoded(data, encoding)


@given(st.binary(max_size=500), st.integers(1, 100))
def test_what_was_encoded_comes_back(data: bytes, size: int) -> None:
    assert b"".join(decoded_pieces(pieces(encodebytes(data), size), b"base64")) == data


def test_an_encoding_nobody_knows() -> None:
    with pytest.raises(UnknownEncoding):
        list(decoded_pieces([b"x"], b"rot13"))
