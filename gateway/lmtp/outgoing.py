"""Mail that delivery itself sends: put into the user's Outbox and the store's outgoing queue, where it is safe.

Whoever empties that queue (our own submission, or Kopano's spooler) sends it. `RETURN_PATH` tells ours that the
stored original is to go out as it is, and with which envelope sender.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway.lmtp.forwards import recipient_row, sender_props
from gateway.lmtp.recipients import Maildrop, store_guid
from gateway.mailbox.runtime import Runtime
from gateway.mailbox.uploads import Upload, content_of
from gateway.mapi import proptags as pr
from gateway.mapi.errors import NotFound
from gateway.mapi.propnames import RETURN_PATH
from gateway.mapi.props import NamedProps, Prop
from gateway.mapiclient import directory
from gateway.mapiclient.message import save_new_message
from gateway.mapiclient.wire.calls_object import SubmitMessage
from gateway.smtp.person import Person
from gateway.smtp.seal import sealed

_UNSENT_READ = 9
_MASTER = 1


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
            content.recipients = [recipient_row(address) for address in recipients]
            for tag in (pr.PR_DISPLAY_TO, pr.PR_DISPLAY_CC, pr.PR_DISPLAY_BCC):
                content.props.pop(tag, None)
        outbox = maildrop.store.props.get(pr.PR_IPM_OUTBOX_ENTRYID)
        if not outbox:
            raise NotFound("the store has no Outbox")
        now = self._runtime.filetime()
        props: NamedProps = {
            **content.props,
            **sender_props(person, author=False),
            pr.PR_MESSAGE_FLAGS: _UNSENT_READ,
            pr.PR_CLIENT_SUBMIT_TIME: now,
            pr.PR_SUBMIT_FLAGS: 0,
            pr.PR_DELETE_AFTER_SUBMIT: True,
            RETURN_PATH: sealed(self._key, sender, mail),
        }
        content = replace(content, props=props)
        saved = await save_new_message(maildrop.session, outbox, store_guid(outbox), content)
        await maildrop.session.call(SubmitMessage(entryid=saved.entryid, flags=_MASTER))


async def address_of(maildrop: Maildrop, row: Sequence[Prop]) -> str:
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
