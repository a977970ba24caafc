"""Times: FILETIME (100 ns ticks since 1601-01-01 UTC, MS-DTYP 2.3.3) and its neighbours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

TICKS_PER_SECOND: Final = 10_000_000
UNIX_EPOCH: Final = 116_444_736_000_000_000
"""The FILETIME of 1970-01-01."""
RTIME_EPOCH: Final = 194_074_560
"""The rtime (minutes since 1601-01-01, MS-OXOCAL 2.2.1.44.1) of 1970-01-01."""
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)


def from_unix(seconds: float) -> int:
    """The FILETIME of a Unix time."""
    whole = int(seconds // 1)
    return UNIX_EPOCH + whole * TICKS_PER_SECOND + int((seconds - whole) * TICKS_PER_SECOND)


def to_unix(filetime: int) -> int:
    """The Unix time of a FILETIME, whole seconds, rounded down."""
    return (filetime - UNIX_EPOCH) // TICKS_PER_SECOND


def from_datetime(moment: datetime) -> int:
    """The FILETIME of an aware datetime (ValueError when it is naive)."""
    if moment.tzinfo is None:
        raise ValueError("a FILETIME needs an aware datetime")
    return (moment - _EPOCH) // timedelta(microseconds=1) * 10


def to_datetime(filetime: int) -> datetime:
    """The aware UTC datetime of a FILETIME, cut to microseconds (OverflowError when out of range)."""
    return _EPOCH + timedelta(microseconds=filetime // 10)


def rtime_to_filetime(rtime: int) -> int:
    """The FILETIME of minutes since 1601."""
    return rtime * 60 * TICKS_PER_SECOND


def filetime_to_rtime(filetime: int) -> int:
    """The minutes since 1601 of a FILETIME, rounded down."""
    return filetime // (60 * TICKS_PER_SECOND)
