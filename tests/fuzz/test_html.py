"""Fuzz: HTML. Any string gives text, any octets give HTML."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.convert.html import declare_utf8, decode, to_text

TOKENS = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<div>",
        "<a",
        "href=",
        "<a\thref='http://x'>",
        "</a>",
        "<ul>",
        "<ol>",
        "<li>",
        "</ul>",
        "<pre>",
        "</pre>",
        "<blockquote>",
        "</blockquote>",
        "<td>",
        "<br>",
        "<style>",
        "</style>",
        "<!--",
        "-->",
        "<!",
        "<?",
        "</",
        "<",
        ">",
        "&",
        "&amp;",
        "&#0;",
        "&#xFFFFFFFF;",
        "&nbsp",
        "'",
        '"',
        "=",
        "<meta",
        "charset=",
        "<img\talt=x>",
        "<hr>",
    ]
)
DOCUMENTS = st.lists(TOKENS | st.text(max_size=5), max_size=80).map("".join)


@settings(deadline=None)
@given(DOCUMENTS | st.text())
def test_any_string_gives_text(html: str) -> None:
    # Lists indent and quotes prefix every line, nine levels of either at most.
    assert len(to_text(html)) <= 60 * (len(html) + 1)
    assert isinstance(declare_utf8(html), str)


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 66000))
def test_any_octets_give_html(raw: bytes, code_page: int) -> None:
    decode(raw, code_page).encode("utf-8", "surrogatepass")
