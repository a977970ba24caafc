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
        b'HYPERLINK "http://x"',
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
    # The longest answer to a short question: a link's tags around each of the texts that its group holds.
    assert len(shown) <= 100 + 80 * len(rtf)
    shown.encode("utf-8")
