"""Files of meetings: guests get them with the invitation and hear of changes (RFC 8607 3.12.6, RFC 6638 3.2.1)."""

from __future__ import annotations

import re
from base64 import b64encode
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from gateway.dav.scheduling import enclosed
from tests.dav.meetings import Person, Site, meeting
from tests.dav.server import Reply
from tests.dav.test_attachments import address, lines

SERIES = "RRULE:FREQ=DAILY;COUNT=4"


def post(
    person: Person, name: str, action: str, key: str = "", data: bytes = b"agenda", rid: str = ""
) -> Reply:
    """An action on a file of an event in the default calendar."""
    query = (
        f"action=attachment-{action}" + (f"&managed-id={key}" if key else "") + (f"&rid={rid}" if rid else "")
    )
    disposition = f'attachment; filename="{action}.txt"'
    path = f"{person.calendar}{name}.ics?{query}"
    return person("POST", path, data, Content_Type="text/plain", Content_Disposition=disposition)


def files(person: Person, uid: str) -> dict[str, bytes]:
    """The files of an event, by name."""
    found = lines(person, person.path_of(uid))
    return {re.findall("FILENAME=([^;:]*)", each)[0]: person("GET", address(each)).body for each in found}


def parts(site: Site) -> list[str]:
    """The types and file names of the parts of the mails that are on their way."""
    parsed: list[Any] = [message_from_bytes(mail, policy=default) for _, _, mail in site.post.smarthost.mails]
    leaves = [part for mail in parsed for part in mail.walk() if not part.is_multipart()]
    return [f"{part.get_content_type()} {part.get_filename() or ''}".strip() for part in leaves]


def test_a_file_that_the_organizer_adds_reaches_his_guests(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("m", boss, ann))
    site.deliver()
    assert ann.messages() == ["REQUEST m"]
    added = post(boss, "m", "add")
    assert added.status == 201
    assert site.sent() == [f"REQUEST {ann.address}"]
    assert parts(site) == ["text/plain", "text/calendar", "text/plain add.txt"]
    assert b"ATTACH" not in site.post.smarthost.mails[0][2]
    site.deliver()
    ann.messages()
    assert files(ann, "m") == {"add.txt": b"agenda"}
    key = added.headers["cal-managed-id"]
    assert f"MANAGED-ID={key}" in boss.get("m")
    assert f"SCHEDULE-STATUS=1.1:mailto:{ann.address}" in boss.get("m")


def test_a_file_is_exchanged_and_taken_away(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("m", boss, ann))
    site.deliver()
    ann.messages()
    assert post(ann, "m", "add", data=b"mine").status == 404  # her event has the name that the server gave it
    own = ann.path_of("m").rpartition("/")[2].removesuffix(".ics")
    assert post(ann, own, "add", data=b"mine").status == 201
    assert site.sent() == []
    key = post(boss, "m", "add", data=b"first").headers["cal-managed-id"]
    site.deliver()
    ann.messages()

    key = post(boss, "m", "update", key, b"second").headers["cal-managed-id"]
    site.deliver()
    ann.messages()
    assert files(ann, "m") == {"add.txt": b"mine", "update.txt": b"second"}
    assert post(boss, "m", "remove", key).status == 204
    assert site.deliver() == [f"REQUEST {ann.address}"]
    ann.messages()
    assert files(ann, "m") == {"add.txt": b"mine"}
    assert ann.messages().count("REQUEST m") == 4


@pytest.mark.parametrize("size", [6, 300_000])
def test_a_file_inside_of_the_text_goes_with_the_invitation(
    site: Site, boss: Person, ann: Person, size: int
) -> None:
    data = bytes(size)
    inline = (
        f"ATTACH;VALUE=BINARY;ENCODING=BASE64;FMTTYPE=text/plain;X-FILENAME=in.txt:{b64encode(data).decode()}"
    )
    boss.put("m", meeting("m", boss, ann, more=inline))
    site.deliver()
    ann.messages()
    assert files(ann, "m") == {"in.txt": data}


def test_a_file_of_an_instance(site: Site, boss: Person, ann: Person) -> None:
    boss.put("s", meeting("s", boss, ann, more=SERIES))
    site.deliver()
    ann.messages()
    assert post(boss, "s", "add", rid="20261202T090000Z").status == 201
    assert site.deliver() == [f"REQUEST {ann.address}"]
    ann.messages()
    [master, instance] = ann.event("s").split("BEGIN:VEVENT")[1:]
    assert "ATTACH" not in master
    assert "RECURRENCE-ID;TZID=Europe/Berlin:20261202T100000" in instance
    assert files(ann, "s") == {"add.txt": b"agenda"}


def test_what_no_mail_can_carry_stays_a_link(site: Site, boss: Person, ann: Person) -> None:
    boss.put("m", meeting("m", boss, ann))
    site.deliver()
    added = post(boss, "m", "add", data=bytes(enclosed.MOST + 1))
    assert added.status == 201
    assert site.sent() == [f"REQUEST {ann.address}"]
    assert parts(site) == ["text/plain", "text/calendar"]
    mail = site.post.smarthost.mails[0][2].decode().replace("\r\n ", "")
    assert re.search(
        rf"ATTACH;[^:]*FILENAME=add.txt[^:]*:http://[^\r]*{re.escape(added.headers['location'])}", mail
    )
    assert "MANAGED-ID" not in mail


def test_a_guest_who_has_not_read_the_invitation_yet(site: Site, boss: Person, ann: Person) -> None:
    """A cancellation carries no files."""
    boss.put("m", meeting("m", boss, ann))
    post(boss, "m", "add")
    site.deliver()
    assert boss("DELETE", f"{boss.calendar}m.ics").status == 204
    assert site.sent() == [f"CANCEL {ann.address}"]
    assert parts(site) == ["text/plain", "text/calendar"]
