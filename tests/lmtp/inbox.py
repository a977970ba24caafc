"""What a user sets up in the store: rules of the Inbox, out of office; and what waits in the Outbox because of them."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.message import load_prop, save_new_message, set_props
from gateway.mapiclient.store import Store
from gateway.mapiclient.table import Table, rows_of
from gateway.mapiclient.wire.documents import encode_rows
from tests.lmtp.server import Server

HELLO = b"Message-ID: <1@example.org>\r\nFrom: Ann <ann@example.org>\r\nTo: %s@example.com\r\nSubject: hello\r\n\r\nHello.\r\n"


def rule(*actions: Any, condition: Any = None, state: int = 1, sequence: int = 0, name: str = "") -> list[Any]:
    """A row of the rules document."""
    row = [(pr.PR_RULE_SEQUENCE, sequence), (pr.PR_RULE_STATE, state), (pr.PR_RULE_ACTIONS, actions)]
    if name:
        row.append((pr.PR_RULE_NAME, name))
    return row if condition is None else [*row, (pr.PR_RULE_CONDITION, condition)]


def person(address: str, **more: Any) -> tuple[Any, ...]:
    """A recipient in an action."""
    row = {pr.PR_ADDRTYPE: "SMTP", pr.PR_EMAIL_ADDRESS: address} | {
        getattr(pr, name): value for name, value in more.items()
    }
    return tuple(row.items())


def set_up(server: Server, user: str, rules: Any = (), **store_props: Any) -> None:
    """Give a user rules, as rows, as octets, or made from the account; and properties of the store."""

    async def work(account: Any) -> None:
        store = await Store.default(account.session)
        inbox = await store.receive_folder()
        _, number = await load_props(account.session, inbox)
        rows = await rules(account) if callable(rules) else rules
        document = rows if isinstance(rows, bytes) else encode_rows(rows)
        await set_props(
            account.session,
            store.entryid,
            inbox,
            number,
            {pr.PR_RULES_DATA: document},
            object_type=ObjectType.FOLDER,
        )
        await store.set_props({getattr(pr, name): value for name, value in store_props.items()})

    server.mail.run(work, user)


def add_template(server: Server, user: str, content: MessageContent) -> bytes:
    """Put an associated message into the Inbox, as Outlook keeps templates; its entry id."""

    async def work(account: Any) -> bytes:
        store = await Store.default(account.session)
        inbox = await store.receive_folder()
        saved = await save_new_message(account.session, inbox, store.guid, content, associated=True)
        return saved.entryid

    return server.mail.run(work, user)


def queued_octets(server: Server, user: str) -> list[bytes]:
    """The mails in the Outbox as they will go out."""

    async def work(account: Any) -> list[bytes]:
        store = await Store.default(account.session)
        outbox = store.props[pr.PR_IPM_OUTBOX_ENTRYID]
        rows = await rows_of(Table.contents(account.session, outbox, (pr.PR_ENTRYID,)))
        return [await load_prop(account.session, row[pr.PR_ENTRYID], pr.PR_EC_IMAP_EMAIL) for row in rows]

    return server.mail.run(work, user)


def queued(server: Server, user: str) -> list[EmailMessage]:
    """The mails in the Outbox, in the order of their subjects."""
    mails = [message_from_bytes(data, policy=policy.default) for data in queued_octets(server, user)]
    return sorted(mails, key=lambda mail: (str(mail["Subject"]), str(mail["To"])))  # type: ignore[arg-type]


def property_of(server: Server, user: str, tag: int, folder: str = "INBOX") -> Any:
    """A property of the only message in a folder."""

    async def work(account: Any) -> Any:
        mailbox = await account.mailbox(folder)
        (row,) = await rows_of(Table.contents(account.session, mailbox.entryid, (pr.PR_ENTRYID, tag)))
        return row.get(tag)

    return server.mail.run(work, user)
