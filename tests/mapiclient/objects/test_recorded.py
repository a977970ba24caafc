"""The objects over what a real server answered (recorded), where the embedded store could be wrong in the same way."""

from __future__ import annotations

from typing import Any

from gateway.mapi import proptags as pr
from gateway.mapi.errors import MapiError, NotFound, error_of
from gateway.mapi.propnames import PS_PUBLIC_STRINGS
from gateway.mapi.props import PropName
from gateway.mapi.tables import ObjectType
from gateway.mapiclient import Store, directory, message
from gateway.mapiclient.wire.calls import CALLS
from gateway.mapiclient.wire.calls_object import GetNamesFromIds, GetNamesFromIdsReply, LoadObject
from gateway.mapiclient.wire.envelope import Fault, WireError, decode_reply, decode_request
from gateway.mapiclient.wire.schema import Call
from tests.mapiclient.recordings import Exchange, exchanges, flows


class Played:
    """A session that knows only the answers of one flow."""

    server_guid = b"recorded server."
    epoch = 1

    def __init__(self, recorded: tuple[Exchange, ...]) -> None:
        self.answers: dict[Any, Any] = {}
        for exchange in recorded:
            if exchange.request is None or exchange.reply is None or exchange.raw_reply or exchange.raw_request:
                continue
            try:
                call, _ = decode_request(exchange.request)
                self.answers[repr(call)] = decode_reply(CALLS[exchange.call], exchange.reply)
            except (WireError, Fault):
                continue

    async def call(self, call: Call[Any], *, epoch: int | None = None) -> Any:
        if isinstance(call, GetNamesFromIds):
            return GetNamesFromIdsReply([PropName(PS_PUBLIC_STRINGS, f"{n}") for n in call.prop_tags or ()])
        reply = self.answers.get(repr(call))
        if reply is None:
            raise NotFound(call=call.name)
        if reply.er:
            raise error_of(reply.er, call.name) or MapiError(code=reply.er)
        return reply

    async def follow(self, call: Call[Any]) -> Any:
        return self, await self.call(call)


def done(coroutine: Any) -> Any:
    """Runs a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits")


def loaded_messages() -> list[tuple[Exchange, bytes]]:
    found = []
    for exchange in exchanges():
        if (
            exchange.call == "loadObject"
            and exchange.reply
            and exchange.request
            and b"<er>0<" in exchange.reply
        ):
            call, _ = decode_request(exchange.request)
            tree = decode_reply(LoadObject, exchange.reply).object
            wanted = isinstance(call, LoadObject) and call.flags == 0x80000000
            if wanted and tree is not None and tree.obj_type == ObjectType.MESSAGE:
                found.append((exchange, call.entryid))
    return found


def test_recorded_messages_are_loaded() -> None:
    messages = loaded_messages()
    assert len(messages) > 20
    recipients = attachments = 0
    for exchange, entryid in messages:
        content = done(message.load_message(Played(flows()[exchange.flow]), entryid)).content
        assert content.props[pr.PR_MESSAGE_CLASS]
        recipients += len(content.recipients)
        attachments += len(content.attachments)
        for row in content.recipients:
            assert row[pr.PR_DISPLAY_NAME]
            assert pr.PR_EC_CONTACT_ENTRYID not in row
    assert recipients > 10
    assert attachments > 5


def test_a_value_that_the_server_withheld_is_loaded_for_an_embedded_message() -> None:
    flow = "04-gateway-select-fetch"
    (entryid,) = (
        entryid
        for exchange, entryid in loaded_messages()
        if exchange.number == "0023" and exchange.flow == flow
    )
    content = done(message.load_message(Played(flows()[flow]), entryid)).content
    (embedded,) = (each.embedded for each in content.attachments if each.embedded is not None)
    assert len(embedded.props[pr.PR_BODY]) > 10


def test_a_recorded_store_is_opened() -> None:
    session = Played(flows()["04-gateway-select-fetch"])
    store = done(Store.default(session))
    assert store.ipm_subtree
    assert done(store.receive_folder("IPM"))
    person = (
        done(directory.own_user(session)) if "GetUser(user_id=0, user_entryid=b'')" in session.answers else None
    )
    assert person is not None
    assert person.username == "u1@example.test"
    assert "imap" in directory.features(person)[0]
