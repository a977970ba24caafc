"""Mail out: delivery reports and read receipts (case MO10; RFC 3464, RFC 8098)."""

from __future__ import annotations

from email.message import Message
from typing import Any

import pytest

from gateway.mapi import proptags as pt
from tests.support.messages import attachment, embedded, note, parsed, person, recipient, shape


def _machine(content: Any) -> list[Message]:
    """The groups of fields of the part for programs; the library reads them all but one at a time."""
    part = parsed(content).get_payload(1)
    payload = part.get_payload()  # type: ignore[union-attr]
    return payload if isinstance(payload, list) else [payload]


def test_MO10_read_receipt() -> None:
    content = note(
        MESSAGE_CLASS="REPORT.IPM.Note.IPNRN",
        BODY="Your message was read.",
        ORIGINAL_MESSAGE_ID="<1@x.example>",
    )
    content.props.update(person("RCVD_REPRESENTING", "B", "b@x.example"))
    message = parsed(content)
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "disposition-notification"
    assert message["To"] == "B <b@x.example>"
    assert shape(message) == ("report", "text/plain", "message/disposition-notification")
    fields = _machine(content)[0]
    assert fields["Final-Recipient"] == "rfc822; a@x.example"
    assert fields["Original-Message-ID"] == "<1@x.example>"
    assert fields["Disposition"] == "manual-action/MDN-sent-manually; displayed"


@pytest.mark.parametrize(
    ("message_class", "stated", "expected"),
    [
        ("REPORT.IPM.Note.IPNNRN", "", "manual-action/MDN-sent-manually; deleted"),
        ("report.ipm.note.ipnrn", "automatic-action/MDN-sent-automatically; displayed", None),
        ("REPORT.IPM.Note.IPNRN", "free text", "manual-action/MDN-sent-manually; displayed"),
    ],
)
def test_dispositions(message_class: str, stated: str, expected: str | None) -> None:
    fields = _machine(note(MESSAGE_CLASS=message_class, REPORT_TEXT=stated))[0]
    assert fields["Disposition"] == (expected or stated)


def test_receipt_names_the_original_recipient_and_correlation() -> None:
    content = note(MESSAGE_CLASS="REPORT.IPM.Note.IPNRN", ORIGINAL_DISPLAY_TO="o@x.example", PARENT_KEY=b"key")
    fields = _machine(content)[0]
    assert fields["Final-Recipient"] == "rfc822; o@x.example"
    assert fields["X-MSExch-Correlation-Key"] == "a2V5"


def test_non_delivery_report() -> None:
    failed = recipient(
        "Jörg",
        "j@x.example",
        NDR_STATUS_CODE=511,
        DSN_REMOTE_MTA="mx.x.example",
        SUPPLEMENTARY_INFO="<mx #5.1.1>",
    )
    content = note(
        failed,
        recipient("k@x.example", "k@x.example"),
        MESSAGE_CLASS="REPORT.IPM.Note.NDR",
        BODY="It failed.",
        REPORTING_MTA="gw.x.example",
        TRANSPORT_MESSAGE_HEADERS="To: sender@x.example\r\n",
        attachments=[embedded(note(SUBJECT="original"))],
    )
    message = parsed(content)
    assert message["To"] == "sender@x.example"
    assert message.get_param("report-type") == "delivery-status"
    assert shape(message)[:2] == ("report", "text/plain")
    assert shape(message)[3] == ("rfc822", "text/plain")
    top, first, second = _machine(content)
    assert top["Reporting-MTA"] == "dns; gw.x.example"
    assert (first["Final-Recipient"], first["Action"], first["Status"]) == (
        "rfc822; j@x.example",
        "failed",
        "5.1.1",
    )
    assert (first["Remote-MTA"], first["Diagnostic-Code"]) == ("dns; mx.x.example", "smtp; <mx #5.1.1>")
    assert first["X-Display-Name"] == "=?utf-8?q?J=C3=B6rg?="
    assert (second["Status"], second["X-Display-Name"]) == ("5.0.0", None)


@pytest.mark.parametrize(
    ("ending", "action", "status"),
    [
        ("DR", "delivered", "2.0.0"),
        ("Expanded.DR", "expanded", "2.0.0"),
        ("Relayed.DR", "relayed", "2.0.0"),
        ("Delayed.DR", "delayed", "4.0.0"),
        ("NDR", "failed", "5.0.0"),
    ],
)
def test_actions_by_class(ending: str, action: str, status: str) -> None:
    content = note(recipient("B", "b@x.example"), MESSAGE_CLASS=f"REPORT.IPM.Note.{ending}")
    fields = _machine(content)[1]
    assert (fields["Action"], fields["Status"]) == (action, status)


def test_a_report_without_known_receiver_goes_to_nobody_not_to_its_recipients() -> None:
    content = note(recipient("B", "b@x.example"), MESSAGE_CLASS="REPORT.IPM.Note.NDR")
    assert parsed(content)["To"] == "undisclosed-recipients:;"


def test_other_report_classes_are_mails() -> None:
    content = note(MESSAGE_CLASS="REPORT.IPM.Note.Unknown", BODY="x", attachments=[attachment()])
    assert shape(parsed(content)) == ("mixed", "text/plain", "application/octet-stream")


def test_an_html_report_keeps_both_forms_in_its_first_part() -> None:
    content = note(MESSAGE_CLASS="REPORT.IPM.Note.NDR", BODY="b", HTML=b"<p>b")
    assert shape(parsed(content))[1] == ("alternative", "text/plain", "text/html")
    assert content.props[pt.PR_BODY] == "b"
