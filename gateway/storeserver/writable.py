"""Which properties a client may not write, and which ones are columns."""

from __future__ import annotations

from typing import Final

from gateway.mapi import proptags as p

#: The server computes these; what a client sends for them is dropped.
COMPUTED: Final = frozenset(
    {
        p.PR_ACCESS,
        p.PR_ACCESS_LEVEL,
        p.PR_RIGHTS,
        p.PR_USER_NAME,
        p.PR_USER_ENTRYID,
        p.PR_MAILBOX_OWNER_NAME,
        p.PR_MAILBOX_OWNER_ENTRYID,
        p.PR_EC_HIERARCHYID,
        p.PR_EC_PARENT_HIERARCHYID,
        p.PR_SUBFOLDERS,
        p.PR_HASATTACH,
        p.PR_ENTRYID,
        p.PR_PARENT_ENTRYID,
        p.PR_STORE_ENTRYID,
        p.PR_STORE_RECORD_KEY,
        p.PR_INSTANCE_KEY,
        p.PR_OBJECT_TYPE,
        p.PR_CONTENT_COUNT,
        p.PR_CONTENT_UNREAD,
        p.PR_ASSOC_CONTENT_COUNT,
        p.PR_FOLDER_CHILD_COUNT,
        p.PR_DELETED_MSG_COUNT,
        p.PR_DELETED_FOLDER_COUNT,
        p.PR_DELETED_ASSOC_MSG_COUNT,
        p.PR_PARENT_SOURCE_KEY,
        p.PR_FOLDER_TYPE,
        p.PR_EC_IMAP_ID,
        p.PR_RECORD_KEY,
        p.PR_MESSAGE_SIZE,
        p.PR_MESSAGE_SIZE_EXTENDED,
        p.PR_ATTACH_SIZE,
        p.PR_NORMALIZED_SUBJECT,
        p.PR_MAPPING_SIGNATURE,
        p.PR_ASSOCIATED,
        p.PR_DELETED_ON,
        p.PR_LOCAL_COMMIT_TIME,
        p.PR_LOCAL_COMMIT_TIME_MAX,
        p.PR_PARENT_DISPLAY,
        p.PR_LAST_MODIFIER_NAME,
        p.PR_LAST_MODIFIER_ENTRYID,
        p.PR_ROW_TYPE,
        p.PR_DEPTH,
        p.PR_QUOTA_WARNING_THRESHOLD,
        p.PR_QUOTA_SEND_THRESHOLD,
        p.PR_QUOTA_RECEIVE_THRESHOLD,
        p.PR_EC_STOREGUID,
        p.PR_EC_STORETYPE,
        p.PR_EC_DELETED_STORE,
        p.PR_EC_MAILBOX_OWNER_ACCOUNT,
        p.PR_EC_USERNAME,
        p.PR_ATTACH_DATA_OBJ,
        p.PR_MESSAGE_RECIPIENTS,
        p.PR_MESSAGE_ATTACHMENTS,
        p.PR_RECEIVE_FOLDER_SETTINGS,
        p.PR_ACL_TABLE,
        p.PR_RULES_TABLE,
    }
)

#: Kept as columns of a message or handled on their own; they are in no packed set.
MESSAGE_COLUMNS: Final = frozenset(
    {
        p.PR_MESSAGE_FLAGS,
        p.PR_MSG_STATUS,
        p.PR_MESSAGE_DELIVERY_TIME,
        p.PR_CREATION_TIME,
        p.PR_LAST_MODIFICATION_TIME,
        p.PR_SOURCE_KEY,
        p.PR_CHANGE_KEY,
        p.PR_PREDECESSOR_CHANGE_LIST,
    }
)
_KEYS: Final = frozenset({p.PR_SOURCE_KEY, p.PR_CHANGE_KEY, p.PR_PREDECESSOR_CHANGE_LIST})
_TIMES: Final = frozenset({p.PR_CREATION_TIME, p.PR_LAST_MODIFICATION_TIME})

#: Dropped on recipients, attachments and embedded messages; PR_RECORD_KEY of attachments is let in separately.
PART_IGNORED: Final = COMPUTED | _KEYS | _TIMES
#: Dropped on folders and stores. PR_DISPLAY_NAME of folders is a column.
CONTAINER_IGNORED: Final = COMPUTED | _TIMES | {p.PR_SOURCE_KEY}
#: Dropped on an existing message unless a synchronisation brings them (setReadFlags changes the read state).
UPDATE_IGNORED: Final = frozenset({p.PR_MESSAGE_FLAGS, p.PR_LAST_MODIFICATION_TIME, p.PR_SEARCH_KEY})
#: Cannot be removed.
PROTECTED: Final = COMPUTED | MESSAGE_COLUMNS - {p.PR_MSG_STATUS, p.PR_MESSAGE_DELIVERY_TIME}

#: The bits of PR_MESSAGE_FLAGS that a client decides: READ, UNMODIFIED, UNSENT, FROMME, RESEND, RN and NRN pending.
KEPT_FLAGS: Final = 0x01 | 0x02 | 0x08 | 0x20 | 0x80 | 0x100 | 0x200
READ: Final = 0x01
UNMODIFIED: Final = 0x02
SUBMIT: Final = 0x04
UNSENT: Final = 0x08
HASATTACH: Final = 0x10
ASSOCIATED: Final = 0x40
