"""Contacts, case by case; the ids are those of the project's list of conversion cases."""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.convert.vcard import MAX_PHOTO, Options, TooLarge, bare, from_vcard, to_vcard, uid_of
from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent, Blob, MessageContent
from gateway.mapi.ids import OneOff, parse_one_off_entryid
from gateway.mapi.propnames import KEYWORDS, PidLidGlobalObjectId, PidLidPrivate
from gateway.mapi.times import from_datetime
from tests.convert.vcard.cards import APPLE, BERLIN, address, card, lines_of, put_again, read, written

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(200))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(100))


def contact(**props: object) -> MessageContent:
    """A contact as a MAPI client makes it; properties by their names without PR_."""
    named = {getattr(pr, f"PR_{name}"): value for name, value in props.items()}
    return MessageContent({pr.PR_MESSAGE_CLASS: "IPM.Contact", pr.PR_SOURCE_KEY: bytes(22), **named})


# Names


def test_VC01_names() -> None:
    found = read("N:Doe;John;Q.;Dr.;Jr.", "FN:Dr. John Q. Doe Jr.")
    assert [found.get(tag) for tag in (0x3A11001F, 0x3A06001F, 0x3A44001F, 0x3A45001F, 0x3A05001F)] == [
        "Doe", "John", "Q.", "Dr.", "Jr.",
    ]  # fmt: skip
    assert found.get(0x3001001F) == found.get(0x0037001F) == "Dr. John Q. Doe Jr."
    assert found.get(address(0x8005)) == "Doe, John Q."
    assert found.get(address(0x8006, 3)) == 0x8017
    assert found.get(pr.PR_MESSAGE_CLASS) == "IPM.Contact"


def test_VC02_fn_only() -> None:
    found = read("FN:Madonna")
    assert written(found) == ["FN:Madonna", "N:;;;;"]
    assert written(found, "4.0") == ["FN:Madonna"]
    assert found.get(address(0x8005)) == "Madonna"


def test_VC03_a_changed_fn_leaves_n_alone() -> None:
    before = read("N:Doe;John;;;", "FN:John Doe")
    after = read("N:Doe;John;;;", "FN:Johnny", existing=before)
    assert (after.get(pr.PR_DISPLAY_NAME), after.get(pr.PR_GIVEN_NAME)) == ("Johnny", "John")
    assert lines_of(after, "FN") == ["FN:Johnny"]


def test_VC04_units_of_an_organisation() -> None:
    found = read(r"ORG:Acme;R&D;Lab")
    assert (found.get(pr.PR_COMPANY_NAME), found.get(pr.PR_DEPARTMENT_NAME)) == ("Acme", "R&D")
    assert lines_of(found, "ORG") == ["ORG:Acme;R&D;Lab"]
    found.props[pr.PR_DEPARTMENT_NAME] = "Sales"  # by a MAPI client
    assert lines_of(found, "ORG") == ["ORG:Acme;Sales"]


def test_VC45_a_contact_without_a_name() -> None:
    assert lines_of(contact(COMPANY_NAME="Acme"), "FN") == ["FN:Acme"]
    by_address = contact()
    by_address.props |= {address(0x8082): "SMTP", address(0x8083): "x@y.example"}
    assert lines_of(by_address, "FN") == ["FN:x@y.example"]
    assert lines_of(contact(NICKNAME="Bo"), "FN") == ["FN:Bo"]
    assert lines_of(contact(GIVEN_NAME="Ann", SURNAME="Doe"), "FN") == ["FN:Ann Doe"]
    assert lines_of(contact(), "FN") == ["FN:(no name)"]


def test_VC50_a_company_card() -> None:
    found = read("N:;;;;", "FN:Acme", "ORG:Acme;", "X-ABShowAs:COMPANY")
    assert written(found) == ["N:;;;;", "FN:Acme", "ORG:Acme;", "X-ABSHOWAS:COMPANY"]
    assert (found.get(address(0x8005)), found.get(address(0x8006, 3))) == ("Acme", 0x3A16)


def test_a_chosen_file_as_stays_and_a_computed_one_follows() -> None:
    found = read("N:Doe;John;;;")
    found.props[address(0x8005)], found.props[address(0x8006, 3)] = "The Boss", 0
    assert read("N:Roe;John;;;", existing=found).get(address(0x8005)) == "The Boss"
    assert read("N:Roe;John;;;", existing=read("N:Doe;John;;;")).get(address(0x8005)) == "Roe, John"
    assert read("N:Doe;John;;;", "X-FILE-AS:Johnny").get(address(0x8005)) == "Johnny"


def test_a_subclass_of_contacts_stays_what_it_is() -> None:
    before = contact(DISPLAY_NAME="Ann")
    before.props[pr.PR_MESSAGE_CLASS] = "IPM.Contact.Special"
    assert read(existing=before).get(pr.PR_MESSAGE_CLASS) == "IPM.Contact.Special"


# E-mail


def test_VC05_two_addresses() -> None:
    found = read("FN:Ann Doe", "EMAIL;TYPE=INTERNET:a@x.example", "EMAIL:b@x.example")
    for base, mail in ((0x8080, "a@x.example"), (0x8090, "b@x.example")):
        assert found.get(address(base)) == f"Ann Doe ({mail})"
        assert (found.get(address(base + 2)), found.get(address(base + 3))) == ("SMTP", mail)
        assert found.get(address(base + 4)) == mail
        entryid = found.get(address(base + 5, 0x102))
        assert parse_one_off_entryid(entryid) == OneOff("Ann Doe", "SMTP", mail)
    assert (found.get(address(0x8028, 0x1003)), found.get(address(0x8029, 3))) == ((0, 1), 3)


def test_VC06_a_fourth_address_is_kept() -> None:
    mails = [f"EMAIL:{name}@x.example" for name in "abcd"]
    found = read(*mails)
    assert lines_of(found, "EMAIL") == mails
    assert "EMAIL:d@x.example" in written(found, "4.0")
    assert lines_of(put_again(found), "EMAIL") == mails
    assert lines_of(read(*mails[:3], existing=found), "EMAIL") == mails[:3]


def test_VC07_reordered_addresses_keep_their_slots() -> None:
    before = read("EMAIL:a@x.example", "EMAIL:b@x.example")
    after = read("EMAIL;TYPE=pref:B@x.example", "EMAIL:a@x.example", existing=before)
    assert (after.get(address(0x8083)), after.get(address(0x8093))) == ("a@x.example", "B@x.example")
    assert lines_of(after, "EMAIL") == ["EMAIL;TYPE=pref:B@x.example", "EMAIL:a@x.example"]
    fresh = read("EMAIL:a@x.example", "EMAIL;TYPE=pref:b@x.example")
    assert fresh.get(address(0x8083)) == "b@x.example"


def test_VC08_a_removed_address_leaves_nothing() -> None:
    before = read("EMAIL:a@x.example", "EMAIL:b@x.example")
    after = read("EMAIL:b@x.example", existing=before)
    assert not any(after.get(address(0x8080 + n, 0x102 if n == 5 else 0x1F)) for n in range(6))
    assert after.get(address(0x8093)) == "b@x.example"
    assert (after.get(address(0x8028, 0x1003)), after.get(address(0x8029, 3))) == ((1,), 2)
    none = read(existing=after)
    assert address(0x8028, 0x1003) not in none.props


def test_VC09_apple_labels() -> None:
    lines = [
        "item1.EMAIL;type=INTERNET:a@x.example",
        "item1.X-ABLabel:Club",
        "item2.URL:http://x",
        "item2.X-ABLabel:_$!<HomePage>!$_",
    ]
    found = read(*lines)
    assert [line.upper() for line in written(found)[1:5]] == [line.upper() for line in lines]
    after = read("EMAIL:other@x.example", existing=found)
    assert not lines_of(after, "X-ABLABEL")


def test_VC10_addresses_of_other_types() -> None:
    entryid = b"address book entry"
    before = contact(DISPLAY_NAME="Ann")
    before.props |= {
        address(0x8080): "Ann", address(0x8082): "ZARAFA", address(0x8083): "ann", address(0x8085, 0x102): entryid,
    }  # fmt: skip
    options = Options(address_of=lambda found, kind, name: "ann@x.example" if found == entryid else None)
    assert lines_of(before, "EMAIL", options=options) == ["EMAIL;TYPE=INTERNET,PREF:ann@x.example"]
    after = put_again(before, options=options)
    assert after.get(address(0x8085, 0x102)) == entryid
    assert (after.get(address(0x8082)), after.get(address(0x8083))) == ("ZARAFA", "ann")
    unresolved = read("EMAIL:new@x.example", existing=before)
    assert unresolved.get(address(0x8085, 0x102)) == entryid
    assert unresolved.get(address(0x8093)) == "new@x.example"


def test_a_new_name_shows_in_the_addresses_too() -> None:
    before = read("FN:Ann Doe", "EMAIL:a@x.example")
    after = read("FN:Ann Roe", "EMAIL:a@x.example", existing=before)
    assert after.get(address(0x8080)) == "Ann Roe (a@x.example)"
    before.props[address(0x8080)] = "My love"
    assert read("FN:Ann Poe", "EMAIL:a@x.example", existing=before).get(address(0x8080)) == "My love"


# Telephones


@pytest.mark.parametrize(
    ("line", "tag"),
    [
        ("TEL;TYPE=HOME,VOICE:1", pr.PR_HOME_TELEPHONE_NUMBER),  # VC11
        ("TEL;TYPE=voice;TYPE=home:1", pr.PR_HOME_TELEPHONE_NUMBER),
        ('TEL;TYPE="voice,home":1', pr.PR_HOME_TELEPHONE_NUMBER),
        ("TEL;TYPE=fax,work:1", pr.PR_BUSINESS_FAX_NUMBER),  # VC12
        ("TEL;TYPE=work,fax:1", pr.PR_BUSINESS_FAX_NUMBER),
        ("TEL;TYPE=home,fax:1", pr.PR_HOME_FAX_NUMBER),
        ("TEL;TYPE=FAX:1", pr.PR_PRIMARY_FAX_NUMBER),
        ("TEL;TYPE=cell,voice,pref:1", pr.PR_MOBILE_TELEPHONE_NUMBER),
        ("TEL;type=IPHONE;type=CELL;type=VOICE:1", pr.PR_MOBILE_TELEPHONE_NUMBER),
        ("TEL;TYPE=work,cell:1", pr.PR_MOBILE_TELEPHONE_NUMBER),
        ("TEL;TYPE=pager:1", pr.PR_PAGER_TELEPHONE_NUMBER),
        ("TEL;TYPE=car:1", pr.PR_CAR_TELEPHONE_NUMBER),
        ("TEL;TYPE=isdn:1", pr.PR_ISDN_NUMBER),
        ("TEL;TYPE=textphone:1", pr.PR_TTYTDD_PHONE_NUMBER),
        ("TEL;TYPE=x-evolution-radio:1", pr.PR_RADIO_TELEPHONE_NUMBER),
        ("TEL;TYPE=x-evolution-telex:1", pr.PR_TELEX_NUMBER),
        ("TEL;TYPE=x-evolution-callback:1", pr.PR_CALLBACK_TELEPHONE_NUMBER),
        ("TEL;TYPE=x-evolution-assistant:1", pr.PR_ASSISTANT_TELEPHONE_NUMBER),
        ("TEL;TYPE=x-evolution-company:1", pr.PR_COMPANY_MAIN_PHONE_NUMBER),
        ("TEL;TYPE=main:1", pr.PR_PRIMARY_TELEPHONE_NUMBER),
        ("TEL;TYPE=pref:1", pr.PR_PRIMARY_TELEPHONE_NUMBER),
        ("TEL;TYPE=voice:1", pr.PR_OTHER_TELEPHONE_NUMBER),
        ("TEL:1", pr.PR_OTHER_TELEPHONE_NUMBER),
    ],
)
def test_VC11_VC12_types_of_numbers(line: str, tag: int) -> None:
    found = read(line)
    assert {key for key in found.props if isinstance(key, int) and found.props[key] == "1"} == {tag}
    for version in ("3.0", "4.0"):
        found.props.pop(
            next(key for key in found.props if not isinstance(key, int) and key.name.id == "vcard"), None
        )
        again = put_again(found, version)
        assert again.get(tag) == "1"
        found = again


def test_VC13_a_third_work_number_is_not_lost() -> None:
    lines = [f"TEL;TYPE=WORK,VOICE:{n}" for n in range(1, 7)]
    found = read(*lines)
    assert found.get(pr.PR_BUSINESS_TELEPHONE_NUMBER) == "1"
    assert found.get(pr.PR_BUSINESS2_TELEPHONE_NUMBER) == "2"
    assert found.get(pr.PR_COMPANY_MAIN_PHONE_NUMBER) == "3"
    assert lines_of(found, "TEL") == lines
    assert lines_of(put_again(found), "TEL") == lines
    two = read("TEL;TYPE=CELL:1", "TEL;TYPE=CELL:2")
    assert two.get(pr.PR_MOBILE_TELEPHONE_NUMBER) == "1"
    assert lines_of(two, "TEL") == ["TEL;TYPE=CELL:1", "TEL;TYPE=CELL:2"]


def test_reordered_numbers_keep_their_places() -> None:
    before = read("TEL;TYPE=WORK:1", "TEL;TYPE=WORK:2")
    after = read("TEL;TYPE=WORK:2", "TEL;TYPE=WORK:1", existing=before)
    assert after.get(pr.PR_BUSINESS_TELEPHONE_NUMBER) == "1"
    assert read("TEL;TYPE=WORK:2", existing=before).get(pr.PR_BUSINESS_TELEPHONE_NUMBER) is None


def test_VC14_telephone_uris() -> None:
    line = "TEL;VALUE=uri;TYPE=work:tel:+49-30-1;ext=5"
    found = read(line, version="4.0")
    assert found.get(pr.PR_BUSINESS_TELEPHONE_NUMBER) == "+49-30-1 x5"
    assert lines_of(found, "TEL", "4.0") == [line]
    assert lines_of(found, "TEL", "3.0") == ["TEL;TYPE=WORK,VOICE:+49-30-1 x5"]
    assert read("TEL;VALUE=uri:tel:+1-2", version="4.0").get(pr.PR_OTHER_TELEPHONE_NUMBER) == "+1-2"


def test_VC15_the_other_number() -> None:
    found = contact(OTHER_TELEPHONE_NUMBER="77")
    assert lines_of(found, "TEL") == ["TEL;TYPE=VOICE:77"]
    assert put_again(found).get(pr.PR_OTHER_TELEPHONE_NUMBER) == "77"


def test_a_fax_address_follows_its_number() -> None:
    before = contact(BUSINESS_FAX_NUMBER="123", DISPLAY_NAME="Ann")
    before.props |= {
        address(0x80C0): "Ann", address(0x80C2): "FAX", address(0x80C3): "Ann@123", address(0x80C5, 0x102): b"old",
        address(0x8028, 0x1003): (3,), address(0x8029, 3): 8,
    }  # fmt: skip
    changed = read("TEL;TYPE=WORK,FAX:456", existing=before)
    assert changed.get(address(0x80C3)) == "Ann@456"
    assert parse_one_off_entryid(changed.get(address(0x80C5, 0x102))).address == "Ann@456"
    assert (changed.get(address(0x8028, 0x1003)), changed.get(address(0x8029, 3))) == ((3,), 8)
    gone = read(existing=before)
    assert not any(gone.get(address(number)) for number in (0x80C0, 0x80C2, 0x80C3))
    assert address(0x8028, 0x1003) not in gone.props


# Addresses


def test_VC16_a_home_address() -> None:
    found = read("ADR;TYPE=HOME,PREF:;;Main 1;Berlin;BE;10115;DE")
    assert [found.get(tag) for tag in (0x3A5D001F, 0x3A59001F, 0x3A5C001F, 0x3A5B001F, 0x3A5A001F)] == [
        "Main 1", "Berlin", "BE", "10115", "DE",
    ]  # fmt: skip
    assert found.get(address(0x801A)) == "Main 1\r\nBerlin BE 10115\r\nDE"
    assert found.get(address(0x8022, 3)) == 1
    assert (found.get(pr.PR_STREET_ADDRESS), found.get(pr.PR_COUNTRY)) == ("Main 1", "DE")
    assert found.get(0x3A15001F) == found.get(address(0x801A))
    assert lines_of(found, "ADR", "4.0") == ["ADR;TYPE=home:;;Main 1;Berlin;BE;10115;DE"]


def test_VC17_an_extended_address() -> None:
    line = r"ADR;TYPE=WORK:;Floor 3;Main 1;Berlin;;;"
    found = read(line)
    assert found.get(address(0x8045)) == "Floor 3\r\nMain 1"
    assert lines_of(found, "ADR") == [line]
    assert put_again(found).get(address(0x8045)) == "Floor 3\r\nMain 1"
    found.props[address(0x8046)] = "Bonn"
    assert lines_of(found, "ADR") == [r"ADR;TYPE=WORK:;;Floor 3\nMain 1;Bonn;;;"]


def test_VC18_a_post_office_box() -> None:
    found = read("ADR;TYPE=HOME:PO 7;;;Berlin;;;")
    assert found.get(0x3A5E001F) == "PO 7"
    assert lines_of(found, "ADR") == ["ADR;TYPE=HOME:PO 7;;;Berlin;;;"]


@pytest.mark.parametrize("number", [2, None])
def test_VC19_an_old_item_with_only_a_mailing_address(number: int | None) -> None:
    old = contact(STREET_ADDRESS="Main 1", LOCALITY="Berlin")
    if number is not None:
        old.props[address(0x8022, 3)] = number
    assert lines_of(old, "ADR") == ["ADR;TYPE=WORK:;;Main 1;Berlin;;;"]
    after = put_again(old)
    assert (after.get(address(0x8045)), after.get(pr.PR_STREET_ADDRESS)) == ("Main 1", "Main 1")
    assert after.get(address(0x8022, 3)) == 2


def test_VC20_two_home_addresses() -> None:
    lines = [f"ADR;TYPE=HOME:;;Street {n};;;;" for n in range(1, 4)]
    found = read(*lines)
    assert (found.get(0x3A5D001F), found.get(0x3A63001F)) == ("Street 1", "Street 2")
    assert lines_of(found, "ADR") == lines


def test_a_removed_address_goes_with_its_copies() -> None:
    before = read("ADR;TYPE=HOME:;;Main 1;Berlin;;;")
    after = read(existing=before)
    assert not {0x3A5D001F, pr.PR_STREET_ADDRESS, address(0x801A), address(0x8022, 3)} & after.props.keys()


# Dates


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return from_datetime(datetime(year, month, day, hour, minute, tzinfo=UTC))


def test_VC21_a_birthday() -> None:
    found = read("BDAY:1980-05-17")
    assert lines_of(found, "BDAY") == ["BDAY:1980-05-17"]
    assert lines_of(found, "BDAY", "4.0") == ["BDAY:19800517"]
    assert found.get(pr.PR_BIRTHDAY) == at(1980, 5, 16, 22)
    assert found.get(address(0x80DE, 0x40)) == at(1980, 5, 17)
    assert put_again(found).get(pr.PR_BIRTHDAY) == at(1980, 5, 16, 22)


@pytest.mark.parametrize(
    ("filetime", "zone"),
    [
        (0x01A95336D0E47000, "Europe/Berlin"),  # VC22
        (at(1980, 5, 17, 11, 59), "Europe/Berlin"),  # VC23
        (at(1980, 5, 17), "Europe/Berlin"),  # VC24
        (at(1980, 5, 17, 4), "America/New_York"),  # VC25
        (at(1980, 5, 16, 22), "UTC"),  # another zone's midnight
        (at(1980, 5, 17, 4), "Europe/Berlin"),
    ],
)
def test_VC22_to_VC25_a_birthday_by_other_writers(filetime: int, zone: str) -> None:
    found = contact(BIRTHDAY=filetime)
    options = Options(zone=ZoneInfo(zone))
    assert lines_of(found, "BDAY", options=options) == ["BDAY:1980-05-17"]
    assert put_again(found, options=options).get(pr.PR_BIRTHDAY) == filetime


@pytest.mark.parametrize(
    ("line", "version"),
    [("BDAY:--0517", "4.0"), ("BDAY:--05-17", "3.0"), ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-05-17", "3.0")],
)
def test_VC26_a_birthday_without_a_year(line: str, version: str) -> None:
    found = read(line, version=version)
    assert found.get(address(0x80DE, 0x40)) == at(1604, 5, 17)
    assert lines_of(found, "BDAY", version) == [line]
    plain = contact(BIRTHDAY=at(1604, 5, 17))
    assert lines_of(plain, "BDAY", "4.0") == ["BDAY:--0517"]
    assert lines_of(plain, "BDAY", "3.0") == ["BDAY;X-APPLE-OMIT-YEAR=1604:1604-05-17"]


@pytest.mark.parametrize(
    "line",
    [
        "BDAY;VALUE=text:circa 1800",
        "BDAY:circa 1800",
        "BDAY:1980",
        "BDAY:1980-13-45",
        "BDAY:1500-01-01",
        "BDAY:1601-01-01",
    ],
)
def test_VC27_what_is_no_date_is_kept_as_it_is(line: str) -> None:
    found = read(line)
    assert pr.PR_BIRTHDAY not in found.props
    assert lines_of(found, "BDAY") == [line]


@pytest.mark.parametrize(
    "line",
    [
        "BDAY:19800517",
        "BDAY:1980-05-17T00:00:00Z",
        "BDAY;VALUE=date:1980-05-17",
        "BDAY:1980-05-17T23:30:00-08:00",
    ],
)
def test_other_forms_of_a_date(line: str) -> None:
    assert read(line).get(address(0x80DE, 0x40)) == at(1980, 5, 17)


@pytest.mark.parametrize(
    "lines",
    [
        ["ANNIVERSARY:20000102"],
        ["X-ANNIVERSARY:2000-01-02"],
        ["X-EVOLUTION-ANNIVERSARY:2000-01-02"],
        ["X-MS-ANNIVERSARY:2000-01-02"],
        ["item1.X-ABDATE;type=pref:2000-01-02", "item1.X-ABLABEL:_$!<Anniversary>!$_"],
    ],
)
def test_VC28_anniversaries(lines: list[str]) -> None:
    found = read(*lines)
    assert found.get(address(0x80DF, 0x40)) == at(2000, 1, 2)
    assert lines_of(found, "ANNIVERSARY", "4.0") == ["ANNIVERSARY:20000102"]
    assert set(lines) <= {line.replace(";TYPE=", ";type=") for line in written(found)}


def test_an_anniversary_that_apple_changed() -> None:
    stored = contact(WEDDING_ANNIVERSARY=at(2000, 1, 2))
    told = written(stored)
    assert [line for line in told if "ANNIV" in line.upper()] == [
        "X-ANNIVERSARY:2000-01-02", "anniversary.X-ABDATE;TYPE=pref:2000-01-02",
        "anniversary.X-ABLABEL:_$!<Anniversary>!$_",
    ]  # fmt: skip
    sent = [line.replace("X-ABDATE;TYPE=pref:2000-01-02", "X-ABDATE;TYPE=pref:2001-01-02") for line in told]
    assert read(*sent, existing=stored).get(address(0x80DF, 0x40)) == at(2001, 1, 2)
    assert read("N:;;;;", existing=stored).get(pr.PR_WEDDING_ANNIVERSARY) == at(2000, 1, 2)


# Photo and certificates


def photo_line(data: bytes, kind: str = "JPEG") -> str:
    return f"PHOTO;ENCODING=b;TYPE={kind}:{base64.b64encode(data).decode()}"


def test_VC29_a_photo() -> None:
    found = read(photo_line(JPEG))
    (attachment,) = found.attachments
    assert (attachment.data, attachment.props[pr.PR_ATTACH_MIME_TAG]) == (JPEG, "image/jpeg")
    assert attachment.props[pr.PR_ATTACHMENT_CONTACTPHOTO] is True
    assert attachment.props[pr.PR_ATTACHMENT_HIDDEN] is True
    assert attachment.props[pr.PR_ATTACH_LONG_FILENAME] == "ContactPicture.jpg"
    assert found.get(address(0x8015, 0xB)) is True
    assert lines_of(found, "PHOTO") == [photo_line(JPEG)]


def test_VC30_a_photo_as_data_uri() -> None:
    line = f"PHOTO:data:image/png;base64,{base64.b64encode(PNG).decode()}"
    for version in ("3.0", "4.0"):
        found = read(line, version=version)
        assert found.attachments[0].data == PNG
        assert found.attachments[0].props[pr.PR_ATTACH_MIME_TAG] == "image/png"
    assert lines_of(found, "PHOTO", "4.0") == [line]
    assert lines_of(found, "PHOTO", "3.0") == [photo_line(PNG, "PNG")]


def test_VC31_an_unchanged_photo_is_left_alone() -> None:
    picture = AttachmentContent(
        {pr.PR_ATTACHMENT_CONTACTPHOTO: True, pr.PR_ATTACH_NUM: 7},
        Blob(len(JPEG), lambda: iter([JPEG[:9], JPEG[9:]])),
    )
    before = MessageContent({pr.PR_MESSAGE_CLASS: "IPM.Contact"}, attachments=[AttachmentContent(), picture])
    assert put_again(before).attachments[1] is picture
    changed = read(photo_line(PNG, "PNG"), existing=before)
    assert changed.attachments[0] is before.attachments[0]
    assert changed.attachments[1].data == PNG
    assert len(before.attachments) == len(changed.attachments) == 2


def test_VC32_a_removed_photo() -> None:
    before = read(photo_line(JPEG))
    after = read(existing=before)
    assert (after.attachments, after.get(address(0x8015, 0xB))) == ([], False)
    assert read("PHOTO:", existing=before).attachments == []


def test_VC33_a_photo_elsewhere_is_not_fetched() -> None:
    line = "PHOTO;VALUE=uri:https://x.example/a.jpg"
    found = read(line)
    assert (found.attachments, lines_of(found, "PHOTO")) == ([], [line])


def test_VC34_a_photo_that_is_too_large_is_refused() -> None:
    with pytest.raises(TooLarge):
        read(photo_line(JPEG + bytes(MAX_PHOTO)))


def test_an_apple_crop_rectangle_is_kept_with_the_photo() -> None:
    line = photo_line(JPEG).replace("PHOTO;", "PHOTO;X-ABCROP-RECTANGLE=ABClipRect_1&0&0&64&64;")
    found = read(line)
    assert sorted(lines_of(found, "PHOTO")[0].partition(":")[0].split(";")) == sorted(
        line.partition(":")[0].split(";")
    )
    retained = next(
        value for key, value in found.props.items() if not isinstance(key, int) and key.name.id == "vcard"
    )
    assert len(retained) < 500


DER = b"\x30\x82\x01\x00" + bytes(range(256))


def test_VC41_a_certificate() -> None:
    line = f"KEY;ENCODING=b;TYPE=X509:{base64.b64encode(DER).decode()}"
    found = read(line)
    assert found.get(pr.PR_USER_X509_CERTIFICATE) == (DER,)
    assert lines_of(found, "KEY") == [line]
    assert lines_of(found, "KEY", "4.0") == [
        f"KEY:data:application/pkix-cert;base64,{base64.b64encode(DER).decode()}"
    ]


def test_VC42_a_wrapped_certificate() -> None:
    wrapped = struct.pack("<HH", 0x20, 8) + b"caps" + struct.pack("<HH", 3, 4 + len(DER)) + DER
    other = struct.pack("<HH", 0x20, 8) + b"caps"
    stored = contact(USER_X509_CERTIFICATE=(wrapped, other))
    assert lines_of(stored, "KEY") == [f"KEY;ENCODING=b;TYPE=X509:{base64.b64encode(DER).decode()}"]
    assert put_again(stored).get(pr.PR_USER_X509_CERTIFICATE) == (wrapped, other)
    assert read(existing=stored).get(pr.PR_USER_X509_CERTIFICATE) == (wrapped, other)
    pgp = "KEY;TYPE=PGP;ENCODING=b:" + base64.b64encode(b"\x99\x01").decode()
    assert lines_of(read(pgp), "KEY") == [pgp]


# Texts


def test_VC35_an_unchanged_note_leaves_the_html_alone() -> None:
    stored = contact(BODY="Hello\r\nthere", HTML=b"<b>Hello</b><br>there", RTF_IN_SYNC=True)
    after = put_again(stored)
    assert after.get(pr.PR_HTML) == b"<b>Hello</b><br>there"
    changed = read("NOTE:Other", existing=stored)
    assert (changed.get(pr.PR_BODY), changed.get(pr.PR_HTML)) == ("Other", None)
    only_html = contact(HTML=b"<p>Hello <b>you</b></p>")
    assert lines_of(only_html, "NOTE") == ["NOTE:Hello you"]
    assert put_again(only_html).get(pr.PR_HTML) == b"<p>Hello <b>you</b></p>"
    assert read("NOTE:a", "NOTE:b").get(pr.PR_BODY) == "a\r\n\r\nb"
    assert read(existing=stored).get(pr.PR_BODY) is None


def test_VC36_categories() -> None:
    found = read(r"CATEGORIES:Friends,Red\, white", "CATEGORIES:More,Friends")
    assert found.get(KEYWORDS) == ("Friends", "Red, white", "More")
    assert lines_of(found, "CATEGORIES", "4.0") == [r"CATEGORIES:Friends,Red\, white,More"]
    assert KEYWORDS not in read(existing=found).props


def test_VC37_class() -> None:
    found = read("CLASS:PRIVATE")
    assert (found.get(pr.PR_SENSITIVITY), found.get(PidLidPrivate)) == (2, True)
    assert lines_of(found, "CLASS") == ["CLASS:PRIVATE"]
    assert read(existing=found).get(pr.PR_SENSITIVITY) == 2
    public = read("CLASS:PUBLIC", existing=found)
    assert (public.get(pr.PR_SENSITIVITY), public.get(PidLidPrivate)) == (0, False)
    assert lines_of(public, "CLASS") == ["CLASS:PUBLIC"]
    public.props[pr.PR_SENSITIVITY] = 3
    assert lines_of(public, "CLASS") == ["CLASS:CONFIDENTIAL"]


def test_VC38_unknown_properties_come_back() -> None:
    found = read("X-UNKNOWN;P=1:x", r"item9.X-THING;A=b;C=d,e:1\;2", "GEO:52.5;13.4", "MAILER:me")
    assert lines_of(found, "X-UNKNOWN") == ["X-UNKNOWN;P=1:x"]
    assert r"item9.X-THING;A=b;C=d,e:1\;2" in written(found)
    assert "GEO:52.5;13.4" in written(found, "4.0")


def test_VC39_vcard_2_1() -> None:
    found = read(
        "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=\r\n=B6rg;;;",
        "TEL;HOME;VOICE:1",
        "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:gr=FC=DFe=0D=0Aan alle",
        version="2.1",
    )
    assert (found.get(pr.PR_SURNAME), found.get(pr.PR_GIVEN_NAME)) == ("Müller", "Jörg")
    assert found.get(pr.PR_HOME_TELEPHONE_NUMBER) == "1"
    assert found.get(pr.PR_BODY) == "grüße\r\nan alle"


def test_VC40_carets_in_parameters() -> None:
    found = read("X-THING;CN=a^nb^'c^^:1", version="4.0")
    assert lines_of(found, "X-THING", "4.0") == ["X-THING;CN=a^nb^'c^^:1"]


def test_VC43_instant_messaging() -> None:
    found = read("IMPP:xmpp:a@b", "X-SKYPE:c")
    assert found.get(address(0x8062)) == "xmpp:a@b"
    assert lines_of(found, "IMPP") == ["IMPP:xmpp:a@b"]
    assert lines_of(found, "X-SKYPE") == ["X-SKYPE:c"]
    plain = contact()
    plain.props[address(0x8062)] = "joe"
    assert lines_of(plain, "X-MS-IMADDRESS") == ["X-MS-IMADDRESS:joe"]
    assert read("IMPP:sip:joe@x", existing=plain).get(address(0x8062)) == "joe"


def test_VC44_a_web_page_is_there_once() -> None:
    found = read("URL:http://x.example/")
    assert found.get(address(0x802B)) == found.get(pr.PR_BUSINESS_HOME_PAGE) == "http://x.example/"
    assert lines_of(found, "URL") == ["URL:http://x.example/"]
    many = read(
        "URL;TYPE=WORK:http://w", "URL;TYPE=HOME:http://h", "URL:http://u", "URL:http://more", "X-FTP:ftp://f"
    )
    assert (many.get(pr.PR_BUSINESS_HOME_PAGE), many.get(pr.PR_PERSONAL_HOME_PAGE)) == ("http://w", "http://h")
    assert (many.get(address(0x802B)), many.get(0x3A4C001F)) == ("http://u", "ftp://f")
    assert len(lines_of(put_again(many), "URL")) == 4
    work = contact(BUSINESS_HOME_PAGE="http://w")
    assert lines_of(put_again(work), "URL") == ["URL;TYPE=WORK:http://w"]


def test_VC46_uids_with_and_without_a_scheme() -> None:
    assert bare("urn:uuid:ABC") == bare("URN:UUID:ABC") == bare(" ABC ") == "ABC"
    found = read(uid="urn:uuid:1-2")
    assert uid_of(found) == "urn:uuid:1-2"
    assert found.get(PidLidGlobalObjectId)[40:] == b"vCal-Uid\1\0\0\x001-2\0"
    again = read(uid="1-2", existing=found)
    assert uid_of(again) == "urn:uuid:1-2"


def test_VC47_a_contact_without_a_uid_has_the_same_one_always() -> None:
    stored = contact(DISPLAY_NAME="Ann")
    assert to_vcard(stored) == to_vcard(stored)
    uid = uid_of(stored)
    assert len(uid) == 36
    assert uid_of(put_again(stored)) == uid
    stored.props[PidLidGlobalObjectId] = read(uid="from kopano").get(PidLidGlobalObjectId)
    assert uid_of(stored) == "from kopano"


def test_VC48_what_a_card_cannot_say_stays() -> None:
    stored = contact(
        CUSTOMER_ID="c1",
        GOVERNMENT_ID_NUMBER="g",
        ACCOUNT="a",
        INITIALS="J.D.",
        SPOUSE_NAME="Eve",
        MANAGER_NAME="M",
    )
    stored.props |= {address(0x804F): "user field 1", address(0x8040, 0x102): b"card"}
    after = read("N:;;;;", "TITLE:Boss", existing=stored, product=APPLE)
    for key, value in stored.props.items():
        assert after.props[key] == value
    assert after.get(pr.PR_TITLE) == "Boss"


def test_VC49_gender() -> None:
    found = read("GENDER:F", version="4.0")
    assert found.get(pr.PR_GENDER) == 1
    assert lines_of(found, "GENDER", "4.0") == ["GENDER:F"]
    assert lines_of(found, "X-GENDER", "3.0") == ["X-GENDER:F"]
    other = read("GENDER:O;intersex", version="4.0", existing=found)
    assert (other.get(pr.PR_GENDER), lines_of(other, "GENDER", "4.0")) == (None, ["GENDER:O;intersex"])


@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_texts_of_the_table(version: str) -> None:
    stored = contact(
        TITLE="t", PROFESSION="p", OFFICE_LOCATION="o", MANAGER_NAME="m", ASSISTANT="a", SPOUSE_NAME="s", HOBBIES="h",
        NICKNAME="n,m", CHILDRENS_NAMES=("x", "y, z"),
    )  # fmt: skip
    stored.props |= {address(0x802C): "f", address(0x802D): "l", address(0x80D8): "http://fb"}
    fresh = from_vcard(to_vcard(stored, version))
    for key, value in stored.props.items():
        if key != pr.PR_SOURCE_KEY:
            assert fresh.get(key) == value


# Who may delete what


def test_only_the_client_that_wrote_it_can_delete_what_others_may_not_know() -> None:
    first = read("X-SPOUSE:Eve", "X-COLOR:red", product="A")
    by_other = read(existing=first, product="B")
    assert by_other.get(pr.PR_SPOUSE_NAME) == "Eve"
    assert lines_of(by_other, "X-COLOR") == ["X-COLOR:red"]
    assert lines_of(by_other, "X-SPOUSE") == ["X-SPOUSE:Eve"]
    by_itself = read(existing=by_other, product="A")
    assert (by_itself.get(pr.PR_SPOUSE_NAME), lines_of(by_itself, "X-COLOR")) == (None, [])


def test_what_a_mapi_client_deleted_does_not_come_back() -> None:
    found = read("TEL;TYPE=HOME:1", "EMAIL:a@x.example", "X-Y:z")
    del found.props[pr.PR_HOME_TELEPHONE_NUMBER]
    assert lines_of(found, "TEL") == []
    assert lines_of(found, "X-Y") == ["X-Y:z"]


def test_changed_values_win_over_what_was_kept() -> None:
    found = read("TEL;TYPE=home,msg;X-P=1:1", "TITLE;LANGUAGE=en:Boss")
    found.props[pr.PR_HOME_TELEPHONE_NUMBER] = "2"
    assert written(found)[1:3] == ["TEL;TYPE=HOME,VOICE:2", "TITLE;LANGUAGE=en:Boss"]


def test_the_object_that_is_merged_into_is_not_changed() -> None:
    before = read("EMAIL:a@x.example", photo_line(JPEG))
    props, attachments = dict(before.props), list(before.attachments)
    read("EMAIL:b@x.example", photo_line(PNG), existing=before)
    assert (before.props, before.attachments) == (props, attachments)


def test_a_contact_from_mapi_stays_what_it_is_under_get_and_put() -> None:
    stored = contact(DISPLAY_NAME="Ann Doe", SURNAME="Doe", GIVEN_NAME="Ann", BIRTHDAY=at(1980, 5, 17, 11, 59))
    stored.props |= {address(0x8082): "SMTP", address(0x8083): "a@x.example", address(0x8080): "custom"}
    for version in ("3.0", "4.0"):
        after = put_again(stored, version)
        for key, value in stored.props.items():
            assert after.props[key] == value
        assert to_vcard(after, version, BERLIN) == to_vcard(stored, version, BERLIN)


def test_a_card_in_bytes_and_in_text_is_the_same() -> None:
    data = card("N:Müller;Jörg;;;")
    assert from_vcard(data).props == from_vcard(data.decode()).props
