"""Clients that mean harm or make mistakes: refused, with an answer, and everything goes on."""

from __future__ import annotations

import socket

import pytest

from gateway.dav.options import Options
from gateway.units import Size
from tests.dav.server import C, Client, D, Server, card, event, multiget

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY c "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<propfind xmlns="DAV:"><prop><displayname>&c;</displayname></prop></propfind>'
)
FILE = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    '<propfind xmlns="DAV:"><prop><displayname>&f;</displayname></prop></propfind>'
)
DEEP = "<a>" * 20_000 + "</a>" * 20_000
WIDE = '<propfind xmlns="DAV:"><prop>' + "<x/>" * 150_000 + "</prop></propfind>"
ODD = ("<", "text", "\0", '<?xml version="1.0" encoding="nonsense"?><a/>', '<propfind xmlns="DAV:"><prop>')


@pytest.mark.parametrize("body", [BOMB, FILE, DEEP, WIDE, *ODD])
@pytest.mark.parametrize("method", ["PROPFIND", "REPORT", "PROPPATCH", "MKCALENDAR"])
def test_xml_that_is_not_taken(client: Client, method: str, body: str) -> None:
    path = client.home + "new/" if method == "MKCALENDAR" else client.collection("calendar")
    answer = client(method, path, body, Depth="1")
    assert answer.status == 400
    assert b"root:" not in answer.body
    assert client.propfind(client.home, f"{D}resourcetype").status == 207


@pytest.mark.parametrize(
    "path",
    [
        "/../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/./x/",
        "/x%00y/",
        "/%ff/",
        "//..//x",
        "/nobody/x/y/z/1/2/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PROPFIND", "REPORT", "COPY", "MOVE", "MKCOL"])
def test_paths_that_lead_nowhere(client: Client, method: str, path: str) -> None:
    assert 400 <= client(method, path, "", Destination="/x/y/z", Depth="0").status < 500


@pytest.mark.parametrize("name", ["a%2fb", "%2e%2e", "a%00b", "x" * 300, "%20", "a%0ab"])
def test_names_that_no_item_can_have(client: Client, name: str) -> None:
    answer = client("PUT", client.collection("addressbook") + name, card("u", "A Name"))
    assert 400 <= answer.status < 500


def test_a_body_that_is_too_large_is_cut_off(dav: Server) -> None:
    options = Options(max_request=Size(50_000))
    client = dav.client(options=options)
    book = client.collection("addressbook")
    with socket.create_connection(("127.0.0.1", client.port), 10) as link:
        login = client.authorization["Authorization"]
        link.sendall(
            f"PUT {book}a.vcf HTTP/1.1\r\nHost: x\r\nAuthorization: {login}\r\nContent-Length: 60000\r\n\r\n".encode()
        )
        assert link.recv(1000).startswith(b"HTTP/1.1 413 ")
    with socket.create_connection(("127.0.0.1", client.port), 10) as link:
        head = f"PUT {book}a.vcf HTTP/1.1\r\nHost: x\r\nAuthorization: {login}\r\nTransfer-Encoding: chunked\r\n\r\n"
        link.sendall(head.encode() + b"ea60\r\n" + b"x" * 60_000)
        assert link.recv(1000).startswith(b"HTTP/1.1 413 ")
    assert client("PUT", book + "a.vcf", card("u", "A Name")).status == 201


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic /w==", "Bearer x", "Basic YTo=", "Basic Og=="])
def test_odd_logins(dav: Server, header: str) -> None:
    nobody = Client(dav.port(), "")
    nobody.authorization = {"Authorization": header}
    assert nobody.propfind("/", f"{D}resourcetype").status in (400, 401)


def test_a_password_without_tls_is_refused_where_it_must_be(dav: Server) -> None:
    client = dav.client(options=Options(plaintext_login="never"))
    answer = client.propfind("/", f"{D}resourcetype")
    assert answer.status == 403
    assert "TLS" in answer.text


def test_methods_that_there_are_not(client: Client) -> None:
    answer = client("LOCK", client.home)
    assert answer.status == 405
    assert "PROPFIND" in answer.headers["allow"]
    assert client("TRACE", "/").status in (400, 405, 501)


def test_infinite_depth_is_refused(client: Client) -> None:
    answer = client.propfind("/", f"{D}resourcetype", depth="infinity")
    assert answer.status == 403
    assert answer.xml.find(f"{D}propfind-finite-depth") is not None


@pytest.mark.parametrize("address", ["http://[", "http://[::1", "//[x]y/z", "%", "http://\u2100/"])
def test_addresses_that_are_none(client: Client, address: str) -> None:
    calendar = client.collection("calendar")
    path = f"{calendar}a.ics"
    assert (
        client("PUT", path, event("a", "A", "20261201T100000Z", f"ATTACH;MANAGED-ID=x:{address}")).status == 201
    )
    assert client("REPORT", calendar, multiget("calendar", address)).status == 207
    principal = (
        f"<ace><principal><href>{address}</href></principal><grant><privilege><read/></privilege></grant></ace>"
    )
    assert client("ACL", calendar, f'<acl xmlns="DAV:">{principal}</acl>').status == 403
    sort = '<principal-match xmlns="DAV:"><self/><prop><resourcetype/></prop></principal-match>'
    assert client("REPORT", calendar, sort).status < 500
    if address.isascii():
        assert client("MOVE", path, Destination=address).status in (400, 403, 405, 409, 502)
        assert client("GET", path, If=f'<{address}> (["x"])').status < 500


def test_control_characters_do_not_break_an_answer(client: Client) -> None:
    calendar = client.collection("calendar")
    assert client("PUT", calendar + "c.ics", event("c", "Bell \x07 and \x0b tab")).status in (201, 403)
    assert client("PUT", calendar + "d.ics", event("d", "Plain")).status == 201
    body = '<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns="DAV:"><prop><C:calendar-data/></prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>'
    answer = client("REPORT", calendar, body)
    assert answer.xml.find(f".//{C}calendar-data") is not None
