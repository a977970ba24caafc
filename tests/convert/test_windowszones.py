"""Windows and IANA names of time zones (conversion both ways)."""

from __future__ import annotations

import pytest

from gateway.convert.ical.zonedata import iana_zone
from gateway.convert.windowszones import all_windows, to_iana, to_windows, windows_name


@pytest.mark.parametrize(
    ("windows", "iana"),
    [
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("eastern standard time", "America/New_York"),
        ("India Standard Time", "Asia/Kolkata"),
        (" UTC ", "UTC"),
        ("Kamchatka Standard Time", "Asia/Kamchatka"),
        ("Customized Time Zone", None),
        ("", None),
    ],
)
def test_windows_to_iana(windows: str, iana: str | None) -> None:
    assert to_iana(windows) == iana


@pytest.mark.parametrize(
    ("iana", "windows"),
    [
        ("Europe/Amsterdam", "W. Europe Standard Time"),
        ("Europe/Kyiv", "FLE Standard Time"),
        ("Europe/Kiev", "FLE Standard Time"),
        ("Asia/Calcutta", "India Standard Time"),
        ("Asia/Kolkata", "India Standard Time"),
        ("america/nuuk", "Greenland Standard Time"),
        ("America/Godthab", "Greenland Standard Time"),
        ("Antarctica/Troll", None),
        ("", None),
    ],
)
def test_iana_to_windows(iana: str, windows: str | None) -> None:
    assert to_windows(iana) == windows


def test_every_windows_zone_has_data_and_comes_back() -> None:
    for windows in all_windows():
        iana = to_iana(windows)
        assert iana is not None
        assert iana_zone(iana) is not None, iana
        assert windows_name(windows.upper()) == windows
        assert to_windows(iana) is not None
