"""GlobalObjectId and UID, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.convert.ical import globalid
from gateway.convert.ical.globalid import InstanceDate

MS = bytes.fromhex(
    "040000008200E00074C5B7101A82E00800000000000000000000000000000000000000001B000000"
    "7643616C2D55696401000000616263406578616D706C652E636F6D"
)
KOPANO = MS[:36] + b"\x1c" + MS[37:] + b"\0"
NATIVE = (
    "040000008200E00074C5B7101A82E0080000000080004074947BDC01000000000000000010000000"
    "A0A1A2A3A4A5A6A7A8A9AAABACADAEAF"
)


def test_cg01_a_foreign_uid_is_wrapped() -> None:
    assert globalid.from_uid("abc@example.com") == MS
    assert globalid.wrapped("abc@example.com", terminated=True) == KOPANO


def test_cg02_both_forms_give_the_uid() -> None:
    assert globalid.to_uid(MS) == globalid.to_uid(KOPANO) == "abc@example.com"


def test_cg03_a_lookup_asks_for_both_forms() -> None:
    assert globalid.both_forms("abc@example.com") == (MS, KOPANO)
    assert globalid.both_forms(NATIVE) == (bytes.fromhex(NATIVE),)


def test_cg04_the_date_of_an_instance() -> None:
    blob = globalid.with_date(MS, InstanceDate(2026, 7, 14))
    assert blob[16:20].hex() == "07ea070e"
    assert globalid.date_of(blob) == (2026, 7, 14)
    assert globalid.clean(blob) == MS
    assert globalid.date_of(MS) is None


def test_cg05_a_native_id_is_its_hexadecimal() -> None:
    assert globalid.to_uid(bytes.fromhex(NATIVE)) == NATIVE
    assert globalid.from_uid(NATIVE) == bytes.fromhex(NATIVE)


def test_cg06_the_uid_of_an_instance_is_that_of_the_series() -> None:
    assert globalid.to_uid(globalid.with_date(bytes.fromhex(NATIVE), InstanceDate(2026, 7, 14))) == NATIVE


def test_cg07_a_native_id_in_small_letters() -> None:
    assert globalid.from_uid(NATIVE.lower()) == bytes.fromhex(NATIVE)


def test_cg08_a_long_uid_is_still_a_foreign_one() -> None:
    uid = "x" * 100
    assert globalid.to_uid(globalid.from_uid(uid)) == uid


@pytest.mark.parametrize("blob", [MS[:36] + b"\xff\xff\0\0" + MS[40:], MS[:36] + b"\1\0\0\0" + MS[40:]])
def test_cg10_the_size_field_is_not_believed(blob: bytes) -> None:
    assert globalid.to_uid(blob) == "abc@example.com"


def test_cg11_a_short_blob_is_opaque() -> None:
    assert globalid.to_uid(b"\1\2\xff") == "0102FF"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=200))
def test_any_uid_comes_back(uid: str) -> None:
    assert globalid.to_uid(globalid.from_uid(uid)).upper() == uid.upper()


@given(st.binary(max_size=100))
def test_any_blob_has_a_uid(blob: bytes) -> None:
    uid = globalid.to_uid(blob)
    assert globalid.to_uid(globalid.from_uid(uid)) is not None
    globalid.date_of(blob)
