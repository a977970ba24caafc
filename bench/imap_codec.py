"""What the IMAP codec costs: process CPU per message and per command. ``python bench/imap_codec.py``."""

from __future__ import annotations

import random
import time
from array import array
from collections.abc import Callable

from gateway.imap.codec import write_fetch as w
from gateway.imap.codec.parser import parse
from gateway.imap.codec.reader import Reader, Received
from gateway.imap.codec.sequence import compact, parse_set

N = 100_000
BATCH = 1000


def measure(name: str, count: int, work: Callable[[], object]) -> None:
    best = min(_once(work) for _ in range(3))
    print(f"{name:45} {best / count * 1e6:8.3f} us each {best * 1e3:10.2f} ms")


def _once(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    random.seed(1)
    uids = array("I", range(1, N * 2, 2))
    flags = array("H", (random.randrange(32) for _ in range(N)))
    no_keywords = array("H", bytes(2 * N))
    some_keywords = array("H", (random.randrange(5) for _ in range(N)))
    dates = array("I", (random.randrange(1_500_000_000, 1_700_000_000) for _ in range(N)))
    names = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")
    texts = w.FlagTexts(
        lambda bits, words: [*(n for i, n in enumerate(names) if bits >> i & 1), *["Work"] * words]
    )
    envelope = b'("Mon, 7 Feb 1994 21:52:25 -0800" "subject" NIL NIL NIL NIL NIL NIL NIL "<x@y>")'
    structure = b'("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 3028 92 NIL NIL NIL NIL)'

    def uid_flags(keywords: array[int]) -> int:
        total = 0
        for at in range(0, N, BATCH):
            part = slice(at, at + BATCH)
            column = texts.column(flags[part], keywords[part])
            total += len(w.batch(range(at + 1, at + BATCH + 1), [(w.UID, uids[part]), (w.FLAGS, column)]))
        return total

    def everything() -> None:
        for at in range(0, N, BATCH):
            part = slice(at, at + BATCH)
            w.batch(
                range(at + 1, at + BATCH + 1),
                [
                    (w.UID, uids[part]),
                    (w.FLAGS, texts.column(flags[part], some_keywords[part])),
                    (w.INTERNALDATE, w.dates(dates[part])),
                    (w.SIZE, dates[part]),
                    (w.ENVELOPE, [envelope] * BATCH),
                    (w.BODYSTRUCTURE, [structure] * BATCH),
                ],
            )

    measure("FETCH (UID FLAGS)", N, lambda: uid_flags(no_keywords))
    measure("FETCH (UID FLAGS), keywords", N, lambda: uid_flags(some_keywords))
    measure("FETCH all metadata", N, everything)
    measure("UIDs of a SEARCH as a set", N, lambda: compact(uids))
    line = (
        b"a1 UID FETCH 1:100,200:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (From To)])\r\n"
    )
    count = 10_000

    def commands() -> None:
        reader = Reader()
        for _ in range(count):
            reader.receive(line)
            received = reader.next()
            assert isinstance(received, Received)
            parse(received)

    measure("read and parse a UID FETCH", count, commands)
    ragged = b",".join(b"%d:%d" % (n, n + 3) for n in range(1, 100_000, 7))
    measure("parse a set of 14,000 ranges", 1, lambda: parse_set(ragged).resolve(100_000))


if __name__ == "__main__":
    main()
