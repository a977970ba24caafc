"""Text that a person can read, from HTML.

The tags are gone through once, without building a tree: the time grows with the length of the HTML only,
however deep or broken its nesting (the work of a tree builder grows with the square of the depth).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Final, NamedTuple

#: Text and the tag, comment or lone "<" behind it. Their groups: text, slash, name and rest of a tag, the lone "<".
_TOKEN: Final = re.compile(
    r"""([^<]*+)
        (?: <(/?)([a-z][^\s/>]*+)
            ([^>=]*+ (?: =(?: \s*+"[^"]*+(?:"|\Z) | \s*+'[^']*+(?:'|\Z) | ) [^>=]*+ )*+)(?:>|\Z)
          | <!--.*?(?:--!?>|\Z)
          | <[!?/][^>]*+(?:>|\Z)
          | (<)
          | \Z )""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE: Final = re.compile(
    r"""(?<![^\s/"'])([^\s=/>"']++)\s*+=\s*+(?:"([^"]*+)"?|'([^']*+)'?|([^\s>]++))""", re.IGNORECASE
)
_BLANKS: Final = " \t\r\n\f"
_SPACE: Final = re.compile(f"[{_BLANKS}]+")
_PARAGRAPHS: Final = frozenset(
    ["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "blockquote", "pre", "table", "hr"]
)
_BLOCKS: Final = _PARAGRAPHS | frozenset(
    [
        "div",
        "li",
        "tr",
        "dt",
        "dd",
        "address",
        "article",
        "aside",
        "body",
        "caption",
        "center",
        "fieldset",
        "figure",
        "footer",
        "form",
        "header",
        "html",
        "legend",
        "main",
        "nav",
        "section",
        "tbody",
        "tfoot",
        "thead",
    ]
)
#: Elements whose content is no text of the document (HTML Living Standard 13.2.5, raw text and the like).
_UNREAD: Final = frozenset({"script", "style", "title", "template", "iframe", "noframes", "xml"})
#: Addresses that are worth reading beside the text of a link.
_LINKS: Final = ("http://", "https://", "ftp://", "mailto:")
_DEEPEST: Final = 9
_RULE: Final = "-" * 40


class _Lines:
    """The text as it grows: finished lines, the one that was begun, and what is still due before the next word."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.words = 0
        self.quotes = 0
        self.lists: list[int] = []
        """One number per open list: that of the next item, or 0 when items are not numbered."""
        self.bullet = ""
        self.verbatim = 0
        self._space = False
        self._blank = False
        self._blank_quotes = 0

    def add(self, text: str) -> None:
        """Add text, its white space collapsed unless inside a pre element."""
        if self.verbatim:
            first, *others = text.replace("\r\n", "\n").split("\n")
            self._put(first)
            for other in others:
                self.end_line(force=True)
                self._put(other)
            return
        words = text.strip(_BLANKS)
        if not words:
            self._space = self._space or bool(text)
            return
        if not self.line:
            self._begin_line()
        elif self._space or text[0] in _BLANKS:
            self.line.append(" ")
        even = words.isprintable() and "  " not in words
        self.line.append(words if even else _SPACE.sub(" ", words))
        self.words += 1
        self._space = text[-1] in _BLANKS

    def _put(self, text: str) -> None:
        if not text:
            return
        if not self.line:
            self._begin_line()
        elif self._space:
            self.line.append(" ")
        self._space = False
        self.words += 1
        self.line.append(text)

    def _begin_line(self) -> None:
        if self._blank and self.lines:
            self.lines.append(_quote(min(self._blank_quotes, self.quotes)).rstrip())
        self._blank = False
        depth = min(len(self.lists), _DEEPEST)
        self.line.append(_quote(self.quotes))
        if depth:
            self.line.append("  " * (depth - 1) + (self.bullet or "  "))
            self.bullet = ""

    def end_line(self, force: bool = False) -> None:
        """End the line that was begun; when none was, only a forced end (br) makes an empty one."""
        if self.line:
            self.lines.append("".join(self.line).rstrip())
            self.line = []
        elif force:
            self.lines.append(_quote(self.quotes).rstrip())
        self._space = False

    def block(self, paragraph: bool) -> None:
        """Begin or end a block; a paragraph has an empty line around it."""
        if self.line:
            self.end_line()
        else:
            self._space = False
        if paragraph and not self._blank:
            self._blank, self._blank_quotes = True, self.quotes

    def cell(self) -> None:
        """Begin a table cell."""
        if self.line:
            self.line.append("\t")
            self._space = False

    def link(self, address: str) -> None:
        """Add the address of a link unless the text just before is the address itself."""
        shown = "".join(self.line[-4:]).rstrip("/ ").lower()
        if not shown.endswith(address.partition(":")[2].strip("/").lower()):
            self._space = True
            self._put(f"<{address}>")


def _quote(depth: int) -> str:
    return "> " * min(depth, _DEEPEST)


def _open_list(lines: _Lines, tag: str) -> None:
    lines.lists.append(1 if tag == "ol" else 0)


def _close_list(lines: _Lines, tag: str) -> None:
    if lines.lists:
        lines.lists.pop()


def _open_item(lines: _Lines, tag: str) -> None:
    number = lines.lists[-1] if lines.lists else 0
    lines.bullet = f"{number}. " if number else "* "
    if number:
        lines.lists[-1] += 1


def _quoted(change: int) -> Callable[[_Lines, str], None]:
    def apply(lines: _Lines, tag: str) -> None:
        lines.quotes = max(0, lines.quotes + change)

    return apply


def _verbatim(change: int) -> Callable[[_Lines, str], None]:
    def apply(lines: _Lines, tag: str) -> None:
        lines.verbatim = max(0, lines.verbatim + change)

    return apply


def _rule(lines: _Lines, tag: str) -> None:
    lines.add(_RULE)
    lines.block(paragraph=True)


#: What an element does beyond beginning or ending a block.
_OPENED: Final[dict[str, Callable[[_Lines, str], None]]] = {
    "ul": _open_list,
    "ol": _open_list,
    "li": _open_item,
    "blockquote": _quoted(1),
    "pre": _verbatim(1),
    "hr": _rule,
    "br": lambda lines, tag: lines.end_line(force=True),
    "td": lambda lines, tag: lines.cell(),
    "th": lambda lines, tag: lines.cell(),
}
_CLOSED: Final[dict[str, Callable[[_Lines, str], None]]] = {
    "ul": _close_list,
    "ol": _close_list,
    "blockquote": _quoted(-1),
    "pre": _verbatim(-1),
}


class _Element(NamedTuple):
    """What a tag does to the text."""

    block: bool
    paragraph: bool
    opened: Callable[[_Lines, str], None] | None
    closed: Callable[[_Lines, str], None] | None


#: The elements that do something, in the small letters that most tags are written in.
_ELEMENTS: Final = {
    tag: _Element(tag in _BLOCKS, tag in _PARAGRAPHS, _OPENED.get(tag), _CLOSED.get(tag))
    for tag in _BLOCKS | {*_OPENED, "a", "img"}
}


class _Reader:
    """One pass over a document."""

    def __init__(self, html: str) -> None:
        self.html = html
        self.lines = _Lines()
        self.link: tuple[str, int] | None = None
        """The address of the open link and how many words there were before it."""
        self._endless: set[str] = set()

    def read(self) -> str:
        """The text, lines ended by CRLF."""
        position: int | None = 0
        while position is not None:
            position = self._read_from(position)
        self.lines.end_line()
        return _joined(self.lines.lines)

    def _read_from(self, position: int) -> int | None:
        """Read up to an element whose content is not read, and give where it ends; None at the document's end."""
        add = self.lines.add
        for match in _TOKEN.finditer(self.html, position):
            text, slash, tag, rest, lone = match.groups()
            if text:
                add(unescape(text) if "&" in text else text)
            if tag:
                tag = tag.lower()
                element = _ELEMENTS.get(tag)
                if element is not None:
                    self._tag(tag, element, rest, slash == "/")
                elif tag in _UNREAD and not slash:
                    return self._after(tag, match.end())
            elif lone:
                add(lone)
        return None

    def _tag(self, tag: str, element: _Element, rest: str, closing: bool) -> None:
        if element.block:
            nested = tag in ("ul", "ol") and len(self.lines.lists) > closing
            self.lines.block(element.paragraph and not nested)
        action = element.closed if closing else element.opened
        if action is not None:
            action(self.lines, tag)
        elif tag == "a":
            self._close_link()
            if not closing:
                self._open_link(rest)
        elif tag == "img" and not closing:
            self.lines.add(_attribute(rest, "alt"))

    def _open_link(self, rest: str) -> None:
        address = _SPACE.sub("", _attribute(rest, "href"))
        self.link = (address, self.lines.words) if address.lower().startswith(_LINKS) else None

    def _close_link(self) -> None:
        if self.link is not None and self.lines.words > self.link[1]:
            self.lines.link(self.link[0])
        self.link = None

    def _after(self, tag: str, position: int) -> int:
        """Where the element ends; it is taken for empty when nothing ends it, so that no text is lost."""
        if tag not in self._endless:
            end = re.compile(rf"</{tag}\b[^>]*+>?", re.IGNORECASE).search(self.html, position)
            if end:
                return end.end()
            self._endless.add(tag)
        return position


def _attribute(rest: str, name: str) -> str:
    for match in _ATTRIBUTE.finditer(rest):
        if match[1].lower() == name:
            return unescape(match[2] or match[3] or match[4] or "")
    return ""


def _joined(lines: list[str]) -> str:
    """The lines with at most two empty ones in a row, none at the ends; no-break spaces become spaces."""
    kept: list[str] = []
    for line in lines:
        if line or (kept[-2:] != ["", ""] and kept):
            kept.append(line)
    while kept and not kept[-1]:
        kept.pop()
    return "".join([f"{line}\r\n" for line in kept]).replace("\xa0", " ")


def to_text(html: str) -> str:
    """The readable text of an HTML document, lines ended by CRLF; any string gives a text."""
    return _Reader(html).read()
