"""The If header: states that resources must be in before a request changes anything (RFC 4918 10.4).

There are no locks here, so that no lock token is ever true; ETags are, and the sync tokens of collections (RFC 6578 5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from gateway.dav import hrefs
from gateway.dav.errors import BadRequest

_TOKEN: Final = re.compile(r"\s*(?:<([^<>]*)>|(\()|(\))|(?i:(not))\b|\[\s*((?:W/)?\"[^\"]*\")\s*\])")
MAX_CONDITIONS: Final = 200


@dataclass(frozen=True, slots=True)
class Condition:
    """One state: an ETag with its quotes, or a token."""

    state: str
    is_etag: bool
    negated: bool


@dataclass(frozen=True, slots=True)
class Demand:
    """Conditions that one resource must fulfil all; "" is the one that is asked for."""

    path: str
    conditions: tuple[Condition, ...]


#: ETag and sync token of what lies at a path ("" for the one asked for), both "" when nothing does.
State = Callable[[str], tuple[str, str]]


def holds(header: str, state_of: State) -> bool:
    """Whether one of the lists of a header is true (BadRequest for one that is no list)."""
    return any(_holds(each, state_of(each.path)) for each in demands(header))


def _holds(demand: Demand, state: tuple[str, str]) -> bool:
    etag, token = state
    return all(
        ((each.state.removeprefix("W/") == etag) if each.is_etag else (each.state == token)) is not each.negated
        for each in demand.conditions
    )


def demands(header: str) -> list[Demand]:
    """The lists of a header (BadRequest)."""
    found: list[Demand] = []
    path, negated = "", False
    conditions: list[Condition] | None = None
    for kind, text in _tokens(header):
        if kind == "(" and conditions is None:
            conditions = []
        elif kind == ")" and conditions and not negated:
            found.append(Demand(path, tuple(conditions)))
            conditions = None
        elif kind == "<" and conditions is None:
            path = hrefs.path_of(text)
        elif kind == "not" and conditions is not None and not negated:
            negated = True
        elif kind in ("<", "[") and conditions is not None:
            conditions.append(Condition(text, kind == "[", negated))
            negated = False
        else:
            raise _wrong()
    if conditions is not None or not found:
        raise _wrong()
    return found


def _wrong() -> BadRequest:
    return BadRequest("the If header is none of RFC 4918")


def _tokens(header: str) -> Iterator[tuple[str, str]]:
    place, count, end = 0, 0, len(header.rstrip())
    while place < end:
        match = _TOKEN.match(header, place)
        count += 1
        if match is None or count > MAX_CONDITIONS:
            raise _wrong()
        uri, begin, finish, negation, etag = match.groups()
        if uri is not None:
            yield "<", uri
        elif etag is not None:
            yield "[", etag
        else:
            yield "(" if begin else ")" if finish else "not", negation or ""
        place = match.end()
