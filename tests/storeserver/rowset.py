"""A table's rows held in a dict, for tests of the table engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.mapi import proptags as pt
from gateway.mapi.props import Props, PropTag
from gateway.mapi.tables import ObjectType
from gateway.storeserver.likely import Likely


@dataclass
class RowSet:
    """Rows by id, newest first; the transaction is ignored."""

    objects: dict[int, Props] = field(default_factory=dict)
    part_rows: dict[int, dict[PropTag, list[Props]]] = field(default_factory=dict)
    newest_first: bool = True
    object_type: int = ObjectType.MESSAGE
    default_columns: tuple[PropTag, ...] = (pt.PR_INSTANCE_KEY, pt.PR_SUBJECT)
    reads: int = 0

    def ids(self, tx: object) -> list[int]:
        return sorted(self.objects, reverse=self.newest_first)

    def rows(
        self, tx: object, columns: Sequence[PropTag], ids: Sequence[int] | None = None
    ) -> list[tuple[int, Props]]:
        self.reads += 1
        chosen = self.ids(tx) if ids is None else [id_ for id_ in self.ids(tx) if id_ in set(ids)]
        return [
            (id_, {tag: self.objects[id_][tag] for tag in columns if tag in self.objects[id_]})
            for id_ in chosen
        ]

    def listed(self, tx: object, tag: PropTag) -> None:
        return None

    def pages(
        self, tx: object, columns: Sequence[PropTag], first: int, last: int, wanted: Likely | None
    ) -> list[list[tuple[int, Props]]]:
        return [self.rows(tx, columns)]

    def parts(
        self, tx: object, ids: Sequence[int], kind: PropTag, columns: Sequence[PropTag]
    ) -> dict[int, list[Props]]:
        return {id_: self.part_rows.get(id_, {}).get(kind, []) for id_ in ids}

    def available(self, tx: object) -> set[PropTag]:
        return {tag for row in self.objects.values() for tag in row}
