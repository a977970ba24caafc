"""The special folders of a new store, and every property that leads to them."""

from __future__ import annotations

import struct
from typing import Final

from gateway.mapi import proptags as p
from gateway.mapi.props import Prop, Props
from gateway.mapi.rights import Rights
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.structs import ObjectTree
from gateway.storeserver import containers, folders, identity, locate, rights, saving
from gateway.storeserver.accounts import EVERYONE_ID, SYSTEM, Actor
from gateway.storeserver.database import Transaction
from gateway.storeserver.locate import Folder, Store
from gateway.storeserver.schema import ASSOCIATED

VALID_FOLDERS: Final = 0xFF
_ALL_MAY_SEARCH: Final = 0x499
_FREE_BUSY_CLASS: Final = "IPM.Microsoft.ScheduleData.FreeBusy"

#: Folders directly below the root, and the store property that names each.
_BELOW_ROOT: Final = (
    ("IPM_COMMON_VIEWS", p.PR_COMMON_VIEWS_ENTRYID),
    ("IPM_VIEWS", p.PR_VIEWS_ENTRYID),
    ("FINDER_ROOT", p.PR_FINDER_ENTRYID),
    ("Shortcut", p.PR_IPM_FAVORITES_ENTRYID),
    ("Schedule", p.PR_SCHEDULE_FOLDER_ENTRYID),
)
#: Folders of the visible tree named by the store.
_OF_STORE: Final = (
    ("Outbox", p.PR_IPM_OUTBOX_ENTRYID),
    ("Deleted Items", p.PR_IPM_WASTEBASKET_ENTRYID),
    ("Sent Items", p.PR_IPM_SENTMAIL_ENTRYID),
)
#: Folders of the visible tree named by the Inbox and the root, with their container class.
_OF_INBOX: Final = (
    ("Contacts", p.PR_IPM_CONTACT_ENTRYID, "IPF.Contact"),
    ("Calendar", p.PR_IPM_APPOINTMENT_ENTRYID, "IPF.Appointment"),
    ("Drafts", p.PR_IPM_DRAFTS_ENTRYID, "IPF.Note"),
    ("Journal", p.PR_IPM_JOURNAL_ENTRYID, "IPF.Journal"),
    ("Notes", p.PR_IPM_NOTE_ENTRYID, "IPF.StickyNote"),
    ("Tasks", p.PR_IPM_TASK_ENTRYID, "IPF.Task"),
)
#: Folders named in PR_IPM_OL2007_ENTRYIDS: name, type there, container class, whether hidden.
_OF_2007: Final = (
    ("RSS Feeds", 0x8001, "IPF.Note.OutlookHomepage", False),
    ("Conversation Action Settings", 0x8006, "IPF.Configuration", True),
    ("Quick Step Settings", 0x8007, "IPF.Configuration", True),
    ("Suggested Contacts", 0x8008, "IPF.Contact", False),
)
_JUNK: Final = 4
"""Place of the junk folder in PR_ADDITIONAL_REN_ENTRYIDS."""


class _Builder:
    """Creates folders of one store."""

    def __init__(self, tx: Transaction, store: Store) -> None:
        self.tx = tx
        self.store = store
        # Everything in a private store belongs to its owner.
        self.actor = SYSTEM if store.type == containers.PUBLIC else Actor(store.owner_id)
        self.root = locate.folder_by_id(tx, store.root_id)

    def folder(self, parent: Folder, name: str, container_class: str = "", *, hidden: bool = False) -> Folder:
        props: Props = {p.PR_COMMENT: ""}
        if container_class:
            props[p.PR_CONTAINER_CLASS] = container_class
        if hidden:
            props[p.PR_ATTR_HIDDEN] = True
        return folders.add_folder(self.tx, self.actor, self.store, parent, name, folders.GENERIC, props)

    def message(self, folder: Folder, props: list[Prop], flags: int = 0) -> bytes:
        entryid = identity.new_entryid(self.tx, self.store.guid, ObjectType.MESSAGE)
        tree = ObjectTree(mod_props=props, obj_type=ObjectType.MESSAGE)
        saving.create_message(self.tx, SYSTEM, folder.entryid, entryid, tree, flags, 0)
        return entryid


def build_private(tx: Transaction, store: Store) -> Folder:
    """Create the tree of a private store; gives its Inbox."""
    make = _Builder(tx, store)
    subtree = make.folder(make.root, "IPM_SUBTREE")
    inbox = make.folder(subtree, "Inbox")
    of_store: Props = {p.PR_VALID_FOLDER_MASK: VALID_FOLDERS, p.PR_IPM_SUBTREE_ENTRYID: subtree.entryid}
    for name, tag in _BELOW_ROOT:
        of_store[tag] = make.folder(make.root, name).entryid
    for name, tag in _OF_STORE:
        of_store[tag] = make.folder(subtree, name).entryid
    of_inbox: Props = {}
    made: dict[int, Folder] = {}
    for name, tag, container_class in _OF_INBOX:
        made[tag] = make.folder(subtree, name, container_class)
        of_inbox[tag] = made[tag].entryid
    junk = make.folder(subtree, "Junk E-mail", "IPF.Note")
    of_inbox[p.PR_ADDITIONAL_REN_ENTRYIDS] = (b"",) * _JUNK + (junk.entryid,)
    of_inbox[p.PR_IPM_OL2007_ENTRYIDS] = _entryids_2007(make, subtree)
    of_inbox[p.PR_FREEBUSY_ENTRYIDS] = _free_busy(make, made[p.PR_IPM_APPOINTMENT_ENTRYID])
    containers.set_container_props(tx, store.id, of_store)
    for folder in (make.root, inbox):
        containers.set_container_props(tx, folder.id, of_inbox)
    finder = locate.folder_by_entryid(tx, of_store[p.PR_FINDER_ENTRYID])
    rights.grant(tx, finder.id, EVERYONE_ID, _ALL_MAY_SEARCH)
    return inbox


def _entryids_2007(make: _Builder, subtree: Folder) -> bytes:
    """PR_IPM_OL2007_ENTRYIDS: blocks of type, length, one element; closed by an empty block."""
    blocks = []
    for name, kind, container_class, hidden in _OF_2007:
        entryid = make.folder(subtree, name, container_class, hidden=hidden).entryid
        blocks.append(struct.pack("<HHHH", kind, len(entryid) + 4, 1, len(entryid)) + entryid)
    return b"".join(blocks) + bytes(4)


def _free_busy(make: _Builder, calendar: Folder) -> tuple[bytes, ...]:
    """PR_FREEBUSY_ENTRYIDS: associated message, normal message, public message (none yet), folder."""
    folder = make.folder(make.root, "Freebusy Data")
    props: list[Prop] = [
        (p.PR_MESSAGE_CLASS, _FREE_BUSY_CLASS),
        (p.PR_SUBJECT, "LocalFreebusy"),
        (p.PR_MESSAGE_FLAGS, 9),
        (p.PR_SEARCH_KEY, make.tx.random(16)),
        (p.PR_FREEBUSY_NUM_MONTHS, 6),
        (p.PR_PROCESS_MEETING_REQUESTS, False),
        (p.PR_DECLINE_RECURRING_MEETING_REQUESTS, False),
        (p.PR_DECLINE_CONFLICTING_MEETING_REQUESTS, False),
    ]
    associated = make.message(calendar, props[:4], ASSOCIATED)
    return associated, make.message(folder, props), b"", folder.entryid


def build_public(tx: Transaction, store: Store) -> None:
    """Create the tree of the public store."""
    make = _Builder(tx, store)
    subtree = make.folder(make.root, "IPM_SUBTREE")
    non_ipm = make.folder(make.root, "NON_IPM_SUBTREE")
    finder = make.folder(make.root, "FINDER_ROOT")
    free_busy = make.folder(non_ipm, "SCHEDULE+ FREE BUSY")
    local_site = make.folder(free_busy, "Zarafa 1")
    for folder, granted in (
        (subtree, int(Rights.PUBLISHING_AUTHOR)),
        (finder, _ALL_MAY_SEARCH),
        (free_busy, int(Rights.REVIEWER)),
        (local_site, int(Rights.OWNER)),
    ):
        rights.grant(tx, folder.id, EVERYONE_ID, granted)
    props: Props = {
        p.PR_VALID_FOLDER_MASK: VALID_FOLDERS,
        p.PR_IPM_SUBTREE_ENTRYID: subtree.entryid,
        p.PR_NON_IPM_SUBTREE_ENTRYID: non_ipm.entryid,
        p.PR_FINDER_ENTRYID: finder.entryid,
        p.PR_SPLUS_FREE_BUSY_ENTRYID: free_busy.entryid,
        p.PR_FREE_BUSY_FOR_LOCAL_SITE_ENTRYID: local_site.entryid,
    }
    containers.set_container_props(tx, store.id, props)
