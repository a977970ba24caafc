"""Fuzz: RTF. Any octets give a body whose length is bounded by theirs, or ParseError."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.convert.errors import ParseError
from gateway.convert.rtf import read

TOKENS = st.sampled_from(
    [
        *(
            rb"{ } \par \b \b0 \i \plain \htmlrtf \htmlrtf0 \*\htmltag64 \*\mhtmltag \fromhtml1 \fromtext \uc0 \uc2 \uc99999".split()
        ),
        *(
            rb"\u8364? \u-10179 \u-8704 \'82 \'a0 \'zz \f1 \f0 \ansicpg932 \ansicpg65001 \ansicpg0 \mac \bin3 \bin-5 \bin99999".split()
        ),
        *(
            rb"{\fonttbl {\f1\fcharset128 {\f0\cpg1251 \deff1 {\field {\*\fldinst {\fldrslt \~ \_ \- \\ \{ \} \* \row \cell".split()
        ),
        *(
            rb"\fs20 \cf1 \highlight1 \super {\colortbl \red9 ; {\pict \pngblip \dibitmap0 \wmetafile8 89 {\*\shppict {\listtext {\pntext 1. \'b7 \ilvl3 \pard \intbl \trowd \cellx900 \clmrg \nestcell \nestrow {\object {\footnote \plain \li720 \qc \v".split()
        ),
        b'HYPERLINK "http://x"',
        b'SYMBOL 74 \\f "Wingdings"',
        b" ",
        b"\r\n",
        b"\0",
    ]
)
PIECES = TOKENS | st.binary(max_size=8)
DOCUMENTS = st.lists(PIECES, max_size=60).map(lambda pieces: b"{\\rtf1" + b"".join(pieces))


@settings(deadline=None)
@given(DOCUMENTS | st.binary(max_size=100))
def test_any_octets_are_read_or_fail_cleanly(rtf: bytes) -> None:
    try:
        body = read(rtf)
    except ParseError:
        return
    shown = body.text if body.html is None else body.html
    assert shown is not None
    # Tags cost more than the words they come from, up to a share of the document.
    assert len(shown) <= 8000 + 150 * len(rtf)
    shown.encode("utf-8")
    assert sum(len(each.data) for each in body.pictures) <= 100 * len(rtf)
    assert all(each.content_id in shown for each in body.pictures)
