"""Components as text to be written: lists of unfolded lines, which cost a fraction of typed ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.convert.lines import Component, escape, fold, line_text

_LONGEST: Final = 75
#: C1 controls and noncharacters: some clients refuse a whole answer that holds one.
_UNWANTED: Final = re.compile("[\x80-\x9f\ud800-\udfff\ufffe\uffff]")
_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(slots=True)
class Block:
    """A component: its name, its lines without their ends, and what is inside it."""

    name: str
    lines: list[str] = field(default_factory=list)
    children: list[Block] = field(default_factory=list)

    def text(self, name: str, value: str) -> None:
        """Add a TEXT property."""
        self.lines.append(f"{name}:{text_value(value)}")

    def raw(self, name: str, value: str) -> None:
        """Add a property with a value that is no TEXT (a URI), without what could end the line."""
        self.lines.append(f"{name}:{_UNSAFE.sub('', value)}")


def text_value(value: str) -> str:
    """A TEXT value."""
    if not value.isprintable() and not value.isascii():
        value = _UNWANTED.sub("", value)
    return escape(value)


def block_of(component: Component) -> Block:
    """A parsed component, to be written as it came."""
    lines = [line_text(line.name, line.value, line.params, line.group) for line in component.lines]
    return Block(component.name, lines, [block_of(child) for child in component.children])


def flat(block: Block, out: list[str]) -> None:
    """Add all lines of a component."""
    out.append("BEGIN:" + block.name)
    out += block.lines
    for child in block.children:
        flat(child, out)
    out.append("END:" + block.name)


def encoded(lines: Sequence[str]) -> bytes:
    """Lines as octets, folded."""
    if not lines:
        return b""
    text = "\r\n".join(lines)
    breaks = len(lines) - 1
    if not text.count("\n") == breaks == text.count("\r"):
        return b"".join(map(fold, lines))
    data = text.encode("utf-8", "replace")
    parts = data.split(b"\r\n")
    if max(map(len, parts)) <= _LONGEST:
        return data + b"\r\n"
    pairs = zip(parts, lines, strict=True)
    return b"".join([part + b"\r\n" if len(part) <= _LONGEST else fold(line) for part, line in pairs])
