"""An account: what one logged-in connection of a protocol head has of its user's mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.mailbox import acl
from gateway.mailbox.annotations import SERVER, Annotations
from gateway.mailbox.others import NOBODY, Wanted, owners_of
from gateway.mailbox.tree import PERSONAL, Mailbox, Mailboxes, is_mail_class
from gateway.mailbox.uploads import Upload, append
from gateway.mailbox.userstore import UserStore
from gateway.mailbox.view import View
from gateway.mailbox.writes import newest_uid
from gateway.mapi import proptags as pr
from gateway.mapi.rights import Rights
from gateway.mapiclient.folder import load_props
from gateway.mapiclient.session import Session
from gateway.mapiclient.wire.calls_directory import GetQuota, GetQuotaStatus, GetUser


@dataclass(frozen=True, slots=True)
class Status:
    """The numbers of a mailbox (RFC 9051 6.3.11). What was not asked for may be 0."""

    messages: int
    unseen: int
    uidnext: int
    uidvalidity: int
    highest_modseq: int = 0
    size: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class Quota:
    """Size of the store and its limit, in bytes; a limit of 0 is none."""

    used: int
    limit: int


class Account:
    """One connection's way to the mail of its user. `logout` gives everything back."""

    def __init__(self, store: UserStore, release: Callable[[], None]) -> None:
        self.store = store
        self._release = release
        self._views: dict[View, int] = {}
        self._closed = False

    @property
    def user(self) -> str:
        """Login name."""
        return self.store.user

    @property
    def session(self) -> Session:
        """The session all connections of the user share."""
        return self.store.session

    def logout(self) -> None:
        """Give back the Views and the session; the second time does nothing."""
        if self._closed:
            return
        self._closed = True
        for view in tuple(self._views):
            view.release(self)
        self._views.clear()
        self._release()

    # Mailboxes

    async def mailboxes(self, wanted: Wanted = NOBODY) -> Mailboxes:
        """The folder tree as of now, with what other users who are wanted let this one see (slower)."""
        return await self.store.mailboxes(wanted)

    async def mailbox(self, name: str) -> Mailbox:
        """The mailbox of a name, in whatever namespace (NotFound)."""
        return await self.as_granted((await self.mailboxes(owners_of(name))).get(name))

    async def as_granted(self, mailbox: Mailbox) -> Mailbox:
        """A mailbox with the rights of this moment (NotFound, NoAccess): in another store no notice tells of them."""
        if mailbox.namespace == PERSONAL:
            return mailbox
        props, _ = await load_props(self.session, mailbox.entryid)
        rights = props.get(pr.PR_RIGHTS, mailbox.rights)
        holds_mail = mailbox.selectable or is_mail_class(mailbox.container_class)
        return replace(mailbox, rights=rights, selectable=holds_mail and bool(rights & Rights.READ_ANY))

    async def create(self, name: str, use: str | None = None) -> Mailbox:
        """Create a mailbox, for a special use if one is given, and the parents it lacks.

        Collision, NoAccess, UseImpossible.
        """
        return await self.store.folders.create(name, self.store.seconds(), use)

    async def delete(self, name: str) -> None:
        """Delete a mailbox (NotFound, NoAccess for special ones, NotEmpty with mailboxes below it)."""
        self.store.forget_view(await self.store.folders.delete(name, self.store.seconds()))

    async def rename(self, old: str, new: str) -> None:
        """Rename a mailbox with all below it; INBOX gives its mails to a new mailbox (RFC 9051 6.3.6)."""
        inbox = (await self.mailboxes(owners_of(old))).get(old)
        if not inbox.is_inbox:
            await self.store.folders.rename(old, new, self.store.seconds())
            await self.store.follow_tree()
            return
        target = await self.create(new)
        view = await self.view(inbox)
        try:
            await view.copy(view.uids, target, move=True)
        finally:
            self.release(view)

    async def subscriptions(self) -> frozenset[str]:
        """Names of the subscribed mailboxes."""
        return await self.store.folders.subscriptions(self.store.seconds())

    async def subscribe(self, name: str, *, on: bool = True) -> None:
        """Subscribe or unsubscribe a mailbox (NotFound)."""
        await self.store.folders.subscribe(name, self.store.seconds(), on=on)

    async def status(self, mailbox: Mailbox, *, full: bool = False, uidnext: bool = True) -> Status:
        """The numbers of a mailbox; ``full`` adds the mod-sequence and sizes, which opens the mailbox.

        Without ``uidnext`` UIDNEXT may be 0, which saves a call.
        """
        view = self.store.peek(mailbox)
        if view is not None or full:
            return await self._status_of_view(mailbox)
        props, _ = await load_props(self.session, mailbox.entryid)
        return Status(
            props.get(pr.PR_CONTENT_COUNT, 0),
            props.get(pr.PR_CONTENT_UNREAD, 0),
            await self._uidnext(mailbox) if uidnext else 0,
            mailbox.uidvalidity,
        )

    async def _status_of_view(self, mailbox: Mailbox) -> Status:
        view = await self.view(mailbox)
        try:
            sizes = await view.sizes(view.uids) if not all(view.size_column) else None
            total = sum(view.size_column) if sizes is None else sum(sizes.values())
            return Status(
                len(view.uids),
                sum(not flags & 1 for flags in view.flags),
                view.uidnext,
                view.uidvalidity,
                view.highest_modseq,
                total,
                sum(bool(flags & 8) for flags in view.flags),
            )
        finally:
            self.release(view)

    async def _uidnext(self, mailbox: Mailbox) -> int:
        """As SELECT would tell it: the newest message may be gone again."""
        key = self.store.cache_key(mailbox)
        known = await self.store.in_cache(lambda cache: cache.uidnext(key))
        return max(known, await newest_uid(self.session, mailbox) + 1)

    # Messages

    async def view(self, mailbox: Mailbox) -> View:
        """The View of a mailbox, up to date; `release` it as often as it was asked for."""
        view = await self.store.view(mailbox, self)
        self._views[view] = self._views.get(view, 0) + 1
        return view

    def release(self, view: View) -> None:
        """Give a View back."""
        count = self._views.get(view, 0) - 1
        if count > 0:
            self._views[view] = count
        elif count == 0:
            del self._views[view]
            view.release(self)

    async def append(self, mailbox: Mailbox, uploads: Sequence[Upload]) -> list[int]:
        """Store mails, all or none; their UIDs in order (QuotaExceeded, NoAccess, NotFound)."""
        return await append(self.store, mailbox, uploads)

    # Rights and annotations

    async def access_list(self, mailbox: Mailbox) -> list[tuple[str, str]]:
        """Who may do what with a mailbox: identifiers and letters (RFC 4314)."""
        return await acl.access_list(self.session, mailbox)

    async def set_access(self, mailbox: Mailbox, identifier: str, change: str | None) -> None:
        """Grant (``lr``), add (``+s``) or take away (``-s``, None) rights (NotFound, NoAccess)."""
        letters = None
        if change is not None:
            present = await self.access_list(mailbox) if change[:1] in ("+", "-") else []
            letters = acl.changed_letters(present, identifier, change)
        await acl.set_access(self.session, mailbox, identifier, letters)

    async def annotations(self, mailbox: Mailbox | None) -> dict[str, bytes]:
        """The annotations of a mailbox, or of the server (RFC 5464): entry name to value."""
        key, folder, _ = _annotated(mailbox)
        found = await (await self._annotations()).read(key, folder)
        if mailbox is not None and mailbox.special_use is not None:
            found[SPECIAL_USE] = mailbox.special_use.encode("ascii")
        return found

    async def all_annotations(self, mailboxes: Sequence[Mailbox]) -> dict[bytes, dict[str, bytes]]:
        """The annotations of many mailboxes by entry id, and those of the server under ``b""``."""
        root = self.store.folders.own.ipm_subtree
        found = await (await self._annotations()).read_many(root, mailboxes)
        for mailbox in mailboxes:
            if mailbox.special_use is not None:
                found[mailbox.entryid][SPECIAL_USE] = mailbox.special_use.encode("ascii")
        return found

    async def annotate(self, mailbox: Mailbox | None, entries: Mapping[str, bytes | None]) -> None:
        """Set annotations, or remove those whose value is None (TooBig, NoAccess, UseImpossible).

        The special use of a mailbox is one of them (RFC 6154 section 4).
        """
        kept = dict(entries)
        if mailbox is not None and SPECIAL_USE in kept:
            use = (kept.pop(SPECIAL_USE) or b"").decode("utf-8", "replace").strip()
            await self.store.folders.give_use(mailbox.name, use.title() or None, self.store.seconds())
        if kept:
            await (await self._annotations()).write(*_annotated(mailbox), kept)

    async def _annotations(self) -> Annotations:
        own = self.store.folders.own
        return Annotations(self.session, own.entryid, await own.receive_folder())

    async def quota(self) -> Quota:
        """How full the user's store is."""
        user = (await self.session.call(GetUser())).user
        entryid = user.user_entryid if user is not None else b""
        status = await self.session.call(GetQuotaStatus(user_id=0, user_entryid=entryid))
        limits = (await self.session.call(GetQuota(user_id=0, user_entryid=entryid))).quota
        return Quota(status.store_size, limits.hard_size if limits is not None else 0)


#: The entry that says, and sets, what a mailbox is for (RFC 6154 section 4).
SPECIAL_USE: Final = "/private/specialuse"


def _annotated(mailbox: Mailbox | None) -> tuple[str, bytes | None, bytes]:
    if mailbox is None:
        return SERVER, None, b""
    return mailbox.mailbox_id, mailbox.entryid, mailbox.store_entryid
