"""What a store may refuse: the error codes of Kopano's wire and the exception each one becomes.

One road: the wire gives a code, `error_of` gives the exception, every protocol head translates the exception
in one table of its own.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar, Final


class ErrorCode(IntEnum):
    """Result codes of the store (Kopano numbering, ``0x80000000 | n``)."""

    NONE = 0
    UNKNOWN = 0x80000001
    NOT_FOUND = 0x80000002
    NO_ACCESS = 0x80000003
    NETWORK_ERROR = 0x80000004
    SERVER_NOT_RESPONDING = 0x80000005
    INVALID_TYPE = 0x80000006
    DATABASE_ERROR = 0x80000007
    COLLISION = 0x80000008
    LOGON_FAILED = 0x80000009
    HAS_MESSAGES = 0x8000000A
    HAS_FOLDERS = 0x8000000B
    HAS_RECIPIENTS = 0x8000000C
    HAS_ATTACHMENTS = 0x8000000D
    NOT_ENOUGH_MEMORY = 0x8000000E
    TOO_COMPLEX = 0x8000000F
    END_OF_SESSION = 0x80000010
    CALL_KEEPALIVE = 0x80000011
    UNABLE_TO_ABORT = 0x80000012
    NOT_IN_QUEUE = 0x80000013
    INVALID_PARAMETER = 0x80000014
    PARTIAL_COMPLETION = 0x80000015
    INVALID_ENTRYID = 0x80000016
    BAD_VALUE = 0x80000017
    NO_SUPPORT = 0x80000018
    TOO_BIG = 0x80000019
    POSITION_CHANGED = 0x8000001A
    FOLDER_CYCLE = 0x8000001B
    STORE_FULL = 0x8000001C
    PLUGIN_ERROR = 0x8000001D
    UNKNOWN_OBJECT = 0x8000001E
    NOT_IMPLEMENTED = 0x8000001F
    DATABASE_NOT_FOUND = 0x80000020
    INVALID_VERSION = 0x80000021
    UNKNOWN_DATABASE = 0x80000022
    NOT_INITIALIZED = 0x80000023
    CALL_FAILED = 0x80000024
    SSO_CONTINUE = 0x80000025
    TIMEOUT = 0x80000026
    INVALID_BOOKMARK = 0x80000027
    UNABLE_TO_COMPLETE = 0x80000028
    UNKNOWN_INSTANCE_ID = 0x80000029
    IGNORE_ME = 0x8000002A
    BUSY = 0x8000002B
    OBJECT_DELETED = 0x8000002C
    USER_CANCEL = 0x8000002D
    UNKNOWN_FLAGS = 0x8000002E
    SUBMITTED = 0x8000002F
    UNCONFIGURED = 0x80000030
    BAD_CHARWIDTH = 0x80000031


#: Codes with the top bit set that are no failures.
WARNINGS: Final = frozenset({ErrorCode.PARTIAL_COMPLETION, ErrorCode.POSITION_CHANGED})


class MapiError(Exception):
    """The store refused a call. ``code`` is the number on the wire, ``call`` the call's name."""

    default: ClassVar[ErrorCode] = ErrorCode.CALL_FAILED

    def __init__(self, message: str = "", *, code: int | None = None, call: str = "") -> None:
        self.code = int(self.default if code is None else code)
        self.call = call
        super().__init__(message or self._describe())

    def _describe(self) -> str:
        try:
            name = ErrorCode(self.code).name
        except ValueError:
            name = f"{self.code:#010x}"
        return f"{self.call}: {name}" if self.call else name


class NotFound(MapiError):
    """The object is gone or never was."""

    default = ErrorCode.NOT_FOUND


class NoAccess(MapiError):
    """The session's user may not do this."""

    default = ErrorCode.NO_ACCESS


class FeatureOff(NoAccess):
    """The store's administrator has switched this protocol off for the user."""


class Collision(MapiError):
    """An object of that name or id exists already."""

    default = ErrorCode.COLLISION


class LogonFailed(MapiError):
    """The credentials are wrong, or the account may not log on."""

    default = ErrorCode.LOGON_FAILED


class QuotaExceeded(MapiError):
    """The store is full."""

    default = ErrorCode.STORE_FULL


class NotEmpty(MapiError):
    """The folder still has messages or subfolders."""

    default = ErrorCode.HAS_FOLDERS


class FolderCycle(MapiError):
    """A folder cannot move below itself."""

    default = ErrorCode.FOLDER_CYCLE


class EndOfSession(MapiError):
    """The server does not know the session (any more)."""

    default = ErrorCode.END_OF_SESSION


class InvalidParameter(MapiError):
    """The server could not make sense of the call's arguments."""

    default = ErrorCode.INVALID_PARAMETER


class NotSupported(MapiError):
    """The server cannot do this."""

    default = ErrorCode.NO_SUPPORT


class TooBig(MapiError):
    """The object is larger or deeper than the server takes."""

    default = ErrorCode.TOO_BIG


class StoreBusy(MapiError):
    """The server cannot answer now; the call may be repeated later."""

    default = ErrorCode.BUSY


class WrongServer(MapiError):
    """The object lives on another server; ``server_path`` says where, when the answer told."""

    default = ErrorCode.UNABLE_TO_COMPLETE
    server_path: str = ""


class PartialCompletion(MapiError):
    """Some of a call's objects could not be processed."""

    default = ErrorCode.PARTIAL_COMPLETION


_BY_CODE: Final[dict[int, type[MapiError]]] = {
    ErrorCode.NOT_FOUND: NotFound,
    ErrorCode.INVALID_ENTRYID: NotFound,
    ErrorCode.OBJECT_DELETED: NotFound,
    ErrorCode.UNKNOWN_OBJECT: NotFound,
    ErrorCode.NO_ACCESS: NoAccess,
    ErrorCode.COLLISION: Collision,
    ErrorCode.LOGON_FAILED: LogonFailed,
    ErrorCode.STORE_FULL: QuotaExceeded,
    ErrorCode.HAS_MESSAGES: NotEmpty,
    ErrorCode.HAS_FOLDERS: NotEmpty,
    ErrorCode.FOLDER_CYCLE: FolderCycle,
    ErrorCode.END_OF_SESSION: EndOfSession,
    ErrorCode.INVALID_PARAMETER: InvalidParameter,
    ErrorCode.INVALID_TYPE: InvalidParameter,
    ErrorCode.NO_SUPPORT: NotSupported,
    ErrorCode.NOT_IMPLEMENTED: NotSupported,
    ErrorCode.TOO_BIG: TooBig,
    ErrorCode.TOO_COMPLEX: TooBig,
    ErrorCode.BUSY: StoreBusy,
    ErrorCode.TIMEOUT: StoreBusy,
    ErrorCode.NETWORK_ERROR: StoreBusy,
    ErrorCode.SERVER_NOT_RESPONDING: StoreBusy,
    ErrorCode.NOT_ENOUGH_MEMORY: StoreBusy,
    ErrorCode.DATABASE_ERROR: StoreBusy,
    ErrorCode.UNABLE_TO_COMPLETE: WrongServer,
    ErrorCode.PARTIAL_COMPLETION: PartialCompletion,
    # Some paths of the server leak MAPI's own numbers.
    0x8004010F: NotFound,
    0x8004010A: NotFound,
    0x80070005: NoAccess,
    0x80040604: Collision,
    0x80040111: LogonFailed,
    0x8004060C: QuotaExceeded,
    0x80070057: InvalidParameter,
    0x80040102: NotSupported,
}


def error_of(code: int, call: str = "") -> MapiError | None:
    """The exception of a result code; None for success."""
    if code == 0:
        return None
    return _BY_CODE.get(code, MapiError)(code=code, call=call)
