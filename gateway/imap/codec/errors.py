"""What a client may send wrong: any input gives a command or a `ParseError`, never another exception."""

from __future__ import annotations


class ParseError(ValueError):
    """The client's syntax. Answered with BAD, or with NO where an RFC demands it.

    `code` is a response code without brackets (``TOOBIG``), `tag` the command's tag when it could be read; `saves`
    says that it was to set ``$``.
    """

    saves = False

    def __init__(self, message: str, *, code: str = "", no: bool = False, tag: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.no = no
        self.tag = tag

    def tagged(self, tag: str) -> ParseError:
        """The same error, of the command with this tag."""
        self.tag = tag
        return self
