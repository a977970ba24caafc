"""Named properties: created once, asked once, told apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.mapi.propnames import PS_INTERNET_HEADERS, PS_PUBLIC_STRINGS, PSETID_Appointment
from gateway.mapi.props import PT_LONG, PT_UNICODE, NamedTag, PropName
from gateway.mapiclient import Names, Session
from gateway.mapiclient.wire.calls_object import GetIdsFromNames, GetIdsFromNamesReply, GetNamesFromIdsReply
from gateway.mapiclient.wire.schema import Call


@pytest.fixture(autouse=True)
def no_memory() -> Iterator[None]:
    Names._caches.clear()
    yield
    Names._caches.clear()


class Server:
    """A server with the bug that names which differ only in their set get one id when they come together."""

    def __init__(self) -> None:
        self.ids: dict[PropName, int] = {}
        self.calls: list[Call[Any]] = []
        self.epoch = 1
        self.guid = b"s" * 16

    @property
    def server_guid(self) -> bytes:
        return self.guid if self.calls else b""

    async def call(self, call: Call[Any], *, epoch: int | None = None) -> Any:
        self.calls.append(call)
        if isinstance(call, GetIdsFromNames):
            return GetIdsFromNamesReply(self.create(list(call.named_props or ()), create=bool(call.flags)))
        by_id = {number: name for name, number in self.ids.items()}
        return GetNamesFromIdsReply([by_id.get(number) for number in call.prop_tags or ()])  # type: ignore[attr-defined]

    async def follow(self, call: Call[Any]) -> Any:
        return self, await self.call(call)

    def create(self, names: list[Any], *, create: bool) -> list[int]:
        together: dict[Any, int] = {}
        for name in names:
            if create and name not in self.ids:
                self.ids[name] = together.setdefault(name.id, len(self.ids) + 2)
        return [self.ids.get(name, 0) for name in names]


def done(coroutine: Any) -> Any:
    """Runs a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits")


TWINS = [NamedTag(PropName(guid, "x-same"), PT_UNICODE) for guid in (PS_INTERNET_HEADERS, PS_PUBLIC_STRINGS)]


def test_twins_get_ids_of_their_own() -> None:
    server = Server()
    first, second = done(Names(server).tags(TWINS))
    assert first != second
    assert len(server.calls) == 2


def test_names_are_asked_for_once_and_in_one_call() -> None:
    server = Server()
    keys = [NamedTag(PropName(PS_PUBLIC_STRINGS, f"name {n}"), PT_LONG) for n in range(50)]
    tags = done(Names(server).tags([*keys, 0x0037001F]))
    assert len(server.calls) == 1
    assert len(set(tags)) == 51
    assert tags[-1] == 0x0037001F
    assert all(tag >> 16 > 0x8500 and tag & 0xFFFF == PT_LONG for tag in tags[:-1])
    assert done(Names(server).tags(keys)) == tags[:-1]
    assert done(Names(server).to_named({tags[0]: 5})) == {keys[0]: 5}
    assert len(server.calls) == 1


def test_names_with_a_fixed_id_are_never_asked_for() -> None:
    server = Server()
    (tag,) = done(Names(server).tags([NamedTag(PropName(PSETID_Appointment, 0x820D), 0x40)]))
    assert tag == 0x800D0040
    assert not server.calls


def test_unknown_names_are_left_out_without_create() -> None:
    server = Server()
    assert done(Names(server).to_tags({TWINS[0]: "v", 0x0037001F: "s"}, create=False)) == {0x0037001F: "s"}
    assert not server.ids


def test_ids_without_a_name_stay_ids() -> None:
    server = Server()
    assert done(Names(server).to_named({0x9999001F: "v"})) == {0x9999001F: "v"}
    assert done(Names(server).to_named({0x9999001F: "v"})) == {0x9999001F: "v"}
    assert len(server.calls) == 1


def test_servers_do_not_share_ids() -> None:
    one, other = Server(), Server()
    other.guid = b"o" * 16
    other.ids[PropName(PS_PUBLIC_STRINGS, "taken")] = 2
    first = done(Names(one).tags(TWINS[:1]))
    second = done(Names(other).tags(TWINS[:1]))
    assert first != second
    assert done(Names(one).tags(TWINS[:1])) == first


def test_the_real_wire_agrees(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        names = Names(session)
        tags = await names.tags(TWINS)
        assert len(set(tags)) == 2
        Names._caches.clear()
        assert await names.to_named(dict.fromkeys(tags, "v")) == dict.fromkeys(TWINS, "v")
        assert await names.tags(TWINS, create=False) == tags

    as_ann(work)
