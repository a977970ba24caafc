"""Out of office: whether a mail gets an automatic answer, what it says, and who had one (RFC 3834)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Final

from twisted.internet.threads import deferToThreadPool

from gateway.convert.mime.addresses import address_list
from gateway.lmtp.forwards import came_back, one_line
from gateway.lmtp.mail import Incoming
from gateway.mailbox.runtime import Runtime
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.props import Props
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
_AUTOMATIC: Final = re.compile(r"[\w-]+")
_ADDRESSED: Final = ("to", "cc", "resent-to", "resent-cc")


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
    automatic = _AUTOMATIC.match(mail.field("auto-submitted").lower())
    if (automatic and automatic[0] != "no") or any(name in fields for name in _LISTS):
        return False
    if mail.field("return-path").strip() == "<>" or came_back(mail, person):
        return False
    if mail.field("content-type").lower().startswith("multipart/report"):
        return False
    if mail.field("precedence").lower() in ("bulk", "junk", "list"):
        return False
    suppressed = {word.strip().lower() for word in mail.field("x-auto-response-suppress").split(",")}
    return not suppressed & _SUPPRESS and "x-kopano-vacation" not in fields


def is_addressed(mail: Incoming, person: Person) -> bool:
    """Whether the header names the person as who should read it, and not a list or a blind copy (RFC 3834 2)."""
    named = (text for name in _ADDRESSED for text in mail.fields.get(name, ()))
    specs = (entry.spec for text in named for entry in address_list(text.encode()))
    return any(spec.decode("utf-8", "replace").lower() in person.addresses for spec in specs if spec)


def template_of(store: Props, about: str) -> MessageContent:
    """What the user wants said while away, to a mail with the subject ``about``."""
    about = one_line(about)
    subject = one_line(store.get(pr.PR_EC_OUTOFOFFICE_SUBJECT) or "").replace("%subject", about)
    body = store.get(pr.PR_EC_OUTOFOFFICE_MSG) or ""
    return MessageContent({pr.PR_SUBJECT: subject or f"Auto: {about}", pr.PR_BODY: body})


class Vacations:
    """Who was answered when, kept in a small database so that a restart does not answer everybody again."""

    def __init__(self, runtime: Runtime, state: Path | None = None) -> None:
        self._runtime = runtime
        self._state = state
        self._database: sqlite3.Connection | None = None
        self._lock = Lock()

    def is_away(self, store: Props) -> bool:
        """Whether out of office is switched on."""
        return is_away(store, self._runtime.filetime())

    async def is_first(self, user: str, sender: str, occasion: str, period: float) -> bool:
        """Note that a sender is answered; whether that is due: nothing was answered on this occasion for a period."""
        reactor = self._runtime.reactor
        key = user, sender.lower(), occasion
        return await deferToThreadPool(reactor, reactor.getThreadPool(), self._noted, key, period)

    def _noted(self, key: tuple[str, str, str], period: float) -> bool:
        now = self._runtime.now()
        with self._lock, self._opened() as database:
            database.execute("delete from answers where until < ?", (now,))
            made = database.execute(
                "insert into answers values (?, ?, ?, ?) on conflict do nothing", (*key, now + period)
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
                    "create table if not exists answers (user text, sender text, occasion text, until real,"
                    " primary key (user, sender, occasion)) without rowid"
                )
        return self._database

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None
