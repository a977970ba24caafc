"""The recorded traffic of a real server, unpacked once per test run."""

from __future__ import annotations

import lzma
import re
import tarfile
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from gateway.mapiclient.wire.calls import CALLS

DATA = Path(__file__).resolve().parents[1] / "data" / "wire" / "recordings.tar.xz"


@dataclass(frozen=True)
class Exchange:
    """One call and its answer; a body is None when the recording lacks it."""

    flow: str
    number: str
    call: str
    request: bytes | None
    reply: bytes | None
    raw_request: bytes | None
    raw_reply: bytes | None

    def __str__(self) -> str:
        return f"{self.flow}/{self.number}_{self.call}"


def dechunked(body: bytes) -> bytes:
    """The content of a chunked body (RFC 9112 section 7.1)."""
    out = []
    while body:
        line, _, body = body.partition(b"\r\n")
        size = int(line, 16)
        out.append(body[:size])
        body = body[size + 2 :]
        if not size:
            break
    return b"".join(out)


@cache
def files() -> dict[str, bytes]:
    """Every recorded file by its path."""
    with tarfile.open(fileobj=BytesIO(lzma.decompress(DATA.read_bytes()))) as archive:
        found = {}
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                found[member.name] = file.read()
        return found


@cache
def exchanges() -> tuple[Exchange, ...]:
    """Every exchange of a declared call, in recorded order."""
    all_files = files()
    found = []
    for path in sorted(all_files):
        match = re.fullmatch(r"([^/]+)/(\d+)_([\w-]+)\.req\.xml", path)
        if match and match[3] in CALLS:
            stem = path.removesuffix(".req.xml")
            raw = [all_files.get(f"{stem}.{side}.raw") for side in ("req", "res")]
            found.append(
                Exchange(
                    match[1],
                    match[2],
                    match[3],
                    (all_files[path].strip() and all_files[path]) or None,
                    all_files.get(f"{stem}.res.xml"),
                    *(None if each is None else dechunked(each) for each in raw),
                )
            )
    return tuple(found)


@cache
def flows() -> dict[str, tuple[Exchange, ...]]:
    """Exchanges by flow."""
    grouped: dict[str, list[Exchange]] = {}
    for exchange in exchanges():
        grouped.setdefault(exchange.flow, []).append(exchange)
    return {flow: tuple(group) for flow, group in grouped.items()}
