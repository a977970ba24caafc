"""Pictures inside RTF as files that HTML can show (RTF 1.9.1, pictures)."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

MOST: Final = 32 * 1024 * 1024
"""Octets of all pictures of a document; what is beyond is left out."""
_NOT_HEX: Final = re.compile(r"[^0-9a-fA-F]+")
_TWIPS: Final = 15
"""Of a pixel."""
_LARGEST: Final = 4000
_KINDS: Final = {
    "pngblip": ("image/png", "png"),
    "jpegblip": ("image/jpeg", "jpg"),
    "emfblip": ("image/emf", "emf"),
    "wmetafile": ("image/wmf", "wmf"),
    "dibitmap": ("image/bmp", "bmp"),
}
_BITMAP_HEAD: Final = 40
_PLACEABLE: Final = b"\xd7\xcd\xc6\x9a"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a document; the HTML shows it by its content id."""

    data: bytes
    media_type: str
    name: str
    content_id: str


@dataclass(slots=True)
class Drawing:
    """A picture while it is read."""

    kind: str = ""
    digits: list[str] = field(default_factory=list)
    octets: list[bytes] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)

    def word(self, word: str, parameter: int | None) -> None:
        """Obey a word inside the picture."""
        if word in _KINDS:
            self.kind = word
        elif word.startswith("pic"):
            self.sizes[word] = parameter or 0

    def picture(self, number: int, room: int) -> Picture | None:
        """The picture, None when it is of no known kind, empty, or larger than the room for it."""
        if self.kind not in _KINDS:
            return None
        digits = _NOT_HEX.sub("", "".join(self.digits))
        data = bytes.fromhex(digits[: len(digits) & ~1]) + b"".join(self.octets)
        data = self._as_file(data)
        if not data or len(data) > room:
            return None
        media_type, ending = _KINDS[self.kind]
        content_id = f"{number}.{blake2b(data, digest_size=10).hexdigest()}@rtf"
        return Picture(data, media_type, f"picture{number}.{ending}", content_id)

    def _as_file(self, data: bytes) -> bytes:
        """The picture with the head that files have and RTF leaves out."""
        if self.kind == "dibitmap" and len(data) >= _BITMAP_HEAD and not data.startswith(b"BM"):
            head, _, _, _, bits, _, _, _, _, colors = struct.unpack_from("<IiiHHIIiiI", data)
            entries = colors or (1 << bits if bits <= 8 else 0)
            offset = min(14 + head + 4 * entries, 0xFFFFFFFF)
            return struct.pack("<2sIHHI", b"BM", 14 + len(data), 0, 0, offset) + data
        if self.kind == "wmetafile" and data and not data.startswith(_PLACEABLE):
            width, height = (min(max(self.sizes.get(name, 0), 1), 0x7FFF) for name in ("picwgoal", "pichgoal"))
            head = _PLACEABLE + struct.pack("<HhhhhHI", 0, 0, 0, width, height, 1440, 0)
            words = struct.unpack("<10H", head)
            check = 0
            for word in words:
                check ^= word
            return head + struct.pack("<H", check) + data
        return data

    def tag(self, picture: Picture) -> str:
        """The element that shows it."""
        shown = ""
        for name, goal, scale in (
            ("width", "picwgoal", "picscalex"),
            ("height", "pichgoal", "picscaley"),
        ):
            pixels = self.sizes.get(goal, 0) * self.sizes.get(scale, 100) // (100 * _TWIPS)
            shown += f' {name}="{pixels}"' if 0 < pixels <= _LARGEST else ""
        return f'<img src="cid:{picture.content_id}" alt=""{shown}>'
