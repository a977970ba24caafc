"""Enriched text as HTML (RFC 1896, RFC 1341 7.1.3)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.convert.enriched import to_html
from gateway.convert.mime import from_mime
from gateway.mapi import proptags as pr


def body(text: str, *, old: bool = False) -> str:
    html = to_html(text, old=old)
    return html.removeprefix("<html><body>\r\n").removesuffix("\r\n</body></html>\r\n").replace("\r\n", "")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<bold>Now</bold> is <italic>the</italic> time", "<b>Now</b> is <i>the</i> time"),
        ("one\r\nline\r\n\r\nand\r\n\r\n\r\nmore", "one line<br>and<br><br>more"),
        ("a << b > c & d", "a &lt; b &gt; c &amp; d"),
        ("<color><param>red</param>r</color>", '<span style="color:red">r</span>'),
        ("<color><param>FFFF,0000,1234</param>r</color>", '<span style="color:#FF0012">r</span>'),
        ('<fontfamily><param>x";y</param>f</fontfamily>', '<span style="font-family:xy">f</span>'),
        ("<paraindent><param>left</param>i</paraindent>", '<div style="margin-left:2em">i</div>'),
        ("<nofill>a\r\n\r\n  b</nofill>", "<pre>a\n\n  b</pre>"),
        ("<bold><italic>a</bold>b</italic>", "<b><i>a</i></b>b"),
        ("<x-unknown>a</x-unknown></bold><excerpt>b", "a<blockquote>b</blockquote>"),
        ("a < b <", "a &lt; b &lt;"),
        ("<param>never closed", ""),
    ],
)
def test_enriched(text: str, html: str) -> None:
    assert body(text) == html


def test_richtext() -> None:
    assert body("a\r\n\r\nb<nl>c<lt>d<comment>no</comment><np>", old=True) == "a b<br>c&lt;d<hr>"


def test_a_mail_of_nothing_else_is_shown() -> None:
    content = from_mime(
        b"Content-Type: text/enriched; charset=iso-8859-1\r\n\r\n<bold>Gr\xfc\xdfe</bold>\r\n\r\nAnn\r\n"
    )
    assert (
        content.props[pr.PR_HTML].decode() == "<html><body>\r\n<b>Grüße</b><br>\r\nAnn \r\n</body></html>\r\n"
    )
    assert content.props[pr.PR_BODY] == "Grüße\r\nAnn\r\n"
    assert content.attachments == []


def test_beside_another_form_it_stays_a_hidden_attachment() -> None:
    content = from_mime(
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n"
        b"--b\r\nContent-Type: text/enriched\r\n\r\n<bold>rich</bold>\r\n--b--\r\n"
    )
    assert content.props[pr.PR_BODY] == "plain"
    assert pr.PR_HTML not in content.props
    assert [each.props[pr.PR_ATTACHMENT_HIDDEN] for each in content.attachments] == [True]


@given(
    st.lists(
        st.sampled_from(["<", ">", "</", "<bold>", "</bold>", "<param>", "</param>", "<color>", "\n", "a"])
    ).map("".join),
    st.booleans(),
)
def test_any_text_gives_html(text: str, old: bool) -> None:
    assert len(to_html(text, old=old)) <= 100 + 40 * len(text)


@pytest.mark.parametrize(
    "piece", ["<bold>", "</bold>", "<", "<param>", "<color><param>a</param>", "\n", "<nofill>\n", "<<"]
)
def test_time_grows_with_the_length_only(piece: str) -> None:
    began = time.process_time()
    to_html(piece * 50_000)
    assert time.process_time() - began < 10
