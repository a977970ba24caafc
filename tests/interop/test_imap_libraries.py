"""IMAPClient and aioimaplib: the libraries that programs in Python speak IMAP with; aioimaplib waits in IDLE."""

from __future__ import annotations

import asyncio
import imaplib
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aioimaplib import IMAP4
from imapclient import IMAPClient

from tests.interop.mails import mail
from tests.support.gateway import GatewayProcess
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.interop


@pytest.fixture(params=["clear", "tls"])
def client(request: pytest.FixtureRequest, gateway: GatewayProcess, user: str) -> Iterator[IMAPClient]:
    """IMAPClient, logged in."""
    if request.param == "tls":
        context = ssl.create_default_context(cafile=gateway.certificate)
        made = IMAPClient("localhost", gateway.port("imaps"), ssl=True, ssl_context=context, timeout=PATIENCE)
    else:
        made = IMAPClient("127.0.0.1", gateway.port("imap"), ssl=False, timeout=PATIENCE)
    with made:
        made.login(user, user)
        yield made


def test_imapclient_reads_and_changes(client: IMAPClient) -> None:
    when = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    for number in range(6):
        client.append("INBOX", mail(number), [b"\\Flagged", b"Later"] if number % 2 else (), when)
    chosen = client.select_folder("INBOX")
    assert chosen[b"EXISTS"] == 6
    uids = client.search(["FLAGGED"])
    assert uids == client.search(["KEYWORD", "later"]) != []
    found = client.fetch(
        uids, ["BODY.PEEK[]", "ENVELOPE", "BODYSTRUCTURE", "INTERNALDATE", "FLAGS", "RFC822.SIZE"]
    )
    for number, uid in zip((1, 3, 5), uids, strict=True):
        one = found[uid]
        assert one[b"BODY[]"] == mail(number)
        assert one[b"RFC822.SIZE"] == len(mail(number))
        assert one[b"ENVELOPE"].message_id == b"<%d.7@example.com>" % number
        assert set(one[b"FLAGS"]) == {b"\\Flagged", b"Later"}
        assert one[b"INTERNALDATE"].astimezone(UTC).replace(tzinfo=None) == when.replace(tzinfo=None)
        assert one[b"BODYSTRUCTURE"].is_multipart == (number in (3, 5))
    client.create_folder("Größe & Gewicht")
    client.move(uids[:1], "Größe & Gewicht")
    client.remove_flags(uids[1:], [b"Later"])
    client.delete_messages(uids[1:])
    client.expunge()
    assert client.folder_status("Größe & Gewicht", ["MESSAGES"])[b"MESSAGES"] == 1
    assert len(client.search()) == 3
    assert not set(client.search()) & set(uids)
    assert client.sort("REVERSE DATE") == client.search()[::-1]
    assert {uid for thread in client.thread() for uid in thread} == set(client.search())


def test_imapclient_knows_the_folders(client: IMAPClient) -> None:
    assert client.find_special_folder(b"\\Sent") == "Sent Items"
    client.create_folder("Projects/会議")
    client.subscribe_folder("Projects/会議")
    assert "Projects/会議" in [name for _, _, name in client.list_folders()]
    assert "Projects/会議" in [name for _, _, name in client.list_sub_folders()]
    client.rename_folder("Projects/会議", "Projects/次")
    assert client.folder_exists("Projects/次")
    client.delete_folder("Projects/次")
    assert not client.folder_exists("Projects/次")
    assert client.namespace().personal == (("", "/"),)
    assert client.id_({"name": "test"})[0][:2] == (b"name", b"mapi-gateway")


def test_imapclient_synchronizes_by_modseq(client: IMAPClient) -> None:
    client.enable("CONDSTORE")
    for number in range(3):
        client.append("INBOX", mail(number))
    before = client.select_folder("INBOX")[b"HIGHESTMODSEQ"]
    last = client.search()[-1]
    client.add_flags([last], [b"\\Seen"])
    assert list(client.fetch(client.search(), ["FLAGS"], [f"CHANGEDSINCE {before}"])) == [last]
    assert client.search(["MODSEQ", str(before + 1)]) == [last]


def test_imapclient_is_told_in_idle(client: IMAPClient, gateway: GatewayProcess, user: str) -> None:
    client.select_folder("INBOX")
    client.idle()
    with imaplib.IMAP4(*gateway.address("imap"), timeout=PATIENCE) as other:
        other.login(user, user)
        other.append("INBOX", None, None, mail(1))
        assert (1, b"EXISTS") in client.idle_check(timeout=PATIENCE)
        other.select("INBOX")
        other.store("1", "+FLAGS", "\\Flagged")
        ((number, kind, items),) = client.idle_check(timeout=PATIENCE)
        assert (number, kind) == (1, b"FETCH")
        assert b"\\Flagged" in items[items.index(b"FLAGS") + 1]
        other.store("1", "+FLAGS.SILENT", "\\Deleted")
        client.idle_check(timeout=PATIENCE)
        other.expunge()
        assert (1, b"EXPUNGE") in client.idle_check(timeout=PATIENCE)
    assert client.idle_done()[0] == b"Idle ended"


@asynccontextmanager
async def connected(gateway: GatewayProcess, user: str, *, tls: bool = False) -> AsyncIterator[IMAP4]:
    """aioimaplib, logged in."""
    closed = asyncio.Event()
    context = ssl.create_default_context(cafile=gateway.certificate) if tls else None
    made = IMAP4(
        "localhost" if tls else "127.0.0.1",
        gateway.port("imaps" if tls else "imap"),
        timeout=PATIENCE,
        conn_lost_cb=lambda _: closed.set(),
        ssl_context=context,
    )
    await made.wait_hello_from_server()
    assert (await made.login(user, user)).result == "OK"
    yield made
    assert (await made.logout()).result == "OK"
    await asyncio.wait_for(closed.wait(), PATIENCE)  # logging out does not close the socket: the server does


@pytest.mark.parametrize("tls", [False, True])
def test_aioimaplib_is_pushed_every_mail(gateway: GatewayProcess, user: str, *, tls: bool) -> None:
    async def run() -> None:
        async with connected(gateway, user, tls=tls) as waiting, connected(gateway, user) as sending:
            assert (await waiting.select("INBOX")).result == "OK"
            for number in range(3):
                idle = await waiting.idle_start(timeout=PATIENCE)
                appended = await sending.append(mail(number), mailbox="INBOX")
                assert appended.result == "OK"
                assert b"%d EXISTS" % (number + 1) in await waiting.wait_server_push(timeout=PATIENCE)
                waiting.idle_done()
                assert (await asyncio.wait_for(idle, PATIENCE)).result == "OK"
                answer = await waiting.fetch(str(number + 1), "(UID BODY.PEEK[])")
                assert bytes(answer.lines[1]) == mail(number)

    asyncio.run(run())
