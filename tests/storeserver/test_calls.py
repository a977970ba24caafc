"""A store on a real socket: every call is answered, HTTP and encodings as they come."""

from __future__ import annotations

import gzip
import secrets
import zlib

from gateway.mapi import proptags as pt
from gateway.mapi.errors import ErrorCode
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire import calls_object as object_calls
from gateway.mapiclient.wire import calls_store as store_calls
from gateway.mapiclient.wire.calls import CALLS
from gateway.mapiclient.wire.calls_session import Logoff
from gateway.mapiclient.wire.envelope import encode_request
from gateway.mapiclient.wire.structs import ObjectTree
from gateway.storeserver import answers  # noqa: F401
from gateway.storeserver.dispatch import ANSWERS
from tests.storeserver.mailbox import inbox, new_message
from tests.support.soap import SoapClient
from tests.support.store import RunningStore

# -- the whole


def test_every_declared_call_has_an_answer() -> None:
    assert ANSWERS.keys() == CALLS.keys()


def test_every_call_of_an_unknown_session_is_told_so(store: RunningStore) -> None:
    with store.client() as client:
        for name, call_type in CALLS.items():
            if name in ("logon", "ssoLogon"):
                continue
            body = (
                b'<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/"><E:Body>'
                b'<n:%b xmlns:n="urn:zarafa"><%b>77</%b></n:%b></E:Body></E:Envelope>'
            ) % (name.encode(), *[call_type.session_element.encode()] * 2, name.encode())
            status, answer = client.raw(body)
            assert status == 200, name
            assert str(int(ErrorCode.END_OF_SESSION)).encode() in answer, name


def test_every_call_without_arguments_is_answered(store: RunningStore) -> None:
    with store.client("alice") as client:
        for name, call_type in CALLS.items():
            if name in ("logon", "ssoLogon", "logoff", "notifyGetItems"):
                continue
            body = (
                b'<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/"><E:Body>'
                b'<n:%b xmlns:n="urn:zarafa"><%b>%d</%b></n:%b></E:Body></E:Envelope>'
            ) % (
                name.encode(),
                call_type.session_element.encode(),
                client.session_id,
                call_type.session_element.encode(),
                name.encode(),
            )
            status, answer = client.raw(body)
            assert status == 200, name
            assert str(int(ErrorCode.CALL_FAILED)).encode() not in answer, (name, answer[-300:])


# -- HTTP and encodings


def test_what_is_no_call_is_a_fault_and_ends_the_connection(store: RunningStore) -> None:
    for body in (
        b"",
        b"<oops",
        b"<a/>",
        b"\x00\xff" * 50,
        encode_request(Logoff(), 1).replace(b"logoff", b"fooBar"),
    ):
        with store.client() as client:
            status, answer = client.raw(body)
            assert status == 500
            assert b"<faultcode>SOAP-ENV:Client</faultcode>" in answer
            assert client.headers["connection"] == "close"


def test_only_post_is_served(store: RunningStore) -> None:
    with store.client() as client:
        status, answer = client.raw(b"", method="GET")
        assert (status, b"HTTP GET method not implemented" in answer) == (405, True)


def test_the_path_does_not_matter_and_compressed_requests_are_read(store: RunningStore) -> None:
    with store.client("alice") as client:
        body = encode_request(store_calls.GetStore(), client.session_id)
        for encoding, data in (("gzip", gzip.compress(body)), ("deflate", zlib.compress(body))):
            status, answer = client.raw(data, headers={"Content-Encoding": encoding})
            assert status == 200
            assert b"<er>0</er>" in answer
        assert client.raw(body, headers={"Content-Encoding": "br"})[0] == 500


def test_a_large_request_and_a_large_answer(alice: SoapClient) -> None:
    data = secrets.token_bytes(3_000_000)
    attachment = ObjectTree(
        mod_props=[
            (pt.PR_ATTACH_METHOD, 1),
            (pt.PR_ATTACH_DATA_BIN, data),
            (pt.PR_ATTACH_LONG_FILENAME, "x.bin"),
        ],
        obj_type=ObjectType.ATTACHMENT,
    )
    message = new_message(alice, inbox(alice), "large", children=[attachment])
    loaded = alice.ok(object_calls.LoadObject(message)).object
    assert loaded is not None
    child = loaded.children[0]
    assert pt.PR_ATTACH_DATA_BIN not in dict(child.mod_props)
    found = alice.ok(object_calls.LoadProp(message, child.server_id, pt.PR_ATTACH_DATA_BIN))
    assert found.prop_val == (pt.PR_ATTACH_DATA_BIN, data)
