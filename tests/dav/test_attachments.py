"""Managed attachments: files of an event have addresses, are added, exchanged and removed one by one (RFC 8607)."""

from __future__ import annotations

import re

import pytest

from gateway.dav.options import Options
from gateway.mapi.rights import Rights
from gateway.units import Size
from tests.dav.server import C, Client, Reply, Server, event, unfolded
from tests.dav.test_sharing import share, shared_path

C_NS = "urn:ietf:params:xml:ns:caldav"


@pytest.fixture
def path(client: Client) -> str:
    """An event."""
    found = f"{client.collection('calendar')}e.ics"
    assert client("PUT", found, event("e", "With files")).status == 201
    return found


def add(
    client: Client, path: str, data: bytes, name: str = "plan.txt", kind: str = "text/plain", **more: str
) -> Reply:
    disposition = f'attachment; filename="{name}"'
    return client(
        "POST",
        f"{path}?action=attachment-add",
        data,
        Content_Type=kind,
        Content_Disposition=disposition,
        **more,
    )


def lines(client: Client, path: str) -> list[str]:
    """The ATTACH lines of an event."""
    return re.findall(r"^ATTACH.*$", unfolded(client("GET", path).text).replace("\r", ""), re.M)


def address(line: str) -> str:
    """The path of the URL of an ATTACH line."""
    return re.sub(r"^http://[^/]*", "", line[line.index("http://") :])


def test_a_file_is_added_read_exchanged_and_removed(client: Client, path: str) -> None:
    added = add(client, path, b"the plan")
    assert added.status == 201
    key = added.headers["cal-managed-id"]
    [line] = lines(client, path)
    port = client.port
    assert line.startswith(
        f"ATTACH;MANAGED-ID={key};FMTTYPE=text/plain;FILENAME=plan.txt;SIZE=8:http://127.0.0.1:{port}/"
    )
    assert address(line) == added.headers["location"]
    got = client("GET", address(line))
    assert (got.status, got.body, got.headers["content-type"]) == (200, b"the plan", "text/plain")
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''plan.txt"
    assert client("GET", address(line), If_None_Match=got.headers["etag"]).status == 304

    query = f"?action=attachment-update&managed-id={key}"
    changed = client(
        "POST", path + query, b"another plan", Content_Type="text/html", Prefer="return=representation"
    )
    assert changed.status == 200
    newer = changed.headers["cal-managed-id"]
    assert newer != key
    assert f"MANAGED-ID={newer}" in unfolded(changed.text)
    assert client("GET", changed.headers["location"]).body == b"another plan"
    assert client("GET", address(line)).status == 404
    assert client("POST", path + query, b"late").status == 403

    removed = client(
        "POST", f"{path}?action=attachment-remove&managed-id={newer}", Prefer="return=representation"
    )
    assert (removed.status, removed.headers["content-location"]) == (200, path)
    assert "ATTACH" not in removed.text
    assert lines(client, path) == []
    assert add(client, path, b"x").status == 201
    [line] = lines(client, path)
    last = re.findall("MANAGED-ID=([0-9a-f]*)", line)[0]
    assert client("POST", f"{path}?action=attachment-remove&managed-id={last}").status == 204
    assert client("GET", changed.headers["location"]).status == 404


def test_what_is_attached_stays_when_the_event_is_changed(client: Client, path: str) -> None:
    """RFC 8607 3.11: the text that a client puts names the attachment, or knows nothing of it."""
    add(client, path, b"kept")
    before = lines(client, path)
    text = client("GET", path).text
    assert client("PUT", path, text.replace("With files", "Changed")).status == 204
    assert lines(client, path) == before
    assert client("PUT", path, event("e", "Unaware")).status == 204
    assert lines(client, path) == before
    assert client("GET", address(before[0])).body == b"kept"


def test_the_attachment_of_another_event_is_copied(client: Client, path: str) -> None:
    """RFC 8607 3.7: a text may name a file of another item."""
    add(client, path, b"one")
    [line] = lines(client, path)
    other = path.replace("e.ics", "f.ics")
    copied = client("GET", path).text.replace("UID:e", "UID:f")
    assert client("PUT", other, copied).status == 201
    [own] = lines(client, other)
    assert address(own) != address(line)
    assert client("DELETE", path).status < 300
    assert client("GET", address(own)).body == b"one"


def test_the_attachment_that_nobody_may_read_is_a_link(dav: Server, client: Client, path: str) -> None:
    add(client, path, b"one")
    [line] = lines(client, path)
    stranger = dav.client()
    other = f"{stranger.collection('calendar')}f.ics"
    assert stranger("PUT", other, client("GET", path).text.replace("UID:e", "UID:f")).status == 201
    link = line[line.index("http://") :]
    assert lines(stranger, other) == [f"ATTACH;FMTTYPE=text/plain;FILENAME=plan.txt;SIZE=3:{link}"]


def test_a_file_that_was_removed_meanwhile_does_not_come_back(client: Client, path: str) -> None:
    key = add(client, path, b"gone").headers["cal-managed-id"]
    before = client("GET", path).text
    assert client("POST", f"{path}?action=attachment-remove&managed-id={key}").status == 204
    assert client("PUT", path, before).status == 204
    assert lines(client, path) == []


def test_an_inline_file_gets_an_address(client: Client, path: str) -> None:
    inline = "ATTACH;VALUE=BINARY;ENCODING=BASE64;FMTTYPE=text/plain;X-FILENAME=in.txt:aW5saW5l"
    assert client("PUT", path, event("e", "Inline", "20261201T100000Z", inline)).status == 204
    [line] = lines(client, path)
    assert ";MANAGED-ID=" in line
    assert client("GET", address(line)).body == b"inline"


@pytest.mark.parametrize("kind", ["VTODO", "VJOURNAL"])
def test_files_of_tasks_and_notes(client: Client, kind: str) -> None:
    path = f"{client.collection(kind)}t.ics"
    inline = "ATTACH;VALUE=BINARY;ENCODING=BASE64;FMTTYPE=text/plain;X-FILENAME=in.txt:aW5saW5l"
    text = event("t", "With files", "20261201T100000Z", inline).replace("VEVENT", kind)
    assert client("PUT", path, text.replace("DURATION:PT1H\r\n", "")).status == 201
    added = add(client, path, b"added")
    assert added.status == 201
    assert {client("GET", address(each)).body for each in lines(client, path)} == {b"inline", b"added"}
    assert client("PUT", path, client("GET", path).text).status == 204
    assert len(lines(client, path)) == 2
    refused = client("POST", f"{path}?action=attachment-add&rid=20261201T100000Z", b"x")
    assert (refused.status, "valid-rid" in refused.text) == (403, True)
    key = added.headers["cal-managed-id"]
    assert client("POST", f"{path}?action=attachment-remove&managed-id={key}").status == 204
    assert [client("GET", address(each)).body for each in lines(client, path)] == [b"inline"]


def test_a_large_file(client: Client, path: str) -> None:
    data = bytes(range(256)) * 20_000
    assert add(client, path, data, "große Datei.bin", "application/octet-stream").status == 201
    [line] = lines(client, path)
    got = client("GET", address(line))
    assert got.body == data
    assert got.headers["content-disposition"].startswith("attachment; filename*=UTF-8''gro")


@pytest.mark.parametrize(
    ("query", "precondition"),
    [
        ("action=attachment-add&rid=20261201T100000Z", "valid-rid"),
        ("action=attachment-remove&managed-id=none", "valid-managed-id"),
        ("action=attachment-update", "valid-managed-id"),
        ("action=attachment-eat", "valid-action"),
        ("action=eat", "valid-action"),
    ],
)
def test_what_cannot_be_done(client: Client, path: str, query: str, precondition: str) -> None:
    refused = client("POST", f"{path}?{query}", b"x")
    assert refused.status == 403
    assert f"<{precondition} xmlns='{C_NS}'/>" in refused.text


def test_conditions_and_limits(dav: Server, client: Client, path: str) -> None:
    assert add(client, path, b"x", If_Match='"other"').status == 412
    small = Client(dav.port(Options(max_attachment=Size(10))), client.user)
    refused = add(small, path, b"more than ten")
    assert (refused.status, "max-attachment-size" in refused.text) == (403, True)
    assert add(client, path.replace("e.ics", "none.ics"), b"x").status == 404
    etag = client("GET", path).headers["etag"]
    assert add(client, path, b"x", If_Match=etag).status == 201
    assert client("GET", path).headers["etag"] != etag


def test_rights(dav: Server, client: Client) -> None:
    """Who may read the event may read its files; who may not see a private event, may not see its files."""
    owner = dav.client()
    share(dav, owner.user, client.user, Rights.REVIEWER)
    calendar = owner.collection("calendar")
    for name, more in (("open", ""), ("secret", "CLASS:PRIVATE")):
        owner("PUT", f"{calendar}{name}.ics", event(name, name, "20261201T100000Z", *filter(None, [more])))
        assert add(owner, f"{calendar}{name}.ics", name.encode()).status == 201
    seen = f"{shared_path(client, owner)}open.ics"
    [line] = lines(client, seen)
    assert client("GET", address(line)).body == b"open"
    assert add(client, seen, b"no").status == 403
    [secret] = lines(owner, f"{calendar}secret.ics")
    assert client("GET", address(secret)).status == 403
    stranger = dav.client()
    assert stranger("GET", address(line)).status in (403, 404)
    assert Client(client.port, "")("GET", address(line)).status == 401


def test_a_file_from_elsewhere_is_never_shown_as_a_page(client: Client, path: str) -> None:
    added = add(client, path, b"<script>alert(1)</script>", "../../x.html", "text/html\t;x")
    got = client("GET", added.headers["location"])
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''x.html"
    assert "sandbox" in got.headers["content-security-policy"]
    assert got.headers["x-content-type-options"] == "nosniff"


def test_it_is_announced(client: Client) -> None:
    """RFC 8607 2, 6; an empty managed-attachments-server-URL names the server of the calendar."""
    assert "calendar-managed-attachments" in client("OPTIONS", "/").headers["dav"].split(", ")
    found = client.propfind(client.home, f"{C}managed-attachments-server-URL")
    assert found.found(client.home, f"{C}managed-attachments-server-URL") == ""
    calendar = client.collection("calendar")
    found = client.propfind(calendar, f"{C}max-attachment-size", f"{C}max-attachments-per-resource")
    assert found.found(calendar, f"{C}max-attachment-size") == str(32 << 20)
    assert found.found(calendar, f"{C}max-attachments-per-resource") == "100"


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({"X_Forwarded_Proto": "https"}, "https://127.0.0.1:{port}/"),
        ({"X_Forwarded_Proto": "https, http", "X_Forwarded_Host": "cal.example.com, inner"}, "https://cal.example.com/"),
        ({"X_Forwarded_Proto": "javascript", "X_Forwarded_Host": "a/b?"}, "http://127.0.0.1:{port}/"),
    ],
)  # fmt: skip
def test_addresses_are_those_of_a_proxy_in_front(
    client: Client, path: str, headers: dict[str, str], base: str
) -> None:
    add(client, path, b"x")
    text = unfolded(client("GET", path, **headers).text)
    assert f"SIZE=1:{base.format(port=client.port)}{client.user}/" in text
