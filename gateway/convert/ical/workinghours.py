"""Working hours as the settings of MAPI's web client hold them: PR_EC_WEBACCESS_SETTINGS_JSON of a user's store.

There is one beginning and one end for all working days, on the wall clock of the owner; ``zarafa/v1/main`` holds
them as minutes since midnight and as weekdays, of which Sunday is 0. All other settings are left as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from gateway.convert.errors import ParseError

_PATH: Final = ("settings", "zarafa", "v1", "main")
_DAYS, _START, _END = "working_days", "start_working_hour", "end_working_hour"
_DAY: Final = 1440


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When somebody works: weekdays (Sunday is 0), and minutes from midnight."""

    days: frozenset[int] = frozenset((1, 2, 3, 4, 5))
    start: int = 9 * 60
    end: int = 17 * 60


def hours_of(settings: str) -> WorkingHours | None:
    """The working hours in a user's settings; None when they say nothing of them, or nothing that makes sense.

    What is missing of them is as the web client has it: Monday to Friday, 9:00 to 17:00.
    """
    try:
        main = _main(_decoded(settings))
    except ParseError:
        return None
    if not main.keys() & {_DAYS, _START, _END}:
        return None
    plain = WorkingHours()
    days = main.get(_DAYS)
    start, end = _minutes(main.get(_START), plain.start), _minutes(main.get(_END), plain.end)
    if start >= end:
        return None
    known = plain.days
    if isinstance(days, list):
        known = frozenset(day for day in days if isinstance(day, int) and 0 <= day <= 6)
    return WorkingHours(known, start, end)


def with_hours(settings: str, hours: WorkingHours | None) -> str:
    """The settings with these working hours, or without any (ParseError when the settings are no JSON object)."""
    data = _decoded(settings)
    main = _main(data, make=True)
    if hours is None:
        for key in (_DAYS, _START, _END):
            main.pop(key, None)
    else:
        main |= {_DAYS: sorted(hours.days), _START: hours.start, _END: hours.end}
    return msgspec.json.encode(data).decode("utf-8")


def _decoded(settings: str) -> dict[str, Any]:
    if not settings.strip():
        return {}
    try:
        data = msgspec.json.decode(settings)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ParseError(f"the user's settings are no JSON: {error}") from None
    if not isinstance(data, dict):
        raise ParseError("the user's settings are no JSON object")
    return data


def _main(data: dict[str, Any], *, make: bool = False) -> dict[str, Any]:
    for name in _PATH:
        inner = data.get(name)
        if not isinstance(inner, dict):
            if inner is not None or not make:
                raise ParseError(f"the user's settings have no object {name!r}")
            inner = data[name] = {}
        data = inner
    return data


def _minutes(value: object, default: int) -> int:
    return value if isinstance(value, int) and 0 <= value <= _DAY else default
