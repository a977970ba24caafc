"""Mailbox names in modified UTF-7 and UTF-8."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.imap.codec.errors import ParseError
from gateway.imap.codec.mailboxname import decode_name, decode_utf7, encode_name, encode_utf7


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("Sent", b"Sent"),
        ("R&D", b"R&-D"),
        ("&", b"&-"),
        ("&&", b"&-&-"),
        ("Entwürfe", b"Entw&APw-rfe"),
        ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("\U0001f4e7", b"&2D3c5w-"),
        ("a\tb", b"a&AAk-b"),
        ("üü", b"&APwA,A-"),
    ],
)
def test_modified_utf7(name: str, wire: bytes) -> None:
    assert encode_utf7(name) == wire
    assert decode_utf7(wire) == name


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        (b"R&D", "R&D"),
        (b"a&", "a&"),
        (b"Entw\xc3\xbcrfe", "Entwürfe"),
        (b"&AGE-", "a"),
        (b"&2D0-", "&2D0-"),
        (b"&A-", "&A-"),
    ],
)
def test_what_is_no_shift_sequence_stands_for_itself(wire: bytes, name: str) -> None:
    assert decode_utf7(wire) == name


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_names_come_back(name: str) -> None:
    assert decode_utf7(encode_utf7(name)) == name


@given(st.binary(max_size=60), st.booleans())
def test_any_octets_are_a_name_or_an_error(raw: bytes, utf8: bool) -> None:
    try:
        name = decode_name(raw, utf8=utf8)
    except ParseError:
        return
    assert decode_name(encode_name(name, utf8=utf8), utf8=utf8) == name


@pytest.mark.parametrize(
    ("wire", "name"), [(b"inbox", "INBOX"), (b"Inbox/x", "INBOX/x"), (b"Inboxes", "Inboxes")]
)
def test_inbox_has_one_spelling(wire: bytes, name: str) -> None:
    assert decode_name(wire, utf8=True) == name


def test_after_enable_an_ampersand_is_an_ampersand() -> None:
    assert decode_name(b"Entw&APw-rfe", utf8=True) == "Entw&APw-rfe"
