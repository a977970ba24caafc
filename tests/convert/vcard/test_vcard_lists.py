"""Distribution lists and address book entries, case by case."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from gateway.convert.vcard import (
    Options,
    Person,
    addresses_of_list,
    from_vcard,
    gal_to_vcard,
    gal_uid,
    to_vcard,
)
from gateway.convert.vcard.memberids import checksum, members_of, wrap
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.ids import (
    AddressBookId,
    OneOff,
    address_book_entryid,
    one_off_entryid,
    parse_address_book_entryid,
    parse_one_off_entryid,
)
from gateway.mapi.tables import ObjectType
from tests.convert.vcard.cards import address, card, lines_of, written

NAME, ONE_OFFS, MEMBERS = address(0x8053), address(0x8054, 0x1102), address(0x8055, 0x1102)
STREAM = address(0x8064, 0x0102)
PREFIX = bytes.fromhex("00000000c091add3519dcf11a4a900aa0047faa4")
APPLE = ("X-ADDRESSBOOKSERVER-KIND:group",)


@dataclass
class Book:
    """A collection: who is in it, and who else is known."""

    people: list[Person] = field(default_factory=list)

    def by_entryid(self, entryid: bytes) -> Person | None:
        return next((person for person in self.people if person.entryid == entryid), None)

    def by_uid(self, uid: str) -> Person | None:
        return next((person for person in self.people if person.uid == uid and person.is_here), None)


def person(name: str, *addresses: str, is_list: bool = False, is_here: bool = True) -> Person:
    first, second, third = (*addresses, "", "", "")[:3]
    return Person(f"uid-{name}", f"entry id of {name}".encode(), name, (first, second, third), is_list, is_here)


ANN, BOB = person("ann", "ann@x.example"), person("bob", "", "bob@x.example")
TEAM = person("team", is_list=True)
CEM = person("cem", "cem@x.example", is_here=False)
BOOK = Options(members=Book([ANN, BOB, TEAM, CEM]))


def one_off(name: str, mail: str, kind: str = "SMTP") -> bytes:
    return one_off_entryid(OneOff(name, kind, mail))


def group(
    *lines: str, existing: MessageContent | None = None, version: str = "3.0", options: Options = BOOK
) -> MessageContent:
    kind = APPLE if version == "3.0" else ("KIND:group",)
    return from_vcard(card("FN:Friends", *kind, *lines, version=version), existing, options)


def stored(members: Sequence[bytes], one_offs: Sequence[bytes] = ()) -> MessageContent:
    return MessageContent(
        {
            pr.PR_MESSAGE_CLASS: "IPM.DistList",
            NAME: "Friends",
            MEMBERS: tuple(members),
            ONE_OFFS: tuple(one_offs),
        }
    )


def test_DL01_an_apple_group() -> None:
    found = group("X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:uid-ann", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:uid-bob")
    assert found.get(pr.PR_MESSAGE_CLASS) == "IPM.DistList"
    assert found.get(NAME) == found.get(pr.PR_DISPLAY_NAME) == found.get(pr.PR_SUBJECT) == "Friends"
    assert found.get(MEMBERS) == (PREFIX + b"\xc3" + ANN.entryid, PREFIX + b"\xd3" + BOB.entryid)
    assert [parse_one_off_entryid(entry) for entry in found.get(ONE_OFFS)] == [
        OneOff("ann", "SMTP", "ann@x.example"),
        OneOff("bob", "SMTP", "bob@x.example"),
    ]
    assert found.get(address(0x804C, 3)) == checksum(found.get(MEMBERS))
    assert written(found, "3.0", BOOK) == [
        "X-ADDRESSBOOKSERVER-KIND:group",
        "FN:Friends",
        "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:uid-ann",
        "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:uid-bob",
        "N:Friends;;;;",
    ]


def test_DL02_the_prefix_of_a_wrapped_member() -> None:
    assert wrap(0xC3, b"id") == bytes.fromhex("00000000c091add3519dcf11a4a900aa0047faa4c3") + b"id"


def test_DL03_members_by_address() -> None:
    found = group("MEMBER:mailto:x@y.example", version="4.0")
    assert found.get(MEMBERS) == found.get(ONE_OFFS) == (one_off("x@y.example", "x@y.example"),)
    assert lines_of(found, "MEMBER", "4.0", BOOK) == ["MEMBER:mailto:x@y.example"]
    named = group('MEMBER:mailto:"Max" <m@y.example>', version="4.0")
    assert named.get(MEMBERS) == (one_off("Max", "m@y.example"),)


@pytest.mark.parametrize(("number", "mail"), [(0xC3, "1@x"), (0xD3, "2@x"), (0xE3, "3@x"), (0x53, "2@x")])
def test_DL04_which_address_of_a_contact(number: int, mail: str) -> None:
    far = Person("u", b"far", "Far", ("1@x", "2@x", "3@x"), is_here=False)
    found = stored([wrap(number, b"far")], [one_off("Far", "old@x")])
    assert lines_of(found, "MEMBER", "4.0", Options(members=Book([far]))) == [f"MEMBER:mailto:{mail}"]


def test_an_address_that_no_contact_has() -> None:
    found = stored([wrap(0xF3, ANN.entryid)])
    assert lines_of(found, "MEMBER", "4.0", BOOK) == ["MEMBER:urn:uuid:uid-ann"]
    assert addresses_of_list(found, BOOK, {}.get) == ["ann@x.example"]


def test_DL05_a_list_in_a_list() -> None:
    found = group("MEMBER:urn:uuid:uid-team", version="4.0")
    assert found.get(MEMBERS) == (PREFIX + b"\xb4" + TEAM.entryid,)
    assert parse_one_off_entryid(found.get(ONE_OFFS)[0]) == OneOff("team", "MAPIPDL", "Unknown")
    assert lines_of(found, "MEMBER", "4.0", BOOK) == ["MEMBER:urn:uuid:uid-team"]


def test_DL06_an_address_book_user() -> None:
    entry = wrap(0xB5, CEM.entryid)
    found = stored([entry], [one_off("cem", "cem", "ZARAFA")])
    assert lines_of(found, "MEMBER", "4.0", BOOK) == ["MEMBER:mailto:cem@x.example"]
    again = from_vcard(to_vcard(found, "4.0", BOOK), found, BOOK)
    assert again.get(MEMBERS) == (entry,)


def test_DL07_a_contact_that_is_gone() -> None:
    entry = wrap(0xC3, b"deleted")
    found = stored([entry], [one_off("Del", "del@x.example")])
    assert lines_of(found, "MEMBER", "4.0", BOOK) == ["MEMBER:mailto:del@x.example"]
    assert from_vcard(to_vcard(found, "4.0", BOOK), found, BOOK).get(MEMBERS) == (entry,)


def test_DL08_a_member_whose_card_comes_later() -> None:
    line = "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:uid-new"
    found = group(line)
    assert found.get(MEMBERS) is None
    assert lines_of(found, "X-ADDRESSBOOKSERVER-MEMBER", "3.0", BOOK) == [line]
    later = Options(members=Book([person("new", "new@x.example")]))
    again = from_vcard(to_vcard(found, "3.0", later), found, later)
    assert again.get(MEMBERS) == (PREFIX + b"\xc3entry id of new",)
    assert lines_of(again, "X-ADDRESSBOOKSERVER-MEMBER", "3.0", later) == [line]


def test_DL09_members_that_apple_is_not_shown_stay() -> None:
    by_mail = one_off("x", "x@y.example")
    found = stored([by_mail, wrap(0xC3, ANN.entryid)], [by_mail, one_off("ann", "ann@x.example")])
    assert lines_of(found, "X-ADDRESSBOOKSERVER-MEMBER", "3.0", BOOK) == [
        "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:uid-ann"
    ]
    edited = group("X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:uid-bob", existing=found)
    assert edited.get(MEMBERS) == (PREFIX + b"\xd3" + BOB.entryid, by_mail)
    emptied = group(existing=found, version="4.0")
    assert emptied.get(MEMBERS) is None


@pytest.mark.parametrize(("entries", "one_offs"), [(2, 1), (1, 2), (0, 2), (2, 0)])
def test_DL10_columns_of_different_length(entries: int, one_offs: int) -> None:
    mails = [one_off(name, f"{name}@x.example") for name in "ab"]
    found = stored(mails[:entries], mails[:one_offs])
    assert lines_of(found, "MEMBER", "4.0", BOOK) == ["MEMBER:mailto:a@x.example", "MEMBER:mailto:b@x.example"]
    assert from_vcard(to_vcard(found, "4.0", BOOK), found, BOOK).get(MEMBERS) == tuple(mails)


def test_DL11_lists_that_contain_each_other() -> None:
    inner = stored([wrap(0xB4, b"outer"), wrap(0xB4, b"inner"), one_off("c", "c@x")])
    outer = stored([one_off("a", "a@x"), wrap(0xB4, b"inner"), one_off("A", "A@X"), wrap(0xB6, b"gone")])
    lists = {b"inner": inner, b"outer": outer}
    assert addresses_of_list(outer, BOOK, lists.get) == ["a@x", "c@x"]


def test_DL12_a_large_list_is_complete() -> None:
    mails = [f"MEMBER:mailto:member{n}@x.example" for n in range(500)]
    found = group(*mails, version="4.0")
    assert sum(map(len, found.get(MEMBERS))) > 15_000
    assert lines_of(found, "MEMBER", "4.0", BOOK) == mails
    assert len(members_of(found)) == 500


def streamed(*members: tuple[bytes, bytes]) -> bytes:
    """Outlook's form of a large list (MS-OXOCNTC 2.2.2.2.4)."""
    parts = [struct.pack("<I", len(part)) + part for member in members for part in (*member, b"")]
    totals = [sum(map(len, column)) for column in zip(*members, strict=True)]
    return struct.pack("<HHIIIIII", 1, 0, 16, 0, len(members), *totals, 0) + b"".join(parts) + bytes(8)


def test_DL12_a_large_list_of_outlook() -> None:
    ann, eve = one_off("ann", "ann@x.example"), one_off("eve", "eve@x.example")
    found = stored([one_off("old", "old@x.example")])
    found.props[STREAM] = streamed((wrap(0xC3, ANN.entryid), ann), (eve, eve))
    shown = ["MEMBER:urn:uuid:uid-ann", "MEMBER:mailto:eve@x.example"]
    assert lines_of(found, "MEMBER", "4.0", BOOK) == shown
    edited = group("X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:uid-ann", existing=found)
    assert (edited.get(MEMBERS), edited.get(STREAM)) == ((PREFIX + b"\xc3" + ANN.entryid, eve), None)
    assert lines_of(edited, "MEMBER", "4.0", BOOK) == shown


@pytest.mark.parametrize("keep", [0, 1, 27, 28, 40, 150])
def test_a_stream_that_is_cut(keep: int) -> None:
    eve = one_off("eve", "eve@x.example")
    found = stored([eve])
    found.props[STREAM] = streamed((eve, eve), (eve, eve))[:keep]
    assert lines_of(found, "MEMBER", "4.0", BOOK) == ["MEMBER:mailto:eve@x.example"]


def test_DL13_a_group_in_each_version() -> None:
    found = group("X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:uid-ann")
    assert "X-ADDRESSBOOKSERVER-KIND:group" in written(found, "3.0", BOOK)
    assert written(found, "4.0", BOOK) == ["KIND:group", "FN:Friends", "MEMBER:urn:uuid:uid-ann"]


def test_an_evolution_list() -> None:
    data = card("FN:Friends", "X-EVOLUTION-LIST:TRUE", "EMAIL;X-EVOLUTION-DEST-NAME=A:a@x.example")
    assert from_vcard(data, None, BOOK).get(MEMBERS) == (one_off("a@x.example", "a@x.example"),)


def test_a_list_that_becomes_a_contact() -> None:
    found = from_vcard(card("FN:Ann"), group("MEMBER:mailto:a@x"), BOOK)
    assert found.get(pr.PR_MESSAGE_CLASS) == "IPM.Contact"
    assert MEMBERS not in found.props


@pytest.mark.parametrize(
    "entry", [b"", b"x", PREFIX, PREFIX + b"\xc3", PREFIX + b"\x00junk", bytes(24), b"\xff" * 50]
)
def test_broken_members_do_no_harm(entry: bytes) -> None:
    found = stored([entry, one_off("a", "a@x.example")], [b"?"])
    for version in ("3.0", "4.0"):
        to_vcard(found, version, BOOK)
    assert lines_of(found, "MEMBER", "4.0", BOOK) == ["MEMBER:mailto:a@x.example"]


# The address book

USER = address_book_entryid(AddressBookId(ObjectType.MAIL_USER, 42, b"external id"))


def user(**more: object) -> dict[int, object]:
    return {
        pr.PR_ENTRYID: USER,
        pr.PR_OBJECT_TYPE: ObjectType.MAIL_USER,
        pr.PR_DISPLAY_NAME: "Ann Doe",
        pr.PR_SMTP_ADDRESS: "ann@x.example",
    } | {getattr(pr, f"PR_{name}"): value for name, value in more.items()}


def gal_lines(props: dict[int, object], version: str = "3.0", members: Sequence[str] = ()) -> list[str]:
    text = gal_to_vcard(props, version, members=members).decode().replace("\r\n ", "")
    return [
        line
        for line in text.split("\r\n")
        if line and not line.startswith(("BEGIN", "END", "VERSION", "PRODID"))
    ]


def test_GL01_a_user() -> None:
    props = user(
        SURNAME="Doe", GIVEN_NAME="Ann", TITLE="Boss", COMPANY_NAME="Acme", DEPARTMENT_NAME="R&D",
        BUSINESS_TELEPHONE_NUMBER="1", MOBILE_TELEPHONE_NUMBER="2", STREET_ADDRESS="Main 1", LOCALITY="Berlin",
        EMS_AB_PROXY_ADDRESSES=("smtp:a.doe@x.example", "SMTP:ann@x.example", "X500:/o=x"),
        EMS_AB_X509_CERT=(b"\x30\x82\x00\x00",),
    )  # fmt: skip
    props[0x8C9E0102] = b"\xff\xd8\xff\xe0"
    assert gal_lines(props) == [
        f"UID:{gal_uid(props)}",
        "FN:Ann Doe",
        "N:Doe;Ann;;;",
        "EMAIL;TYPE=INTERNET,PREF:ann@x.example",
        "EMAIL;TYPE=INTERNET:a.doe@x.example",
        "TEL;TYPE=CELL,VOICE:2",
        "TEL;TYPE=WORK,VOICE:1",
        "ORG:Acme;R&D",
        "TITLE:Boss",
        "ADR;TYPE=WORK:;;Main 1;Berlin;;;",
        "KEY;ENCODING=b;TYPE=X509:MIIAAA==",
        "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4A==",
    ]
    assert gal_uid(user(DISPLAY_NAME="Ann Roe")) == gal_uid(props)
    assert gal_lines(user(DISPLAY_TYPE_EX=0x40000007), "4.0")[1] == "KIND:location"
    assert gal_lines(user(), "4.0")[1] == "KIND:individual"
    # What a client makes of it can be stored as a contact.
    assert from_vcard(gal_to_vcard(props)).get(pr.PR_DISPLAY_NAME) == "Ann Doe"


def test_GL03_a_group() -> None:
    props = user(OBJECT_TYPE=ObjectType.DISTRIBUTION_LIST, DISPLAY_NAME="All")
    assert gal_lines(props, "4.0", ["a@x.example"])[1:] == [
        "KIND:group",
        "FN:All",
        "EMAIL;PREF=1:ann@x.example",
        "MEMBER:mailto:a@x.example",
    ]
    assert gal_lines(props)[1:] == [
        "X-ADDRESSBOOKSERVER-KIND:group",
        "FN:All",
        "N:All;;;;",
        "EMAIL;TYPE=INTERNET,PREF:ann@x.example",
    ]


def test_GL04_both_versions_of_address_book_ids() -> None:
    assert parse_address_book_entryid(USER) == AddressBookId(6, 42, b"external id")
    old = address_book_entryid(AddressBookId(8, 1))
    assert (old[24:28], old[28:32]) == (b"\x08\0\0\0", b"\x01\0\0\0")
    assert parse_address_book_entryid(old) == AddressBookId(8, 1)
    assert gal_uid({pr.PR_ENTRYID: old}) != gal_uid({pr.PR_ENTRYID: USER})
