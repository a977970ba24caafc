"""ENVELOPE and BODYSTRUCTURE, read back by an IMAP client's parser."""

import email.utils
from typing import Any

import pytest
from imapclient.response_parser import parse_fetch_response

from gateway.convert.mime import body, bodystructure, envelope, scan
from tests.convert.mime.samples import S1, lines

FIELDS = ("date", "subject", "from", "sender", "reply-to", "to", "cc", "bcc", "in-reply-to", "message-id")


def parsed(*rows: str | bytes) -> dict[str, Any]:
    """The ENVELOPE of a header as a client reads it, by field."""
    rendered = envelope(scan(lines(*rows, "", "x")))
    assert rendered.isascii()
    assert b"\r" not in rendered
    assert b"\n" not in rendered
    items = parse_raw(rendered)
    assert len(items) == 10
    return dict(zip(FIELDS, items, strict=True))


def parse_raw(value: bytes) -> Any:
    """A parenthesised value as imapclient reads it."""
    return parse_fetch_response([b"1 (UID 1 X-VALUE " + value + b")"])[1][b"X-VALUE"]


def test_of_the_sample() -> None:
    assert envelope(scan(S1)) == (
        b'("Tue, 14 Jul 2026 10:00:00 +0200" "t" ((NIL NIL "a" "x.example")) ((NIL NIL "a" "x.example"))'
        b' ((NIL NIL "a" "x.example")) ((NIL NIL "b" "x.example")) NIL NIL NIL "<1@x.example>")'
    )


def test_of_nothing() -> None:
    assert envelope(scan(b"")) == b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"


def test_im17_quotes_and_backslashes() -> None:
    found = parsed('From: "a \\"b\\" \\\\c" <x@y.example>', 'Subject: say "hi" \\o/')
    assert found["from"] == ((b'a "b" \\c', None, b"x", b"y.example"),)
    assert found["subject"] == b'say "hi" \\o/'


def test_im18_raw_8_bit_is_encoded() -> None:
    found = parsed(b"Subject: caf\xe9", b"From: caf\xc3\xa9 <a@x.example>")
    assert found["subject"] == b"=?utf-8?B?Y2Fmw6k=?="
    assert found["from"][0][0] == b"=?utf-8?B?Y2Fmw6k=?="


def test_long_8_bit_text_becomes_several_encoded_words() -> None:
    subject = parsed("Subject: " + "ü" * 100)["subject"]
    assert all(len(word) <= 75 for word in subject.split(b" "))
    decoded = email.header.make_header(email.header.decode_header(subject.decode()))
    assert str(decoded) == "ü" * 100


def test_8_bit_addresses() -> None:
    assert parsed("To: ü@ü.example")["to"] == ((None, None, b"=?utf-8?B?w7w=?=", b"xn--tda.example"),)


def test_controls_are_dropped() -> None:
    assert parsed(b"Subject: a\0b\x07c\rd\te")["subject"] == b"abcd e"


def test_im19_groups() -> None:
    found = parsed("To: team: a@x.example, Bob <b@x.example>;, c@x.example", "Cc: undisclosed-recipients:;")
    assert found["to"] == (
        (None, None, b"team", None),
        (None, None, b"a", b"x.example"),
        (b"Bob", None, b"b", b"x.example"),
        (None, None, None, None),
        (None, None, b"c", b"x.example"),
    )
    assert found["cc"] == ((None, None, b"undisclosed-recipients", None), (None, None, None, None))


def test_ml15_the_first_subject_counts() -> None:
    assert parsed("Subject: a", "Subject: b")["subject"] == b"a"


def test_ml16_no_subject() -> None:
    assert parsed("From: a@x.example")["subject"] is None
    assert parsed("Subject:")["subject"] == b""


@pytest.mark.parametrize("value", ["<>", "<[abc]@x>", "garbage"])
def test_ml25_ml26_message_id_is_verbatim(value: str) -> None:
    assert parsed(f"Message-ID: {value}")["message-id"] == value.encode()


def test_ml34_a_date_is_not_invented() -> None:
    assert parsed("Date: garbage")["date"] == b"garbage"
    assert parsed("Subject: x")["date"] is None


def test_sender_and_reply_to_default_to_from() -> None:
    found = parsed("From: a@x.example", "Reply-To:", "Sender: <>")
    assert found["sender"] == found["reply-to"] == found["from"] == ((None, None, b"a", b"x.example"),)


def test_repeated_address_fields_are_joined() -> None:
    assert len(parsed("To: a@x.example", "To: b@x.example")["to"]) == 2


def test_encoded_words_stay() -> None:
    assert (
        parsed("Subject: =?utf-8?Q?=C3=A4?=\r\n =?utf-8?Q?b?=")["subject"]
        == b"=?utf-8?Q?=C3=A4?= =?utf-8?Q?b?="
    )


def test_an_address_without_domain_has_an_empty_host() -> None:
    assert parsed("From: root")["from"] == ((None, None, b"root", b""),)


def test_im08_bodystructure_of_the_sample() -> None:
    inner = b'NIL "in" ' + b'((NIL NIL "b" "x.example")) ' * 3 + b"NIL NIL NIL NIL NIL"
    assert bodystructure(scan(S1)) == (
        b'(("text" "plain" ("charset" "utf-8") NIL NIL "quoted-printable" 12 1 NIL NIL NIL NIL)'
        b'("message" "rfc822" NIL NIL NIL "7bit" 38 (' + inner + b")"
        b' ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 1 NIL NIL NIL NIL) 4 NIL NIL NIL NIL)'
        b' "mixed" ("boundary" "b1") NIL NIL NIL)'
    )


def test_body_of_the_sample_has_no_extension_data() -> None:
    assert body(scan(S1)).startswith(
        b'(("text" "plain" ("charset" "utf-8") NIL NIL "quoted-printable" 12 1)("message"'
    )
    assert body(scan(S1)).endswith(b' "7bit" 4 1) 4) "mixed")')


def test_im09_defaults() -> None:
    assert (
        bodystructure(scan(b""))
        == b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)'
    )


@pytest.mark.parametrize("rest", ["", "; boundary=b", "; boundary=absent"])
def test_im10_a_multipart_without_parts_is_one_text(rest: str) -> None:
    raw = lines(f"Content-Type: multipart/mixed{rest}", "", "x")
    assert bodystructure(scan(raw)).startswith(b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 1 ')


def test_every_field_of_bodystructure() -> None:
    raw = lines(
        'Content-Type: IMAGE/Png; Name="a \\"b\\".png"; x=1',
        "Content-Transfer-Encoding: BASE64",
        "Content-ID: <i@x>",
        "Content-Description: =?utf-8?Q?=C3=A4?=",
        "Content-MD5: Q2hlY2s=",
        "Content-Disposition: attachment; filename*=utf-8''na%C3%AFve.png; size=3",
        "Content-Language: en, de",
        "Content-Location: http://x.example/i",
        "",
        "AAAA",
    )
    assert bodystructure(scan(raw)) == (
        b'("image" "png" ("name" "a \\"b\\".png" "x" "1") "<i@x>" "=?utf-8?Q?=C3=A4?=" "base64" 6 "Q2hlY2s="'
        b' ("attachment" ("filename*" "utf-8\'\'na%C3%AFve.png" "size" "3")) ("en" "de") "http://x.example/i")'
    )


def test_a_raw_8_bit_file_name_is_encoded() -> None:
    rendered = bodystructure(scan(b'Content-Type: a/b; name="caf\xe9"\r\n\r\n'))
    assert rendered == b'("a" "b" ("name" "=?utf-8?B?Y2Fmw6k=?=") NIL NIL "7bit" 0 NIL NIL NIL NIL)'


def test_a_client_reads_the_structure() -> None:
    response = parse_fetch_response([b"1 (UID 1 BODYSTRUCTURE " + bodystructure(scan(S1)) + b")"])
    structure = response[1][b"BODYSTRUCTURE"]
    assert structure.is_multipart
    assert [part[1] for part in structure[0]] == [b"plain", b"rfc822"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('name*0="long "; name*1=name.pdf', '"name" "long name.pdf"'),
        ("name*0*=utf-8''na%C3%AFve; name*1=\" 100%.pdf\"", '"name*" "utf-8\'\'na%C3%AFve%20100%25.pdf"'),
        ("name*1=b; x=y; name*0=a", '"name" "ab" "x" "y"'),
        ("name*0=a; name*1*=%C3%AF", '"name*" "\'\'a%C3%AF"'),
        ("name*0=a; name*2=c", '"name" "a" "name*2" "c"'),
        ("name*1=b", '"name*1" "b"'),
        ("name=plain; name*=utf-8''x", '"name" "plain" "name*" "utf-8\'\'x"'),
        ("name*0=a; name*0=b", '"name" "a"'),
    ],
)
def test_parameters_in_pieces_are_put_together(written: str, told: str) -> None:
    """RFC 2231 section 6 demands it of IMAP servers."""
    rendered = bodystructure(scan(f"Content-Type: a/b; {written}\r\n\r\n".encode()))
    assert rendered.startswith(f'("a" "b" ({told}) '.encode())
