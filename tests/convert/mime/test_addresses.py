"""Address lists, proper and broken."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.convert.mime.addresses import GROUP_END, Address, address_list


def group(name: bytes) -> Address:
    return Address(None, name, None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", []),
        (b"<>", []),
        (b" , ,;", []),
        (b"a@x.example", [Address(None, b"a", b"x.example")]),
        (b'"Doe, John" <j@x.example>', [Address(b"Doe, John", b"j", b"x.example")]),
        (b"Joe Q. Public <j@x.example>", [Address(b"Joe Q. Public", b"j", b"x.example")]),
        (b'"" <j@x.example>', [Address(None, b"j", b"x.example")]),
        (b"a@x.example, b@x.example", [Address(None, b"a", b"x.example"), Address(None, b"b", b"x.example")]),
        (b"a@x.example; b@x.example", [Address(None, b"a", b"x.example"), Address(None, b"b", b"x.example")]),
        (
            b"a@x.example,\r\n b@x.example",
            [Address(None, b"a", b"x.example"), Address(None, b"b", b"x.example")],
        ),
        (b"a@x.example (Bob (the) Builder)", [Address(b"Bob (the) Builder", b"a", b"x.example")]),
        (b"Bob Smith bob@x.example", [Address(b"Bob Smith", b"bob", b"x.example")]),
        (b"a @ x.example", [Address(None, b"a", b"x.example")]),
        (b"< a@x.example >", [Address(None, b"a", b"x.example")]),
        (b"<@r,@s:a@x.example>", [Address(None, b"a", b"x.example")]),
        (b'"a b"@x.example', [Address(None, b"a b", b"x.example")]),
        (
            b'"a b"@x.example, "b\\"" <b@x.example>',
            [Address(None, b"a b", b"x.example"), Address(b'b"', b"b", b"x.example")],
        ),
        (b'<"a b"@x.example>', [Address(None, b"a b", b"x.example")]),
        (b"Bob <bob@[192.0.2.1]>", [Address(b"Bob", b"bob", b"[192.0.2.1]")]),
        (b"bob@[IPv6:2001:db8::1]", [Address(None, b"bob", b"[IPv6:2001:db8::1]")]),
        (b"mailto:a@x.example", [Address(None, b"a", b"x.example")]),
        (b"root", [Address(None, b"root", b"")]),
        (b"Some Body", [Address(b"Some Body", b"", b"")]),
        (b"Some Body <>", [Address(b"Some Body", b"", b"")]),
        (
            b'"open <a@x.example>, b@x.example',
            [Address(b'"open', b"a", b"x.example"), Address(None, b"b", b"x.example")],
        ),
        (b"Bob (open <a@x.example>", [Address(b"Bob open", b"a", b"x.example")]),
        (b"<a@x.example", [Address(None, b"a", b"x.example")]),
        (b"=?utf-8?Q?Doe,_J?= <j@x.example>", [Address(b"=?utf-8?Q?Doe,_J?=", b"j", b"x.example")]),
        (b"=?utf-8?Q?j@x.example?= <j@x.example>", [Address(b"=?utf-8?Q?j@x.example?=", b"j", b"x.example")]),
        (b"=?utf-8?Q?j@x.example?=", [Address(b"=?utf-8?Q?j@x.example?=", b"", b"")]),
        (b"\xc3\xbc@\xc3\xbc.example", [Address(None, b"\xc3\xbc", b"\xc3\xbc.example")]),
        (b"t:;", [group(b"t"), GROUP_END]),
        (b"t:", [group(b"t"), GROUP_END]),
        (
            b"t: a@x.example; , b@x.example",
            [group(b"t"), Address(None, b"a", b"x.example"), GROUP_END, Address(None, b"b", b"x.example")],
        ),
        (b'"A B" (c): a@x.example', [group(b"A B"), Address(None, b"a", b"x.example"), GROUP_END]),
    ],
)
def test_lists(value: bytes, expected: list[Address]) -> None:
    assert address_list(value) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (Address(None, b"a", b"x.example"), b"a@x.example"),
        (Address(None, b"a b", b"x.example"), b'"a b"@x.example'),
        (Address(None, b'a"b', b"x.example"), b'"a\\"b"@x.example'),
        (Address(None, b"root", b""), b"root"),
        (Address(None, b"", b"x.example"), b'""@x.example'),
        (Address(b"Name", b"", b""), b""),
        (group(b"t"), b""),
        (GROUP_END, b""),
    ],
)
def test_specification(address: Address, expected: bytes) -> None:
    assert address.spec == expected


def test_ml22_ten_thousand_recipients() -> None:
    value = b", ".join(b'"Doe, J %d" <j%d@x.example>' % (n, n) for n in range(10000))
    assert len(address_list(value)) == 10000


@pytest.mark.parametrize(
    "piece", [b"(", b'"', b"<", b'\\"', b'<"\\"', b"a:;", b"=?q?q?", b"[", b"@ ", b'"\\"(', b"()<"]
)
def test_time_grows_with_the_length_only(piece: bytes) -> None:
    begin = time.process_time()
    address_list(piece * 20000)
    assert time.process_time() - begin < 2


@given(st.binary(max_size=200) | st.lists(st.sampled_from(list(b'"\\(<>@,;:[]= a?q.'))).map(bytes))
def test_any_bytes(value: bytes) -> None:
    for address in address_list(value):
        assert address.mailbox is not None or address == GROUP_END
        assert isinstance(address.spec, bytes)
