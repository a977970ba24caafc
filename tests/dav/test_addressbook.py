"""The global address book: searched by the store, read one by one, listed only when it is small."""

from __future__ import annotations

import pytest

from gateway.dav.options import Options
from gateway.mapiclient import directory
from gateway.mapiclient.errors import CallTimeout
from tests.dav.server import CR, Client, D, Server, multiget

SMALL = Options(timezone="Europe/Berlin")
#: An address book with more entries than are listed.
LARGE = Options(timezone="Europe/Berlin", max_directory=1)


@pytest.fixture(scope="module")
def people(dav: Server) -> dict[str, str]:
    """Users with names that no other test has; login name by short name."""
    names = {"ada": "Ada Quillfeather", "bo": "Bo Quillfeather", "cy": "Cy Zündapp"}
    for login, name in names.items():
        dav.store.add_user(f"gal-{login}", full_name=name, email=f"{login}@quill.example")
    return {login: f"gal-{login}" for login in names}


@pytest.fixture
def reader(dav: Server) -> Client:
    return dav.client(options=LARGE)


def book_of(client: Client) -> str:
    return f"{client.home}global-address-book/"


def match(name: str, text: str, kind: str = "contains") -> str:
    return f'<CR:prop-filter name="{name}"><CR:text-match match-type="{kind}">{text}</CR:text-match></CR:prop-filter>'


def search(client: Client, *filters: str, test: str = "anyof", limit: int = 0) -> set[str]:
    """The names that are found, and "..." when there are more."""
    limits = f"<CR:limit><CR:nresults>{limit}</CR:nresults></CR:limit>" if limit else ""
    body = (
        '<CR:addressbook-query xmlns:CR="urn:ietf:params:xml:ns:carddav" xmlns="DAV:"><prop><getetag/>'
        f'<CR:address-data/></prop><CR:filter test="{test}">{"".join(filters)}</CR:filter>{limits}</CR:addressbook-query>'
    )
    answer = client("REPORT", book_of(client), body, Depth="1")
    assert answer.status == 207, answer.text
    found = set()
    for path in answer.hrefs:
        card = answer.found(path, f"{CR}address-data")
        found.add(next(line[3:] for line in card.splitlines() if line.startswith("FN:")) if card else "...")
    return found


@pytest.mark.parametrize(
    ("filters", "test", "found"),
    [
        ([match("FN", "quillfeather")], "anyof", {"Ada Quillfeather", "Bo Quillfeather"}),
        ([match("FN", "Ada Q", "starts-with")], "anyof", {"Ada Quillfeather"}),
        ([match("FN", "quill", "starts-with")], "anyof", set()),
        ([match("FN", "FEATHER", "ends-with")], "anyof", {"Ada Quillfeather", "Bo Quillfeather"}),
        ([match("FN", "bo quillfeather", "equals")], "anyof", {"Bo Quillfeather"}),
        ([match("FN", "ZÜNDAPP")], "anyof", {"Cy Zündapp"}),
        ([match("EMAIL", "cy@quill")], "anyof", {"Cy Zündapp"}),
        ([match("EMAIL", "ada@quill.example", "equals")], "anyof", {"Ada Quillfeather"}),
        (
            [match("FN", "ada quill"), match("NICKNAME", "ada quill"), match("EMAIL", "bo@quill")],
            "anyof",
            {"Ada Quillfeather", "Bo Quillfeather"},
        ),
        ([match("FN", "quill"), match("EMAIL", "bo@")], "allof", {"Bo Quillfeather"}),
        ([match("FN", "quill"), match("NICKNAME", "bo")], "allof", set()),
        ([match("NICKNAME", "quill")], "anyof", set()),
        ([match("NOTE", "quill"), match("X-ANYTHING", "quill")], "anyof", set()),
    ],
)  # fmt: skip
def test_an_address_book_of_any_size_is_searched(
    people: dict[str, str], reader: Client, filters: list[str], test: str, found: set[str]
) -> None:
    assert search(reader, *filters, test=test) == found


def test_as_many_are_found_as_the_client_takes(people: dict[str, str], reader: Client) -> None:
    found = search(reader, match("EMAIL", "@quill.example"), limit=2)
    assert len(found) == 3
    assert "..." in found


def test_a_small_and_a_large_address_book_answer_alike(
    dav: Server, people: dict[str, str], reader: Client
) -> None:
    small = Client(dav.port(SMALL), reader.user)
    assert search(small, match("FN", "quill")) == search(reader, match("FN", "quill"))
    query = match("EMAIL", "bo@quill")
    body = (
        '<CR:addressbook-query xmlns:CR="urn:ietf:params:xml:ns:carddav" xmlns="DAV:"><prop><getetag/></prop>'
        f"<CR:filter>{query}</CR:filter></CR:addressbook-query>"
    )
    (path,) = reader("REPORT", book_of(reader), body).hrefs
    _, listed = small.sync(book_of(small))
    assert path in listed
    assert reader("REPORT", book_of(reader), body).found(path, f"{D}getetag") == listed[path]


def test_entries_that_were_found_are_read_again(people: dict[str, str], reader: Client) -> None:
    body = (
        '<CR:addressbook-query xmlns:CR="urn:ietf:params:xml:ns:carddav" xmlns="DAV:"><prop><getetag/></prop>'
        f"<CR:filter>{match('FN', 'quill')}</CR:filter></CR:addressbook-query>"
    )
    found = reader("REPORT", book_of(reader), body)
    gone = f"{book_of(reader)}{'00' * 24}.vcf"
    for client in (reader, Client(reader.port, reader.user)):
        answer = client("REPORT", book_of(reader), multiget("addressbook", *found.hrefs, gone))
        assert set(answer.hrefs) == {*found.hrefs, gone}
        assert " 404 " in (answer.responses[gone].findtext(f"{D}status") or "")
        for path in found.hrefs:
            assert "Quillfeather" in (answer.found(path, f"{CR}address-data") or "")
            assert answer.found(path, f"{D}getetag") == found.found(path, f"{D}getetag")
    assert "Quillfeather" in reader("GET", found.hrefs[0]).text
    for nothing in ("none.vcf", "00.vcf", f"{'ff' * 40}.vcf"):
        assert reader("GET", book_of(reader) + nothing).status == 404


def test_a_store_that_does_not_answer_is_asked_later(
    people: dict[str, str], reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def details(*_: object) -> None:
        raise CallTimeout("late", server="http://store")

    monkeypatch.setattr(directory, "details", details)
    path = f"{book_of(reader)}{'00' * 24}.vcf"
    answer = reader("REPORT", book_of(reader), multiget("addressbook", path))
    assert (answer.status, answer.headers["retry-after"]) == (503, "30")


def test_a_large_address_book_is_not_listed(people: dict[str, str], reader: Client) -> None:
    token, found = reader.sync(book_of(reader))
    assert found == {}
    assert reader.sync(book_of(reader), token) == (token, {})
    assert reader.propfind(book_of(reader), f"{D}getetag", depth="1").hrefs == [book_of(reader)]


def test_a_small_one_is_listed_page_by_page(dav: Server, people: dict[str, str]) -> None:
    client = dav.client(options=SMALL)
    book, token, found = book_of(client), "", []
    while True:
        body = (
            f'<sync-collection xmlns="DAV:"><sync-token>{token}</sync-token><sync-level>1</sync-level>'
            "<limit><nresults>3</nresults></limit><prop><getetag/></prop></sync-collection>"
        )
        answer = client("REPORT", book, body)
        found += [path for path in answer.hrefs if path != book]
        token = answer.xml.findtext(f"{D}sync-token") or ""
        if book not in answer.hrefs:
            break
    assert len(set(found)) == len(found)
    assert set(found) == set(client.sync(book)[1])


@pytest.mark.parametrize(
    ("filter_", "precondition"),
    [
        ('<CR:filter test="someof"/>', "supported-filter"),
        ('<CR:filter><CR:prop-filter name="FN"><CR:unknown/></CR:prop-filter></CR:filter>', "supported-filter"),
        ('<CR:filter><CR:prop-filter name="FN"><CR:text-match collation="i;klingon">x</CR:text-match></CR:prop-filter></CR:filter>', "supported-collation"),
        ('<CR:filter><CR:prop-filter name="FN"><CR:text-match match-type="sounds-like">x</CR:text-match></CR:prop-filter></CR:filter>', "supported-filter"),
    ],
)  # fmt: skip
def test_filters_without_a_meaning_are_refused(reader: Client, filter_: str, precondition: str) -> None:
    body = (
        '<CR:addressbook-query xmlns:CR="urn:ietf:params:xml:ns:carddav" xmlns="DAV:"><prop><getetag/></prop>'
        f"{filter_}</CR:addressbook-query>"
    )
    answer = reader("REPORT", book_of(reader), body)
    assert answer.status == 403
    assert answer.xml.find(f"{CR}{precondition}") is not None
