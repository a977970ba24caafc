"""What the embedded store's calls cost: CPU of the server process per call. ``python -m bench.storecalls``."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gateway.mapi import proptags as pt
from gateway.mapi.changes import SyncFlags, SyncKind
from gateway.mapi.restrictions import contains
from gateway.mapi.tables import SortDirection, SortKey
from gateway.mapiclient.wire import calls_notify as notify_calls
from gateway.mapiclient.wire import calls_object as object_calls
from gateway.mapiclient.wire import calls_store as store_calls
from gateway.mapiclient.wire import calls_sync as sync_calls
from gateway.mapiclient.wire import calls_table as table_calls
from tests.storeserver.mailbox import inbox, new_folder, new_message
from tests.support.soap import SoapClient
from tests.support.store import StoreProcess

COLUMNS = [
    pt.PR_ENTRYID,
    pt.PR_INSTANCE_KEY,
    pt.PR_SOURCE_KEY,
    pt.PR_EC_IMAP_ID,
    pt.PR_SUBJECT,
    pt.PR_MESSAGE_FLAGS,
    pt.PR_MSG_STATUS,
    pt.PR_MESSAGE_SIZE,
    pt.PR_MESSAGE_DELIVERY_TIME,
    pt.PR_SENDER_NAME,
    pt.PR_DISPLAY_TO,
    pt.PR_LAST_MODIFICATION_TIME,
]
MESSAGES = 20_000


def cpu(pid: int) -> float:
    """User and system time of a process, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure(pid: int, name: str, count: int, work: Callable[[], object]) -> None:
    """Run work so many times; print what one run costs the server, and how long it takes."""
    work()
    used, began = cpu(pid), time.perf_counter()
    for _ in range(count):
        work()
    spent, took = cpu(pid) - used, time.perf_counter() - began
    print(f"{name:52} {spent / count * 1e3:9.3f} ms CPU {took / count * 1e3:9.3f} ms elapsed")


def fill(client: SoapClient) -> bytes:
    """A folder with many messages."""
    folder = new_folder(client, "many")
    more = [
        (pt.PR_SENDER_NAME, "Somebody Else"),
        (pt.PR_DISPLAY_TO, "alice; bob"),
        (pt.PR_MESSAGE_DELIVERY_TIME, 133_000_000_000_000_000),
    ]
    first = [
        new_message(client, folder, f"a subject of some length, number {n}", more=more) for n in range(500)
    ]
    for _ in range(MESSAGES // 500 - 1):
        client.ok(object_calls.CopyObjects(first, folder, 0))
    return folder


def stored(client: SoapClient, folder: bytes) -> bytes:
    """A message with its mail."""
    return new_message(
        client, folder, "a mail", more=[(pt.PR_EC_IMAP_EMAIL, b"The text of the mail.\r\n" * 100)]
    )


def changes(client: SoapClient, folder: bytes) -> sync_calls.GetChanges:
    """The call of a client that has seen everything of a folder."""
    key = dict(client.ok(object_calls.LoadObject(folder)).object.mod_props)[pt.PR_SOURCE_KEY]
    kind, flags = SyncKind.CONTENTS, SyncFlags.NORMAL | SyncFlags.READ_STATE
    sync = client.ok(sync_calls.SetSyncStatus(key, 0, 0, kind, 0)).sync_id
    seen = client.ok(sync_calls.GetChanges(key, sync, 0, kind, int(flags))).max_change_id
    return sync_calls.GetChanges(key, sync, seen, kind, int(flags))


def rows(client: SoapClient, folder: bytes, count: int, **steps: object) -> None:
    request = table_calls.TableRequest(
        open=table_calls.OpenRequest(folder, 1, 5),
        set_columns=COLUMNS,
        query_rows=table_calls.QueryRowsRequest(count),
        **steps,  # type: ignore[arg-type]
    )
    call = table_calls.TableMulti(request)
    client.send(call)
    body = client.connection.getresponse().read()
    table = int(body.split(b"<ulTableId>")[1].split(b"<")[0])
    client.ok(table_calls.TableClose(table))


def latencies(process: StoreProcess, client: SoapClient, folder: bytes) -> None:
    """How long a small call takes while others read large tables."""
    stop = threading.Event()

    def load() -> None:
        with SoapClient(process.url, 60) as other:
            other.logon("alice")
            while not stop.is_set():
                rows(other, folder, 5000, sort=table_calls.SortRequest([SortKey(pt.PR_SUBJECT)]))

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    took = []
    for _ in range(200):
        began = time.perf_counter()
        client.er(notify_calls.NotifyUnSubscribe(1))
        took.append((time.perf_counter() - began) * 1e3)
    stop.set()
    for thread in threads:
        thread.join()
    took.sort()
    print(
        f"{'reactor call beside two large table reads':52} median {statistics.median(took):.1f} ms, worst {took[-1]:.1f} ms"
    )


def sessions(process: StoreProcess, pid: int) -> None:
    """What sessions and parked polls cost in memory."""
    count = 300
    before = memory(pid)
    clients = [process.client("alice", session_group=1000 + n) for n in range(count)]
    logged_on = memory(pid)
    for client in clients:
        client.send(notify_calls.NotifyGetItems())
    with process.client("alice") as one:
        one.ok(store_calls.GetStore())
    parked = memory(pid)
    threads = len(os.listdir(f"/proc/{pid}/task"))
    print(f"{'a session with its connection':52} {(logged_on - before) / count / 1024:9.1f} KiB")
    print(f"{'a parked poll':52} {(parked - logged_on) / count / 1024:9.1f} KiB, {threads} threads in all")
    for client in clients:
        client.close()


def main() -> None:
    """Print everything."""
    with tempfile.TemporaryDirectory() as directory, StoreProcess(Path(directory), ["alice"]) as process:
        assert process._process is not None
        pid = process._process.pid
        with SoapClient(process.url, 120) as client:
            client.logon("alice")
            folder = inbox(client)
            sessions(process, pid)
            message = new_message(client, folder, "one")
            measure(
                pid,
                "notifyUnSubscribe (reactor only)",
                500,
                lambda: client.er(notify_calls.NotifyUnSubscribe(1)),
            )
            measure(pid, "getStore", 500, lambda: client.ok(store_calls.GetStore()))
            measure(
                pid, "loadObject of a small message", 300, lambda: client.ok(object_calls.LoadObject(message))
            )
            original = object_calls.LoadProp(stored(client, folder), 0, pt.PR_EC_IMAP_EMAIL)
            measure(pid, "loadProp of a stored mail", 500, lambda: client.ok(original))
            again = changes(client, folder)
            measure(pid, "getChanges, nothing new", 500, lambda: client.ok(again))
            measure(pid, "setReadFlags", 200, lambda: client.er(object_calls.SetReadFlags(0, None, [message])))
            measure(pid, "saveObject of a small message", 200, lambda: new_message(client, folder, "x"))
            many = fill(client)
            measure(pid, "tableMulti, 5,000 x 12, natural order", 3, lambda: rows(client, many, 5000))
            by_date = table_calls.SortRequest([SortKey(pt.PR_MESSAGE_DELIVERY_TIME, SortDirection.DESCENDING)])
            by_subject = table_calls.SortRequest([SortKey(pt.PR_SUBJECT, SortDirection.ASCENDING)])
            name = f"{MESSAGES:,}"
            measure(pid, f"sort {name} by date, 50 rows", 3, lambda: rows(client, many, 50, sort=by_date))
            measure(pid, f"sort {name} by subject, 50 rows", 3, lambda: rows(client, many, 50, sort=by_subject))
            restricted = contains(pt.PR_SUBJECT, "NUMBER 499")
            measure(pid, f"restrict {name} by subject", 3, lambda: rows(client, many, 50, restrict=restricted))
            latencies(process, client, many)


if __name__ == "__main__":
    main()
