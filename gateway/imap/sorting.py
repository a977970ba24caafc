"""The order of messages (RFC 5256 section 2, RFC 5957): keys from the View's columns and from envelopes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final

from gateway.convert.mime import encoded
from gateway.imap.codec.envelope import Address, Envelope, parse_envelope
from gateway.imap.collation import casemap
from gateway.imap.subjects import base_subject
from gateway.mailbox.view import View

#: Envelopes that are read at a time.
BATCH: Final = 500
_BY_VIEW: Final = frozenset({"ARRIVAL", "SIZE", "RELEVANCY"})


@dataclass(frozen=True, slots=True)
class Mail:
    """What a message is sorted by."""

    uid: int
    arrival: int
    size: int
    envelope: Envelope
    relevancy: int = 0
    """How well it matches a fuzzy search, 1 to 100."""

    @property
    def sent(self) -> float:
        """The sent date in UTC; the internal date when there is none (2.2)."""
        return sent_date(self.envelope.date, self.arrival)

    @property
    def subject(self) -> tuple[str, bool]:
        """The base subject, and whether this is a reply."""
        return base_subject(encoded.text(self.envelope.subject))


def sent_date(text: bytes, otherwise: float) -> float:
    """Unix seconds of a Date field."""
    try:
        moment = parsedate_to_datetime(text.decode("ascii"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, UnicodeDecodeError):
        return float(otherwise)


def _mailbox(address: Address) -> str:
    return casemap(address.mailbox.decode("utf-8", "replace"))


def _display(address: Address) -> str:
    """The name, or the address where there is none (RFC 5957 section 3)."""
    if address.name:
        return casemap(encoded.text(address.name))
    return casemap(b"@".join(filter(None, (address.mailbox, address.host))).decode("utf-8", "replace"))


_KEYS: Final[dict[str, Callable[[Mail], Any]]] = {
    "ARRIVAL": lambda mail: mail.arrival,
    "CC": lambda mail: _mailbox(mail.envelope.cc),
    "DATE": lambda mail: mail.sent,
    "DISPLAYFROM": lambda mail: _display(mail.envelope.sender),
    "DISPLAYTO": lambda mail: _display(mail.envelope.to),
    "RELEVANCY": lambda mail: -mail.relevancy,
    "FROM": lambda mail: _mailbox(mail.envelope.sender),
    "SIZE": lambda mail: mail.size,
    "SUBJECT": lambda mail: mail.subject[0],
    "TO": lambda mail: _mailbox(mail.envelope.to),
}


def in_order(mails: Sequence[Mail], criteria: Sequence[tuple[str, bool]]) -> list[int]:
    """UIDs sorted by the criteria, the first the most important; then by UID (section 3)."""
    ordered = sorted(mails, key=lambda mail: mail.uid)
    for name, backwards in reversed(criteria):
        # Stable also when reversed: messages that are equal stay in the order they had.
        ordered.sort(key=_KEYS[name], reverse=backwards)
    return [mail.uid for mail in ordered]


def by_relevancy(criteria: Sequence[tuple[str, bool]]) -> bool:
    """Whether scores are needed."""
    return any(name == "RELEVANCY" for name, _ in criteria)


def scored(mails: Sequence[Mail], scores: Mapping[int, int]) -> list[Mail]:
    """The mails with their scores (RFC 6203 section 6: the highest comes first)."""
    return [replace(mail, relevancy=scores.get(mail.uid, 0)) for mail in mails]


async def mails_of(view: View, uids: Sequence[int], criteria: Sequence[tuple[str, bool]]) -> list[Mail]:
    """What is needed of messages to sort them; those that are gone are left out."""
    wanted = {name for name, _ in criteria}
    if wanted <= _BY_VIEW:
        sizes = await view.sizes(uids) if "SIZE" in wanted else {}
        places = [(uid, view.index(uid)) for uid in uids]
        return [Mail(uid, view.dates[at], sizes.get(uid, 0), Envelope()) for uid, at in places if at >= 0]
    found: list[Mail] = []
    for start in range(0, len(uids), BATCH):
        metas = await view.envelopes(uids[start : start + BATCH])
        found += [
            Mail(meta.uid, meta.internal_date, meta.size, parse_envelope(meta.envelope))
            for meta in metas
            if meta is not None
        ]
    return found
