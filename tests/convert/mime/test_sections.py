"""Sections, header fields and decoded sections of messages."""

import pytest

from gateway.convert.mime import UnknownEncoding, binary, header_fields, part_at, scan, section, span
from tests.convert.mime.samples import S1, lines

MESSAGE = scan(S1)
INNER = b"From: b@x.example\r\nSubject: in\r\n\r\n"


def test_im01_size() -> None:
    assert span(MESSAGE) == (0, 385)


def test_im02_header() -> None:
    assert section(MESSAGE, (), "HEADER") == S1[:181]


def test_im03_part_1() -> None:
    assert section(MESSAGE, (1,)) == b"caf=C3=A9\r\nx"


def test_im04_part_2() -> None:
    assert section(MESSAGE, (2,)) == INNER + b"hi\r\n"


def test_im05_inside_part_2() -> None:
    assert section(MESSAGE, (2,), "HEADER") == INNER
    assert section(MESSAGE, (2,), "TEXT") == b"hi\r\n"
    assert section(MESSAGE, (2, 1)) == b"hi\r\n"


def test_im06_mime_header() -> None:
    expected = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    assert section(MESSAGE, (1,), "MIME") == expected


def test_im07_a_part_of_a_section_is_a_slice() -> None:
    begin, end = span(MESSAGE) or (0, 0)
    assert S1[begin + 100 : min(end, begin + 150)] == (section(MESSAGE) or b"")[100:150]


def test_text_and_whole() -> None:
    assert section(MESSAGE, (), "TEXT") == S1[181:]
    assert section(MESSAGE) == S1


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ((3,), ""),
        ((0,), ""),
        ((1, 1), ""),
        ((2, 2), ""),
        ((2, 1, 1), ""),
        ((1,), "HEADER"),
        ((1,), "TEXT"),
        ((), "MIME"),
        ((9,), "MIME"),
    ],
)
def test_sections_that_do_not_exist(path: tuple[int, ...], what: str) -> None:
    assert section(MESSAGE, path, what) is None  # type: ignore[arg-type]
    assert what or part_at(MESSAGE, path) is None


def test_a_message_without_parts_is_its_own_part_1() -> None:
    message = scan(b"Subject: a\r\n\r\nbody\r\n")
    assert section(message, (1,)) == b"body\r\n"
    assert section(message, (1,), "MIME") == b"Subject: a\r\n\r\n"
    assert section(message, (1, 1)) is None
    assert section(message, (1,), "HEADER") is None


def test_a_multipart_inside_a_message_inside_a_multipart() -> None:
    message = scan(
        lines(
            "Content-Type: multipart/mixed; boundary=o",
            "",
            "--o",
            "Content-Type: message/rfc822",
            "",
            "Subject: in",
            "Content-Type: multipart/mixed; boundary=i",
            "",
            "--i",
            "",
            "one",
            "--i",
            "Content-Type: multipart/alternative; boundary=a",
            "",
            "--a",
            "",
            "two",
            "--a--",
            "--i--",
            "--o--",
        )
    )
    assert section(message, (1, 1)) == b"one"
    assert section(message, (1, 2, 1)) == b"two"
    assert section(message, (1, 1), "MIME") == b"\r\n"
    assert (section(message, (1,), "HEADER") or b"").startswith(b"Subject: in")
    assert section(message, (1, 2), "HEADER") is None


def test_a_message_that_is_a_message() -> None:
    message = scan(b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx")
    assert section(message, (1,)) == b"Subject: in\r\n\r\nx"
    assert section(message, (1,), "TEXT") == b"x"
    assert section(message, (1, 1)) == b"x"


HEADER = b"From: a\r\nSubject: long\r\n\tsubject\r\nno colon\r\nsubject: again\r\nTo : b\r\n\r\nbody"


@pytest.mark.parametrize(
    ("names", "exclude", "expected"),
    [
        ([b"subject"], False, b"Subject: long\r\n\tsubject\r\nsubject: again\r\n\r\n"),
        ([b"to"], False, b"To : b\r\n\r\n"),
        ([b"x-absent"], False, b"\r\n"),
        ([b"subject", b"to"], True, b"From: a\r\nno colon\r\n\r\n"),
        ([], True, HEADER[:-4]),
    ],
)
def test_header_fields(names: list[bytes], exclude: bool, expected: bytes) -> None:
    assert header_fields(scan(HEADER), (), names, exclude=exclude) == expected


def test_header_fields_without_blank_line() -> None:
    assert header_fields(scan(b"A: b\r\nC: d"), (), [b"c"]) == b"C: d"


def test_header_fields_of_a_nested_message_and_of_none() -> None:
    assert header_fields(MESSAGE, (2,), [b"subject"]) == b"Subject: in\r\n\r\n"
    assert header_fields(MESSAGE, (1,), [b"subject"]) is None


@pytest.mark.parametrize(
    ("encoding", "raw", "expected"),
    [
        ("quoted-printable", b"caf=c3=A9=\r\n!", b"caf\xc3\xa9!"),
        ("quoted-printable", b"a= \r\nb=", b"ab"),
        ("quoted-printable", b"a=zzb", b"a=zzb"),
        ("base64", b"aGVs\r\nbG8=", b"hello"),
        ("base64", b"aGVs bG8", b"hello"),
        ("base64", b"aGVsbG8=IHdvcmxk", b"hello world"),
        ("base64", b"aGVsbG8=\r\nIHdvcmxkIQ==\r\n", b"hello world!"),
        ("base64", b"a!G?Vsb\x80G8=", b"hello"),
        ("base64", b"aGVsbG8hQ", b"hello!"),
        ("base64", b"", b""),
        ("8bit", b"\xe9", b"\xe9"),
        ("x-uuencode", b"begin 644 f\n%:&5L;&\\\n`\nend\n", b"hello"),
        ("x-uuencode", b"begin 644 f\n%:&5L;&\\trailing\n\x80\nend\n", b"hello"),
    ],
)
def test_decoded_sections(encoding: str, raw: bytes, expected: bytes) -> None:
    message = scan(f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + raw)
    assert binary(message, (1,)) == expected


def test_decoding_leaves_multiparts_and_messages_alone() -> None:
    assert binary(MESSAGE) == S1
    assert binary(MESSAGE, (2,)) == INNER + b"hi\r\n"
    assert binary(MESSAGE, (1,)) == b"caf\xc3\xa9\r\nx"
    assert binary(MESSAGE, (9,)) is None


def test_an_unknown_transfer_encoding_is_told() -> None:
    with pytest.raises(UnknownEncoding, match="x-foo"):
        binary(scan(b"Content-Transfer-Encoding: x-foo\r\n\r\nx"), (1,))
