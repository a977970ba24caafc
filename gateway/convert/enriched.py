"""Enriched text as HTML: text/enriched (RFC 1896) and its predecessor text/richtext (RFC 1341 7.1.3).

Any text gives HTML; time and length grow with that of the text. Commands that nobody knows are left out, what they
hold is shown.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final

_TOKEN: Final = re.compile(r"<(<)|<(/?)([a-zA-Z0-9-]{1,60})>|(\n+)|([^<\n]+)|<")
_TAGS: Final = {
    "bold": "<b>", "italic": "<i>", "underline": "<u>", "fixed": "<tt>", "smaller": "<small>", "bigger": "<big>",
    "subscript": "<sub>", "superscript": "<sup>", "center": '<div style="text-align:center">',
    "flushleft": '<div style="text-align:left">', "flushright": '<div style="text-align:right">',
    "flushboth": '<div style="text-align:justify">', "nofill": "<pre>", "verbatim": "<pre>",
    "indent": '<div style="margin-left:2em">', "paraindent": '<div style="margin-left:2em">',
    "indentright": '<div style="margin-right:2em">', "excerpt": "<blockquote>", "paragraph": "<p>",
    "heading": '<div style="text-align:center">', "footing": '<div style="text-align:center">',
}  # fmt: skip
_STYLED: Final = {"color": "color", "fontfamily": "font-family"}
#: Commands of text/richtext that stand alone.
_ALONE: Final = {"nl": "<br>\r\n", "np": "<hr>\r\n", "lt": "&lt;"}
_UNREAD: Final = frozenset(("param", "comment"))
_NAME: Final = re.compile(r"[^\w ,.#-]+")
_COLOR: Final = re.compile(r"\s*([0-9a-f]{4}),([0-9a-f]{4}),([0-9a-f]{4})\s*\Z", re.IGNORECASE)
_DEEPEST: Final = 50


def to_html(text: str, *, old: bool = False) -> str:
    """The HTML of enriched text; ``old``: of text/richtext, in which a line end is a blank whatever their number."""
    writer = _Writer(old=old)
    for match in _TOKEN.finditer(text.replace("\r\n", "\n").replace("\r", "\n")):
        literal, slash, name, breaks, words = match.groups()
        if name:
            writer.command(name.lower(), closing=bool(slash))
        elif breaks:
            writer.line_ends(len(breaks))
        else:
            writer.add(words or ("<" if literal else match[0]))
    return f"<html><body>\r\n{writer.html()}\r\n</body></html>\r\n"


class _Writer:
    def __init__(self, *, old: bool) -> None:
        self._old = old
        self._out: list[str] = []
        self._open: list[tuple[str, str]] = []
        """Commands and what ends them."""
        self._unread = ""
        """The command whose content is no text."""
        self._parameter: list[str] = []
        self._filled = 0

    def html(self) -> str:
        """Everything, open elements closed."""
        self._close(0)
        return "".join(self._out)

    def add(self, text: str) -> None:
        """Text, or what a parameter says."""
        if self._unread:
            self._parameter.append(text[:200])
        else:
            self._out.append(escape(text, quote=False))

    def line_ends(self, count: int) -> None:
        """One line end is a blank, more are one less; as they are where lines are not filled."""
        if self._unread:
            return
        if self._filled:
            self._out.append("\n" * count)
        else:
            self._out.append(" " if self._old or count == 1 else "<br>\r\n" * (count - 1))

    def command(self, name: str, *, closing: bool) -> None:
        """A command or its end."""
        if self._unread:
            if closing and name == self._unread:
                self._unread = ""
                if name == "param":
                    self._apply("".join(self._parameter))
        elif name in _UNREAD and not closing:
            self._unread, self._parameter = name, []
        elif self._old and name in _ALONE:
            self._out.append(_ALONE[name])
        elif closing:
            place = next((n for n in reversed(range(len(self._open))) if self._open[n][0] == name), None)
            if place is not None:
                self._close(place)
        elif len(self._open) < _DEEPEST and (name in _TAGS or name in _STYLED):
            self._begin(name)

    def _begin(self, name: str) -> None:
        tag = _TAGS.get(name, "<span>")
        self._filled += tag == "<pre>"
        self._out.append(tag)
        self._open.append((name, f"</{tag[1:].split()[0].rstrip('>')}>"))

    def _apply(self, parameter: str) -> None:
        """The parameter of the command that was just begun."""
        if not self._open or self._open[-1][0] not in _STYLED or self._out[-1] != "<span>":
            return
        mixed = _COLOR.match(parameter)
        value = (
            "#" + "".join(part[:2] for part in mixed.groups())
            if mixed
            else _NAME.sub("", parameter).strip()[:60]
        )
        if value:
            self._out[-1] = f'<span style="{_STYLED[self._open[-1][0]]}:{value}">'

    def _close(self, place: int) -> None:
        while len(self._open) > place:
            _, end = self._open.pop()
            self._filled -= end == "</pre>"
            self._out.append(end)
