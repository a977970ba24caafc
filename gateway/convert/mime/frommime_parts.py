"""What each part of a message is for: body, another form of the body, calendar, or attachment.

Every leaf ends up in exactly one place. Of multipart/alternative the last HTML and the last plain text make
the body (RFC 2046 5.1.4), and other forms of it stay as hidden attachments; the texts of multipart/mixed are
one body, in order; of multipart/related one part is the root and the others belong to it (RFC 2387).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gateway.convert.mime.charsets import DEFAULT_CHARSET, codec_of, decodes
from gateway.convert.mime.filenames import file_name
from gateway.convert.mime.structure import Part
from gateway.convert.mime.transfer import decoded, known

MARKED: Final = frozenset((b"enriched", b"richtext"))
"""Texts with marks of their own, which become HTML."""
_APPLE_FORKS: Final = frozenset((b"applefile", b"mac-binhex40"))


@dataclass(slots=True)
class Attached:
    """A leaf that becomes an attachment."""

    part: Part
    related: bool = False
    """Whether it belongs to HTML of the same multipart/related."""
    other_form: bool = False
    """Whether it is the body in another form."""
    calendar: bool = False
    """Whether it is a calendar that is meant to be read as the message."""
    unreadable: bool = False
    """Whether it is text of which the charset is unknown."""
    mac_header: Part | None = None
    """The resource fork beside it (RFC 1740)."""


@dataclass(slots=True)
class Contents:
    """The parts of a message by their purpose, each list in message order."""

    text: list[Part] = field(default_factory=list)
    """The parts that make the plain text, HTML among them where there is nothing plainer."""
    html: list[Part] = field(default_factory=list)
    """The parts that make the HTML, plain texts among them where there is nothing better."""
    attached: list[Attached] = field(default_factory=list)

    @property
    def has_html(self) -> bool:
        """Whether there is any HTML in it, or what becomes HTML."""
        return any(part.subtype != b"plain" for part in self.html)

    @property
    def is_marked(self) -> bool:
        """Whether some of its HTML is none yet."""
        return any(part.subtype in MARKED for part in self.html)


def contents(message: Part, default: str = DEFAULT_CHARSET) -> Contents:
    """The parts of a message (or of a part of it) by purpose."""
    found = _Reader(default)
    found.read(message, related=False)
    return found.contents


class _Reader:
    """Goes through a part tree; its depth is bounded by the scanner."""

    def __init__(self, default: str) -> None:
        self.default = default
        self.contents = Contents()

    def read(self, part: Part, *, related: bool) -> None:
        """Sort in a part and all below it."""
        if not part.children:
            self._leaf(part, related=related)
        elif part.subtype == b"alternative":
            self._alternative(part, related=related)
        elif part.subtype == b"related":
            self._related(part)
        elif part.subtype == b"appledouble":
            self._appledouble(part)
        else:
            for child in part.children:
                self.read(child, related=related)

    def _leaf(self, part: Part, *, related: bool) -> None:
        attached = Attached(part, related)
        if part.type == b"text" and part.disposition[0] != b"attachment" and known(part.encoding):
            if (part.subtype in (b"plain", b"html") or part.subtype in MARKED) and not self._is_file(part):
                if part.subtype == b"html" or _readable(part):
                    self.contents.text.append(part)
                    self.contents.html.append(part)
                    return
                attached.unreadable = True
            attached.calendar = part.subtype == b"calendar"
        self.contents.attached.append(attached)

    def _is_file(self, part: Part) -> bool:
        """A text with a file name is a file, unless it is the first text of all."""
        return bool(self.contents.text) and bool(file_name(part, self.default))

    def _alternative(self, part: Part, *, related: bool) -> None:
        """Take the best form; what is not text in the others is kept as it would be."""
        forms = [self._apart(child, related=related) for child in part.children]
        texts = [form for form in forms if form.text]
        html = next((form for form in reversed(texts) if form.has_html and not form.is_marked), None)
        plain = next((form for form in reversed(texts) if not form.has_html), None)
        chosen = html or plain or (texts[-1] if texts else None)
        if chosen is not None:
            self.contents.html.extend(chosen.html)
            self.contents.text.extend((plain or chosen).text)
        for form in forms:
            if form.text and not any(form is each for each in (html, plain, chosen)):
                self.contents.attached.extend(_other_forms(form))
            for attached in form.attached:
                attached.other_form = attached.other_form or _is_other_form(attached.part)
            self.contents.attached.extend(form.attached)

    def _apart(self, part: Part, *, related: bool) -> Contents:
        reader = _Reader(self.default)
        reader.read(part, related=related)
        return reader.contents

    def _related(self, part: Part) -> None:
        root = _root(part)
        self.read(root, related=True)
        for child in part.children:
            if child is root:
                continue
            if child.children:
                self.read(child, related=True)
            else:
                self.contents.attached.append(Attached(child, related=True))

    def _appledouble(self, part: Part) -> None:
        """The data fork is the attachment, the header with the resource fork belongs to it (RFC 1740)."""
        header = next((child for child in part.children if child.subtype in _APPLE_FORKS), None)
        for child in part.children:
            if child is header:
                continue
            if child.children:
                self.read(child, related=False)
            else:
                self.contents.attached.append(Attached(child, mac_header=header))
                header = None
        if header is not None:
            self.contents.attached.append(Attached(header))


def _readable(part: Part) -> bool:
    """Whether a plain text has a known charset, or is ASCII or UTF-8 anyway (RFC 2049 2 (6))."""
    charset = part.parameter(b"charset")
    if not charset or codec_of(charset) is not None:
        return True
    return decodes(decoded(part.body_bytes, part.encoding), "utf-8")


def _other_forms(form: Contents) -> list[Attached]:
    """The text parts of a form that is not taken."""
    parts = dict.fromkeys((*form.text, *form.html))
    return [Attached(part, other_form=True) for part in parts]


def _is_other_form(part: Part) -> bool:
    """Whether a leaf of multipart/alternative is only the text once more (text/enriched, text/x-amp-html)."""
    return part.type == b"text" and part.subtype != b"calendar" and part.disposition[0] != b"attachment"


def _root(part: Part) -> Part:
    """The root of multipart/related: the one ``start`` names, else the first part that can be one."""
    start = (part.parameter(b"start") or b"").strip(b"<> ")
    if start:
        for child in part.children:
            if (child.header(b"content-id") or b"").strip(b"<> ") == start:
                return child
    first = part.children[0]
    if first.children or first.type == b"text":
        return first
    return next((each for each in part.children if each.children or each.subtype == b"html"), first)
