"""The rows of contents tables."""

from __future__ import annotations

import pytest

from gateway.mapi import proptags as p
from gateway.mapi.errors import NotFound
from gateway.mapi.props import PropName
from gateway.mapi.tables import ObjectType
from gateway.storeserver import folder_rows, locate, messages, names, rows
from gateway.storeserver.rowplan import RowKind
from gateway.storeserver.rows import normalized_subject
from tests.support.storecore import World, attachment, recipient


def test_rows_have_the_asked_columns_newest_first(world: World) -> None:
    first = world.save(world.inbox, [(p.PR_SUBJECT, "one"), (p.PR_IMPORTANCE, 2)])
    second = world.save(world.inbox, [(p.PR_SUBJECT, "two")])
    found = world.rows(world.inbox, [p.PR_ENTRYID, p.PR_SUBJECT & ~1, p.PR_IMPORTANCE])
    assert found == [
        {p.PR_ENTRYID: second, p.PR_SUBJECT: "two"},
        {p.PR_ENTRYID: first, p.PR_SUBJECT: "one", p.PR_IMPORTANCE: 2},
    ]
    number = world.ask(locate.folder_by_entryid, world.inbox).id
    ids = world.ask(rows.message_ids, world.alice, number)
    assert ids == [world.load(second).server_id, world.load(first).server_id]
    assert [key for key, _ in world.ask(rows.message_rows, world.alice, number, [])] == ids


def test_computed_columns(world: World) -> None:
    entryid = world.save(
        world.inbox,
        [(p.PR_SUBJECT, "Re: hello"), (p.PR_SUBJECT_PREFIX, "Re: "), (p.PR_MESSAGE_FLAGS, 1)],
        [attachment(b"x")],
    )
    loaded = world.props(entryid)
    tree = world.load(entryid)
    folder = world.ask(locate.folder_by_entryid, world.inbox)
    expected = {
        p.PR_ENTRYID: entryid,
        p.PR_RECORD_KEY: entryid,
        p.PR_PARENT_ENTRYID: world.inbox,
        p.PR_STORE_ENTRYID: world.store.entryid,
        p.PR_STORE_RECORD_KEY: world.store.guid,
        p.PR_SOURCE_KEY: loaded[p.PR_SOURCE_KEY],
        p.PR_PARENT_SOURCE_KEY: loaded[p.PR_PARENT_SOURCE_KEY],
        p.PR_CHANGE_KEY: loaded[p.PR_CHANGE_KEY],
        p.PR_EC_IMAP_ID: loaded[p.PR_EC_IMAP_ID],
        p.PR_EC_HIERARCHYID: tree.server_id,
        p.PR_EC_PARENT_HIERARCHYID: folder.id,
        p.PR_MESSAGE_FLAGS: 0x11,
        p.PR_MSG_STATUS: 0,
        p.PR_MESSAGE_SIZE: loaded[p.PR_MESSAGE_SIZE],
        p.PR_HASATTACH: True,
        p.PR_ASSOCIATED: False,
        p.PR_CONTENT_COUNT: 1,
        p.PR_CONTENT_UNREAD: 0,
        p.PR_OBJECT_TYPE: ObjectType.MESSAGE,
        p.PR_ACCESS: 7,
        p.PR_ACCESS_LEVEL: 1,
        p.PR_RIGHTS: 0x5FB,
        p.PR_MAPPING_SIGNATURE: world.database.guid,
        p.PR_USER_NAME: "alice",
        p.PR_MAILBOX_OWNER_NAME: "Alice Example",
        p.PR_EC_MAILBOX_OWNER_ACCOUNT: "alice",
        p.PR_LAST_MODIFIER_NAME: "alice",
        p.PR_PARENT_DISPLAY: "Inbox",
        p.PR_NORMALIZED_SUBJECT: "hello",
        p.PR_CREATION_TIME: loaded[p.PR_CREATION_TIME],
        p.PR_LAST_MODIFICATION_TIME: loaded[p.PR_LAST_MODIFICATION_TIME],
    }
    absent = [p.PR_DELETED_ON, p.PR_MESSAGE_DELIVERY_TIME, p.PR_BODY]
    (row,) = world.rows(world.inbox, [*expected, *absent])
    assert {tag: row.get(tag) for tag in expected} == expected
    assert not row.keys() & set(absent)


@pytest.mark.parametrize(
    ("subject", "normalized"),
    [
        ("Re: hello", "hello"),
        ("FWD:hello", "hello"),
        ("Re:  hello", " hello"),
        ("Hello: there", "Hello: there"),
        ("A: b", "A: b"),
        ("12: b", "12: b"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_normalized_subject(subject: str, normalized: str) -> None:
    assert normalized_subject(subject) == normalized


def test_values_of_every_length_and_kind_are_found(world: World) -> None:
    (number,) = world.call(names.ids_of, [PropName(b"g" * 16, "Keywords")], create=True)
    keywords = (0x8500 + number) << 16 | 0x101F
    columns = [p.PR_SUBJECT, p.PR_BODY, p.PR_SENDER_ENTRYID, keywords]
    for length in (1, 255, 257, 1100, 40000):
        values = {
            p.PR_SUBJECT: "s" * length,
            p.PR_BODY: "b" * length,
            p.PR_SENDER_ENTRYID: b"e" * length,
            keywords: ("one", "k" * length),
        }
        entryid = world.save(world.inbox, list(values.items()))
        assert world.rows(world.inbox, columns)[0] == values
        world.call(messages.delete_messages, world.alice, [entryid], hard=True)


def test_some_values_are_never_in_tables(world: World) -> None:
    world.save(world.inbox, [(p.PR_HTML, b"<p>"), (p.PR_RTF_COMPRESSED, b"rtf")], [attachment(b"data")])
    columns = [p.PR_HTML, p.PR_RTF_COMPRESSED, p.PR_ATTACH_DATA_BIN]
    assert world.rows(world.inbox, columns) == [{}]


def test_only_some_rows(world: World) -> None:
    entryids = [world.save(world.inbox, [(p.PR_SUBJECT, str(number))]) for number in range(6)]
    ids = [world.load(entryid).server_id for entryid in entryids]
    found = world.rows(world.inbox, ids=[ids[1], ids[4], 999_999])
    assert [row[p.PR_SUBJECT] for row in found] == ["4", "1"]
    floor = world.props(entryids[4])[p.PR_EC_IMAP_ID]
    assert paged(world, first=floor) == [["4", "5"]]
    assert paged(world, last=floor, first=floor) == [["4"]]
    assert world.rows(world.inbox, kind=RowKind.DELETED, ids=ids) == []


def paged(world: World, **limits: int) -> list[list[str]]:
    """The subjects of the inbox, page by page."""
    with world.database.read() as tx:
        number = locate.folder_by_entryid(tx, world.inbox).id
        pages = rows.message_pages(tx, world.alice, number, [p.PR_SUBJECT], **limits)
        return [[row[p.PR_SUBJECT] for _, row in page] for page in pages]


def test_many_rows_come_page_by_page(world: World) -> None:
    entryids = [world.save(world.inbox, [(p.PR_SUBJECT, str(number))]) for number in range(5)]
    assert paged(world, size=2) == [["0", "1"], ["2", "3"], ["4"]]
    assert paged(world, size=5) == [["0", "1", "2", "3", "4"]]
    # A moved message is the newest by its UID, and still one of the oldest of the store.
    other = world.folder("Other")
    world.call(messages.copy_messages, world.alice, entryids[:1], other, move=True)
    world.call(messages.copy_messages, world.alice, world.entryids(other), world.inbox, move=True)
    assert paged(world, size=2) == [["1", "2"], ["3", "4"], ["0"]]
    assert [row[p.PR_SUBJECT] for row in world.rows(world.inbox)] == ["4", "3", "2", "1", "0"]
    with world.database.read() as tx:
        assert list(rows.message_pages(tx, world.alice, locate.folder_by_entryid(tx, other).id, [])) == []


def test_rows_of_messages_from_several_folders(world: World) -> None:
    other = world.folder("Other")
    saved = [
        world.save(folder, [(p.PR_SUBJECT, name)])
        for folder, name in ((world.inbox, "a"), (other, "b"), (world.inbox, "c"))
    ]
    ids = [world.load(entryid).server_id for entryid in saved]
    wanted = [ids[1], ids[2], 999_999, ids[0]]
    columns = [p.PR_SUBJECT, p.PR_PARENT_ENTRYID]
    found = world.ask(rows.rows_of_messages, world.alice, wanted, columns)
    assert [(key, row[p.PR_SUBJECT], row[p.PR_PARENT_ENTRYID]) for key, row in found] == [
        (ids[1], "b", other),
        (ids[2], "c", world.inbox),
        (ids[0], "a", world.inbox),
    ]
    assert world.ask(rows.rows_of_messages, world.bob, wanted, columns) == []


def test_the_number_of_statements_does_not_depend_on_the_number_of_messages(world: World) -> None:
    columns = [p.PR_SUBJECT, p.PR_BODY, p.PR_ENTRYID, p.PR_ACCESS, p.PR_LAST_MODIFIER_NAME]
    number = world.ask(locate.folder_by_entryid, world.inbox).id

    def needed() -> int:
        statements: list[str] = []
        with world.database.read() as tx:
            tx.trace(statements.append)
            rows.message_rows(tx, world.alice, number, columns)
            tx.trace(None)
        return len(statements)

    world.save(world.inbox, [(p.PR_SUBJECT, "s" * 300)])
    one = needed()
    for _ in range(20):
        world.save(world.inbox, [(p.PR_SUBJECT, "s" * 300), (p.PR_BODY, "b" * 3000)])
    assert len(world.rows(world.inbox)) == 21
    assert needed() == one


def test_recipients_and_attachments_of_many_messages(world: World) -> None:
    first = world.save(world.inbox, [], [recipient("A" * 2000), recipient("B"), attachment(b"x")])
    second = world.save(world.inbox, [], [attachment(b"y", [(p.PR_ATTACH_LONG_FILENAME, "f")])])
    ids = [world.load(entryid).server_id for entryid in (first, second)]
    columns = [p.PR_DISPLAY_NAME, p.PR_ATTACH_LONG_FILENAME, p.PR_OBJECT_TYPE]
    assert world.ask(rows.part_rows, ids, p.PR_MESSAGE_RECIPIENTS, columns) == {
        ids[0]: [
            {p.PR_DISPLAY_NAME: "A" * 2000, p.PR_OBJECT_TYPE: 6},
            {p.PR_DISPLAY_NAME: "B", p.PR_OBJECT_TYPE: 6},
        ]
    }
    assert world.ask(rows.part_rows, ids, p.PR_MESSAGE_ATTACHMENTS, columns) == {
        ids[0]: [{p.PR_OBJECT_TYPE: 7}],
        ids[1]: [{p.PR_ATTACH_LONG_FILENAME: "f", p.PR_OBJECT_TYPE: 7}],
    }


def test_available_tags(world: World) -> None:
    world.save(world.inbox, [(p.PR_IMPORTANCE, 2), (p.PR_BODY, "b"), (p.PR_SUBJECT, "s" * 300)])
    number = world.ask(locate.folder_by_entryid, world.inbox).id
    tags = world.ask(rows.available_tags, world.alice, number)
    assert {p.PR_IMPORTANCE, p.PR_BODY, p.PR_ENTRYID, p.PR_MESSAGE_FLAGS, p.PR_SUBJECT} <= tags
    assert not tags & {0, p.PR_HTML, p.PR_EC_IMAP_EMAIL}
    top = world.ask(locate.folder_by_entryid, world.subtree).id
    found = world.ask(folder_rows.available_tags, world.alice, top)
    assert {p.PR_DISPLAY_NAME, p.PR_DEPTH, p.PR_CONTAINER_CLASS, p.PR_CONTENT_COUNT} <= found


def test_the_rows_of_stores(world: World) -> None:
    columns = [p.PR_EC_USERNAME, p.PR_EC_STORETYPE, p.PR_DISPLAY_NAME, p.PR_EC_DELETED_STORE]
    found = world.ask(folder_rows.store_rows, world.system, columns)
    assert [(row[p.PR_EC_USERNAME], row[p.PR_EC_STORETYPE]) for _, row in found] == [
        ("SYSTEM", 0),
        ("alice", 0),
        ("bob", 0),
        ("Everyone", 1),
    ]
    assert found[1][1][p.PR_DISPLAY_NAME] == "Inbox - Alice Example"
    assert found[3][1][p.PR_DISPLAY_NAME] == "Public Folders"
    assert world.ask(folder_rows.store_ids, owned_by=world.alice) == []
    assert world.ask(folder_rows.store_ids) == [key for key, _ in found]


def test_a_table_needs_a_folder(world: World) -> None:
    entryid = world.save(world.inbox)
    for wrong in (entryid, world.store.entryid):
        with pytest.raises(NotFound):
            world.ask(folder_rows.table_folder, wrong)
    assert world.ask(folder_rows.table_folder, world.inbox).name == "Inbox"


def test_small_stored_mails_are_a_column_of_a_short_table(world: World) -> None:
    small, large = b"m" * 1000, b"l" * world.database.options.inline_limit
    world.save(world.inbox, [(p.PR_EC_IMAP_EMAIL, small)])
    world.save(world.inbox, [(p.PR_EC_IMAP_EMAIL, large)])
    world.save(world.inbox, [(p.PR_SUBJECT, "none")])
    assert world.rows(world.inbox, [p.PR_EC_IMAP_EMAIL]) == [{}, {}, {p.PR_EC_IMAP_EMAIL: small}]
    for _ in range(rows.MOST_ORIGINALS - 2):
        world.save(world.inbox, [])
    assert not any(world.rows(world.inbox, [p.PR_EC_IMAP_EMAIL]))


def test_a_column_by_itself_is_the_column_of_the_rows(world: World) -> None:
    for number in range(3):
        world.save(world.inbox, [(p.PR_SUBJECT, "s"), (p.PR_MESSAGE_FLAGS, number & 1)])
    world.save(world.inbox, [(p.PR_MESSAGE_DELIVERY_TIME, 133_000_000_000_000_000)])
    folder = world.ask(locate.folder_by_entryid, world.inbox).id
    for tag in (
        p.PR_EC_IMAP_ID,
        p.PR_MESSAGE_FLAGS,
        p.PR_MESSAGE_DELIVERY_TIME,
        p.PR_MESSAGE_SIZE,
        p.PR_ENTRYID,
    ):
        listed = world.ask(rows.message_column, world.alice, folder, tag)
        expected = {id_: row.get(tag) for id_, row in world.ask(rows.message_rows, world.alice, folder, [tag])}
        assert dict(listed) == expected
        assert len(listed) == 4
    for tag in (p.PR_SUBJECT, p.PR_HASATTACH, p.PR_PARENT_ENTRYID, p.PR_NORMALIZED_SUBJECT):
        assert world.ask(rows.message_column, world.alice, folder, tag) is None
    assert world.ask(rows.message_column, world.bob, folder, p.PR_EC_IMAP_ID) == []
