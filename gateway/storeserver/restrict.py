"""Restrictions at work: a restriction of the wire becomes a function that tells whether a row matches.

A row is a dict of canonical tags to full values. The recipients and attachments that SUB restrictions look at
are lists of such dicts, filed under PR_MESSAGE_RECIPIENTS and PR_MESSAGE_ATTACHMENTS. `needs` tells what must
be in the row. Semantics are those of MS-OXCDATA 2.12 with Kopano's particulars: a missing property matches
only "not equal", properties compare without case, contents with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final, TypeAlias

from gateway.mapi import proptags as pt
from gateway.mapi.errors import ErrorCode, InvalidParameter
from gateway.mapi.posixregex import Pattern
from gateway.mapi.props import (
    MV_FLAG,
    PT_BINARY,
    PT_BOOLEAN,
    PT_CLSID,
    PT_LONG,
    PT_SHORT,
    PT_UNICODE,
    Props,
    PropTag,
    Value,
    canonical,
)
from gateway.mapi.restrictions import (
    And,
    Bitmask,
    Comment,
    CompareProps,
    Content,
    Exist,
    Fuzzy,
    Not,
    Or,
    Property,
    Relop,
    Restriction,
    Size,
    Sub,
)
from gateway.storeserver.collation import equality

MAX_DEPTH: Final = 16
"""Deeper restrictions are accepted but match nothing."""
MAX_NODES: Final = 10_000

#: Whether a row matches.
Match: TypeAlias = Callable[[Mapping[PropTag, Value]], bool]

_COMPARE: Final[dict[int, Callable[[Any, Any], bool]]] = {
    Relop.LT: lt,
    Relop.LE: le,
    Relop.GT: gt,
    Relop.GE: ge,
    Relop.EQ: eq,
    Relop.NE: ne,
}
#: Properties that tables do not show and restrictions do not see.
_UNSEEN: Final = frozenset(
    {pt.PR_HTML, pt.PR_RTF_COMPRESSED, pt.PR_HTML & ~0xFFFF | PT_UNICODE, pt.PR_EC_IMAP_EMAIL}
)
_ANR: Final = (
    pt.PR_DISPLAY_NAME,
    pt.PR_SMTP_ADDRESS,
    pt.PR_ACCOUNT,
    pt.PR_DEPARTMENT_NAME,
    pt.PR_BUSINESS_TELEPHONE_NUMBER,
    pt.PR_OFFICE_LOCATION,
    pt.PR_PRIMARY_FAX_NUMBER,
    pt.PR_SURNAME,
)
_SIZES: Final = {PT_SHORT: 2, PT_LONG: 4, 0x0004: 4, PT_BOOLEAN: 2}


@dataclass(slots=True)
class Needs:
    """What a restriction looks at: tags of the row, and tags of its recipients and attachments."""

    tags: set[PropTag] = field(default_factory=set)
    parts: dict[PropTag, set[PropTag]] = field(default_factory=dict)


def needs(restriction: Restriction) -> Needs:
    """The properties that rows must carry to be matched."""
    result = Needs()
    _collect(restriction, result, result.tags)
    result.tags -= _UNSEEN
    return result


def _collect(node: Restriction, into: Needs, tags: set[PropTag]) -> None:
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                _collect(part, into, tags)
        case Not(part):
            _collect(part, into, tags)
        case Comment(part, _):
            if part is not None:
                _collect(part, into, tags)
        case Sub(tag, part):
            _collect(part, into, into.parts.setdefault(tag, set()))
        case CompareProps(_, tag1, tag2):
            tags.update((canonical(tag1), canonical(tag2)))
        case _:
            tag = canonical(node.tag)
            tags.update(_ANR if tag == pt.PR_ANR else (tag,))


def compiled(restriction: Restriction) -> Match:
    """The function that tells whether a row matches.

    Raises InvalidParameter for a node without a value, for a value of another type than its property and for
    a malformed regular expression.
    """
    check(restriction)
    if _depth(restriction) > MAX_DEPTH:
        return lambda row: False
    return _compile(restriction)


def check(restriction: Restriction) -> None:
    """InvalidParameter for a restriction that has more nodes than can be meant."""
    count, waiting = 0, [restriction]
    while waiting:
        count += 1
        if count > MAX_NODES:
            raise InvalidParameter("a restriction has too many parts", code=ErrorCode.TOO_COMPLEX)
        waiting.extend(_children(waiting.pop()))


def _children(node: Restriction) -> tuple[Restriction, ...]:
    match node:
        case And(parts) | Or(parts):
            return parts
        case Not(part) | Sub(_, part):
            return (part,)
        case Comment(part, _) if part is not None:
            return (part,)
    return ()


def _depth(restriction: Restriction) -> int:
    depth, level = 0, [restriction]
    while level:
        depth += 1
        level = [child for node in level for child in _children(node)]
    return depth


def _compile(node: Restriction) -> Match:
    match node:
        case And(parts):
            all_of = [_compile(part) for part in parts]
            return lambda row: all(test(row) for test in all_of)
        case Or(parts):
            any_of = [_compile(part) for part in parts]
            return lambda row: any(test(row) for test in any_of)
        case Not(part):
            test = _compile(part)
            return lambda row: not test(row)
        case Comment(part, _):
            return _compile(part) if part is not None else lambda row: True
        case Sub():
            return _sub(node)
        case Exist(tag):
            tag = canonical(tag)
            return lambda row: tag in row and tag not in _UNSEEN
        case Bitmask():
            return _bitmask(node)
        case Size():
            return _size(node)
        case CompareProps():
            return _compare_props(node)
        case Property():
            return _property(node)
        case Content():
            return _content(node)
    raise InvalidParameter("an unknown kind of restriction")


def _sub(node: Sub) -> Match:
    test = _compile(node.part)
    tag = node.tag
    if tag not in (pt.PR_MESSAGE_RECIPIENTS, pt.PR_MESSAGE_ATTACHMENTS):
        raise InvalidParameter("a sub-restriction must name the recipients or the attachments")
    return lambda row: any(test(part) for part in row.get(tag, ()))


def _bitmask(node: Bitmask) -> Match:
    tag, mask, nonzero = node.tag, node.mask, node.nonzero

    def match(row: Mapping[PropTag, Value]) -> bool:
        value = row.get(tag)
        return isinstance(value, int) and bool(value & mask) is nonzero

    return match


def _relop(number: int) -> Callable[[Any, Any], bool]:
    try:
        return _COMPARE[number]
    except KeyError:
        raise InvalidParameter(f"unknown comparison {number}") from None


def _size(node: Size) -> Match:
    tag, size, compare = canonical(node.tag), node.size, _relop(node.relop)

    def match(row: Mapping[PropTag, Value]) -> bool:
        value = row.get(tag)
        return value is not None and compare(_size_of(tag & 0xFFFF, value), size)

    return match


def _size_of(type_: int, value: Value) -> int:
    if type_ & MV_FLAG:
        return sum(_size_of(type_ & ~MV_FLAG, item) for item in value)
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, bytes):
        return len(value)
    return _SIZES.get(type_, 8)


def comparable(type_: int) -> Callable[[Value], Any]:
    """The function that makes values of a type comparable: text loses its case."""
    if type_ & MV_FLAG:
        single = comparable(type_ & ~MV_FLAG)
        return lambda value: tuple(single(item) for item in value)
    return equality if type_ == PT_UNICODE else lambda value: value


def _compare_props(node: CompareProps) -> Match:
    tag1, tag2, compare = canonical(node.tag1), canonical(node.tag2), _relop(node.relop)
    if tag1 & 0xFFFF != tag2 & 0xFFFF:
        raise InvalidParameter("properties of different types do not compare")
    key = comparable(tag1 & 0xFFFF)

    def match(row: Mapping[PropTag, Value]) -> bool:
        first, second = row.get(tag1), row.get(tag2)
        return first is not None and second is not None and compare(key(first), key(second))

    return match


def _operand(node: Property | Content) -> tuple[PropTag, Value, bool]:
    """The property's canonical tag, the value, and whether any one of several values is to match."""
    if node.prop is None or node.prop[1] is None:
        raise InvalidParameter("a restriction without a value")
    tag, (value_tag, value) = canonical(node.tag), node.prop
    type_, value_type = tag & 0xFFFF, canonical(value_tag) & 0xFFFF
    any_of = bool(type_ & MV_FLAG) and not value_type & MV_FLAG
    if type_ != value_type and not (any_of and type_ == value_type | MV_FLAG):
        raise InvalidParameter("a restriction's value has another type than its property")
    return tag, value, any_of


def _property(node: Property) -> Match:
    tag, value, any_of = _operand(node)
    if tag == pt.PR_ANR:
        return _ambiguous_name(value)
    absent = node.relop == Relop.NE
    single = _single_property(node, tag & 0xFFFF & (~MV_FLAG if any_of else 0xFFFF), value)

    def match(row: Mapping[PropTag, Value]) -> bool:
        found = row.get(tag)
        if found is None or tag in _UNSEEN:
            return absent
        return any(map(single, found)) if any_of else single(found)

    return match


def _single_property(node: Property, type_: int, value: Value) -> Callable[[Value], bool]:
    if node.relop == Relop.RE:
        if type_ != PT_UNICODE:
            raise InvalidParameter("a regular expression needs a text property")
        return Pattern(value).search
    compare, key = _relop(node.relop), comparable(type_)
    wanted = key(value)
    return lambda found: compare(key(found), wanted)


def _ambiguous_name(text: str) -> Match:
    """PR_ANR: what is typed into an address field is the beginning of something that names the person."""
    wanted = text.casefold()
    return lambda row: any(str(row.get(tag, "")).casefold().startswith(wanted) for tag in _ANR)


def _content(node: Content) -> Match:
    tag, value, any_of = _operand(node)
    type_ = tag & 0xFFFF & ~MV_FLAG
    if type_ not in (PT_UNICODE, PT_BINARY, PT_CLSID) or (tag & MV_FLAG and not any_of):
        raise InvalidParameter("a content restriction needs text or bytes")
    fold = str.casefold if type_ == PT_UNICODE and node.fuzzy & Fuzzy.IGNORECASE else None
    single = _place(node.fuzzy & 0xFFFF, fold(value) if fold else value)

    def one(found: Value) -> bool:
        return single(fold(found) if fold else found)

    def match(row: Mapping[PropTag, Value]) -> bool:
        found = row.get(tag)
        if found is None or tag in _UNSEEN:
            return False
        return any(map(one, found)) if any_of else one(found)

    return match


def _place(place: int, wanted: Any) -> Callable[[Any], bool]:
    if place == Fuzzy.SUBSTRING:
        return lambda found: wanted in found
    if place == Fuzzy.PREFIX:
        return lambda found: bool(found.startswith(wanted))
    return lambda found: bool(found == wanted)


def rows_with_parts(row: Props, parts: Mapping[PropTag, list[Props]]) -> Props:
    """The row with its recipients and attachments filed where SUB restrictions look for them."""
    return {**row, **parts} if parts else row


def uid_bounds(restriction: Restriction) -> tuple[int, int]:
    """Between which PR_EC_IMAP_IDs every match must lie, as far as the restriction says so itself.

    IMAP gateways ask for ranges of UIDs all the time: with bounds a table need not look at the whole folder.
    """
    match restriction:
        case And(parts=parts):
            bounds = [uid_bounds(part) for part in parts] or [ANY_UID]
            return max(first for first, _ in bounds), min(last for _, last in bounds)
        case Or(parts=parts) if parts:
            bounds = [uid_bounds(part) for part in parts]
            return min(first for first, _ in bounds), max(last for _, last in bounds)
        case Property(relop=relop, tag=pt.PR_EC_IMAP_ID, prop=(pt.PR_EC_IMAP_ID, int(value))):
            below, above = _UID_BOUNDS.get(relop, (None, None))
            first = ANY_UID[0] if below is None else value + below
            return first, ANY_UID[1] if above is None else value + above
    return ANY_UID


ANY_UID: Final = (0, 0xFFFFFFFF)
#: How far from the compared value the first and the last match lie; None is no limit on that side.
_UID_BOUNDS: Final[dict[int, tuple[int | None, int | None]]] = {
    Relop.LT: (None, -1),
    Relop.LE: (None, 0),
    Relop.GT: (1, None),
    Relop.GE: (0, None),
    Relop.EQ: (0, 0),
}
