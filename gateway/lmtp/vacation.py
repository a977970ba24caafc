"""Out of office: whether a mail gets an automatic answer, and which (RFC 3834; the store's properties of it)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from pathlib import Path
from typing import Final

from twisted.internet.threads import deferToThreadPool

from gateway.lmtp.mail import Incoming
from gateway.mailbox.runtime import Runtime
from gateway.mapi import proptags as pr
from gateway.mapi.props import Props
from gateway.mapi.times import to_datetime
from gateway.smtp.person import Person

#: Senders that are programs (RFC 3834 2, RFC 5230 4.6).
_PROGRAM: Final = re.compile(
    r"(?:mailer-daemon|postmaster|listserv|majordomo|owner-.*|.*-owner|.*-request|.*-bounces?(?:\+.*)?|bounces?[-+].*"
    r"|no-?reply.*|do-?not-?reply.*)",
    re.IGNORECASE,
)
_LISTS: Final = (
    "list-id",
    "list-help",
    "list-subscribe",
    "list-unsubscribe",
    "list-post",
    "list-owner",
    "list-archive",
)
_SUPPRESS: Final = frozenset({"all", "oof", "autoreply"})
_LINE: Final = 900


def is_away(store: Props, now: int) -> bool:
    """Whether out of office is switched on now (FILETIME)."""
    if not store.get(pr.PR_EC_OUTOFOFFICE):
        return False
    begin, end = store.get(pr.PR_EC_OUTOFOFFICE_FROM) or 0, store.get(pr.PR_EC_OUTOFOFFICE_UNTIL) or 0
    return begin <= now and (not end or now < end)


def wants_answer(mail: Incoming, person: Person) -> bool:
    """Whether a mail may get an automatic answer at all (RFC 3834 2)."""
    sender = str(mail.sender).lower()
    if mail.sender.is_null or not mail.sender.domain or sender in person.addresses:
        return False
    if _PROGRAM.fullmatch(mail.sender.local):
        return False
    fields: Mapping[str, list[str]] = mail.fields
    automatic = mail.field("auto-submitted").partition(";")[0].strip().lower()
    if automatic not in ("", "no") or any(name in fields for name in _LISTS):
        return False
    if mail.field("precedence").lower() in ("bulk", "junk", "list"):
        return False
    suppressed = {word.strip().lower() for word in mail.field("x-auto-response-suppress").split(",")}
    return not suppressed & _SUPPRESS and "x-kopano-vacation" not in fields


def answer_to(mail: Incoming, person: Person, store: Props, now: int) -> bytes:
    """The answer: from the person, to the envelope's sender (RFC 3834 3, 4)."""
    message = EmailMessage(policy=SMTP)
    message["From"] = formataddr((_one_line(person.name), person.address))
    message["To"] = str(mail.sender)
    about = _one_line(mail.field("subject"))[:_LINE]
    subject = _one_line(store.get(pr.PR_EC_OUTOFOFFICE_SUBJECT) or "").replace("%subject", about)
    message["Subject"] = subject[:_LINE] or f"Auto: {about}"
    message["Date"] = format_datetime(to_datetime(now))
    message["Auto-Submitted"] = "auto-replied"
    message["X-Auto-Response-Suppress"] = "All"
    replied = re.fullmatch(r"<[^<>\s]{1,250}>", mail.message_id)
    if replied:
        message["In-Reply-To"] = message["References"] = mail.message_id
    message.set_content(store.get(pr.PR_EC_OUTOFOFFICE_MSG) or "")
    return message.as_bytes()


def _one_line(text: str) -> str:
    return " ".join(text.split())


class Vacations:
    """Who was answered when, kept in a small database so that a restart does not answer everybody again."""

    def __init__(self, runtime: Runtime, period: float, state: Path | None = None) -> None:
        self._runtime = runtime
        self._period = period
        self._state = state
        self._database: sqlite3.Connection | None = None

    def is_away(self, store: Props) -> bool:
        """Whether out of office is switched on."""
        return is_away(store, self._runtime.filetime())

    async def answer(self, store: Props, person: Person, mail: Incoming) -> bytes | None:
        """The answer to a mail, None when it gets none; it counts as sent."""
        if not self.is_away(store) or not person.address or not wants_answer(mail, person):
            return None
        reactor = self._runtime.reactor
        key = person.login, str(mail.sender).lower(), store.get(pr.PR_EC_OUTOFOFFICE_FROM) or 0
        first = await deferToThreadPool(reactor, reactor.getThreadPool(), self._is_first, key)
        return answer_to(mail, person, store, self._runtime.filetime()) if first else None

    def _is_first(self, key: tuple[str, str, int]) -> bool:
        """In a thread: note that a sender is answered; whether that is due."""
        now = self._runtime.now()
        with self._opened() as database:
            database.execute("delete from answered where at < ?", (now - self._period,))
            made = database.execute(
                "insert into answered values (?, ?, ?, ?) on conflict do nothing", (*key, now)
            ).rowcount
        return made == 1

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            place = ":memory:" if self._state is None else str(self._state / "vacation.sqlite")
            if self._state is not None:
                self._state.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(place, check_same_thread=False)
            with self._database as database:
                database.execute(
                    "create table if not exists answered (user text, sender text, since integer, at real,"
                    " primary key (user, sender, since)) without rowid"
                )
        return self._database

    def close(self) -> None:
        """Close the database."""
        if self._database is not None:
            self._database.close()
            self._database = None
