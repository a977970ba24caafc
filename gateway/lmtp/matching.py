"""Whether a restriction holds for a message that is not in a store yet (MS-OXCDATA 2.12). Pure.

Text is compared without case, bytes as they are; a multi-valued property matches when any of its values does.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.mapi import proptags as pr
from gateway.mapi import restrictions as r
from gateway.mapi.errors import InvalidParameter
from gateway.mapi.posixregex import Pattern
from gateway.mapi.props import (
    MV_FLAG,
    PT_APPTIME,
    PT_BOOLEAN,
    PT_CURRENCY,
    PT_DOUBLE,
    PT_LONGLONG,
    PT_SHORT,
    PT_SYSTIME,
    Props,
    PropTag,
    Value,
    canonical,
    prop_type,
)

_MOST_DEPTH: Final = 64
#: FL_LOOSE: as people would match; here in any case.
_LOOSE: Final = 0x40000
#: Characters of a text that a regular expression looks at.
_SEARCHED: Final = 1024
#: Octets of values of fixed size that are not four.
_WIDTHS: Final = {
    PT_BOOLEAN: 1,
    PT_SHORT: 2,
    PT_DOUBLE: 8,
    PT_CURRENCY: 8,
    PT_APPTIME: 8,
    PT_LONGLONG: 8,
    PT_SYSTIME: 8,
}
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


def matches(restriction: r.Restriction, subject: Subject) -> bool:
    """Whether the restriction holds; one that is nested too deeply or has an unknown kind in it does not."""
    return _is_understood(restriction) and _holds_for(restriction, subject)


def _is_understood(restriction: r.Restriction) -> bool:
    level, depth = [restriction], 0
    while level:
        depth += 1
        if depth > _MOST_DEPTH or any(type(node) not in _TESTS for node in level):
            return False
        level = [part for node in level for part in _parts(node)]
    return True


def _parts(node: r.Restriction) -> tuple[r.Restriction, ...]:
    match node:
        case r.And(parts) | r.Or(parts):
            return parts
        case r.Not(part) | r.Sub(_, part):
            return (part,)
        case r.Comment(part, _) if part is not None:
            return (part,)
    return ()


def _holds_for(restriction: r.Restriction, subject: Subject) -> bool:
    return _TESTS[type(restriction)](restriction, subject)


def _values(props: Props, tag: PropTag) -> tuple[Value, ...]:
    """The values of a property: none, one, or those of a multi-valued one (also asked for by its instances)."""
    tag = canonical(tag & ~0x2000)
    found = props.get(tag, props.get(tag | MV_FLAG))
    if found is None:
        return ()
    return tuple(found) if isinstance(found, tuple) else (found,)


def _folded(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def _content(rule: r.Content, subject: Subject) -> bool:
    ignore = bool(rule.fuzzy & (r.Fuzzy.IGNORECASE | _LOOSE))
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


def _property(rule: r.Property, subject: Subject) -> bool:
    values = _values(subject.props, rule.tag)
    if not values:
        return rule.relop == r.Relop.NE
    return any(_holds(rule.relop, value, rule.prop[1]) for value in values)


def _holds(relop: int, left: Value, right: Value) -> bool:
    if relop == r.Relop.RE:
        return _found(right, left)
    compare = _COMPARE.get(relop)
    try:
        return compare is not None and compare(_folded(left), _folded(right))
    except TypeError:
        return False


def _found(pattern: Value, text: Value) -> bool:
    """Whether a regular expression is found in the beginning of a text; a malformed one is not."""
    if not isinstance(pattern, str) or not isinstance(text, str):
        return False
    try:
        return Pattern(pattern).search(text[:_SEARCHED])
    except InvalidParameter:
        return False


def _compare_props(rule: r.CompareProps, subject: Subject) -> bool:
    left, right = _values(subject.props, rule.tag1), _values(subject.props, rule.tag2)
    return bool(left and right) and _holds(rule.relop, left[0], right[0])


def _bitmask(rule: r.Bitmask, subject: Subject) -> bool:
    values = _values(subject.props, rule.tag)
    held = values[0] if values and isinstance(values[0], int) else 0
    return bool(held & rule.mask) is bool(rule.nonzero)


def _size(rule: r.Size, subject: Subject) -> bool:
    return any(
        _holds(rule.relop, _octets(rule.tag, value), rule.size) for value in _values(subject.props, rule.tag)
    )


def _octets(tag: PropTag, value: Value) -> int:
    if isinstance(value, str):
        return len(value.encode())
    return len(value) if isinstance(value, bytes) else _WIDTHS.get(prop_type(tag) & ~MV_FLAG, 4)


def _sub(rule: r.Sub, subject: Subject) -> bool:
    rows = subject.recipients if rule.tag == pr.PR_MESSAGE_RECIPIENTS else subject.attachments
    return any(_holds_for(rule.part, Subject(row)) for row in rows)


_TESTS: Final[Mapping[type, Callable[[Any, Subject], bool]]] = {
    r.And: lambda rule, subject: all(_holds_for(part, subject) for part in rule.parts),
    r.Or: lambda rule, subject: any(_holds_for(part, subject) for part in rule.parts),
    r.Not: lambda rule, subject: not _holds_for(rule.part, subject),
    r.Content: _content,
    r.Property: _property,
    r.CompareProps: _compare_props,
    r.Bitmask: _bitmask,
    r.Size: _size,
    r.Exist: lambda rule, subject: bool(_values(subject.props, rule.tag)),
    r.Sub: _sub,
    r.Comment: lambda rule, subject: rule.part is None or _holds_for(rule.part, subject),
}
