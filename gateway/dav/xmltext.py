"""Text as XML 1.0 can carry it."""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape

_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def xml_text(text: str) -> str:
    """Text as XML; what XML cannot carry is left out."""
    return escape(_ILLEGAL.sub("", text))
