"""What clients need that the RFCs do not give them: one row each, chosen by what the client says in ID.

`Quirks` with every field false are the behaviour of the RFCs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final


@dataclass(frozen=True, slots=True)
class Quirks:
    """Deviations, all off by default."""

    commands_in_idle: bool = False
    """A command during IDLE ends IDLE and is carried out, instead of BAD."""


@dataclass(frozen=True, slots=True)
class _Row:
    client: str
    field: str
    pattern: re.Pattern[str]
    quirks: Quirks


_TABLE: Final = (
    # Mail of iOS and macOS sends commands without DONE when it wakes up.
    _Row("Apple Mail", "name", re.compile(r"(?:Mac OS X|iPhone|iPad|iOS|com\.apple).*", re.I), Quirks(True)),
    # Some versions of Android's stock mail client leave IDLE with NOOP.
    _Row("Android Email", "os", re.compile(r"android", re.I), Quirks(True)),
)


def quirks_of(client: Mapping[str, str]) -> Quirks:
    """The quirks of a client by its ID fields, names in lower case."""
    found = [row.quirks for row in _TABLE if row.pattern.match(client.get(row.field, ""))]
    return Quirks(*(any(getattr(one, f.name) for one in found) for f in fields(Quirks)))
