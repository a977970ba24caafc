"""Large values and streams: parts, files, and bodies that are never held whole."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mapi.content import Blob
from gateway.mapiclient.wire.calls_object import LoadProp, LoadPropReply, SaveObject
from gateway.mapiclient.wire.calls_sync import (
    ExportMessageChangesAsStream,
    ExportStreamsReply,
    ImportMessageFromStream,
)
from gateway.mapiclient.wire.envelope import (
    Limits,
    ReplyDecoder,
    RequestDecoder,
    WireError,
    decode_request,
    encode_reply,
    encode_reply_chunks,
    encode_request,
    encode_request_chunks,
)
from gateway.mapiclient.wire.spool import Base64Spool
from gateway.mapiclient.wire.structs import MessageStream, ObjectTree
from tests.mapiclient.wire.strategies import examples

DATA = 0x37010102
SMALL = Limits(spool_from=64)


class Files:
    """A sink that keeps its files, to close them in the end."""

    def __init__(self, stack: ExitStack) -> None:
        self.made: list[BinaryIO] = []
        self._stack = stack

    def __call__(self) -> BinaryIO:
        file = self._stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        self.made.append(file)  # type: ignore[arg-type]
        return file  # type: ignore[return-value]


@pytest.fixture
def sink() -> Iterator[Files]:
    with ExitStack() as stack:
        yield Files(stack)


def blob(data: bytes, step: int = 5) -> Blob:
    return Blob(len(data), lambda: (data[at : at + step] for at in range(0, len(data), step)))


def feed(decoder: ReplyDecoder[object] | RequestDecoder, body: bytes, step: int) -> None:
    for at in range(0, len(body), step):
        decoder.feed(body[at : at + step])


@pytest.mark.parametrize("step", [1, 7, 64, 10_000])
@pytest.mark.parametrize("breaks", [b"", b"\r\n ", b"\n"])
def test_a_large_value_goes_to_a_file(sink: Files, step: int, breaks: bytes) -> None:
    data = bytes(range(256)) * 3 + b"!"
    body = encode_reply(LoadProp, LoadPropReply(0, (DATA, data)))
    if breaks:
        body = body.replace(b"AAECAwQF", b"AAEC" + breaks + b"AwQF" + breaks)
    decoder = ReplyDecoder(LoadProp, limits=SMALL, sink=sink)
    # The text must not come whole, or it is there already and a file would not help.
    feed(decoder, body, min(step, 500))
    reply = decoder.close()
    assert reply.prop_val is not None
    value = reply.prop_val[1]
    assert isinstance(value, Blob)
    assert len(sink.made) == 1
    assert value.size == len(data)
    assert value.read() == data
    first, second = value.chunks(), value.chunks()
    assert next(first) == next(second)


def test_a_small_value_and_a_missing_sink_give_bytes(sink: Files) -> None:
    for size, files in ((10, sink), (10_000, None)):
        body = encode_reply(LoadProp, LoadPropReply(0, (DATA, b"x" * size)))
        decoder = ReplyDecoder(LoadProp, limits=SMALL, sink=files)
        feed(decoder, body, 3)
        assert decoder.close().prop_val == (DATA, b"x" * size)
    assert not sink.made


def spooled(file: BinaryIO, text: str, step: int) -> Blob:
    spool = Base64Spool(file)
    for at in range(0, len(text), step):
        spool.write(text[at : at + step])
    return spool.close()


@pytest.mark.parametrize("text", ["AAA", "AA==AAAA", "AA=A", "AAAA=", "A*AA", "AAAAA"])
def test_bad_base64_of_a_large_value_is_an_error(sink: Files, text: str) -> None:
    for step in (1, 2, 100):
        with pytest.raises(WireError, match="base64"):
            spooled(sink(), text, step)


@examples(30)
@given(st.binary(max_size=300), st.integers(1, 11))
def test_a_blob_is_written_like_the_bytes_it_stands_for(data: bytes, step: int) -> None:
    tree = ObjectTree(mod_props=[(DATA, data), (0x0037001F, "after")])
    streamed = ObjectTree(mod_props=[(DATA, blob(data, step)), (0x0037001F, "after")])
    plain = encode_request(SaveObject(b"p", b"e", tree), 5)
    message = encode_request_chunks(SaveObject(b"p", b"e", streamed), 5)
    assert b"".join(message.chunks()) == plain
    assert b"".join(message.chunks()) == plain, "chunks can be had again"
    assert message.size == len(plain)
    assert message.content_type == "text/xml; charset=utf-8"
    assert encode_request(SaveObject(b"p", b"e", streamed), 5) == plain
    assert decode_request(plain)[0] == SaveObject(b"p", b"e", tree)


def test_a_blob_that_gives_less_than_it_said_is_an_error() -> None:
    message = encode_request_chunks(
        SaveObject(b"", b"", ObjectTree(mod_props=[(DATA, Blob(9, lambda: iter([b"x"])))])), 1
    )
    with pytest.raises(WireError, match="9 bytes gave 1"):
        list(message.chunks())


IMPORT = ImportMessageFromStream(0, 0, b"p", b"e", True, None, b"\r\n--=\r\n--stream\0\xff")


@pytest.mark.parametrize("step", [1, 2, 13, 10_000])
def test_a_stream_is_a_part_of_its_own(step: int) -> None:
    message = encode_request_chunks(IMPORT, 9)
    body = b"".join(message.chunks())
    assert message.size == len(body)
    assert message.content_type.startswith("multipart/related;")
    assert b'<sStreamData><xop:Include href="cid:id1"/></sStreamData>' in body
    assert b"Content-ID: <id1>\r\n\r\n" + bytes(IMPORT.stream_data or b"") in body  # type: ignore[arg-type]
    decoder = RequestDecoder()
    feed(decoder, body, step)
    assert decoder.close() == (IMPORT, 9)


def test_the_servers_streams_are_read_in_their_order(sink: Files) -> None:
    streams = tuple(MessageStream(n, [], bytes([n]) * n * 40) for n in range(5))
    message = encode_reply_chunks(ExportMessageChangesAsStream, ExportStreamsReply(streams))
    body = b"".join(message.chunks())
    assert b'<xop:Include href="emcas-4"/>' in body
    assert b"\r\nContent-ID: emcas-4\r\n" in body
    decoder = ReplyDecoder(ExportMessageChangesAsStream, limits=SMALL, sink=sink)
    feed(decoder, body, 50)
    read = decoder.close().msg_streams
    assert [type(each.stream_data) for each in read] == [bytes, bytes, Blob, Blob, Blob]
    for each, original in zip(read, streams, strict=True):
        data = each.stream_data
        assert (data.read() if isinstance(data, Blob) else data) == original.stream_data


def test_a_stream_may_be_a_blob() -> None:
    call = ImportMessageFromStream(0, 0, b"p", b"e", True, None, blob(b"0123456789"))
    decoder = RequestDecoder()
    decoder.feed(b"".join(encode_request_chunks(call, 1).chunks()))
    read, _ = decoder.close()
    assert isinstance(read, ImportMessageFromStream)
    assert read.stream_data == b"0123456789"


def test_a_stream_inside_the_xml_is_read_too() -> None:
    body = b"".join(encode_request_chunks(IMPORT, 9).chunks())
    xml = body[body.index(b"<?xml") : body.index(b"</SOAP-ENV:Envelope>") + 20]
    decoder = RequestDecoder()
    decoder.feed(xml.replace(b'<xop:Include href="cid:id1"/>', b"AAEC"))
    call, _ = decoder.close()
    assert isinstance(call, ImportMessageFromStream)
    assert call.stream_data == b"\0\1\2"


def test_a_message_with_streams_cannot_be_one_text() -> None:
    with pytest.raises(WireError, match="parts"):
        encode_request(IMPORT, 1)


def test_a_part_that_is_cut_or_missing_is_an_error() -> None:
    body = b"".join(encode_request_chunks(IMPORT, 9).chunks())
    for bad in (body[:-10], body.replace(b"<id1>", b"<id2>"), body[: body.index(b"Content-ID: <id1>")]):
        decoder = RequestDecoder()
        decoder.feed(bad)
        with pytest.raises(WireError):
            decoder.close()


def test_parts_without_end_are_refused() -> None:
    decoder = RequestDecoder(limits=Limits(items=3))
    with pytest.raises(WireError):
        decoder.feed(b"--x\r\n" + b"\r\n\r\n\r\n--x\r\n" * 10)
    for head in (b"--" + b"b" * 200, b"--x\r\n" + b"h: v\r\n" * 5000):
        decoder = RequestDecoder()
        with pytest.raises(WireError):
            decoder.feed(head)


def test_a_file_lives_as_long_as_its_value(sink: Files) -> None:
    for cut in (0, 100):
        body = encode_reply(LoadProp, LoadPropReply(0, (DATA, b"x" * 1000)))
        decoder = ReplyDecoder(LoadProp, limits=SMALL, sink=sink)
        feed(decoder, body[: len(body) - cut], 50)
        file = sink.made[-1]
        assert not file.closed
        if not cut:
            reply = decoder.close()
            del decoder
            assert not file.closed
            assert reply.prop_val is not None
            assert reply.prop_val[1].read() == b"x" * 1000
            del reply
        else:
            del decoder
        gc.collect()
        assert file.closed
