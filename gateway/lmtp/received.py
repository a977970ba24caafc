"""What a delivered message says of its receiver (MS-OXOMSG 2.2.1; what Kopano's delivery agent writes)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.ids import search_key
from gateway.mapi.props import NamedProps
from gateway.smtp.person import Person

_TO: Final = 1
_CC: Final = 2
_BCC: Final = 3


def received_by(content: MessageContent, person: Person) -> MessageContent:
    """The message as this person's: a copy that shares recipients and attachments."""
    address = person.address or person.login
    key = search_key("ZARAFA" if person.address else "SMTP", address)
    entryid = person.props.get(pr.PR_ENTRYID) or b""
    props: NamedProps = {
        **content.props,
        pr.PR_RECEIVED_BY_NAME: person.name,
        pr.PR_RECEIVED_BY_ADDRTYPE: "ZARAFA",
        pr.PR_RECEIVED_BY_EMAIL_ADDRESS: person.login,
        pr.PR_RECEIVED_BY_ENTRYID: entryid,
        pr.PR_RECEIVED_BY_SEARCH_KEY: key,
        pr.PR_RCVD_REPRESENTING_NAME: person.name,
        pr.PR_RCVD_REPRESENTING_ADDRTYPE: "ZARAFA",
        pr.PR_RCVD_REPRESENTING_EMAIL_ADDRESS: person.login,
        pr.PR_RCVD_REPRESENTING_ENTRYID: entryid,
        pr.PR_RCVD_REPRESENTING_SEARCH_KEY: key,
    }
    kinds = kinds_of(content, person)
    props[pr.PR_MESSAGE_TO_ME] = _TO in kinds
    props[pr.PR_MESSAGE_CC_ME] = _CC in kinds
    props[pr.PR_EC_MESSAGE_BCC_ME] = _BCC in kinds
    props[pr.PR_MESSAGE_RECIP_ME] = bool(kinds)
    return replace(content, props=props)


def kinds_of(content: MessageContent, person: Person) -> set[int]:
    """As what the person is named in the header: To, Cc, Bcc."""
    mine = person.addresses
    found = set()
    for row in content.recipients:
        address = row.get(pr.PR_SMTP_ADDRESS) or row.get(pr.PR_EMAIL_ADDRESS) or ""
        if address.lower() in mine:
            found.add(row.get(pr.PR_RECIPIENT_TYPE, _TO) & 0xF)
    return found
