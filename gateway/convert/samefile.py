"""Whether two attachments are the same file: programs send the files of an invitation twice, or again and again."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import Final

from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, Blob

_BY_VALUE: Final = 1
_PIECE: Final = 1 << 16


def is_same(one: AttachmentContent, other: AttachmentContent) -> bool:
    """Whether two files have the same name and the same bytes."""
    if _name(one) != _name(other) or not _is_file(one) or not _is_file(other):
        return False
    return _equal(one.data, other.data)


def _is_file(attachment: AttachmentContent) -> bool:
    return attachment.data is not None and attachment.props.get(pt.PR_ATTACH_METHOD) in (None, _BY_VALUE)


def _name(file: AttachmentContent) -> object:
    return file.props.get(pt.PR_ATTACH_LONG_FILENAME) or file.props.get(pt.PR_ATTACH_FILENAME)


def _equal(one: bytes | Blob | None, other: bytes | Blob | None) -> bool:
    if one is None or other is None or _size(one) != _size(other):
        return False
    if isinstance(one, bytes) and isinstance(other, bytes):
        return one == other
    return all(left == right for left, right in zip_longest(_pieces(one), _pieces(other)))


def _size(data: bytes | Blob) -> int:
    return data.size if isinstance(data, Blob) else len(data)


def _pieces(data: bytes | Blob) -> Iterable[bytes]:
    """The bytes in pieces of one length, the last one shorter."""
    if isinstance(data, bytes):
        return (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))
    return _even(data)


def _even(data: Blob) -> Iterable[bytes]:
    waiting = bytearray()
    for chunk in data.chunks():
        waiting += chunk
        while len(waiting) >= _PIECE:
            yield bytes(waiting[:_PIECE])
            del waiting[:_PIECE]
    if waiting:
        yield bytes(waiting)
