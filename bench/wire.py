"""What the wire costs: CPU time of encoding and decoding, in this process alone.

Run with ``python bench/wire.py``. The row set is like one page of a contents table: 5,000 rows of 12 columns.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway.mapi.changes import Change
from gateway.mapi.content import AttachmentContent, Blob, MessageContent
from gateway.mapiclient.wire.calls_object import LoadObject, LoadProp, LoadPropReply, ObjectReply, SaveObject
from gateway.mapiclient.wire.calls_session import Logon
from gateway.mapiclient.wire.calls_sync import (
    ChangesReply,
    ExportMessageChangesAsStream,
    ExportStreamsReply,
    GetChanges,
)
from gateway.mapiclient.wire.calls_table import RowsReply, TableGetRowCount, TableQueryRows
from gateway.mapiclient.wire.envelope import (
    ReplyDecoder,
    decode_request,
    encode_reply,
    encode_reply_chunks,
    encode_request,
    encode_request_chunks,
)
from gateway.mapiclient.wire.stream import decode_stream, encode_stream
from gateway.mapiclient.wire.structs import MessageStream, ObjectTree

CHUNK = 1 << 16


def best(work: Callable[[], object], repeat: int = 7, number: int = 1) -> float:
    """Seconds of CPU of one call, the best of some."""
    times = []
    for _ in range(repeat):
        start = process_time()
        for _ in range(number):
            work()
        times.append((process_time() - start) / number)
    return min(times)


def row(n: int) -> list[tuple[int, object]]:
    entryid = n.to_bytes(4, "big") * 12
    return [
        (0x0FFF0102, entryid),
        (0x0FF60102, n.to_bytes(8, "little")),
        (0x65E00102, entryid[:22]),
        (0x67820003, n),
        (0x001A001F, "IPM.Note"),
        (0x0037001F, f"Re: the subject of message {n} & what it is about"),
        (0x0E070003, 17),
        (0x0E170003, 0),
        (0x0E080003, 23456 + n),
        (0x0E1B000B, bool(n & 1)),
        (0x0E060040, 133_000_000_000_000_000 + n),
        (0x1090000A, 0x80000002),
    ]


def decode(call: object, body: bytes) -> object:
    decoder = ReplyDecoder(call)  # type: ignore[arg-type]
    for start in range(0, len(body), CHUNK):
        decoder.feed(body[start : start + CHUNK])
    return decoder.close()


def whole_messages() -> None:
    """What it costs to read one whole message, by either way the store has."""
    props = {0x3000001F + (n << 16): f"the value of property {n}" for n in range(50)}
    recipients = [{0x3001001F: "Name", 0x39FE001F: "name@example.test", 0x0C150003: 1} for _ in range(3)]
    data = bytes(range(256)) * 180
    children = [ObjectTree(mod_props=[*row.items()], obj_type=6) for row in recipients]
    tree = ObjectTree([*children, ObjectTree(obj_type=7)], tuple(props), [*props.items()], obj_type=5)
    loaded = encode_reply(LoadObject, ObjectReply(0, tree))
    attachment = encode_reply(LoadProp, LoadPropReply(0, (0x37010102, data)))
    content = MessageContent(dict(props), [dict(row) for row in recipients], [AttachmentContent({}, data)])
    stream = encode_stream(content).read()
    streams = ExportStreamsReply([MessageStream(n, [], stream) for n in range(64)])
    exported = b"".join(encode_reply_chunks(ExportMessageChangesAsStream, streams).chunks())

    def by_object() -> None:
        decode(LoadObject, loaded)
        decode(LoadProp, attachment)

    def by_stream() -> None:
        for each in decode(ExportMessageChangesAsStream, exported).msg_streams:  # type: ignore[attr-defined]
            decode_stream(each.stream_data)

    print(f"read a whole message, loadObject and loadProp: {best(by_object, number=50) * 1e6:.0f} us")
    print(f"read a whole message of a stream of 64: {best(by_stream, number=3) / 64 * 1e6:.0f} us")


def main() -> None:
    rows = [row(n) for n in range(5000)]
    reply = RowsReply(0, rows)
    body = encode_reply(TableQueryRows, reply)
    assert decode(TableQueryRows(1, 5000), body) == reply
    seconds = best(lambda: decode(TableQueryRows(1, 5000), body))
    print(f"decode 5,000 x 12 rows ({len(body) / 1e6:.1f} MB): {seconds * 1e3:.0f} ms")
    decoder = ReplyDecoder(TableQueryRows(1, 5000))
    longest = 0.0
    for start in range(0, len(body), CHUNK):
        begin = process_time()
        decoder.feed(body[start : start + CHUNK])
        longest = max(longest, process_time() - begin)
    print(f"  longest 64 KiB chunk of it: {longest * 1e3:.1f} ms")
    print(f"encode the same: {best(lambda: encode_reply(TableQueryRows, reply)) * 1e3:.0f} ms")

    small, logon = (
        TableGetRowCount(7),
        Logon("user@example.test", "secret", version="11.0.2", session_group=1 << 63),
    )
    print(f"encode tableGetRowCount: {best(lambda: encode_request(small, 1 << 63), number=2000) * 1e6:.1f} us")
    print(f"encode logon: {best(lambda: encode_request(logon, 0), number=2000) * 1e6:.1f} us")
    request = encode_request(small, 1 << 63)
    print(f"decode request tableGetRowCount: {best(lambda: decode_request(request), number=500) * 1e6:.1f} us")
    answer = encode_reply(TableGetRowCount, TableGetRowCount.reply_type(0, 5, 1))
    print(f"decode reply tableGetRowCount: {best(lambda: decode(small, answer), number=500) * 1e6:.1f} us")

    changes = ChangesReply([Change(n, b"k" * 22, b"p" * 22, 4097, 0) for n in range(20_000)], 20_000)
    body = encode_reply(GetChanges, changes)
    print(f"decode 20,000 changes: {best(lambda: decode(GetChanges, body), 3) * 1e3:.0f} ms")

    data = bytes(range(256)) * (1 << 16)
    body = encode_reply(LoadProp, LoadPropReply(0, (0x37010102, data)))
    print(f"decode a 16 MB value: {best(lambda: decode(LoadProp, body), 3) * 1e3:.0f} ms")
    text = encode_reply(LoadProp, LoadPropReply(0, (0x1000001F, "a line of text & more\r\n" * (1 << 19))))
    print(f"decode a 12 MB text: {best(lambda: decode(LoadProp, text), 3) * 1e3:.0f} ms")

    whole_messages()

    large = Blob(50 << 20, lambda: iter([b"\0" * CHUNK] * (50 << 4)))
    save = SaveObject(b"p", b"e", ObjectTree(mod_props=[(0x37010102, large)]))
    tracemalloc.start()
    size = sum(len(chunk) for chunk in encode_request_chunks(save, 1).chunks())
    peak = tracemalloc.get_traced_memory()[1]
    print(f"encode a 50 MB attachment: {size / 1e6:.0f} MB written, {peak / 1e6:.1f} MB held at most")


if __name__ == "__main__":
    main()
