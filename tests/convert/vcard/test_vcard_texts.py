"""Contacts: texts, web pages, UIDs, case by case."""

from __future__ import annotations

import pytest

from gateway.convert.vcard import bare, from_vcard, to_vcard, uid_of
from gateway.mapi import proptags as pr
from gateway.mapi.propnames import KEYWORDS, PidLidGlobalObjectId, PidLidPrivate
from tests.convert.vcard.cards import APPLE, address, contact, lines_of, put_again, read, written


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
