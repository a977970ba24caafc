"""Recorded traffic of a real kopano-server, sent to our store: its answers must have the recorded shape.

What differs because the recorded mailboxes had other content is listed here, and nothing else may differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.mapiclient.recordings import files
from tests.storeserver.replay import Exchange, World, differences, flow, parsed
from tests.support.store import running_store

#: Beginnings of the names of flows that can be replayed, in this order.
FLOWS = [
    "01",
    "02",
    "20",
    "21",
    "22",
    "23",
    "24",
    "25",
    "30",
    "04",
    "03",
    "06",
    "07",
    "31",
    "32",
    "33",
    "34",
    "41",
    "43",
    "44",
    "45",
    "46",
    "47",
    "50",
    "51",
    "52",
    "54",
    "56",
    "60",
    "61",
    "62",
    "63",
    "64",
    "66",
    "68",
    "69",
    "70",
]

#: Properties that recorded objects had, or had not, because of what people did with them before.
CONTENT = {
    0x6760000B,  # out of office settings of a store
    0x6761001F,
    0x6762001F,
    0x3FE10102,  # rules, subscriptions and highest UID of an inbox
    0x67840102,
    0x67850003,
    0x670A0040,  # when something was last put into a folder
    0x66A20040,  # last logon and logoff
    0x66A30040,
    0x0E080014,  # SYSTEM's store has a size, times and quotas here
    0x30070040,
    0x30080040,
    0x67210003,
    0x67220003,
    0x67230003,
    0x8006001F,  # name of the server as Exchange would write it
    0x8006000A,
    0x678C0102,  # what loadObject did not tell, so that the replayed message lacks it
    0x1000001F,
    0x37010102,
    0x0E05001F,  # computed tags that a client had saved as if they were its own
    0x67150003,
    0x67AA000B,
    0x0E140003,
}
#: Replies that depend on what is in a mailbox, or on calls that were not kept, by flow and number.
OTHER_CONTENT = {
    "01": "0017",
    "03": "0002 0009 0013 0032 0033",
    "04": "0009 0016 0017 0025 0065 0072 0084 0091",
    "07": "0014 0041 0042",
    "30": "0016 0017 0020",
    "32": "0005 0008 0011 0012 0036 0044",
    "33": "0005",
    "34": "0005 0008 0010",
    "45": "0024",
    "50": "0011 0020 0056",
    "56": "0017 0023",
    "61": "0023 0028 0033",
    "68": "0004 0023",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_store(tmp_path_factory.mktemp("store")) as store:
        made = World(store)
        yield made
        made.close()


def only_content(exchange: Exchange, difference: str) -> bool:
    """Whether a difference is about content that the recorded mailbox had."""
    if exchange.name in OTHER_CONTENT.get(exchange.flow[:2], "").split():
        return True
    tags = {int(tag, 16) for tag in re.findall(r"\b[0-9a-f]{8}\b", difference.partition(": ")[2])}
    return ("tags missing" in difference or "properties missing" in difference) and tags <= CONTENT


def test_our_answers_have_the_recorded_shape(world: World) -> None:
    compared, skipped, wrong = 0, 0, []
    for name in FLOWS:
        for exchange in flow(f"{name}-"):
            if exchange.call == "notifyGetItems":
                continue  # what happens when is another matter; see test_notices
            unknown, found = world.replay(exchange)
            compared, skipped = compared + (not unknown), skipped + bool(unknown)
            wrong += [
                f"{exchange.flow} {exchange.name} {exchange.call} {difference}"
                for difference in found
                if not only_content(exchange, difference)
            ]
    assert wrong == []
    assert compared > 600
    assert skipped < 5


def test_a_wrong_answer_would_be_noticed(world: World) -> None:
    exchange = next(one for one in flow("01-") if one.call == "getStore")
    recorded = parsed(exchange.reply)
    assert list(differences(recorded, parsed(exchange.reply))) == []
    for was, becomes in (
        (b"<er>0</er>", b"<er>1</er>"),
        (b"<sRootId>", b"<root>"),
        (b"getStoreResponse", b"getStoreReply"),
    ):
        changed = exchange.reply.replace(was, becomes).replace(
            b"</sRootId>", b"</root>" if b"root" in becomes else b"</sRootId>"
        )
        assert list(differences(recorded, parsed(changed))) != []


ERRORS = sorted(path for path in files() if path.startswith("90-") and path.endswith(".req.http"))


@pytest.mark.parametrize("path", ERRORS)
def test_errors_look_like_the_recorded_ones(world: World, path: str) -> None:
    recorded = files()
    first, *lines = recorded[path].decode().splitlines()
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    for name in ("Content-Length", "Host", "Accept-Encoding"):
        headers.pop(name, None)
    body = recorded.get(path.replace(".http", ".xml"), b"")
    wanted = recorded[path.replace(".req.", ".res.")].decode()
    with world.store.client() as client:
        status, answer = client.raw(body, method=first.split()[0], headers=headers)
        assert status == int(wanted.split()[1])
        assert client.headers["connection"] == ("close" if "Connection: close" in wanted else "keep-alive")
        assert client.headers["content-type"] == "text/xml; charset=utf-8"
    reply = recorded[path.replace(".req.http", ".res.xml")]
    assert list(differences(parsed(reply), parsed(answer))) == []
