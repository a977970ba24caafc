"""Documents that live inside properties but are written like messages: the rules of an Inbox (PR_RULES_DATA)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.mapi.props import Prop
from gateway.mapi.tables import Row
from gateway.mapiclient.wire.errors import WireError
from gateway.mapiclient.wire.kinds import Frame, Kind, Piece
from gateway.mapiclient.wire.reader import Reader
from gateway.mapiclient.wire.spool import Limits
from gateway.mapiclient.wire.values import ROWS

_LIMITS: Final = Limits(size=1 << 26)
_NAMESPACES: Final = (
    ' xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:ns="urn:zarafa"'
)


class _Root(Frame):
    """The one element of a document, whatever it is called."""

    __slots__ = ("kind", "value")

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.value: list[Any] = []

    def child(self, name: str, attributes: str) -> Kind | None:
        """The document's element."""
        if self.value:
            raise WireError("a document with two elements")
        return self.kind

    def put(self, name: str, value: Any) -> None:
        """Take its value."""
        self.value.append(value)

    def finish(self) -> Any:
        """Its value."""
        if not self.value:
            raise WireError("an empty document")
        return self.value[0]


def decode_rows(document: bytes) -> list[Row]:
    """The rows of a rules document (WireError when it is none)."""
    reader = Reader(_Root(ROWS), _LIMITS)
    reader.feed(document.rstrip(b"\0"))
    rows: list[Row] = reader.close()
    return rows


def encode_rows(rows: Sequence[Sequence[Prop]], element: str = "tableData") -> bytes:
    """A rules document."""
    pieces: list[Piece] = []
    ROWS.writer(element)(rows, pieces.append)
    body = "".join(str(piece) for piece in pieces).replace(f"<{element}", f"<{element}{_NAMESPACES}", 1)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode("utf-8", "replace")
