"""loadObject, saveObject, loadProp, checkExistObject."""

from __future__ import annotations

import pytest

from gateway.mapi import ids, times
from gateway.mapi import proptags as p
from gateway.mapi.errors import Collision, ErrorCode, InvalidParameter, MapiError, NotFound, TooBig
from gateway.mapi.props import PropName
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.structs import ObjectTree
from gateway.storeserver import identity, locate, names, objects
from gateway.storeserver.journal import READ
from tests.support.storecore import START, World, attachment, embedded, message, recipient

NOW = times.from_unix(int(START))


def test_a_new_message_is_answered_with_its_ids_and_times(world: World) -> None:
    entryid = world.new_entryid()
    answer = world.call(objects.save_object, world.alice, world.inbox, entryid, message([(p.PR_SUBJECT, "x")]))
    props = dict(answer.mod_props)
    assert [tag for tag, _ in answer.mod_props] == list(answer.del_props)
    assert props.keys() == {
        p.PR_PARENT_SOURCE_KEY,
        p.PR_SOURCE_KEY,
        p.PR_LAST_MODIFICATION_TIME,
        p.PR_CREATION_TIME,
        p.PR_RECORD_KEY,
        p.PR_CHANGE_KEY,
        p.PR_PREDECESSOR_CHANGE_LIST,
    }
    assert props[p.PR_RECORD_KEY] == entryid
    assert props[p.PR_LAST_MODIFICATION_TIME] == props[p.PR_CREATION_TIME] == NOW
    assert len(props[p.PR_SOURCE_KEY]) == 22
    assert props[p.PR_PREDECESSOR_CHANGE_LIST] == b"\x14" + props[p.PR_CHANGE_KEY]
    assert answer.server_id


def test_the_tree_of_a_message_comes_back_in_its_order(world: World) -> None:
    inner = message([(p.PR_SUBJECT, "inner")], [recipient("Inner")])
    children = [
        recipient("One", 0),
        recipient("Two", 1),
        attachment(b"data", client_id=7),
        embedded(inner),
    ]
    entryid = world.new_entryid()
    answer = world.call(
        objects.save_object, world.alice, world.inbox, entryid, message([(p.PR_SUBJECT, "x")], children)
    )
    assert [child.client_id for child in answer.children] == [0, 1, 7, 0]
    assert dict(answer.children[0].mod_props) == {
        p.PR_LAST_MODIFICATION_TIME: NOW,
        p.PR_CREATION_TIME: NOW,
    }
    assert answer.children[2].instance_ids is not None
    assert answer.children[0].instance_ids is None
    numbers = [answer.server_id, *[child.server_id for child in answer.children]]
    assert numbers == sorted(numbers)

    tree = world.load(entryid)
    assert tree.server_id == answer.server_id
    assert [child.obj_type for child in tree.children] == [6, 6, 7, 7]
    assert [child.server_id for child in tree.children] == numbers[1:]
    assert dict(tree.children[1].mod_props)[p.PR_DISPLAY_NAME] == "Two"
    inside = tree.children[3].children[0]
    assert inside.obj_type == ObjectType.MESSAGE
    assert dict(inside.mod_props)[p.PR_SUBJECT] == "inner"
    assert dict(inside.children[0].mod_props)[p.PR_DISPLAY_NAME] == "Inner"


def test_what_the_server_computes(world: World) -> None:
    entryid = world.save(
        world.inbox, [(p.PR_SUBJECT, "x"), (p.PR_MESSAGE_FLAGS, 0x47F)], [recipient("A"), attachment(b"12345")]
    )
    props = world.props(entryid)
    # READ, UNMODIFIED, UNSENT and FROMME are the client's to say, HASATTACH is not.
    assert props[p.PR_MESSAGE_FLAGS] == 0x2B | 0x10
    assert props[p.PR_HASATTACH] is True
    assert props[p.PR_PARENT_ENTRYID] == world.inbox
    assert props[p.PR_RECORD_KEY] == entryid
    assert props[p.PR_ACCESS] == 7
    assert props[p.PR_ACCESS_LEVEL] == 1
    assert props[p.PR_LAST_MODIFIER_NAME] == "alice"
    assert props[p.PR_LAST_MODIFIER_ENTRYID] == world.alice_account.entryid
    assert props[p.PR_MESSAGE_SIZE] > 5
    assert p.PR_ENTRYID not in props
    tree = world.load(entryid)
    part = dict(tree.children[0].mod_props)
    assert part[p.PR_INSTANCE_KEY] == tree.children[0].server_id.to_bytes(4, "little") + bytes(4)
    assert dict(tree.children[1].mod_props)[p.PR_ATTACH_SIZE] > 5


def test_computed_properties_cannot_be_written(world: World) -> None:
    written = [
        (p.PR_EC_IMAP_ID, 4711),
        (p.PR_HASATTACH, True),
        (p.PR_RECORD_KEY, b"mine"),
        (p.PR_ACCESS, 0),
        (p.PR_MESSAGE_SIZE, 1),
        (p.PR_LAST_MODIFICATION_TIME, 5),
        (p.PR_LAST_MODIFIER_NAME, "mallory"),
        (p.PR_EC_HIERARCHYID, 1),
    ]
    entryid = world.save(world.inbox, [*written, (p.PR_CHANGE_KEY, b"k" * 20)])
    before = world.props(entryid)
    for tag, value in [*written, (p.PR_CHANGE_KEY, b"k" * 20)]:
        assert before.get(tag) != value
    # An attachment keeps the record key its client made.
    other = world.save(world.inbox, [], [attachment(b"x", [(p.PR_RECORD_KEY, b"k" * 16)])])
    assert dict(world.load(other).children[0].mod_props)[p.PR_RECORD_KEY] == b"k" * 16


def test_every_property_type_keeps_its_value(world: World) -> None:
    (number,) = world.call(names.ids_of, [PropName(b"g" * 16, "a name")], create=True)
    base = (0x8500 + number) << 16
    values = [
        (base | 0x0002, -5),
        (base | 0x0003, 0xFFEE_1122),
        (base | 0x0004, 1.5),
        (base | 0x0005, 3.25),
        (base | 0x000B, True),
        (base | 0x0006, 123_456_789),
        (base | 0x0007, 42.25),
        (base | 0x0040, 133_444_736_010_000_000),
        (base | 0x0014, -(1 << 40)),
        (base | 0x001F, 'u<&>"€😀\ttab\nnl\x01'),
        (base | 0x0102, bytes(range(256))),
        (base | 0x0048, bytes(range(16))),
        (base | 0x1003, (1, 2, 3)),
        (base | 0x101F, ("a", "bä", "")),
        (base | 0x1102, (b"x", b"", b"\0\1")),
        (base | 0x1014, (1, -1)),
        (base | 0x1005, (1.25,)),
        (base | 0x1040, (7,)),
        (base | 0x1002, (7, -7)),
    ]
    entryid = world.save(world.inbox, values)
    props = world.props(entryid)
    assert [(tag, props[tag]) for tag, _ in values] == values
    for tag, value in values:
        assert world.prop(entryid, tag) == value


def test_the_two_string_types_are_one_property(world: World) -> None:
    entryid = world.save(world.inbox, [(p.PR_SUBJECT & ~1, "first"), (p.PR_SUBJECT, "second")])
    assert world.props(entryid)[p.PR_SUBJECT] == "first"
    assert world.prop(entryid, p.PR_SUBJECT & ~1) == "first"
    world.update(entryid, gone=[p.PR_SUBJECT & ~1])
    assert p.PR_SUBJECT not in world.props(entryid)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (p.PR_SUBJECT, 5),
        (p.PR_IMPORTANCE, "high"),
        (p.PR_IMPORTANCE, 1 << 32),
        (p.PR_SEARCH_KEY, "text"),
        (p.PR_MESSAGE_DELIVERY_TIME, 1 << 70),
        (p.PR_EC_ENABLED_FEATURES, "imap"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(world: World, tag: int, value: object) -> None:
    with pytest.raises(InvalidParameter):
        world.save(world.inbox, [(tag, value)])
    assert world.subjects(world.inbox) == []


def test_values_of_32_kib_are_only_listed(world: World) -> None:
    short, long = "x" * 32767, "y" * 32768
    entryid = world.save(
        world.inbox,
        [(p.PR_BODY, short), (p.PR_TRANSPORT_MESSAGE_HEADERS, long), (p.PR_EC_IMAP_EMAIL, b"mail")],
        [attachment(b"data")],
    )
    tree = world.load(entryid)
    props = dict(tree.mod_props)
    assert props[p.PR_BODY] == short
    for tag in (p.PR_TRANSPORT_MESSAGE_HEADERS, p.PR_EC_IMAP_EMAIL):
        assert tag in tree.del_props
        assert tag not in props
    part = tree.children[0]
    assert p.PR_ATTACH_DATA_BIN in part.del_props
    assert p.PR_ATTACH_DATA_BIN not in dict(part.mod_props)
    assert world.prop(entryid, p.PR_TRANSPORT_MESSAGE_HEADERS) == long
    assert world.prop(entryid, p.PR_EC_IMAP_EMAIL) == b"mail"
    assert world.prop(entryid, p.PR_ATTACH_DATA_BIN, part.server_id) == b"data"
    with pytest.raises(NotFound):
        world.prop(entryid, p.PR_HTML)
    with pytest.raises(NotFound):
        world.prop(entryid, p.PR_ATTACH_DATA_BIN, part.server_id + 1000)


def test_an_update_sets_and_removes_properties(world: World) -> None:
    entryid = world.save(world.inbox, [(p.PR_SUBJECT, "old"), (p.PR_BODY, "b" * 5000), (p.PR_IMPORTANCE, 2)])
    before = world.props(entryid)
    world.time += 10
    answer = world.update(entryid, [(p.PR_SUBJECT, "new"), (p.PR_FLAG_STATUS, 2)], [p.PR_BODY, p.PR_IMPORTANCE])
    after = world.props(entryid)
    assert after[p.PR_SUBJECT] == "new"
    assert after[p.PR_FLAG_STATUS] == 2
    assert p.PR_BODY not in world.load(entryid).del_props
    assert p.PR_IMPORTANCE not in after
    assert after[p.PR_LAST_MODIFICATION_TIME] == before[p.PR_LAST_MODIFICATION_TIME] + 10 * 10_000_000
    assert after[p.PR_CREATION_TIME] == before[p.PR_CREATION_TIME]
    assert after[p.PR_EC_IMAP_ID] == before[p.PR_EC_IMAP_ID]
    assert after[p.PR_SOURCE_KEY] == before[p.PR_SOURCE_KEY]
    assert after[p.PR_CHANGE_KEY] != before[p.PR_CHANGE_KEY]
    assert after[p.PR_MESSAGE_SIZE] < before[p.PR_MESSAGE_SIZE] - 4900
    told = dict(answer.mod_props)
    assert told[p.PR_CHANGE_KEY] == after[p.PR_CHANGE_KEY]
    assert p.PR_CREATION_TIME not in told


@pytest.mark.parametrize("length", [10, 300, 2000, 40000])
def test_a_value_may_change_its_length_in_every_way(world: World, length: int) -> None:
    # Short values are kept with the row, longer ones elsewhere: none may be left behind.
    entryid = world.save(world.inbox, [(p.PR_SUBJECT, "s" * length)])
    for other in (20, 500, 3000, 50000, 5):
        world.update(entryid, [(p.PR_SUBJECT, "t" * other)])
        assert world.prop(entryid, p.PR_SUBJECT) == "t" * other
        assert [len(row[p.PR_SUBJECT]) for row in world.rows(world.inbox)] == [other]
        assert list(world.load(entryid).del_props).count(p.PR_SUBJECT) == 1
    world.update(entryid, gone=[p.PR_SUBJECT])
    assert world.rows(world.inbox) == [{}]


def test_the_read_flag_of_an_existing_message_is_not_saved(world: World) -> None:
    entryid = world.save(world.inbox, [(p.PR_MESSAGE_FLAGS, 2), (p.PR_SEARCH_KEY, b"s" * 16)])
    world.update(entryid, [(p.PR_MESSAGE_FLAGS, READ), (p.PR_SEARCH_KEY, b"t" * 16)])
    props = world.props(entryid)
    # UNMODIFIED is cleared by any update.
    assert props[p.PR_MESSAGE_FLAGS] == 0
    assert props[p.PR_SEARCH_KEY] == b"s" * 16


def test_children_are_changed_added_and_deleted(world: World) -> None:
    entryid = world.save(
        world.inbox,
        [],
        [recipient("Old", 0), recipient("Gone", 1), attachment(b"data", [(p.PR_ATTACH_FILENAME, "a.txt")])],
    )
    old, gone, file = world.load(entryid).children
    changed = ObjectTree(
        mod_props=[(p.PR_DISPLAY_NAME, "New")], server_id=old.server_id, obj_type=ObjectType.MAIL_USER
    )
    deleted = ObjectTree(delete=True, server_id=gone.server_id, obj_type=ObjectType.MAIL_USER)
    renamed = ObjectTree(
        mod_props=[(p.PR_ATTACH_LONG_FILENAME, "b.txt")],
        server_id=file.server_id,
        obj_type=ObjectType.ATTACHMENT,
    )
    answer = world.update(entryid, children=[changed, deleted, renamed, recipient("Added", 9)])
    assert [child.server_id for child in answer.children[:3]] == [old.server_id, gone.server_id, file.server_id]
    assert answer.children[1].mod_props == ()
    assert answer.children[3].client_id == 9
    tree = world.load(entryid)
    assert [child.server_id for child in tree.children] == [
        old.server_id,
        file.server_id,
        answer.children[3].server_id,
    ]
    # A recipient is replaced as a whole, an attachment keeps what was not sent.
    first = dict(tree.children[0].mod_props)
    assert first[p.PR_DISPLAY_NAME] == "New"
    assert p.PR_RECIPIENT_TYPE not in first
    attached = dict(tree.children[1].mod_props)
    assert attached[p.PR_ATTACH_FILENAME] == "a.txt"
    assert attached[p.PR_ATTACH_LONG_FILENAME] == "b.txt"
    assert world.prop(entryid, p.PR_ATTACH_DATA_BIN, file.server_id) == b"data"


def test_deleting_the_last_attachment_clears_hasattach(world: World) -> None:
    entryid = world.save(world.inbox, [], [embedded(message([(p.PR_BODY, "b" * 3000)], [recipient("I")]))])
    before = world.props(entryid)
    (part,) = world.load(entryid).children
    world.update(entryid, [(p.PR_SUBJECT, "unrelated")])
    assert world.props(entryid)[p.PR_HASATTACH] is True
    world.update(
        entryid, children=[ObjectTree(delete=True, server_id=part.server_id, obj_type=ObjectType.ATTACHMENT)]
    )
    props = world.props(entryid)
    assert props[p.PR_HASATTACH] is False
    assert props[p.PR_MESSAGE_FLAGS] & 0x10 == 0
    assert props[p.PR_MESSAGE_SIZE] < before[p.PR_MESSAGE_SIZE] - 3000
    assert world.load(entryid).children == []


def test_an_unknown_part_cannot_be_changed(world: World) -> None:
    entryid = world.save(world.inbox, [], [recipient("A")])
    other = world.save(world.inbox, [], [recipient("B")])
    (foreign,) = world.load(other).children
    child = ObjectTree(server_id=foreign.server_id, obj_type=ObjectType.MAIL_USER)
    with pytest.raises(NotFound):
        world.update(entryid, children=[child])


def test_parts_must_be_where_they_belong(world: World) -> None:
    with pytest.raises(InvalidParameter):
        world.save(world.inbox, [], [message()])
    with pytest.raises(InvalidParameter):
        world.save(world.inbox, [], [ObjectTree(children=[recipient("A")], obj_type=ObjectType.ATTACHMENT)])


def test_messages_are_embedded_up_to_the_limit(world: World) -> None:
    def nested(depth: int) -> ObjectTree:
        return message([(p.PR_SUBJECT, str(depth))], [embedded(nested(depth - 1))] if depth else [])

    entryid = world.save(world.inbox, [], [embedded(nested(19))])
    assert world.load(entryid).children[0].children[0].children[0].obj_type == ObjectType.ATTACHMENT
    with pytest.raises(TooBig) as caught:
        world.save(world.inbox, [], [embedded(nested(21))])
    assert caught.value.code == ErrorCode.TOO_COMPLEX


def test_attachment_data_may_be_named_by_its_instance(world: World) -> None:
    entryid = world.new_entryid()
    tree = message([(p.PR_EC_IMAP_EMAIL, b"the mail")], [attachment(b"the data")])
    answer = world.call(objects.save_object, world.alice, world.inbox, entryid, tree)
    assert answer.instance_ids is not None
    assert len(answer.instance_ids[0]) == 52
    second = world.new_entryid()
    tree = ObjectTree(
        children=[attachment(None, instance_ids=answer.children[0].instance_ids)],
        obj_type=ObjectType.MESSAGE,
        instance_ids=answer.instance_ids,
    )
    copy = world.call(objects.save_object, world.alice, world.inbox, second, tree)
    assert world.prop(second, p.PR_EC_IMAP_EMAIL) == b"the mail"
    assert world.prop(second, p.PR_ATTACH_DATA_BIN, copy.children[0].server_id) == b"the data"
    assert copy.children[0].instance_ids == answer.children[0].instance_ids


def test_an_instance_of_somebody_else_is_unknown(world: World) -> None:
    entryid = world.new_entryid()
    answer = world.call(
        objects.save_object, world.alice, world.inbox, entryid, message([(p.PR_EC_IMAP_EMAIL, b"secret")])
    )
    stolen = ObjectTree(obj_type=ObjectType.MESSAGE, instance_ids=answer.instance_ids)
    with pytest.raises(MapiError) as caught:
        world.call(objects.save_object, world.bob, world.bob_inbox, world.new_entryid(world.bob_store), stolen)
    assert caught.value.code == ErrorCode.UNKNOWN_INSTANCE_ID
    part = attachment(None, instance_ids=[bytes(52)])
    with pytest.raises(MapiError) as caught:
        world.save(world.inbox, [], [part])
    assert caught.value.code == ErrorCode.UNKNOWN_INSTANCE_ID


def test_imap_ids_ascend_over_the_whole_server(world: World) -> None:
    drafts = world.folder("Other")
    numbers = [
        world.props(world.save(world.inbox))[p.PR_EC_IMAP_ID],
        world.props(world.save(world.bob_inbox, actor=world.bob), actor=world.bob)[p.PR_EC_IMAP_ID],
        world.props(world.save(drafts))[p.PR_EC_IMAP_ID],
    ]
    assert numbers == sorted(set(numbers))


def test_an_entryid_is_used_once_and_must_fit(world: World) -> None:
    entryid = world.save(world.inbox)
    with pytest.raises(Collision):
        world.call(objects.save_object, world.alice, world.inbox, entryid, message())
    for wrong in (
        ids.object_entryid(world.bob_store.guid, ObjectType.MESSAGE, bytes(16)),
        ids.object_entryid(world.store.guid, ObjectType.FOLDER, bytes(16)),
    ):
        with pytest.raises(InvalidParameter):
            world.call(objects.save_object, world.alice, world.inbox, wrong, message())
    with pytest.raises(NotFound):
        world.call(objects.save_object, world.alice, entryid, world.new_entryid(), message())


def test_the_hierarchy_id_must_be_the_messages(world: World) -> None:
    entryid = world.save(world.inbox)
    tree = ObjectTree(server_id=world.load(entryid).server_id + 1, obj_type=ObjectType.MESSAGE)
    with pytest.raises(NotFound):
        world.call(objects.save_object, world.alice, world.store.entryid, entryid, tree)


def test_a_message_imported_by_a_synchronisation_keeps_its_keys(world: World) -> None:
    key, pcl = b"g" * 16 + b"\1\0\0\0", b"\x14" + b"g" * 16 + b"\1\0\0\0"
    props = [
        (p.PR_SOURCE_KEY, b"their source key......"),
        (p.PR_CHANGE_KEY, key),
        (p.PR_PREDECESSOR_CHANGE_LIST, pcl),
        (p.PR_LAST_MODIFICATION_TIME, 1234567),
    ]
    entryid = world.new_entryid()
    answer = world.call(objects.save_object, world.alice, world.inbox, entryid, message(props), 0, 40)
    assert p.PR_CHANGE_KEY not in answer.del_props
    loaded = world.props(entryid)
    assert [(tag, loaded[tag]) for tag, _ in props] == props
    assert [event.sync_id for event in world.logged] == [40]
    # A change made here adds the server's own key to the list.
    world.update(entryid, [(p.PR_SUBJECT, "changed here")])
    after = world.props(entryid)
    own = after[p.PR_CHANGE_KEY]
    assert own[:16] == world.database.guid
    assert after[p.PR_PREDECESSOR_CHANGE_LIST] == pcl + b"\x14" + own
    # A later import may set the flags of an existing message.
    world.update(entryid, [(p.PR_MESSAGE_FLAGS, READ), (p.PR_CHANGE_KEY, key)], sync_id=40)
    assert world.props(entryid)[p.PR_MESSAGE_FLAGS] == READ
    assert world.props(entryid)[p.PR_CHANGE_KEY] == key
    assert world.counters(world.inbox)[:2] == (1, 0)


def test_a_predecessor_list_without_length_bytes_is_dropped() -> None:
    key = b"s" * 16 + b"\1\0\0\0"
    assert identity.predecessors(key, b"s" * 20) == b"\x14" + key
    assert identity.predecessors(key, b"\x14" + b"s" * 20) == b"\x14" + key


def test_named_properties_without_a_name_are_not_shown(world: World) -> None:
    tag = 0x9999001F
    entryid = world.save(world.inbox, [(tag, "lost"), (0x8005001F, "fixed id")])
    tree = world.load(entryid)
    assert tag not in tree.del_props
    assert tag not in dict(tree.mod_props)
    assert dict(tree.mod_props)[0x8005001F] == "fixed id"


def test_exists(world: World) -> None:
    entryid = world.save(world.inbox)
    for known in (entryid, world.inbox, world.store.entryid):
        world.ask(objects.check_exists, known)
        with pytest.raises(NotFound):
            world.ask(objects.check_exists, known, 2)
    with pytest.raises(InvalidParameter):
        world.ask(objects.check_exists, b"")
    for unknown in (world.new_entryid(), b"nonsense", b"x" * 100):
        with pytest.raises(NotFound):
            world.ask(objects.check_exists, unknown)


@pytest.mark.parametrize("entryid", [b"", b"x", b"x" * 48, bytes(36)])
def test_loading_what_is_not_there(world: World, entryid: bytes) -> None:
    with pytest.raises(NotFound):
        world.load(entryid)


def test_the_flags_of_an_entryid_do_not_matter(world: World) -> None:
    marked = world.store.entryid[:26] + b"\x10\0" + world.store.entryid[28:]
    assert world.props(marked) == world.props(world.store.entryid)


def test_store_properties(world: World) -> None:
    props = world.props(world.store.entryid)
    assert props[p.PR_DISPLAY_NAME] == "Inbox - Alice Example"
    assert props[p.PR_MAILBOX_OWNER_NAME] == "Alice Example"
    assert props[p.PR_USER_NAME] == "alice"
    assert props[p.PR_VALID_FOLDER_MASK] == 0xFF
    assert props[p.PR_MAPPING_SIGNATURE] == world.database.guid
    assert props[p.PR_ACCESS_LEVEL] == 1
    # The session's user, not the owner.
    other = world.props(world.store.entryid, actor=world.bob)
    assert other[p.PR_USER_NAME] == "bob"
    assert other[p.PR_ACCESS_LEVEL] == 0
    world.update(world.store.entryid, [(p.PR_EC_OUTOFOFFICE, True), (p.PR_EC_OUTOFOFFICE_MSG, "m" * 5000)])
    assert world.props(world.store.entryid)[p.PR_EC_OUTOFOFFICE] is True
    assert world.prop(world.store.entryid, p.PR_EC_OUTOFOFFICE_MSG) == "m" * 5000
    assert world.events[0].object_type == ObjectType.STORE


def test_the_size_of_the_store_follows_its_messages(world: World) -> None:
    def size() -> int:
        return world.ask(locate.store_by_entryid, world.store.entryid).size

    before = size()
    entryid = world.save(world.inbox, [(p.PR_BODY, "b" * 10_000)], [attachment(b"d" * 20_000)])
    assert 30_000 <= size() - before == world.props(entryid)[p.PR_MESSAGE_SIZE]
    world.update(entryid, [(p.PR_BODY, "b" * 100)])
    assert 20_100 <= size() - before < 20_500
    assert size() - before == world.props(entryid)[p.PR_MESSAGE_SIZE]
