"""The scanner: offsets of parts in whole and in broken messages."""

import email
import mmap
from pathlib import Path

import pytest

from gateway.convert.mime.structure import Limits, Part, normalised, scan
from tests.convert.mime.samples import S1, lines


def bodies(part: Part) -> list[bytes]:
    return [child.body_bytes for child in part.children]


def kinds(part: Part) -> list[str]:
    return [f"{child.type.decode()}/{child.subtype.decode()}" for child in part.walk()]


def test_offsets_of_the_sample() -> None:
    message = scan(S1)
    assert (message.start, message.body, message.end) == (0, 181, 385)
    text, inner = message.children
    assert text.body_bytes == b"caf=C3=A9\r\nx"
    assert (inner.size, inner.lines) == (38, 4)
    assert inner.message is not None
    assert inner.message.header_bytes == b"From: b@x.example\r\nSubject: in\r\n\r\n"
    assert inner.message.body_bytes == b"hi\r\n"
    assert kinds(message) == ["multipart/mixed", "text/plain", "message/rfc822", "text/plain"]


def test_a_mapped_file_is_scanned_like_bytes(tmp_path: Path) -> None:
    file = tmp_path / "mail"
    file.write_bytes(S1)
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        message = scan(mapped)
        assert message.children[1].lines == 4
        assert bodies(message) == bodies(scan(S1))


def test_bare_line_feeds_end_lines() -> None:
    assert bodies(scan(S1.replace(b"\r\n", b"\n")))[0] == b"caf=C3=A9\nx"


def test_carriage_returns_end_lines_where_there_is_nothing_else() -> None:
    message = scan(S1.replace(b"\r\n", b"\r"))
    assert message.header(b"subject") == b"t"
    assert len(message.children) == 2


def test_mixed_line_ends() -> None:
    message = scan(b"Content-Type: multipart/mixed; boundary=b\nA: b\r\n\n--b\r\n\r\none\n--b\n\ntwo\r\n--b--")
    assert bodies(message) == [b"one", b"two"]


@pytest.mark.parametrize(
    ("raw", "header", "body"),
    [
        (b"", b"", b""),
        (b"\r\n", b"\r\n", b""),
        (b"\nbody", b"\n", b"body"),
        (b"Subject: a", b"Subject: a", b""),
        (b"Subject: a\r\n", b"Subject: a\r\n", b""),
        (b"Subject: a\r\n\r\n", b"Subject: a\r\n\r\n", b""),
        (b"Subject: a\r\nHello there\r\n", b"Subject: a\r\n", b"Hello there\r\n"),
        (b"Subject: a\r\n folded\r\nHello there\r\n", b"Subject: a\r\n folded\r\n", b"Hello there\r\n"),
        (b"only text\r\nand more\r\n", b"", b"only text\r\nand more\r\n"),
        (b"only text\r\n\r\nand more\r\n", b"", b"only text\r\n\r\nand more\r\n"),
        (b"From a@x Mon Jan 1 10:00:00 2024\r\nA: b\r\n", b"From a@x Mon Jan 1 10:00:00 2024\r\nA: b\r\n", b""),
    ],
)
def test_where_the_body_begins(raw: bytes, header: bytes, body: bytes) -> None:
    message = scan(raw)
    assert (message.header_bytes, message.body_bytes) == (header, body)


@pytest.mark.parametrize(
    "first",
    [
        b"From x@y Mon Jan  1 10:00:00 2024\r\n",
        b">From x@y\r\n",
        b"\xef\xbb\xbf",
        b" stray\r\n",
        b"no colon\r\n",
    ],
)
def test_what_may_stand_before_the_first_field(first: bytes) -> None:
    assert scan(first + b"Subject: a\r\nTo: b\r\n\r\nx").header(b"subject") == b"a"


def test_a_line_without_colon_does_not_end_the_header() -> None:
    message = scan(b"Subject: a\r\nnonsense\r\nTo: b@x.example\r\n\r\nbody")
    assert message.header(b"to") == b"b@x.example"
    assert message.body_bytes == b"body"


def test_the_first_of_duplicate_fields_counts() -> None:
    message = scan(b"Subject: a\r\nsubject: b\r\nContent-Type: text/html\r\nContent-Type: text/plain\r\n\r\n")
    assert message.header(b"subject") == b"a"
    assert message.headers(b"subject") == [b"a", b"b"]
    assert message.subtype == b"html"


MULTIPART = "Content-Type: multipart/mixed; boundary=b"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["--b", "", "one", "--b", "", "two", "--b--"], [b"one", b"two"]),
        (["--b", "", "one", "--b", "", "two"], [b"one", b"two\r\n"]),
        (["--b  ", "", "one", "--b--\t"], [b"one"]),
        (["--b", "", "one", "--bc", "--b x", "--b--"], [b"one\r\n--bc\r\n--b x"]),
        (["--b", "", "one", "--b--", "epilogue", "--b", "", "two"], [b"one"]),
        (["--b", "--b", "", "two", "--b--"], [b"", b"two"]),
        (["--b", "", "--b--"], [b""]),
        (["x --b", "--b", "", "--b--"], [b""]),
        (["--b\r\n\n--b", "", "x", "--b--"], [b"", b"x"]),
        (["--b", "text without blank line", "--b--"], [b"text without blank line"]),
    ],
)
def test_boundary_lines(rows: list[str], expected: list[bytes]) -> None:
    assert bodies(scan(lines(MULTIPART, "", *rows))) == expected


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/mixed",
        "multipart/mixed; boundary=",
        "multipart/mixed; boundary=absent",
        "multipart/mixed; boundary=%s" % ("b" * 2000),
    ],
)
def test_a_multipart_without_parts_is_text(content_type: str) -> None:
    message = scan(lines(f"Content-Type: {content_type}", "", "--b", "", "one", "--b--"))
    assert kinds(message) == ["text/plain"]
    assert message.declared == (b"multipart", b"mixed")


def test_an_unclosed_inner_multipart_ends_with_its_parent() -> None:
    message = scan(
        lines(
            MULTIPART,
            "",
            "--b",
            "Content-Type: multipart/alternative; boundary=c",
            "",
            "--c",
            "",
            "1",
            "--b",
            "",
            "2",
            "--b--",
        )
    )
    assert bodies(message.children[0]) == [b"1"]
    assert message.children[1].body_bytes == b"2"


INNER = [MULTIPART, "", "--b", "Content-Type: multipart/alternative; boundary=b", "", "--b", "", "1"]


def test_of_two_equal_boundaries_the_inner_one_is_closed_first() -> None:
    message = scan(
        lines(*INNER, "--b", "", "2", "--b--", "--b", "Content-Type: image/gif", "", "3", "--b--", "rest")
    )
    assert kinds(message) == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/plain", "image/gif",
    ]  # fmt: skip
    assert bodies(message.children[0]) == [b"1", b"2"]
    assert message.children[1].body_bytes == b"3"


@pytest.mark.parametrize("end", [[], ["--b--"], ["--b--", "epilogue"]])
def test_of_two_equal_boundaries_the_outer_one_rules_when_only_one_is_closed(end: list[str]) -> None:
    """What follows is no alternative to the text."""
    message = scan(lines(*INNER, "--b", "Content-Type: image/gif", "", "2", *end))
    assert kinds(message) == ["multipart/mixed", "text/plain", "text/plain", "image/gif"]


def test_many_multiparts_with_one_boundary_take_no_longer_than_the_text_is_long() -> None:
    part = b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    for end in (b"", b"--b--\r\n" * 20_000):
        message = scan(MULTIPART.encode() + b"\r\n\r\n" + part * 20_000 + end)
        assert sum(1 for _ in message.walk()) <= 1001


def test_a_boundary_that_begins_like_another() -> None:
    message = scan(
        lines(
            MULTIPART,
            "",
            "--b",
            "Content-Type: multipart/related; boundary=b_1",
            "",
            "--b_1",
            "",
            "1",
            "--b_1--",
            "--b--",
        )
    )
    assert bodies(message.children[0]) == [b"1"]


def test_parts_of_a_digest_are_messages() -> None:
    message = scan(
        lines("Content-Type: multipart/digest; boundary=b", "", "--b", "", "Subject: in", "", "x", "--b--")
    )
    inner = message.children[0].message
    assert inner is not None
    assert inner.header(b"subject") == b"in"


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_an_encoded_message_is_opaque(encoding: str) -> None:
    message = scan(lines("Content-Type: message/rfc822", f"Content-Transfer-Encoding: {encoding}", "", "eA=="))
    assert message.message is None
    assert kinds(message) == ["application/octet-stream"]
    assert message.declared == (b"message", b"rfc822")


def test_nesting_is_bounded() -> None:
    raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(100))
    parts = list(scan(raw).walk())
    assert len(parts) == 33
    assert (parts[-1].type, parts[-1].subtype) == (b"application", b"octet-stream")
    assert parts[-1].end == len(raw)
    messages = list(scan(b"Content-Type: message/rfc822\r\n\r\n" * 100).walk())
    assert len(messages) == 33
    assert messages[-1].message is None


def test_the_number_of_parts_is_bounded() -> None:
    raw = lines(MULTIPART, "", *["--b\r\n\r\nx"] * 5000)
    message = scan(raw)
    assert len(list(message.walk())) == 1000
    last = message.children[-1]
    assert (last.type, last.end) == (b"application", len(raw))
    assert len(list(scan(raw, Limits(parts=10)).walk())) == 10


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", (b"text", b"plain", ())),
        ("text/", (b"text", b"plain", ())),
        ("", (b"text", b"plain", ())),
        ("/plain", (b"text", b"plain", ())),
        ("TEXT/HTML", (b"text", b"html", ())),
        ("text / html ; charset = utf-8", (b"text", b"html", ((b"charset", b"utf-8"),))),
        ("text/plain; charset=utf-8;", (b"text", b"plain", ((b"charset", b"utf-8"),))),
        ("text/plain;; charset=utf-8", (b"text", b"plain", ((b"charset", b"utf-8"),))),
        ("text/plain charset=utf-8", (b"text", b"plain", ())),
        ('text/plain; charset="utf-8 "', (b"text", b"plain", ((b"charset", b"utf-8 "),))),
        ("text/plain; charset=us-ascii (plain text)", (b"text", b"plain", ((b"charset", b"us-ascii"),))),
        ('a/b; name="x;y\\"z"; q=1', (b"a", b"b", ((b"name", b'x;y"z'), (b"q", b"1")))),
        ("a/b; name=my file.pdf; q=1", (b"a", b"b", ((b"name", b"my file.pdf"), (b"q", b"1")))),
        ('a/b; name="open', (b"a", b"b", ((b"name", b"open"),))),
        ("application; name=x", (b"application", b"octet-stream", ((b"name", b"x"),))),
    ],
)
def test_content_type(value: str, expected: tuple[bytes, bytes, tuple[tuple[bytes, bytes], ...]]) -> None:
    part = scan(lines(f"Content-Type: {value}", "", "x"))
    assert (part.type, part.subtype, part.parameters) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("base64", b"base64"), (" BASE64 ", b"base64"), ("8bit;", b"8bit"), ("", b"7bit"), ("7bit (c)", b"7bit")],
)
def test_transfer_encoding(value: str, expected: bytes) -> None:
    assert scan(lines(f"Content-Transfer-Encoding: {value}", "", "x")).encoding == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("attachment; filename=x", (b"attachment", ((b"filename", b"x"),))),
        ("INLINE", (b"inline", ())),
        ("filename=x", (b"", ((b"filename", b"x"),))),
        ("; filename=x", (b"", ((b"filename", b"x"),))),
    ],
)
def test_disposition(value: str, expected: tuple[bytes, tuple[tuple[bytes, bytes], ...]]) -> None:
    assert scan(lines(f"Content-Disposition: {value}", "", "x")).disposition == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a\r\nb\r\n", b"a\r\nb\r\n"),
        (b"a\nb\r\nc\n", b"a\r\nb\r\nc\r\n"),
        (b"a\rb\r", b"a\r\nb\r\n"),
        (b"a\rb\n", b"a\rb\r\n"),
        (b"", b""),
    ],
)
def test_line_ends_made_uniform(raw: bytes, expected: bytes) -> None:
    assert normalised(raw) == expected
    assert normalised(expected) == expected


def test_a_large_body_with_dashes_and_without() -> None:
    plain, dashed = b"QUJD" * 19 + b"\r\n", b"a-b --b " * 9 + b"\r\n"
    for filling in (plain * 3000, dashed * 3000, plain * 3000 + dashed):
        raw = lines(MULTIPART, "") + b"--b\r\n\r\n" + filling + b"--b\r\n\r\nlast\r\n--b--\r\n"
        assert bodies(scan(raw)) == [filling[:-2], b"last"]


def test_the_standard_library_finds_the_same_leaves() -> None:
    ours = [part.body_bytes for part in scan(S1).walk() if not part.children and part.message is None]
    theirs = [
        str(part.get_payload()).encode()
        for part in email.message_from_bytes(S1).walk()
        if not part.is_multipart()
    ]
    assert ours == theirs
