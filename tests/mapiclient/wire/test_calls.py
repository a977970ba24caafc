"""Every call and every reply survives the wire, whatever it contains and however it is cut."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mapiclient.wire.calls import CALLS
from gateway.mapiclient.wire.envelope import (
    ReplyDecoder,
    RequestDecoder,
    encode_reply_chunks,
    encode_request_chunks,
)
from gateway.mapiclient.wire.schema import Call, record_of
from tests.mapiclient.wire.strategies import examples, of_struct

quick = examples(6)


def through(decoder: Any, chunks: Any, step: int) -> Any:
    body = b"".join(chunks)
    for start in range(0, len(body), step):
        decoder.feed(body[start : start + step])
    return decoder.close()


@pytest.mark.parametrize("name", sorted(CALLS))
@quick
@given(data=st.data())
def test_a_call_survives_the_wire(name: str, data: st.DataObject) -> None:
    call = data.draw(of_struct(record_of(CALLS[name])))
    session = data.draw(st.integers(0, (1 << 64) - 1)) if CALLS[name].session_element else 0
    message = encode_request_chunks(call, session)
    assert sum(map(len, message.chunks())) == message.size
    step = data.draw(st.sampled_from([1, 2, 7, 100_000]))
    assert through(RequestDecoder(), message.chunks(), step) == (call, session)


@pytest.mark.parametrize("name", sorted(CALLS))
@quick
@given(data=st.data())
def test_a_reply_survives_the_wire(name: str, data: st.DataObject) -> None:
    call_type = CALLS[name]
    reply = data.draw(of_struct(record_of(call_type.reply_type)))
    step = data.draw(st.sampled_from([1, 3, 64, 100_000]))
    message = encode_reply_chunks(call_type, reply)
    assert sum(map(len, message.chunks())) == message.size
    assert through(ReplyDecoder(call_type), message.chunks(), step) == reply


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_call_that_lacks_everything_is_read(name: str) -> None:
    body = f'<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/"><E:Body><n:{name} xmlns:n="urn:zarafa"/>'
    decoder = RequestDecoder()
    decoder.feed(f"{body}</E:Body></E:Envelope>".encode())
    call, session = decoder.close()
    assert type(call) is CALLS[name]
    assert session == 0


@pytest.mark.parametrize("call_type", CALLS.values(), ids=list(CALLS))
def test_a_reply_has_a_result_code_that_is_success(call_type: type[Call[Any]]) -> None:
    assert call_type.reply_type().er == 0
    assert "er" in {each.name for each in fields(call_type.reply_type)}


def test_every_call_of_the_dialect_is_declared() -> None:
    assert len(CALLS) == 121
    assert CALLS["getSyncStates"].reply_element == "getSyncStatesReponse"
    assert CALLS["create-folders"].session_element == "session-id"
