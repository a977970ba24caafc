"""Whole mails: what becomes of them, and that reading what is written from it changes nothing."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from gateway.convert.mime import ToMimeOptions, from_mime, to_mime
from gateway.convert.mime.frommime import SMART_NO_ATTACH
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from tests.convert.mime.test_in_properties import TREES, Tokens, rendered

DATA = Path(__file__).resolve().parents[2] / "data" / "mime"
MAILS = sorted(DATA.glob("*.eml"))
SAME = ToMimeOptions(identity=b"same", own=True)


def read(name: str) -> MessageContent:
    return from_mime((DATA / f"{name}.eml").read_bytes())


def outline(content: MessageContent) -> list[str]:
    """The attachments by name, hidden ones in brackets, messages by subject."""
    found = []
    for each in content.attachments:
        name = each.props.get(pr.PR_ATTACH_LONG_FILENAME) or f"<{each.props[pr.PR_DISPLAY_NAME]}>"
        found.append(f"[{name}]" if each.props[pr.PR_ATTACHMENT_HIDDEN] else name)
    return found


def test_a_newsletter() -> None:
    content = read("newsletter")
    props = content.props
    assert props[pr.PR_SUBJECT] == "Grüße und mehr €"
    assert (props[pr.PR_SENDER_NAME], props[pr.PR_SENDER_EMAIL_ADDRESS]) == (
        "Neues aus Köln",
        "news@news.example",
    )
    assert props[pr.PR_REPLY_RECIPIENT_NAMES] == "Leser, Dienst; zwei@news.example"
    assert props[pr.PR_DISPLAY_TO] == "Müller, Käthe"
    assert props[pr.PR_BODY].startswith("Grüße,\r\neine lange Zeile")
    assert "weil sie so lang ist, dass sie weitergeht." in props[pr.PR_BODY]
    assert "Grüße" in props[pr.PR_HTML].decode()
    assert props[pr.PR_INTERNET_CPID] == 65001
    assert props[pr.PR_LIST_UNSUBSCRIBE] == "<https://news.example/u?1>, <mailto:u@news.example>"
    assert outline(content) == ["[logo.png]"]
    assert props[SMART_NO_ATTACH] is True


def test_text_in_pieces_around_a_file() -> None:
    content = read("pieces")
    assert content.props[pr.PR_BODY] == "one\r\ntwo\r\n"
    assert content.props[pr.PR_HTML] == b"<html><body>one<div>two</div>\r\n</body></html>"
    assert outline(content) == ["naïve.pdf"]
    assert [(row[pr.PR_RECIPIENT_TYPE], row[pr.PR_DISPLAY_NAME]) for row in content.recipients] == [
        (1, "b@x.example"),
        (1, 'C "D" E'),
        (2, "broken"),
        (2, "Ed (the) Editor"),
        (2, "root"),
    ]


def test_an_invitation_without_calendar_converter() -> None:
    content = read("invitation")
    assert content.props[pr.PR_MESSAGE_CLASS] == "IPM.Note"
    assert outline(content) == ["attachment1.ics", "invite.ics"]


def test_a_digest() -> None:
    content = read("digest")
    assert outline(content) == ["<one>", "<日本>", "footer.txt"]
    assert content.attachments[0].embedded is not None
    assert content.attachments[0].embedded.props[pr.PR_BODY] == "first\r\n"


def test_a_bounce() -> None:
    content = read("bounce")
    assert content.props[pr.PR_MESSAGE_CLASS] == "REPORT.IPM.Note.NDR"
    assert content.props[pr.PR_AUTO_RESPONSE_SUPPRESS] == 0x30
    assert outline(content) == ["<in>"]


def test_a_broken_mail() -> None:
    content = read("broken")
    props = content.props
    assert (props[pr.PR_SENDER_NAME], props[pr.PR_SENDER_EMAIL_ADDRESS]) == ("café", "c@x.example")
    assert props[pr.PR_SUBJECT].startswith("丂")
    assert "bare é" in props[pr.PR_BODY]
    assert "bare é" in props[pr.PR_HTML].decode()
    assert outline(content) == ["open", "unknown_transfer_encoding.bin", "<in>"]
    assert content.attachments[0].data == b"ABCABC"


@pytest.mark.parametrize("mail", MAILS, ids=[mail.stem for mail in MAILS])
def test_reading_is_a_function_of_the_bytes(mail: Path) -> None:
    data = mail.read_bytes()
    assert from_mime(data) == from_mime(data)


@pytest.mark.parametrize("mail", MAILS, ids=[mail.stem for mail in MAILS])
def test_a_round_trip_is_a_fixed_point(mail: Path) -> None:
    once = to_mime(from_mime(mail.read_bytes()), SAME).bytes()
    assert to_mime(from_mime(once), SAME).bytes() == once


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TREES)
def test_round_trips_of_any_structure(tree: tuple[object, ...]) -> None:
    once = to_mime(from_mime(b"Subject: outer\r\n" + rendered(tree, Tokens())), SAME).bytes()
    assert to_mime(from_mime(once), SAME).bytes() == once
