"""The reader: pieces of any size, limits before memory, strange but legal XML, and garbage."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mapiclient.wire.calls_object import LoadObject, LoadPropReply, ObjectReply
from gateway.mapiclient.wire.calls_store import GetStoreName, GetStoreNameReply
from gateway.mapiclient.wire.calls_table import RowsReply, TableQueryRows, TableSetColumns
from gateway.mapiclient.wire.envelope import (
    Fault,
    Limits,
    ReplyDecoder,
    RequestDecoder,
    WireError,
    decode_reply,
    decode_request,
    encode_fault,
    encode_reply,
    encode_request,
)
from gateway.mapiclient.wire.structs import ObjectTree
from tests.mapiclient.recordings import exchanges, files
from tests.mapiclient.wire.strategies import examples

HEAD = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:n="urn:zarafa"><e:Body>'
TAIL = "</e:Body></e:Envelope>"


def name_in(content: str) -> str | None:
    """What is read from a store name with this content."""
    body = f"{HEAD}<n:getStoreNameResponse>{content}<er>0</er></n:getStoreNameResponse>{TAIL}"
    reply: GetStoreNameReply = decode_reply(GetStoreName, body.encode())
    return reply.store_name


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("<lpszStoreName>plain</lpszStoreName>", "plain"),
        ("<lpszStoreName/>", ""),
        ("<lpszStoreName></lpszStoreName>", ""),
        ("<lpszStoreName />", ""),
        ("", None),
        ('<lpszStoreName xsi:nil="true"/>', None),
        ('<lpszStoreName xsi:nil="1"></lpszStoreName>', None),
        ('<lpszStoreName xsi:type="xsd:string">typed</lpszStoreName>', "typed"),
        ("<lpszStoreName x='>'>quoted</lpszStoreName >", "quoted"),
        ("<lpszStoreName>&lt;&amp;amp;&gt;&quot;&apos;</lpszStoreName>", "<&amp;>\"'"),
        ("<lpszStoreName>&#x1;&#31;&#xD;&#128169;</lpszStoreName>", "\x01\x1f\r\N{PILE OF POO}"),
        ("<lpszStoreName>raw \x01 and ]] and ></lpszStoreName>", "raw \x01 and ]] and >"),
        ("<lpszStoreName>a<!-- < not this > -->b</lpszStoreName>", "ab"),
        ("<lpszStoreName><![CDATA[<&amp;>]]>!</lpszStoreName>", "<&amp;>!"),
        ("<lpszStoreName>a<?pi data?>b</lpszStoreName>", "ab"),
        ("<lpszStoreName>&#xD800;</lpszStoreName>", "\N{REPLACEMENT CHARACTER}"),
        ("<unknown><lpszStoreName>no</lpszStoreName></unknown>", None),
        ("<n:lpszStoreName>qualified</n:lpszStoreName>", None),
        ("<lpszStoreName>a<b>ignored</b>c</lpszStoreName>", "ac"),
    ],
)
def test_text_is_read_as_it_is_meant(content: str, value: str | None) -> None:
    assert name_in(content) == value


@pytest.mark.parametrize(
    "content",
    [
        "<lpszStoreName>&nbsp;</lpszStoreName>",
        "<lpszStoreName>&</lpszStoreName>",
        "<lpszStoreName>&#x110000;</lpszStoreName>",
        "<lpszStoreName>a</lpszStorename>",
        "<lpszStoreName>",
        "</lpszStoreName>",
        "<1>",
        "< a>",
        "<a <b>",
        "<!DOCTYPE x>",
        "<!ENTITY x 'y'>",
        "<er>1e3</er>",
        "<er>-1</er>",
        "<er>4294967296</er>",
        "<er></er>",
    ],
)
def test_what_is_no_xml_or_no_value_is_an_error(content: str) -> None:
    with pytest.raises(WireError):
        name_in(content)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"x",
        b"<",
        b"HTTP 502 Bad Gateway",
        b"<html><body>no</body></html>",
        b"\xff\xfe\x00",
        f"{HEAD}{TAIL}".encode(),
        f"{HEAD}<n:r/>{TAIL}{HEAD}".encode(),
        f"{HEAD}<n:r/>{TAIL}text".encode(),
        f"{HEAD}<n:r/></e:Body>".encode(),
        f"{HEAD}<n:r>{TAIL}".encode(),
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
        b"<Envelope><Body/></Envelope>",
    ],
)
def test_what_is_no_message_is_an_error(body: bytes) -> None:
    with pytest.raises(WireError):
        decode_reply(GetStoreName, body)


def test_a_byte_order_mark_and_a_header_are_passed_over() -> None:
    head = HEAD.replace("<e:Body>", "<e:Header><x>1</x></e:Header><e:Body>")
    body = f"\ufeff<?xml version='1.0'?>\n{head}<n:r><lpszStoreName>a</lpszStoreName></n:r>{TAIL}\n"
    assert decode_reply(GetStoreName, body.encode()).store_name == "a"


def test_broken_utf8_hides_only_itself_in_a_reply_and_refuses_a_request() -> None:
    body = encode_reply(GetStoreName, GetStoreNameReply("name")).replace(b"name", b"n\xffme")
    assert decode_reply(GetStoreName, body).store_name == "n\N{REPLACEMENT CHARACTER}me"
    with pytest.raises(WireError, match="UTF-8"):
        decode_request(encode_request(GetStoreName(b""), 1).replace(b"<sEntryId>", b"<sEntryId>\xff"))


def test_a_fault_is_raised() -> None:
    with pytest.raises(Fault, match="not <this>") as caught:
        decode_reply(GetStoreName, encode_fault("Client", "not <this>"))
    assert caught.value.code == "SOAP-ENV:Client"


def test_a_fault_of_soap_12_is_raised() -> None:
    uri = "http://www.w3.org/2003/05/soap-envelope"
    body = (
        f'<s:Envelope xmlns:s="{uri}"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code>'
        f"<s:Reason><s:Text>why</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>"
    )
    with pytest.raises(Fault, match="why"):
        decode_reply(GetStoreName, body.encode())


def test_every_split_of_a_message_gives_the_same() -> None:
    body = files()["30-mapi-open-store-root-message/0001_logon.res.xml"]
    whole = decode_reply(LoadObject, body)
    for cut in range(len(body)):
        decoder = ReplyDecoder(LoadObject)
        decoder.feed(body[:cut])
        decoder.feed(body[cut:])
        assert decoder.close() == whole


def test_byte_by_byte_is_the_same_for_rows_and_trees() -> None:
    largest = {}
    for exchange in exchanges():
        if exchange.call in ("tableQueryRows", "tableMulti", "loadObject", "notifyGetItems", "getChanges"):
            body = exchange.reply or b""
            if len(largest.get(exchange.call, b"")) < len(body) < 60_000:
                largest[exchange.call] = body
    assert len(largest) == 5
    from gateway.mapiclient.wire.calls import CALLS

    for call, body in largest.items():
        decoder = ReplyDecoder(CALLS[call])
        for at in range(len(body)):
            decoder.feed(body[at : at + 1])
        assert decoder.close() == decode_reply(CALLS[call], body)


def test_arrays_without_counts_and_with_wrong_ones_have_the_items_that_are_there() -> None:
    for attribute in ("", ' a:arrayType="xsd:unsignedInt[4000000000]"', " arrayType='x[0]'"):
        content = f"<aPropTag{attribute}>\n <item>1</item> <item>2</item>\n<other>3</other></aPropTag>"
        body = f"{HEAD}<n:tableSetColumns>{content}</n:tableSetColumns>{TAIL}"
        assert decode_request(body.encode()) == (TableSetColumns(0, (1, 2, 3)), 0)


def test_an_absent_list_is_none_and_an_empty_one_is_empty() -> None:
    for content, value in (("", None), ("<aPropTag/>", ()), ("<aPropTag></aPropTag>", ())):
        body = f"{HEAD}<n:tableSetColumns>{content}</n:tableSetColumns>{TAIL}"
        call, _ = decode_request(body.encode())
        assert call == TableSetColumns(0, value)


def test_a_message_that_is_too_large_is_refused_at_once() -> None:
    decoder = ReplyDecoder(GetStoreName, limits=Limits(size=1000))
    decoder.feed(b" " * 1000)
    with pytest.raises(WireError, match="1000 bytes"):
        decoder.feed(b" ")


def test_too_many_items_are_refused() -> None:
    rows = [[(0x00030003, 1)]] * 11
    body = encode_reply(TableQueryRows, RowsReply(0, rows))
    assert len(decode_reply(TableQueryRows, body, limits=Limits(items=11)).row_set) == 11
    for odd in (
        body,
        body.replace(b"<item ", b"<x:item "),
        body.replace(b"</item></item>", b"</item> </item>"),
    ):
        with pytest.raises(WireError):
            decode_reply(TableQueryRows, odd, limits=Limits(items=10))


def test_too_many_columns_children_and_levels_are_refused() -> None:
    body = encode_reply(TableQueryRows, RowsReply(0, [[(0x00030003, 1)] * 11]))
    with pytest.raises(WireError, match="10"):
        decode_reply(TableQueryRows, body, limits=Limits(items=10))
    tree = ObjectTree(children=[ObjectTree()] * 11)
    with pytest.raises(WireError, match="10"):
        decode_reply(LoadObject, encode_reply(LoadObject, ObjectReply(0, tree)), limits=Limits(items=10))
    deep = "<a>" * 300
    with pytest.raises(WireError, match="deeper"):
        name_in(deep)


def feed_without_end(decoder: ReplyDecoder[GetStoreNameReply]) -> None:
    for _ in range(40):
        decoder.feed(b"a" * 10_000)


@pytest.mark.parametrize("start", ["<", "<a ", "<!--", "<?", "<![CDATA[", '<a b="'])
def test_a_tag_without_end_is_refused_before_it_fills_the_memory(start: str) -> None:
    decoder = ReplyDecoder(GetStoreName)
    decoder.feed(f"{HEAD}<n:r>{start}".encode())
    with pytest.raises(WireError):
        feed_without_end(decoder)


def test_a_long_text_in_small_pieces_takes_linear_time() -> None:
    decoder = ReplyDecoder(GetStoreName)
    decoder.feed(f"{HEAD}<n:r><lpszStoreName>".encode())
    for _ in range(3000):
        decoder.feed(b"0123456789abcdef" * 256)
    decoder.feed(f"</lpszStoreName></n:r>{TAIL}".encode())
    name = decoder.close().store_name
    assert name is not None
    assert len(name) == 3000 * 4096


MUTATED = [
    encode_reply(
        TableQueryRows, RowsReply(0, [[(0x0037001F, "a & b"), (0x00300040, 5), (0x00311102, (b"x",))]] * 3)
    ),
    encode_reply(LoadObject, ObjectReply(0, ObjectTree((ObjectTree(),), (1, 2), [(0x00370102, b"abc")]))),
    encode_request(GetStoreName(b"12345"), 99),
    encode_fault("Client", "reason"),
]


@examples(300)
@given(st.integers(0, 1 << 32), st.sampled_from(MUTATED))
def test_garbage_raises_nothing_but_the_two_errors(seed: int, body: bytes) -> None:
    chance = random.Random(seed)
    data = bytearray(body)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(300, len(data))
        match chance.randrange(4):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + chance.randrange(30)]
            case 2:
                data[at:at] = data[chance.randrange(len(data)) :][: chance.randrange(60)]
            case _:
                data[at:at] = bytes(chance.choices(b"<>/&;\"' =!-[]?0aZ\0\xff", k=4))
        if len(data) < 400:
            break
    for decoder in (ReplyDecoder(TableQueryRows), ReplyDecoder(LoadObject), RequestDecoder()):
        try:
            decoder.feed(bytes(data))
            decoder.close()
        except (WireError, Fault):
            continue


@examples(100)
@given(st.binary(max_size=200))
def test_any_bytes_raise_nothing_but_the_two_errors(data: bytes) -> None:
    for prefix in (b"", b"--", b"<", HEAD.encode() + b"<n:tableOpen>"):
        decoder = RequestDecoder()
        try:
            decoder.feed(prefix + data)
            decoder.close()
        except (WireError, Fault):
            continue


def test_a_null_reply_value_is_told_from_an_empty_one() -> None:
    from gateway.mapiclient.wire.calls_object import LoadProp

    body = encode_reply(LoadProp, LoadPropReply(0, None))
    assert decode_reply(LoadProp, body).prop_val is None
