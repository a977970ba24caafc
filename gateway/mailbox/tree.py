r"""The folder tree of a store as a list of mailboxes.

Built from one recursive hierarchy table; pure. Only mail folders are selectable; a folder of another kind is
listed, not selectable, when it has mail folders below it. The receive folder is INBOX.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.mailbox import names
from gateway.mapi import proptags as pr
from gateway.mapi.errors import NotFound
from gateway.mapi.props import Props
from gateway.mapi.rights import Rights

PERSONAL: Final = "personal"
OTHER: Final = "other"
PUBLIC: Final = "public"

#: The columns of the hierarchy table that `mailboxes_of` reads.
FOLDER_TAGS: Final = (
    pr.PR_ENTRYID,
    pr.PR_PARENT_ENTRYID,
    pr.PR_DISPLAY_NAME,
    pr.PR_CONTAINER_CLASS,
    pr.PR_CONTENT_COUNT,
    pr.PR_CONTENT_UNREAD,
    pr.PR_FOLDER_TYPE,
    pr.PR_EC_HIERARCHYID,
    pr.PR_SOURCE_KEY,
    pr.PR_RIGHTS,
    pr.PR_ATTR_HIDDEN,
    pr.PR_COMMENT,
)

#: Deeper trees are cut: their mailbox names would exceed what clients take.
MAX_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox as it was when the tree was read."""

    name: str
    """Canonical name with ``/`` between the levels."""
    entryid: bytes
    source_key: bytes
    uidvalidity: int
    """PR_EC_HIERARCHYID: stays for the folder's life, through renames and moves."""
    store_entryid: bytes
    special_use: str | None = None
    rights: int = Rights.OWNER
    selectable: bool = True
    has_children: bool = False
    count: int = 0
    unread: int = 0
    container_class: str = ""
    namespace: str = PERSONAL
    comment: str = ""

    @property
    def mailbox_id(self) -> str:
        """MAILBOXID (RFC 8474): the folder's source key, which no rename changes."""
        return "F" + self.source_key.hex()

    @property
    def is_inbox(self) -> bool:
        """Whether this is the user's own INBOX."""
        return self.name == names.INBOX


@dataclass(frozen=True, slots=True)
class StoreFolders:
    """What is known of one store before its tree is read."""

    store_entryid: bytes
    root: bytes
    """Entry id of the visible tree's top (PR_IPM_SUBTREE_ENTRYID)."""
    inbox: bytes | None = None
    special_use: Mapping[bytes, str] = field(default_factory=dict)
    """Entry id to special-use attribute."""
    prefix: str = ""
    """Mailbox name everything is put below; empty for the personal namespace."""
    namespace: str = PERSONAL


class Mailboxes:
    """The mailboxes of a user, by name."""

    def __init__(self, mailboxes: Iterable[Mailbox]) -> None:
        ordered = sorted(mailboxes, key=_listing_order)
        self._by_name = {mailbox.name: mailbox for mailbox in ordered}
        self._by_entryid = {mailbox.entryid: mailbox for mailbox in ordered}

    def __iter__(self) -> Iterator[Mailbox]:
        """INBOX first, then by name, parents before children."""
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: str) -> bool:
        return names.canonical(name) in self._by_name

    def get(self, name: str) -> Mailbox:
        """The mailbox of this name in any accepted spelling (NotFound)."""
        found = self._by_name.get(name) or self._by_name.get(names.canonical(name))
        if found is None and not name.isascii():
            found = self._by_name.get(names.canonical(names.net_unicode(name)))
        if found is None:
            raise NotFound(f"no mailbox {name!r}")
        return found

    def by_entryid(self, entryid: bytes) -> Mailbox | None:
        """The mailbox of a folder."""
        return self._by_entryid.get(entryid)

    def children(self, name: str) -> list[Mailbox]:
        """The mailboxes below this one, at any depth."""
        prefix = names.canonical(name) + names.DELIMITER
        return [mailbox for mailbox in self if mailbox.name.startswith(prefix)]

    def parent_of(self, name: str) -> Mailbox | None:
        """The mailbox one level up, when there is one."""
        above, delimiter, _ = names.canonical(name).rpartition(names.DELIMITER)
        return self._by_name.get(above) if delimiter else None


def _listing_order(mailbox: Mailbox) -> tuple[bool, list[str]]:
    levels = mailbox.name.split(names.DELIMITER)
    return levels[0] != names.INBOX, levels


def is_mail_class(container_class: str) -> bool:
    """Whether a folder of this container class holds mail."""
    upper = container_class.upper()
    return not upper or upper == "IPF.NOTE" or upper.startswith(("IPF.NOTE.", "IPM"))


def mailboxes_of(rows: Iterable[Props], store: StoreFolders, *, show_all: bool = False) -> list[Mailbox]:
    """The mailboxes of a recursive hierarchy table, in any order of rows.

    Hidden folders, search folders and folders whose parents are not visible are left out; folders that hold no
    mail too unless ``show_all``, except as parents.
    """
    children: dict[bytes, list[Props]] = {}
    for row in rows:
        if row.get(pr.PR_ATTR_HIDDEN) or row.get(pr.PR_FOLDER_TYPE, 1) != 1:
            continue
        children.setdefault(row.get(pr.PR_PARENT_ENTRYID, b""), []).append(row)
    found: list[Mailbox] = []
    _descend(store, children, store.root, store.prefix, show_all, found)
    return found


def _descend(
    store: StoreFolders,
    children: Mapping[bytes, list[Props]],
    parent: bytes,
    above: str,
    show_all: bool,
    found: list[Mailbox],
) -> bool:
    """Add what lies below ``parent``, whose name is ``above``; whether anything was added."""
    added = False
    if above.count(names.DELIMITER) >= MAX_DEPTH:
        return added
    for row in children.get(parent, ()):
        name = _name(store, row, above)
        place = len(found)
        has_children = _descend(store, children, row[pr.PR_ENTRYID], name, show_all, found)
        mailbox = _mailbox(store, row, name, has_children, show_all)
        if mailbox.selectable or has_children:
            found.insert(place, mailbox)
            added = True
    return added


def _name(store: StoreFolders, row: Props, above: str) -> str:
    if row[pr.PR_ENTRYID] == store.inbox and not store.prefix:
        return names.INBOX
    display_name = row.get(pr.PR_DISPLAY_NAME, "")
    if not above:
        return names.join((display_name,))
    return above + names.DELIMITER + names.level_name(display_name)


def _mailbox(store: StoreFolders, row: Props, name: str, has_children: bool, show_all: bool) -> Mailbox:
    entryid = row[pr.PR_ENTRYID]
    container_class = row.get(pr.PR_CONTAINER_CLASS, "")
    rights = row.get(pr.PR_RIGHTS, int(Rights.OWNER))
    return Mailbox(
        name=name,
        entryid=entryid,
        source_key=row.get(pr.PR_SOURCE_KEY, b""),
        uidvalidity=row.get(pr.PR_EC_HIERARCHYID, 0) or 1,
        store_entryid=store.store_entryid,
        special_use=store.special_use.get(entryid),
        rights=rights,
        selectable=bool(rights & Rights.READ_ANY) and (show_all or is_mail_class(container_class)),
        has_children=has_children,
        count=row.get(pr.PR_CONTENT_COUNT, 0),
        unread=row.get(pr.PR_CONTENT_UNREAD, 0),
        container_class=container_class,
        namespace=store.namespace,
        comment=row.get(pr.PR_COMMENT, ""),
    )
