"""RTF as mail bodies (cases BO28, BO29, BO30; MS-OXRTFEX)."""

from __future__ import annotations

import pytest
from RTFDE.deencapsulate import DeEncapsulator

from gateway.convert.errors import ParseError
from gateway.convert.rtf import Origin, compress, origin_of_compressed, read, stored

SAMPLE = (
    rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}}\uc1\pard\plain\deftab360 \f0\fs24 "
    rb"{\*\htmltag243 <p>}\htmlrtf \par \htmlrtf0 caf\'e9 \u8364?{\*\htmltag251 </p>}}"
)


def _html(body: bytes, head: bytes = rb"\ansicpg1252") -> str | None:
    return read(rb"{\rtf1\ansi" + head + rb"\fromhtml1 " + body + b"}").html


def _rich(body: bytes) -> str:
    html = read(rb"{\rtf1\ansi\ansicpg1252" + body + b"}").html
    assert html is not None
    return html.removeprefix("<html><body>\r\n").removesuffix("\r\n</body></html>\r\n")


def test_BO28_html() -> None:
    assert read(SAMPLE).html == "<p>café €</p>"
    assert read(SAMPLE).origin is Origin.HTML


def test_BO28_an_independent_reader_agrees() -> None:
    oracle = DeEncapsulator(SAMPLE)
    oracle.deencapsulate()
    assert oracle.html.decode() == read(SAMPLE).html


def test_BO29_text() -> None:
    body = read(SAMPLE.replace(b"fromhtml1", b"fromtext"))
    assert (body.origin, body.html, body.text) == (Origin.TEXT, None, "café €")


def test_BO30_genuine_rtf() -> None:
    body = read(rb"{\rtf1\ansi hello}")
    assert (body.origin, body.text) == (Origin.RICH, None)
    assert body.html == "<html><body>\r\n<div>hello</div>\r\n</body></html>\r\n"


@pytest.mark.parametrize("form", [stored, compress])
def test_origin_needs_the_beginning_only(form: object) -> None:
    blob = form(SAMPLE + b" " * 5000)  # type: ignore[operator]
    assert origin_of_compressed(blob) is Origin.HTML
    assert origin_of_compressed(form(b"{\\rtf1\\fromtextual}")) is Origin.RICH  # type: ignore[operator]


@pytest.mark.parametrize(
    ("body", "html"),
    [
        (rb"{\*\htmltag64 <a>}{\*\mhtmltag64 <b>}x", "<a>x"),
        (rb"{\*\htmltag <p>\par\tab x\{\}\\}", "<p>\r\n\tx{}\\"),
        (rb"\htmlrtf {\b \htmlrtf0 bold\htmlrtf }\htmlrtf0 x", "boldx"),
        (rb"\htmlrtf{\htmlrtf0 a}b\htmlrtf0 c", "ac"),
        (
            rb"\lquote x\rquote\ldblquote\rdblquote\bullet\endash\emdash\~\_",
            "\u2018x\u2019\u201c\u201d\u2022\u2013\u2014&nbsp;&shy;",
        ),
        (rb"a\par b\line c\tab d", "a\r\nb\r\nc\td"),
        (rb"\u-10179?\u-8704?", "😀"),
        (rb"\uc2\u8364\'80\'80x\uc0\u8364 y", "€x€y"),
        (rb"{\uc2 \u8364??}\u8364?!", "€€!"),
        (rb"\u55357x", "\ufffd"),
        (rb"{\*\generator Riched;}{\info{\title X}}a{\pict\bin3 }}}b}c", "ac"),
        (b"a\r\nb\x00c", "abc"),
        (rb"a\'4", "a'4"),
        (rb"{\*\htmltag84 &nbsp;}\htmlrtf \'a0\htmlrtf0 x", "&nbsp;x"),
    ],
)
def test_encapsulated_html(body: bytes, html: str) -> None:
    assert _html(body) == html


@pytest.mark.parametrize(
    ("head", "body", "html"),
    [
        (rb"\ansicpg932", rb"\'82\'a0", "あ"),
        (rb"\ansicpg1252{\fonttbl{\f0 A;}{\f1\fcharset128 M;}}", rb"{\f1 \'82}{\f1 \'a0}\'e9", "あé"),
        (
            rb"\ansicpg1252{\fonttbl{\f0 A;}{\f1\fcharset204 M;}}",
            rb"\f1 \'cf{\*\htmltag \'e9}\'cf\f0\'e9",
            "ПéПé",
        ),
        (rb"\ansicpg1252\deff1{\fonttbl{\f1\fcharset161 M;}}", rb"\plain \'e1", "α"),
        (rb"\ansicpg65001", rb"\'c3\'a9\'e2\'82\'ac", "é€"),
        (rb"\ansicpg99999", rb"\'e9", "é"),
        (rb"\mac", rb"\'8e", "é"),
        (rb"\ansicpg1252{\fonttbl{\f2\cpg1251 M;}}", rb"\f2\'cf", "П"),
        (rb"\ansicpg932", rb"\'82", "\ufffd"),
    ],
)
def test_character_sets(head: bytes, body: bytes, html: str) -> None:
    assert _html(body, head) == html


TABLE = '<table border="0" cellspacing="0" cellpadding="3">\r\n<tr>{}</tr>\r\n</table>\r\n'


@pytest.mark.parametrize(
    ("body", "html"),
    [
        (rb" a\par b", "<div>a</div>\r\n<div>b</div>"),
        (rb" a\par ", "<div>a</div>"),
        (rb" a\par\par b", "<div>a</div>\r\n<div>&nbsp;</div>\r\n<div>b</div>"),
        (rb"{\b bold {\i both}} none", "<div><b>bold </b><b><i>both</i></b> none</div>"),
        (rb"\ul u\ulnone\strike s\strike0 n", "<div><u>u</u><s>s</s>n</div>"),
        (rb"{\b a\par b}c", "<div><b>a</b></div>\r\n<div><b>b</b>c</div>"),
        (rb" a<b>&c", "<div>a&lt;b&gt;&amp;c</div>"),
        (rb"{\v hidden}shown", "<div>shown</div>"),
        (
            rb'{\field{\*\fldinst{HYPERLINK "http://x.example/?a&b"}}{\fldrslt{\ul link}}} x',
            '<div><a href="http://x.example/?a&amp;b"><u>link</u></a> x</div>',
        ),
        (rb'{\field{\*\fldinst{HYPERLINK "javascript:x"}}{\fldrslt y}}', "<div>y</div>"),
        (rb"{\field{\*\fldinst PAGE}{\fldrslt 1}}", "<div>1</div>"),
        (
            rb" 1\cell 2\cell\row 3",
            TABLE.format('<td valign="top">1</td><td valign="top">2</td>') + "<div>3</div>",
        ),
        (rb" a\line b", "<div>a<br>\r\nb</div>"),
    ],
)
def test_genuine_rtf_as_html(body: bytes, html: str) -> None:
    assert _rich(body) == html


@pytest.mark.parametrize("rtf", [b"", b"hello", b"{\\rt", b"{" * 10, b"\\rtf1"])
def test_what_is_no_rtf(rtf: bytes) -> None:
    with pytest.raises(ParseError):
        read(rtf)


@pytest.mark.parametrize(
    "rtf", [b"{\\rtf1", b"{\\rtf1}}}}a", b"{\\rtf1 \\", b"{\\rtf1\\bin99999999 x", b"{\\rtf1\\u", b"{\\rtf1\\'"]
)
def test_broken_rtf_is_read_as_far_as_it_goes(rtf: bytes) -> None:
    assert read(rtf).html is not None


def test_nesting_is_limited() -> None:
    with pytest.raises(ParseError, match="nest deeper"):
        read(b"{\\rtf1" + b"{" * 2000)


def test_time_grows_with_the_length_only() -> None:
    for piece in (
        rb"\u8364?",
        rb"{\b x}",
        rb"\'82",
        rb"{\field{\*\fldinst x}",
        b"{\\*\\x",
        b"\\par ",
        b"{\\fonttbl{\\f1}}",
    ):
        count = min(100_000, 900 if piece.count(b"{") > piece.count(b"}") else 100_000)
        assert read(b"{\\rtf1\\ansi" + piece * count).html is not None
