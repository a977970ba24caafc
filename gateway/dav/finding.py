"""PROPFIND (RFC 4918 9.1): items of a collection are told many at once, without a tree; everything else by Radicale."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

from gateway.dav import hrefs, multistatus, xmlbody
from gateway.dav.collection import Collection
from gateway.dav.engine import Engine
from gateway.dav.errors import Answer, BadRequest, Refused
from gateway.dav.reports import Report, asks_only_items

_D: Final = "{DAV:}"
_PROPFINDS: Final = (f"{_D}prop", f"{_D}allprop", f"{_D}propname")
#: What an empty body asks.
_EVERYTHING: Final = ET.Element(f"{_D}propfind")
ET.SubElement(_EVERYTHING, f"{_D}allprop")


class Finding(Engine):
    """Finds properties for the user of one request."""

    def _propfind(self, path: str) -> Answer:
        """Many items at once are written without a tree; everything else is Radicale's."""
        # Microsoft's "1,noroot" is 1.
        depth = self._asked.header("depth").partition(",")[0].strip().lower() or "infinity"
        if depth == "infinity":
            raise Refused(403, "D:propfind-finite-depth")
        if depth not in ("0", "1"):
            raise BadRequest("the Depth is 0 or 1")
        root = xmlbody.parse(self._asked.body)
        self._listing = _listing_of(root)
        if root is not None and self._listing == "allprop":
            self._included = list(dict.fromkeys(each.tag for each in root.iterfind(f"{_D}include/*")))
        if root is not None and root[0].tag == f"{_D}prop":
            self._included = [each.tag for each in root[0] if not each.tag.startswith("{")]
        if (
            depth != "1"
            or len(hrefs.split_path(path)) != 2
            or not (asks_only_items(root) or self._listing == "allprop")
        ):
            return self._found_by_radicale(path)
        collection = self._at(path)
        if not isinstance(collection, Collection):
            return self._found_by_radicale(path)
        told = self._telling()
        report = Report(
            collection,
            _EVERYTHING if root is None else root,
            "",
            minimal=self._asked.minimal,
            most=self._options.max_results,
            shared=told.shared,
        )
        itself = (
            told.everything(collection, self._included) if self._listing else told.of(collection, report.tags)
        )
        first = [] if self._leaves_root_out() else [multistatus.fragment(itself)]
        return multistatus.answer(multistatus.document([*first, *report.responses(collection.entries)]))


def _listing_of(root: ET.Element | None) -> str:
    """Which list a PROPFIND wants, "" when it names what it wants (RFC 4918 9.1, 14.20; BadRequest)."""
    if root is None:
        return "allprop"
    wanted = [each.tag for each in root if each.tag in _PROPFINDS]
    if root.tag != f"{_D}propfind" or len(wanted) != 1 or root[0].tag != wanted[0]:
        raise BadRequest("a PROPFIND has a propfind with prop, allprop or propname")
    return wanted[0].removeprefix(_D) if wanted[0] != _PROPFINDS[0] else ""
