"""Address books: put, read, list, change, search."""

from __future__ import annotations

import pytest

from tests.dav.server import CR, Client, D, card, multiget


def query(*filters: str, test: str = "anyof", limit: str = "") -> str:
    return (
        '<CR:addressbook-query xmlns:CR="urn:ietf:params:xml:ns:carddav" xmlns="DAV:"><prop><getetag/></prop>'
        f'<CR:filter test="{test}">{"".join(filters)}</CR:filter>{limit}</CR:addressbook-query>'
    )


def match(name: str, text: str, kind: str = "contains") -> str:
    return f'<CR:prop-filter name="{name}"><CR:text-match match-type="{kind}">{text}</CR:text-match></CR:prop-filter>'


def test_a_card_that_was_put_is_read_and_listed_under_its_name(client: Client) -> None:
    book = client.collection("addressbook")
    assert client("PUT", book + "anna.vcf", card("u-1", "Anna Miller", "EMAIL:anna@example.org")).status == 201
    answer = client("GET", book + "anna.vcf")
    assert answer.status == 200
    assert "FN:Anna Miller" in answer.text
    assert "UID:u-1" in answer.text
    listed = client.propfind(book, f"{D}getetag", f"{D}getcontenttype", f"{D}resourcetype", depth="1")
    assert listed.hrefs == [book, book + "anna.vcf"]
    assert listed.found(book + "anna.vcf", f"{D}getetag") == answer.headers["etag"]


def test_versions_of_a_card(client: Client) -> None:
    book = client.collection("addressbook")
    client("PUT", book + "a.vcf", card("urn:uuid:5b1d7bd6-8f5c-4d4e-9e4f-1c1f4d7f4c11", "Anna Miller"))
    body = multiget("addressbook", book + "a.vcf")
    assert "VERSION:3.0" in client("REPORT", book, body).text
    four = body.replace(
        '<address-data xmlns="urn:ietf:params:xml:ns:carddav"/>',
        '<address-data xmlns="urn:ietf:params:xml:ns:carddav" version="4.0"/>',
    )
    assert "VERSION:4.0" in client("REPORT", book, four).text
    five = four.replace("4.0", "5.0")
    assert client("REPORT", book, five).xml.find(f"{CR}supported-address-data") is not None


@pytest.mark.parametrize(
    ("filters", "test", "found"),
    [
        ([match("FN", "mill")], "anyof", {"a"}),
        ([match("EMAIL", "EXAMPLE.org")], "anyof", {"a", "b"}),
        ([match("EMAIL", "example.org"), match("FN", "Bob")], "allof", {"b"}),
        ([match("EMAIL", "anna@"), match("FN", "Carl")], "anyof", {"a", "c"}),
        ([match("ORG", "garden")], "anyof", {"c"}),
        ([match("FN", "nobody")], "anyof", set()),
        ([match("NOTE", "words")], "anyof", {"b"}),
        ([], "anyof", {"a", "b", "c"}),
    ],
)
def test_contacts_are_searched(client: Client, filters: list[str], test: str, found: set[str]) -> None:
    book = client.collection("addressbook")
    client("PUT", book + "a.vcf", card("a", "Anna Miller", "EMAIL:anna@example.org"))
    client("PUT", book + "b.vcf", card("b", "Bob Young", "EMAIL:bob@example.org", "NOTE:some words"))
    client("PUT", book + "c.vcf", card("c", "Carl Old", "ORG:Garden Club"))
    answer = client("REPORT", book, query(*filters, test=test), Depth="1")
    assert answer.status == 207
    assert {path.removeprefix(book).removesuffix(".vcf") for path in answer.hrefs} == found


def test_a_client_that_wants_few_results_is_told_that_there_are_more(client: Client) -> None:
    book = client.collection("addressbook")
    for name in ("a", "b", "c"):
        client("PUT", f"{book}{name}.vcf", card(name, f"Same {name}"))
    limit = "<CR:limit><CR:nresults>2</CR:nresults></CR:limit>"
    answer = client("REPORT", book, query(match("FN", "same"), limit=limit))
    assert len(answer.hrefs) == 3
    assert " 507 " in (answer.responses[book].findtext(f"{D}status") or "")


def test_an_address_book_is_made(client: Client) -> None:
    path = client.home + "friends/"
    body = '<mkcol xmlns="DAV:"><set><prop><resourcetype><collection/><CR:addressbook xmlns:CR="urn:ietf:params:xml:ns:carddav"/></resourcetype><displayname>Friends</displayname></prop></set></mkcol>'
    assert client("MKCOL", path, body).status == 201
    assert client("PUT", path + "a.vcf", card("a", "Anna Miller")).status == 201
    assert client("GET", path).text.count("BEGIN:VCARD") == 1
    assert client("MKCOL", client.home + "plain/", "").status == 403
