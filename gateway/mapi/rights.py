"""Rights: what an access control list grants on a folder (MS-OXCPERM 2.2.7, Kopano's bits)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag


class Rights(IntFlag):
    """The rights bits of PR_RIGHTS and of access control entries."""

    READ_ANY = 0x001
    CREATE = 0x002
    EDIT_OWNED = 0x008
    DELETE_OWNED = 0x010
    EDIT_ANY = 0x020
    DELETE_ANY = 0x040
    CREATE_SUBFOLDER = 0x080
    FOLDER_OWNER = 0x100
    FOLDER_CONTACT = 0x200
    FOLDER_VISIBLE = 0x400

    NONE = 0x400
    REVIEWER = 0x401
    CONTRIBUTOR = 0x402
    NON_EDITING_AUTHOR = 0x413
    AUTHOR = 0x41B
    PUBLISHING_AUTHOR = 0x49B
    EDITOR = 0x463
    PUBLISHING_EDITOR = 0x4E3
    SECRETARY = 0x47B
    OWNER = 0x5FB


def completed(rights: Rights) -> Rights:
    """Rights with those that lie in them: who may edit any item may edit his own, and sees the folder."""
    if rights & Rights.EDIT_ANY:
        rights |= Rights.EDIT_OWNED
    if rights & Rights.DELETE_ANY:
        rights |= Rights.DELETE_OWNED
    needs_sight = Rights.EDIT_ANY | Rights.DELETE_ANY | Rights.READ_ANY
    return rights | Rights.FOLDER_VISIBLE if rights & needs_sight else rights


class AccessType(IntEnum):
    """Whether an entry denies or grants."""

    DENIED = 1
    GRANT = 2
    BOTH = 3


class EntryState(IntEnum):
    """What setRights does with an entry."""

    NORMAL = 0
    NEW = 1
    MODIFY = 2
    DELETE = 4
    AUTO_UPDATE_DENIED = 8


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """One entry of an access control list."""

    user_id: int
    access_type: int
    rights: int
    state: int
    user_entryid: bytes


class Access(IntFlag):
    """PR_ACCESS: what the session may do with an object."""

    MODIFY = 1
    READ = 2
    DELETE = 4
    CREATE_HIERARCHY = 8
    CREATE_CONTENTS = 0x10
    CREATE_ASSOCIATED = 0x20
