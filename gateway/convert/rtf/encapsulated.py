"""HTML and plain text that travel inside RTF (MS-OXRTFEX 2.1, 3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.convert.rtf.events import Event, Kind, events

_WANTED: Final = frozenset({"htmltag"})
#: Control words and symbols that stand for a character, in text.
CHARACTERS: Final = {
    "par": "\r\n", "line": "\r\n", "sect": "\r\n", "page": "\r\n", "tab": "\t", "cell": "\t", "row": "\r\n",
    "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c", "rdblquote": "\u201d", "bullet": "\u2022",
    "endash": "\u2013", "emdash": "\u2014", "emspace": "\u2003", "enspace": "\u2002", "~": "\xa0",
    "_": "\u2011",
}  # fmt: skip
_IN_TAG: Final = {"par": "\r\n", "line": "\r\n", "tab": "\t"}
_IN_HTML: Final = CHARACTERS | {"~": "&nbsp;", "_": "&shy;"}


def html_of(rtf: bytes) -> str:
    """The HTML that the RTF was made from (ParseError when it is not RTF)."""
    return "".join(_content(events(rtf, _WANTED), _IN_HTML))


def text_of(rtf: bytes) -> str:
    """The text of RTF that was made from plain text (ParseError when it is not RTF)."""
    return "".join(_content(events(rtf), CHARACTERS))


def _content(stream: Iterator[Event], characters: dict[str, str]) -> Iterator[str]:
    """What is in htmltag groups and, outside them, what is not between htmlrtf and htmlrtf0."""
    for_rtf = False
    in_tag = False
    stack: list[tuple[bool, bool]] = []
    for kind, name, parameter in stream:
        if kind is Kind.OPEN:
            stack.append((for_rtf, in_tag))
        elif kind is Kind.CLOSE:
            for_rtf, in_tag = stack.pop() if stack else (False, False)
        elif kind is Kind.DESTINATION:
            in_tag = True
        elif kind is Kind.WORD and name == "htmlrtf":
            for_rtf = parameter != 0
        elif not for_rtf:
            yield name if kind is Kind.TEXT else (_IN_TAG if in_tag else characters).get(name, "")
