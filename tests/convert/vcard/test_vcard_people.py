"""Contacts: names and e-mail addresses, case by case."""

from __future__ import annotations

from gateway.convert.vcard import Options
from gateway.mapi import proptags as pr
from gateway.mapi.ids import OneOff, parse_one_off_entryid
from tests.convert.vcard.cards import address, contact, lines_of, put_again, read, written


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
