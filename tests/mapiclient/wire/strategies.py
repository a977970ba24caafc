"""Random values of every kind, for round trips."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from gateway.mapi import props as p
from gateway.mapi import restrictions as r
from gateway.mapi import rules
from gateway.mapi.notices import ChangeNotice, Delivery, NewMailNotice, ObjectNotice, TableNotice
from gateway.mapi.props import PropName
from gateway.mapiclient.wire import filters, scalars, structs, values
from gateway.mapiclient.wire.kinds import Array, Kind
from gateway.mapiclient.wire.schema import Lazy, Repeated, Struct


def examples(count: int) -> settings:
    """So many examples, however busy the machine is."""
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])


# NUL cannot be stored and is dropped; lone surrogates have no UTF-8 form.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
binaries = st.binary(max_size=12)
u32 = st.integers(0, 0xFFFFFFFF)
tags = st.sampled_from(sorted(set(values.VALUES) - {p.PT_SRESTRICTION, p.PT_ACTIONS})).flatmap(
    lambda kind: st.integers(0, 0xFFFF).map(lambda number: number << 16 | kind)
)

_SINGLE: dict[int, st.SearchStrategy[Any]] = {
    p.PT_NULL: u32,
    p.PT_SHORT: st.integers(-0x8000, 0x7FFF),
    p.PT_LONG: u32,
    p.PT_ERROR: u32,
    p.PT_FLOAT: st.floats(width=32, allow_nan=False),
    p.PT_DOUBLE: st.floats(allow_nan=False),
    p.PT_APPTIME: st.floats(allow_nan=False),
    p.PT_BOOLEAN: st.booleans(),
    p.PT_LONGLONG: st.integers(-(1 << 63), (1 << 63) - 1),
    p.PT_CURRENCY: st.integers(-(1 << 63), (1 << 63) - 1),
    p.PT_SYSTIME: st.integers(-(1 << 63), (1 << 63) - 1),
    p.PT_STRING8: texts,
    p.PT_UNICODE: texts,
    p.PT_BINARY: binaries,
    p.PT_CLSID: st.binary(min_size=16, max_size=16),
}


def value_of(tag: int) -> st.SearchStrategy[Any]:
    kind = tag & 0xFFFF
    single = _SINGLE[kind & ~p.MV_FLAG]
    return st.lists(single, max_size=3).map(tuple) if kind & p.MV_FLAG else single


props = tags.flatmap(lambda tag: st.tuples(st.just(tag), value_of(tag)))
props_or_null = props | tags.filter(lambda tag: not tag & p.MV_FLAG).map(lambda tag: (tag, None))
rows = st.lists(props, max_size=3)
names = st.builds(PropName, st.binary(min_size=16, max_size=16), u32 | texts)

_leaves = st.one_of(
    st.builds(r.Content, u32, u32, props),
    st.builds(r.Property, u32, u32, props),
    st.builds(r.CompareProps, u32, u32, u32),
    st.builds(r.Bitmask, u32, u32, st.booleans()),
    st.builds(r.Size, u32, u32, u32),
    st.builds(r.Exist, u32),
    st.builds(r.Comment, st.none(), st.lists(props, max_size=2).map(tuple)),
)
restrictions: st.SearchStrategy[Any] = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.builds(r.And, st.lists(inner, max_size=3).map(tuple)),
        st.builds(r.Or, st.lists(inner, max_size=3).map(tuple)),
        st.builds(r.Not, inner),
        st.builds(r.Sub, u32, inner),
        st.builds(r.Comment, inner, st.lists(props, max_size=2).map(tuple)),
    ),
    max_leaves=8,
)
actions: st.SearchStrategy[Any] = st.lists(
    st.one_of(
        st.builds(rules.MoveCopy, u32, binaries, binaries, u32, u32),
        st.builds(rules.Reply, u32, binaries, binaries, u32, u32),
        st.builds(rules.Defer, binaries, u32, u32, u32),
        st.builds(rules.Bounce, u32, u32, u32, u32),
        st.builds(rules.Forward, u32, st.lists(rows.map(tuple), max_size=2).map(tuple), u32, u32),
        st.builds(rules.Tag, props, u32, u32, u32),
        st.builds(rules.Plain, u32, u32, u32),
    ),
    max_size=3,
).map(tuple)

_maybe = st.none() | binaries
deliveries = st.builds(
    Delivery,
    u32,
    st.one_of(
        st.builds(
            ObjectNotice,
            u32,
            _maybe,
            u32,
            _maybe,
            _maybe,
            _maybe,
            st.none() | st.lists(u32, max_size=3).map(tuple),
        ),
        st.builds(NewMailNotice, u32, _maybe, _maybe, st.none() | texts, u32),
        st.builds(TableNotice, u32, u32, u32, u32, props, props, st.none() | rows.map(tuple)),
        st.builds(ChangeNotice, u32, u32, u32, u32),
    ),
)
subscriptions = st.builds(structs.Subscription, u32, binaries, u32, u32, u32)
trees = st.deferred(lambda: of_struct(structs.OBJECT_TREE, depth=1))

_KINDS: dict[int, st.SearchStrategy[Any]] = {
    id(scalars.U32): u32,
    id(scalars.I32): st.integers(-(1 << 31), (1 << 31) - 1),
    id(scalars.I16): _SINGLE[p.PT_SHORT],
    id(scalars.I64): _SINGLE[p.PT_LONGLONG],
    id(scalars.U64): st.integers(0, (1 << 64) - 1),
    id(scalars.BOOL): st.booleans(),
    id(scalars.F32): _SINGLE[p.PT_FLOAT],
    id(scalars.F64): _SINGLE[p.PT_DOUBLE],
    id(scalars.TEXT): texts,
    id(scalars.BINARY): binaries,
    id(scalars.LARGE_BINARY): binaries,
    id(scalars.XOP): binaries,
    id(values.PROP): props,
    id(values.PROPS): rows,
    id(values.ROWS): st.lists(rows, max_size=3),
    id(filters.RESTRICTION): restrictions,
    id(filters.ACTIONS): actions,
    id(structs.DELIVERY): deliveries,
    id(structs.SUBSCRIPTION): subscriptions,
    id(structs.NAMES.item): names,
    id(structs.OBJECT_TREE): trees,
}


def of_kind(kind: Kind, depth: int = 0) -> st.SearchStrategy[Any]:
    known = _KINDS.get(id(kind))
    if known is not None:
        return known
    if isinstance(kind, Array):
        return st.lists(of_kind(kind.item, depth), max_size=3).map(kind.into)
    if isinstance(kind, Repeated):
        return st.just(()) if depth else st.lists(of_kind(kind.item, 1), max_size=2).map(tuple)
    if isinstance(kind, Lazy):
        return of_kind(kind._kind(), depth)
    assert isinstance(kind, Struct)
    return of_struct(kind, depth)


def of_struct(struct: Struct, depth: int = 0) -> st.SearchStrategy[Any]:
    members = {}
    for name, field in struct.members.items():
        inner = of_kind(field.kind, depth)
        members[name] = st.none() | inner if field.optional else inner
    return st.fixed_dictionaries(members).map(struct.make)
