"""Mail out and in again: what was written reads back as content that gives the same mail."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings

from gateway.convert import rtf
from gateway.convert.mime import from_mime
from gateway.convert.mime.tomime import ToMimeOptions, to_mime
from gateway.mapi import proptags as pt
from gateway.mapi.content import MessageContent
from gateway.mapi.ids import OneOff, flat_entry_list, one_off_entryid
from gateway.mapi.propnames import KEYWORDS
from tests.convert.mime.test_out_properties import MESSAGES
from tests.support.messages import attachment, embedded, note, person, recipient

OWN = ToMimeOptions(identity=b"same", own=True, marks=True)
BOUNDARY = re.compile(rb"=_[0-9a-f]{30}")


def _mail(content: MessageContent) -> bytes:
    return to_mime(content, OWN).bytes()


def _inner() -> MessageContent:
    return note(
        recipient("C", "c@x.example"), SUBJECT="inner", BODY="x\r\n", INTERNET_MESSAGE_ID="<2@x.example>"
    )


PLAIN = {"BODY": "hello\r\n", "SUBJECT": "s", "INTERNET_MESSAGE_ID": "<1@x.example>"}
HTML = {**PLAIN, "HTML": b"<html><p>hello</p><img src='cid:1@x'></html>", "INTERNET_CPID": 65001}
CASES = {
    "plain": note(recipient("B", "b@x.example"), **PLAIN),
    "people": note(
        recipient("Jörg, Müller", "j@x.example"),
        recipient("c@x.example", "c@x.example", 2),
        recipient('"Q"', "q@x.example", 3),
        REPLY_RECIPIENT_ENTRIES=flat_entry_list([one_off_entryid(OneOff("R", "SMTP", "r@x.example"))]),
        **PLAIN,
    ),
    "html": note(recipient("B", "b@x.example"), **HTML),
    "inline": note(
        attachments=[
            attachment(
                b"png", MIME_TAG="image/png", LONG_FILENAME="i.png", CONTENT_ID="1@x", ATTACHMENT_HIDDEN=True
            ),
            attachment(b"pdf", MIME_TAG="application/pdf", LONG_FILENAME="ü.pdf"),
            attachment(b"txt", MIME_TAG="text/plain", LONG_FILENAME="a.txt", TEXT_ATTACHMENT_CHARSET="utf-8"),
        ],
        **HTML,
    ),
    "rtf": note(RTF_COMPRESSED=rtf.stored(rb"{\rtf1\ansi hello {\b you}}"), RTF_IN_SYNC=True, SUBJECT="s"),
    "embedded": note(attachments=[embedded(_inner(), DISPLAY_NAME="inner")], **PLAIN),
    "fields": note(
        IMPORTANCE=2,
        SENSITIVITY=3,
        READ_RECEIPT_REQUESTED=True,
        ORIGINATOR_DELIVERY_REPORT_REQUESTED=True,
        IN_REPLY_TO_ID="<0@x>",
        INTERNET_REFERENCES="<a@x> <0@x>",
        CONVERSATION_TOPIC="topic",
        CONVERSATION_INDEX=bytes.fromhex("01dd1366c4c7000102030405060708090a0b0c0d0e0f"),
        AUTO_RESPONSE_SUPPRESS=0x11,
        EXPIRY_TIME=0x01DD1366C4C7C000,
        LIST_HELP="<mailto:h@x>",
        **PLAIN,
    ),
    "non-delivery": note(
        recipient(
            "Jörg", "j@x.example", NDR_STATUS_CODE=511, DSN_REMOTE_MTA="mx.x", SUPPLEMENTARY_INFO="<mx #5.1.1>"
        ),
        MESSAGE_CLASS="REPORT.IPM.Note.NDR",
        REPORTING_MTA="gw.x.example",
        attachments=[embedded(_inner(), DISPLAY_NAME="inner")],
        **PLAIN,
    ),
    "receipt": note(
        MESSAGE_CLASS="REPORT.IPM.Note.IPNRN",
        ORIGINAL_MESSAGE_ID="<0@x.example>",
        ORIGINAL_DISPLAY_TO="o@x.example",
        PARENT_KEY=b"key",
        **PLAIN,
    ),
    "encrypted": note(
        MESSAGE_CLASS="IPM.Note.SMIME",
        INTERNET_MESSAGE_ID="<1@x>",
        attachments=[attachment(bytes(range(256)), MIME_TAG="application/x-pkcs7-mime")],
    ),
    "signed": note(
        MESSAGE_CLASS="IPM.Note.SMIME.MultipartSigned",
        INTERNET_MESSAGE_ID="<1@x>",
        attachments=[
            attachment(
                b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=s\r\n\r\n--s\r\n\r\nhi\r\n'
                b"--s\r\nContent-Type: application/pkcs7-signature\r\n\r\nx\r\n--s--\r\n",
                MIME_TAG="multipart/signed",
            )
        ],
    ),
}
CASES["people"].props.update(person("SENDER", "Secretary", "s@x.example"))
CASES["fields"].props[KEYWORDS] = ("red", "grün")


@pytest.mark.parametrize("name", CASES)
def test_the_second_mail_is_the_first(name: str) -> None:
    first = _mail(CASES[name])
    assert _mail(from_mime(first)) == first


@pytest.mark.parametrize("name", ["people", "html", "inline", "embedded", "fields", "non-delivery", "receipt"])
def test_the_content_comes_back(name: str) -> None:
    content, found = CASES[name], from_mime(_mail(CASES[name]))
    for tag, value in content.props.items():
        if tag not in (pt.PR_SEARCH_KEY, pt.PR_REPLY_RECIPIENT_ENTRIES, pt.PR_INTERNET_CPID):
            assert found.props.get(tag) == value, hex(tag) if isinstance(tag, int) else tag
    for row, other in zip(content.recipients, found.recipients, strict=True):
        assert {tag: other.get(tag) for tag in row} == row
    for mine, other_one in zip(content.attachments, found.attachments, strict=True):
        assert other_one.data == mine.data
        assert {tag: other_one.props.get(tag) for tag in mine.props} == mine.props


def _status(*fields: str) -> bytes:
    head = (
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n"
    )
    told = "Reporting-MTA: dns; mx.x\r\n\r\nFinal-Recipient: rfc822;a@x\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    machine = "Content-Type: message/delivery-status\r\n\r\n" + told + "\r\n".join(fields)
    return (head + machine + "\r\n--b--\r\n").encode("latin-1")


def _receipt(*fields: str) -> bytes:
    return (
        _status()
        .replace(b"delivery-status", b"disposition-notification")
        .replace(b"Action: failed", "\r\n".join(["Disposition: a/b; displayed", *fields]).encode())
    )


@pytest.mark.parametrize(
    "mail",
    [
        _status("Remote-MTA: dns; unix; mx.x"),
        _status("Remote-MTA: mx.x: dns; mx.y"),
        _status("Remote-MTA: dns;"),
        _receipt("Original-Message-ID: <1@x; charset=y>"),
        _receipt("Original-Message-ID: two words"),
        b"Content-Type: text/x-a; charset=\"\xff;x\"\r\n\r\nx",
        b'Reply-To: a <"b>, c"@x.example:y>\r\n\r\nx',
        b'Reply-To: <"a (b) c"@x.example>\r\n\r\nx',
        b"To: <a@[IPv6:::1]>, <a@b:c>, <a@[b]c>\r\n\r\nx",
        b"Message-ID: < >\r\n\r\nx",
        b"Subject: =?utf-8?Q?=06?=\r\n\r\nx",
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + ("\xe4" + "a" * 70).encode(),
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "äaaaaa".encode() * 10,
        b"Received: from a  b\tc" + b"d " * 90 + b"\r\n  (\xe4)\r\nFrom: a@x\r\n\r\nx",
        b"Received: x; =?utf-8?Q?Tue,_14_Jul_2026_10:00:00_+0200?=\r\n\r\nx",
    ],
    ids=[
        "two-types", "a-type-inside", "no-name", "blanks-in-id", "no-id", "no-charset", "bracket-in-quotes",
        "comment-in-quotes", "domains", "empty-id", "control-subject", "full-line", "encoding", "blanks", "encoded-date",
    ],
)  # fmt: skip
def test_a_damaged_mail_settles_at_once(mail: bytes) -> None:
    first = _mail(from_mime(mail))
    assert _mail(from_mime(first)) == first


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(MESSAGES)
def test_any_content_settles_after_one_round(content: MessageContent) -> None:
    settled = _mail(from_mime(_mail(content)))
    assert _mail(from_mime(settled)) == settled
