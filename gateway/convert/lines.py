"""Content lines: the syntax under iCalendar and vCard (RFC 5545 3.1, RFC 6350 3.2), parsed and written.

A component is a list of properties and components in the order they came. Values stay as they were written: only
who knows a property knows how to read its value. Reading is tolerant of bare LF, a byte order mark, characters cut
in two by folding and quoted-printable-like trailing blanks; writing folds at 75 octets, between characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec

from gateway.convert.errors import ParseError

#: Parameter names in capitals, each with its values.
Params: TypeAlias = "Mapping[str, tuple[str, ...]]"
NO_PARAMS: Final[Params] = {}

MAX_DEPTH: Final = 8
MAX_LINES: Final = 200_000
_FOLD: Final = 75
#: Longer names with parameters are not remembered.
_REMEMBERED: Final = 120

_FOLDED: Final = re.compile(rb"\r?\n[ \t]")
_BREAK: Final = re.compile(r"\r\n|\n|\r")
_NAME: Final = re.compile(r"(?:([A-Za-z0-9-]+)\.)?([A-Za-z0-9-]+)")
_PARAM: Final = re.compile(r"\s*;\s*([A-Za-z0-9-]+)(=)?")
_PARAM_VALUE: Final = re.compile(r'\s*(?:"([^"]*)"|([^";:,]*))\s*')
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_CARET: Final = re.compile(r"\^([n^'])")
_CARETS: Final = {"n": "\n", "^": "^", "'": '"'}
_MUST_ESCAPE: Final = re.compile(r"[\\;,]|\r\n|\n|\r")
_MUST_QUOTE: Final = re.compile(r"[;:,]")
_MUST_CARET: Final = re.compile(r'[\^"]|\r\n|\n|\r')
#: Control characters that no value may hold (RFC 5545 3.1); tabs and line ends are dealt with elsewhere.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Line(msgspec.Struct, frozen=True):
    """One property: its name in capitals, its parameters, and the value as written."""

    name: str
    value: str
    params: Params = {}
    group: str = ""
    """vCard: what stands before the dot, as written."""

    def param(self, name: str, default: str = "") -> str:
        """The first value of a parameter."""
        values = self.params.get(name)
        return values[0] if values else default

    @property
    def text(self) -> str:
        """The value of a TEXT property."""
        return unescape(self.value)


@dataclass(slots=True)
class Component:
    """A component with its properties and sub-components."""

    name: str
    lines: list[Line] = field(default_factory=list)
    children: list[Component] = field(default_factory=list)

    def first(self, name: str) -> Line | None:
        """The first property of this name."""
        for line in self.lines:
            if line.name == name:
                return line
        return None

    def all(self, name: str) -> Iterator[Line]:
        """Every property of this name."""
        return (line for line in self.lines if line.name == name)

    def text(self, name: str) -> str | None:
        """The text of the first property of this name."""
        line = self.first(name)
        return None if line is None else line.text

    def components(self, name: str) -> Iterator[Component]:
        """Every sub-component of this name."""
        return (child for child in self.children if child.name == name)


# Reading


def parse(data: bytes | str) -> list[Component]:
    """The components of a text (ParseError when lines or nesting are broken).

    A component that is not closed ends with the text; lines outside of components are ignored.
    """
    top: list[Component] = []
    stack: list[Component] = []
    for line in logical_lines(data):
        name = line.name
        if name == "BEGIN":
            component = Component(line.value.strip().upper())
            (stack[-1].children if stack else top).append(component)
            stack.append(component)
            if len(stack) > MAX_DEPTH:
                raise ParseError(f"components lie more than {MAX_DEPTH} deep")
        elif name == "END":
            if not stack or stack[-1].name != line.value.strip().upper():
                raise ParseError(f"END:{line.value} closes nothing")
            stack.pop()
        elif stack:
            stack[-1].lines.append(line)
    return top


def logical_lines(data: bytes | str) -> Iterator[Line]:
    """The properties of a text, unfolded; blank lines are skipped."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    text = _FOLDED.sub(b"", raw.removeprefix(b"\xef\xbb\xbf")).decode("utf-8", "replace")
    for number, line in enumerate(_BREAK.split(text)):
        if number >= MAX_LINES:
            raise ParseError(f"more than {MAX_LINES} lines")
        if line.strip():
            yield parse_line(line)


def parse_line(line: str) -> Line:
    """One unfolded line (ParseError)."""
    head, colon, value = line.partition(":")
    if colon and '"' not in head and len(head) < _REMEMBERED:  # the first colon ends the parameters
        found = _line_with_head(head + colon)
        return Line(found.name, value, found.params, found.group)
    return _parse_line(line)


@lru_cache(maxsize=2048)
def _line_with_head(head: str) -> Line:
    """The line with this name and these parameters: the same few are in every object of a client."""
    return _parse_line(head)


def _parse_line(line: str) -> Line:
    match = _NAME.match(line)
    if match is None:
        raise ParseError(f"no property name in line {line[:60]!r}")
    group, name = match.groups()
    place = match.end()
    if line.startswith(":", place):  # the most lines have no parameters
        return Line(name.upper(), line[place + 1 :], NO_PARAMS, group or "")
    found_params: dict[str, list[str]] = {}
    while (found := _PARAM.match(line, place)) is not None:
        place = found.end()
        key = found[1].upper()
        if found[2]:
            values, place = _param_values(line, place)
            found_params.setdefault(key, []).extend(values)
        else:  # vCard 2.1 left out the name of a type
            found_params.setdefault("TYPE", []).append(found[1])
    if not line.startswith(":", place):
        raise ParseError(f"no colon after the name and parameters in line {line[:60]!r}")
    params = {key: tuple(values) for key, values in found_params.items()}
    return Line(name.upper(), line[place + 1 :], params, group or "")


def _param_values(line: str, place: int) -> tuple[list[str], int]:
    values: list[str] = []
    while (found := _PARAM_VALUE.match(line, place)) is not None:
        place = found.end()
        value = found[1] if found[1] is not None else found[2].strip()
        values.append(_CARET.sub(lambda match: _CARETS[match[1]], value) if "^" in value else value)
        if not line.startswith(",", place):
            break
        place += 1
    return values, place


def unescape(value: str) -> str:
    r"""The text of a TEXT value (``\n``, ``\,``, ``\;``, ``\\``)."""
    if "\\" not in value:
        return value
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)


def split(value: str, separator: str) -> list[str]:
    r"""The parts of a value at an unescaped separator, each still escaped."""
    if "\\" not in value:
        return value.split(separator)
    parts: list[str] = []
    part: list[str] = []
    place = 0
    for match in re.finditer(rf"\\.|{re.escape(separator)}", value, re.DOTALL):
        part.append(value[place : match.start()])
        place = match.end()
        if match.group() == separator:
            parts.append("".join(part))
            part = []
        else:
            part.append(match.group())
    part.append(value[place:])
    parts.append("".join(part))
    return parts


def texts(value: str, separator: str = ",") -> list[str]:
    """The texts of a value that lists several."""
    return [unescape(part) for part in split(value, separator)]


# Writing


def escape(text: str) -> str:
    """Text as a TEXT value."""
    if text.isprintable():  # the most texts are, and have nothing to be escaped
        if "," not in text and ";" not in text and "\\" not in text:
            return text
    else:
        text = _CONTROL.sub("", text)
    return _MUST_ESCAPE.sub(lambda match: "\\n" if match[0] in "\r\n" else "\\" + match[0], text)


def write_line(name: str, value: str, params: Params = NO_PARAMS, group: str = "") -> bytes:
    """A property as folded bytes with its line end; ``value`` is written as it is, without control characters."""
    return fold(line_text(name, value, params, group))


def line_text(name: str, value: str, params: Params = NO_PARAMS, group: str = "") -> str:
    """A property as one unfolded line without its end; nothing in it can begin another line."""
    head = f"{group}.{name}" if group else name
    if params:
        head += "".join(f";{key}={_param_text(values)}" for key, values in params.items())
    return f"{head}:{_CONTROL.sub('', value)}".replace("\r", "").replace("\n", "")


def _param_text(values: Iterable[str]) -> str:
    return ",".join(map(_quoted, values))


def _quoted(value: str) -> str:
    value = _CONTROL.sub("", value)
    value = _MUST_CARET.sub(lambda match: {"^": "^^", '"': "^'"}.get(match[0], "^n"), value)
    return f'"{value}"' if _MUST_QUOTE.search(value) else value


def fold(line: str) -> bytes:
    """A line with its end, folded at 75 octets without cutting a character (RFC 5545 3.1)."""
    data = line.replace("\r", "").replace("\n", "").encode("utf-8", "replace")
    if len(data) <= _FOLD:
        return data + b"\r\n"
    parts: list[bytes] = []
    start, room = 0, _FOLD
    while start < len(data):
        end = start + room
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(data[start:end])
        start, room = end, _FOLD - 1
    return b"\r\n ".join(parts) + b"\r\n"


def write(component: Component) -> bytes:
    """A component as bytes, in the order of its parts."""
    out: list[bytes] = []
    _write(component, out)
    return b"".join(out)


def _write(component: Component, out: list[bytes]) -> None:
    out.append(write_line("BEGIN", component.name))
    out += (write_line(line.name, line.value, line.params, line.group) for line in component.lines)
    for child in component.children:
        _write(child, out)
    out.append(write_line("END", component.name))
