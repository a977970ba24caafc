"""Prepared statements: what goes to the driver, and what comes back."""

from __future__ import annotations

import sqlalchemy as sa

from gateway.storeserver import schema
from gateway.storeserver.database import Transaction
from gateway.storeserver.statements import Statement
from tests.support.storecore import World

_names = schema.names.c
_ADD = Statement(schema.names.insert())
_LISTED = Statement(
    sa.select(_names.id).where(_names.id.in_(sa.bindparam("ids", expanding=True))).order_by(_names.id)
)
_CALLED = Statement(
    sa.select(_names.id).where(
        _names.guid == b"guid",
        _names.id.in_(sa.bindparam("ids", expanding=True)),
        _names.key == sa.bindparam("wanted"),
    )
)
_MOVE = Statement(schema.names.update().where(_names.id == sa.bindparam("number")).values(guid=b"other"))
_OWN_QUOTA = Statement(sa.select(schema.accounts.c.id, schema.accounts.c.own_quota))


def _fill(tx: Transaction) -> None:
    tx.run_many(_ADD, [{"id": 1000 + n, "guid": b"guid", "key": b"%d" % n} for n in range(300)])


def test_a_list_may_have_any_length(world: World) -> None:
    world.call(_fill)
    with world.database.read() as tx:
        for size in (0, 1, 2, 3, 4, 5, 127, 128, 129, 300):
            ids = [1000 + n for n in range(size)]
            assert tx.column(_LISTED, ids=ids) == ids


def test_lists_of_similar_length_share_a_text() -> None:
    texts = {_LISTED.bound({"ids": list(range(size))})[0] for size in range(65, 129)}
    assert len(texts) == 1


def test_values_that_the_statement_has_itself_stay(world: World) -> None:
    world.call(_fill)
    with world.database.write() as tx:
        assert tx.value(_CALLED, ids=[1001, 1002, 1003], wanted=b"2") == 1002
        assert tx.value(_CALLED, ids=[1001], wanted=b"2") is None
        assert tx.run(_MOVE, number=1002) == 1
        tx.run_many(_MOVE, [{"number": 1003}, {"number": 1004}])
        renamed = Statement(sa.select(schema.names).where(_names.guid == b"other").order_by(_names.id))
        assert tx.rows(renamed) == [(1002, b"other", b"2"), (1003, b"other", b"3"), (1004, b"other", b"4")]


def test_truth_values_are_truth_values(world: World) -> None:
    with world.database.read() as tx:
        assert all(own is False for _, own in tx.rows(_OWN_QUOTA))
        number, own = tx.row(_OWN_QUOTA)
        assert (number, own) == (1, False)
        assert own is False


def test_nothing_found_is_none(world: World) -> None:
    with world.database.read() as tx:
        assert tx.row(_LISTED, ids=[5]) is None
        assert tx.value(_LISTED, ids=[5]) is None
        assert tx.column(_LISTED, ids=[5]) == tx.rows(_LISTED, ids=[5]) == []


def test_both_ways_speak_in_one_transaction(world: World) -> None:
    with world.database.write() as tx:
        tx.run(_ADD, id=7777, guid=b"guid", key=b"key")
        query = sa.select(_names.key).where(_names.id == 7777)
        assert tx.connection.execute(query).scalar() == b"key"
        tx.connection.execute(schema.names.delete().where(_names.id == 7777))
        assert tx.row(_LISTED, ids=[7777]) is None
