"""Where a table's rows come from: the interface between the table engine and the store.

A source belongs to one open table and acts for one user. Its methods take the transaction they read in; rows
come in natural order (messages and folders: newest first) as ``(id, {canonical tag: full value})``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from gateway.mapi.props import Props, PropTag, Value
from gateway.storeserver.likely import Likely

Tx = TypeVar("Tx", contravariant=True)


class RowSource(Protocol[Tx]):
    """The rows of one table."""

    @property
    def object_type(self) -> int:
        """The type of the rows' objects."""

    @property
    def default_columns(self) -> tuple[PropTag, ...]:
        """The columns until the client chooses its own."""

    @property
    def newest_first(self) -> bool:
        """Whether the natural order is by descending id, so that new rows can be placed."""

    def ids(self, tx: Tx) -> list[int]:
        """The rows' ids in natural order."""

    def rows(
        self, tx: Tx, columns: Sequence[PropTag], ids: Sequence[int] | None = None
    ) -> list[tuple[int, Props]]:
        """The rows (or those of the ids that are in the table) with the columns' values, absent ones left out."""

    def listed(self, tx: Tx, tag: PropTag) -> list[tuple[int, Value]] | None:
        """The ids with one property each, None where it is missing; None when `rows` is as good a way to it."""

    def pages(
        self, tx: Tx, columns: Sequence[PropTag], first: int, last: int, wanted: Likely | None
    ) -> Iterable[list[tuple[int, Props]]]:
        """Some rows at a time, in any order: at least those that may fulfil what is wanted.

        Their PR_EC_IMAP_ID, if they have one, lies between two, both included.
        """

    def parts(
        self, tx: Tx, ids: Sequence[int], kind: PropTag, columns: Sequence[PropTag]
    ) -> dict[int, list[Props]]:
        """The recipients or attachments (``kind``: PR_MESSAGE_RECIPIENTS, _ATTACHMENTS) of messages."""

    def available(self, tx: Tx) -> set[PropTag]:
        """The tags that rows of this table can have."""
