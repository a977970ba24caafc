"""Genuine RTF as simple HTML: paragraphs, character styles, links, tables as tabbed lines (RTF 1.9.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Final, NamedTuple

from gateway.convert.rtf.encapsulated import CHARACTERS
from gateway.convert.rtf.events import Event, Kind, events

_WANTED: Final = frozenset({"fldinst"})
_LINK: Final = re.compile(r'HYPERLINK\s+(?:\\\S+\s+)*"?([^"\s]{1,2000})"?', re.IGNORECASE)
_SAFE: Final = ("http://", "https://", "ftp://", "mailto:")
_LINE_ENDS: Final = {"par": "</p>\r\n<p>", "sect": "</p>\r\n<p>", "row": "</p>\r\n<p>", "page": "</p>\r\n<p>"}
_HIDDEN: Final = frozenset({"v", "deleted"})


class _Style(NamedTuple):
    """How characters look; a group restores what was before it."""

    bold: bool = False
    italic: bool = False
    underlined: bool = False
    struck: bool = False
    hidden: bool = False
    link: str = ""
    instruction: bool = False
    """Whether this is a field's instruction, not its text."""

    def opening(self) -> str:
        """The tags that begin this style."""
        tags = [f'<a href="{escape(self.link)}">'] if self.link else []
        tags += [f"<{tag}>" for on, tag in zip(self[:4], "bius", strict=True) if on]
        return "".join(tags)

    def closing(self) -> str:
        """The tags that end it, in reverse."""
        tags = [f"</{tag}>" for on, tag in zip(self[:4], "bius", strict=True) if on]
        return "".join(reversed(tags)) + ("</a>" if self.link else "")


_FIELDS: Final = {"b": "bold", "i": "italic", "ul": "underlined", "strike": "struck"}


def html_from_rich(rtf: bytes) -> str:
    """The document as HTML (ParseError when it is not RTF)."""
    # The last paragraph is ended like the others: nothing follows it.
    body = "".join(_Writer().write(events(rtf, _WANTED))).removesuffix(_LINE_ENDS["par"])
    return f"<html><body>\r\n<p>{body}</p>\r\n</body></html>\r\n".replace("<p></p>", "<p>&nbsp;</p>")


class _Writer:
    def __init__(self) -> None:
        self._style = _Style()
        self._shown = _Style()
        """The style whose tags are open."""
        self._stack: list[_Style] = []
        self._instruction: list[str] = []
        self._links: list[str] = []

    def write(self, stream: Iterator[Event]) -> Iterator[str]:
        for event in stream:
            if event.kind is Kind.OPEN:
                self._stack.append(self._style)
            elif event.kind is Kind.CLOSE:
                self._close()
            elif event.kind is Kind.DESTINATION:
                self._style = self._style._replace(instruction=True)
                self._instruction = []
            elif event.kind is Kind.TEXT:
                yield from self._text(event.name)
            else:
                yield from self._word(event.name, event.parameter)
        yield self._shown.closing()

    def _close(self) -> None:
        before = self._stack.pop() if self._stack else _Style()
        if self._style.instruction and not before.instruction:
            match = _LINK.search("".join(self._instruction))
            target = match[1] if match else ""
            self._links.append(target if target.lower().startswith(_SAFE) else "")
        self._style = before

    def _text(self, text: str) -> Iterator[str]:
        if self._style.instruction:
            self._instruction.append(text)
        elif not self._style.hidden:
            yield from self._change()
            yield escape(text, quote=False)

    def _change(self) -> Iterator[str]:
        if self._style != self._shown:
            yield self._shown.closing() + self._style.opening()
            self._shown = self._style

    def _word(self, word: str, parameter: int | None) -> Iterator[str]:
        on = parameter != 0
        if word in _FIELDS:
            values = self._style._asdict() | {_FIELDS[word]: on}
            self._style = _Style(**values)
        elif word == "ulnone":
            self._style = self._style._replace(underlined=False)
        elif word in _HIDDEN:
            self._style = self._style._replace(hidden=on)
        elif word == "plain":
            self._style = _Style(link=self._style.link, instruction=self._style.instruction)
        elif word == "fldrslt":
            self._style = self._style._replace(link=self._links.pop() if self._links else "")
        elif not self._style.instruction and not self._style.hidden:
            yield from self._character(word)

    def _character(self, word: str) -> Iterator[str]:
        if word in _LINE_ENDS:
            yield self._shown.closing() + _LINE_ENDS[word]
            self._shown = _Style()
        elif word == "line":
            yield "<br>\r\n"
        elif word in CHARACTERS:
            yield from self._change()
            yield CHARACTERS[word]
