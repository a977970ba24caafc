"""Message streams: round trips, names, large attachments left in place, and garbage."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mapi import props as p
from gateway.mapi.content import AttachmentContent, Blob, MessageContent
from gateway.mapi.props import NamedTag, PropName
from gateway.mapiclient.wire.errors import WireError
from gateway.mapiclient.wire.stream import decode_stream, encode_stream
from tests.mapiclient.wire.strategies import binaries, examples, names, value_of

NOT_STREAMED = {p.PT_NULL, p.PT_ERROR, p.PT_STRING8, p.PT_MV_STRING8}
kinds = st.sampled_from(
    [
        p.PT_SHORT, p.PT_LONG, p.PT_FLOAT, p.PT_DOUBLE, p.PT_CURRENCY, p.PT_APPTIME, p.PT_BOOLEAN, p.PT_LONGLONG,
        p.PT_UNICODE, p.PT_SYSTIME, p.PT_CLSID, p.PT_BINARY, p.PT_MV_LONG, p.PT_MV_UNICODE, p.PT_MV_BINARY,
        p.PT_MV_SYSTIME,
    ]
)  # fmt: skip
keys = st.builds(lambda number, kind: number << 16 | kind, st.integers(1, 0x8500), kinds) | st.builds(
    NamedTag, names, kinds
)
prop_sets: st.SearchStrategy[Any] = st.lists(keys, max_size=4, unique=True).flatmap(
    lambda chosen: st.fixed_dictionaries(
        {key: value_of(key.type if isinstance(key, NamedTag) else key) for key in chosen}
    )
)
messages: st.SearchStrategy[MessageContent] = st.recursive(
    st.builds(MessageContent, prop_sets, st.lists(prop_sets, max_size=2), st.just([])),
    lambda inner: st.builds(
        MessageContent,
        prop_sets,
        st.lists(prop_sets, max_size=2),
        st.lists(
            st.builds(AttachmentContent, prop_sets, binaries)
            | st.builds(AttachmentContent, prop_sets, st.none(), inner),
            max_size=2,
        ),
    ),
    max_leaves=3,
)


@examples(100)
@given(messages)
def test_a_message_survives(message: MessageContent) -> None:
    blob = encode_stream(message)
    data = blob.read()
    assert blob.size == len(data)
    assert decode_stream(data) == message
    assert (
        decode_stream(Blob(len(data), lambda: (data[at : at + 3] for at in range(0, len(data), 3)))) == message
    )


def test_a_large_attachment_stays_in_its_source() -> None:
    large = bytes(range(256)) * 2000
    message = MessageContent(
        {0x0037001F: "s"}, [], [AttachmentContent({}, large), AttachmentContent({}, b"small")]
    )
    data = encode_stream(message).read()
    opened = []

    def chunks() -> Any:
        opened.append(1)
        return (data[at : at + 5000] for at in range(0, len(data), 5000))

    first, second = decode_stream(Blob(len(data), chunks)).attachments
    assert isinstance(first.data, Blob)
    assert (first.data.size, len(opened)) == (len(large), 1)
    assert first.data.read() == first.data.read() == large
    assert second.data == b"small"


def test_an_attachment_may_be_written_from_a_blob() -> None:
    attachment = AttachmentContent({}, Blob(6, lambda: iter([b"abc", b"def"])))
    assert (
        decode_stream(encode_stream(MessageContent({}, [], [attachment])).read()).attachments[0].data
        == b"abcdef"
    )


def test_a_child_whose_properties_were_left_out_is_read() -> None:
    recipient = struct.pack(">II", 6, 586)
    full = struct.pack(">IIII", 8, 587, 1, 0x3001001E) + struct.pack(">I", 1) + b"n"
    data = struct.pack(">III", 1, 0, 3) + recipient + full + recipient
    assert decode_stream(data).recipients == [{}, {0x3001001F: "n"}, {}]


def test_a_named_property_by_number_needs_its_name() -> None:
    message = MessageContent({0x8502001F: "v"})
    with pytest.raises(WireError, match="no name"):
        encode_stream(message)
    name = PropName(b"g" * 16, "Keywords")
    data = encode_stream(message, {0x8502: name}).read()
    assert decode_stream(data).props == {NamedTag(name, p.PT_UNICODE): "v"}


@pytest.mark.parametrize("props", [{0x0037000D: b""}, {0x00370003: "text"}, {0x00371003: 5}])
def test_what_cannot_travel_is_an_error(props: Any) -> None:
    with pytest.raises(WireError):
        encode_stream(MessageContent(props))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0\2",
        struct.pack(">II", 1, 0xFFFFFFFF),
        struct.pack(">III", 1, 1, 0x00370102) + b"\xff\xff\xff\xff",
        struct.pack(">III", 1, 1, 0x0037000D),
        struct.pack(">III", 1, 1, 0x00371102) + b"\x7f\xff\xff\xff",
        struct.pack(">IIIIII", 1, 0, 1, 3, 1, 0),
    ],
)
def test_what_is_no_stream_is_an_error(data: bytes) -> None:
    with pytest.raises(WireError):
        decode_stream(data)


@examples(200)
@given(messages, st.integers(0, 400), st.binary(max_size=6))
def test_garbage_raises_nothing_but_the_error(message: MessageContent, at: int, junk: bytes) -> None:
    data = encode_stream(message).read()
    data = data[:at] + junk + data[at + len(junk) :]
    for cut in (data, data[: len(data) // 2]):
        try:
            decode_stream(cut)
        except WireError:
            continue


def test_messages_embedded_without_end_are_refused() -> None:
    message = MessageContent()
    for _ in range(60):
        message = MessageContent({}, [], [AttachmentContent({0x0E210003: 0}, None, message)])
    data = encode_stream(message).read()
    with pytest.raises(WireError, match="deeper"):
        decode_stream(data)
