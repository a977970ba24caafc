"""The table of capabilities: what is offered, in which state, on which condition (RFC 9051 7.2.2).

docs/rfc.md says the same in words and is checked against this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.imap.codec.commands import State

if TYPE_CHECKING:
    from gateway.imap.connection import Connection

Condition = Callable[["Connection"], bool]


def _always(connection: Connection) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Capability:
    """One token. `{}` in its name is filled in from `value`."""

    name: str
    states: State = State.ANY
    offered: Condition = _always
    value: Callable[[Connection], object] = str

    def text(self, connection: Connection) -> str:
        """The token as it is sent."""
        return self.name.format(self.value(connection))


_IN: Final = State.LOGGED_IN
_OUT: Final = State.NOT_AUTHENTICATED


def _small_literals(connection: Connection) -> bool:
    return connection.options.non_sync_literals == "small" or connection.user is None


TABLE: Final = (
    Capability("IMAP4rev1"),
    Capability("IMAP4rev2"),
    Capability("STARTTLS", _OUT, lambda connection: connection.can_start_tls),
    Capability("LOGINDISABLED", _OUT, lambda connection: not connection.may_log_in),
    Capability("AUTH=PLAIN", _OUT, lambda connection: connection.may_log_in),
    Capability("AUTH=LOGIN", _OUT, lambda connection: connection.may_log_in),
    Capability("SASL-IR", _OUT),
    Capability("ID"),
    Capability("ENABLE"),
    Capability("LITERAL-", State.ANY, _small_literals),
    Capability("LITERAL+", _IN, lambda connection: not _small_literals(connection)),
    Capability("UTF8=ACCEPT", _IN),
    Capability("IDLE", _IN, lambda connection: connection.options.idle),
    Capability("NOTIFY", _IN, lambda connection: connection.options.idle),
    Capability("NAMESPACE", _IN),
    Capability("CHILDREN", _IN),
    Capability("SPECIAL-USE", _IN),
    Capability("CREATE-SPECIAL-USE", _IN),
    Capability("LIST-EXTENDED", _IN),
    Capability("LIST-STATUS", _IN),
    Capability("LIST-MYRIGHTS", _IN),
    Capability("LIST-METADATA", _IN),
    Capability("STATUS=SIZE", _IN),
    Capability("METADATA", _IN),
    Capability("METADATA-SERVER", _IN),
    Capability("ACL", _IN),
    Capability("RIGHTS=kxte", _IN),
    Capability("OBJECTID", _IN),
    Capability("PREVIEW", _IN),
    Capability("SAVEDATE", _IN),
    Capability("QUOTA", _IN),
    Capability("QUOTA=RES-STORAGE", _IN),
    Capability("UNSELECT", _IN),
    Capability("UIDPLUS", _IN),
    Capability("MOVE", _IN),
    Capability("MULTIAPPEND", _IN),
    Capability("BINARY", _IN),
    Capability("CATENATE", _IN),
    Capability("URL-PARTIAL", _IN),
    Capability("REPLACE", _IN),
    Capability("APPENDLIMIT={}", _IN, value=lambda connection: int(connection.options.max_message)),
    Capability("CONDSTORE", _IN),
    Capability("QRESYNC", _IN),
    Capability("ESEARCH", _IN),
    Capability("SEARCHRES", _IN),
    Capability("WITHIN", _IN),
    Capability("SEARCH=FUZZY", _IN),
    Capability("PARTIAL", _IN),
    Capability("SORT", _IN),
    Capability("SORT=DISPLAY", _IN),
    Capability("ESORT", _IN),
    Capability("MULTISEARCH", _IN),
    Capability("CONTEXT=SEARCH", _IN),
    Capability("CONTEXT=SORT", _IN),
    Capability("THREAD=ORDEREDSUBJECT", _IN),
    Capability("THREAD=REFERENCES", _IN),
    Capability("THREAD=REFS", _IN),
    Capability("I18NLEVEL=1", _IN),
    Capability("UIDONLY", _IN),
    Capability("UIDBATCHES", _IN),
    Capability(
        "MESSAGELIMIT={}",
        _IN,
        lambda connection: connection.options.message_limit > 0,
        lambda connection: connection.options.message_limit,
    ),
    Capability("INPROGRESS", _IN, lambda connection: connection.options.progress > 0),
    Capability("COMPRESS=DEFLATE", _IN, lambda connection: connection.can_compress),
    Capability("UNAUTHENTICATE", _IN),
)


def capabilities(connection: Connection) -> list[str]:
    """What this connection is offered in its present state."""
    state = connection.state
    return [entry.text(connection) for entry in TABLE if entry.states & state and entry.offered(connection)]
