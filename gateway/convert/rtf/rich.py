"""Genuine RTF as HTML: what a mail written in Outlook's rich text looks like (RTF 1.9.1).

Fonts, sizes, colours, paragraphs, lists, tables, links and pictures are shown; page layout, headers and revision
marks are not. The document's main style stands in the body element, runs say only where they differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Final, NamedTuple

from gateway.convert.rtf.blocks import Blocks, Table
from gateway.convert.rtf.encapsulated import CHARACTERS
from gateway.convert.rtf.events import Event, Kind, events
from gateway.convert.rtf.looks import Paragraph, Style, changed, font_name, link_tag, reset
from gateway.convert.rtf.pictures import MOST, Drawing, Picture
from gateway.convert.rtf.symbols import is_symbol_font, readable

_WANTED: Final = frozenset(
    {"fldinst", "fonttbl", "colortbl", "pict", "shppict", "object", "footnote", "listtext", "pntext"}
)
_LINK: Final = re.compile(r'HYPERLINK\s+(?:\\[a-z]\s+)*"?([^"\s]{1,2000})"?', re.IGNORECASE)
_SYMBOL: Final = re.compile(r'SYMBOL\s+(\d{1,5})(?:.*\\f\s+"?([^"\\]{1,40}))?', re.IGNORECASE | re.DOTALL)
_SAFE: Final = ("http://", "https://", "ftp://", "mailto:")
_PARAGRAPH_ENDS: Final = frozenset({"par", "sect", "page", "nestrow"})
_SPACES: Final = re.compile(" (?= )")
_ROOM: Final = 60
_FREE_ROOM: Final = 4096
_MOST_FONTS: Final = 2000


@dataclass(frozen=True, slots=True)
class RichText:
    """A document as HTML, and the pictures that it shows."""

    html: str
    pictures: tuple[Picture, ...] = ()


class _State(NamedTuple):
    """What a group's end restores."""

    style: Style = Style()
    paragraph: Paragraph = Paragraph()
    destination: str = ""


def html_from_rich(rtf: bytes) -> RichText:
    """The document as HTML (ParseError when it is not RTF)."""
    return _Writer(len(rtf)).write(events(rtf, _WANTED, looks=True))


class _Writer:
    def __init__(self, size: int) -> None:
        self._state = _State()
        self._stack: list[_State] = []
        self._fonts: dict[int, str] = {}
        self._font = 0
        """The font that is being described."""
        self._default_font = 0
        self._colors: list[str] = []
        self._color = [0, 0, 0]
        self._has_color = False
        self._blocks = Blocks()
        self._cell = Blocks()
        self._table = Table()
        self._line: list[str] = []
        self._base: Style | None = None
        self._shown: Style | None = None
        """The style whose tags are open."""
        self._label: list[str] = []
        self._instruction: list[str] = []
        self._link = ""
        self._replaced = False
        """Whether a field's result is replaced by what its instruction says."""
        self._drawing = Drawing()
        self._pictures: dict[str, Picture] = {}
        self._picture_room = MOST
        # Tags cost more than the words they come from; text that uses up what is allowed goes on without.
        self._room = _ROOM * size + _FREE_ROOM

    def write(self, stream: Iterator[Event]) -> RichText:
        """The document of these events."""
        for event in stream:
            _HANDLERS[event.kind](self, event)
        if self._line or self._label:
            self._end_paragraph()
        self._end_table()
        style = self._base.body_css() if self._base is not None else ""
        body = f'<body style="{style}">' if style else "<body>"
        html = f"<html>{body}\r\n{self._blocks.html()}</body></html>\r\n"
        return RichText(html, tuple(self._pictures.values()))

    # Groups and destinations

    def _open(self, event: Event) -> None:
        self._stack.append(self._state)

    def _close(self, event: Event) -> None:
        before = self._stack.pop() if self._stack else _State()
        ended = self._state.destination
        if ended and ended != before.destination:
            self._end_destination(ended)
        if not self._stack and (self._line or self._label):  # the document ends inside its last paragraph
            self._end_paragraph()
        self._state = before

    def _begin_destination(self, event: Event) -> None:
        name = event.name
        if name == "pict":
            self._drawing = Drawing()
        elif name == "fldinst":
            self._instruction = []
        elif name == "footnote":
            self._put("[")
        elif name in ("shppict", "object"):
            return  # what is inside belongs to the text
        self._state = self._state._replace(destination=name)

    def _end_destination(self, name: str) -> None:
        if name == "pict":
            self._end_picture()
        elif name == "fldinst":
            self._end_instruction("".join(self._instruction))
        elif name == "footnote":
            self._put("]")
        elif name == "colortbl" and self._has_color:
            self._end_color()

    def _end_picture(self) -> None:
        number = len(self._pictures) + 1
        picture = self._drawing.picture(number, self._picture_room)
        if picture is not None and not self._state.style.hidden:
            self._pictures[picture.content_id] = picture
            self._picture_room -= len(picture.data)
            self._change()
            self._add(self._drawing.tag(picture))

    def _end_instruction(self, instruction: str) -> None:
        match = _LINK.search(instruction)
        self._link = match[1] if match is not None and match[1].lower().startswith(_SAFE) else ""
        symbol = _SYMBOL.match(instruction.strip())
        self._replaced = symbol is not None
        if symbol is not None and int(symbol[1]) < 0xD800:
            self._put(readable(chr(int(symbol[1])), (symbol[2] or "").strip()))

    # Text

    def _text(self, event: Event) -> None:
        destination, text = self._state.destination, event.name
        if destination == "fonttbl":
            if self._font in self._fonts or len(self._fonts) < _MOST_FONTS:
                self._fonts[self._font] = (self._fonts.get(self._font, "") + text)[:200]
        elif destination == "colortbl":
            for _ in range(text.count(";")):
                self._end_color()
        elif destination == "pict":
            self._drawing.digits.append(text)
        elif destination == "fldinst":
            self._instruction.append(text)
        elif destination in ("listtext", "pntext"):
            self._label.append(readable(text, self._state.style.symbols))
        else:
            self._put(readable(text, self._state.style.symbols))

    def _data(self, event: Event) -> None:
        if self._state.destination == "pict":
            self._drawing.octets.append(event.name.encode("latin-1"))

    def _put(self, text: str) -> None:
        """Add text in the style of now."""
        if not self._state.style.hidden:
            self._change()
            self._add(_SPACES.sub("\xa0", escape(text, quote=False)))

    def _add(self, html: str) -> None:
        self._line.append(html)

    def _change(self) -> None:
        """Make the open tags those of the style of now."""
        style = self._state.style
        if self._base is None:
            self._base = Style(font=style.font, size=style.size, color=style.color)
        if style == self._shown or self._room < 0:
            return
        shown = self._shown
        tags = shown.closing(self._base) if shown is not None else ""
        open_link = shown.link if shown is not None else ""
        if style.link != open_link:
            tags += "</a>" if open_link else ""
            tags += link_tag(style.link) if style.link else ""
        tags += style.opening(self._base)
        self._shown = style
        self._room -= len(tags)
        self._line.append(tags)

    def _end_tags(self) -> None:
        if self._shown is not None and self._base is not None:
            self._line.append(self._shown.closing(self._base) + ("</a>" if self._shown.link else ""))
        self._shown = None

    # Words

    def _word(self, event: Event) -> None:
        word, parameter = event.name, event.parameter
        destination = self._state.destination
        if destination == "pict":
            self._drawing.word(word, parameter)
        elif destination == "fonttbl":
            self._font = parameter or 0 if word == "f" else self._font
        elif destination == "colortbl":
            self._color_word(word, parameter or 0)
        elif not self._formats(word, parameter):
            if destination in ("listtext", "pntext"):
                self._label.append(CHARACTERS.get(word, ""))
            elif destination == "fldinst":
                self._instruction.append(CHARACTERS.get(word, ""))
            else:
                self._character(word)

    def _color_word(self, word: str, value: int) -> None:
        if word in ("red", "green", "blue"):
            self._color[("red", "green", "blue").index(word)] = min(max(value, 0), 255)
            self._has_color = True

    def _end_color(self) -> None:
        """End a colour of the table; an empty one is what the reader shows text in."""
        if len(self._colors) < _MOST_FONTS:
            self._colors.append("#{:02x}{:02x}{:02x}".format(*self._color) if self._has_color else "")
        self._color, self._has_color = [0, 0, 0], False

    def _formats(self, word: str, parameter: int | None) -> bool:
        """Obey a word about looks; whether it is one."""
        style = changed(self._state.style, word, parameter, self._colors)
        if word == "deff":
            self._default_font = parameter or 0
        elif word == "f":
            style = self._in_font(self._state.style, parameter or 0)
        elif word == "plain":
            style = self._in_font(Style(link=self._state.style.link), self._default_font)
        elif word == "field":
            self._link, self._replaced = "", False
        elif word == "fldrslt":
            style = self._state.style._replace(
                link=self._link, hidden=self._state.style.hidden or self._replaced
            )
        elif style is None:
            paragraph = reset(self._state.paragraph, word, parameter)
            if paragraph is None:
                return self._table.word(word, parameter, self._colors)
            self._state = self._state._replace(paragraph=paragraph)
        if style is not None:
            self._state = self._state._replace(style=style)
        return True

    def _in_font(self, style: Style, number: int) -> Style:
        name = font_name(self._fonts.get(number, ""))
        if is_symbol_font(name):
            return style._replace(symbols=name.lower())
        return style._replace(font=name, symbols="")

    def _character(self, word: str) -> None:
        if word in _PARAGRAPH_ENDS:
            self._end_paragraph()
        elif word == "cell":
            self._end_cell()
        elif word == "row":
            if self._line or self._label or self._cell:
                self._end_cell()
            self._table.end_row()
        elif self._state.style.hidden:
            return
        elif word == "line":
            self._add("<br>\r\n")
        elif word in ("tab", "nestcell"):
            self._put("\u2003")
        elif word in CHARACTERS:
            self._put(CHARACTERS[word])

    # Paragraphs

    def _end_paragraph(self) -> None:
        self._end_tags()
        html, label = "".join(self._line), "".join(self._label)
        self._line, self._label = [], []
        setting = self._state.paragraph
        if not setting.in_table:
            self._end_table()
        blocks = self._cell if setting.in_table else self._blocks
        if label.strip():
            blocks.item(html, escape(label, quote=False), setting)
        else:
            blocks.paragraph(html, setting)

    def _end_cell(self) -> None:
        """End a cell; text that is its only paragraph stands in it alone."""
        self._end_tags()
        html, label, before = "".join(self._line), "".join(self._label), self._cell.html()
        self._line, self._label = [], []
        if before or label.strip():
            if html or label.strip():
                setting = self._state.paragraph
                if label.strip():
                    self._cell.item(html, escape(label, quote=False), setting)
                else:
                    self._cell.paragraph(html, setting)
            html = self._cell.html()
        elif self._state.paragraph.align:
            html = f"<div{self._state.paragraph.attributes()}>{html}</div>"
        self._table.cells.append(html or "&nbsp;")
        self._cell = Blocks()

    def _end_table(self) -> None:
        if self._cell:
            self._table.cells.append(self._cell.html())
            self._cell = Blocks()
        if self._table.cells or self._table.rows:
            self._blocks.raw(self._table.html())


_HANDLERS: Final[dict[Kind, Callable[[_Writer, Event], None]]] = {
    Kind.OPEN: _Writer._open,
    Kind.CLOSE: _Writer._close,
    Kind.DESTINATION: _Writer._begin_destination,
    Kind.TEXT: _Writer._text,
    Kind.DATA: _Writer._data,
    Kind.WORD: _Writer._word,
}
