"""The reader: XML in pieces of any size to values, without a tree.

Elements are matched against `Frame`s on a stack, so nothing is kept but what the declarations ask for. This is
not a general XML parser and must not be: no DTD, no entities but XML's five, and control characters that
XML 1.0 forbids are accepted, because the store writes them. Namespaces matter only for the envelope and the
call's element (`envelope`); arguments are matched by their qualified name, as the store does.
"""

from __future__ import annotations

import codecs
import re
from typing import Any, Final

from gateway.mapiclient.wire.errors import WireError
from gateway.mapiclient.wire.kinds import Frame, Ignored, Kind
from gateway.mapiclient.wire.spool import Base64Spool, Limits, Sink
from gateway.mapiclient.wire.text import escape

_NAME: Final = r"[A-Za-z_][\w.:-]*+"
_ATTRIBUTES: Final = r"""(?:\s(?:[^<>"'/]++|"[^<"]*+"|'[^<']*+'|/(?!>))*+)?+"""
#: An end tag, an empty element, a start tag, or a whole element that contains only text.
_TOKEN: Final = re.compile(rf"<(?:/({_NAME})\s*+>|({_NAME})({_ATTRIBUTES})(?:(/)>|>(?:([^<]*+)</\2\s*+>)?+))")
_NIL: Final = re.compile(r"""\bnil\s*=\s*["'](?:true|1)["']""")
_UTF8: Final = codecs.getincrementaldecoder("utf-8")
_LONGEST_TAG: Final = 1 << 16
_SLICE: Final = 1 << 17


class Reader:
    """Feeds a root frame; implements `kinds.Context`."""

    def __init__(self, root: Frame, limits: Limits, sink: Sink | None = None, *, strict: bool = False) -> None:
        root.element = ""
        self.max_items = limits.items
        self.includes: list[tuple[object, str, str]] = []
        self._root = root
        self._stack = [root]
        self._depth = limits.depth
        self._spool_from, self._sink = limits.spool_from, sink
        self._buffer = ""
        # A store may hold broken UTF-8, and one broken name must not hide a whole folder.
        self._decode = _UTF8("strict" if strict else "replace").decode

    def open(self, name: str, frame: Frame) -> None:
        """Go on as if the start tag of this element had just been read."""
        frame.element = name
        self._stack.append(frame)

    @property
    def open_elements(self) -> tuple[str, ...]:
        """The elements that have begun and not ended, the outermost first."""
        return tuple(frame.element for frame in self._stack[1:]) if not self._buffer else ()

    def spool(self, length: int) -> Base64Spool | None:
        """A place for a long value, when there is a sink."""
        if self._sink is None or length * 3 // 4 <= self._spool_from:
            return None
        return Base64Spool(self._sink())

    def include(self, owner: object, attribute: str, href: str) -> None:
        """Remember that an attribute waits for a part."""
        self.includes.append((owner, attribute, href))

    def feed(self, data: bytes) -> None:
        """Take the next bytes (WireError when they cannot be right)."""
        for start in range(0, len(data), _SLICE):
            self._take(data[start : start + _SLICE], final=False)

    def close(self) -> Any:
        """The value of the document (WireError when it is not complete)."""
        self._take(b"", final=True)
        if self._buffer.strip() or len(self._stack) > 1:
            raise WireError("the message ends in the middle")
        return self._root.finish()

    def _take(self, data: bytes, *, final: bool) -> None:
        try:
            text = self._decode(data, final)
        except UnicodeDecodeError as error:
            raise WireError(f"bad UTF-8: {error.reason}") from None
        self._buffer += text
        position = self._run(final=final)
        self._buffer = self._buffer[position:]

    def _run(self, *, final: bool) -> int:
        """Consume what the buffer has; the position of the rest."""
        buffer, position, stack, match = self._buffer, 0, self._stack, _TOKEN.match
        while True:
            frame = stack[-1]
            if frame.hungry:
                position = frame.fast(buffer, position)
                if not final and frame.is_cut(buffer, position):
                    return position
            token = match(buffer, position)
            if token is None:
                rest = self._odd(buffer, position, frame)
                if rest < 0:
                    return position
                position = rest
                continue
            position = token.end()
            end, name, attributes, empty, text = token.groups()
            if end is not None:
                self._end(end)
                continue
            kind = frame.child(name, attributes)
            if kind is None or (attributes and _NIL.search(attributes)):
                if text is None and empty is None:
                    self._start(name, Ignored())
            elif text is None and empty is None:
                self._start(name, kind.frame(self))
            else:
                frame.put(name, self._whole(name, kind, text or ""))

    def _whole(self, name: str, kind: Kind, text: str) -> Any:
        """The value of an element that has only text."""
        try:
            if kind.leaf:
                return kind.parse(text)
            frame = kind.frame(self)
            if text:
                frame.text(text)
            return frame.finish()
        except WireError as error:
            raise WireError(f"invalid value in element '{name}': {error}") from None

    def _start(self, name: str, frame: Frame) -> None:
        if len(self._stack) > self._depth:
            raise WireError(f"elements nested deeper than {self._depth}")
        self.open(name, frame)

    def _end(self, name: str) -> None:
        frame = self._stack[-1]
        if frame.element != name:
            raise WireError(f"</{name[:40]}> where </{frame.element[:40]}> was expected")
        self._stack.pop()
        if type(frame) is Ignored:
            return
        try:
            value = frame.finish()
        except WireError as error:
            raise WireError(f"invalid value in element '{name}': {error}") from None
        self._stack[-1].put(name, value)

    def _odd(self, buffer: str, position: int, frame: Frame) -> int:
        """Take text, a comment or the like; -1 when more bytes are needed."""
        if position >= len(buffer):
            return -1
        if buffer[position] != "<":
            stop = buffer.find("<", position)
            stop = len(buffer) if stop < 0 else stop
            frame.text(buffer[position:stop])
            return stop
        if buffer.startswith("<?", position):
            return self._until(buffer, position, "?>")
        if buffer.startswith("<!--", position):
            return self._until(buffer, position, "-->")
        if buffer.startswith("<![CDATA[", position):
            stop = self._until(buffer, position, "]]>")
            if stop >= 0:
                frame.text(escape(buffer[position + 9 : stop - 3]))
            return stop
        return self._unfinished(buffer, position)

    @staticmethod
    def _until(buffer: str, position: int, mark: str) -> int:
        stop = buffer.find(mark, position + 2)
        if stop >= 0:
            return stop + len(mark)
        if len(buffer) - position > _LONGEST_TAG:
            raise WireError("a comment or section that is too long")
        return -1

    @staticmethod
    def _unfinished(buffer: str, position: int) -> int:
        rest = buffer[position : position + 9]
        if rest[1:2] == "!":
            if "<!--".startswith(rest) or "<![CDATA[".startswith(rest):
                return -1
            raise WireError("a DTD is not allowed")
        if len(buffer) - position > _LONGEST_TAG:
            raise WireError("a tag that is too long")
        if len(rest) > 1 and not (rest[1].isalpha() or rest[1] in "/_"):
            raise WireError("malformed tag")
        if buffer.find("<", position + 1) >= 0:
            raise WireError("malformed tag")
        return -1
