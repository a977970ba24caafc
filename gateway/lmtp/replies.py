"""Automatic answers: a template of the user's or the text of an absence, as a mail (MS-OXORULE 2.2.5.1.2.2, RFC 3834)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from enum import IntFlag
from hashlib import blake2b
from typing import Final

from gateway.convert.mime.tomime import ToMimeOptions, to_mime
from gateway.lmtp.forwards import one_line, recipient_row, sender_props
from gateway.lmtp.letter import Letter
from gateway.lmtp.mail import Incoming
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.errors import MapiError, NotFound
from gateway.mapi.props import NamedProps
from gateway.mapi.restrictions import Property, Relop
from gateway.mapi.rules import Reply
from gateway.mapi.tables import TableFlags
from gateway.mapiclient.calling import Caller
from gateway.mapiclient.message import load_message
from gateway.mapiclient.table import Table, rows_of
from gateway.smtp.person import Person


class ReplyFlavor(IntFlag):
    """How a rule answers."""

    NOT_TO_SENDER = 1
    """Only to the recipients of the template."""
    STOCK = 2
    """With a text of the server's own."""


_KEPT: Final = (pr.PR_BODY, pr.PR_HTML, pr.PR_RTF_COMPRESSED, pr.PR_INTERNET_CPID, pr.PR_SUBJECT)
_AUTOMATIC: Final = b"Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\n"
_USUAL_ID: Final = re.compile(r"<[!-;=?-~]{1,250}>")
_MOST_REFERENCES: Final = 20
_MOST_SUBJECT: Final = 400
_STOCK: Final = "Your mail was received. This is an automatic answer.\r\n"


async def template_of(session: Caller, inbox: bytes, action: Reply) -> MessageContent:
    """The template of an answer: the message that the rule names, or the one with its GUID (NotFound)."""
    if action.flavor & ReplyFlavor.STOCK:
        return MessageContent({pr.PR_BODY: _STOCK})
    if action.message:
        try:
            return (await load_message(session, action.message)).content
        except MapiError:  # a copy of the rules in another store: the GUID is the same there
            if not action.guid:
                raise
    wanted = Property(Relop.EQ, pr.PR_REPLY_TEMPLATE_ID, (pr.PR_REPLY_TEMPLATE_ID, action.guid))
    table = Table.contents(session, inbox, (pr.PR_ENTRYID,), restriction=wanted, flags=TableFlags.ASSOCIATED)
    rows = await rows_of(table) if action.guid else []
    if not rows:
        raise NotFound("the template of the answer is gone")
    return (await load_message(session, rows[0][pr.PR_ENTRYID])).content


def targets_of(action: Reply, template: MessageContent, mail: Incoming) -> list[str]:
    """Who gets the answer: the envelope's sender (RFC 3834 4) and whom the template names."""
    named = [row.get(pr.PR_SMTP_ADDRESS) or row.get(pr.PR_EMAIL_ADDRESS) for row in template.recipients]
    found = [str(address) for address in named if address and "@" in address]
    if not action.flavor & ReplyFlavor.NOT_TO_SENDER:
        found.insert(0, str(mail.sender))
    return list(dict.fromkeys(found))


def answer_from(
    template: MessageContent, letter: Letter, person: Person, targets: Sequence[str], *, now: int
) -> bytes:
    """The answer as a mail (RFC 3834 3.1); ``now`` is a FILETIME."""
    mail, about = letter.incoming, str(letter.content.get(pr.PR_SUBJECT) or "")
    props: NamedProps = {tag: template.props[tag] for tag in _KEPT if tag in template.props}
    subject = one_line(str(props.get(pr.PR_SUBJECT) or ""))
    props |= sender_props(person) | _threading(mail)
    props |= {
        pr.PR_MESSAGE_CLASS: "IPM.Note",
        pr.PR_SUBJECT: subject[:_MOST_SUBJECT] or f"Re: {one_line(about)}"[:_MOST_SUBJECT],
        pr.PR_CLIENT_SUBMIT_TIME: now,
    }
    message = replace(template, props=props, recipients=[recipient_row(target) for target in targets])
    identity = blake2b(f"{mail.message_id} {person.login} {targets} {now}".encode(), digest_size=16).digest()
    options = ToMimeOptions(identity=identity, own=True, domain=person.address.rpartition("@")[2])
    return _AUTOMATIC + to_mime(message, options).bytes()


def _threading(mail: Incoming) -> NamedProps:
    """What makes it an answer to this mail (RFC 5322 3.6.4)."""
    if not _USUAL_ID.fullmatch(mail.message_id):
        return {}
    references = " ".join((*mail.field("references").split()[-_MOST_REFERENCES:], mail.message_id))
    return {pr.PR_IN_REPLY_TO_ID: mail.message_id, pr.PR_INTERNET_REFERENCES: references[-4000:]}
