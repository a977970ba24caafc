"""Readable text for SEARCH and PREVIEW."""

from gateway.convert.mime import body_text, header_text, header_values, preview, scan
from tests.convert.mime.samples import S1, lines

ALTERNATIVE = scan(
    lines(
        "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=",
        "Content-Type: multipart/alternative; boundary=b",
        "",
        "--b",
        "Content-Type: text/html; charset=utf-8",
        "",
        "<style>p {}</style><p>Gr&uuml;ße</p>",
        "--b",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        "R3LDvMOfZQogIGhlcmU=",
        "--b--",
    )
)


def test_header_values_are_decoded() -> None:
    assert list(header_values(ALTERNATIVE, b"subject")) == ["Grüße"]
    assert list(header_values(ALTERNATIVE, b"to")) == []


def test_header_text_holds_every_header() -> None:
    found = list(header_text(scan(S1)))
    assert "Subject: t" in found
    assert "Subject: in" in found
    assert "Content-Transfer-Encoding: quoted-printable" in found


def test_body_text_is_decoded_and_without_tags() -> None:
    html, plain = body_text(ALTERNATIVE)
    assert html.strip() == "Grüße"
    assert plain == "Grüße\n  here"
    assert list(body_text(scan(S1))) == ["café\r\nx", "hi\r\n"]


def test_body_text_leaves_out_what_cannot_be_decoded() -> None:
    assert list(body_text(scan(b"Content-Transfer-Encoding: x-foo\r\n\r\nx"))) == []
    assert list(body_text(scan(b"Content-Type: image/png\r\n\r\nx"))) == []


def test_preview_prefers_plain_text() -> None:
    assert preview(ALTERNATIVE) == "Grüße here"
    assert preview(ALTERNATIVE, 4) == "Grüß"


def test_preview_of_html_and_of_nothing() -> None:
    assert preview(scan(lines("Content-Type: text/html", "", "<title>no</title><p>a<p>b"))) == "a b"
    assert preview(scan(b"")) == ""
    assert preview(scan(lines("Content-Disposition: attachment", "", "x"))) == ""
    assert preview(scan(lines("Content-Transfer-Encoding: x-foo", "", "x"))) == ""
