"""Genuine RTF, as Outlook and Word write it, as HTML that mail clients show (RTF 1.9.1)."""

from __future__ import annotations

import time

import pytest

from gateway.convert import rtf
from gateway.convert.html import to_text
from gateway.convert.mime import from_mime, to_mime
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent

HEAD = (
    rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Calibri;}{\f1\froman Times New Roman{\*\falt X};}"
    rb"{\f2\fnil\fcharset2 Wingdings;}{\f3\fcharset2 Symbol;}{\f4\fcharset204 A'\"<b>;}}"
    rb"{\colortbl;\red255\green0\blue0;\red0\green0\blue255;}{\stylesheet{\s0 Normal;}}\f0\fs22 "
)
BODY = "<html><body style=\"font-family:'Calibri';font-size:11pt\">\r\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def shown(body: bytes) -> str:
    """The HTML of a document with the fonts and colours of HEAD, without what is around its paragraphs."""
    found = rtf.read(HEAD + body + b"}").html
    assert found is not None
    return found.removeprefix(BODY).removesuffix("</body></html>\r\n").replace("\r\n", "")


def pictures(body: bytes) -> tuple[rtf.Picture, ...]:
    return rtf.read(HEAD + body + b"}").pictures


@pytest.mark.parametrize(
    ("body", "html"),
    [
        (rb"a\cf1 b\cf0 c", '<div>a<span style="color:#ff0000">b</span>c</div>'),
        (
            rb"a{\f1\fs28 b}",
            "<div>a<span style=\"font-family:'Times New Roman';font-size:14pt\">b</span></div>",
        ),
        (rb"a{\highlight2 b}", '<div>a<span style="background-color:#0000ff">b</span></div>'),
        (rb"a\cf99 b\fs0 c\fs99999 d", '<div>ab<span style="font-size:12pt">cd</span></div>'),
        (rb"a{\f4\'cf}", "<div>a<span style=\"font-family:'Ab'\">П</span></div>"),
        (rb"H{\sub 2}O x\super 2\nosupersub y", "<div>H<sub>2</sub>O x<sup>2</sup>y</div>"),
        (rb"a{\caps b}", '<div>a<span style="text-transform:uppercase">b</span></div>'),
        (rb"\ulw a\ulnone{\striked1 b}\strike0 c", "<div><u>a</u><s>b</s>c</div>"),
        (rb"a{\b\f1 b\plain c}d", "<div>a<b><span"),
    ],
    ids=["color", "font", "background", "unknown", "charset", "shifts", "capitals", "lines", "plain"],
)
def test_characters(body: bytes, html: str) -> None:
    if html.endswith("span"):  # plain is the default font in the default size
        assert '<span style="font-size:12pt">c</span>d</div>' in shown(body)
    else:
        assert shown(body) == html


@pytest.mark.parametrize(
    ("body", "html"),
    [
        (rb"a\par\pard\qc b\par\pard c", '<div>a</div><div style="text-align:center">b</div><div>c</div>'),
        (rb"\li720\fi-360\sb120 a", '<div style="margin-left:36pt;text-indent:-18pt;margin-top:6pt">a</div>'),
        (rb"\rtlpar a", '<div dir="rtl">a</div>'),
        (rb"a   b\tab c", "<div>a\xa0\xa0 b\u2003c</div>"),
        (rb"\li999999999 a", '<div style="margin-left:500pt">a</div>'),
        (rb"a{\footnote b}{\header c}{\*\atnid d}{\deleted e}", "<div>a[b]</div>"),
        (rb"{\pard\qr a\par}b", '<div style="text-align:right">a</div><div>b</div>'),
    ],
    ids=["aligned", "indented", "right-to-left", "blanks", "far", "aside", "grouped"],
)
def test_paragraphs(body: bytes, html: str) -> None:
    assert shown(body) == html


BULLET, DISC = rb"{\pntext\f3\'B7\tab}", rb"{\listtext\f2\'A7\tab}"


@pytest.mark.parametrize(
    ("body", "html"),
    [
        (BULLET + rb"a\par" + DISC + rb"b\par\pard c", "<ul><li>a</li><li>b</li></ul><div>c</div>"),
        (rb"{\listtext 1.\tab}a\par{\listtext 2.\tab}b", "<ol><li>a</li><li>b</li></ol>"),
        (rb"{\listtext 4)\tab}a", '<ol start="4"><li>a</li></ol>'),
        (rb"{\listtext 1.}a\par{\listtext 1.}b", "<ol><li>a</li></ol><ol><li>b</li></ol>"),
        (rb"{\listtext h)}a\par{\listtext i)}b", '<ol type="a" start="8"><li>a</li><li>b</li></ol>'),
        (rb"{\listtext iii.}a\par{\listtext iv.}b", '<ol type="i" start="3"><li>a</li><li>b</li></ol>'),
        (rb"{\listtext A.}a", '<ol type="A"><li>a</li></ol>'),
        (rb"{\listtext 1.2.\tab}a\par b", "<div>1.2. a</div><div>b</div>"),
        (
            BULLET + rb"a\par\ilvl1{\listtext 1.}b\par\ilvl0" + BULLET + rb"c",
            "<ul><li>a</li><ol><li>b</li></ol><li>c</li></ul>",
        ),
    ],
    ids=["bullets", "numbers", "later", "again", "letters", "roman", "capitals", "sections", "nested"],
)
def test_lists(body: bytes, html: str) -> None:
    assert shown(body) == html


def row(*cells: bytes, look: bytes = b"") -> bytes:
    edges = b"".join(look + rb"\cellx%d" % (1500 * (place + 1)) for place in range(len(cells)))
    return rb"\trowd" + edges + rb"\pard\intbl " + b"".join(cell + rb"\cell " for cell in cells) + rb"\row"


def table(*rows: str, border: int = 0) -> str:
    inner = "".join(f"<tr>{each}</tr>" for each in rows)
    return f'<table border="{border}" cellspacing="0" cellpadding="3">{inner}</table>'


def cell(text: str, more: str = ' width="100"') -> str:
    return f'<td valign="top"{more}>{text}</td>'


@pytest.mark.parametrize(
    ("body", "html"),
    [
        (
            row(b"a", rb"\b b\b0") + row(b"c", b"") + rb"\pard d",
            table(cell("a") + cell("<b>b</b>"), cell("c") + cell("&nbsp;")) + "<div>d</div>",
        ),
        (
            row(b"a", look=rb"\clbrdrt\brdrs\clcbpat1"),
            table(cell("a", ' width="100" bgcolor="#ff0000"'), border=1),
        ),
        (row(rb"a\par b"), table(cell("<div>a</div><div>b</div>"))),
        (row(BULLET + rb"a"), table(cell("<ul><li>a</li></ul>"))),
        (
            rb"\trowd\clmgf\cellx1500\clmrg\cellx3000\pard\intbl a\cell\cell\row",
            table(cell("a", ' colspan="2" width="200"')),
        ),
        (
            rb"\pard\intbl a\nestcell b\nestrow{\nonesttables\par}c\cell\row",
            table(cell("<div>a\u2003b</div><div>c</div>", "")),
        ),
        (rb"\trowd\cellx1500\pard\intbl a\par", table(cell("<div>a</div>"))),
    ],
    ids=["rows", "looks", "paragraphs", "list", "joined", "nested", "cut-short"],
)
def test_tables(body: bytes, html: str) -> None:
    assert shown(body) == html


@pytest.mark.parametrize(
    ("body", "html"),
    [
        (
            rb'x{\field{\*\fldinst{HYPERLINK "http://x.example/?a&b"}}{\fldrslt{\cf2 a \b b}}}c',
            '<div>x<a href="http://x.example/?a&amp;b">{}<b>b</b>{}</a>c</div>',
        ),
        (
            rb'{\field{\*\fldinst HYPERLINK "mailto:a@x"  \\o "tip"}{\fldrslt a}}',
            '<div><a href="mailto:a@x">a</a></div>',
        ),
        (rb'{\field{\*\fldinst HYPERLINK \\l "place"}{\fldrslt a}}', "<div>a</div>"),
        (rb'{\field{\*\fldinst SYMBOL 74 \\f "Wingdings" \\s 11}{\fldrslt\f2 J}}', "<div>\u263a</div>"),
        (rb"{\f2 \'FC}{\f3 \'61}{\f2\u-3844 ?}", "<div>\u2713\u03b1\u2713</div>"),
        (rb"{\field{\*\fldinst PAGE}{\fldrslt 1}}{\field{\fldrslt 2}}", "<div>12</div>"),
    ],
    ids=["link", "mail", "anchor", "smiley", "symbols", "other"],
)
def test_fields_and_symbols(body: bytes, html: str) -> None:
    expected = html.format('<span style="color:#0000ff">a </span><span style="color:#0000ff">', "</span>")
    assert shown(body) == expected


def hexed(kind: bytes, data: bytes, more: bytes = b"") -> bytes:
    return rb"{\*\shppict{\pict\%b%b " % (kind, more) + data.hex("\n", 40).encode() + b"}}"


def test_a_picture() -> None:
    body = hexed(b"pngblip", PNG, rb"\picwgoal300\pichgoal150\picscalex200")
    (found,) = pictures(body + rb"{\nonshppict{\pict\wmetafile8 0102}}")
    assert (found.data, found.media_type, found.name) == (PNG, "image/png", "picture1.png")
    assert shown(body) == f'<div><img src="cid:{found.content_id}" alt="" width="40" height="10"></div>'


def test_binary_data_and_results_of_objects() -> None:
    data = b"\xff\xd8{}\\'"
    body = rb"{\object\objemb{\*\objdata 0105}{\result {\pict\jpegblip\bin%d %b}a}}b" % (len(data), data)
    (found,) = pictures(body)
    assert (found.data, found.media_type) == (data, "image/jpeg")
    assert shown(body).endswith(">ab</div>")


def test_a_bitmap_gets_the_head_of_a_file() -> None:
    bitmap = (40).to_bytes(4, "little") + bytes(10) + (8).to_bytes(2, "little") + bytes(24)
    (found,) = pictures(hexed(b"dibitmap0", bitmap))
    assert found.data[:2] == b"BM"
    assert found.data[2:6] == (54).to_bytes(4, "little")
    assert found.data[10:14] == (54 + 4 * 256).to_bytes(4, "little")


@pytest.mark.parametrize(
    "body", [rb"{\pict\pngblip}", rb"{\pict 0102}", rb"{\pict\pngblip zz}", rb"{\v{\pict\pngblip 01}}"]
)
def test_what_is_no_picture(body: bytes) -> None:
    assert pictures(body) == ()


def test_a_metafile_gets_the_head_of_a_file() -> None:
    (found,) = pictures(hexed(b"wmetafile8", b"\1\0\t\0", rb"\picwgoal1440\pichgoal720"))
    assert found.data[:4] == b"\xd7\xcd\xc6\x9a"
    assert found.data[22:] == b"\1\0\t\0"


def test_a_mail_shows_the_pictures() -> None:
    blob = rtf.stored(HEAD + b"Look: " + hexed(b"pngblip", PNG) + b"}")
    content = MessageContent({pt.PR_RTF_COMPRESSED: blob, pt.PR_RTF_IN_SYNC: True, pt.PR_SUBJECT: "s"})
    made = to_mime(content).bytes()
    assert to_mime(content).size == len(made)
    back = from_mime(made)
    (picture,) = back.attachments
    assert (picture.data, picture.props[pt.PR_ATTACHMENT_HIDDEN]) == (PNG, True)
    assert f"cid:{picture.props[pt.PR_ATTACH_CONTENT_ID]}".encode() in back.props[pt.PR_HTML]
    assert back.props[pt.PR_BODY] == "Look:\r\n"


def test_the_text_of_it_reads_well() -> None:
    body = (
        rb"Dear all,\par\par"
        + BULLET
        + rb"one\par"
        + BULLET
        + rb"two\par\pard"
        + row(b"a", b"b")
        + rb"\pard Bye"
    )
    html = rtf.read(HEAD + body + b"}").html
    assert to_text(html or "") == "Dear all,\r\n\r\n\r\n* one\r\n* two\r\n\r\na\tb\r\n\r\nBye\r\n"


@pytest.mark.parametrize(
    "piece",
    [
        rb"\b a\b0 b",
        rb"\f1 a\f0 b",
        rb"\par ",
        rb"\cell ",
        rb"\intbl\par",
        rb"{\pntext 1.}\par",
        rb"\cellx1 ",
        rb"{\pict\pngblip 00}",
    ],
)
def test_length_and_time_are_bounded(piece: bytes) -> None:
    link = rb'{\field{\*\fldinst HYPERLINK "http://x/' + b"a" * 1900 + rb'"}{\fldrslt '
    data = HEAD + link + piece * 20_000 + b"}}}"
    began = time.process_time()
    html = rtf.read(data).html or ""
    assert len(html) < 150 * len(data)
    assert time.process_time() - began < 10
