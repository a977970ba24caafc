"""Whether a restriction holds for a message that is not in a store yet (MS-OXCDATA 2.12). Pure.

Text is compared without case, bytes as they are; a multi-valued property matches when any of its values does.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.mapi import proptags as pr
from gateway.mapi import restrictions as r
from gateway.mapi.props import MV_FLAG, Props, PropTag, Value, canonical

_MOST_DEPTH: Final = 64
_COMPARE: Final[Mapping[int, Callable[[Any, Any], bool]]] = {
    r.Relop.LT: operator.lt,
    r.Relop.LE: operator.le,
    r.Relop.GT: operator.gt,
    r.Relop.GE: operator.ge,
    r.Relop.EQ: operator.eq,
    r.Relop.NE: operator.ne,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule looks at: properties by tag, of the message, its recipients and its attachments."""

    props: Props
    recipients: Sequence[Props] = field(default=())
    attachments: Sequence[Props] = field(default=())


def matches(restriction: r.Restriction, subject: Subject, depth: int = 0) -> bool:
    """Whether the restriction holds; one that is nested too deeply or of an unknown kind does not."""
    test = _TESTS.get(type(restriction))
    return test is not None and depth < _MOST_DEPTH and test(restriction, subject, depth + 1)


def _values(props: Props, tag: PropTag) -> tuple[Value, ...]:
    """The values of a property: none, one, or those of a multi-valued one (also asked for by its instances)."""
    tag = canonical(tag & ~0x2000)
    found = props.get(tag, props.get(tag | MV_FLAG))
    if found is None:
        return ()
    return tuple(found) if isinstance(found, tuple) else (found,)


def _folded(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def _content(rule: r.Content, subject: Subject, _depth: int) -> bool:
    ignore = bool(rule.fuzzy & r.Fuzzy.IGNORECASE)
    place = rule.fuzzy & 0xFFFF
    wanted = _folded(rule.prop[1]) if ignore else rule.prop[1]
    for value in _values(subject.props, rule.tag):
        held = _folded(value) if ignore else value
        if type(held) is not type(wanted) or not isinstance(held, str | bytes):
            continue
        if place == r.Fuzzy.PREFIX:
            found = held.startswith(wanted)
        elif place == r.Fuzzy.SUBSTRING:
            found = wanted in held
        else:
            found = held == wanted
        if found:
            return True
    return False


def _property(rule: r.Property, subject: Subject, _depth: int) -> bool:
    values = _values(subject.props, rule.tag)
    if not values:
        return rule.relop == r.Relop.NE
    return any(_holds(rule.relop, value, rule.prop[1]) for value in values)


def _holds(relop: int, left: Value, right: Value) -> bool:
    if relop == r.Relop.RE:
        try:
            return isinstance(left, str) and len(right) <= 256 and re.search(right, left[:4096]) is not None
        except re.error:
            return False
    compare = _COMPARE.get(relop)
    try:
        return compare is not None and compare(_folded(left), _folded(right))
    except TypeError:
        return False


def _compare_props(rule: r.CompareProps, subject: Subject, _depth: int) -> bool:
    left, right = _values(subject.props, rule.tag1), _values(subject.props, rule.tag2)
    return bool(left and right) and _holds(rule.relop, left[0], right[0])


def _bitmask(rule: r.Bitmask, subject: Subject, _depth: int) -> bool:
    values = _values(subject.props, rule.tag)
    held = values[0] if values and isinstance(values[0], int) else 0
    return bool(held & rule.mask) is bool(rule.nonzero)


def _size(rule: r.Size, subject: Subject, _depth: int) -> bool:
    return any(_holds(rule.relop, _octets(value), rule.size) for value in _values(subject.props, rule.tag))


def _octets(value: Value) -> int:
    if isinstance(value, str):
        return len(value.encode())
    return len(value) if isinstance(value, bytes) else 4


def _sub(rule: r.Sub, subject: Subject, depth: int) -> bool:
    rows = subject.recipients if rule.tag == pr.PR_MESSAGE_RECIPIENTS else subject.attachments
    return any(matches(rule.part, Subject(row), depth) for row in rows)


_TESTS: Final[Mapping[type, Callable[[Any, Subject, int], bool]]] = {
    r.And: lambda rule, subject, depth: all(matches(part, subject, depth) for part in rule.parts),
    r.Or: lambda rule, subject, depth: any(matches(part, subject, depth) for part in rule.parts),
    r.Not: lambda rule, subject, depth: depth < _MOST_DEPTH and not matches(rule.part, subject, depth),
    r.Content: _content,
    r.Property: _property,
    r.CompareProps: _compare_props,
    r.Bitmask: _bitmask,
    r.Size: _size,
    r.Exist: lambda rule, subject, _depth: bool(_values(subject.props, rule.tag)),
    r.Sub: _sub,
    r.Comment: lambda rule, subject, depth: rule.part is None or matches(rule.part, subject, depth),
}
