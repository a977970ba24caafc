"""Mail out: which body is shown and how it is encoded (cases BO10, BO26, BO28-BO37, MO17)."""

from __future__ import annotations

import pytest

from gateway.convert import rtf
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from tests.support.messages import attachment, note, parsed, shape, written

RTF = (
    rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}}\uc1\pard\plain\deftab360 \f0\fs24 "
    rb"{\*\htmltag243 <p>}\htmlrtf \par \htmlrtf0 caf\'e9 \u8364?{\*\htmltag251 </p>}}"
)


def _html(content: MessageContent) -> str:
    message = parsed(content)
    part = next(part for part in message.walk() if part.get_content_type() == "text/html")
    return part.get_payload(decode=True).decode()  # type: ignore[union-attr]


def _plain(content: MessageContent) -> str:
    part = next(part for part in parsed(content).walk() if part.get_content_type() == "text/plain")
    return part.get_payload(decode=True).decode()  # type: ignore[union-attr]


def test_BO10_plain_and_html_are_an_alternative() -> None:
    content = note(BODY="hi", HTML=b"<p>hi</p>", INTERNET_CPID=65001)
    assert shape(parsed(content)) == ("alternative", "text/plain", "text/html")


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_BO26_meta_charset_is_corrected(quote: str) -> None:
    html = f"<html><head><META http-equiv=x content='text/html'><meta charset={quote}iso-8859-1{quote}></head>é".encode()
    found = _html(note(HTML=html, INTERNET_CPID=65001))
    assert f"charset={quote}utf-8{quote}" in found
    assert found.endswith("é")


def test_BO28_html_inside_rtf() -> None:
    content = note(RTF_COMPRESSED=rtf.stored(RTF), RTF_IN_SYNC=True)
    assert _html(content) == "<p>café €</p>"
    assert _plain(content) == "café €\r\n"


def test_BO29_text_inside_rtf() -> None:
    content = note(RTF_COMPRESSED=rtf.compress(RTF.replace(b"fromhtml1", b"fromtext")), RTF_IN_SYNC=True)
    assert shape(parsed(content)) == "text/plain"
    assert _plain(content) == "café €\r\n"


def test_BO30_genuine_rtf_is_shown_by_the_other_bodies_or_as_html() -> None:
    blob = rtf.stored(rb"{\rtf1\ansi hello {\b you}}")
    assert _html(note(RTF_COMPRESSED=blob, RTF_IN_SYNC=True, HTML=b"<p>other</p>")) == "<p>other</p>"
    content = note(RTF_COMPRESSED=blob, RTF_IN_SYNC=True, BODY="hello you")
    assert "<div>hello <b>you</b></div>" in _html(content)
    assert _plain(content) == "hello you"


@pytest.mark.parametrize(
    "blob", [b"", b"x", b"\0" * 16, rtf.stored(b"no rtf"), rtf.stored(b"{\\rtf1" + b"{" * 5000)]
)
def test_BO31_unreadable_rtf_falls_back(blob: bytes) -> None:
    assert _plain(note(RTF_COMPRESSED=blob, RTF_IN_SYNC=True, BODY="text")) == "text\r\n"
    assert shape(parsed(note(RTF_COMPRESSED=blob, RTF_IN_SYNC=True))) == "text/plain"


def test_BO34_rtf_out_of_sync_gives_way_to_html() -> None:
    content = note(RTF_COMPRESSED=rtf.stored(RTF), RTF_IN_SYNC=False, HTML=b"<p>x</p>")
    assert _html(content) == "<p>x</p>"


def test_BO35_no_body_at_all() -> None:
    octets = written(note())
    assert octets.endswith(
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
    )


@pytest.mark.parametrize("html", ["<p>é</p>".encode(), "<p>é</p>".encode("utf-16-le")])
def test_BO36_code_page_1200(html: bytes) -> None:
    assert _html(note(HTML=html, INTERNET_CPID=1200)) == "<p>é</p>"


def test_BO37_emoji_in_html_of_a_western_code_page() -> None:
    content = note(HTML=b"<p>&#128512;</p>", INTERNET_CPID=1252)
    assert _html(content) == "<p>&#128512;</p>"
    assert _plain(content) == "😀\r\n"
    assert _html(note(BODY_HTML="<p>😀</p>", INTERNET_CPID=1252)) == "<p>😀</p>"


def test_MO17_html_that_is_invalid_in_its_code_page() -> None:
    assert "\ufffd" in _html(note(HTML=b"<p>\x81\xff\xfe</p>", INTERNET_CPID=932))
    assert _html(note(HTML=b"<p>caf\xe9</p>", INTERNET_CPID=65001)) == "<p>café</p>"
    assert _html(note(HTML=b"<p>\x81</p>", INTERNET_CPID=1252)) == "<p>\ufffd</p>"


@pytest.mark.parametrize(
    ("native", "expected"), [(1, "text/plain"), (3, ("alternative", "text/plain", "text/html")), (0, None)]
)
def test_native_body_decides(native: int, expected: object) -> None:
    content = note(NATIVE_BODY_INFO=native, BODY="b", HTML=b"<p>h", RTF_COMPRESSED=rtf.stored(RTF))
    assert shape(parsed(content)) == (expected or ("alternative", "text/plain", "text/html"))


def test_native_plain_without_text_shows_what_there_is() -> None:
    assert _html(note(NATIVE_BODY_INFO=1, HTML=b"<p>h</p>")) == "<p>h</p>"


def test_html_as_string_property() -> None:
    assert _html(note(BODY_HTML="<p>é</p>")) == "<p>é</p>"


def test_text_is_made_from_html_when_there_is_none() -> None:
    assert _plain(note(HTML=b"<p>a &amp; b<p>c", BODY="")) == "a & b\r\n\r\nc\r\n"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        ("plain\r\n.\r\nFrom x\r\n", "7bit"),
        ("x" * 998, "7bit"),
        ("x" * 999, "quoted-printable"),
        ("nul \0", "quoted-printable"),
        ("--=_looks like a boundary", "quoted-printable"),
        ("Grüße aus Köln, viele Wörter ohne Umlaute folgen hier, damit es kurz bleibt.", "quoted-printable"),
        ("日本語" * 30, "base64"),
        ("é", "quoted-printable"),
    ],
)
def test_transfer_encoding(body: str, encoding: str) -> None:
    content = note(BODY=body)
    assert parsed(content)["Content-Transfer-Encoding"] == encoding
    assert _plain(content).removesuffix("\r\n") == body.removesuffix("\r\n")
    assert max(map(len, written(content).split(b"\r\n"))) <= 998


@pytest.mark.parametrize("body", ["a\nb", "a\rb", "a\r\nb"])
def test_line_ends_become_crlf(body: str) -> None:
    assert _plain(note(BODY=body)) == "a\r\nb\r\n"


def test_text_inside_a_multipart_gets_no_line_end() -> None:
    message = parsed(note(BODY="no line end", attachments=[attachment()]))
    assert message.get_payload(0).get_payload() == "no line end"  # type: ignore[union-attr]


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    assert _plain(note(BODY="a\ud800b")) == "a?b\r\n"
    assert parsed(note(SUBJECT="a\udfffb"))["Subject"]


def test_body_properties_of_other_types_are_ignored() -> None:
    content = note()
    content.props[pt.PR_BODY] = None
    content.props[pt.PR_HTML] = 5
    assert shape(parsed(content)) == "text/plain"
