"""Code pages and codecs."""

from __future__ import annotations

import codecs

import pytest

from gateway.convert.codepages import _CODECS, code_page_of, codec_of
from gateway.convert.mediatypes import extension_of, type_of_name


@pytest.mark.parametrize(
    ("code_page", "codec"),
    [
        (65001, "utf-8"),
        (1252, "cp1252"),
        (28591, "iso8859-1"),
        (28605, "iso8859-15"),
        (936, "gbk"),
        (54936, "gb18030"),
    ],
)
def test_code_pages_both_ways(code_page: int, codec: str) -> None:
    assert codec_of(code_page) == codec
    assert code_page_of(codec) == code_page


def test_every_codec_exists_and_reads_ascii() -> None:
    for code_page, codec in _CODECS.items():
        decoder = codecs.getincrementaldecoder(codec)("replace")
        text = decoder.decode("ab".encode(codec), True)
        assert text == "ab", code_page


@pytest.mark.parametrize(
    ("codec", "code_page"),
    [("UTF8", 65001), ("euc-jp", 51932), ("latin1", 28591), ("no such", None), ("hex", None)],
)
def test_names_of_codecs(codec: str, code_page: int | None) -> None:
    assert code_page_of(codec) == code_page


def test_unknown_code_page() -> None:
    assert codec_of(12345) is None


def test_media_types() -> None:
    assert type_of_name("a.b.PDF") == "application/pdf"
    assert type_of_name("pdf") is None
    assert type_of_name("a.") is None
    assert extension_of("Image/JPEG") == ".jpg"
    assert extension_of("x/y") == ".bin"
