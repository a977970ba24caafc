"""Mail out: who it is from and to (cases MO01-MO05, MO08, MO11)."""

from __future__ import annotations

from email.utils import getaddresses

import pytest

from gateway.mapi import proptags as pt
from gateway.mapi.ids import (
    AddressBookId,
    OneOff,
    address_book_entryid,
    flat_entry_list,
    one_off_entryid,
    search_key,
)
from tests.support.messages import note, parsed, person, recipient, written


def test_MO01_send_on_behalf_has_a_sender() -> None:
    content = note()
    content.props.update(person("SENDER", "B", "b@x.example"))
    message = parsed(content)
    assert message["From"] == "A <a@x.example>"
    assert message["Sender"] == "B <b@x.example>"


def test_MO02_a_sender_that_differs_in_case_only_is_not_written() -> None:
    content = note()
    content.props.update(person("SENDER", "A", "A@X.Example"))
    assert "Sender" not in parsed(content)


def test_only_a_sender_becomes_from() -> None:
    content = note()
    for tag in [tag for tag in content.props if "SENT_REPRESENTING" in _names().get(tag, "")]:
        del content.props[tag]
    message = parsed(content)
    assert message["From"] == "A <a@x.example>"
    assert "Sender" not in message


def _names() -> dict[int, str]:
    return {value: name for name, value in vars(pt).items() if name.startswith("PR_")}


def test_MO03_smtp_address_of_a_store_user() -> None:
    row = recipient("John", "john@x.example", ADDRTYPE="ZARAFA", EMAIL_ADDRESS="john")
    assert parsed(note(row))["To"] == "John <john@x.example>"


def test_MO04_address_from_the_one_off_entry_id() -> None:
    row = {
        pt.PR_RECIPIENT_TYPE: 1,
        pt.PR_DISPLAY_NAME: "Bob",
        pt.PR_ENTRYID: one_off_entryid(OneOff("Bob", "SMTP", "bob@x.example")),
    }
    assert parsed(note(row))["To"] == "Bob <bob@x.example>"


def test_address_from_the_search_key() -> None:
    row = {
        pt.PR_RECIPIENT_TYPE: 1,
        pt.PR_DISPLAY_NAME: "Bob",
        pt.PR_SEARCH_KEY: search_key("SMTP", "bob@x.example"),
    }
    assert parsed(note(row))["To"] == "Bob <bob@x.example>"


def test_address_book_entry_is_resolved_by_the_given_function() -> None:
    entryid = address_book_entryid(AddressBookId(6, 3, b"bob"))
    row = {
        pt.PR_RECIPIENT_TYPE: 1,
        pt.PR_DISPLAY_NAME: "Bob",
        pt.PR_ADDRTYPE: "ZARAFA",
        pt.PR_EMAIL_ADDRESS: "bob",
        pt.PR_ENTRYID: entryid,
    }
    found = parsed(note(row), resolve={entryid: "bob@x.example"}.get)
    assert found["To"] == "Bob <bob@x.example>"
    assert parsed(note(row))["To"] == "Bob <IMCEAZARAFA-bob@mapi.invalid>"


def test_MO05_no_to_rows() -> None:
    assert parsed(note())["To"] == "undisclosed-recipients:;"
    assert parsed(note(recipient("C", "c@x.example", 2)))["To"] == "undisclosed-recipients:;"


def test_MO08_name_with_quotes_and_comma() -> None:
    row = recipient('Doe, "Joe" \\ Jr.', "joe@x.example")
    assert rb'To: "Doe, \"Joe\" \\ Jr." <joe@x.example>' in written(note(row))
    assert getaddresses([parsed(note(row))["To"]]) == [('Doe, "Joe" \\ Jr.', "joe@x.example")]


@pytest.mark.parametrize("own", [False, True])
def test_MO11_bcc_only_in_the_authors_own_copy(own: bool) -> None:
    content = note(recipient("B", "b@x.example"), recipient("C", "c@x.example", 3))
    assert ("Bcc" in parsed(content, own=own)) is own


def test_rows_of_other_kinds_are_not_written() -> None:
    content = note(recipient("O", "o@x.example", 0), recipient("P", "p@x.example", 0x10000001))
    assert b"o@x.example" not in written(content)
    assert b"p@x.example" not in written(content)


def test_recipients_in_row_order() -> None:
    rows = [recipient("C", "c@x.example", ROWID=2), recipient("B", "b@x.example", ROWID=1)]
    assert parsed(note(*rows))["To"] == "B <b@x.example>, C <c@x.example>"


def test_a_name_that_is_the_address_is_not_repeated() -> None:
    assert parsed(note(recipient("b@x.example", "b@x.example")))["To"] == "b@x.example"


def test_a_list_without_address_is_a_group() -> None:
    row = recipient("The team", "", OBJECT_TYPE=8)
    assert parsed(note(row, recipient("B", "b@x.example")))["To"] == "The team:;, B <b@x.example>"


def test_a_person_without_address_gets_a_valid_placeholder() -> None:
    assert parsed(note(recipient("Somebody", "")))["To"] == "Somebody <unknown@mapi.invalid>"


def test_reply_to_from_the_entries_not_the_names() -> None:
    bob = one_off_entryid(OneOff("Bob", "SMTP", "bob@x.example"))
    eve = one_off_entryid(OneOff("", "SMTP", "eve@x.example"))
    content = note(
        REPLY_RECIPIENT_ENTRIES=flat_entry_list([bob, b"unknown", eve]), REPLY_RECIPIENT_NAMES="x; y"
    )
    assert parsed(content)["Reply-To"] == "Bob <bob@x.example>, eve@x.example"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("b@x.example", "b@x.example"),
        ("john doe@x.example", "johndoe@x.example"),
        ("a..b@x.example", '"a..b"@x.example'),
        ('"a b"@x.example', '"a b"@x.example'),
        ("b@bücher.example", "b@xn--bcher-kva.example"),
        ("b@x,example", "b@xexample"),
        ("b@[192.0.2.1]", "b@[192.0.2.1]"),
        ("b@", "b@mapi.invalid"),
        ("a@b@x.example", '"a@b"@x.example'),
        ("<b@x.example>\r\nBcc: evil@x.example", '"b@x.exampleBcc:evil"@x.example'),
    ],
)
def test_addresses_become_valid(address: str, expected: str) -> None:
    assert parsed(note(recipient("", address)))["To"] == expected


def test_eai_address_stays_utf8() -> None:
    octets = written(note(recipient("", "ü@ü.example")))
    assert "To: ü@ü.example\r\n".encode() in octets


@pytest.mark.parametrize(
    ("kind", "address", "expected"),
    [
        ("EX", "/O=ORG/CN=john", "IMCEAEX-_O=ORG_CN=john@mapi.invalid"),
        ("FAX", "+49 30 1", "IMCEAFAX-+2B49+2030+201@mapi.invalid"),
        ("", "ä", "IMCEAUNKNOWN-+C3+A4@mapi.invalid"),
    ],
)
def test_foreign_addresses_are_wrapped(kind: str, address: str, expected: str) -> None:
    row = {pt.PR_RECIPIENT_TYPE: 1, pt.PR_ADDRTYPE: kind, pt.PR_EMAIL_ADDRESS: address}
    assert parsed(note(row))["To"] == expected


def test_ten_thousand_recipients_fold() -> None:
    rows = [recipient(f"Person {i}", f"p{i}@x.example") for i in range(10_000)]
    octets = written(note(*rows))
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    assert len(getaddresses([parsed(note(*rows))["To"]])) == 10_000
