"""Sections of large messages: decoded in a bounded buffer, of exact size (RFC 3516 4.2)."""

from __future__ import annotations

import tracemalloc
from base64 import encodebytes
from mmap import ACCESS_READ, mmap
from tempfile import TemporaryFile

from gateway.convert.mime.structure import scan
from gateway.imap.sections import decoded, decoded_size
from tests.imap.dialogue import Dialogue

HEAD = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
MEGABYTE = bytes(range(256)) * 4096


def test_a_large_part_is_decoded_in_little_memory() -> None:
    """Twelve megabytes, and never two of them at once."""
    with TemporaryFile() as file:
        file.write(HEAD)
        for _ in range(12):
            file.write(encodebytes(MEGABYTE))
        file.flush()
        with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            message = scan(data)
            tracemalloc.start()
            try:
                found = decoded(message, (1,))
                assert found is not None
                assert found.size == decoded_size(message, (1,)) == 12 << 20
                assert all(len(piece) == 65536 for piece in found.pieces())
                assert found.at(5 << 20, 1 << 18) == MEGABYTE[: 1 << 18]
                assert tracemalloc.get_traced_memory()[1] < 6 << 20
            finally:
                tracemalloc.stop()


def test_binary_of_a_large_attachment(imap: Dialogue) -> None:
    message = HEAD + encodebytes(MEGABYTE * 3).replace(b"\n", b"\r\n")
    imap.given(inbox=[message])
    imap.talk(f"""
        C: a1 SELECT INBOX
        S: ...
        S: a1 OK ...
        C: a2 FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1]<2097152.4> BINARY.PEEK[1]<9999999.4>)
        S: * 1 FETCH (BINARY.SIZE[1] {3 << 20} BINARY[1]<2097152> ~{{4}}
    """)
    assert imap.talker().line().encode("utf-8", "surrogateescape") == b"\0\1\2\3 BINARY[1]<9999999> ~{0}"
    imap.talk("""
        S: )
        S: a2 OK ...
        C: a3 FETCH 1 BINARY[1]
        S: * 1 FETCH (BINARY[1] ~{3145728}
    """)
    talker = imap.talker()
    got = b""
    while not got.endswith(b"a3 OK Fetch completed\n"):
        got += talker.line().encode("utf-8", "surrogateescape") + b"\n"
    assert got.count(bytes(range(11, 256))) == 3 * 4096
