"""Body selection and charsets of mail that comes in: the cases BO01 to BO27."""

import pytest

from gateway.convert.mime import FromMimeOptions, bodystructure, from_mime, scan, section
from gateway.mapi import proptags as pr
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.props import NamedProps
from tests.convert.mime.samples import lines

HTML = "<html><body><p>Gr&uuml;&szlig;e</p></body></html>"


def text(data: str | bytes, *fields: str, kind: str = "text/plain") -> bytes:
    """One part: its fields, a blank line, its data."""
    return lines(f"Content-Type: {kind}", *fields, "") + (data.encode() if isinstance(data, str) else data)


def multipart(subtype: str, *parts: bytes, boundary: str = "b") -> bytes:
    """A multipart of parts."""
    kind = subtype if ";" in subtype else f"{subtype};"
    head = lines(f'Content-Type: multipart/{kind} boundary="{boundary}"', "")
    mark = f"--{boundary}".encode()
    return head + b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"


def names(content: MessageContent) -> list[str]:
    return [each.props[pr.PR_ATTACH_LONG_FILENAME] for each in content.attachments]


def hidden(attachment: AttachmentContent) -> bool:
    return bool(attachment.props[pr.PR_ATTACHMENT_HIDDEN])


PLAIN: list[tuple[str, bytes, str, int]] = [
    ("BO01", text("caf\xc3\xa9".encode("latin-1"), kind="text/plain; charset=utf-8"), "café", 65001),
    ("BO02", b"Subject: s\r\n\r\ncaf\xe9", "café", 1252),
    ("BO03", b"MIME-Version: 1.0\r\n\r\ncaf\xe9", "café", 1252),
    ("BO03-declared", text(b"caf\xe9", kind="text/plain; charset=us-ascii"), "café", 1252),
    ("BO03-utf-8", text(b"caf\xc3\xa9", kind="text/plain; charset=us-ascii"), "café", 65001),
    ("BO03-ascii", text(b"cafe", kind="text/plain; charset=us-ascii"), "cafe", 20127),
    ("BO04-lenient", text(b"cafe", kind="text/plain; charset=x-foo"), "cafe", 20127),
    ("BO05-semicolon", text(b"\xc3\xa9", kind="text/plain; charset=utf8;"), "é", 65001),
    ("BO05-blank", text(b"\xc3\xa9", kind='text/plain; charset="utf-8 "'), "é", 65001),
    ("BO05-upper", text(b"\xc3\xa9", kind="text/plain; CHARSET=UTF8"), "é", 65001),
    ("BO06", text("한".encode("cp949"), kind="text/plain; charset=ks_c_5601-1987"), "한", 949),
    ("BO07", text("ש".encode("iso8859-8"), kind="text/plain; charset=iso-8859-8-i"), "ש", 28598),
    (
        "BO20",
        text("Y2Fm w6k", "Content-Transfer-Encoding: base64", kind="text/plain; charset=utf-8"),
        "café",
        65001,
    ),
    (
        "BO21",
        text(
            "=C3=A9 =c3=a9=\r\n",
            "Content-Transfer-Encoding: quoted-printable",
            kind="text/plain; charset=utf-8",
        ),
        "é é",
        65001,
    ),
    ("BO22-word", lines("Content-Type: text", "", "x"), "x\r\n", 20127),
    ("BO22-slash", lines("Content-Type: text/", "", "x"), "x\r\n", 20127),
    ("BO22-missing", lines("Subject: s", "", "x"), "x\r\n", 20127),
    ("BO27", text("a \r\nb\r\n", kind="text/plain; format=flowed; delsp=yes"), "a \r\nb\r\n", 20127),
    ("latin-1-that-is-1252", text(b"\x80", kind="text/plain; charset=iso-8859-1"), "€", 1252),
    ("utf-16", text("é".encode("utf-16"), kind="text/plain; charset=utf-16"), "é", 65001),
]


@pytest.mark.parametrize(
    ("data", "body", "page"), [each[1:] for each in PLAIN], ids=[each[0] for each in PLAIN]
)
def test_plain_text(data: bytes, body: str, page: int) -> None:
    content = from_mime(data)
    assert (content.props[pr.PR_BODY], content.props[pr.PR_INTERNET_CPID]) == (body, page)
    assert pr.PR_HTML not in content.props
    assert content.props[pr.PR_NATIVE_BODY_INFO] == 1
    assert content.attachments == []


def test_bo02_the_default_is_configured() -> None:
    content = from_mime(b"Subject: \xe4\r\n\r\n\xe4", FromMimeOptions(default_charset="koi8-r"))
    assert (content.props[pr.PR_SUBJECT], content.props[pr.PR_BODY]) == ("Д", "Д")
    assert content.props[pr.PR_INTERNET_CPID] == 20866


def test_bo04_text_in_an_unknown_charset_is_kept_as_bytes() -> None:
    content = from_mime(text(b"caf\xe9", kind="text/plain; charset=x-foo"))
    (attachment,) = content.attachments
    assert attachment.data == b"caf\xe9"
    assert names(content) == ["unknown_content_type"]
    assert attachment.props[pr.PR_ATTACH_MIME_TAG] == "application/octet-stream"
    assert attachment.props[pr.PR_TEXT_ATTACHMENT_CHARSET] == "x-foo"


HTML_CASES: list[tuple[str, bytes, bytes, int]] = [
    (
        "BO08",
        text(b"<meta charset=utf-8>\xe9", kind="text/html; charset=iso-8859-1"),
        b"<meta charset=utf-8>\xe9",
        28591,
    ),
    (
        "BO09",
        text(
            b'<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">\xe4', kind="text/html"
        ),
        b'<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">\xe4',
        1251,
    ),
    ("neither", text(b"\xe9", kind="text/html"), b"\xe9", 1252),
    ("neither-utf-8", text(b"\xc3\xa9", kind="text/html"), b"\xc3\xa9", 65001),
    ("ascii", text(b"<p>", kind="text/html"), b"<p>", 20127),
    (
        "meta-after-failure",
        text(b"<meta charset=koi8-r>\xe4", kind="text/html; charset=utf-8"),
        b"<meta charset=koi8-r>\xe4",
        20866,
    ),
    ("unknown", text(b"\xc3\xa9", kind="text/html; charset=x-foo"), b"\xc3\xa9", 65001),
    ("no-code-page", text("é".encode("utf-16"), kind="text/html; charset=utf-16"), "é".encode(), 65001),
    (
        "shift-states",
        text("語".encode("iso2022_jp"), kind="text/html; charset=iso-2022-jp"),
        "語".encode(),
        65001,
    ),
    ("utf-7", text(b"+AOk-", kind="text/html; charset=utf-7"), "é".encode(), 65001),
    ("illegal", text(b"\xc3\xa9\xc3\xa9\xff", kind="text/html; charset=utf-8"), "éé\ufffd".encode(), 65001),
    ("nul", text(b"a\0b", kind="text/html; charset=utf-8"), b"ab", 65001),
    ("nul-latin-1", text(b"\xe4\0", kind="text/html; charset=iso-8859-1"), "ä".encode(), 65001),
    ("nul-unlabelled", text(b"\xe4\0", kind="text/html"), "ä".encode(), 65001),
    ("meta-utf-16", text(b"<meta charset=utf-16>x", kind="text/html"), b"<meta charset=utf-16>x", 20127),
    ("latin-1-that-is-1252", text(b"\x80", kind="text/html; charset=iso-8859-1"), b"\x80", 1252),
]


@pytest.mark.parametrize(
    ("data", "html", "page"), [each[1:] for each in HTML_CASES], ids=[each[0] for each in HTML_CASES]
)
def test_html(data: bytes, html: bytes, page: int) -> None:
    content = from_mime(data)
    assert (content.props[pr.PR_HTML], content.props[pr.PR_INTERNET_CPID]) == (html, page)
    assert content.props[pr.PR_NATIVE_BODY_INFO] == 3


def test_html_alone_gives_the_plain_text_too() -> None:
    assert from_mime(text(HTML, kind="text/html")).props[pr.PR_BODY].strip() == "Grüße"


ALTERNATIVES = (text("plain"), text(HTML, kind="text/html; charset=utf-8"))


@pytest.mark.parametrize("parts", [ALTERNATIVES, ALTERNATIVES[::-1]], ids=["BO10", "BO11"])
def test_alternative(parts: tuple[bytes, ...]) -> None:
    content = from_mime(multipart("alternative", *parts))
    assert content.props[pr.PR_BODY] == "plain"
    assert content.props[pr.PR_HTML] == HTML.encode()
    assert content.props[pr.PR_NATIVE_BODY_INFO] == 3
    assert content.attachments == []


CALENDAR = text("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n", kind="text/calendar; method=REQUEST")


def meeting(data: bytes, method: str) -> MessageContent | None:
    """A calendar converter that knows one meeting."""
    assert data.startswith(b"BEGIN:VCALENDAR")
    assert method == "REQUEST"
    props: NamedProps = {
        pr.PR_MESSAGE_CLASS: "IPM.Schedule.Meeting.Request",
        pr.PR_SUBJECT: "other",
        pr.PR_BODY: "description",
        pr.PR_OWNER_APPT_ID: 7,
        pr.PR_SENDER_NAME: "other",
    }
    return MessageContent(props, [{pr.PR_DISPLAY_NAME: "other"}])


def test_bo12_a_meeting_request_is_merged() -> None:
    data = lines("Subject: mine", "From: Me <me@x.example>", "To: you@x.example") + multipart(
        "alternative", *ALTERNATIVES, CALENDAR
    )
    content = from_mime(data, FromMimeOptions(calendar_content=meeting))
    props = content.props
    assert props[pr.PR_MESSAGE_CLASS] == "IPM.Schedule.Meeting.Request"
    assert (props[pr.PR_BODY], props[pr.PR_HTML]) == ("plain", HTML.encode())
    assert (props[pr.PR_SUBJECT], props[pr.PR_SENDER_NAME], props[pr.PR_OWNER_APPT_ID]) == ("mine", "Me", 7)
    assert [row[pr.PR_EMAIL_ADDRESS] for row in content.recipients] == ["you@x.example"]
    assert content.attachments == []


def test_a_calendar_without_other_body_gives_the_body() -> None:
    content = from_mime(CALENDAR, FromMimeOptions(calendar_content=meeting))
    assert content.props[pr.PR_BODY] == "description"
    assert content.props[pr.PR_SUBJECT] == "other"


@pytest.mark.parametrize(
    ("convert", "part"),
    [
        (None, CALENDAR),
        (lambda data, method: None, CALENDAR),
        (lambda data, method: MessageContent({pr.PR_MESSAGE_CLASS: "IPM.Appointment"}), CALENDAR),
        (meeting, CALENDAR.replace(b"\r\n\r\n", b"\r\nContent-Disposition: attachment\r\n\r\n", 1)),
    ],
    ids=["no-converter", "not-one-item", "no-meeting", "attached"],
)
def test_a_calendar_that_is_no_meeting_message_is_a_file(convert: object, part: bytes) -> None:
    options = FromMimeOptions(calendar_content=convert)  # type: ignore[arg-type]
    content = from_mime(multipart("mixed", text("plain"), part), options)
    assert content.props[pr.PR_MESSAGE_CLASS] == "IPM.Note"
    assert names(content) == ["attachment1.ics"]
    assert content.attachments[0].data == b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"


def test_a_file_that_is_in_the_calendar_and_beside_it_is_there_once() -> None:
    def with_files(data: bytes, method: str) -> MessageContent | None:
        found = meeting(data, method)
        assert found is not None
        for name, content in (("both.txt", b"same"), ("inside.txt", b"only here"), ("other.txt", b"one")):
            props: NamedProps = {pr.PR_ATTACH_METHOD: 1, pr.PR_ATTACH_LONG_FILENAME: name}
            found.attachments.append(AttachmentContent(props, content))
        return found

    def beside(name: str, data: str) -> bytes:
        return text(data, f'Content-Disposition: attachment; filename="{name}"', kind="application/x")

    mail = multipart("mixed", CALENDAR, beside("both.txt", "same"), beside("other.txt", "another"))
    content = from_mime(mail, FromMimeOptions(calendar_content=with_files))
    assert [(name, each.data) for name, each in zip(names(content), content.attachments, strict=True)] == [
        ("inside.txt", b"only here"), ("other.txt", b"one"), ("both.txt", b"same"), ("other.txt", b"another"),
    ]  # fmt: skip


def test_only_the_first_calendar_is_merged() -> None:
    content = from_mime(multipart("mixed", CALENDAR, CALENDAR), FromMimeOptions(calendar_content=meeting))
    assert content.props[pr.PR_MESSAGE_CLASS] == "IPM.Schedule.Meeting.Request"
    assert names(content) == ["attachment1.ics"]


def test_bo13_texts_of_mixed_are_joined() -> None:
    content = from_mime(multipart("mixed", text("one"), text("two\r\n"), text("three")))
    assert content.props[pr.PR_BODY] == "one\r\ntwo\r\nthree"
    assert content.attachments == []


def test_bo14_html_of_mixed_is_joined() -> None:
    content = from_mime(
        multipart(
            "mixed",
            text("<html><body><p>one</p></body></html>", kind="text/html"),
            text(b"%PDF", kind="application/pdf"),
            text(
                "<html><head><title>t</title></head><body><p>tw\xf6</p></body></html>".encode("latin-1"),
                kind="text/html; charset=iso-8859-1",
            ),
        )
    )
    html = content.props[pr.PR_HTML].decode()
    assert html == "<html><body><p>one</p><div><p>twö</p></div>\r\n</body></html>"
    assert content.props[pr.PR_INTERNET_CPID] == 65001
    assert content.props[pr.PR_BODY].split() == ["one", "twö"]
    assert names(content) == ["attachment1.pdf"]


def test_plain_text_around_html_is_put_into_it() -> None:
    content = from_mime(multipart("mixed", text("a < b"), text(HTML, kind="text/html"), text("footer")))
    html = content.props[pr.PR_HTML].decode()
    assert html.index("a &lt; b") < html.index("Gr&uuml;") < html.index("footer") < html.index("</body>")
    assert content.props[pr.PR_BODY].split() == ["a", "<", "b", "Grüße", "footer"]


def test_the_other_html_pieces_of_an_alternative() -> None:
    """As Apple Mail sends it: the plain text tells the whole, HTML surrounds an attachment."""
    rich = multipart(
        "mixed",
        text("<p>one</p>", kind="text/html"),
        text(b"%PDF", kind="application/pdf"),
        text("<p>two</p>", kind="text/html"),
        boundary="c",
    )
    content = from_mime(multipart("alternative", text("one two"), rich))
    assert content.props[pr.PR_BODY] == "one two"
    assert content.props[pr.PR_HTML] == b"<p>one</p><div><p>two</p></div>\r\n"
    assert names(content) == ["attachment1.pdf"]
    assert not hidden(content.attachments[0])


def test_other_forms_of_the_body_are_kept_out_of_sight() -> None:
    content = from_mime(
        multipart(
            "alternative",
            text("first"),
            text("<b>x", kind="text/enriched"),
            text("plain"),
            text(HTML, kind="text/html"),
        )
    )
    assert content.props[pr.PR_BODY] == "plain"
    assert [each.data for each in content.attachments] == [b"first", b"<b>x"]
    assert all(map(hidden, content.attachments))


IMAGE = text(b"PNG", "Content-ID: <i@x>", kind="image/png")
ROOT = text('<img src="cid:i@x">', "Content-ID: <root@x>", kind="text/html")


def test_bo15_related_begins_with_its_root() -> None:
    content = from_mime(multipart("related", ROOT, IMAGE))
    assert content.props[pr.PR_HTML] == b'<img src="cid:i@x">'
    assert [hidden(each) for each in content.attachments] == [True]


def test_bo16_related_names_its_root() -> None:
    content = from_mime(multipart('related; start="<root@x>";', IMAGE, ROOT))
    assert content.props[pr.PR_HTML] == b'<img src="cid:i@x">'
    assert [each.data for each in content.attachments] == [b"PNG"]


def test_related_with_the_root_at_the_end() -> None:
    assert from_mime(multipart("related", IMAGE, ROOT)).props[pr.PR_HTML] == b'<img src="cid:i@x">'


def test_html_beside_the_root_is_an_attachment() -> None:
    content = from_mime(multipart("related", ROOT, text("<p>frame", kind="text/html")))
    assert names(content) == ["attachment1.html"]


def test_bo17_attached_html_is_no_body() -> None:
    content = from_mime(text(HTML, "Content-Disposition: attachment", kind="text/html"))
    assert pr.PR_HTML not in content.props
    assert content.attachments[0].data == HTML.encode()


def test_bo18_octets_as_the_only_part() -> None:
    content = from_mime(text(b"\0\1", kind="application/octet-stream"))
    assert pr.PR_BODY not in content.props
    assert content.attachments[0].data == b"\0\1"


def test_bo19_unknown_transfer_encoding() -> None:
    content = from_mime(text("=E4", "Content-Transfer-Encoding: foo"))
    (attachment,) = content.attachments
    assert names(content) == ["unknown_transfer_encoding.bin"]
    assert attachment.data == b"=E4"
    assert attachment.props[pr.PR_ATTACH_MIME_TAG] == "application/octet-stream"


def test_bo23_boundary_missing() -> None:
    data = lines("Content-Type: multipart/mixed", "", "--b", "", "one", "--b--")
    assert from_mime(data).props[pr.PR_BODY] == "--b\r\n\r\none\r\n--b--\r\n"
    assert bodystructure(scan(data)).startswith(b'("text" "plain" ')


def test_bo24_closing_boundary_missing() -> None:
    data = multipart("mixed", text("one"), text("two"))[:-7]
    assert from_mime(data).props[pr.PR_BODY] == "one\r\ntwo\r\n"
    message = scan(data)
    assert len(section(message, (2,)) or b"") == message.children[1].size == 5


def test_bo25_deep_nesting() -> None:
    data = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(100)
    )
    content = from_mime(data + b"\r\nend")
    (attachment,) = content.attachments
    assert isinstance(attachment.data, bytes)
    assert attachment.data.endswith(b"end")


def test_a_named_text_after_the_body_is_a_file() -> None:
    content = from_mime(
        multipart("mixed", text("body"), text("diff", "Content-Disposition: inline; filename=a.patch"))
    )
    assert content.props[pr.PR_BODY] == "body"
    assert names(content) == ["a.patch"]
    named = from_mime(text("body", "Content-Disposition: inline; filename=a.txt"))
    assert named.props[pr.PR_BODY] == "body"


def test_no_header_but_text() -> None:
    content = from_mime(b"just text\r\nof two lines: yes\r\n\r\nand more")
    assert content.props[pr.PR_BODY] == "just text\r\nof two lines: yes\r\n\r\nand more"
    assert content.props[pr.PR_SUBJECT] == ""


def test_data_that_is_no_mail_is_kept_whole() -> None:
    data = bytes(range(256))
    content = from_mime(data)
    assert [each.data for each in content.attachments] == [data]
    assert pr.PR_BODY not in content.props


def test_an_empty_message() -> None:
    content = from_mime(b"")
    assert content.props[pr.PR_BODY] == ""
    assert content.props[pr.PR_MESSAGE_CLASS] == "IPM.Note"
    assert content.attachments == []
