"""What a View costs: the first and the later SELECT of a large folder, changes, searches; client CPU only.

Run: ``python bench/mailbox.py [messages] [directory]``. The store runs as a process of its own; a directory keeps
its content for the next run. Prints figures; asserts nothing.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from twisted.internet.defer import Deferred, gatherResults

from gateway.mailbox import criteria as c
from gateway.mailbox.account import Account
from gateway.mailbox.accounts import Accounts
from gateway.mailbox.flags import Flag
from gateway.mailbox.runtime import Runtime
from gateway.mailbox.uidcache import UidCache
from gateway.mailbox.uploads import Upload, content_of
from gateway.mailbox.writes import FlagChange
from gateway.mapi.ids import parse_object_entryid
from gateway.mapiclient.message import save_new_message
from gateway.mapiclient.options import PoolOptions
from gateway.mapiclient.pool import Pool
from gateway.mapiclient.sessions import Sessions
from tests.support import reactor
from tests.support.store import StoreProcess

MAIL = (
    b"From: Ann <ann@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: Number %d\r\n"
    b"Message-ID: <%d@example.org>\r\nDate: Mon, 13 Jul 2026 10:00:00 +0200\r\n\r\nText of number %d\r\n"
)
AT_ONCE = 32


async def measured(what: str, count: int, work: Awaitable[Any]) -> Any:
    """Await, and print what it cost this process."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    result = await work
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what:58} {wall * 1e3:9.1f} ms wall {cpu * 1e3:9.1f} ms cpu {cpu / count * 1e6:8.2f} us each")
    return result


def layers(store: StoreProcess, cache: Path) -> tuple[Accounts, UidCache, Pool]:
    """The layers below the heads."""
    pool = Pool(reactor.reactor, PoolOptions())
    known = UidCache(cache)
    return Accounts(Sessions(pool, store.url), Runtime(reactor.reactor, known)), known, pool


async def fill(account: Account, count: int) -> None:
    """Append until the Inbox has so many mails."""
    inbox = (await account.mailboxes()).get("INBOX")
    guid = parse_object_entryid(inbox.store_entryid).store
    have = inbox.count
    while have < count:
        number = min(AT_ONCE, count - have)
        contents = [
            content_of(Upload(MAIL % ((have + n,) * 3)), 133_000_000_000_000_000) for n in range(number)
        ]
        await gatherResults(
            [
                Deferred.fromCoroutine(save_new_message(account.session, inbox.entryid, guid, content))
                for content in contents
            ]
        )
        have += number
        if have % 5000 < AT_ONCE:
            print(f"  filled {have}", flush=True)


async def selecting(accounts: Accounts, count: int) -> None:
    account = await accounts.login("bench", "bench", application="bench")
    inbox = (await account.mailboxes()).get("INBOX")
    view = await measured("SELECT, nothing cached", count, account.view(inbox))
    print(f"  {len(view.uids)} messages, {len(view.rows.pack()) / max(len(view.uids), 1):.1f} bytes each")
    await view.save()
    await measured("envelopes and structures of 1000, from the store", 1000, view.envelopes(view.uids[:1000]))
    await measured("the same, from the cache", 1000, view.envelopes(view.uids[:1000]))
    account.logout()


async def again(accounts: Accounts, count: int) -> None:
    account = await accounts.login("bench", "bench", application="bench")
    inbox = (await account.mailboxes()).get("INBOX")
    view = await measured("SELECT, cached (a new process)", count, account.view(inbox))
    other = await accounts.login("bench", "bench", application="bench")
    await measured("SELECT by a second connection", count, other.view(inbox))
    await measured("look for changes, none there", 1, view.refresh(force=True))
    ten = list(view.uids[-10:])
    await view.change_flags(ten, FlagChange("add", Flag.FLAGGED))
    await measured("look for changes, ten messages changed", 10, view.refresh(force=True))
    await view.change_flags(ten, FlagChange("remove", Flag.FLAGGED))
    criterion = c.And((c.Not(c.Flagged(Flag.SEEN)), c.Age(10**9, younger=True), c.Size(10, larger=True)))
    await measured("SEARCH UNSEEN YOUNGER LARGER", count, view.search(criterion))
    saved = c.Dated(c.DateField.SAVED, date(2020, 1, 1), None)
    await measured("SEARCH SAVEDSINCE", count, view.search(saved))
    await measured("SEARCH SUBJECT (the store)", count, view.search(c.Header("subject", "number 77")))

    async def bodies() -> None:
        async for _ in view.sources(view.uids[:200]):
            pass

    await measured("BODY[] of 200 messages, overlapping", 200, bodies())
    await measured("200 appends, one after another", 200, appends(account, inbox))
    account.logout()
    other.logout()


async def appends(account: Account, inbox: Any) -> None:
    for number in range(200):
        await account.append(inbox, [Upload(MAIL % ((number,) * 3))])


def run(store: StoreProcess, cache: Path, work: Callable[[Accounts], Awaitable[None]]) -> None:
    """Run with fresh layers, as a new process would have."""
    accounts, known, pool = reactor.call(layers, store, cache)
    reactor.run(lambda: work(accounts), 3600)  # type: ignore[arg-type, return-value]
    reactor.call(accounts.close)
    reactor.call(pool.close)
    known.close()


def main(count: int, directory: Path) -> None:
    """Measure everything once."""
    cache = directory / "cache" / f"{time.time_ns()}.sqlite"
    with StoreProcess(directory / "store", ["bench"]) as store:

        async def filling(accounts: Accounts) -> None:
            account = await accounts.login("bench", "bench", application="bench")
            await fill(account, count)
            account.logout()

        run(store, cache, filling)
        run(store, cache, lambda accounts: selecting(accounts, count))
        run(store, cache, lambda accounts: again(accounts, count))
        store.stop()


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    if len(sys.argv) > 2:
        main(size, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(size, Path(temporary))
