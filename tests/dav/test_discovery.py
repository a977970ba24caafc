"""Finding everything from a server name and a login."""

from __future__ import annotations

from tests.dav.server import CR, CS, C, Client, D, Server


def test_well_known_paths_lead_to_the_principal(client: Client) -> None:
    for kind in ("caldav", "carddav"):
        answer = client("PROPFIND", f"/.well-known/{kind}")
        assert (answer.status, answer.headers["location"]) == (301, "/")
    answer = client.propfind("/", f"{D}current-user-principal", f"{D}resourcetype")
    assert answer.status == 207
    assert answer.found("/", f"{D}current-user-principal") == client.home


def test_the_principal_names_its_home_sets_and_mail_address(client: Client) -> None:
    tags = (f"{C}calendar-home-set", f"{CR}addressbook-home-set", f"{D}principal-URL")
    answer = client.propfind(client.home, *tags, f"{C}calendar-user-address-set", f"{D}displayname")
    for tag in tags:
        assert answer.found(client.home, tag) == client.home
    addresses = answer.found(client.home, f"{C}calendar-user-address-set") or ""
    assert addresses.startswith("mailto:")
    assert client.home in addresses


def test_the_home_lists_a_collection_of_each_kind(client: Client) -> None:
    answer = client.propfind(
        client.home, f"{D}resourcetype", f"{D}displayname", f"{CS}getctag", f"{D}sync-token", depth="1"
    )
    assert client.collection("calendar") != client.collection("VTODO")
    for kind in ("calendar", "VTODO", "VJOURNAL", "addressbook"):
        path = client.collection(kind)
        assert answer.found(path, f"{D}displayname")
        assert answer.found(path, f"{CS}getctag")
        assert (answer.found(path, f"{D}sync-token") or "").startswith("data:,")


def test_without_a_login_nothing_is_told(dav: Server) -> None:
    nobody = Client(dav.port(), "")
    answer = nobody.propfind("/", f"{D}current-user-principal")
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert nobody("OPTIONS", "/").headers["dav"].startswith("1,")


def test_a_wrong_password_is_refused(dav: Server) -> None:
    assert Client(dav.port(), dav.new_user(), "wrong").propfind("/", f"{D}resourcetype").status == 401


def test_the_reports_that_there_are(client: Client) -> None:
    book, calendar = client.collection("addressbook"), client.collection("calendar")
    answer = client.propfind(calendar, f"{D}supported-report-set")
    assert [each.tag for each in answer.xml.iter() if each.tag.endswith("query")] == [
        f"{C}calendar-query",
        f"{C}free-busy-query",
    ]
    assert "addressbook-multiget" in client.propfind(book, f"{D}supported-report-set").text


def test_minimal_answers_leave_out_what_is_missing(client: Client) -> None:
    tags = (f"{D}resourcetype", "{urn:x}unknown")
    assert " 404 " in client.propfind(client.home, *tags).text
    assert " 404 " not in client.propfind(client.home, *tags, Prefer="return=minimal").text
    calendar = client.collection("calendar")
    assert " 404 " not in client.propfind(calendar, *tags, depth="1", Brief="t").text


def test_a_colleague_is_found_by_the_beginning_of_the_name(dav: Server, client: Client) -> None:
    other = dav.new_user()
    body = (
        '<principal-property-search xmlns="DAV:"><property-search><prop><displayname/></prop>'
        f"<match>{other}</match></property-search><prop><displayname/><principal-URL/></prop>"
        "</principal-property-search>"
    )
    answer = client("REPORT", "/", body, Depth="0")
    assert f"/{other}/" in answer.hrefs


def test_the_page_for_people(client: Client) -> None:
    answer = client("GET", "/")
    assert answer.status == 200
    assert client.user in answer.text
    assert client.collection("calendar") in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
