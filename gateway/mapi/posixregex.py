r"""Regular expressions of restrictions (relop RE), matched in time that grows only with pattern times text.

The pattern comes from a client and the text from a mail, so a backtracking matcher could be made to run for
hours. This one follows all alternatives at once (Thompson's construction), a set of states per character.
The language is that of POSIX extended expressions: ``. [] [^] * + ? {m,n} | () ^ $ \\``, without back
references; letters ignore case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gateway.mapi.errors import InvalidParameter

MAX_PATTERN: Final = 512
MAX_STATES: Final = 2_000
MAX_NESTING: Final = 32
MAX_TEXT: Final = 64 * 1024

_Test: TypeAlias = Callable[[str], bool]
_CLASSES: Final[dict[str, _Test]] = {
    "alpha": str.isalpha,
    "digit": str.isdigit,
    "alnum": str.isalnum,
    "space": str.isspace,
    "upper": str.isalpha,  # letters ignore case
    "lower": str.isalpha,
    "punct": lambda char: not char.isalnum() and not char.isspace() and char.isprintable(),
}
_SIGNS: Final[dict[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


@dataclass(slots=True)
class _One:
    """A character that passes a test."""

    test: _Test


@dataclass(slots=True)
class _Anchor:
    """``^`` or ``$``."""

    sign: str


@dataclass(slots=True)
class _Sequence:
    parts: list[_Node] = field(default_factory=list)


@dataclass(slots=True)
class _Choice:
    parts: list[_Sequence] = field(default_factory=list)


@dataclass(slots=True)
class _Repeat:
    part: _Node
    low: int
    high: int | None


_Node: TypeAlias = "_One | _Anchor | _Sequence | _Choice | _Repeat"


@dataclass(slots=True)
class _State:
    """It consumes a character that passes ``test``, or leads on for free (only at ``anchor``, if it has one)."""

    next: list[int]
    test: _Test | None = None
    anchor: str = ""


class Pattern:
    """A compiled expression."""

    def __init__(self, text: str) -> None:
        """Compile it (InvalidParameter when it is malformed or too large)."""
        if len(text) > MAX_PATTERN:
            raise InvalidParameter(f"a regular expression may have {MAX_PATTERN} characters")
        tree = _Parser(text.lower()).parse()
        self._states: list[_State] = []
        self._final = self._add(_State([]))
        self._start = self._build(tree, self._final)

    def search(self, text: str) -> bool:
        """Whether some part of the text (its first 64 Ki characters) matches."""
        text = text[:MAX_TEXT].lower()
        size = len(text)
        current: set[int] = set()
        for at in range(size + 1):
            current.add(self._start)
            current = self._closed(current, at == 0, at == size)
            if self._final in current:
                return True
            if at < size:
                current = self._step(current, text[at])
        return False

    def _step(self, states: Iterable[int], char: str) -> set[int]:
        result: set[int] = set()
        for number in states:
            state = self._states[number]
            if state.test is not None and state.test(char):
                result.update(state.next)
        return result

    def _closed(self, states: Iterable[int], first: bool, last: bool) -> set[int]:
        """The states and all that free steps lead to from there."""
        waiting = list(states)
        reached: set[int] = set()
        while waiting:
            number = waiting.pop()
            if number in reached:
                continue
            reached.add(number)
            state = self._states[number]
            if state.test is None and (not state.anchor or (first if state.anchor == "^" else last)):
                waiting.extend(state.next)
        return reached

    def _add(self, state: _State) -> int:
        if len(self._states) >= MAX_STATES:
            raise InvalidParameter("a regular expression is too complex")
        self._states.append(state)
        return len(self._states) - 1

    def _build(self, node: _Node, target: int) -> int:
        """Add the states of a node that lead to ``target``; the state to start at."""
        match node:
            case _One(test):
                return self._add(_State([target], test))
            case _Anchor(sign):
                return self._add(_State([target], anchor=sign))
            case _Sequence(parts):
                for part in reversed(parts):
                    target = self._build(part, target)
                return target
            case _Choice(choices):
                return self._add(_State([self._build(part, target) for part in choices]))
            case _Repeat(part, low, high):
                return self._repeat(part, low, high, target)

    def _repeat(self, part: _Node, low: int, high: int | None, target: int) -> int:
        if high is None:
            loop = self._add(_State([target]))
            self._states[loop].next.append(self._build(part, loop))
            start = loop
        else:
            start = target
            for _ in range(high - low):
                start = self._add(_State([target, self._build(part, start)]))
        for _ in range(low):
            start = self._build(part, start)
        return start


class _Parser:
    """Recursive descent; every method leaves ``at`` behind what it read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def parse(self) -> _Node:
        """The whole pattern."""
        tree = self._choice()
        if self._at < len(self._text):
            raise InvalidParameter("unbalanced ) in a regular expression")
        return tree

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        char = self._peek()
        self._at += 1
        return char

    def _choice(self) -> _Choice:
        result = _Choice([self._sequence()])
        while self._peek() == "|":
            self._take()
            result.parts.append(self._sequence())
        return result

    def _sequence(self) -> _Sequence:
        result = _Sequence()
        while self._peek() not in ("", "|", ")"):
            node = self._atom()
            while self._peek() in ("*", "+", "?", "{"):
                node = _Repeat(node, *self._counts())
            result.parts.append(node)
        return result

    def _counts(self) -> tuple[int, int | None]:
        sign = self._take()
        if sign != "{":
            return _SIGNS[sign]
        end = self._text.find("}", self._at)
        low, comma, high = self._text[self._at : max(end, self._at)].partition(",")
        if not low.isdecimal() or len(low + high) > 8 or (high and not high.isdecimal()):
            raise InvalidParameter("malformed {} in a regular expression")
        self._at = end + 1
        least = int(low)
        most = least if not comma else int(high) if high else None
        if most is not None and most < least:
            raise InvalidParameter("malformed {} in a regular expression")
        return least, most

    def _atom(self) -> _Node:
        char = self._take()
        if char == "(":
            return self._group()
        if char in "^$":
            return _Anchor(char)
        if char == ".":
            return _One(lambda _: True)
        if char == "[":
            return _One(self._set())
        if char in "*+?":
            raise InvalidParameter("nothing to repeat in a regular expression")
        if char == "\\":
            char = self._take() or "\\"
        return _One(char.__eq__)

    def _group(self) -> _Node:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise InvalidParameter("a regular expression is nested too deeply")
        node = self._choice()
        if self._take() != ")":
            raise InvalidParameter("unbalanced ( in a regular expression")
        self._depth -= 1
        return node

    def _set(self) -> _Test:
        """A bracket expression, behind its ``[``; a ``]`` that comes first is a member."""
        negated = self._peek() == "^"
        self._at += negated
        tests = [self._member()]
        while self._peek() != "]":
            tests.append(self._member())
        self._take()
        return lambda char: any(test(char) for test in tests) is not negated

    def _member(self) -> _Test:
        if self._text.startswith("[:", self._at):
            return self._class()
        low = self._take()
        if not low:
            raise InvalidParameter("unbalanced [ in a regular expression")
        if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("", "]"):
            self._take()
            high = self._take()
            return lambda char: low <= char <= high
        return low.__eq__

    def _class(self) -> _Test:
        end = self._text.find(":]", self._at)
        name = self._text[self._at + 2 : max(end, 0)]
        if name not in _CLASSES:
            raise InvalidParameter("unknown character class in a regular expression")
        self._at = end + 2
        return _CLASSES[name]
