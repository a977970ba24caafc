"""Principals: groups, searches, the reports that follow properties to them, and proxy groups (RFC 3744, RFC 3253)."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from gateway.mapi.rights import Rights
from tests.dav.server import CS, C, Client, D, Reply, Server, event
from tests.dav.test_acl import local, make_group, stored
from tests.dav.test_sharing import share, shared_path


@pytest.fixture
def owner(dav: Server) -> Client:
    return dav.client()


def test_groups_are_principals(dav: Server, owner: Client, client: Client) -> None:
    name = make_group(dav, client.user)
    path = quote(f"/group:{name}/")
    answer = owner.propfind(
        path, f"{D}displayname", f"{D}group-member-set", f"{C}calendar-user-type", f"{C}calendar-home-set"
    )
    assert answer.found(path, f"{D}displayname") == f"The {name}"
    assert answer.found(path, f"{D}group-member-set") == client.home
    assert answer.found(path, f"{C}calendar-user-type") == "GROUP"
    assert answer.found(path, f"{C}calendar-home-set") is None
    groups = client.propfind(client.home, f"{D}group-membership").found(client.home, f"{D}group-membership")
    assert path in (groups or "")
    assert owner.propfind("/group:none-of-this-name/", f"{D}displayname").status == 404


def search(client: Client, words: str, *, attributes: str = "", prop: str = "<displayname/>") -> list[str]:
    body = (
        f'<principal-property-search xmlns="DAV:"{attributes}><property-search><prop>{prop}</prop>'
        f"<match>{words}</match></property-search><prop><displayname/></prop></principal-property-search>"
    )
    answer = client("REPORT", "/", body, Depth="0")
    assert answer.status == 207
    return answer.hrefs


def test_people_and_groups_are_searched_by_any_part_of_their_name(dav: Server, client: Client) -> None:
    dav.store.add_user("searched1", full_name="Maren Uhlenbrock", email="maren@find.example")
    dav.store.add_user("searched2", full_name="Uwe Uhlenbrock", email="uwe@find.example")
    assert search(client, "uhlenb") == ["/searched1/", "/searched2/"]
    assert search(
        client, "maren@find", prop='<C:calendar-user-address-set xmlns:C="urn:ietf:params:xml:ns:caldav"/>'
    ) == ["/searched1/"]
    assert search(
        client, "mailto:uwe@find.example", prop='<email-address-set xmlns="http://calendarserver.org/ns/"/>'
    ) == ["/searched2/"]
    name = make_group(dav)
    assert search(client, f"The {name}") == [quote(f"/group:{name}/")]
    assert search(client, "no such name at all") == []
    both = (
        "<property-search><prop><displayname/></prop><match>uhlenbrock</match></property-search>"
        "<property-search><prop><displayname/></prop><match>uwe</match></property-search>"
    )
    for test, found in (
        ("", ["/searched2/"]),
        (' test="allof"', ["/searched2/"]),
        (' test="anyof"', ["/searched1/", "/searched2/"]),
    ):
        body = f'<principal-property-search xmlns="DAV:"{test}>{both}<prop><displayname/></prop></principal-property-search>'
        assert client("REPORT", "/", body).hrefs == found
    tokens = (
        '<CS:calendarserver-principal-search xmlns:CS="http://calendarserver.org/ns/" xmlns="DAV:">'
        "<CS:search-token>uhlen</CS:search-token><CS:search-token>Maren</CS:search-token><prop><displayname/></prop>"
        "</CS:calendarserver-principal-search>"
    )
    assert client("REPORT", "/", tokens).hrefs == ["/searched1/"]


def test_what_can_be_searched(client: Client) -> None:
    answer = client("REPORT", "/", '<principal-search-property-set xmlns="DAV:"/>')
    assert answer.status == 200
    assert [local(each[0].tag) for each in answer.xml.iter(f"{D}prop")] == [
        "displayname", "calendar-user-address-set", "email-address-set", "first-name", "last-name",
    ]  # fmt: skip


def test_properties_are_followed_to_principals(dav: Server, owner: Client, client: Client) -> None:
    share(dav, owner.user, client.user, Rights.SECRETARY)
    body = (
        '<expand-property xmlns="DAV:"><property name="displayname"/>'
        '<property name="calendar-proxy-write-for" namespace="http://calendarserver.org/ns/">'
        '<property name="displayname"/><property name="principal-URL"/></property>'
        '<property name="current-user-principal"/></expand-property>'
    )
    answer = client("REPORT", client.home, body)
    assert answer.status == 207
    inner = answer.xml.find(f".//{CS}calendar-proxy-write-for/{D}response")
    assert inner is not None
    assert inner.findtext(f"{D}href") == owner.home
    assert inner.findtext(f".//{D}displayname") == owner.user
    assert inner.findtext(f".//{D}principal-URL/{D}href") == owner.home
    # Without properties inside, an href stays one.
    assert answer.xml.findtext(f".//{D}current-user-principal/{D}href") == client.home


def test_an_expansion_ends(client: Client) -> None:
    inner = '<property name="displayname"/>'
    for _ in range(30):
        inner = f'<property name="current-user-principal">{inner}</property>'
    answer = client("REPORT", client.home, f'<expand-property xmlns="DAV:">{inner}</expand-property>')
    assert answer.status == 207
    wide = '<property name="owner"><property name="displayname"/></property>' * 3000
    assert (
        client("REPORT", client.home, f'<expand-property xmlns="DAV:">{wide}</expand-property>').status == 207
    )


def test_which_principals_and_resources_are_the_user(dav: Server, owner: Client, client: Client) -> None:
    share(dav, owner.user, client.user, Rights.REVIEWER)
    group = quote(f"/group:{make_group(dav, client.user)}/")
    me = '<principal-match xmlns="DAV:"><self/><prop><displayname/></prop></principal-match>'
    assert set(client("REPORT", "/", me).hrefs) == {client.home, group}
    assert client("REPORT", client.home, me).hrefs == [client.home]
    mine = '<principal-match xmlns="DAV:"><principal-property><owner/></principal-property><prop><displayname/></prop></principal-match>'
    found = client("REPORT", client.home, mine).hrefs
    assert client.collection("calendar") in found
    assert shared_path(client, owner) not in found
    assert client("REPORT", "/", '<principal-match xmlns="DAV:"/>').status == 400


def test_properties_of_everybody_in_a_list(dav: Server, owner: Client, client: Client) -> None:
    share(dav, owner.user, client.user, Rights.REVIEWER)
    body = '<acl-principal-prop-set xmlns="DAV:"><prop><displayname/></prop></acl-principal-prop-set>'
    answer = owner("REPORT", owner.collection("calendar"), body)
    assert {path: answer.found(path, f"{D}displayname") for path in answer.hrefs} == {
        owner.home: owner.user, client.home: client.user,
    }  # fmt: skip
    assert client("REPORT", shared_path(client, owner), body).status == 403
    assert owner("REPORT", owner.home, body).status == 403


# Proxy groups


def members(client: Client, group: str) -> list[str]:
    answer = client.propfind(f"{client.home}{group}/", f"{D}group-member-set", f"{D}resourcetype")
    assert answer.status == 207
    found = answer.xml.find(f".//{D}group-member-set")
    return [each.text or "" for each in found] if found is not None else []


def set_members(client: Client, group: str, *paths: str, home: str = "") -> Reply:
    hrefs = "".join(f"<href>{path}</href>" for path in paths)
    body = f'<propertyupdate xmlns="DAV:"><set><prop><group-member-set>{hrefs}</group-member-set></prop></set></propertyupdate>'
    return client("PROPPATCH", f"{home or client.home}{group}/", body)


READ, WRITE = "calendar-proxy-read", "calendar-proxy-write"


def test_those_who_act_for_somebody_are_told_to_both(dav: Server, owner: Client, client: Client) -> None:
    reader = dav.client()
    share(dav, owner.user, client.user, Rights.SECRETARY)
    share(dav, owner.user, reader.user, Rights.REVIEWER)
    assert members(owner, WRITE) == [client.home]
    assert members(owner, READ) == [reader.home]
    for somebody, group in ((client, WRITE), (reader, READ)):
        tags = [f"{CS}{READ}-for", f"{CS}{WRITE}-for", f"{D}group-membership"]
        answer = somebody.propfind(somebody.home, *tags)
        other = {READ: WRITE, WRITE: READ}[group]
        told = {tag: answer.found(somebody.home, tag) or "" for tag in tags}
        assert owner.home in told[f"{CS}{group}-for"]
        assert owner.home not in told[f"{CS}{other}-for"]
        assert f"{owner.home}{group}/" in told[f"{D}group-membership"]
        assert f"{owner.home}{other}/" not in told[f"{D}group-membership"]
    assert "calendar-proxy" in owner("OPTIONS", "/").headers["dav"]


def test_a_proxy_group_is_a_principal_whose_members_its_owner_sees(owner: Client, client: Client) -> None:
    path = f"{owner.home}{WRITE}/"
    answer = client.propfind(path, f"{D}resourcetype", f"{D}displayname", f"{D}group-member-set")
    types = {local(each.tag) for each in answer.xml.find(f".//{D}resourcetype")}
    assert types == {"principal", "collection", WRITE}
    assert answer.found(path, f"{D}group-member-set") is None
    assert " 403 " in answer.text
    assert client.propfind(f"/nobody-of-this-name/{WRITE}/", f"{D}resourcetype").status == 404


def test_members_are_added_changed_and_taken_away(dav: Server, owner: Client, client: Client) -> None:
    other = dav.client()
    assert set_members(owner, WRITE, client.home, other.home).status == 207
    assert set(members(owner, WRITE)) == {client.home, other.home}
    assert client("PUT", shared_path(client, owner) + "d.ics", event("d", "By the delegate")).status == 201
    assert set_members(owner, READ, client.home).status == 207
    assert members(owner, READ) == [client.home]
    assert members(owner, WRITE) == [other.home]
    assert set_members(owner, WRITE).status == 207
    assert members(owner, WRITE) == []
    assert members(owner, READ) == [client.home]
    assert stored(dav, owner.user) == {int(Rights.REVIEWER)}


def test_members_that_do_not_exist_and_groups_of_others(owner: Client, client: Client) -> None:
    answer = set_members(owner, WRITE, client.home, "/nobody-of-this-name/")
    assert answer.status == 207
    assert answer.xml.find(f".//{D}recognized-principal") is not None
    assert members(owner, WRITE) == []
    assert set_members(client, WRITE, client.home, home=owner.home).status == 403
