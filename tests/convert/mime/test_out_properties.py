"""Mail out: whatever the properties hold, the mail is well-formed and an independent parser finds the same in it."""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.convert.mime.tomime import ToMimeOptions, to_mime
from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.propnames import KEYWORDS

TEXT = (
    st.text(st.characters(codec="utf-8"), max_size=60)
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "",
            "a" * 1200,
            "ü" * 400,
            "a\r\nB: c",
            '"',
            "=?utf-8?q?x?=",
            "\x00",
            "<>",
            "@",
            "--=_x",
            " ",
            "日本 " * 50,
        ]
    )
)
ADDRESS = st.builds("{}@{}".format, TEXT, TEXT) | TEXT | st.emails()
STRINGS = [
    pt.PR_SUBJECT,
    pt.PR_BODY,
    pt.PR_INTERNET_MESSAGE_ID,
    pt.PR_INTERNET_REFERENCES,
    pt.PR_IN_REPLY_TO_ID,
    pt.PR_CONVERSATION_TOPIC,
    pt.PR_TRANSPORT_MESSAGE_HEADERS,
    pt.PR_SENDER_NAME,
    pt.PR_SENT_REPRESENTING_NAME,
    pt.PR_LIST_HELP,
    pt.PR_REPORT_TEXT,
    pt.PR_ORIGINAL_MESSAGE_ID,
]
ADDRESSES = [
    pt.PR_SENDER_EMAIL_ADDRESS,
    pt.PR_SENT_REPRESENTING_EMAIL_ADDRESS,
    pt.PR_RCVD_REPRESENTING_EMAIL_ADDRESS,
]
NUMBERS = [
    pt.PR_IMPORTANCE,
    pt.PR_SENSITIVITY,
    pt.PR_INTERNET_CPID,
    pt.PR_NATIVE_BODY_INFO,
    pt.PR_AUTO_RESPONSE_SUPPRESS,
]
TIMES = [pt.PR_CLIENT_SUBMIT_TIME, pt.PR_MESSAGE_DELIVERY_TIME, pt.PR_EXPIRY_TIME]
BINARIES = [
    pt.PR_HTML,
    pt.PR_RTF_COMPRESSED,
    pt.PR_CONVERSATION_INDEX,
    pt.PR_SEARCH_KEY,
    pt.PR_REPLY_RECIPIENT_ENTRIES,
]
CLASSES = st.sampled_from(
    [
        "IPM.Note",
        "IPM.Note.SMIME",
        "IPM.Note.SMIME.MultipartSigned",
        "REPORT.IPM.Note.NDR",
        "REPORT.IPM.Note.IPNRN",
        "IPM.Appointment",
    ]
)


def _some(tags: list[int], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[Any, Any]]:
    return st.dictionaries(st.sampled_from(tags), values, max_size=4)


PROPS = st.builds(
    lambda *parts: {key: value for part in parts for key, value in part.items()},
    _some(STRINGS, TEXT),
    _some(ADDRESSES, ADDRESS),
    _some(NUMBERS, st.sampled_from([0, 1, 2, 3, 932, 1200, 1252, 65001, 0xFFFFFFFF])),
    _some(TIMES, st.integers(0, 2**63 - 1)),
    _some(BINARIES, st.binary(max_size=100)),
    st.builds(lambda name: {pt.PR_MESSAGE_CLASS: name}, CLASSES),
    st.builds(lambda words: {KEYWORDS: tuple(words)}, st.lists(TEXT, max_size=3)),
)
ROWS = st.lists(
    st.builds(
        lambda kind, name, address, smtp: {
            pt.PR_RECIPIENT_TYPE: kind,
            pt.PR_DISPLAY_NAME: name,
            pt.PR_ADDRTYPE: smtp,
            pt.PR_EMAIL_ADDRESS: address,
        },
        st.sampled_from([0, 1, 2, 3]),
        TEXT,
        ADDRESS,
        st.sampled_from(["SMTP", "ZARAFA", "", "FAX"]),
    ),
    max_size=3,
)
FILE = st.builds(
    lambda name, tag, cid, data: AttachmentContent(
        {
            pt.PR_ATTACH_METHOD: 1,
            pt.PR_ATTACH_LONG_FILENAME: name,
            pt.PR_ATTACH_MIME_TAG: tag,
            pt.PR_ATTACH_CONTENT_ID: cid,
            pt.PR_ATTACHMENT_HIDDEN: bool(cid),
        },
        data,
    ),
    TEXT,
    st.sampled_from(["", "text/plain", "image/png", "multipart/signed", "message/rfc822", "a/b"]) | TEXT,
    TEXT,
    st.binary(max_size=200) | st.none(),
)


def _message(attachments: st.SearchStrategy[AttachmentContent]) -> st.SearchStrategy[MessageContent]:
    return st.builds(MessageContent, PROPS, ROWS, st.lists(attachments, max_size=3))


MESSAGES = _message(
    FILE
    | st.builds(
        lambda inner: AttachmentContent({pt.PR_ATTACH_METHOD: 5}, None, inner),
        _message(FILE),
    )
)
CHECKED = settings(deadline=None, suppress_health_check=list(HealthCheck))


@CHECKED
@given(MESSAGES, st.booleans())
def test_every_mail_is_well_formed(content: MessageContent, own: bool) -> None:
    mime = to_mime(content, ToMimeOptions(own=own, marks=own))
    octets = mime.bytes()
    assert mime.size == len(octets)
    assert octets == to_mime(content, ToMimeOptions(own=own, marks=own)).bytes()
    header = octets[: octets.index(b"\r\n\r\n") + 2]
    assert b"\r" not in header.replace(b"\r\n", b"")
    assert b"\n" not in header.replace(b"\r\n", b"")
    assert max(map(len, header.split(b"\r\n"))) <= 998
    for line in header.split(b"\r\n")[:-1]:
        name, colon, _ = line.partition(b":")
        assert line[:1] == b" " or line[:1] == b"\t" or (colon and name.isascii() and b" " not in name)
        assert line.strip()


@CHECKED
@given(MESSAGES)
def test_the_same_leaves_for_an_independent_parser(content: MessageContent) -> None:
    if "SMIME" in content.props[pt.PR_MESSAGE_CLASS]:
        content.props[pt.PR_MESSAGE_CLASS] = "IPM.Note"
    message = message_from_bytes(to_mime(content).bytes())
    assert not [part.defects for part in message.walk() if part.defects]
    expected = sorted(_data(content))
    assert sorted(_found(message)) == expected


def _data(content: MessageContent) -> list[bytes]:
    """The data of all attachments that can be sent, those of embedded messages too."""
    found = []
    for attachment in content.attachments:
        if attachment.embedded is not None:
            found += _data(attachment.embedded)
        elif attachment.data is not None:
            found.append(attachment.data)
    return found


def _found(message: Message) -> list[bytes]:
    """The decoded data of all parts that are attachments."""
    return [
        bytes(part.get_payload(decode=True))  # type: ignore[arg-type]
        for part in message.walk()
        if part.get_content_maintype() not in ("multipart", "message")
        and part["Content-Disposition"]
        and part["Content-Transfer-Encoding"] == "base64"
    ]
