"""Search folders, and the upkeep of a store."""

from __future__ import annotations

import pytest

from gateway.mapi import proptags as p
from gateway.mapi import restrictions as r
from gateway.mapi.errors import ErrorCode, InvalidParameter, MapiError, NoAccess, NotFound
from gateway.mapi.notices import Event
from gateway.storeserver import changes, folders, locate, messages, search, upkeep
from tests.support.storecore import World, recipient

UNREAD = r.Bitmask(p.PR_MESSAGE_FLAGS, 1, nonzero=False)


def new_search(world: World) -> bytes:
    finder = world.props(world.store.entryid)[p.PR_FINDER_ENTRYID]
    return world.folder("A search", finder, type=folders.SEARCH)


def tell(world: World, entryid: bytes, restriction: object, targets: object, flags: int = 2) -> None:
    world.call(search.set_criteria, world.alice, entryid, restriction, targets, flags)


def shown(world: World, entryid: bytes, **more: object) -> list[str]:
    folder = world.ask(locate.folder_by_entryid, entryid)
    actor = more.pop("actor", world.alice)
    found = world.ask(search.result_rows, actor, folder, [p.PR_SUBJECT], **more)
    return [props[p.PR_SUBJECT] for _, props in found]


def test_a_search_folder_shows_what_matches_now(world: World) -> None:
    entryid = new_search(world)
    below = world.folder("Below", world.inbox)
    first = world.save(world.inbox, [(p.PR_SUBJECT, "one")])
    world.save(world.inbox, [(p.PR_SUBJECT, "read"), (p.PR_MESSAGE_FLAGS, 1)])
    world.save(below, [(p.PR_SUBJECT, "two")])
    world.save(world.inbox, [(p.PR_SUBJECT, "hidden")], flags=0x40)
    tell(world, entryid, UNREAD, [world.inbox])
    assert [event.kind for event in world.events] == [Event.SEARCH_COMPLETE]
    assert shown(world, entryid) == ["one"]
    tell(world, entryid, UNREAD, [world.inbox], 2 | search.RECURSIVE)
    assert shown(world, entryid) == ["two", "one"]
    folder = world.ask(locate.folder_by_entryid, entryid)
    ids = world.ask(search.result_ids, world.alice, folder)
    assert world.load(first).server_id == ids[1]
    assert shown(world, entryid, ids=ids[1:]) == ["one"]
    world.call(messages.set_read_flags, world.alice, 1, [first])
    world.call(folders.delete_folder, world.alice, below, 1)
    assert shown(world, entryid) == []
    # Only for who may read the search folder.
    assert shown(world, entryid, actor=world.bob) == []


@pytest.mark.parametrize(
    "restriction",
    [
        UNREAD,
        r.And((r.Exist(p.PR_SUBJECT), r.Not(r.Exist(p.PR_BODY)))),
        r.Or((r.contains(p.PR_SUBJECT, "ON"), r.equals(p.PR_SEARCH_KEY, b"\0\xff"))),
        r.Sub(p.PR_MESSAGE_RECIPIENTS, r.contains(p.PR_DISPLAY_NAME, "ann")),
        r.Size(r.Relop.GT, p.PR_SUBJECT, 1),
        r.CompareProps(r.Relop.LT, p.PR_MESSAGE_FLAGS, p.PR_IMPORTANCE),
        r.Comment(r.equals(p.PR_IMPORTANCE, 2), ()),
    ],
)
def test_every_kind_of_criteria_is_kept(world: World, restriction: r.Restriction) -> None:
    entryid = new_search(world)
    world.save(world.inbox, [(p.PR_SUBJECT, "one"), (p.PR_IMPORTANCE, 2)], [recipient("Anna")])
    world.save(world.inbox, [(p.PR_SUBJECT, "x"), (p.PR_MESSAGE_FLAGS, 1), (p.PR_BODY, "b")])
    tell(world, entryid, restriction, [world.inbox], search.RECURSIVE)
    assert world.ask(search.criteria, world.alice, entryid) == search.Criteria(
        restriction, (world.inbox,), recursive=True
    )
    assert shown(world, entryid) == ["one"]


def test_a_search_that_was_stopped_or_never_told(world: World) -> None:
    entryid = new_search(world)
    tell(world, entryid, UNREAD, [world.inbox])
    tell(world, entryid, None, None, search.STOP)
    with pytest.raises(MapiError) as caught:
        world.ask(search.criteria, world.alice, entryid)
    assert caught.value.code == ErrorCode.NOT_INITIALIZED
    assert shown(world, entryid) == []


def test_what_a_search_folder_refuses(world: World) -> None:
    entryid = new_search(world)
    for restriction, targets in (
        (None, [world.inbox]),
        (UNREAD, []),
        (UNREAD, None),
        (UNREAD, [world.bob_inbox]),
        (r.Property(99, p.PR_SUBJECT, (p.PR_SUBJECT, "x")), [world.inbox]),
    ):
        with pytest.raises(InvalidParameter):
            tell(world, entryid, restriction, targets)
    with pytest.raises(NotFound):
        tell(world, entryid, UNREAD, [world.new_entryid()])
    with pytest.raises(InvalidParameter):
        tell(world, world.inbox, UNREAD, [world.inbox])
    with pytest.raises(NoAccess):
        world.call(search.set_criteria, world.bob, entryid, UNREAD, [world.inbox], 2)
    # A deleted search folder leaves nothing behind.
    tell(world, entryid, UNREAD, [world.inbox])
    world.call(folders.delete_folder, world.alice, entryid, 0)
    with world.database.read() as tx:
        assert tx.connection.exec_driver_sql("select count(*) from searches").scalar() == 0


def test_upkeep(world: World) -> None:
    old = world.save(world.inbox, [(p.PR_EC_IMAP_EMAIL, b"m" * 40_000)])
    world.call(messages.delete_messages, world.alice, [old], hard=False)
    world.call(changes.set_status, world.alice, world.props(world.inbox)[p.PR_SOURCE_KEY], 0, 0, 1)
    assert upkeep.tidy(world.database) == upkeep.Tidied(0, 0)
    world.time += 91 * 86400
    assert upkeep.tidy(world.database) == upkeep.Tidied(1, 1)
    with pytest.raises(NotFound):
        world.load(old, 0x400)
