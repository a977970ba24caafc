"""Every recorded exchange of a declared call, read and written again, is the same XML."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lxml import etree

from gateway.mapiclient.wire.calls import CALLS
from gateway.mapiclient.wire.envelope import (
    Fault,
    ReplyDecoder,
    RequestDecoder,
    WireError,
    decode_reply,
    decode_request,
    encode_fault,
    encode_reply,
    encode_reply_chunks,
    encode_request,
    encode_request_chunks,
)
from gateway.mapiclient.wire.stream import decode_stream, encode_stream
from tests.mapiclient.recordings import Exchange, exchanges, files, flows

#: Flows of hand-made requests that are not in the form anybody's encoder writes; tested in test_leniency.
HAND_MADE = {"90-raw-errors", "93-raw-encoding-leniency", "91-raw-logon-caps"}
#: Characters that lxml refuses, as stand-ins that it does not.
STRANGE = re.compile(rb"&#x(?:[0-8BCEF]|1[0-9A-F]|7F);|\xef\xbf[\xbe\xbf]")
COUNT = "{http://schemas.xmlsoap.org/soap/encoding/}arrayType"


def canonical(body: bytes) -> Any:
    """The payload as nested tuples: empty elements and absent counts of empty arrays made one."""
    body = STRANGE.sub(lambda match: b"[" + match[0].strip(b"&;").hex().encode() + b"]", body)
    envelope = etree.fromstring(body, etree.XMLParser(huge_tree=True, resolve_entities=False))
    return tree(envelope[0][0])


def tree(element: Any) -> Any:
    attributes = {name: value for name, value in element.attrib.items() if not value.endswith("[0]")}
    children = tuple(map(tree, element))
    return element.tag, tuple(sorted(attributes.items())), "" if children else element.text or "", children


def again(exchange: Exchange, side: str, body: bytes) -> bytes:
    call_type = CALLS[exchange.call]
    if side == "reply":
        try:
            return encode_reply(call_type, decode_reply(call_type, body))
        except Fault as fault:
            return encode_fault(fault.code.rpartition(":")[2], fault.reason)
    return encode_request(*decode_request(body))


def test_the_recordings_are_complete() -> None:
    assert len(exchanges()) > 1250
    assert len({exchange.call for exchange in exchanges()}) > 95


@pytest.mark.parametrize("flow", sorted(flows()))
def test_a_flow_is_written_as_it_was_read(flow: str) -> None:
    for exchange in flows()[flow]:
        for side, body in (("request", exchange.request), ("reply", exchange.reply)):
            if body is None or b"xop:Include" in body or (side == "request" and flow in HAND_MADE):
                continue
            assert canonical(again(exchange, side, body)) == canonical(body), f"{exchange} {side}"


def streamed() -> list[Exchange]:
    return [exchange for exchange in exchanges() if exchange.raw_request or exchange.raw_reply]


@pytest.mark.parametrize("exchange", streamed(), ids=str)
def test_a_message_with_parts_is_written_as_it_was_read(exchange: Exchange) -> None:
    call_type = CALLS[exchange.call]
    if exchange.raw_request:
        requests = RequestDecoder()
        requests.feed(exchange.raw_request)
        call, session = requests.close()
        body = b"".join(encode_request_chunks(call, session).chunks())
        requests = RequestDecoder()
        requests.feed(body)
        assert requests.close() == (call, session)
    if exchange.raw_reply:
        replies = ReplyDecoder(call_type)
        replies.feed(exchange.raw_reply)
        reply = replies.close()
        body = b"".join(encode_reply_chunks(call_type, reply).chunks())
        replies = ReplyDecoder(call_type)
        replies.feed(body)
        assert replies.close() == reply


def recorded_streams() -> list[bytes]:
    found: list[bytes] = []
    for exchange in streamed():
        if exchange.call == "exportMessageChangesAsStream" and exchange.raw_reply:
            replies = ReplyDecoder(CALLS[exchange.call])
            replies.feed(exchange.raw_reply)
            found += [each.stream_data for each in replies.close().msg_streams]
        elif exchange.raw_request:
            requests = RequestDecoder()
            requests.feed(exchange.raw_request)
            found.append(requests.close()[0].stream_data)  # type: ignore[attr-defined]
    return found


def test_recorded_message_streams_are_written_as_they_were_read() -> None:
    streams = recorded_streams()
    assert len(streams) > 40
    for data in streams:
        message = decode_stream(data)
        written = encode_stream(message).read()
        # Ids of children and of named properties are the server's; everything else has its place.
        assert len(written) == len(data)
        assert decode_stream(written) == message


def test_a_stream_without_named_properties_is_the_same_to_the_byte() -> None:
    same = [data for data in recorded_streams() if encode_stream(decode_stream(data)).read() == data]
    assert len(same) > 3


def test_a_loaded_large_message_has_its_control_characters() -> None:
    body = files()["47-mapi-large-and-special/0003_loadObject.res.xml"]
    reply = decode_reply(CALLS["loadObject"], body)
    special = [value for _, value in reply.object.mod_props if isinstance(value, str) and "\x01" in value]
    assert special
    assert "\x1f" in special[0]


@pytest.mark.parametrize(
    ("file", "error"),
    [
        ("0002_fooBar", Fault),
        ("0003_unknown", WireError),
        ("0004_unknown", WireError),
        ("0005_logoff", Fault),
        ("0006_logoff", Fault),
        ("0007_unknown", WireError),
        ("0009_logoff", WireError),
    ],
)
def test_what_the_server_refused_is_refused(file: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        decode_request(files()[f"90-raw-errors/{file}.req.xml"])
