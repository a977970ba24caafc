"""What the real server accepts although nobody writes it so (recorded with hand-made requests)."""

from __future__ import annotations

import pytest

from gateway.mapiclient.wire.calls_object import LoadObject
from gateway.mapiclient.wire.calls_session import Logoff, Logon
from gateway.mapiclient.wire.calls_table import TableGetRowCount, TableSetColumns
from gateway.mapiclient.wire.envelope import Fault, WireError, decode_request
from tests.mapiclient.recordings import files

SESSION = 12660676404088357743
ENTRYID, NAME = 268370178, 805371935


@pytest.mark.parametrize(
    ("number", "columns"),
    [
        ("0004", (ENTRYID, NAME)),
        ("0006", (ENTRYID, NAME)),  # no arrayType
        ("0008", (ENTRYID,)),  # a count that is empty
        ("0010", (ENTRYID,)),  # a count that is too high
        ("0012", (ENTRYID,)),  # an item of another name
        ("0014", (ENTRYID,)),  # with xsi:type
        ("0016", (ENTRYID,)),  # an unknown argument behind it
        ("0020", (ENTRYID,)),  # arguments in another order
    ],
)
def test_columns_are_read_however_they_are_written(number: str, columns: tuple[int, ...]) -> None:
    body = files()[f"93-raw-encoding-leniency/{number}_tableSetColumns.req.xml"]
    assert decode_request(body) == (TableSetColumns(1, columns), SESSION)


def test_qualified_arguments_are_ignored() -> None:
    body = files()["93-raw-encoding-leniency/0022_tableGetRowCount.req.xml"]
    assert decode_request(body) == (TableGetRowCount(0), 0)


def test_an_xml_declaration_is_not_needed() -> None:
    body = files()["93-raw-encoding-leniency/0021_tableGetRowCount.req.xml"]
    assert decode_request(body) == (TableGetRowCount(1), SESSION)


def test_base64_may_contain_blanks_but_nothing_else() -> None:
    call, _ = decode_request(files()["93-raw-encoding-leniency/0023_loadObject.req.xml"])
    assert isinstance(call, LoadObject)
    assert len(call.entryid) == 48
    with pytest.raises(WireError, match="sEntryId"):
        decode_request(files()["93-raw-encoding-leniency/0024_loadObject.req.xml"])


def test_texts_that_were_left_out_are_none() -> None:
    call, _ = decode_request(files()["93-raw-encoding-leniency/0001_logon.req.xml"])
    assert isinstance(call, Logon)
    assert (call.impersonate_user, call.client_app, call.license_req) == (None, "wire", b"")


@pytest.mark.parametrize("number", ["0010", "0011", "0012", "0013", "0014"])
def test_envelopes_of_either_version_and_any_prefix_are_read(number: str) -> None:
    assert decode_request(files()[f"90-raw-errors/{number}_logoff.req.xml"]) == (Logoff(), 1)


def test_an_unknown_method_is_a_fault_with_the_servers_words() -> None:
    with pytest.raises(
        Fault, match="Method 'ns:fooBar' not implemented: method name or namespace not recognized"
    ):
        decode_request(files()["90-raw-errors/0002_fooBar.req.xml"])
