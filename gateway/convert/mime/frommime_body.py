"""The body: PR_BODY, PR_HTML with its code page, and which of them is the original (MS-OXCMAIL 2.2.3.3).

HTML stays as it came whenever its charset has a Windows code page and every byte of it is legal there;
otherwise it is recoded to UTF-8. Several texts of one message are joined into one document.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final, NamedTuple

from gateway.convert import enriched
from gateway.convert.codepages import UTF_8
from gateway.convert.htmltext import to_text
from gateway.convert.mime.charsets import clean, code_page, codec_of, decode_as
from gateway.convert.mime.frommime_parts import MARKED, Contents
from gateway.convert.mime.structure import Part
from gateway.convert.mime.transfer import decoded
from gateway.mapi import proptags as pr
from gateway.mapi.props import NamedProps

_ASCII: Final = 20127
_NATIVE_PLAIN: Final = 1
_NATIVE_HTML: Final = 3
_META: Final = re.compile(
    rb"""<meta\b[^>]{0,1000}?charset\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:-]{1,64})""", re.IGNORECASE
)
_META_REACH: Final = 16384
_BODY_BEGIN: Final = re.compile(r"<body\b[^>]*+>", re.IGNORECASE)
_BODY_END: Final = re.compile(r"</body\b", re.IGNORECASE)


class Html(NamedTuple):
    """HTML as it is stored, and as text."""

    raw: bytes
    page: int
    text: str


def body_props(contents: Contents, default: str) -> tuple[NamedProps, str]:
    """The body properties, and the HTML as text (empty when there is none)."""
    if not contents.text and not contents.html:
        return {}, ""
    if not contents.has_html:
        return _plain_props([_plain(part, default) for part in contents.text]), ""
    html = {part: html_of(part, default) for part in contents.html if part.subtype != b"plain"}
    whole = _document(contents.html, html, default)
    texts = [_as_text(part, html, default) for part in contents.text]
    return {
        pr.PR_BODY: _joined(texts),
        pr.PR_HTML: whole.raw,
        pr.PR_INTERNET_CPID: whole.page,
        pr.PR_NATIVE_BODY_INFO: _NATIVE_HTML,
    }, whole.text


def _plain_props(texts: list[tuple[str, int]]) -> NamedProps:
    """The properties of a body without HTML."""
    pages = {page for text, page in texts if text} or {_ASCII}
    return {
        pr.PR_BODY: _joined([text for text, _ in texts]),
        pr.PR_INTERNET_CPID: pages.pop() if len(pages) == 1 else UTF_8,
        pr.PR_NATIVE_BODY_INFO: _NATIVE_PLAIN,
    }


def _as_text(part: Part, html: dict[Part, Html], default: str) -> str:
    if part.subtype == b"plain":
        return _plain(part, default)[0]
    return to_text(html[part].text if part in html else html_of(part, default).text)


def _joined(texts: list[str]) -> str:
    """Texts one after the other, each beginning on a line of its own."""
    result = ""
    for text in texts:
        if result and text and not result.endswith("\n"):
            result += "\r\n"
        result += text
    return result


def _plain(part: Part, default: str) -> tuple[str, int]:
    """A plain text and the code page it came in."""
    charset = part.parameter(b"charset")
    text, codec = decode_as(
        decoded(part.body_bytes, part.encoding), codec_of(charset) if charset else None, default
    )
    return text, code_page(codec) or UTF_8


def html_of(part: Part, default: str) -> Html:
    """An HTML part; the declared charset counts before the one in the document, both before a guess.

    Enriched text becomes HTML here.
    """
    if part.subtype in MARKED:
        text = enriched.to_html(_plain(part, default)[0], old=part.subtype == b"richtext")
        return Html(text.encode("utf-8"), UTF_8, text)
    raw = decoded(part.body_bytes, part.encoding)
    charset = part.parameter(b"charset")
    candidates = [
        codec for codec in (charset and codec_of(charset), _meta_codec(raw)) if codec and codec != "ascii"
    ]
    for codec in candidates:
        try:
            return _html(raw, raw.decode(codec), codec)
        except (UnicodeError, ValueError):
            continue
    text, codec = decode_as(raw, candidates[0] if candidates else None, default)
    if "\ufffd" in text:
        return Html(text.encode("utf-8"), UTF_8, text)
    return _html(raw, text, codec)


def _html(raw: bytes, text: str, codec: str) -> Html:
    """HTML decoded without loss: kept as it is if there is a code page for it."""
    if codec == "iso8859-1" and not raw.isascii():
        text, codec = decode_as(raw, codec)
    page = code_page(codec)
    if page is None or b"\0" in raw:
        text = clean(text)
        return Html(text.encode("utf-8"), UTF_8, text)
    return Html(raw, page, text)


def _meta_codec(raw: bytes) -> str | None:
    """The codec a meta element names; UTF-16 could not have said so (HTML Living Standard 13.2.3.2)."""
    match = _META.search(raw, 0, _META_REACH)
    codec = codec_of(match[1]) if match else None
    return None if codec is not None and codec.startswith(("utf-16", "utf-32", "utf-7")) else codec


def _document(parts: list[Part], html: dict[Part, Html], default: str) -> Html:
    """One document of all parts: the first HTML, what is before and after it put inside its body."""
    if len(parts) == 1:
        return html[parts[0]]
    first = next(index for index, part in enumerate(parts) if part in html)
    before = "".join(_fragment(part, html, default) for part in parts[:first])
    after = "".join(_fragment(part, html, default) for part in parts[first + 1 :])
    text = html[parts[first]].text
    begin = _BODY_BEGIN.search(text)
    start = begin.end() if begin else 0
    ends = list(_BODY_END.finditer(text, start))
    end = ends[-1].start() if ends else len(text)
    text = text[:start] + before + text[start:end] + after + text[end:]
    return Html(text.encode("utf-8"), UTF_8, text)


def _fragment(part: Part, html: dict[Part, Html], default: str) -> str:
    """A part as HTML that can stand inside another document's body."""
    if part not in html:
        text = escape(_plain(part, default)[0], quote=False)
        return f'<div style="white-space: pre-wrap">{text}</div>\r\n'
    text = html[part].text
    begin = _BODY_BEGIN.search(text)
    start = begin.end() if begin else 0
    end = _BODY_END.search(text, start)
    return f"<div>{text[start : end.start() if end else len(text)]}</div>\r\n"
