"""Mail that delivery itself sends: put into the user's Outbox and the store's outgoing queue, where it is safe.

Whoever empties that queue (our own submission, or Kopano's spooler) sends it. `RETURN_PATH` tells ours that the
stored original is to go out as it is, and with which envelope sender.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from email.header import Header
from hashlib import blake2b

from gateway.lmtp.mail import Incoming
from gateway.lmtp.recipients import Maildrop, store_guid
from gateway.mailbox.runtime import Runtime
from gateway.mailbox.uploads import Upload, content_of
from gateway.mapi import proptags as pr
from gateway.mapi.content import Blob, MessageContent
from gateway.mapi.errors import NotFound
from gateway.mapi.ids import OneOff, one_off_entryid, search_key
from gateway.mapi.propnames import RETURN_PATH
from gateway.mapi.props import NamedProps, Prop
from gateway.mapi.rules import Forward, ForwardFlavor
from gateway.mapiclient import directory
from gateway.mapiclient.message import save_new_message
from gateway.mapiclient.wire.calls_object import SubmitMessage
from gateway.smtp.person import Person
from gateway.smtp.seal import sealed

_UNSENT_READ = 9
_MASTER = 1
_MOST_TARGETS = 100


class Outgoing:
    """Sends for a user."""

    def __init__(self, runtime: Runtime, key: bytes) -> None:
        self._runtime = runtime
        self._key = key

    async def send(
        self,
        maildrop: Maildrop,
        person: Person,
        mail: bytes,
        *,
        sender: str,
        recipients: Sequence[str] = (),
    ) -> None:
        """Send a mail as it is: to the recipients of the envelope, or else those of its header."""
        upload = Upload(mail, verbatim=True)
        content = await self._runtime.compute(len(mail), lambda: content_of(upload, self._runtime.filetime()))
        if recipients:
            content.recipients = [_recipient(address) for address in recipients]
            for tag in (pr.PR_DISPLAY_TO, pr.PR_DISPLAY_CC, pr.PR_DISPLAY_BCC):
                content.props.pop(tag, None)
        outbox = maildrop.store.props.get(pr.PR_IPM_OUTBOX_ENTRYID)
        if not outbox:
            raise NotFound("the store has no Outbox")
        now = self._runtime.filetime()
        props: NamedProps = {
            **content.props,
            **_sender(person),
            pr.PR_MESSAGE_FLAGS: _UNSENT_READ,
            pr.PR_CLIENT_SUBMIT_TIME: now,
            pr.PR_SUBMIT_FLAGS: 0,
            pr.PR_DELETE_AFTER_SUBMIT: True,
            RETURN_PATH: sealed(self._key, sender, mail),
        }
        content = replace(content, props=props)
        saved = await save_new_message(maildrop.session, outbox, store_guid(outbox), content)
        await maildrop.session.call(SubmitMessage(entryid=saved.entryid, flags=_MASTER))

    async def forward(
        self, maildrop: Maildrop, person: Person, mail: Incoming, content: MessageContent, action: Forward
    ) -> None:
        """Forward or redirect a mail as a rule says."""
        targets = [target for row in action.recipients if (target := await _address(maildrop, row))]
        targets = [target for target in targets if target.lower() not in person.addresses][:_MOST_TARGETS]
        if not targets or not person.address or mail.loops(mail.sender, 100):
            return
        if person.address.lower() in (text.strip("<> ").lower() for text in mail.fields.get("x-loop", ())):
            return  # we forwarded it before
        data = mail.data.read() if isinstance(mail.data, Blob) else mail.data
        if action.flavor & (ForwardFlavor.PRESERVE_SENDER | ForwardFlavor.DO_NOT_MUNGE):
            head = f"X-Loop: {person.address}\r\nResent-From: <{person.address}>\r\n"
            # The bounce comes to whoever forwards (RFC 5321 3.9.2): the first sender cannot do anything about it.
            await self.send(maildrop, person, head.encode() + data, sender=person.address, recipients=targets)
            return
        await self.send(
            maildrop,
            person,
            _as_attachment(person, targets, str(content.props.get(pr.PR_SUBJECT) or ""), data),
            sender=person.address,
            recipients=targets,
        )


def _as_attachment(person: Person, targets: Sequence[str], subject: str, data: bytes) -> bytes:
    """A mail with another attached, untouched (RFC 2046 5.2.1)."""
    boundary = f"=_forward_{blake2b(data, digest_size=12).hexdigest()}"
    title = " ".join(subject.split())
    encoded = _encoded(f"FW: {title}"[:400])
    head = (
        f"From: <{person.address}>\r\nTo: {', '.join(f'<{target}>' for target in targets)}\r\n"
        f"Subject: {encoded}\r\nX-Loop: {person.address}\r\nAuto-Submitted: auto-forwarded\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'
        f"--{boundary}\r\nContent-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n"
    )
    return head.encode() + data + f"\r\n--{boundary}--\r\n".encode()


def _encoded(text: str) -> str:
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=70).encode(linesep="\r\n")


def _sender(person: Person) -> NamedProps:
    entryid = person.props.get(pr.PR_ENTRYID) or one_off_entryid(OneOff(person.name, "SMTP", person.address))
    return {
        pr.PR_SENDER_NAME: person.name,
        pr.PR_SENDER_ADDRTYPE: "SMTP",
        pr.PR_SENDER_EMAIL_ADDRESS: person.address,
        pr.PR_SENDER_ENTRYID: entryid,
        pr.PR_SENDER_SEARCH_KEY: search_key("SMTP", person.address),
    }


def _recipient(address: str) -> NamedProps:
    return {
        pr.PR_RECIPIENT_TYPE: 1,
        pr.PR_DISPLAY_NAME: address,
        pr.PR_ADDRTYPE: "SMTP",
        pr.PR_EMAIL_ADDRESS: address,
        pr.PR_SMTP_ADDRESS: address,
        pr.PR_ENTRYID: one_off_entryid(OneOff(address, "SMTP", address)),
        pr.PR_SEARCH_KEY: search_key("SMTP", address),
    }


async def _address(maildrop: Maildrop, row: Sequence[Prop]) -> str:
    """The mail address of a rule's recipient, from the row or from the address book."""
    props = {tag | 1 if tag & 0xFFFF == 0x1E else tag: value for tag, value in row}
    smtp = props.get(pr.PR_SMTP_ADDRESS)
    if smtp:
        return str(smtp)
    if (props.get(pr.PR_ADDRTYPE) or "SMTP") == "SMTP":
        return str(props.get(pr.PR_EMAIL_ADDRESS) or "")
    entryid = props.get(pr.PR_ENTRYID)
    if not entryid:
        return ""
    try:
        found = await directory.details(maildrop.session, entryid)
    except NotFound:
        return ""
    return str(found.get(pr.PR_SMTP_ADDRESS) or "")
