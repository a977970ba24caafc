"""Contacts: telephone numbers and postal addresses, case by case."""

from __future__ import annotations

import pytest

from gateway.mapi import proptags as pr
from gateway.mapi.ids import parse_one_off_entryid
from tests.convert.vcard.cards import address, contact, lines_of, put_again, read


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
