"""Restrictions, sort orders and rule actions on the wire (values of `gateway.mapi`)."""

from __future__ import annotations

from typing import Any, Final

from gateway.mapi import restrictions as r
from gateway.mapi import rules
from gateway.mapi.tables import SortKey
from gateway.mapiclient.wire.errors import WireError
from gateway.mapiclient.wire.kinds import Kind
from gateway.mapiclient.wire.scalars import U32
from gateway.mapiclient.wire.schema import (
    Field,
    Lazy,
    Struct,
    array_of,
    binary,
    field,
    maybe,
    struct_of,
    uint,
)
from gateway.mapiclient.wire.values import PROP, PROPS, ROWS


def _restriction() -> Kind:
    return RESTRICTION


_NESTED: Final = Lazy(_restriction)
_PARTS: Final = array_of(_NESTED)


def _bitmask(values: dict[str, Any]) -> r.Bitmask:
    return r.Bitmask(values["tag"], values["mask"], values["nonzero"] != 0)


def _comment(values: dict[str, Any]) -> r.Comment:
    return r.Comment(values["part"], tuple(values["props"]))


_CONTENT: Final = struct_of(
    r.Content, fuzzy=uint("ulFuzzyLevel"), tag=uint("ulPropTag"), prop=maybe("lpProp", PROP)
)
_PROPERTY: Final = struct_of(
    r.Property, relop=uint("ulType"), tag=uint("ulPropTag"), prop=maybe("lpProp", PROP)
)
_BITMASK: Final = Struct(
    {"mask": uint("ulMask"), "tag": uint("ulPropTag"), "nonzero": uint("ulType")},
    _bitmask,
    lambda value: (value.mask, value.tag, int(value.nonzero)),
)
_COMMENT: Final = Struct(
    {"part": maybe("lpResTable", _NESTED), "props": field("sProps", PROPS)},
    _comment,
    lambda value: (value.part, value.props),
)

#: What the number of a restriction means: its class, its member's element and that member's kind.
_RESTRICTIONS: Final[dict[int, tuple[type, str, Any]]] = {
    0: (r.And, "lpAnd", _PARTS),
    1: (r.Or, "lpOr", _PARTS),
    2: (r.Not, "lpNot", struct_of(r.Not, part=maybe("lpNot", _NESTED))),
    3: (r.Content, "lpContent", _CONTENT),
    4: (r.Property, "lpProp", _PROPERTY),
    5: (
        r.CompareProps,
        "lpCompare",
        struct_of(r.CompareProps, tag1=uint("ulPropTag1"), tag2=uint("ulPropTag2"), relop=uint("ulType")),
    ),
    6: (r.Bitmask, "lpBitmask", _BITMASK),
    7: (r.Size, "lpSize", struct_of(r.Size, relop=uint("ulType"), tag=uint("ulPropTag"), size=uint("cb"))),
    8: (r.Exist, "lpExist", struct_of(r.Exist, tag=uint("ulPropTag"))),
    9: (r.Sub, "lpSub", struct_of(r.Sub, tag=uint("ulSubObject"), part=maybe("lpSubObject", _NESTED))),
    10: (r.Comment, "lpComment", _COMMENT),
}
_NUMBERS: Final = {cls: number for number, (cls, _, _) in _RESTRICTIONS.items()}


def _make_restriction(values: dict[str, Any]) -> Any:
    """The restriction of its number; WireError when the number is unknown or its member missing."""
    number = values["type"]
    try:
        cls, element, _ = _RESTRICTIONS[number]
    except KeyError:
        raise WireError(f"restriction type {number} does not exist") from None
    member = values[element]
    if member is None:
        raise WireError(f"restriction of type {number} without <{element}>")
    if cls in (r.And, r.Or):
        return cls(member)
    if getattr(member, "part", member) is None and cls is not r.Comment:
        raise WireError(f"restriction of type {number} without an inner one")
    return member


def _split_restriction(value: Any) -> tuple[Any, ...]:
    try:
        number = _NUMBERS[type(value)]
    except KeyError:
        raise WireError(f"{type(value).__name__} is no restriction") from None
    member = value.parts if number <= 1 else value
    return (number, *(member if number == each else None for each in _RESTRICTIONS))


#: A restrictTable.
RESTRICTION: Final[Struct] = Struct(
    {"type": uint("ulType")} | {element: maybe(element, kind) for _, element, kind in _RESTRICTIONS.values()},
    _make_restriction,
    _split_restriction,
)

SORT_ORDER: Final = array_of(struct_of(SortKey, tag=uint("ulPropTag"), direction=uint("ulOrder")), "sortOrder")


def _pair(first: Field, second: Field) -> Struct:
    return Struct({"first": first, "second": second}, lambda values: (values["first"], values["second"]), tuple)


def _make_action(values: dict[str, Any]) -> rules.Action:
    kind, flavor, flags = values["type"], values["flavor"], values["flags"]
    if (pair := values["move_copy"]) is not None:
        return rules.MoveCopy(kind, pair[0], pair[1], flavor, flags)
    if (pair := values["reply"]) is not None:
        return rules.Reply(kind, pair[0], pair[1], flavor, flags)
    if values["defer"] is not None:
        return rules.Defer(values["defer"], kind, flavor, flags)
    if values["bounce"] is not None:
        return rules.Bounce(values["bounce"], kind, flavor, flags)
    if values["recipients"] is not None:
        return rules.Forward(kind, tuple(map(tuple, values["recipients"])), flavor, flags)
    if values["prop"] is not None:
        return rules.Tag(values["prop"], kind, flavor, flags)
    return rules.Plain(kind, flavor, flags)


def _split_action(value: Any) -> tuple[Any, ...]:
    members: list[Any] = [None] * 6
    match value:
        case rules.MoveCopy():
            members[0] = (value.store, value.folder)
        case rules.Reply():
            members[1] = (value.message, value.guid)
        case rules.Defer():
            members[2] = value.data
        case rules.Bounce():
            members[3] = value.code
        case rules.Forward():
            members[4] = value.recipients
        case rules.Tag():
            members[5] = value.prop
        case rules.Plain():
            pass
        case _:
            raise WireError(f"{type(value).__name__} is no rule action")
    return (value.type, value.flavor, value.flags, *members)


_DEFER: Final = Struct({"data": binary("bin")}, lambda values: values["data"], lambda value: (value,))
_ACTION: Final = Struct(
    {
        "type": uint("acttype"),
        "flavor": uint("flavor"),
        "flags": uint("flags"),
        "move_copy": maybe("moveCopy", _pair(binary("store"), binary("folder"))),
        "reply": maybe("reply", _pair(binary("message"), binary("guid"))),
        "defer": maybe("defer", _DEFER),
        "bounce": maybe("bouncecode", U32),
        "recipients": maybe("adrlist", ROWS),
        "prop": maybe("prop", PROP),
    },
    _make_action,
    _split_action,
)
#: The actions of a rule.
ACTIONS: Final = array_of(_ACTION, "action")
