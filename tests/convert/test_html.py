"""HTML of mail: octets to string, the declared charset, and readable text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.convert.html import declare_utf8, decode, to_text


@pytest.mark.parametrize(
    ("raw", "code_page", "expected"),
    [
        (b"caf\xe9", 1252, "café"),
        (b"caf\xc3\xa9", 65001, "café"),
        (b"caf\xc3\xa9", 20127, "café"),
        (b"caf\xe9", 20127, "café"),
        (b"\x83\x65", 932, "テ"),
        (b"\xcf\xf0", 1251, "Пр"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", 1252, "café"),
        (b"\xff\xfea\0", 0, "a"),
        (b"\xfe\xff\0a", 0, "a"),
        (b"<meta charset=windows-1251>\xcf", 0, "<meta charset=windows-1251>П"),
        (b"<meta charset='x-nonsense'>\xc3\xa9", None, "<meta charset='x-nonsense'>é"),
        (b"<meta charset=hex>a", None, "<meta charset=hex>a"),
        (b"<meta charset=utf-16>a", None, "<meta charset=utf-16>a"),
        (b"caf\xe9", 99999, "café"),
        (b"", 1252, ""),
    ],
)
def test_decode(raw: bytes, code_page: int | None, expected: str) -> None:
    assert decode(raw, code_page) == expected


@given(st.binary(max_size=80), st.integers(0, 70000) | st.sampled_from([1200, 1201, 932, 65000, 65001, 50220]))
def test_any_octets_decode(raw: bytes, code_page: int) -> None:
    assert isinstance(decode(raw, code_page), str)


def test_every_meta_charset_becomes_utf8_and_nothing_else_changes() -> None:
    html = '<meta name=a content="charset"><META http-equiv="c" content="text/html; charset=koi8-r"><p>charset=x</p>'
    assert declare_utf8(html) == html.replace("koi8-r", "utf-8")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain", "plain\r\n"),
        ("<p>a</p><p>b</p>", "a\r\n\r\nb\r\n"),
        ("<div>a</div><div>b</div>", "a\r\nb\r\n"),
        ("a<br>b<BR/>c", "a\r\nb\r\nc\r\n"),
        ("a \n\t b&nbsp;&amp;&lt;&ouml;&#8364;", "a b &<ö€\r\n"),
        ("<b>W</b>ord <i>two</i>", "Word two\r\n"),
        ("<style>p{}</style><script>x<p></script><title>t</title>a", "a\r\n"),
        ("<style>never closed a", "never closed a\r\n"),
        ("<!-- c --><![if !mso]>a<![endif]><?xml x?>b", "ab\r\n"),
        ("<!-- never closed a", ""),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>d", "* a\r\n* b\r\n  * c\r\n\r\nd\r\n"),
        ("<ol><li>a</li><li>b</li></ol>", "1. a\r\n2. b\r\n"),
        ("<table><tr><td>1<td>2<tr><td>3</table>", "1\t2\r\n3\r\n"),
        (
            "a<blockquote>b<br>c<blockquote>d</blockquote></blockquote>e",
            "a\r\n\r\n> b\r\n> c\r\n>\r\n> > d\r\n\r\ne\r\n",
        ),
        ("<pre>a\n  b</pre>", "a\r\n  b\r\n"),
        ('<a href="https://x.example/a?b&amp;c">here</a>', "here <https://x.example/a?b&c>\r\n"),
        ("<a href=http://x.example/>x.example</a>", "x.example\r\n"),
        ("<a href='mailto:b@x.example'>b@x.example</a>", "b@x.example\r\n"),
        ("<a href='javascript:x'>y</a> <a href='#z'>z</a>", "y z\r\n"),
        ("<a href='http://x.example'></a>", ""),
        ("<img alt='a picture' src=x><img src=y>", "a picture\r\n"),
        ("a<img alt=''>b", "ab\r\n"),
        ("a<hr>b", "a\r\n\r\n" + "-" * 40 + "\r\n\r\nb\r\n"),
        ("a < b > c <3", "a < b > c <3\r\n"),
        ("<p title=it's>a</p><p title='>'>b</p>", "a\r\n\r\nb\r\n"),
        ("a<p", "a\r\n"),
        ("</p></ul></blockquote></pre></a>a", "a\r\n"),
        ("<p>&nbsp;</p><p>&nbsp;</p><p>&nbsp;</p><p>&nbsp;</p><p>a</p>", "a\r\n"),
    ],
)
def test_to_text(html: str, text: str) -> None:
    assert to_text(html) == text


@given(st.text(alphabet="<>/ab=\"' !-&;\n", max_size=60) | st.text(max_size=60))
def test_any_string_gives_text(html: str) -> None:
    assert isinstance(to_text(html), str)


@pytest.mark.parametrize(
    "piece",
    [
        "<div>",
        "<a href='",
        "<",
        "<!--",
        "<style>",
        '<a href="http://x">y</a>',
        "<blockquote>x",
        "&",
        "<a =",
        "<a b=c ",
        "<a b" + "b" * 50,
        "<pre>\n",
    ],
)
def test_time_grows_with_the_length_only(piece: str) -> None:
    def seconds(count: int) -> float:
        started = time.process_time()
        to_text(piece * count)
        return time.process_time() - started

    # Quadratic behaviour would take minutes here.
    assert seconds(100_000) < 10
