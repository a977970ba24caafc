"""Which of a message's bodies is the real one, and what a mail shows of it (MS-OXBBODY 3.1, MS-OXCMAIL 2.1.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.convert import html as html_text
from gateway.convert import rtf
from gateway.convert.errors import ParseError
from gateway.convert.mime.tomime_values import binary, flag, number, text
from gateway.mapi import proptags as pt
from gateway.mapi.props import NamedProps

_NATIVE_PLAIN = 1
_NATIVE_RTF = 2
_NATIVE_HTML = 3


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a mail: text, and HTML when the message has more than text."""

    plain: str
    html: str | None = None
    pictures: tuple[rtf.Picture, ...] = ()
    """What the HTML shows and the message has no attachments for: it comes from RTF."""


def body_of(props: NamedProps) -> Body:
    """The body: the native one where the message says which it is, else RTF that is in sync, else HTML."""
    plain = text(props, pt.PR_BODY)
    html = _html(props)
    native = number(props, pt.PR_NATIVE_BODY_INFO)
    compressed = binary(props, pt.PR_RTF_COMPRESSED)
    if native == _NATIVE_PLAIN and plain is not None:
        return Body(plain)
    by_html = native == _NATIVE_HTML and html is not None
    wants_rtf = flag(props, pt.PR_RTF_IN_SYNC) or native == _NATIVE_RTF or (plain is None and html is None)
    if compressed and wants_rtf and not by_html:
        found = _from_rtf(compressed, plain, html)
        if found is not None:
            return found
    return _with_html(html, plain) if html is not None else Body(plain or "")


def _html(props: NamedProps) -> str | None:
    """PR_HTML as a string, in either of its types; empty HTML is none."""
    raw = binary(props, pt.PR_HTML)
    if raw:
        return html_text.decode(raw, number(props, pt.PR_INTERNET_CPID))
    return text(props, pt.PR_BODY_HTML) or None


def _from_rtf(compressed: bytes, plain: str | None, html: str | None) -> Body | None:
    """The body by its RTF; a form that the store made from it already is taken. None when it is unreadable."""
    try:
        origin = rtf.origin_of_compressed(compressed)
        if origin is rtf.Origin.TEXT and plain is not None:
            return Body(plain)
        if origin is not rtf.Origin.TEXT and html is not None:
            return _with_html(html, plain)
        body = rtf.read(rtf.decompress(compressed))
    except ParseError:
        return None
    if body.html is None:
        return Body(body.text or "")
    return replace(_with_html(body.html, plain), pictures=body.pictures)


def _with_html(html: str, plain: str | None) -> Body:
    return Body(plain or html_text.to_text(html), html_text.declare_utf8(html))
