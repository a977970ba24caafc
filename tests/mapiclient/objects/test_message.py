"""Messages: saved, loaded, changed, replaced, in one piece and in numbers."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent, Blob, MessageContent
from gateway.mapi.errors import NotFound
from gateway.mapi.propnames import PS_INTERNET_HEADERS, PS_PUBLIC_STRINGS
from gateway.mapi.props import PT_MV_UNICODE, PT_UNICODE, NamedTag, PropName
from gateway.mapiclient import Session, Special, Store, Table, attachment, message
from gateway.mapiclient.message import SavedMessage
from gateway.mapiclient.replacing import replace_message
from gateway.mapiclient.table import rows_of

KEYWORDS = NamedTag(PropName(PS_PUBLIC_STRINGS, "Keywords"), PT_MV_UNICODE)
HEADER = NamedTag(PropName(PS_INTERNET_HEADERS, "x-test"), PT_UNICODE)
LARGE = bytes(range(256)) * 2000


def content() -> MessageContent:
    inner = MessageContent(
        {pr.PR_MESSAGE_CLASS: "IPM.Note", pr.PR_SUBJECT: "inner", HEADER: "of the inner one"},
        [],
        [AttachmentContent({pr.PR_ATTACH_METHOD: 1}, b"deep")],
    )
    return MessageContent(
        {
            pr.PR_MESSAGE_CLASS: "IPM.Note",
            pr.PR_SUBJECT: "a \x01 strange & <long> one \N{PILE OF POO}",
            pr.PR_BODY: "line\r\n" * 20_000,
            pr.PR_MESSAGE_FLAGS: 1,
            KEYWORDS: ("red", "green"),
            HEADER: "value",
        },
        [
            {pr.PR_RECIPIENT_TYPE: 1, pr.PR_DISPLAY_NAME: "To", pr.PR_ENTRYID: b"one-off"},
            {pr.PR_RECIPIENT_TYPE: 2, pr.PR_DISPLAY_NAME: "Cc", KEYWORDS: ("r",)},
        ],
        [
            AttachmentContent({pr.PR_ATTACH_METHOD: 1, pr.PR_ATTACH_LONG_FILENAME: "small"}, b"\0\1"),
            AttachmentContent({pr.PR_ATTACH_METHOD: 1, pr.PR_ATTACH_LONG_FILENAME: "large"}, LARGE),
            AttachmentContent({pr.PR_ATTACH_METHOD: 5}, None, inner),
        ],
    )


async def saved(session: Session, store: Store, what: MessageContent | None = None) -> SavedMessage:
    drafts = (await store.special_folders())[Special.DRAFTS]
    return await message.save_new_message(session, drafts, store.guid, what or content())


def read(data: bytes | Blob | None) -> bytes | None:
    return data.read() if isinstance(data, Blob) else data


def test_a_message_is_loaded_as_it_was_saved(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        original = content()
        new = await saved(session, await Store.default(session))
        loaded = await message.load_message(session, new.entryid)
        assert loaded.server_id == new.server_id
        assert loaded.content.props.items() >= (original.props | {pr.PR_MESSAGE_FLAGS: 0x11}).items(), (
            "has attachments"
        )
        for row, first in zip(loaded.content.recipients, original.recipients, strict=True):
            assert row.items() >= first.items()
        small, large, embedding = loaded.content.attachments
        assert small.data == b"\0\1"
        assert isinstance(large.data, Blob)
        assert large.data.read() == LARGE
        assert embedding.data is None
        assert embedding.embedded is not None
        assert embedding.embedded.props[HEADER] == "of the inner one"
        assert embedding.embedded.attachments[0].data == b"deep"

    as_ann(work)


def test_properties_are_changed_and_removed(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        store = await Store.default(session)
        new = await saved(session, store)
        await message.set_props(
            session,
            store.entryid,
            new.entryid,
            new.server_id,
            {pr.PR_FLAG_STATUS: 2, HEADER: "new"},
            [KEYWORDS],
        )
        props = (await message.load_message(session, new.entryid)).content.props
        assert (props[pr.PR_FLAG_STATUS], props[HEADER]) == (2, "new")
        assert KEYWORDS not in props
        assert await message.set_status(session, new.entryid, 8, 8) == 0
        assert await message.load_prop(session, new.entryid, pr.PR_MSG_STATUS) == 8

    as_ann(work)


def test_replacing_leaves_nothing_of_the_old_content(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        store = await Store.default(session)
        new = await saved(session, store)
        before = (await message.load_message(session, new.entryid)).content
        other = MessageContent(
            {pr.PR_MESSAGE_CLASS: "IPM.Note", pr.PR_SUBJECT: "other", KEYWORDS: ("blue",)},
            [{pr.PR_RECIPIENT_TYPE: 1, pr.PR_DISPLAY_NAME: "Other"}],
            [AttachmentContent({pr.PR_ATTACH_METHOD: 1}, b"other")],
        )
        await replace_message(session, store.entryid, new.entryid, other)
        after = (await message.load_message(session, new.entryid)).content
        assert after.props.items() >= other.props.items()
        assert not {pr.PR_BODY, HEADER} & after.props.keys()
        assert [row[pr.PR_DISPLAY_NAME] for row in after.recipients] == ["Other"]
        assert [each.data for each in after.attachments] == [b"other"]
        for kept in (pr.PR_SOURCE_KEY, pr.PR_CREATION_TIME, pr.PR_MESSAGE_FLAGS, pr.PR_EC_IMAP_ID):
            assert kept in before.props
            assert (kept == pr.PR_MESSAGE_FLAGS) or after.props[kept] == before.props[kept]
        assert after.props[pr.PR_MESSAGE_FLAGS] & 1

    as_ann(work)


def test_sets_of_messages_are_flagged_copied_moved_and_deleted(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        store = await Store.default(session)
        folders = await store.special_folders()
        small = MessageContent({pr.PR_MESSAGE_CLASS: "IPM.Note", pr.PR_MESSAGE_FLAGS: 0})
        notes, tasks, trash = folders[Special.NOTES], folders[Special.TASKS], folders[Special.TRASH]
        made = [(await message.save_new_message(session, notes, store.guid, small)).entryid for _ in range(5)]

        async def flags(folder: bytes) -> list[int]:
            rows = await rows_of(Table.contents(session, folder, [pr.PR_MESSAGE_FLAGS]))
            return [row[pr.PR_MESSAGE_FLAGS] & 1 for row in rows]

        await message.set_read(session, made[:3], read=True)
        assert sum(await flags(notes)) == 3
        await message.set_folder_read(session, notes, read=False)
        assert sum(await flags(notes)) == 0
        assert await message.copy_messages(session, made[:2], tasks)
        assert await message.copy_messages(session, made[2:4], trash, move=True)
        assert [len(await flags(each)) for each in (notes, tasks, trash)] == [3, 2, 2]
        assert not await message.copy_messages(session, made[2:3], tasks), "it was moved away"
        assert await message.delete_messages(session, made)
        assert await flags(notes) == []
        with pytest.raises(NotFound):
            await message.load_message(session, made[0])

    as_ann(work)


def test_attachments_come_and_go_one_by_one(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        store = await Store.default(session)
        new = await saved(session, store)
        small, large, embedding = await attachment.attachments(session, new.entryid)
        assert (small.name, large.name, embedding.embeds) == ("small", "large", True)
        assert await small.data() == b"\0\1"
        data = await large.data()
        assert isinstance(data, Blob)
        blob = Blob(len(LARGE), lambda: (LARGE[at : at + 1000] for at in range(0, len(LARGE), 1000)))
        number = await attachment.add_attachment(
            session, store.entryid, new.entryid, new.server_id, blob, {pr.PR_ATTACH_LONG_FILENAME: "streamed"}
        )
        await attachment.delete_attachment(session, store.entryid, new.entryid, new.server_id, small.server_id)
        left = await attachment.attachments(session, new.entryid)
        assert [each.name for each in left] == ["large", "", "streamed"]
        assert left[-1].server_id == number
        assert read(await left[-1].data()) == LARGE
        with pytest.raises(NotFound):
            await small.data()

    as_ann(work)
