"""The folder tree as mailboxes."""

import pytest

from gateway.mailbox.tree import Mailbox, Mailboxes, StoreFolders, mailboxes_of
from gateway.mapi import proptags as pr
from gateway.mapi.errors import NotFound
from gateway.mapi.props import Props
from gateway.mapi.rights import Rights


def folder(entryid: bytes, parent: bytes, name: str, **extra: object) -> Props:
    row: Props = {
        pr.PR_ENTRYID: entryid,
        pr.PR_PARENT_ENTRYID: parent,
        pr.PR_DISPLAY_NAME: name,
        pr.PR_EC_HIERARCHYID: int(entryid[1:]) + 100,
        pr.PR_SOURCE_KEY: b"key" + entryid,
        pr.PR_CONTAINER_CLASS: extra.get("kind", "IPF.Note"),
    }
    row.update({tag: value for tag, value in extra.items() if isinstance(tag, int)})
    return row


ROWS = [
    folder(b"f6", b"f5", "Travel"),
    folder(b"f1", b"top", "Posteingang", kind=""),
    folder(b"f2", b"top", "Sent Items"),
    folder(b"f3", b"top", "Calendar", kind="IPF.Appointment"),
    folder(b"f4", b"f1", "Below"),
    folder(b"f5", b"top", "Contacts", kind="IPF.Contact"),
    folder(b"f7", b"top", "inbox"),
    folder(b"f8", b"lost", "Orphan"),
    {**folder(b"f9", b"top", "Hidden"), pr.PR_ATTR_HIDDEN: True},
    {**folder(b"f10", b"top", "Search"), pr.PR_FOLDER_TYPE: 2},
    {**folder(b"f11", b"top", "Visible only"), pr.PR_RIGHTS: int(Rights.FOLDER_VISIBLE)},
]
STORE = StoreFolders(b"store", b"top", inbox=b"f1", special_use={b"f2": "\\Sent"})


def listed(show_all: bool = False) -> Mailboxes:
    return Mailboxes(mailboxes_of(ROWS, STORE, show_all=show_all))


def test_inbox_comes_first_whatever_it_is_called_and_parents_before_children() -> None:
    assert [mailbox.name for mailbox in listed()] == [
        "INBOX",
        "INBOX/Below",
        "=69nbox",
        "Contacts",
        "Contacts/Travel",
        "Sent Items",
    ]


def test_a_folder_of_another_kind_is_only_a_parent() -> None:
    contacts = listed().get("Contacts")
    assert (contacts.selectable, contacts.has_children) == (False, True)
    assert "Calendar" not in listed()
    assert listed(show_all=True).get("Calendar").selectable


def test_a_mailbox_knows_its_folder() -> None:
    sent = listed().get("sent items") if "sent items" in listed() else listed().get("Sent Items")
    assert sent == Mailbox(
        name="Sent Items",
        entryid=b"f2",
        source_key=b"keyf2",
        uidvalidity=102,
        store_entryid=b"store",
        special_use="\\Sent",
        container_class="IPF.Note",
    )
    assert listed().get("inbox").uidvalidity == 101


def test_family() -> None:
    tree = listed()
    assert [mailbox.name for mailbox in tree.children("inbox")] == ["INBOX/Below"]
    parent = tree.parent_of("INBOX/Below")
    assert parent is not None
    assert parent.is_inbox
    assert tree.parent_of("INBOX") is None


def test_an_unknown_name_is_not_found() -> None:
    with pytest.raises(NotFound, match="no mailbox 'Nowhere'"):
        listed().get("Nowhere")


def test_another_store_lies_below_its_prefix() -> None:
    store = StoreFolders(b"store", b"top", inbox=b"f1", prefix="Other Users/bob", namespace="other")
    names = [mailbox.name for mailbox in Mailboxes(mailboxes_of(ROWS[:3], store))]
    assert names == ["Other Users/bob/Posteingang", "Other Users/bob/Sent Items"]
