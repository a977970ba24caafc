"""Contacts: who may change and delete what."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from gateway.convert.vcard import from_vcard, to_vcard
from gateway.mapi import proptags as pr
from gateway.mapi.times import from_datetime
from tests.convert.vcard.cards import BERLIN, address, card, contact, lines_of, put_again, read, written


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return from_datetime(datetime(year, month, day, hour, minute, tzinfo=UTC))


JPEG = b"\xff\xd8\xff\xe0"
PNG = b"\x89PNG"


def photo_line(data: bytes, kind: str = "JPEG") -> str:
    return f"PHOTO;ENCODING=b;TYPE={kind}:{base64.b64encode(data).decode()}"


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
