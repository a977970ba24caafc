"""Tables over the wire."""

from __future__ import annotations

from gateway.mapi import ids
from gateway.mapi import proptags as pt
from gateway.mapi.errors import ErrorCode
from gateway.mapi.restrictions import contains, equals
from gateway.mapi.tables import ObjectType, SortDirection, SortKey, TableFlags, TableType
from gateway.mapiclient.wire import calls_directory as directory
from gateway.mapiclient.wire import calls_folder as folder_calls
from gateway.mapiclient.wire import calls_object as object_calls
from gateway.mapiclient.wire import calls_table as table_calls
from gateway.storeserver import answers  # noqa: F401
from tests.storeserver.mailbox import inbox, new_folder, new_message
from tests.support.soap import SoapClient
from tests.support.store import RunningStore

# -- tables


def test_a_table_of_messages(alice: SoapClient) -> None:
    folder = new_folder(alice, "table")
    for subject in ("pear", "Apple", "fig"):
        new_message(alice, folder, subject)
    table = alice.ok(table_calls.TableOpen(folder, TableType.MS, ObjectType.MESSAGE)).table_id
    columns = [pt.PR_SUBJECT, pt.PR_BODY, pt.PR_INSTANCE_KEY]
    alice.ok(table_calls.TableSetColumns(table, columns))
    assert alice.ok(table_calls.TableQueryColumns(table)).prop_tags == tuple(columns)
    alice.ok(table_calls.TableSort(table, [SortKey(pt.PR_SUBJECT, SortDirection.ASCENDING)]))
    rows = alice.ok(table_calls.TableQueryRows(table, 2)).row_set
    assert [row[0] for row in rows] == [(pt.PR_SUBJECT, "Apple"), (pt.PR_SUBJECT, "fig")]
    assert rows[0][1] == (0x1000000A, int(ErrorCode.NOT_FOUND))
    assert alice.ok(table_calls.TableGetRowCount(table)) == table_calls.RowCount(0, 3, 2)
    mark = alice.ok(table_calls.TableCreateBookmark(table)).position
    assert alice.ok(table_calls.TableSeekRow(table, 0, 1)).rows_sought == 1
    alice.ok(table_calls.TableFindRow(table, 0, 0, equals(pt.PR_SUBJECT, "PEAR")))
    assert alice.er(table_calls.TableFindRow(table, 0, 0, equals(pt.PR_SUBJECT, "kiwi"))) == ErrorCode.NOT_FOUND
    assert alice.ok(table_calls.TableQueryRows(table, 9, 1)).row_set[0][0][1] == "pear"
    alice.ok(table_calls.TableSeekRow(table, mark, 0))
    alice.ok(table_calls.TableFreeBookmark(table, mark))
    assert alice.er(table_calls.TableFreeBookmark(table, mark)) == ErrorCode.INVALID_BOOKMARK
    alice.ok(table_calls.TableRestrict(table, contains(pt.PR_SUBJECT, "P")))
    assert alice.ok(table_calls.TableGetRowCount(table)).count == 2
    for call in (
        table_calls.TableSetColumns(table, None),
        table_calls.TableSort(table, None),
        table_calls.TableFindRow(table, 0, 0, None),
        table_calls.TableMulti(None),
        table_calls.TableExpandRow(table, bytes(8), 1),
    ):
        assert alice.er(call) == ErrorCode.INVALID_PARAMETER
    alice.ok(table_calls.TableClose(table))
    assert alice.er(table_calls.TableClose(table)) == ErrorCode.NOT_FOUND
    assert alice.er(table_calls.TableQueryRows(table, 1)) == ErrorCode.NOT_FOUND


def test_a_table_follows_its_folder(alice: SoapClient, store: RunningStore) -> None:
    folder = new_folder(alice, "live")
    table = alice.ok(table_calls.TableOpen(folder, TableType.MS, ObjectType.MESSAGE)).table_id
    assert alice.ok(table_calls.TableGetRowCount(table)).count == 0
    with store.client("alice") as other:
        first = new_message(other, folder, "first")
        assert alice.ok(table_calls.TableGetRowCount(table)).count == 1
        new_message(other, folder, "second")
        other.ok(object_calls.DeleteObjects(0, [first]))
    alice.ok(table_calls.TableSetColumns(table, [pt.PR_SUBJECT]))
    alice.ok(table_calls.TableSeekRow(table, 0, 0))
    assert alice.ok(table_calls.TableQueryRows(table, 9)).row_set == [[(pt.PR_SUBJECT, "second")]]


def test_the_table_of_a_deleted_folder_is_empty(alice: SoapClient, store: RunningStore) -> None:
    folder = new_folder(alice, "short-lived")
    new_message(alice, folder, "gone with it")
    table = alice.ok(table_calls.TableOpen(folder, TableType.MS, ObjectType.MESSAGE)).table_id
    assert alice.ok(table_calls.TableGetRowCount(table)).count == 1
    with store.client("alice") as other:
        other.ok(folder_calls.DeleteFolder(folder, 0x15))
    assert alice.ok(table_calls.TableGetRowCount(table)).count == 0


def test_hierarchy_tables(alice: SoapClient) -> None:
    top = new_folder(alice, "top")
    new_folder(alice, "below", new_folder(alice, "middle", top))
    found = {}
    for flags in (0, TableFlags.CONVENIENT_DEPTH):
        reply = alice.ok(
            table_calls.TableMulti(
                table_calls.TableRequest(
                    open=table_calls.OpenRequest(top, TableType.MS, ObjectType.FOLDER, flags),
                    set_columns=[pt.PR_DISPLAY_NAME, pt.PR_DEPTH],
                    sort=table_calls.SortRequest([SortKey(pt.PR_DEPTH)]),
                    query_rows=table_calls.QueryRowsRequest(100),
                )
            )
        )
        found[flags] = [(row[0][1], row[1][1]) for row in reply.row_set]
    assert found == {0: [("middle", 1)], TableFlags.CONVENIENT_DEPTH: [("middle", 1), ("below", 2)]}


def test_a_failing_step_leaves_no_table_behind(alice: SoapClient, store: RunningStore) -> None:
    request = table_calls.TableRequest(
        open=table_calls.OpenRequest(inbox(alice), TableType.MS, ObjectType.MESSAGE),
        sort=table_calls.SortRequest([SortKey(pt.PR_SUBJECT)], 3),
    )
    assert store.service.server is not None
    before = store.service.server.tables.count
    assert alice.er(table_calls.TableMulti(request)) == ErrorCode.INVALID_PARAMETER
    assert store.service.server.tables.count == before


def test_tables_of_administrators_and_the_address_book(store: RunningStore, alice: SoapClient) -> None:
    with store.system() as system:
        for table_type, minimum in (
            (TableType.STATS_SYSTEM, 5),
            (TableType.STATS_SESSIONS, 2),
            (TableType.STATS_USERS, 3),
            (TableType.USER_STORES, 3),
            (TableType.MAILBOXES, 3),
        ):
            table = system.ok(table_calls.TableOpen(b"", table_type, 10)).table_id
            rows = system.ok(table_calls.TableQueryRows(table, 100)).row_set
            assert len(rows) >= minimum, table_type
        assert system.er(table_calls.TableOpen(b"", TableType.STATS_COMPANY, 10)) == ErrorCode.NOT_FOUND
        assert system.er(table_calls.TableOpen(b"", TableType.MULTI_STORE, 10)) == ErrorCode.NO_SUPPORT
    users = alice.ok(table_calls.TableOpen(b"", TableType.USER_STORES, 0)).table_id
    assert alice.ok(table_calls.TableGetRowCount(users)).count == 0
    book = alice.ok(table_calls.TableOpen(ids.GLOBAL_ADDRESS_BOOK, TableType.AB, ObjectType.MAIL_USER)).table_id
    alice.ok(table_calls.TableSetColumns(book, [pt.PR_ACCOUNT]))
    alice.ok(table_calls.TableRestrict(book, equals(pt.PR_ANR, "al")))
    assert alice.ok(table_calls.TableQueryRows(book, 9)).row_set == [[(pt.PR_ACCOUNT, "alice")]]
    containers = alice.ok(
        table_calls.TableOpen(ids.ADDRESS_BOOK_ROOT, TableType.AB, ObjectType.AB_CONTAINER)
    ).table_id
    assert alice.ok(table_calls.TableGetRowCount(containers)).count == 2
    lists = table_calls.TableOpen(ids.ALL_ADDRESS_LISTS, TableType.AB, ObjectType.MAIL_USER)
    assert alice.er(lists) == ErrorCode.INVALID_PARAMETER


def test_names_resolve(alice: SoapClient) -> None:
    def resolve(text: str, flags: int) -> tuple[object, object]:
        call = directory.AbResolveNames(
            [pt.PR_DISPLAY_NAME, pt.PR_ACCOUNT, pt.PR_TITLE],
            [[(pt.PR_DISPLAY_NAME, text), (pt.PR_RECIPIENT_TYPE, 1)]],
            [0],
            flags,
        )
        reply = alice.ok(call)
        return list(map(list, reply.row_set)), list(reply.row_flags)

    row = [
        (pt.PR_DISPLAY_NAME, "bob"),
        (pt.PR_RECIPIENT_TYPE, 1),
        (pt.PR_ACCOUNT, "bob"),
        (pt.PR_TITLE & ~0xFFFF | 0xA, int(ErrorCode.NOT_FOUND)),
    ]
    assert resolve("bob", 1) == ([row], [2])
    assert resolve("BO", 0) == ([row], [2])
    assert resolve("bo", 1) == ([[]], [0])
    assert alice.er(directory.AbResolveNames((), None, [0])) == ErrorCode.INVALID_PARAMETER
    assert alice.er(directory.AbResolveNames((), [[]], [])) == ErrorCode.INVALID_PARAMETER
    me = alice.ok(directory.GetUser()).user
    assert me is not None
    props = dict(alice.ok(directory.ReadAbProps(me.user_entryid)).prop_vals)
    assert props[pt.PR_ACCOUNT] == "alice"


def test_search_folders(alice: SoapClient, store: RunningStore) -> None:
    folder = new_folder(alice, "searched")
    finder = alice.ok(
        folder_calls.CreateFolder(parent_id=inbox(alice), folder_name="finds", comment="", type=2)
    ).entryid
    first = new_message(alice, folder, "Needle one")
    new_message(alice, folder, "hay")
    get = folder_calls.TableGetSearchCriteria(finder)
    assert alice.er(get) == ErrorCode.NOT_INITIALIZED
    restriction = contains(pt.PR_SUBJECT, "needle")
    alice.ok(folder_calls.TableSetSearchCriteria(finder, restriction, [folder], 6))
    assert alice.ok(get) == folder_calls.TableGetSearchCriteriaReply(restriction, (folder,), 5)
    table = alice.ok(table_calls.TableOpen(finder, TableType.MS, ObjectType.MESSAGE)).table_id
    alice.ok(table_calls.TableSetColumns(table, [pt.PR_SUBJECT, pt.PR_ENTRYID, pt.PR_PARENT_ENTRYID]))
    rows = alice.ok(table_calls.TableQueryRows(table, 9)).row_set
    assert rows == [[(pt.PR_SUBJECT, "Needle one"), (pt.PR_ENTRYID, first), (pt.PR_PARENT_ENTRYID, folder)]]
    with store.client("alice") as other:
        new_message(other, folder, "second needle")
        assert alice.ok(table_calls.TableGetRowCount(table)).count == 2
        other.ok(object_calls.DeleteObjects(0, [first]))
        assert alice.ok(table_calls.TableGetRowCount(table)).count == 1
        other.ok(folder_calls.TableSetSearchCriteria(finder, None, None, 1))
        assert alice.ok(table_calls.TableGetRowCount(table)).count == 0
    below = table_calls.TableOpen(finder, TableType.MS, ObjectType.FOLDER)
    assert alice.er(below) == ErrorCode.NO_SUPPORT
    assert (
        alice.er(folder_calls.TableSetSearchCriteria(folder, restriction, [folder], 6))
        == ErrorCode.INVALID_PARAMETER
    )
