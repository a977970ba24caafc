"""People with a DAV head each can reach, and the post between them: queue, smarthost, delivery."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

from gateway.dav.kepthrefs import KeptHrefs
from gateway.dav.options import Options
from gateway.dav.scheduling.sending import Sending
from gateway.dav.service import DavFactory
from gateway.mapi.content import MessageContent
from gateway.mapiclient.message import load_message
from gateway.submission.senders import may_send_as, person_named
from tests.dav import server as dav
from tests.dav.server import C, Client, D, Reply
from tests.submission import server as submission
from tests.support import reactor

OPTIONS = Options(timezone="Europe/Berlin")


class Person(Client):
    """Somebody with a calendar."""

    def __init__(self, site: Site, user: str, options: Options = OPTIONS) -> None:
        super().__init__(site.port(options), user)
        self.address = f"{user}@example.com"
        self.inbox = f"/{user}/schedule-inbox/"
        self.outbox = f"/{user}/schedule-outbox/"

    @property
    def calendar(self) -> str:
        """The path of the default calendar."""
        return self.collection("calendar")

    def put(self, name: str, text: str, **headers: str) -> Reply:
        """PUT into the default calendar; it has to succeed."""
        answer = self("PUT", f"{self.calendar}{name}.ics", text, Content_Type="text/calendar", **headers)
        assert answer.status in (201, 204), answer.text
        return answer

    def get(self, name: str) -> str:
        """An event of the default calendar, unfolded."""
        answer = self("GET", f"{self.calendar}{name}.ics")
        assert answer.status == 200, answer.text
        return dav.unfolded(answer.text)

    def event(self, uid: str) -> str:
        """The event of a UID in the default calendar, "" when there is none."""
        found = [text for text in self.texts(self.calendar).values() if f"UID:{uid}\r\n" in text]
        assert len(found) < 2
        return found[0] if found else ""

    def path_of(self, uid: str) -> str:
        """Where that is."""
        found = [path for path, text in self.texts(self.calendar).items() if f"UID:{uid}\r\n" in text]
        return found[0]

    def texts(self, path: str) -> dict[str, str]:
        """Everything in a collection by path."""
        _, paths = self.sync(path)
        return {each: dav.unfolded(self("GET", each).text) for each in paths}

    def messages(self) -> list[str]:
        """What lies in the Inbox, as METHOD and UID."""
        found = []
        for text in self.texts(self.inbox).values():
            method, uid = re.search(r"METHOD:(\w+)", text), re.search(r"UID:(\S+)", text)
            found.append(f"{method[1] if method else '?'} {uid[1] if uid else '?'}")
        return sorted(found)

    def answer(self, uid: str, status: str, **headers: str) -> Reply:
        """Change one's own PARTSTAT, as a client does."""
        path, text = self.path_of(uid), self.event(uid)
        changed = re.sub(
            rf"(ATTENDEE[^\r]*?);PARTSTAT=[A-Z-]+([^\r]*:mailto:{re.escape(self.address)})",
            rf"\1;PARTSTAT={status}\2",
            text,
        ).replace(";RSVP=TRUE", "")
        return self("PUT", path, changed, **headers)

    def asks(self, attendees: list[str], start: str, end: str) -> dict[str, tuple[str, str]]:
        """Busy times: address to status and VFREEBUSY."""
        lines = [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "METHOD:REQUEST", "BEGIN:VFREEBUSY", "UID:fb-1",
            "DTSTAMP:20261101T000000Z", f"DTSTART:{start}", f"DTEND:{end}", f"ORGANIZER:mailto:{self.address}",
            *(f"ATTENDEE:mailto:{each}" for each in attendees), "END:VFREEBUSY", "END:VCALENDAR",
        ]  # fmt: skip
        answer = self("POST", self.outbox, "".join(f"{line}\r\n" for line in lines))
        assert answer.status == 200, answer.text
        found = {}
        for each in answer.xml.iter(f"{C}response"):
            href = each.findtext(f"{C}recipient/{D}href") or ""
            status, data = each.findtext(f"{C}request-status") or "", each.findtext(f"{C}calendar-data") or ""
            found[href.removeprefix("mailto:")] = (status, data)
        return found


class Site(dav.Server):
    """A store, DAV heads before it, and mail."""

    def __init__(self, post: submission.Server) -> None:
        super().__init__(post.store)
        self.post = post
        self._lmtp = post.listen_lmtp()

    def _head(self, options: Options, portion: int, kept: KeptHrefs | None) -> DavFactory:
        async def allowed(user: str, address: str) -> bool:
            person = await person_named(await self.post.trustees.system(), user)
            return await may_send_as(self.post.trustees, person, address)

        sending = Sending(queue_runs=True, may_send_as=allowed)
        return DavFactory(
            self.sessions,
            options,
            reactor.reactor,
            clock=dav.clock,
            sending=sending,
            portion=portion,
            kept=kept,
        )

    def new_user(self) -> str:
        return self.post.new_user()

    def person(self, options: Options = OPTIONS) -> Person:
        """Somebody new."""
        return Person(self, self.new_user(), options)

    def sent(self) -> list[str]:
        """What is in the queue: METHOD and recipients of each mail. Nothing is delivered."""
        self.post.empty()
        return [f"{_method(mail)} {' '.join(sorted(to))}" for _, to, mail in self.post.smarthost.mails]

    def deliver(self) -> list[str]:
        """Send what is queued to where it belongs; METHOD and recipients of each mail."""
        found = self.sent()
        mails = list(self.post.smarthost.mails)
        self.post.smarthost.mails.clear()
        with smtplib.LMTP("127.0.0.1", self._lmtp) as lmtp:
            for sender, recipients, mail in mails:
                for recipient in recipients:
                    lmtp.sendmail(sender, [recipient], mail)
        return sorted(found)

    def message(self, user: str, entryid: bytes) -> MessageContent:
        """A stored message."""

        async def work(session: Any) -> MessageContent:
            return (await load_message(session, entryid)).content

        found: MessageContent = self.run(user, work)
        return found


def _method(mail: bytes) -> str:
    parsed: Any = message_from_bytes(mail, policy=default)
    for part in parsed.walk():
        if part.get_content_type() == "text/calendar":
            return str(part.get_param("method"))
    return "none"


@contextmanager
def running_site(directory: Path) -> Iterator[Site]:
    with submission.running_server(directory) as post:
        site = Site(post)
        try:
            yield site
        finally:
            site.close()


def meeting(
    uid: str, organizer: Person, *guests: Person | str, start: str = "20261201T100000", more: str = ""
) -> str:
    """An event of one hour with guests; ``more`` are lines."""
    addresses = [each if isinstance(each, str) else f"mailto:{each.address}" for each in guests]
    people = [
        each if each.startswith("ATTENDEE") else f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:{each}"
        for each in addresses
    ]
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20261101T000000Z",
        f"DTSTART;TZID=Europe/Berlin:{start}", "DURATION:PT1H", f"SUMMARY:Meeting {uid}",
        f"ORGANIZER;CN=Boss:mailto:{organizer.address}", *people, *more.split("\n"), "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    return "".join(f"{line}\r\n" for line in lines if line)
