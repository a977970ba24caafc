"""IANA time zones from the tzdata package: the same data on every gateway, whatever its machine has installed."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo


@cache
def _names() -> dict[str, str]:
    """Every zone's name by its lower-case form."""
    lines = files("tzdata").joinpath("zones").read_text("utf-8").split()
    return {name.casefold(): name for name in lines}


def iana_name(name: str) -> str | None:
    """The name of a zone as IANA writes it, None when there is no such zone; case is ignored."""
    return _names().get(name.casefold())


@cache
def iana_zone(name: str) -> ZoneInfo | None:
    """The zone of that name, None when there is none."""
    known = iana_name(name)
    if known is None:
        return None
    # Zone names are paths below the package's data; only names from its own list come here.
    with files("tzdata.zoneinfo").joinpath(known).open("rb") as data:
        return ZoneInfo.from_file(data, key=known)


def iana_names() -> list[str]:
    """Every zone's name, in the order of the data."""
    return list(_names().values())
