"""Change synchronisation, and many whole messages at once."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.mapi import proptags as pr
from gateway.mapi.changes import ChangeAction, SyncFlags, SyncKind, collapse
from gateway.mapi.content import AttachmentContent, Blob, MessageContent
from gateway.mapi.errors import NotFound
from gateway.mapiclient import Session, Store, folder, message, sync
from tests.mapiclient.objects.test_message import KEYWORDS

FLAGS = SyncFlags.NORMAL | SyncFlags.READ_STATE | SyncFlags.UNICODE


def note(number: int) -> MessageContent:
    return MessageContent(
        {pr.PR_MESSAGE_CLASS: "IPM.Note", pr.PR_SUBJECT: f"{number:02}", KEYWORDS: (str(number),)},
        [{pr.PR_RECIPIENT_TYPE: 1, pr.PR_DISPLAY_NAME: "To", pr.PR_ENTRYID: b"one-off"}],
        [AttachmentContent({pr.PR_ATTACH_METHOD: 1}, bytes([number]) * 100_000)],
    )


def test_changes_are_told_since_a_position(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        store = await Store.default(session)
        made = await folder.create_folder(session, store.ipm_subtree, "Synced")
        key = (await folder.load_props(session, made))[0][pr.PR_SOURCE_KEY]
        first = await message.save_new_message(session, made, store.guid, note(1))
        sync_id = await sync.new_sync(session, key)
        changes, position = await sync.get_changes(session, key, sync_id, 0, SyncKind.CONTENTS, FLAGS)
        assert [change.action for change in changes] == [ChangeAction.NEW]
        source_key = changes[0].source_key
        assert await sync.entryid_of(session, store.entryid, key, source_key) == first.entryid
        assert await sync.entryid_of(session, store.entryid, key) == made

        await sync.acknowledge(session, key, sync_id, position, SyncKind.CONTENTS)
        second = await message.save_new_message(session, made, store.guid, note(2))
        await message.set_read(session, [first.entryid], read=True)
        await message.delete_messages(session, [second.entryid], hard=True)
        changes, later = await sync.get_changes(session, key, sync_id, position, SyncKind.CONTENTS, FLAGS)
        assert later > position
        final = collapse(changes)
        assert final[source_key].action == ChangeAction.FLAG
        assert {change.is_delete for each, change in final.items() if each != source_key} == {True}
        assert (await sync.get_changes(session, key, sync_id, later, SyncKind.CONTENTS, FLAGS))[0] == []
        with pytest.raises(NotFound):
            await sync.entryid_of(session, store.entryid, key, b"x" * 22)

    as_ann(work)


def test_many_messages_are_loaded_in_few_calls(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        store = await Store.default(session)
        made = await folder.create_folder(session, store.ipm_subtree, "Exported")
        wanted = [
            (await message.save_new_message(session, made, store.guid, note(n))).entryid for n in range(7)
        ]
        await message.delete_messages(session, wanted[3:4], hard=True)
        loaded = [pair async for pair in sync.load_messages(session, wanted, batch=3)]
        assert [entryid for entryid, _ in loaded] == [*wanted[:3], *wanted[4:]]
        for (_, content), number in zip(loaded, (0, 1, 2, 4, 5, 6), strict=True):
            assert content.props[pr.PR_SUBJECT] == f"{number:02}"
            assert content.props[KEYWORDS] == (str(number),)
            assert content.recipients[0][pr.PR_ENTRYID] == b"one-off"
            data = content.attachments[0].data
            assert (data.read() if isinstance(data, Blob) else data) == bytes([number]) * 100_000

    as_ann(work)
