"""Address books: put, read, list, change, delete."""

from __future__ import annotations

from tests.dav.server import Client, D, card


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
