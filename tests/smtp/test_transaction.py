"""The body of a mail while it arrives: in memory, then in a file, and beyond the limit nowhere."""

from __future__ import annotations

from gateway.mapi.content import Blob
from gateway.smtp.transaction import Body


def test_small_ones_stay_in_memory() -> None:
    body = Body(100, 10)
    body.add(b"12345")
    body.add(b"67890")
    assert (body.content(), body._file) == (b"1234567890", None)


def test_larger_ones_go_to_a_file() -> None:
    body = Body(100, 10)
    for _ in range(5):
        body.add(b"12345")
    content = body.content()
    assert isinstance(content, Blob)
    assert (content.size, content.read(), body._memory) == (25, b"12345" * 5, [])
    body.close()


def test_what_is_too_large_is_counted_and_not_kept() -> None:
    body = Body(100, 10)
    body.add(b"x" * 50)
    assert body._file is not None
    for _ in range(3):
        body.add(b"x" * 51)
        assert (body._file, body._memory) == (None, [])
    assert (body.is_too_big, body.size) == (True, 203)
