"""Contacts: birthdays and anniversaries, case by case."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.convert.vcard import Options
from gateway.mapi import proptags as pr
from gateway.mapi.times import from_datetime
from tests.convert.vcard.cards import address, contact, lines_of, put_again, read, written


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
