"""Enhanced status codes (RFC 3463) as MAPI diagnostic and reason codes (MS-OXCMAIL 2.2.3.7.1.2)."""

from __future__ import annotations

from typing import Final

NO_DIAGNOSTIC: Final = 0xFFFF_FFFF
_TRANSFER_IMPOSSIBLE: Final = 1
_DIRECTORY_FAILED: Final = 6
#: Subject and detail of the code; detail None stands for every other.
_DIAGNOSTICS: Final[dict[tuple[int, int | None], int]] = {
    (1, 1): 35,
    (1, 2): 48,
    (1, 3): 32,
    (1, 4): 1,
    (1, 6): 40,
    (1, None): 0,
    (2, 2): 13,
    (2, 3): 13,
    (2, 4): 30,
    (2, None): 38,
    (3, 3): 18,
    (3, 4): 13,
    (3, 5): 18,
    (4, 3): NO_DIAGNOSTIC,
    (4, 6): 3,
    (4, 7): 5,
    (4, 8): 3,
    (4, None): 2,
    (5, 3): 16,
    (5, 4): 11,
    (5, None): 17,
    (6, 2): 9,
    (6, 3): 8,
    (6, 4): 25,
    (6, None): 15,
    (7, 1): 29,
    (7, 2): 28,
    (7, 3): 26,
    (7, None): 46,
}


def diagnosis(subject: int, detail: int) -> tuple[int, int]:
    """The diagnostic and the reason code of a status ``class.subject.detail``."""
    found = _DIAGNOSTICS.get((subject, detail), _DIAGNOSTICS.get((subject, None), NO_DIAGNOSTIC))
    return found, _DIRECTORY_FAILED if (subject, detail) == (4, 3) else _TRANSFER_IMPOSSIBLE
