"""The PROXY protocol's header (haproxy's proxy-protocol.txt, versions 1 and 2): who is behind the load balancer.

Pure: bytes in, the address of the client out. `LONGEST` bounds what has to be kept while a header is incomplete.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 1024
"""No header of either version that carries addresses and ordinary TLVs is longer."""
_V1_LONGEST: Final = 107
_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"


class ProxyHeaderError(ValueError):
    """The bytes are no PROXY header."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """A complete header: `length` bytes of the connection, the client's address unless the proxy speaks for itself."""

    length: int
    source: tuple[str, int] | None = None
    destination: tuple[str, int] | None = None


def parse(data: bytes) -> ProxyHeader | None:
    """Read the header at the start of a connection; None while it is incomplete; raise ProxyHeaderError."""
    if data[: len(_SIGNATURE)] == _SIGNATURE[: len(data)]:
        return _version_2(data)
    if data[:6] == b"PROXY "[: len(data)]:
        return _version_1(data)
    raise ProxyHeaderError("no PROXY header")


def _version_1(data: bytes) -> ProxyHeader | None:
    """``PROXY TCP4 192.0.2.1 192.0.2.2 56324 143`` (section 2.1)."""
    line, found, _ = data[:_V1_LONGEST].partition(b"\r\n")
    if not found:
        if len(data) >= _V1_LONGEST:
            raise ProxyHeaderError("the line is longer than 107 bytes")
        return None
    words = line.decode("latin-1").split(" ")
    length = len(line) + 2
    if words[1] == "UNKNOWN":
        return ProxyHeader(length)
    if words[1] not in ("TCP4", "TCP6") or len(words) != 6:
        raise ProxyHeaderError("the line is not of the form PROXY TCP4 source destination port port")
    version = 4 if words[1] == "TCP4" else 6
    source, destination = (_address(word, version) for word in words[2:4])
    return ProxyHeader(length, (source, _port(words[4])), (destination, _port(words[5])))


def _address(word: str, version: int) -> str:
    """An address of the version that the line promised."""
    try:
        address = ipaddress.ip_address(word)
    except ValueError as error:
        raise ProxyHeaderError("an address is malformed") from error
    if address.version != version:
        raise ProxyHeaderError("an address is of the other family")
    return str(address)


def _port(word: str) -> int:
    """A port number."""
    if not (word.isascii() and word.isdigit() and int(word) <= 0xFFFF):
        raise ProxyHeaderError("a port is malformed")
    return int(word)


def _version_2(data: bytes) -> ProxyHeader | None:
    """The binary header (section 2.2): signature, command, family, length, addresses, TLVs (passed over)."""
    if len(data) < 16:
        return None
    command, family, size = struct.unpack_from("!BBH", data, 12)
    if command not in (0x20, 0x21):
        raise ProxyHeaderError("version or command is unknown")
    if 16 + size > LONGEST:
        raise ProxyHeaderError("the header is too long")
    if len(data) < 16 + size:
        return None
    form = {0x11: ("!4s4sHH", 12), 0x21: ("!16s16sHH", 36)}.get(family)
    if command == 0x20 or form is None:  # LOCAL, or a family without addresses we know: the proxy itself
        return ProxyHeader(16 + size)
    if size < form[1]:
        raise ProxyHeaderError("the addresses are cut short")
    source, destination, source_port, destination_port = struct.unpack_from(form[0], data, 16)
    return ProxyHeader(16 + size, (_packed(source), source_port), (_packed(destination), destination_port))


def _packed(address: bytes) -> str:
    """A packed address as text."""
    return str(ipaddress.ip_address(address))
