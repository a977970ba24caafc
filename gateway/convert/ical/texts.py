"""What people read of an item: subject, description, place, categories, links; both ways.

A body in HTML survives a client that knows plain text only, as long as that does not change the text.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.convert.html import decode, to_text
from gateway.convert.ical import propids as ids
from gateway.convert.ical.blocks import Block, text_value
from gateway.convert.ical.values import number, octets, text
from gateway.convert.lines import Component, Line, texts
from gateway.mapi import proptags as pt
from gateway.mapi.propnames import KEYWORDS
from gateway.mapi.props import PT_MV_STRING8, NamedProps, NamedTag

_KEYWORDS_8: Final = NamedTag(KEYWORDS.name, PT_MV_STRING8)
_BLANKS: Final = re.compile(r"\s+")
_BREAKS: Final = re.compile(r"\r\n|\r|\n")
_UTF8: Final = 65001
#: What makes up a body; it is replaced as a whole.
_BODY: Final = (
    pt.PR_BODY,
    pt.PR_HTML,
    pt.PR_BODY_HTML,
    pt.PR_RTF_COMPRESSED,
    pt.PR_RTF_IN_SYNC,
    pt.PR_INTERNET_CPID,
    pt.PR_NATIVE_BODY_INFO,
)


def body_text(props: NamedProps) -> str:
    """The description of an item, from its HTML when there is no plain text."""
    plain = text(props, pt.PR_BODY)
    if plain:
        return plain
    html = octets(props, pt.PR_HTML)
    return to_text(decode(html, number(props, pt.PR_INTERNET_CPID))) if html else ""


def categories(props: NamedProps) -> tuple[str, ...]:
    """The categories of an item."""
    found = props.get(KEYWORDS) or props.get(_KEYWORDS_8) or ()
    return tuple(word for word in found if isinstance(word, str) and word.strip())


# Writing


def write_texts(block: Block, props: NamedProps, *, html: bool = False) -> None:
    """SUMMARY, DESCRIPTION, LOCATION, CATEGORIES, URL and CONTACT."""
    block.text("SUMMARY", text(props, pt.PR_SUBJECT))
    if body := body_text(props).rstrip():
        block.text("DESCRIPTION", body)
    if html and (marked := octets(props, pt.PR_HTML)):
        value = text_value(decode(marked, number(props, pt.PR_INTERNET_CPID)))
        block.lines.append(f"X-ALT-DESC;FMTTYPE=text/html:{value}")
    if place := text(props, ids.LOCATION) or text(props, ids.WHERE):
        _write_location(block, place, text(props, ids.LOCATION_URL))
    if words := categories(props):
        block.lines.append("CATEGORIES:" + ",".join(map(text_value, words)))
    if url := text(props, ids.URL):
        block.raw("URL", url)
    for name in props.get(ids.CONTACTS) or ():
        block.text("CONTACT", name)


def _write_location(block: Block, place: str, url: str) -> None:
    if url and '"' not in url and url.isprintable():
        block.lines.append(f'LOCATION;ALTREP="{url}":{text_value(place)}')
    else:
        block.text("LOCATION", place)


# Reading


def read_texts(component: Component, props: NamedProps) -> None:
    """Set the same properties from a component; what it does not have is removed, as its client sees none."""
    _set_subject(props, " ".join(_BREAKS.split(component.text("SUMMARY") or "")).strip())
    read_body(component, props)
    _read_location(component.first("LOCATION"), props)
    read_categories(component, props)
    line = component.first("URL")
    _set(props, ids.URL, line.value.strip() if line is not None else "")
    names = tuple(filter(None, (line.text.strip() for line in component.all("CONTACT"))))
    if names:
        props[ids.CONTACTS] = names
    else:
        props.pop(ids.CONTACTS, None)


def _set(props: NamedProps, key: int, value: str) -> None:
    if value:
        props[key] = value
    else:
        props.pop(key, None)


def _set_subject(props: NamedProps, subject: str) -> None:
    if props.get(pt.PR_SUBJECT) == subject:
        return
    props[pt.PR_SUBJECT] = subject
    props[pt.PR_CONVERSATION_TOPIC] = subject
    props.pop(pt.PR_SUBJECT_PREFIX, None)
    if pt.PR_NORMALIZED_SUBJECT in props:
        props[pt.PR_NORMALIZED_SUBJECT] = subject


def description(component: Component, name: str = "DESCRIPTION") -> str:
    """The text of a component, without the blank end that some clients add."""
    return (component.text(name) or "").rstrip()


def read_body(component: Component, props: NamedProps, name: str = "DESCRIPTION") -> None:
    """Set the body if it has changed; then HTML that the component does not bring is gone."""
    plain = description(component, name)
    marked = component.first("X-ALT-DESC")
    html = marked.text if marked is not None and "html" in marked.param("FMTTYPE", "html").lower() else ""
    stored = octets(props, pt.PR_HTML)
    before = decode(stored, number(props, pt.PR_INTERNET_CPID)) if stored else ""
    same_text = squeezed(body_text(props)) == squeezed(plain)
    if same_text and (not html or _lines(html) == _lines(before)):
        return
    if not same_text and html and _lines(html) == _lines(before):
        html = ""  # given back by a client that changed the plain text only
    for key in _BODY:
        props.pop(key, None)
    if plain:
        props[pt.PR_BODY] = "\r\n".join(_BREAKS.split(plain))
    if html:
        props[pt.PR_HTML] = html.encode("utf-8", "replace")
        props[pt.PR_INTERNET_CPID] = _UTF8


def _lines(html: str) -> str:
    return _BREAKS.sub("\n", html).strip()


def squeezed(value: str) -> str:
    """Text by which bodies are compared: without what clients do to blanks."""
    return _BLANKS.sub(" ", text_value(value).replace("\\n", " ")).strip()


def _read_location(line: Line | None, props: NamedProps) -> None:
    place = line.text.strip() if line is not None else ""
    if place != (text(props, ids.LOCATION) or text(props, ids.WHERE)):
        _set(props, ids.LOCATION, place)
        _set(props, ids.WHERE, place)
    url = line.param("ALTREP") if line is not None and place else ""
    if url:
        props[ids.LOCATION_URL] = url
    else:
        props.pop(ids.LOCATION_URL, None)


def read_categories(component: Component, props: NamedProps) -> None:
    """Set the categories of all lines together, each once."""
    words: dict[str, str] = {}
    for line in component.all("CATEGORIES"):
        for word in texts(line.value):
            if word.strip():
                words.setdefault(word.strip().casefold(), word.strip())
    found = tuple(words.values())
    if found == categories(props):
        return
    props.pop(_KEYWORDS_8, None)
    if found:
        props[KEYWORDS] = found
    else:
        props.pop(KEYWORDS, None)
