"""How characters and paragraphs of RTF look, as HTML (RTF 1.9.1, character and paragraph formatting)."""

from __future__ import annotations

import re
from html import escape
from typing import Final, NamedTuple

DEFAULT_SIZE: Final = 24
"""Half points of text that says nothing of its size."""
_SIZES: Final = range(2, 400)
_NAME: Final = re.compile(r"[^\w .-]+")
_LONGEST_NAME: Final = 40
_TWIPS: Final = 20
"""Twentieths of a point, in which RTF measures."""
_FARTHEST: Final = 500
_ALIGNED: Final = {"qc": "center", "qr": "right", "qj": "justify", "ql": ""}
_TAGS: Final = (("bold", "b"), ("italic", "i"), ("underlined", "u"), ("struck", "s"))


class Style(NamedTuple):
    """How characters look; a group restores what was before it."""

    bold: bool = False
    italic: bool = False
    underlined: bool = False
    struck: bool = False
    shifted: str = ""
    """``sub`` or ``sup``."""
    font: str = ""
    symbols: str = ""
    """The symbol font it is, in small letters, whose characters are no letters."""
    size: int = DEFAULT_SIZE
    color: str = ""
    background: str = ""
    capitals: bool = False
    hidden: bool = False
    link: str = ""

    def opening(self, base: Style) -> str:
        """The tags that begin this style inside text of the ``base`` style, without the link's."""
        css = self._css(base)
        tags = [f'<span style="{css}">'] if css else []
        tags += [f"<{tag}>" for tag in self._tags()]
        return "".join(tags)

    def closing(self, base: Style) -> str:
        """The tags that end it, in reverse."""
        tags = "".join(f"</{tag}>" for tag in reversed(self._tags()))
        return tags + ("</span>" if self._css(base) else "")

    def body_css(self) -> str:
        """What a whole document in this style says of it."""
        return self._css(Style())

    def _tags(self) -> list[str]:
        tags = [tag for name, tag in _TAGS if getattr(self, name)]
        return [*tags, self.shifted] if self.shifted else tags

    def _css(self, base: Style) -> str:
        parts = []
        if self.font != base.font:
            parts.append(f"font-family:'{self.font}'" if self.font else "font-family:serif")
        if self.size != base.size:
            parts.append(f"font-size:{self.size / 2:g}pt")
        if self.color != base.color:
            parts.append(f"color:{self.color or '#000000'}")
        if self.background != base.background:
            parts.append(f"background-color:{self.background or 'transparent'}")
        if self.capitals:
            parts.append("text-transform:uppercase")
        return ";".join(parts)


def font_name(text: str) -> str:
    """A font's name as it may stand in a style, empty when nothing of it may."""
    return _NAME.sub("", text.partition(";")[0]).strip()[:_LONGEST_NAME].strip()


def link_tag(address: str) -> str:
    """The tag that begins a link."""
    return f'<a href="{escape(address)}">'


_TOGGLES: Final = {
    "b": "bold",
    "i": "italic",
    "strike": "struck",
    "striked": "struck",
    "v": "hidden",
    "deleted": "hidden",
    "caps": "capitals",
}
_SHIFTS: Final = {"super": "sup", "sub": "sub", "nosupersub": ""}


def changed(style: Style, word: str, parameter: int | None, colors: list[str]) -> Style | None:
    """The style after a word, None when the word is about something else."""
    on = parameter != 0
    if word in _TOGGLES:
        return Style(**{**style._asdict(), _TOGGLES[word]: on})
    if word == "ulnone" or (word.startswith("ul") and word != "ulc"):
        return style._replace(underlined=on and word != "ulnone")
    if word in _SHIFTS:
        return style._replace(shifted=_SHIFTS[word] if on else "")
    if word == "fs":
        return style._replace(size=parameter if parameter is not None and parameter in _SIZES else DEFAULT_SIZE)
    if word == "cf":
        return style._replace(color=_color(parameter, colors))
    if word in ("cb", "highlight", "chcbpat"):
        return style._replace(background=_color(parameter, colors))
    return None


def _color(number: int | None, colors: list[str]) -> str:
    return colors[number] if number is not None and 0 <= number < len(colors) else ""


class Paragraph(NamedTuple):
    """How a paragraph is set."""

    align: str = ""
    left: int = 0
    first: int = 0
    before: int = 0
    after: int = 0
    rtl: bool = False
    level: int = 0
    """Of the list that it is an item of, 0 the outermost."""
    in_table: bool = False

    def attributes(self, *, item: bool = False) -> str:
        """The attributes of its element; an item of a list is indented by the list."""
        css = [f"text-align:{self.align}"] if self.align else []
        if not item:
            css += [f"margin-left:{_points(self.left)}"] if self.left > 0 else []
            css += [f"text-indent:{_points(self.first)}"] if self.first else []
        css += [f"margin-top:{_points(self.before)}"] if self.before > 0 else []
        css += [f"margin-bottom:{_points(self.after)}"] if self.after > 0 else []
        style = f' style="{";".join(css)}"' if css else ""
        return (' dir="rtl"' if self.rtl else "") + style


_MEASURES: Final = {"li": "left", "lin": "left", "fi": "first", "sb": "before", "sa": "after"}
_DEEPEST: Final = 8


def reset(paragraph: Paragraph, word: str, parameter: int | None) -> Paragraph | None:
    """The paragraph's setting after a word, None when the word is about something else."""
    value = parameter or 0
    if word == "pard":
        return Paragraph()
    if word in _ALIGNED:
        return paragraph._replace(align=_ALIGNED[word])
    if word in _MEASURES:
        return Paragraph(**{**paragraph._asdict(), _MEASURES[word]: value})
    if word in ("rtlpar", "ltrpar"):
        return paragraph._replace(rtl=word == "rtlpar")
    if word == "ilvl":
        return paragraph._replace(level=min(max(value, 0), _DEEPEST))
    if word in ("intbl", "itap"):
        return paragraph._replace(in_table=parameter is None or value > 0)
    return None


def _points(twips: int) -> str:
    return f"{max(min(twips / _TWIPS, _FARTHEST), -_FARTHEST):g}pt"
