"""How many messages one command may work on: MESSAGELIMIT (RFC 9738). Without the option nothing is limited.

Of too many messages the newest are taken, and the answer says where they end; COPY, APPEND, SORT and THREAD, which are
done as a whole or not at all, are refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.imap.answers import Done, Refused
from gateway.imap.codec.write_status import untagged
from gateway.imap.connection import Selection, User
from gateway.imap.selected import Rows


def newest(selection: Selection, rows: Rows) -> tuple[Rows, str]:
    """As many of these messages as one command may work on, and the response code if that is not all."""
    most = selection.user.options.message_limit
    if not most or len(rows) <= most:
        return rows, ""
    uids = rows.uids[-most:]
    return Rows(rows.numbers[-most:], uids), code(selection.user, uids[0])


def must_fit(user: User, count: int, lowest: int = 0) -> None:
    """Raise Refused when so many messages are too many for one command."""
    most = user.options.message_limit
    if most and count > most:
        raise Refused(f"One command may work on {most} messages", code(user, lowest))


def code(user: User, lowest: int) -> str:
    """``MESSAGELIMIT most lowest``: the lowest UID that was worked on, 0 where there is none to tell."""
    return f"MESSAGELIMIT {user.options.message_limit}{f' {lowest}' if lowest else ''}"


def ending(done: Done, limited: str) -> Iterator[bytes | Done]:
    """The end of a command that may have been limited; a second response code goes first, untagged (3.1)."""
    if limited and done.code:
        yield untagged("NO", "Only the newest messages were worked on", limited)
        yield done
    elif limited:
        yield Done("Only the newest messages were worked on", limited)
    else:
        yield done
