"""A whole collection as one text, made while it is sent."""

from __future__ import annotations

import gzip
import select
import socket
from typing import Any, Final

from gateway.convert.ical import Options as IcalOptions
from gateway.convert.ical import from_ical
from gateway.dav.options import Options
from gateway.mapi.ids import parse_object_entryid
from gateway.mapiclient import Special, Store
from gateway.mapiclient.message import save_new_message
from gateway.units import Duration
from tests.dav.server import Client, Server, card, event

#: Some of these are more than the system's buffers hold.
_LONG: Final = "words " * 12_000


def fill(dav: Server, user: str, count: int, words: str = "") -> None:
    async def work(session: Any) -> None:
        folder = (await (await Store.default(session)).special_folders())[Special.CALENDAR]
        guid = parse_object_entryid(folder).store
        for number in range(count):
            text = event(f"uid-{number}", f"Event {number}", "20261201T100000Z", f"DESCRIPTION:{words}")
            await save_new_message(session, folder, guid, from_ical(text.encode(), None, IcalOptions()))

    dav.run(user, work)


def test_a_calendar_of_several_batches(dav: Server) -> None:
    client = dav.client()
    fill(dav, client.user, 230)
    zoned = event("zoned", "Zoned").replace(
        "DTSTART:20261201T100000Z", "DTSTART;TZID=Europe/Berlin:20261201T100000"
    )
    calendar = client.collection("calendar")
    for number in range(2):
        text = zoned.replace("UID:zoned", f"UID:zoned-{number}")
        assert client("PUT", f"{calendar}z{number}.ics", text).status == 201
    answer = client("GET", calendar)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''Calendar.ics"
    lines = answer.text.split("\r\n")
    for number in range(230):
        assert f"UID:uid-{number}" in lines
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == 232
    assert lines.count("BEGIN:VCALENDAR") == lines.count("END:VCALENDAR") == 1
    assert lines.count("BEGIN:VTIMEZONE") == 1
    assert lines.count("VERSION:2.0") == 1
    packed = client("GET", calendar, Accept_Encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == answer.body
    head = client("HEAD", calendar)
    assert (head.status, head.body) == (200, b"")
    assert client("GET", calendar, If_None_Match=answer.headers["etag"]).status == 304


def test_an_address_book_and_an_empty_calendar(client: Client) -> None:
    book = client.collection("addressbook")
    for name in ("Ada Lovelace", "Grace Hopper"):
        client("PUT", f"{book}{name[:3]}.vcf", card(name[:3], name))
    answer = client("GET", book)
    assert answer.headers["content-type"] == "text/vcard; charset=utf-8"
    assert answer.text.count("BEGIN:VCARD") == 2
    empty = client("GET", client.collection("calendar")).text
    assert empty.startswith("BEGIN:VCALENDAR\r\n")
    assert empty.endswith("END:VCALENDAR\r\n")


def asking(client: Client, path: str, method: str = "GET", body: str = "") -> socket.socket:
    """A client that asks and does not read yet."""
    connection = socket.socket()
    connection.settimeout(30)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    connection.connect(("127.0.0.1", client.port))
    headers = {"Host": "here", "Connection": "close", **client.authorization}
    headers["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", body]
    connection.sendall("\r\n".join(lines).encode())
    return connection


def read_all(connection: socket.socket) -> bytes:
    with connection:
        return b"".join(iter(lambda: connection.recv(1 << 20), b""))


def test_clients_that_do_not_read_take_no_threads(dav: Server) -> None:
    client = dav.client(options=Options(timezone="Europe/Berlin", threads=2))
    fill(dav, client.user, 110, _LONG)
    calendar = client.collection("calendar")
    slow = [asking(client, calendar) for _ in range(5)]
    assert client.propfind(client.home).status == 207
    for connection in slow:
        said = read_all(connection)
        assert said.count(b"BEGIN:VEVENT") == 110
        assert said.endswith(b"0\r\n\r\n")


QUERY: Final = (
    '<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><C:calendar-data/></prop>'
    '<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>'
)


def test_nothing_is_made_that_a_client_does_not_read(dav: Server) -> None:
    """What is deleted while the client reads nothing is not in what it reads later."""
    client = dav.client()
    fill(dav, client.user, 410, _LONG[: 20 << 10])
    calendar = client.collection("calendar")
    _, paths = client.sync(calendar)
    with asking(client, calendar) as whole, asking(client, calendar, "REPORT", QUERY) as report:
        begun = [each.recv(1000) for each in (whole, report)]
        for path in list(paths)[-10:]:
            assert client("DELETE", path).status < 300
        said = [first + read_all(each) for first, each in zip(begun, (whole, report), strict=True)]
    assert [each.endswith(b"0\r\n\r\n") for each in said] == [True, True]
    assert [each.count(b"BEGIN:VEVENT") for each in said] == [400, 400]
    assert said[1].count(b"404 Not Found") == 10


def test_who_does_not_read_at_all_is_cut_off(dav: Server) -> None:
    client = dav.client(options=Options(timezone="Europe/Berlin", idle_timeout=Duration(1)))
    fill(dav, client.user, 110, _LONG)
    connection = asking(client, client.collection("calendar"))
    poll = select.poll()
    poll.register(connection, select.POLLERR | select.POLLHUP)
    assert poll.poll(20_000), "the connection is kept"
    connection.close()
