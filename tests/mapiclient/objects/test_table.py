"""Tables: batches, positions, searches, and what happens when the session was lost in between."""

from __future__ import annotations

from typing import Any

from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.restrictions import Property as Compare
from gateway.mapi.restrictions import Relop, contains, equals
from gateway.mapi.tables import Bookmark, SortDirection, SortKey
from gateway.mapiclient import Session, Store, Table, folder, message
from tests.mapiclient.objects.trouble import forgotten

COUNT = 12
BY_SUBJECT = [SortKey(pr.PR_SUBJECT)]


async def filled(session: Session, name: str) -> bytes:
    """A new folder with messages whose subjects are 00, 01, ..."""
    store = await Store.default(session)
    made = await folder.create_folder(session, store.ipm_subtree, name)
    for number in range(COUNT):
        note = MessageContent({pr.PR_MESSAGE_CLASS: "IPM.Note", pr.PR_SUBJECT: f"{number:02}"})
        await message.save_new_message(session, made, store.guid, note)
    return made


def subjects(rows: list[Any]) -> list[str]:
    return [row[0][1] for row in rows]


def table(session: Session, made: bytes, **options: Any) -> Table:
    return Table.contents(session, made, [pr.PR_SUBJECT], sort=BY_SUBJECT, **options)


ALL = [f"{number:02}" for number in range(COUNT)]


def test_all_rows_come_in_batches_or_one_by_one(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        made = await filled(session, "Batches")
        for size in (1, 5, 6, 12, 100):
            async with table(session, made, batch=size) as rows:
                batches = [subjects(batch) async for batch in rows.batches()]
            assert [subject for batch in batches for subject in batch] == ALL
            assert max(map(len, batches)) == min(size, COUNT)
        async with table(session, made, batch=5) as rows:
            assert [row[0][1] async for row in rows] == ALL
            assert await rows.row_count() == COUNT

    as_ann(work)


def test_positions_count_from_what_was_handed_out(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        made = await filled(session, "Positions")
        async with table(session, made, batch=5) as rows:
            assert subjects(await rows.query(2)) == ["00", "01"]
            assert await rows.seek(Bookmark.CURRENT, 3) == 3
            assert subjects(await rows.query(2)) == ["05", "06"]
            assert await rows.seek(Bookmark.CURRENT, -4) == -4
            assert subjects(await rows.query(1)) == ["03"]
            assert await rows.seek(Bookmark.END, -1) == -1
            assert subjects(await rows.query(5)) == ["11"]
            assert await rows.query(5) == []
            assert await rows.seek() == 0
            assert subjects(await rows.query(1)) == ["00"]
            assert await rows.seek(Bookmark.BEGINNING, 50) == COUNT

    as_ann(work)


def test_rows_are_found_from_either_place(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        made = await filled(session, "Finding")
        async with table(session, made, batch=5) as rows:
            assert await rows.find_row(equals(pr.PR_SUBJECT, "07"))
            assert subjects(await rows.query(2)) == ["07", "08"]
            assert not await rows.find_row(equals(pr.PR_SUBJECT, "none"))
            assert subjects(await rows.query(1)) == ["09"]
            await rows.seek()
        async with table(session, made, batch=5) as rows:
            await rows.query(1)
            later = Compare(Relop.GE, pr.PR_SUBJECT, (pr.PR_SUBJECT, "01"))
            assert await rows.find_row(later, start=Bookmark.CURRENT), "what was read ahead counts as unread"
            assert subjects(await rows.query(1)) == ["01"]

    as_ann(work)


def test_a_failed_search_loses_no_row(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        made = await filled(session, "Failing")
        async with table(session, made, batch=5) as rows:
            assert not await rows.find_row(equals(pr.PR_SUBJECT, "none"))
            assert subjects(await rows.query(3)) == ["00", "01", "02"]

    as_ann(work)


def test_filter_and_order_can_change(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        made = await filled(session, "Changing")
        async with table(session, made, restriction=contains(pr.PR_SUBJECT, "1")) as rows:
            assert subjects(await rows.query(50)) == ["01", "10", "11"]
            await rows.restrict(None)
            await rows.sort([SortKey(pr.PR_SUBJECT, SortDirection.DESCENDING)])
            assert subjects(await rows.query(50)) == ALL[::-1]

    as_ann(work)


def test_a_table_goes_on_after_its_session_was_lost(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        made = await filled(session, "Lost")
        async with table(session, made, batch=5) as rows:
            assert subjects(await rows.query(5)) == ALL[:5]
            await forgotten(session)
            assert subjects(await rows.query(5)) == ALL[5:10]
            assert session.epoch == 2
            # Somebody else notices first: the table's number now belongs to nothing, or to another table.
            await forgotten(session)
            async with table(session, made, batch=1) as other:
                assert subjects(await rows.query(5)) == ALL[10:]
                assert await rows.query(5) == []
                assert subjects(await other.query(1)) == ["00"]

    as_ann(work)


def test_a_found_place_survives_the_loss_of_the_session(as_ann: Any) -> None:
    async def work(session: Session) -> None:
        made = await filled(session, "Places")
        async with table(session, made, batch=5) as rows:
            assert await rows.find_row(equals(pr.PR_SUBJECT, "04"))
            assert subjects(await rows.query(1)) == ["04"]
            await forgotten(session)
            assert subjects(await rows.query(1)) == ["05"]
            await rows.seek(Bookmark.END, -3)
            assert subjects(await rows.query(1)) == ["09"]
            await forgotten(session)
            assert await rows.seek(Bookmark.CURRENT, -2) == -2
            assert subjects(await rows.query(1)) == ["08"]
            await rows.restrict(contains(pr.PR_SUBJECT, "1"))
            await forgotten(session)
            assert subjects(await rows.query(50)) == ["01", "10", "11"]

    as_ann(work)
