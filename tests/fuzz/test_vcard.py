"""Fuzz: cards. Any text gives a contact or a list whose cards can be read again, or ParseError, in bounded time."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.convert.errors import ParseError
from gateway.convert.vcard import Options, Person, addresses_of_list, from_vcard, to_vcard
from gateway.convert.vcard.fields import LIST_MEMBERS, LIST_ONE_OFFS, LIST_STREAM, VCARD_RETAINED
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent

SEEDS: Final = (
    b"""BEGIN:VCARD
VERSION:3.0
PRODID:-//Apple Inc.//iOS 17//EN
UID:one
N;CHARSET=UTF-8:M\xc3\xbcller;Ann;B;Dr.;Jr.
FN:Dr. Ann M\xc3\xbcller
ORG:Acme;R\\;D;Lab
item1.EMAIL;type=INTERNET;type=pref:a@x.example
item1.X-ABLabel:_$!<Other>!$_
EMAIL;TYPE=WORK:b@x.example
TEL;TYPE="work,fax":+49 30 1
TEL;VALUE=uri:tel:+49-30-2;ext=5
ADR;TYPE=HOME:;;Main 1;Berlin;BE;10115;DE
BDAY:1980-05-17
ANNIVERSARY:--0517
PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==
KEY;ENCODING=b:MAA=
CATEGORIES:a,b\\,c
NOTE:line\\nline
X-UNKNOWN;P=1:x
END:VCARD
""",
    b"""BEGIN:VCARD
VERSION:4.0
UID:urn:uuid:two
KIND:individual
N:Doe;John;;;
FN:John
TEL;VALUE=uri;TYPE=cell;PREF=1:tel:+1-2
IMPP:xmpp:a@b
PHOTO:data:image/jpeg;base64,/9j/4AAQSkZJRg==
GENDER:F
RELATED;VALUE=text;TYPE=spouse:Sue^nx
URL:https://x.example/
END:VCARD
""",
    b"""BEGIN:VCARD
VERSION:2.1
N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;=
Hans;;;
TEL;HOME;VOICE:1
LABEL;WORK;ENCODING=QUOTED-PRINTABLE:a=0D=0Ab
END:VCARD
""",
    b"""BEGIN:VCARD
VERSION:4.0
UID:list
KIND:group
FN:Friends
MEMBER:urn:uuid:one
MEMBER:mailto:c@x.example
X-ADDRESSBOOKSERVER-KIND:group
X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:two
END:VCARD
""",
)
PIECES: Final = [
    b"\n", b"\r\n ", b":", b";", b",", b'"', b"\\", b"=", b"^", b".", b"=\n", b"\xff", b"\0", b"\xe4", b"item1.", b";TYPE=",
    b";VALUE=uri", b";ENCODING=b", b";ENCODING=QUOTED-PRINTABLE", b";CHARSET=utf-7", b";PREF=0", b"data:,", b"mailto:",
    b"00000000", b"9999-99-99", b"EMAIL:", b"TEL:", b"ADR:", b"N:;;;;", b"FN:", b"MEMBER:", b"BEGIN:VCARD\n", b"END:VCARD\n",
    b"VERSION:2.1\n", b"VERSION:4.0\n", b"KIND:group\n", b"X-ABLabel:x\n", b"LOGO:AAAA\n", b"REV:x\n", b"ORG:",
]  # fmt: skip
SLOWEST: Final = 2.0
ANN: Final = Person("one", b"entry id of one", "Ann", ("a@x.example", "", ""), False, True)


@dataclass
class Book:
    """A collection with one contact."""

    people: list[Person] = field(default_factory=lambda: [ANN])

    def by_entryid(self, entryid: bytes) -> Person | None:
        return next((each for each in self.people if each.entryid == entryid), None)

    def by_uid(self, uid: str) -> Person | None:
        return next((each for each in self.people if each.uid == uid), None)


OPTIONS: Final = Options(members=Book())


def damaged(seed: int) -> bytes:
    """One of the cards with damage that a number decides."""
    dice = random.Random(seed)
    data = bytearray(dice.choice(SEEDS))
    for _ in range(dice.randint(1, 10)):
        place, length = dice.randint(0, len(data)), dice.randint(0, 30)
        kind = dice.randrange(4)
        if kind == 0:
            del data[place : place + length]
        elif kind == 1:
            data[place:place] = dice.choice(PIECES)
        elif kind == 2:
            lines = data.split(b"\n")
            lines.insert(dice.randrange(len(lines)), dice.choice(lines))
            data = bytearray(b"\n".join(lines))
        else:
            other = dice.choice(SEEDS)
            data[place:place] = other[dice.randint(0, len(other)) :][:length]
    return bytes(data)


def promises(data: bytes) -> None:
    """Everything that holds for any text."""
    began = time.process_time()
    try:
        content = from_vcard(data, None, OPTIONS)
    except ParseError:
        return
    for version in ("3.0", "4.0"):
        card = to_vcard(content, version, OPTIONS)
        again = from_vcard(card, content, OPTIONS)
        assert to_vcard(again, version, OPTIONS) == card
    assert time.process_time() - began < SLOWEST


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_damaged_cards(seed: int) -> None:
    promises(damaged(seed))


@settings(deadline=None)
@given(st.binary(max_size=300).map(lambda data: b"BEGIN:VCARD\n" + data + b"\nEND:VCARD"))
def test_any_octets(data: bytes) -> None:
    promises(data)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.binary(max_size=60))
def test_damaged_lists(seed: int, blob: bytes) -> None:
    dice = random.Random(seed)
    content = from_vcard(SEEDS[3], None, OPTIONS)
    for tag in (LIST_MEMBERS, LIST_ONE_OFFS):
        entries = [bytearray(each) for each in content.get(tag) or ()]
        for entry in entries:
            entry[dice.randrange(len(entry))] = dice.randrange(256)
        content.props[tag] = tuple(map(bytes, entries))
    if dice.random() < 0.5:
        content.props[LIST_STREAM] = b"\1\0" + bytes(10) + b"\2\0\0\0" + blob
    if dice.random() < 0.3:
        content.props[VCARD_RETAINED] = blob
    for version in ("3.0", "4.0"):
        to_vcard(content, version, OPTIONS)
    addresses_of_list(content, OPTIONS, lambda entryid: content)


@given(st.binary(max_size=200))
def test_any_retained_property(blob: bytes) -> None:
    for data in (blob, b"z" + blob):
        to_vcard(MessageContent({pr.PR_DISPLAY_NAME: "x", VCARD_RETAINED: data}))


@pytest.mark.parametrize(
    "line",
    [
        b"EMAIL:a@x.example",
        b"TEL;TYPE=" + b"a," * 20 + b":1",
        b"X-A" + b";B=c" * 50 + b":d",
        b"NOTE:" + b"\\n" * 100,
        b"N:" + b";" * 100,
        b"CATEGORIES:" + b"a\\,," * 30,
        b"item1.X-ABLabel:x",
        b"MEMBER:urn:uuid:x",
        b"PHOTO;ENCODING=b:" + b"A" * 60,
        b"LABEL;ENCODING=QUOTED-PRINTABLE:=",
    ],
)
@pytest.mark.parametrize("version", [b"2.1", b"3.0", b"4.0"])
def test_many_lines(line: bytes, version: bytes) -> None:
    """Time grows with the length only, whatever there is much of."""
    promises(b"BEGIN:VCARD\r\nVERSION:" + version + b"\r\n" + (line + b"\r\n") * 900 + b"END:VCARD\r\n")
