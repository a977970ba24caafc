"""Managed attachments of single instances of a series (RFC 8607 3.3.2)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.mapi.rights import Rights
from tests.dav.server import Client, Reply, Server, event, unfolded
from tests.dav.test_attachments import C_NS, address, lines
from tests.dav.test_sharing import share


@pytest.fixture
def series(client: Client) -> str:
    """Four days in December, the second of them an hour later."""
    found = f"{client.collection('calendar')}s.ics"
    moved = [
        "BEGIN:VEVENT",
        "UID:s",
        "RECURRENCE-ID:20261202T100000Z",
        "DTSTART:20261202T110000Z",
        "DURATION:PT1H",
    ]
    more = ["RRULE:FREQ=DAILY;COUNT=4", "X-OWN:kept", "END:VEVENT", *moved, "SUMMARY:Later"]
    assert client("PUT", found, event("s", "Daily", "20261201T100000Z", *more)).status == 201
    return found


def files(client: Client, path: str) -> dict[str, list[str]]:
    """The file names of the series ("") and of its modified instances, by day of December."""
    found = {}
    for text in unfolded(client("GET", path).text).split("BEGIN:VEVENT")[1:]:
        day = re.search(r"^RECURRENCE-ID[^:]*:202612(\d\d)", text, re.M)
        found[day[1] if day else ""] = re.findall(r"^ATTACH.*;FILENAME=([^;:]*)", text, re.M)
    return found


def post(client: Client, path: str, action: str, rid: str = "", key: str = "", data: bytes = b"data") -> Reply:
    query = f"action=attachment-{action}"
    query += f"&rid={rid}" if rid else ""
    query += f"&managed-id={key}" if key else ""
    headers = {"Content_Type": "text/plain", "Content_Disposition": f'attachment; filename="{action}.txt"'}
    return client("POST", f"{path}?{query}", data, **headers)


@pytest.mark.parametrize(
    ("rid", "found"),
    [
        ("", {"": ["add.txt"], "02": ["add.txt"]}),
        ("M", {"": ["add.txt"], "02": []}),
        ("20261202T100000Z", {"": [], "02": ["add.txt"]}),
        ("20261203T100000Z", {"": [], "02": [], "03": ["add.txt"]}),
        ("20261204T100000Z,M", {"": ["add.txt"], "02": [], "04": ["add.txt"]}),
    ],
)
def test_a_file_of_some_instances(client: Client, series: str, rid: str, found: dict[str, list[str]]) -> None:
    """RFC 8607 3.3.2, 3.4: M is the series, nothing all of them; an instance that is not modified becomes so."""
    added = post(client, series, "add", rid)
    assert added.status == 201, added.text
    assert files(client, series) == found
    key = added.headers["cal-managed-id"]
    text = unfolded(client("GET", series).text)
    assert text.count(f"MANAGED-ID={key};") == sum(map(len, found.values()))
    assert text.count("X-OWN:kept") == (1 if "03" not in found and "04" not in found else 2)
    assert client("GET", added.headers["location"]).body == b"data"


def test_a_file_is_exchanged_wherever_it_is(client: Client, series: str) -> None:
    """RFC 8607 3.5: an update has no rid."""
    old = post(client, series, "add").headers
    refused = post(client, series, "update", "M", old["cal-managed-id"])
    assert (refused.status, "valid-rid" in refused.text) == (403, True)
    new = post(client, series, "update", key=old["cal-managed-id"], data=b"another")
    assert new.status == 200
    assert files(client, series) == {"": ["update.txt"], "02": ["update.txt"]}
    assert client("GET", new.headers["location"]).body == b"another"
    assert client("GET", old["location"]).status == 404


def test_a_file_is_taken_from_one_instance(client: Client, series: str) -> None:
    """RFC 8607 3.6."""
    key = post(client, series, "add").headers["cal-managed-id"]
    assert post(client, series, "remove", "20261203T100000Z", key).status == 204
    assert files(client, series) == {"": ["add.txt"], "02": ["add.txt"], "03": []}
    refused = post(client, series, "remove", "20261203T100000Z", key)
    assert (refused.status, "valid-managed-id" in refused.text) == (403, True)
    assert post(client, series, "remove", key=key).status == 204
    assert files(client, series) == {"": [], "02": [], "03": []}


def test_a_large_file_of_all_instances(client: Client, series: str) -> None:
    """Each instance keeps all of it."""
    data = bytes(range(256)) * 12_000
    added = post(client, series, "add", data=data).headers
    assert post(client, series, "add", "M", data=b"small").status == 201
    assert client("GET", added["location"]).body == data
    assert post(client, series, "remove", "M", added["cal-managed-id"]).status == 204
    assert files(client, series) == {"": ["add.txt"], "02": ["add.txt"]}
    assert client("GET", added["location"]).body == data


@pytest.mark.parametrize(
    "rid", ["20261205T100000Z", "20261203T103000Z", "20261203", "tomorrow", "M,20261130T100000Z"]
)
def test_an_instance_that_is_not_there(client: Client, series: str, rid: str) -> None:
    refused = post(client, series, "add", rid)
    assert (refused.status, f"<valid-rid xmlns='{C_NS}'/>" in refused.text) == (403, True)
    assert files(client, series) == {"": [], "02": []}


def test_an_instance_of_whole_days_is_named_by_its_date(client: Client) -> None:
    path = f"{client.collection('calendar')}days.ics"
    text = event("days", "Days", "20261201", "RRULE:FREQ=DAILY;COUNT=3")
    text = text.replace("DTSTART:", "DTSTART;VALUE=DATE:").replace("DURATION:PT1H", "DURATION:P1D")
    assert client("PUT", path, text).status == 201
    assert post(client, path, "add", "20261202").status == 201
    assert files(client, path) == {"": [], "02": ["add.txt"]}


def test_an_instance_that_a_client_modifies_keeps_the_files_that_it_names(client: Client, series: str) -> None:
    """RFC 8607 3.7: the new instance names the file of the series."""
    key = post(client, series, "add", "M").headers["cal-managed-id"]
    text = unfolded(client("GET", series).text).replace("\r", "")
    [line] = {each for each in text.split("\n") if each.startswith("ATTACH")}
    instance = [
        "BEGIN:VEVENT",
        "UID:s",
        "RECURRENCE-ID:20261204T100000Z",
        "DTSTART:20261204T120000Z",
        "DURATION:PT1H",
    ]
    text = text.replace(
        "END:VCALENDAR", "\n".join([*instance, "SUMMARY:Noon", line, "END:VEVENT", "END:VCALENDAR"])
    )
    assert client("PUT", series, text).status == 204
    assert files(client, series) == {"": ["add.txt"], "02": [], "04": ["add.txt"]}
    assert post(client, series, "remove", "M", key).status == 204
    assert files(client, series) == {"": [], "02": [], "04": ["add.txt"]}
    assert client("GET", address(line)).body == b"data"


def test_a_private_instance_keeps_its_files_for_itself(dav: Server, client: Client, series: str) -> None:
    guest = dav.client()
    share(dav, client.user, guest.user, Rights.REVIEWER)
    text = client("GET", series).text.replace("SUMMARY:Later", "SUMMARY:Later\r\nCLASS:PRIVATE")
    assert client("PUT", series, text).status == 204
    hidden = post(client, series, "add", "20261202T100000Z").headers["location"]
    open_ = post(client, series, "add", "M").headers["location"]
    assert client("GET", hidden).status == 200
    assert (guest("GET", open_).status, guest("GET", hidden).status) == (200, 404)


def test_two_clients_add_files_to_a_series_at_once(client: Client, series: str) -> None:
    """One after the other: nobody's file is lost."""
    other = Client(client.port, client.user)

    def work(somebody: Client, rid: str) -> list[int]:
        return [post(somebody, series, "add", rid, data=rid.encode()).status for _ in range(3)]

    with ThreadPoolExecutor(2) as threads:
        done = [threads.submit(work, each, rid) for each, rid in ((client, "M"), (other, "20261202T100000Z"))]
        assert [each.result() for each in done] == [[201] * 3, [201] * 3]
    assert files(client, series) == {"": ["add.txt"] * 3, "02": ["add.txt"] * 3}
    assert len(set(lines(client, series))) == 6


def test_single_instances_are_supported(client: Client) -> None:
    """RFC 8607 3.2: who does not support them says so."""
    assert "no-recurrence" not in client("OPTIONS", "/").headers["dav"]
