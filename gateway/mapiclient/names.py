"""Named properties: the ids a store server gave to names, cached for ever because they never change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from gateway.mapi.propnames import REGISTERED_BASE, static_id
from gateway.mapi.props import NamedProps, NamedTag, PropKey, PropName, Props, PropTag, prop_id, prop_type
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.wire.calls_object import GetIdsFromNames, GetNamesFromIds

_CREATE = 2


class Names:
    """Names and ids of one store server, through one session. The cache is shared by all sessions of the server."""

    _caches: ClassVar[dict[bytes, tuple[dict[PropName, int], dict[int, PropName | None]]]] = {}

    def __init__(self, session: Caller) -> None:
        self._session = session

    def _cache(self) -> tuple[dict[PropName, int], dict[int, PropName | None]]:
        guid = self._session.server_guid
        # Before its first call a session does not know which server it talks to.
        return self._caches.setdefault(guid, ({}, {})) if guid else ({}, {})

    async def tags(self, keys: Sequence[PropKey], *, create: bool = True) -> list[PropTag]:
        """The tags of keys, in order. Unknown names are created, or give 0 without ``create``."""
        await self._learn({key.name for key in keys if isinstance(key, NamedTag)}, create=create)
        return [self._tag(key) for key in keys]

    def _tag(self, key: PropKey) -> PropTag:
        if not isinstance(key, NamedTag):
            return key
        fixed = static_id(key.name)
        found = fixed if fixed is not None else self._cache()[0].get(key.name, 0)
        return found << 16 | key.type if found else 0

    async def to_tags(self, props: NamedProps | Props, *, create: bool = True) -> Props:
        """The properties with every name replaced by its tag; unknown names are left out without ``create``."""
        tags = await self.tags(list(props), create=create)
        return {tag: value for tag, value in zip(tags, props.values(), strict=True) if tag}

    async def to_named(self, props: Props) -> NamedProps:
        """The properties with registered ids replaced by their names; ids without a name stay."""
        await self.learn_ids(tag for tag in props)
        ids = self._cache()[1]
        named: NamedProps = {}
        for tag, value in props.items():
            name = ids.get(prop_id(tag)) if prop_id(tag) > REGISTERED_BASE else None
            named[tag if name is None else NamedTag(name, prop_type(tag))] = value
        return named

    async def learn_ids(self, tags: Iterable[PropTag]) -> None:
        """Ask for the names of all registered ids among these tags, in one call."""
        known = self._cache()[1].keys()
        unknown = sorted({prop_id(tag) for tag in tags if prop_id(tag) > REGISTERED_BASE} - known)
        if not unknown:
            return
        reply = await self._session.call(
            GetNamesFromIds(prop_tags=[number - REGISTERED_BASE for number in unknown])
        )
        names, ids = self._cache()
        for number, name in zip(unknown, reply.names, strict=False):
            ids[number] = name
            if name is not None:
                names[name] = number

    async def _learn(self, wanted: set[PropName], *, create: bool) -> None:
        known = self._cache()[0]
        unknown = sorted((name for name in wanted if name not in known and static_id(name) is None), key=repr)
        # A server creates two names with equal ids but different sets as one when they come together.
        for batch in _without_twins(unknown) if create else ([unknown] if unknown else []):
            reply = await self._session.call(GetIdsFromNames(named_props=batch, flags=_CREATE if create else 0))
            names, ids = self._cache()
            for name, number in zip(batch, reply.prop_tags, strict=False):
                if number:
                    names[name] = REGISTERED_BASE + number
                    ids[REGISTERED_BASE + number] = name


def _without_twins(names: Sequence[PropName]) -> list[list[PropName]]:
    """The names in as few batches as keep equal ids of different property sets apart."""
    batches: list[tuple[set[object], list[PropName]]] = []
    for name in names:
        key = name.id.lower() if isinstance(name.id, str) else name.id
        for keys, batch in batches:
            if key not in keys:
                keys.add(key)
                batch.append(name)
                break
        else:
            batches.append(({key}, [name]))
    return [batch for _, batch in batches]
