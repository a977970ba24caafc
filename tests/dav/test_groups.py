"""Groups of contacts: Apple's form, that of version 4, and the store's distribution lists are one and the same."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway.convert.vcard.fields import LIST_MEMBERS
from gateway.convert.vcard.memberids import members_of
from gateway.mapi import proptags as pr
from gateway.mapi.rights import Rights
from gateway.mapiclient import Special, Store
from gateway.mapiclient.message import load_message
from gateway.mapiclient.table import Table, rows_of
from tests.dav.server import CR, Client, D, Server, card, multiget, unfolded
from tests.dav.test_sharing import share, shared_path

APPLE, MODERN = "X-ADDRESSBOOKSERVER-MEMBER", "MEMBER"


def group(version: str, *members: str, name: str = "Team") -> str:
    """A group as macOS (3.0) or DAVx5 (4.0) write it."""
    kind, line = ("X-ADDRESSBOOKSERVER-KIND", APPLE) if version == "3.0" else ("KIND", MODERN)
    head = [
        f"VERSION:{version}",
        "UID:g-1",
        f"FN:{name}",
        *([f"N:{name};;;;"] if version == "3.0" else []),
        f"{kind}:group",
    ]
    return "".join(
        f"{each}\r\n" for each in ("BEGIN:VCARD", *head, *(f"{line}:{each}" for each in members), "END:VCARD")
    )


def told(client: Client, path: str, version: str) -> list[str]:
    """The members that a client of a version is told of."""
    accept = f"text/vcard; version={version}"
    text = unfolded(client("GET", path, Accept=accept).text)
    wrong = APPLE if version == "4.0" else f"\n{MODERN}"
    assert wrong not in text
    return re.findall(rf"^(?:{APPLE}|{MODERN}):(.*?)\r$", text, re.M)


@pytest.fixture
def book(client: Client) -> str:
    path = client.collection("addressbook")
    assert client("PUT", path + "ann.vcf", card("u-ann", "Ann Ample", "EMAIL:ann@x.example")).status == 201
    assert client("PUT", path + "bob.vcf", card("u-bob", "Bob Best", "EMAIL:bob@x.example")).status == 201
    return path


def stored(dav: Server, user: str) -> list[tuple[bytes, str]]:
    """Entry id and address of the members of a user's distribution list, as other programs see them."""

    async def work(session: Any) -> list[tuple[bytes, str]]:
        folder = (await (await Store.default(session)).special_folders())[Special.CONTACTS]
        rows = await rows_of(Table.contents(session, folder, (pr.PR_ENTRYID, pr.PR_MESSAGE_CLASS)))
        entryid = next(row[pr.PR_ENTRYID] for row in rows if row[pr.PR_MESSAGE_CLASS] == "IPM.DistList")
        content = (await load_message(session, entryid)).content
        assert content.get(LIST_MEMBERS)
        return [(each.entryid, each.one_off.address if each.one_off else "") for each in members_of(content)]

    found: list[tuple[bytes, str]] = dav.run(user, work)
    return found


@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_a_group_of_a_client_is_a_distribution_list(
    dav: Server, client: Client, book: str, version: str
) -> None:
    members = ["urn:uuid:u-ann", "urn:uuid:u-bob"]
    assert client("PUT", book + "g.vcf", group(version, *members)).status == 201
    for each in ("3.0", "4.0"):
        assert told(client, book + "g.vcf", each) == members
    assert [address for _, address in stored(dav, client.user)] == ["ann@x.example", "bob@x.example"]
    assert all(entryid for entryid, _ in stored(dav, client.user))
    other = Client(dav.new_head(), client.user)
    assert told(other, book + "g.vcf", "3.0") == members


def test_who_is_told_in_reports_is_told_the_same(client: Client, book: str) -> None:
    assert client("PUT", book + "g.vcf", group("4.0", "urn:uuid:u-ann")).status == 201
    path = book + "g.vcf"
    text = client("REPORT", book, multiget("addressbook", path)).found(path, f"{CR}address-data") or ""
    assert f"{APPLE}:urn:uuid:u-ann" in text


def test_members_come_and_go_from_either_side(dav: Server, client: Client, book: str) -> None:
    path = book + "g.vcf"
    assert client("PUT", path, group("4.0", "urn:uuid:u-ann", "mailto:eve@x.example")).status == 201
    assert told(client, path, "3.0") == ["urn:uuid:u-ann"]
    assert client("PUT", path, group("3.0", "urn:uuid:u-bob")).status == 204
    assert told(client, path, "4.0") == ["urn:uuid:u-bob", "mailto:eve@x.example"]
    assert client("PUT", path, group("4.0", "urn:uuid:u-bob")).status == 204
    assert told(client, path, "3.0") == told(client, path, "4.0") == ["urn:uuid:u-bob"]
    assert [address for _, address in stored(dav, client.user)] == ["bob@x.example"]


def test_a_member_whose_card_comes_later(client: Client, book: str) -> None:
    path = book + "g.vcf"
    assert client("PUT", path, group("4.0", "urn:uuid:u-cem", "urn:uuid:u-ann")).status == 201
    for version in ("3.0", "4.0"):
        assert sorted(told(client, path, version)) == ["urn:uuid:u-ann", "urn:uuid:u-cem"]
    assert client("PUT", book + "cem.vcf", card("u-cem", "Cem Can")).status == 201
    for version in ("3.0", "4.0"):
        assert sorted(told(client, path, version)) == ["urn:uuid:u-ann", "urn:uuid:u-cem"]
    assert client("PUT", path, group("3.0", "urn:uuid:u-ann", name="Other")).status == 204
    for version in ("3.0", "4.0"):
        assert told(client, path, version) == ["urn:uuid:u-ann"]


def test_private_members_are_not_named_to_others(dav: Server, client: Client, book: str) -> None:
    assert (
        client(
            "PUT", book + "eve.vcf", card("u-eve", "Eve Even", "EMAIL:eve@x.example", "CLASS:PRIVATE")
        ).status
        == 201
    )
    assert client("PUT", book + "g.vcf", group("3.0", "urn:uuid:u-ann", "urn:uuid:u-eve")).status == 201
    reader = dav.client()
    share(dav, client.user, reader.user, Rights.EDITOR, Special.CONTACTS)
    path = shared_path(reader, client, "addressbook") + "g.vcf"
    assert told(reader, path, "3.0") == ["urn:uuid:u-ann"]
    assert reader("PUT", path, group("3.0", "urn:uuid:u-bob")).status == 204
    assert sorted(told(client, book + "g.vcf", "3.0")) == ["urn:uuid:u-bob", "urn:uuid:u-eve"]


def test_a_group_is_found_by_its_name(client: Client, book: str) -> None:
    assert client("PUT", book + "g.vcf", group("4.0", "urn:uuid:u-ann")).status == 201
    body = (
        '<CR:addressbook-query xmlns:CR="urn:ietf:params:xml:ns:carddav" xmlns="DAV:"><prop><getetag/></prop>'
        '<CR:filter><CR:prop-filter name="FN"><CR:text-match>team</CR:text-match></CR:prop-filter></CR:filter>'
        "</CR:addressbook-query>"
    )
    answer = client("REPORT", book, body, Depth="1")
    assert answer.hrefs == [book + "g.vcf"]
    assert answer.found(book + "g.vcf", f"{D}getetag")
