"""The name of an attached file: found in one of four places, decoded, and made safe to write to a disk."""

from __future__ import annotations

import re
from typing import Final

from gateway.convert.mediatypes import extension_of
from gateway.convert.mime.charsets import DEFAULT_CHARSET
from gateway.convert.mime.encoded import parameter
from gateway.convert.mime.structure import Part

_UNSAFE: Final = re.compile(r'["/:<>|\\\x00-\x1f\x7f]')
_LONGEST: Final = 255
_LONGEST_EXTENSION: Final = 15


def file_name(part: Part, default: str = DEFAULT_CHARSET) -> str:
    """The file name a part gives itself, sanitised; empty when it has none.

    Content-Disposition before Content-Type, the RFC 2231 form before the plain one.
    """
    name = parameter(part.disposition[1], b"filename", default)
    if not name and part.parameters:
        name = parameter(part.parameters, b"name", default)
    return sanitised(name) if name else ""


def sanitised(name: str) -> str:
    """A name without separators, controls, and dots at its ends; cut to 255 characters before its extension."""
    safe = _UNSAFE.sub("_", name).strip(". ")
    if len(safe) > _LONGEST:
        ending = extension(safe)
        safe = safe[: _LONGEST - len(ending)] + ending
    return safe


def generated(number: int, media_type: str) -> str:
    """A name for the part that is attachment ``number`` (from 1) and has none."""
    return f"attachment{number}{extension_of(media_type)}"


def extension(name: str) -> str:
    """The extension with its dot; empty when there is none or it is too long to be one."""
    dot = name.rfind(".")
    ending = name[dot:] if dot > 0 else ""
    return ending if 1 < len(ending) <= _LONGEST_EXTENSION else ""
