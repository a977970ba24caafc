"""Clients that misbehave or race, slow ones, and what survives the end of the process."""

from __future__ import annotations

import secrets
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.mapi import proptags as pt
from gateway.mapi.errors import ErrorCode
from gateway.mapi.tables import ObjectType, TableType
from gateway.mapiclient.wire import calls_folder as folder_calls
from gateway.mapiclient.wire import calls_notify as notify_calls
from gateway.mapiclient.wire import calls_object as object_calls
from gateway.mapiclient.wire import calls_store as store_calls
from gateway.mapiclient.wire import calls_table as table_calls
from gateway.mapiclient.wire.calls_session import Logoff, Logon
from gateway.mapiclient.wire.envelope import encode_request
from gateway.mapiclient.wire.structs import ObjectTree
from tests.storeserver.mailbox import inbox, new_folder, new_message
from tests.support import reactor
from tests.support.patience import PATIENCE
from tests.support.soap import SoapClient
from tests.support.store import RunningStore, StoreProcess, running_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    slow = {"wrong_password_delay": 0.1, "wrong_password_longest": 1.0}
    with running_store(
        tmp_path_factory.mktemp("store"), ["alice", "bob"], max_request=4_000_000, **slow
    ) as running:
        yield running


def raw(store: RunningStore) -> socket.socket:
    return socket.create_connection(("127.0.0.1", store.port), timeout=PATIENCE)


def request(body: bytes, *headers: str) -> bytes:
    head = ["POST / HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


def everything(connection: socket.socket) -> bytes:
    """All bytes until the server closes."""
    found = b""
    while data := connection.recv(65536):
        found += data
    return found


def still_well(store: RunningStore) -> None:
    with store.client("alice") as client:
        client.ok(store_calls.GetStore())
        client.ok(Logoff())


@pytest.mark.parametrize("seed", range(20))
def test_garbage_gets_a_fault_and_harms_nobody(store: RunningStore, seed: int) -> None:
    import random

    rng = random.Random(seed)
    valid = encode_request(object_calls.SaveObject(b"p" * 48, b"e" * 48, ObjectTree(), 0, 0), 1)
    damaged = bytearray(valid)
    for _ in range(rng.randrange(1, 30)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    body = bytes(damaged) if seed % 2 else rng.randbytes(rng.randrange(1, 3000))
    with store.client() as client:
        status, answer = client.raw(body)
    assert status in (200, 500)
    assert b"Envelope>" in answer
    still_well(store)


def test_half_requests_and_sudden_ends(store: RunningStore) -> None:
    body = request(encode_request(store_calls.GetStore(), 1))
    for cut in (1, 10, len(body) // 2, len(body) - 1):
        with raw(store) as connection:
            connection.sendall(body[:cut])
    with raw(store) as connection:
        connection.sendall(body)
        # reset instead of a proper end
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    still_well(store)


def test_an_oversized_request_is_refused_before_it_is_sent(store: RunningStore) -> None:
    with raw(store) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99000000\r\n\r\n")
        assert everything(connection).startswith(b"HTTP/1.1 413 ")
    still_well(store)


def test_xml_bombs_are_refused(store: RunningStore) -> None:
    head = b'<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/"><E:Body><n:logoff xmlns:n="urn:zarafa">'
    bombs = [
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
        + head
        + b"<ulSessionId>&b;</ulSessionId>",
        head + b"<a>" * 100_000,
        b"<a " + b'x="y" ' * 100_000 + b">",
        head + b"<ulSessionId>" + b"1" * 1_000_000 + b"</ulSessionId></n:logoff></E:Body></E:Envelope>",
    ]
    for bomb in bombs:
        with store.client() as client:
            assert client.raw(bomb)[0] == 500
    still_well(store)


def test_a_reader_that_stops_keeps_nobody_waiting(store: RunningStore) -> None:
    with store.client("alice") as client:
        data = secrets.token_bytes(2_000_000)
        attachment = ObjectTree(
            mod_props=[(pt.PR_ATTACH_METHOD, 1), (pt.PR_ATTACH_DATA_BIN, data)], obj_type=ObjectType.ATTACHMENT
        )
        message = new_message(client, inbox(client), "large", children=[attachment])
        loaded = client.ok(object_calls.LoadObject(message)).object
        assert loaded is not None
        call = object_calls.LoadProp(message, loaded.children[0].server_id, pt.PR_ATTACH_DATA_BIN)
        stuck = [raw(store) for _ in range(20)]
        for connection in stuck:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(request(encode_request(call, client.session_id)))
        client.ok(store_calls.GetStore())
        assert client.ok(call).prop_val == (pt.PR_ATTACH_DATA_BIN, data)
        for connection in stuck:
            connection.close()
    still_well(store)


WRONG = Logon("victim", "wrong", capabilities=0x200)


def test_wrong_passwords_are_slow(store: RunningStore) -> None:
    attackers = [SoapClient(store.url) for _ in range(5)]
    started = time.monotonic()
    for attacker in attackers:
        attacker.send(WRONG)
    for attacker in attackers:
        assert attacker.receive(WRONG).er == ErrorCode.LOGON_FAILED
        attacker.close()
    assert time.monotonic() - started > 0.7


def test_wrong_passwords_keep_nobody_waiting(tmp_path: Path) -> None:
    hours = {"wrong_password_delay": 3600.0, "wrong_password_longest": 3600.0}
    with running_store(tmp_path, ["bob"], **hours) as own:
        attackers = [SoapClient(own.url) for _ in range(5)]
        for attacker in attackers:
            attacker.send(WRONG)
        own.client("bob").close()
        for attacker in attackers:
            attacker.close()


def test_many_sessions_and_parked_polls_cost_no_thread(store: RunningStore) -> None:
    clients = [store.client("alice", session_group=100 + n) for n in range(60)]
    before = threading.active_count()
    for client in clients:
        client.send(notify_calls.NotifyGetItems())
    still_well(store)
    assert threading.active_count() <= before + 2
    with SoapClient(store.url) as other:
        for client in clients:
            other.session_id = client.session_id
            other.ok(Logoff())
    for client in clients:
        assert client.receive(notify_calls.NotifyGetItems()).er == ErrorCode.END_OF_SESSION
        client.close()


def test_two_clients_racing_for_the_same_messages(store: RunningStore) -> None:
    with store.client("alice") as first:
        source, target = new_folder(first, "race from"), new_folder(first, "race to")
        messages = [new_message(first, source, str(n)) for n in range(30)]
        codes: list[int] = []

        def move(entryids: list[bytes]) -> None:
            with store.client("alice") as client:
                codes.extend(client.er(object_calls.CopyObjects([one], target, 1)) for one in entryids)

        threads = [threading.Thread(target=move, args=(order,)) for order in (messages, messages[::-1])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert len(codes) == 60
        assert codes.count(0) == 30
        assert codes.count(int(ErrorCode.PARTIAL_COMPLETION)) == 30
        table = first.ok(table_calls.TableOpen(target, TableType.MS, ObjectType.MESSAGE)).table_id
        assert first.ok(table_calls.TableGetRowCount(table)).count == 30


def test_two_clients_racing_for_the_same_folder_name(store: RunningStore) -> None:
    codes: list[int] = []

    def create() -> None:
        with store.client("alice") as client:
            parent = inbox(client)
            for number in range(10):
                call = folder_calls.CreateFolder(parent_id=parent, folder_name=f"raced {number}", type=1)
                codes.append(client.er(call))

    threads = [threading.Thread(target=create) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert codes.count(0) == 10
    assert codes.count(int(ErrorCode.COLLISION)) == 20


def test_one_table_used_by_two_connections_at_once(store: RunningStore) -> None:
    with store.client("alice") as client:
        folder = new_folder(client, "shared table")
        for number in range(40):
            new_message(client, folder, f"{number:02}")
        table = client.ok(table_calls.TableOpen(folder, TableType.MS, ObjectType.MESSAGE)).table_id
        client.ok(table_calls.TableSetColumns(table, [pt.PR_SUBJECT]))
        rows: list[str] = []

        def read() -> None:
            with SoapClient(store.url) as other:
                other.session_id = client.session_id
                for _ in range(20):
                    found = other.ok(table_calls.TableQueryRows(table, 1)).row_set
                    rows.extend(row[0][1] for row in found)

        threads = [threading.Thread(target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert sorted(rows) == [f"{number:02}" for number in range(40)]


def test_stopping_answers_parked_polls_and_starting_forgets_sessions(tmp_path: Path) -> None:
    with running_store(tmp_path, ["alice"]) as own:
        client, poller = own.client("alice"), own.client("alice", session_group=3)
        message = new_message(client, inbox(client), "kept")
        poller.send(notify_calls.NotifyGetItems())

        async def parked() -> None:
            from twisted.internet.task import deferLater

            assert own.service.server is not None
            while not own.service.server.notifier.parked:
                await deferLater(reactor.reactor, 0.005, lambda: None)

        reactor.run(parked)
        own.stop()
        assert poller.receive(notify_calls.NotifyGetItems()).er == ErrorCode.END_OF_SESSION
        own.start()
        with SoapClient(own.url) as again:
            again.session_id = client.session_id
            assert again.er(store_calls.GetStore()) == ErrorCode.END_OF_SESSION
            again.logon("alice")
            again.ok(object_calls.CheckExistObject(message))
        client.close()
        poller.close()


def test_an_answered_write_survives_kill_9(tmp_path: Path) -> None:
    with StoreProcess(tmp_path, ["alice"]) as process:
        with process.client("alice") as client:
            messages = [new_message(client, inbox(client), str(n)) for n in range(5)]
        process.kill()
        process.start()
        with process.client("alice") as client:
            for message in messages:
                client.ok(object_calls.CheckExistObject(message))
        process.stop()
