"""Encoded words, encoded parameters and charset names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.convert.mime.charsets import code_page, codec_of, decode
from gateway.convert.mime.encoded import parameter, text
from gateway.convert.mime.parameters import parameters


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", ""),
        (b"plain", "plain"),
        (b"=?UTF-8?B?w6Q=?= =?UTF-8?B?w7Y=?=", "äö"),
        (b"=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "€"),
        (b"=?utf-8?B?4oI=?=\r\n =?UTF-8?Q?=AC?=", "€"),
        (b"=?utf-8?Q?a?= =?iso-8859-1?Q?=E9?=", "aé"),
        (b"=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"),
        (b"a =?utf-8?q?b_c?= d", "a b c d"),
        (b"x=?utf-8?q?b?=y", "xby"),
        (b"=?x-unknown?Q?a=E9b?=", "aéb"),
        (b"=?gb2312?B?" + b"\x81\x40".hex().encode() + b"?=", None),
        (b"=?utf-8*en?Q?a?=", "a"),
        (b"=?utf-8?Q??=", ""),
        (b"=?utf-8?Q?a?", "=?utf-8?Q?a?"),
        (b"=?utf-8?X?a?=", "=?utf-8?X?a?="),
        (b"=?utf-8?B?w6R?=", "ä"),
        (b"=?utf-8?Q?a b?=", "a b"),
        (b"=?utf-8?Q?Was=3F?=", "Was?"),
        (b"=?utf-8?Q?a=00b?=", "ab"),
        (b"=?utf-8?Q?a=0D=0Ab?=", "ab"),
        (b"=?utf-7?Q?+2AA-?=", "\ufffd"),
        (b"caf\xe9", "café"),
        (b"caf\xc3\xa9", "café"),
        (b"a\r\n\tb", "a b"),
        (b"a\0b", "ab"),
    ],
)
def test_encoded_words(value: bytes, expected: str | None) -> None:
    if expected is not None:
        assert text(value) == expected
    else:
        assert text(value)


def test_gb2312_is_read_as_what_it_grew_into() -> None:
    assert text(b"=?gb2312?B?gUA=?=") == b"\x81\x40".decode("gb18030")


@pytest.mark.parametrize(
    ("name", "codec", "page"),
    [
        (b"utf8;", "utf-8", 65001),
        (b'"utf-8 "', "utf-8", 65001),
        (b"UTF8", "utf-8", 65001),
        (b"unicode", "utf-8", 65001),
        (b"us-ascii", "ascii", 20127),
        (b"iso-8859-1", "iso8859-1", 28591),
        (b"iso-8859-1:1987", "iso8859-1", 28591),
        (b"ISO-8859-15", "iso8859-15", 28605),
        (b"iso-8859-8-i", "iso8859-8", 28598),
        (b"windows-1251", "cp1251", 1251),
        (b"win-1252", "cp1252", 1252),
        (b"cp-850", "cp850", 850),
        (b"koi8-r", "koi8-r", 20866),
        (b"ks_c_5601-1987", "cp949", 949),
        (b"gb2312", "gb18030", 54936),
        (b"x-gbk", "gb18030", 54936),
        (b"big5", "cp950", 950),
        (b"shift_jis", "cp932", 932),
        (b"iso-2022-jp", "iso2022_jp_ext", None),
        (b"UNICODE-1-1-UTF-7", "utf-7", None),
        (b"utf-16", "utf-16", None),
    ],
)
def test_charset_names(name: bytes, codec: str, page: int | None) -> None:
    assert codec_of(name) == codec
    assert code_page(codec) == page


@pytest.mark.parametrize(
    "name",
    [
        b"",
        b"x-foo",
        b"unicode_escape",
        b"base64",
        b"rot13",
        b"zlib",
        b"idna",
        b"a" * 1000,
        b"\xff",
        b"cp1252\0",
    ],
)
def test_what_is_no_charset(name: bytes) -> None:
    assert codec_of(name) is None


@pytest.mark.parametrize(
    ("data", "codec", "expected"),
    [
        (b"caf\xe9", None, "café"),
        (b"caf\xc3\xa9", None, "café"),
        (b"caf\xe9", "ascii", "café"),
        (b"caf\xe9", "utf-8", "café"),
        (b"\xc3\xa9\xc3\xa9\xc3\xa9\xe9", "utf-8", "ééé\ufffd"),
        (b"\x80", "iso8859-1", "€"),
        (b"a\x00b", "utf-8", "ab"),
        (b"\x81", "cp1252", "\ufffd"),
    ],
)
def test_decoding_never_fails(data: bytes, codec: str | None, expected: str) -> None:
    assert decode(data, codec) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"a; filename=x.txt", "x.txt"),
        (b"a; filename*=utf-8''na%C3%AFve.txt", "naïve.txt"),
        (b"a; filename*0*=utf-8''a%20; filename*1=b.txt", "a b.txt"),
        (b'a; filename*1="b.txt"; filename*0="a "', "a b.txt"),
        (b"a; filename*0=a; filename*2=c", "a"),
        (b'a; filename="=?utf-8?B?w6QudHh0?="', "ä.txt"),
        (b"a; filename=plain; filename*=utf-8''ext", "ext"),
        (b"a; filename*=utf-8''ext; filename=plain", "ext"),
        (b"a; filename*=x-foo'de'%E4", "ä"),
        (b"a; filename*=%E4", "ä"),
        (b"a; filename=\xe4", "ä"),
        (b"a; filename*1=b", None),
        (b"a", None),
    ],
)
def test_encoded_parameters(value: bytes, expected: str | None) -> None:
    assert parameter(parameters(value, 1), b"filename") == expected


@given(
    st.binary()
    | st.lists(st.sampled_from([b"=?", b"utf-8", b"?", b"Q", b"B", b"?=", b" ", b"=E4", b"w6Q"])).map(b"".join)
)
def test_any_bytes_are_a_text(value: bytes) -> None:
    text(value).encode()
    (parameter(parameters(value), b"filename") or "").encode()


@given(st.binary(), st.sampled_from([None, "utf-8", "utf-7", "utf-16", "gb18030", "iso2022_jp_ext", "cp1252"]))
def test_any_bytes_are_a_storable_text(data: bytes, codec: str | None) -> None:
    assert "\0" not in decode(data, codec)
    decode(data, codec).encode()
