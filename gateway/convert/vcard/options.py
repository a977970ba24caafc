"""What a conversion has to know beside the object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final, Protocol


@dataclass(frozen=True, slots=True)
class Person:
    """A contact or list as a member of a list sees it. ``addresses`` are its three e-mail slots, "" when unused."""

    uid: str
    entryid: bytes
    name: str
    addresses: tuple[str, str, str] = ("", "", "")
    is_list: bool = False
    is_here: bool = True
    """Whether it is in the same collection as the list."""


class Members(Protocol):
    """Where the members of lists are looked up."""

    def by_entryid(self, entryid: bytes) -> Person | None:
        """The contact, list or address book object of an entry id; None when it is gone."""
        ...

    def by_uid(self, uid: str) -> Person | None:
        """The contact or list of this collection with a UID (without ``urn:uuid:``); None when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """What a conversion has to know beside the object.

    ``zone`` is the mailbox owner's, for birthdays. ``address_of`` finds the SMTP address of an e-mail entry of
    another type (its entry id, type and address). ``members`` is for distribution lists.
    """

    zone: tzinfo = UTC
    address_of: Callable[[bytes | None, str, str], str | None] | None = None
    members: Members | None = None
    product: str = "-//mapi-gateway//EN"


DEFAULT: Final = Options()
