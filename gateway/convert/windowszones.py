"""Names of time zones: Windows' and IANA's, one into the other (Unicode CLDR, as tzlocal carries it)."""

from __future__ import annotations

from typing import Final

from tzlocal.windows_tz import tz_win, win_tz

_TO_IANA: Final[dict[str, str]] = {windows.casefold(): iana for windows, iana in win_tz.items()}
_WINDOWS: Final[dict[str, str]] = {windows.casefold(): windows for windows in win_tz}
_TO_WINDOWS: Final[dict[str, str]] = {iana.casefold(): windows for iana, windows in tz_win.items() if iana}
#: Names that CLDR dropped (renamed or obsolete zones), still found in stored items.
_OLD_WINDOWS: Final = {
    "mid-atlantic standard time": "Atlantic/South_Georgia",
    "kamchatka standard time": "Asia/Kamchatka",
    "armenian standard time": "Asia/Yerevan",
    "mexico standard time": "America/Mexico_City",
    "mexico standard time 2": "America/Chihuahua",
}
_OLD_IANA: Final = {
    "us/east-indiana": "US Eastern Standard Time",
    "europe/uzhgorod": "FLE Standard Time",
    "europe/zaporozhye": "FLE Standard Time",
    "gmt": "UTC",
}


#: Names that CLDR keeps and IANA has renamed: calendars of today know the new ones.
_RENAMED: Final = {
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "America/Godthab": "America/Nuuk",
    "America/Indianapolis": "America/Indiana/Indianapolis",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Etc/UTC": "UTC",
    "Europe/Kiev": "Europe/Kyiv",
}


def to_iana(windows: str) -> str | None:
    """The IANA zone of a Windows zone name (its default one), None when the name is unknown; case is ignored."""
    key = windows.strip().casefold()
    found = _TO_IANA.get(key) or _OLD_WINDOWS.get(key)
    return None if found is None else _RENAMED.get(found, found)


def to_windows(iana: str) -> str | None:
    """The Windows zone name of an IANA zone or alias, None when Windows has none; case is ignored."""
    key = iana.strip().casefold()
    return _TO_WINDOWS.get(key) or _OLD_IANA.get(key)


def windows_name(name: str) -> str | None:
    """The name of a Windows zone as Windows writes it, None when it is no such name."""
    return _WINDOWS.get(name.strip().casefold())


def all_windows() -> list[str]:
    """Every Windows zone name, in alphabetical order."""
    return sorted(win_tz)
