"""MTOM: an envelope and its binary parts as multipart/related (RFC 2387, XOP 1.0).

The store writes ``Content-ID: emcas-0`` and ``href="emcas-0"``; its clients write ``Content-ID: <id3>`` and
``href="cid:id3"``. Both are read; requests are written the second way, replies the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final
from urllib.parse import unquote

from gateway.mapi.content import Blob
from gateway.mapiclient.wire.errors import WireError
from gateway.mapiclient.wire.spool import PartStore

_LONGEST_HEADER: Final = 1 << 14
_CRLF: Final = b"\r\n"


def content_id(text: str) -> str:
    """The id that a Content-ID header or an href means."""
    text = text.strip()
    if text.startswith("cid:"):
        return unquote(text[4:])
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


class MultipartReader:
    """Splits a body into its first part, handed on as it arrives, and stores for the others.

    The boundary is taken from the first line, which must be there (RFC 2046 section 5.1.1 allows a preamble;
    nobody sends one here).
    """

    def __init__(self, root: Callable[[bytes], None], store: Callable[[], PartStore], max_parts: int) -> None:
        self.parts: dict[str, bytes | Blob] = {}
        self.complete = False
        self._root, self._store = root, store
        self._max_parts = max_parts
        self._buffer = b""
        self._mark = b""
        self._step = self._first_line
        self._write = root
        self._open: tuple[str, PartStore] | None = None
        self._seen = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._buffer += data
        while not self.complete and self._step():
            pass
        if self.complete:
            self._buffer = b""

    def _first_line(self) -> bool:
        end = self._buffer.find(_CRLF)
        if end < 0:
            if len(self._buffer) > 80:
                raise WireError("a multipart body without a boundary")
            return False
        self._mark = _CRLF + self._buffer[:end].rstrip(b" \t")
        if len(self._mark) < 5 or len(self._mark) > 80:
            raise WireError("a multipart body without a boundary")
        self._buffer = self._buffer[end:]
        self._step = self._headers
        return True

    def _headers(self) -> bool:
        """The header fields, up to the empty line; the buffer begins with the line end of the boundary."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _LONGEST_HEADER:
                raise WireError("part headers that are too long")
            return False
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        self._buffer = self._buffer[end + 4 :]
        fields = {name.strip().lower(): value for name, _, value in (line.partition(":") for line in lines)}
        self._begin(content_id(fields.get("content-id", "")))
        self._step = self._body
        return True

    def _begin(self, name: str) -> None:
        self._seen += 1
        if self._seen > self._max_parts:
            raise WireError(f"more than {self._max_parts} parts")
        if self._seen == 1:
            self._write = self._root
            return
        store = self._store()
        self._open = (name, store)
        self._write = store.write

    def _body(self) -> bool:
        end = self._buffer.find(self._mark)
        if end < 0:
            keep = len(self._mark) - 1
            if len(self._buffer) > keep:
                self._write(self._buffer[:-keep])
                self._buffer = self._buffer[-keep:]
            return False
        # Two bytes behind the boundary tell whether it was the last one.
        if len(self._buffer) < end + len(self._mark) + 2:
            return False
        if end:
            self._write(self._buffer[:end])
        if self._open is not None:
            name, store = self._open
            self.parts[name] = store.close()
            self._open = None
        self._buffer = self._buffer[end + len(self._mark) :]
        self.complete = self._buffer.startswith(b"--")
        if not self.complete:
            self._skip_padding()
        return True

    def _skip_padding(self) -> None:
        rest = self._buffer.lstrip(b" \t")
        if not rest.startswith(_CRLF):
            raise WireError("malformed part boundary")
        self._buffer = rest
        self._step = self._headers


def content_type(boundary: str) -> str:
    """The Content-Type of a multipart message."""
    return (
        f'multipart/related; charset=utf-8; boundary="{boundary}"; type="application/xop+xml"; '
        'start="<SOAP-ENV:Envelope>"; start-info="text/xml"'
    )


def write_parts(
    boundary: str, envelope: bytes, parts: Sequence[tuple[str, bytes | Blob]]
) -> tuple[int, Callable[[], Iterator[bytes]]]:
    """The size of the body and what gives its chunks; parts are pairs of Content-ID (as written) and bytes."""
    mark = f"--{boundary}\r\n".encode()
    first = (
        b'Content-Type: application/xop+xml; charset=utf-8; type="text/xml"\r\n'
        b"Content-Transfer-Encoding: binary\r\nContent-ID: <SOAP-ENV:Envelope>\r\n\r\n"
    )
    heads = [
        (
            f"\r\n--{boundary}\r\nContent-Type: application/binary\r\nContent-Transfer-Encoding: binary\r\n"
            f"Content-ID: {name}\r\n\r\n"
        ).encode()
        for name, _ in parts
    ]
    start, end = mark + first + envelope, f"\r\n--{boundary}--\r\n".encode()
    size = len(start) + len(end) + sum(map(len, heads))
    size += sum(data.size if isinstance(data, Blob) else len(data) for _, data in parts)

    def chunks() -> Iterator[bytes]:
        yield start
        for head, (_, data) in zip(heads, parts, strict=True):
            yield head
            if isinstance(data, Blob):
                yield from data.chunks()
            else:
                yield data
        yield end

    return size, chunks
