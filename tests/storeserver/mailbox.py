"""What most tests of the store's calls need: an inbox, folders, messages."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from gateway.mapi import ids
from gateway.mapi import proptags as pt
from gateway.mapi.props import Prop
from gateway.mapi.tables import ObjectType, TableType
from gateway.mapiclient.wire import calls_folder as folder_calls
from gateway.mapiclient.wire import calls_object as object_calls
from gateway.mapiclient.wire import calls_store as store_calls
from gateway.mapiclient.wire import calls_table as table_calls
from gateway.mapiclient.wire.structs import ObjectTree
from tests.support.soap import SoapClient


def inbox(client: SoapClient) -> bytes:
    own = client.ok(store_calls.GetStore())
    found = client.ok(folder_calls.GetReceiveFolder(own.store_id, "IPM"))
    assert found.receive_folder is not None
    return found.receive_folder.entryid


def new_folder(client: SoapClient, name: str, parent: bytes | None = None, **options: object) -> bytes:
    call = folder_calls.CreateFolder(
        parent_id=parent or inbox(client),
        folder_name=name,
        comment="",
        type=1,
        **options,  # type: ignore[arg-type]
    )
    return client.ok(call).entryid


def new_message(
    client: SoapClient,
    folder: bytes,
    subject: str,
    flags: int = 0,
    *,
    more: Sequence[Prop] = (),
    children: Sequence[ObjectTree] = (),
) -> bytes:
    entryid = ids.message_entryid(folder[4:20], secrets.token_bytes(16))
    tree = ObjectTree(
        mod_props=[(pt.PR_SUBJECT, subject), (pt.PR_MESSAGE_CLASS, "IPM.Note"), *more],
        children=children,
        obj_type=ObjectType.MESSAGE,
    )
    client.ok(object_calls.SaveObject(folder, entryid, tree, flags))
    return entryid


def subjects(client: SoapClient, folder: bytes, flags: int = 0, limit: int = 100) -> list[str]:
    reply = client.ok(
        table_calls.TableMulti(
            table_calls.TableRequest(
                open=table_calls.OpenRequest(folder, TableType.MS, ObjectType.MESSAGE, flags),
                set_columns=[pt.PR_SUBJECT],
                query_rows=table_calls.QueryRowsRequest(limit),
            )
        )
    )
    client.ok(table_calls.TableClose(reply.table_id))
    return [row[0][1] for row in reply.row_set]
