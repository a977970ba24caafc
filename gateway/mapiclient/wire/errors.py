"""What can be wrong with a message on the wire."""

from __future__ import annotations


class WireError(ValueError):
    """Bytes that are no message of this protocol, exceed a limit, or a value that cannot be written."""


class Fault(Exception):
    """The other end did not understand the message (SOAP 1.1 section 4.4).

    A fault is about the message, never about the call: a refused call has a result code instead.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason or code)
        self.code = code
        self.reason = reason
