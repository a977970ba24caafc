"""Lengths of time and sizes as an administrator writes them in the configuration: ``"10m"``, ``"25MB"``.

A plain number is seconds or bytes. Everything inside the program sees ordinary floats and ints.
"""

from __future__ import annotations

import re
from typing import Any, Final, Self

_NUMBER: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)")
_SECONDS: Final = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES: Final = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class Duration(float):
    """A length of time in seconds, not negative."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read ``30``, ``"30s"``, ``"10m"``, ``"1.5h"`` or ``"7d"``; raise ValueError for anything else."""
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
            return cls(value)
        match = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None or (unit := _SECONDS.get(match[2].lower())) is None:
            raise ValueError(f'{value!r} is no length of time; write seconds or e.g. "30s", "10m", "2h", "7d"')
        return cls(float(match[1]) * unit)


class Size(int):
    """A number of bytes, not negative."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read ``4096``, ``"64k"``, ``"25MB"`` or ``"2GiB"`` (1024 based); raise ValueError for anything else."""
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return cls(value)
        match = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None or (unit := _BYTES.get(_size_unit(match[2]))) is None:
            raise ValueError(f'{value!r} is no size; write bytes or e.g. "64k", "25MB", "2GB"')
        return cls(float(match[1]) * unit)


def _size_unit(text: str) -> str:
    """``MB``, ``MiB`` and ``m`` are one unit."""
    unit = text.lower()
    return unit[:1] if unit[1:] in ("", "b", "ib") else unit


def decode(kind: type, value: Any) -> Any:
    """The `dec_hook` that lets msgspec read the two types of this module."""
    if kind in (Duration, Size):
        return kind.parse(value)
    raise NotImplementedError(f"no way to read a {kind.__name__}")
