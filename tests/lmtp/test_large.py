"""Large mails: they go by files and become the same messages, and many at a time need no more memory than one."""

from __future__ import annotations

import base64
import random
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.mailbox.source import SpooledFile
from gateway.mailbox.uploads import Upload, content_of
from gateway.mapi import proptags as pr
from gateway.mapi.content import Blob, MessageContent
from gateway.mapiclient.message import load_message
from gateway.mapiclient.table import Table, rows_of
from tests.lmtp.server import Client, Server, stuffed

Connect = Callable[..., Client]
MAILS = sorted((Path(__file__).parents[1] / "data" / "mime").glob("*.eml"))
DATA = random.Random(1).randbytes(2_000_000)
LARGE = (
    b"From: Ann <ann@example.org>\r\nSubject: large\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\nContent-Type: application/octet-stream\r\n"
    b"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\n"
    + base64.encodebytes(DATA).replace(b"\n", b"\r\n") + b"--b--\r\n"
)  # fmt: skip


def in_file(data: bytes) -> Blob:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the Blob
    file.write(data)
    file.flush()
    return SpooledFile(file).blob()


def plain(content: MessageContent | None) -> Any:
    """The content with everything read."""
    if content is None:
        return None
    props = {key: value.read() if isinstance(value, Blob) else value for key, value in content.props.items()}
    attachments = [
        (each.props, each.data.read() if isinstance(each.data, Blob) else each.data, plain(each.embedded))
        for each in content.attachments
    ]
    return props, content.recipients, attachments


@pytest.mark.parametrize("path", [path for path in MAILS if path.stat().st_size], ids=lambda path: path.stem)
@pytest.mark.parametrize("verbatim", [True, False])
def test_a_mail_in_a_file_is_the_same_message(path: Path, verbatim: bool) -> None:
    mail = path.read_bytes()
    from_file = content_of(Upload(in_file(mail), verbatim=verbatim), 1)
    assert plain(from_file) == plain(content_of(Upload(mail, verbatim=verbatim), 1))


def test_the_attachments_of_a_mail_in_a_file_stay_in_files() -> None:
    content = content_of(Upload(in_file(LARGE), verbatim=True), 1)
    assert isinstance(content.props[pr.PR_EC_IMAP_EMAIL], Blob)
    (attachment,) = content.attachments
    assert isinstance(attachment.data, Blob)
    assert (attachment.data.size, attachment.data.read(), attachment.data.slice(9, 5)) == (
        2_000_000,
        DATA,
        DATA[9:14],
    )


def test_many_at_a_time(server: Server, connect: Connect) -> None:
    users = [server.new_user() for _ in range(4)]
    port = server.listen(server_options())
    clients = [Client(port) for _ in users]
    replies: list[list[str]] = []

    def deliver(client: Client, user: str) -> None:
        replies.append(client.deliver(LARGE, f"{user}@example.com"))

    threads = [threading.Thread(target=deliver, args=pair) for pair in zip(clients, users, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for client in clients:
        client.close()
    assert replies == [["250 2.1.5 delivered"]] * 4
    assert [server.mails(user) for user in users] == [[LARGE]] * 4
    assert attachment_of(server, users[0]) == DATA


def server_options() -> Any:
    from gateway.lmtp.options import Options

    return Options(memory=1_000_000, spool_above=10_000)


def attachment_of(server: Server, user: str) -> bytes:
    async def work(account: Any) -> bytes:
        inbox = await account.mailbox("INBOX")
        (row,) = await rows_of(Table.contents(account.session, inbox.entryid, (pr.PR_ENTRYID,)))
        (attachment,) = (await load_message(account.session, row[pr.PR_ENTRYID])).content.attachments
        return attachment.data.read() if isinstance(attachment.data, Blob) else attachment.data or b""

    return server.mail.run(work, user)


def test_a_size_that_is_announced_is_refused_before_the_mail_comes(
    server: Server, user: str, connect: Connect
) -> None:
    client = connect(max_message=100_000)
    client.ask("LHLO x")
    assert client.ask("MAIL FROM:<a@example.org> SIZE=100001").startswith("552 5.3.4")
    assert client.ask("MAIL FROM:<a@example.org> SIZE=100000").startswith("250")
    client.ask(f"RCPT TO:<{user}@example.com>")
    client.ask("DATA")
    client.send(stuffed(LARGE) + b".\r\n")  # and one that lied
    assert client.reply() == "552 5.3.4 the mail is too large"
    assert server.mails(user) == []
