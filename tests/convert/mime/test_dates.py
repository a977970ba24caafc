"""Dates as senders write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.convert.mime.dates import filetime, moment
from gateway.mapi.times import from_datetime


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Tue, 14 Jul 2026 10:00:00 +0200", "2026-07-14T08:00:00"),
        ("14 Jul 26 10:00 EDT", "2026-07-14T14:00:00"),
        ("Wed, 14 Jul 2026 10:00:00 +0000", "2026-07-14T10:00:00"),
        ("Tue, 14 Jul 2026 10:00:00 +0845", "2026-07-14T01:15:00"),
        ("Tue, 14 Jul 2026 10:00:00 -0930", "2026-07-14T19:30:00"),
        ("Tue, 14 Jul 2026 10:00:00 +1400", "2026-07-13T20:00:00"),
        ("Tue, 14 Jul 2026 10:00:00 -0000", "2026-07-14T10:00:00"),
        ("Tue, 14 Jul 2026 10:00:00 +0200 (CEST)", "2026-07-14T08:00:00"),
        ("Tue, 14 Jul 2026 10:00:00 (CEST)", "2026-07-14T08:00:00"),
        ("Tue, 14 Jul 2026 10:00:00 GMT+0200", "2026-07-14T08:00:00"),
        ("Tue, 14 Jul 2026 10:00:00 GMT", "2026-07-14T10:00:00"),
        ("Tue, 14 Jul 2026 10:00:00 UT", "2026-07-14T10:00:00"),
        ("Tue, 14 Jul 2026 10:00:00 Z", "2026-07-14T10:00:00"),
        ("Tue, 14 Jul 2026 10:00:00 A", "2026-07-14T10:00:00"),
        ("Tue, 14 Jul 2026 10:00:00 XYZ", "2026-07-14T10:00:00"),
        ("Tue, 14 Jul 2026 10:00:00", "2026-07-14T10:00:00"),
        ("Tue, 14 Jul 2026 10:00:00 +9999", "2026-07-14T10:00:00"),
        ("Tue, 14 Jul 2026 10:00:00 +02:00", "2026-07-14T08:00:00"),
        ("Tue, 14 Jul 2026 10:00 +0200", "2026-07-14T08:00:00"),
        ("Sat, 31 Dec 2016 23:59:60 +0000", "2017-01-01T00:00:00"),
        ("Tue 14 Jul 2026 10:00:00 +0200", "2026-07-14T08:00:00"),
        ("Tuesday, 14-Jul-26 10:00:00 GMT", "2026-07-14T10:00:00"),
        ("Tue Jul 14 10:00:00 2026", "2026-07-14T10:00:00"),
        ("Tue Jul  4 10:00:00 2026 +0200", "2026-07-04T08:00:00"),
        ("July 14, 2026 at 10:00 PM", "2026-07-14T22:00:00"),
        ("2026-07-14T10:00:00+02:00", "2026-07-14T08:00:00"),
        ("2026-07-14 10:00:00.123 +0200", "2026-07-14T08:00:00"),
        ("Di, 14 Mär 2026 10:00:00 +0100", "2026-03-14T09:00:00"),
        ("mar., 14 juil. 2026 10:00:00 +0200", "2026-07-14T08:00:00"),
        ("14 Jul 98 10:00:00 +0000", "1998-07-14T10:00:00"),
        ("14 Jul 100 10:00:00 +0000", "2000-07-14T10:00:00"),
        ("14 Jul 2026", "2026-07-14T00:00:00"),
    ],
)
def test_dates(value: str, expected: str) -> None:
    assert filetime(value) == from_datetime(datetime.fromisoformat(expected).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "garbage",
        "Tue, 31 Feb 2026 10:00:00 +0200",
        "14 Xyz 2026 10:00:00 +0000",
        "14 Jul 1500 10:00:00 +0000",
        "14 Jul 2026 25:00:00 +0000",
        "14 Jul 2026 10:61:00 +0000",
        "1 Jan 1601 00:00:00 +0200",
        "14 Jul 0000 1:1:1",
    ],
)
def test_what_is_no_date(value: str) -> None:
    assert filetime(value) is None


def test_the_day_the_sender_saw() -> None:
    found = moment("Tue, 14 Jul 2026 00:30:00 +0200")
    assert found is not None
    assert found.day == from_datetime(datetime(2026, 7, 14, tzinfo=UTC))


@given(st.text(max_size=60) | st.lists(st.sampled_from("0123456789 :+-,.()JulTueGMT")).map("".join))
def test_any_text(value: str) -> None:
    found = filetime(value)
    assert found is None or found > -864_000_000_000
