"""Users, groups, passwords, quotas, the address book, named properties."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.mapi import ids
from gateway.mapi import proptags as p
from gateway.mapi.errors import Collision, ErrorCode, InvalidParameter, LogonFailed, NoAccess, NotFound
from gateway.mapi.props import PropName
from gateway.storeserver import accounts, address_book, groups, names
from gateway.storeserver.accounts import EVERYONE_ID, SYSTEM_ID, NewAccount, ObjectClass
from gateway.storeserver.database import StoreDatabase, StoreOptions, Transaction
from gateway.storeserver.groups import Quota, QuotaState, state_of
from tests.support.soap import SoapClient
from tests.support.store import running_store
from tests.support.storecore import World


def create(world: World, name: str, **more: object) -> accounts.Account:
    new = NewAccount(name, name.title(), **more)  # type: ignore[arg-type]
    account: accounts.Account = world.call(accounts.create_account, world.system, new)
    return account


def test_a_password_is_checked(world: World) -> None:
    assert world.ask(accounts.authenticate, "ALICE", "alice").id == world.alice.user_id
    with world.database.read() as tx:
        stored = tx.connection.exec_driver_sql("select password from accounts where name = 'alice'").scalar()
    assert str(stored).startswith("$argon2id$")


def test_a_logon_renews_a_hash_of_other_costs(tmp_path: Path) -> None:
    def stored(database: StoreDatabase) -> str:
        with database.read() as tx:
            query = "select password from accounts where name = 'alice'"
            return str(tx.connection.exec_driver_sql(query).scalar())

    for database_options, costs in (
        (StoreOptions(synchronous="OFF", password_time=1, password_memory=8), "m=8,t=1,p=1"),
        (StoreOptions(synchronous="OFF"), "m=19456,t=2,p=1"),
    ):
        with running_store(tmp_path, [], database=database_options) as store:
            assert store.service.server is not None
            database = store.service.server.database
            if "m=8," in costs:
                store.add_user("alice")
            before = stored(database)
            with SoapClient(store.url) as client:
                assert client.logon("alice", "wrong").er == ErrorCode.LOGON_FAILED
                assert stored(database) == before
                assert client.logon("alice").er == 0
                assert costs in stored(database)
                after = stored(database)
                assert client.logon("alice").er == 0
                assert stored(database) == after


def test_a_new_hash_does_not_replace_a_new_password(world: World) -> None:
    account = world.alice_account
    with world.database.read() as tx:
        old = tx.connection.exec_driver_sql("select password from accounts where name = 'alice'").scalar()
    world.call(accounts.change_account, world.alice, account, {"password": "new"})
    world.call(accounts.replace_hash, account, old, "renewed")
    assert world.ask(accounts.authenticate, "alice", "new")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "wrong"),
        ("alice", ""),
        ("nobody", "x"),
        ("", ""),
        ("SYSTEM", ""),
        ("Everyone", ""),
        ("room", "room"),
    ],
)
def test_who_may_not_log_on(world: World, name: str, password: str) -> None:
    create(world, "room", password="room", object_class=ObjectClass.ROOM)
    with pytest.raises(LogonFailed):
        world.ask(accounts.authenticate, name, password)


def test_accounts_are_found_by_name_number_and_entryid(world: World) -> None:
    alice = world.alice_account
    for found in (
        world.ask(accounts.account_named, "Alice"),
        world.ask(accounts.account_by_id, alice.id),
        world.ask(accounts.account_by_entryid, alice.entryid),
        world.ask(accounts.resolve, world.bob, alice.id, None),
        world.ask(accounts.resolve, world.bob, 4711, alice.entryid),
        world.ask(accounts.resolve, world.alice, 0, None),
        world.ask(accounts.resolve, world.alice, 0, b""),
    ):
        assert found == alice
    assert world.ask(accounts.account_by_entryid, ids.EVERYONE).id == EVERYONE_ID
    assert world.ask(accounts.account_by_entryid, ids.SYSTEM_USER).id == SYSTEM_ID
    with pytest.raises(InvalidParameter):
        world.ask(accounts.resolve, world.alice, alice.id, b"")
    for wrong in (b"nonsense", ids.address_book_entryid(ids.AddressBookId(6, alice.id, b"other"))):
        with pytest.raises(NotFound):
            world.ask(accounts.account_by_entryid, wrong)


def test_names_are_taken_once(world: World) -> None:
    with pytest.raises(Collision):
        create(world, "ALICE")
    with pytest.raises(NoAccess):
        world.call(accounts.create_account, world.alice, NewAccount("x", "X"))
    with pytest.raises(InvalidParameter):
        world.call(accounts.create_account, world.system, NewAccount("", "X"))
    with pytest.raises(Collision):
        world.call(accounts.change_account, world.system, world.bob_account, {"name": "Alice"})


def test_what_users_may_change_about_themselves(world: World) -> None:
    changes = {"full_name": "Boss", "admin_level": 2, "password": "new", "capacity": 3}
    world.call(accounts.change_account, world.alice, world.alice_account, changes)
    alice = world.ask(accounts.account_named, "alice")
    assert (alice.full_name, alice.admin_level, alice.capacity) == ("Alice Example", 0, 3)
    assert world.ask(accounts.authenticate, "alice", "new")
    with pytest.raises(NoAccess):
        world.call(accounts.change_account, world.alice, world.bob_account, {"password": "x"})
    world.call(accounts.change_account, world.system, alice, changes)
    assert world.ask(accounts.account_named, "alice").admin_level == 2
    with pytest.raises(InvalidParameter):
        world.call(accounts.change_account, world.system, alice, {"id": 1})


def test_deleting_an_account(world: World) -> None:
    with pytest.raises(NoAccess):
        world.call(accounts.delete_account, world.alice, world.bob_account)
    for builtin in (EVERYONE_ID, SYSTEM_ID):
        with pytest.raises(NoAccess):
            world.call(accounts.delete_account, world.system, world.ask(accounts.account_by_id, builtin))
    world.call(accounts.delete_account, world.system, world.bob_account)
    with pytest.raises(NotFound):
        world.ask(accounts.account_named, "bob")
    # Numbers are not given twice.
    assert create(world, "carol").id > world.bob_account.id


def test_groups(world: World) -> None:
    team = create(world, "team", object_class=ObjectClass.SECURITY_GROUP)
    assert team.is_group
    world.call(groups.add_member, world.system, team, world.bob_account)
    assert world.ask(groups.members, team) == [world.bob_account]
    assert [group.name for group in world.ask(groups.groups_of, world.bob_account)] == ["Everyone", "team"]
    everyone = world.ask(accounts.account_by_id, EVERYONE_ID)
    assert [user.name for user in world.ask(groups.members, everyone)] == ["alice", "bob"]
    with pytest.raises(Collision):
        world.call(groups.add_member, world.system, team, world.bob_account)
    with pytest.raises(NoAccess):
        world.call(groups.add_member, world.alice, team, world.alice_account)
    for wrong in (everyone, world.alice_account):
        with pytest.raises(InvalidParameter):
            world.call(groups.add_member, world.system, wrong, world.alice_account)
    world.call(groups.remove_member, world.system, team, world.bob_account)
    with pytest.raises(NotFound):
        world.call(groups.remove_member, world.system, team, world.bob_account)


def test_groups_may_contain_each_other(world: World) -> None:
    one = create(world, "one", object_class=ObjectClass.SECURITY_GROUP)
    two = create(world, "two", object_class=ObjectClass.SECURITY_GROUP)
    world.call(groups.add_member, world.system, one, two)
    world.call(groups.add_member, world.system, two, one)
    world.call(groups.add_member, world.system, two, world.bob_account)
    assert world.ask(groups.all_group_ids, world.bob.user_id) == {EVERYONE_ID, one.id, two.id}


def test_send_as(world: World) -> None:
    world.call(groups.add_sender, world.system, world.alice_account, world.bob_account)
    assert world.ask(groups.senders, world.alice_account) == [world.bob_account]
    with pytest.raises(Collision):
        world.call(groups.add_sender, world.system, world.alice_account, world.bob_account)
    with pytest.raises(NoAccess):
        world.call(groups.add_sender, world.alice, world.alice_account, world.alice_account)
    world.call(groups.remove_sender, world.system, world.alice_account, world.bob_account)
    assert world.ask(groups.senders, world.alice_account) == []


def test_quotas(world: World) -> None:
    assert world.ask(groups.quota, world.alice.user_id) == Quota(0, 0, 0, is_default=True)
    levels = Quota(1000, 2000, 3000, is_default=False)
    with pytest.raises(NoAccess):
        world.call(groups.set_quota, world.alice, world.alice.user_id, levels)
    world.call(groups.set_quota, world.system, world.alice.user_id, levels)
    assert world.ask(groups.quota, world.alice.user_id) == levels
    with pytest.raises(NoAccess):
        world.ask(groups.quota_status, world.bob, world.alice_account)
    assert [state_of(levels, size) for size in (1000, 1001, 2001, 3001)] == list(QuotaState)
    world.call(groups.set_quota, world.system, world.alice.user_id, Quota())
    assert world.ask(groups.quota, world.alice.user_id).is_default


def test_the_containers_of_the_address_book(world: World) -> None:
    found = world.ask(
        address_book.rows, world.alice, ids.ADDRESS_BOOK_ROOT, 4, [p.PR_DISPLAY_NAME, p.PR_ENTRYID]
    )
    assert found == [
        (1, {p.PR_DISPLAY_NAME: "Global Address Book", p.PR_ENTRYID: ids.GLOBAL_ADDRESS_BOOK}),
        (2, {p.PR_DISPLAY_NAME: "All Address Lists", p.PR_ENTRYID: ids.ALL_ADDRESS_LISTS}),
    ]
    assert world.ask(address_book.rows, world.alice, ids.GLOBAL_ADDRESS_BOOK, 4, []) == []
    with pytest.raises(InvalidParameter):
        world.ask(address_book.rows, world.alice, ids.ALL_ADDRESS_LISTS, 6, [])
    root = world.ask(address_book.props_of, world.alice, ids.ADDRESS_BOOK_ROOT)
    assert root[p.PR_CONTAINER_FLAGS] == 0x4B
    for wrong in (b"nonsense", address_book.container_entryid(9)):
        with pytest.raises(NotFound):
            world.ask(address_book.props_of, world.alice, wrong)


def test_the_global_address_book_leaves_out_the_hidden(world: World) -> None:
    create(world, "ghost", hidden=True)
    team = create(world, "team", object_class=ObjectClass.SECURITY_GROUP)
    world.call(groups.add_member, world.system, team, world.bob_account)

    def seen(actor: accounts.Actor, entryid: bytes) -> list[str]:
        found = world.ask(address_book.rows, actor, entryid, 6, [p.PR_ACCOUNT])
        return [row[p.PR_ACCOUNT] for _, row in found]

    assert seen(world.alice, ids.GLOBAL_ADDRESS_BOOK) == ["alice", "bob", "Everyone", "team"]
    assert seen(world.system, ids.GLOBAL_ADDRESS_BOOK) == [
        "SYSTEM",
        "alice",
        "bob",
        "ghost",
        "Everyone",
        "team",
    ]
    assert seen(world.alice, team.entryid) == ["bob"]
    with pytest.raises(NotFound):
        seen(world.alice, world.bob_account.entryid)


def test_the_properties_of_a_user(world: World) -> None:
    props = world.ask(address_book.props_of, world.alice, world.bob_account.entryid)
    assert props[p.PR_OBJECT_TYPE] == 6
    assert props[p.PR_DISPLAY_NAME] == "Bob Example"
    assert props[p.PR_EMAIL_ADDRESS] == props[p.PR_ACCOUNT] == "bob"
    assert props[p.PR_SMTP_ADDRESS] == "bob@example.test"
    assert props[p.PR_SEARCH_KEY] == b"ZARAFA:BOB@EXAMPLE.TEST\0"
    assert props[p.PR_EC_ENABLED_FEATURES] == ("imap", "mobile", "outlook", "pop3", "webapp")
    assert props[p.PR_EMS_AB_PROXY_ADDRESSES] == ("SMTP:bob@example.test",)
    everyone = world.ask(address_book.props_of, world.alice, ids.EVERYONE)
    assert (everyone[p.PR_OBJECT_TYPE], everyone[p.PR_DISPLAY_TYPE]) == (8, 1)
    assert p.PR_SMTP_ADDRESS not in everyone


@pytest.mark.parametrize(
    ("text", "exact", "flag", "name"),
    [
        ("bob", True, 2, "Bob Example"),
        ("BOB@EXAMPLE.TEST", True, 2, "Bob Example"),
        ("bob example", True, 2, "Bob Example"),
        ("bo", True, 0, None),
        ("bo", False, 2, "Bob Example"),
        ("everyone", True, 2, "Everyone"),
        ("nobody", False, 0, None),
        ("", False, 0, None),
        ("b", False, 1, None),
    ],
)
def test_names_are_resolved(world: World, text: str, exact: bool, flag: int, name: str | None) -> None:
    create(world, "bernd")
    ((props, found),) = world.ask(
        address_book.resolve_names,
        world.alice,
        [p.PR_DISPLAY_NAME, p.PR_ENTRYID],
        [{p.PR_DISPLAY_NAME: text}],
        [0],
        exact=exact,
    )
    assert (found, props.get(p.PR_DISPLAY_NAME)) == (flag, name)


def test_resolved_names_are_left_alone(world: World) -> None:
    query = {p.PR_DISPLAY_NAME: "whoever"}
    assert world.ask(address_book.resolve_names, world.alice, [], [query], [2], exact=True) == [(query, 2)]
    with pytest.raises(InvalidParameter):
        world.ask(address_book.resolve_names, world.alice, [], [query], [], exact=True)


def test_named_properties_are_registered_once(world: World) -> None:
    wanted = [
        PropName(b"g" * 16, 5),
        PropName(b"g" * 16, "Name"),
        PropName(b"h" * 16, 5),
        PropName(b"g" * 16, "name"),
    ]
    assert world.ask(names.ids_of, wanted, create=False) == [0, 0, 0, 0]
    numbers = world.call(names.ids_of, wanted, create=True)
    assert numbers == [2, 3, 4, 5]
    assert world.call(names.ids_of, [*reversed(wanted)], create=True) == [5, 4, 3, 2]
    assert world.ask(names.names_of, [5, 99, 2]) == [wanted[3], None, wanted[0]]
    with pytest.raises(InvalidParameter):
        world.call(names.ids_of, [PropName(b"short", 1)], create=True)
    with pytest.raises(InvalidParameter):
        world.call(names.ids_of, [PropName(b"g" * 16, "x" * 600)], create=True)


def test_a_name_that_was_rolled_back_is_not_known(world: World) -> None:
    name = PropName(b"g" * 16, "fleeting")

    def register_and_fail(tx: Transaction) -> None:
        (number,) = names.ids_of(tx, [name], create=True)
        assert 0x8500 + number in names.known(tx, {0x8500 + number})
        raise NotFound

    with pytest.raises(NotFound):
        world.call(register_and_fail)
    assert 0x8502 not in world.ask(names.known, {0x8502})
    assert world.call(names.ids_of, [name], create=True) == [2]
    assert 0x8502 in world.ask(names.known, {0x8502})
