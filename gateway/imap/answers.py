"""How a command ends: `Done` is its success, the exceptions are what a client may be refused with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """``OK``. Without words the command's name is used."""

    words: str = ""
    code: str = ""


class Refused(Exception):
    """``NO``: a right command that cannot be carried out. `code` is a response code without brackets."""

    def __init__(self, words: str, code: str = "") -> None:
        super().__init__(words)
        self.words = words
        self.code = code


class StateError(Exception):
    """``BAD``: a right command at the wrong moment."""

    def __init__(self, words: str, code: str = "") -> None:
        super().__init__(words)
        self.words = words
        self.code = code


class Goodbye(Exception):
    """The connection ends with this ``BYE``."""

    def __init__(self, words: str, code: str = "") -> None:
        super().__init__(words)
        self.words = words
        self.code = code
