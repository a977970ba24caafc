"""Whole messages and change synchronisation over the wire."""

from __future__ import annotations

import secrets

from gateway.mapi import ids
from gateway.mapi import proptags as pt
from gateway.mapi.errors import ErrorCode
from gateway.mapi.propnames import KEYWORDS, PS_PUBLIC_STRINGS
from gateway.mapi.props import PropName
from gateway.mapi.restrictions import contains
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire import calls_object as object_calls
from gateway.mapiclient.wire import calls_store as store_calls
from gateway.mapiclient.wire import calls_sync as sync_calls
from gateway.mapiclient.wire.stream import decode_stream
from gateway.mapiclient.wire.structs import MessageStream, ObjectTree, SourceKeyPair
from gateway.storeserver import answers  # noqa: F401
from tests.storeserver.mailbox import inbox, new_folder, new_message
from tests.support.soap import SoapClient
from tests.support.store import RunningStore

# -- whole messages


def whole_message(client: SoapClient, folder: bytes) -> bytes:
    embedded = ObjectTree(mod_props=[(pt.PR_SUBJECT, "inside")], obj_type=ObjectType.MESSAGE)
    (number,) = client.ok(object_calls.GetIdsFromNames([PropName(PS_PUBLIC_STRINGS, "Keywords")], 2)).prop_tags
    children = [
        ObjectTree(
            mod_props=[(pt.PR_RECIPIENT_TYPE, 1), (pt.PR_DISPLAY_NAME, "Bob"), (pt.PR_SMTP_ADDRESS, "b@x")],
            obj_type=ObjectType.MAIL_USER,
        ),
        ObjectTree(
            mod_props=[(pt.PR_ATTACH_METHOD, 1), (pt.PR_ATTACH_DATA_BIN, b"\0\1\r\n--x" * 9000)],
            obj_type=ObjectType.ATTACHMENT,
        ),
        ObjectTree(children=[embedded], mod_props=[(pt.PR_ATTACH_METHOD, 5)], obj_type=ObjectType.ATTACHMENT),
    ]
    more = [
        (pt.PR_BODY, "x" * 50_000),
        (pt.PR_HTML, b"<p>x</p>"),
        ((number + 0x8500) << 16 | 0x101F, ("red", "blue")),
        (0x800D0040, 133_000_000_000_000_000),
    ]
    return new_message(client, folder, "whole", children=children, more=more)


def export(
    client: SoapClient, keys: list[SourceKeyPair], prop_tag: int = pt.PR_SOURCE_KEY
) -> list[MessageStream]:
    call = sync_calls.ExportMessageChangesAsStream(
        0, [pt.PR_SUBJECT, pt.PR_TITLE, pt.PR_ENTRYID], keys, prop_tag
    )
    return list(client.ok(call).msg_streams)


def test_whole_messages_travel_as_streams(alice: SoapClient) -> None:
    folder = new_folder(alice, "streams")
    message, plain = whole_message(alice, folder), new_message(alice, folder, "plain")
    pair = SourceKeyPair(b"", message)
    found = export(alice, [SourceKeyPair(b"", b"unknown"), pair, SourceKeyPair(b"", plain)], pt.PR_ENTRYID)
    assert alice.headers["content-type"].startswith("multipart/related; charset=utf-8; boundary=")
    assert [one.step for one in found] == [1, 2]
    assert list(found[0].prop_vals) == [
        (pt.PR_SUBJECT, "whole"),
        (pt.PR_TITLE & ~0xFFFF | 0xA, int(ErrorCode.NOT_FOUND)),
        (pt.PR_ENTRYID, message),
    ]
    assert found[0].stream_data is not None
    content = decode_stream(found[0].stream_data)
    assert content.props[pt.PR_BODY] == "x" * 50_000
    assert content.props[pt.PR_HTML] == b"<p>x</p>"
    assert content.props[KEYWORDS] == ("red", "blue")
    assert [one[pt.PR_DISPLAY_NAME] for one in content.recipients] == ["Bob"]
    assert content.attachments[0].data == b"\0\1\r\n--x" * 9000
    assert content.attachments[1].embedded is not None
    assert content.attachments[1].embedded.props[pt.PR_SUBJECT] == "inside"
    assert pt.PR_EC_IMAP_EMAIL not in content.props

    keys = {tag: value for tag, value in content.props.items() if tag == pt.PR_SOURCE_KEY}
    loaded = alice.ok(object_calls.LoadObject(folder)).object
    assert loaded is not None
    by_source = SourceKeyPair(dict(loaded.mod_props)[pt.PR_SOURCE_KEY], keys[pt.PR_SOURCE_KEY])
    wrong = SourceKeyPair(b"unknown", keys[pt.PR_SOURCE_KEY])
    assert [one.step for one in export(alice, [wrong, by_source])] == [1]


def test_a_stream_becomes_a_message_again(alice: SoapClient) -> None:
    folder, target = new_folder(alice, "origin"), new_folder(alice, "copy")
    message = whole_message(alice, folder)
    stream = export(alice, [SourceKeyPair(b"", message)], pt.PR_ENTRYID)[0].stream_data
    entryid = ids.message_entryid(target[4:20], secrets.token_bytes(16))
    alice.ok(sync_calls.ImportMessageFromStream(0, 0, target, entryid, True, None, stream))
    again = export(alice, [SourceKeyPair(b"", entryid)], pt.PR_ENTRYID)[0].stream_data
    assert stream is not None
    assert again is not None
    first, second = decode_stream(stream), decode_stream(again)
    for tag in (pt.PR_SUBJECT, pt.PR_BODY, pt.PR_HTML, KEYWORDS, 0x800D0040):
        assert second.props[tag] == first.props[tag]
    assert second.attachments[0].data == first.attachments[0].data
    assert second.attachments[1].embedded is not None

    other = new_message(alice, folder, "other", more=[(pt.PR_IMPORTANCE, 2)])
    alice.ok(object_calls.SetReadFlags(0, None, [entryid]))
    replacement = export(alice, [SourceKeyPair(b"", other)], pt.PR_ENTRYID)[0].stream_data
    alice.ok(sync_calls.ImportMessageFromStream(0, 0, target, entryid, False, None, replacement))
    replaced = alice.ok(object_calls.LoadObject(entryid)).object
    assert replaced is not None
    props = dict(replaced.mod_props)
    assert (props[pt.PR_SUBJECT], props[pt.PR_IMPORTANCE]) == ("other", 2)
    assert props[pt.PR_MESSAGE_FLAGS] & 1
    assert pt.PR_BODY not in replaced.del_props
    assert list(replaced.children) == []


def test_streams_need_a_session_that_asked_for_them(store: RunningStore, alice: SoapClient) -> None:
    with store.client("alice", capabilities=0x210) as old:
        call = sync_calls.ExportMessageChangesAsStream(0, [], [], pt.PR_ENTRYID)
        assert old.er(call) == ErrorCode.NO_SUPPORT
        assert alice.ok(call).msg_streams == ()
    folder = inbox(alice)
    broken = sync_calls.ImportMessageFromStream(
        0, 0, folder, ids.message_entryid(folder[4:20], bytes(16)), True, None, b"\0\0\0\1\xff"
    )
    assert alice.er(broken) == ErrorCode.INVALID_PARAMETER


# -- synchronisation


def test_a_folder_is_synchronised(alice: SoapClient, bob: SoapClient) -> None:
    folder = new_folder(alice, "ics")
    loaded = alice.ok(object_calls.LoadObject(folder)).object
    assert loaded is not None
    key = dict(loaded.mod_props)[pt.PR_SOURCE_KEY]
    assert bob.er(sync_calls.SetSyncStatus(key, 0, 0, 1)) == ErrorCode.NO_ACCESS
    first = new_message(alice, folder, "first")
    sync = alice.ok(sync_calls.SetSyncStatus(key, 0, 0, 1)).sync_id

    def changes(position: int, restriction: object = None) -> tuple[list[int], int]:
        call = sync_calls.GetChanges(key, sync, position, 1, 0x29, restriction)  # type: ignore[arg-type]
        reply = alice.ok(call)
        return [change.change_type for change in reply.changes], reply.max_change_id

    found, position = changes(0)
    assert found == [4097]
    alice.ok(sync_calls.SetSyncStatus(key, sync, position, 1))
    assert [
        (state.sync_id, state.change_id) for state in alice.ok(sync_calls.GetSyncStates([sync])).sync_states
    ] == [(sync, position)]
    assert changes(position) == ([], position)
    alice.ok(object_calls.SetReadFlags(0, None, [first]))
    new_message(alice, folder, "second")
    alice.ok(object_calls.DeleteObjects(0, [first]))
    found, position = changes(position)
    assert found == [4099, 4097, 4100]
    assert changes(0, contains(pt.PR_SUBJECT, "SEC"))[0] == [4097]
    assert changes(0, contains(pt.PR_SUBJECT, "x"))[0] == []
    assert alice.er(sync_calls.GetChanges(key, 0, 0, 1, 0x29)) == ErrorCode.INVALID_PARAMETER
    assert alice.er(sync_calls.SetSyncStatus(key, 9999, 5, 1)) == ErrorCode.NOT_FOUND
    own = alice.ok(store_calls.GetStore()).store_id
    assert alice.ok(sync_calls.GetEntryIdFromSourceKey(own, key)).entryid == folder
    info = alice.ok(sync_calls.GetChangeInfo(folder))
    assert info.prop_ck[0] == pt.PR_CHANGE_KEY
    assert len(info.prop_ck[1]) == 20
