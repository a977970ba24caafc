"""CPU of contacts as cards, both ways: `python bench/vcard.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gateway.convert.vcard import from_vcard, to_vcard

CARD = b"""BEGIN:VCARD\r
VERSION:3.0\r
PRODID:-//Example//Phone 17//EN\r
UID:F1B9E4B2-5C5E-4B8B-9B1E-1A2B3C4D5E6F\r
N:Doe;John;Q.;Dr.;Jr.\r
FN:Dr. John Q. Doe Jr.\r
ORG:Acme;R&D\r
TITLE:Boss\r
EMAIL;type=INTERNET;type=WORK;type=pref:john@acme.example\r
item1.EMAIL;type=INTERNET:doe@home.example\r
item1.X-ABLabel:Club\r
TEL;type=CELL;type=VOICE;type=pref:+49 170 1234567\r
TEL;type=WORK;type=VOICE:+49 30 123\r
ADR;type=HOME:;;Main 1;Berlin;BE;10115;DE\r
BDAY:1980-05-17\r
NOTE:Hello\\nthere\r
CATEGORIES:Friends,Work\r
URL:http://x.example/\r
END:VCARD\r
"""


def show(name: str, work: Callable[[], Any], count: int = 500, batches: int = 10) -> None:
    """The best of several batches: other programs only ever make it slower."""
    work()
    best = float("inf")
    for _ in range(batches):
        before = time.process_time()
        for _ in range(count):
            work()
        best = min(best, (time.process_time() - before) / count)
    print(f"{name:42} {best * 1e6:7.1f} us")


def main() -> None:
    contact = from_vcard(CARD)
    plain = from_vcard(CARD)
    plain.props = {key: value for key, value in plain.props.items() if isinstance(key, int)}
    show("contact -> card, as the client wrote it", lambda: to_vcard(contact))
    show("contact -> card, never seen by a client", lambda: to_vcard(plain))
    show("contact -> card, the other version", lambda: to_vcard(contact, "4.0"))
    show("card -> new contact", lambda: from_vcard(CARD))
    show("card -> merged into the contact", lambda: from_vcard(CARD, contact))


if __name__ == "__main__":
    main()
