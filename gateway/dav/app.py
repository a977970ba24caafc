"""The DAV application: Radicale's methods over our storage, with our own for what is repeated, large or missing there.

One `Application` is made for the process; each request is worked on by a copy of it that carries the request's storage
and rights, so nothing has to be looked up in hidden context.
"""

from __future__ import annotations

import copy
import io
import logging
from collections.abc import Callable
from typing import Any, Final
from xml.etree import ElementTree as ET

import radicale.app
from radicale import pathutils
from radicale.item import Item
from radicale.storage import BaseCollection

from gateway.dav import (
    acl,
    following,
    hrefs,
    items,
    liveprops,
    multistatus,
    page,
    principals,
    proppatch,
    putting,
    xmlbody,
)
from gateway.dav.asked import Asked
from gateway.dav.collection import Collection, StoredItem
from gateway.dav.engine import configuration, request_info
from gateway.dav.errors import Answer, BadRequest, Refused, answer_of
from gateway.dav.options import Options
from gateway.dav.push import register
from gateway.dav.reports import FREE_BUSY, MULTIGETS, QUERIES, SYNC, Report, asks_only_items, free_busy
from gateway.dav.rights import Rights
from gateway.dav.scheduling import outbox, resources
from gateway.dav.scope import RequestScope, Shared
from gateway.dav.storage import Storage
from gateway.dav.telling import Properties

_D: Final = "{DAV:}"
DAV_CLASSES: Final = (
    "1, 3, access-control, calendar-access, addressbook, extended-mkcol, calendar-proxy, "
    "calendarserver-principal-property-search, calendarserver-principal-search, "
    "calendar-managed-attachments, calendar-no-timezone"
)
METHODS: Final = (
    "OPTIONS", "GET", "HEAD", "PUT", "DELETE", "COPY", "MOVE", "MKCOL", "MKCALENDAR", "PROPFIND", "PROPPATCH", "REPORT",
    "POST", "ACL",
)  # fmt: skip
_PROPFINDS: Final = (f"{_D}prop", f"{_D}allprop", f"{_D}propname")
#: What a PROPFIND of everything tells of items; rights and reports are left to those who ask for them (RFC 3744 5).
ALL_OF_ITEMS: Final = tuple(
    f"{_D}{name}"
    for name in (
        "resourcetype",
        "getetag",
        "getlastmodified",
        "getcontenttype",
        "owner",
        "current-user-principal",
    )
)
_MULTI_STATUS: Final = 207
_XML: Final = {"Content-Type": "application/xml; charset=utf-8"}


class Application(radicale.app.Application):
    """Radicale's methods for the user of one request."""

    def __init__(self, options: Options) -> None:
        # Radicale writes several lines for every request; what matters is in the gateway's own log.
        logging.getLogger("radicale").setLevel(logging.CRITICAL)
        super().__init__(configuration(options))
        self._options = options
        self._scope: RequestScope
        self._asked: Asked
        self._own_storage: Storage
        self._listing = ""

    def serving(self, scope: RequestScope, asked: Asked) -> Application:
        """A copy that serves one request."""
        mine = copy.copy(self)
        mine._scope = scope
        mine._asked = asked
        mine._storage = mine._own_storage = Storage(scope)
        mine._rights = Rights(scope)
        return mine

    def __del__(self) -> None:
        """Radicale's profiler has nothing to tell."""

    # One request

    def answer(self) -> Answer:
        """Carry the request out. Every error becomes an answer here."""
        try:
            with register.quiet(self._scope, self._asked, clean(self._asked.path)) as quiet:
                answer = self._asked.said(self._answer())
                quiet.succeeded = answer.status < 300
            resources.note_written(self._scope, self._asked.method, clean(self._asked.path), answer.status)
            return answer
        except Exception as error:
            return answer_of(error)

    def _answer(self) -> Answer:
        asked = self._asked
        if asked.method not in METHODS:
            return Answer(405, {"Allow": ", ".join(METHODS)})
        path = clean(asked.path)
        resources.take_arrivals(self._scope, asked.method, path)
        work: Callable[[str], Answer] = {
            "OPTIONS": lambda _: options_answer(self._scope.shared),
            "GET": self._get,
            "HEAD": self._get,
            "PROPFIND": self._propfind,
            "REPORT": self._report,
            "PUT": self._put,
            "DELETE": self._delete,
            "POST": self._post,
            "PROPPATCH": self._proppatch,
            "ACL": self._acl,
        }[asked.method]
        return work(path)

    def _found_by_radicale(self, path: str) -> Answer:
        """Have Radicale find properties."""
        status, headers, body, _ = self.do_PROPFIND(
            self._environ(path), "", path, self._scope.user, set(), request_info()
        )
        data = body.encode("utf-8", "replace") if isinstance(body, str) else body or b""
        return Answer(
            int(status), {name: value for name, value in dict(headers).items() if name != "DAV"}, data
        )

    def _environ(self, path: str) -> dict[str, Any]:
        asked = self._asked
        scheme = "https" if asked.secure else "http"
        environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in asked.headers.items()}
        return environ | {
            "REQUEST_METHOD": asked.method,
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "CONTENT_TYPE": asked.header("content-type"),
            "CONTENT_LENGTH": str(len(asked.body)),
            "HTTP_HOST": asked.host,
            "SERVER_NAME": asked.host,
            "SERVER_PORT": "443" if asked.secure else "80",
            "wsgi.input": io.BytesIO(asked.body),
            "wsgi.url_scheme": scheme,
        }

    def _read_xml_request_body(self, environ: Any, request_info: dict[str, Any]) -> ET.Element | None:
        """The body's XML, within limits."""
        return xmlbody.parse(self._asked.body)

    def _xml_response(self, xml_content: ET.Element, request_info: dict[str, Any]) -> bytes:
        """Add what Radicale does not know, and write the answer."""
        if xml_content.tag == f"{_D}multistatus":
            liveprops.complete(xml_content, self._scope, minimal=self._asked.minimal, listing=self._listing)
            if self._leaves_root_out():
                xml_content.remove(xml_content[0])
        data: bytes = super()._xml_response(xml_content, request_info)
        return data

    # Methods of our own

    def _get(self, path: str) -> Answer:
        """An item, or what else lies at a path (Refused)."""
        found = self._at(path) if len(hrefs.split_path(path)) == 3 else None
        if isinstance(found, StoredItem):
            return items.fetch(found, path, self._asked)
        answer = self._page(path)
        if answer is None:
            raise Refused(404, "", "there is nothing to read at this path")
        return answer

    def _page(self, path: str) -> Answer | None:
        """The page for people, at the root and at the user's principal."""
        parts = hrefs.split_path(path)
        if parts and parts != [self._scope.user]:
            return None
        scope = self._scope
        addresses, name = scope.wait(lambda: scope.shared.people.addresses(scope.session, scope.user))
        person = page.Person(scope.user, name, addresses)
        text = page.render(person, scope.places(scope.user, 0.0), self._asked.base_url)
        return Answer(200, {**page.HEADERS}, text.encode())

    def _at(self, path: str) -> BaseCollection | Item:
        """What lies at a path (Refused)."""
        found = next(iter(self._storage.discover(path)), None)
        if found is None:
            raise Refused(404, "", "there is nothing at this path")
        return found

    def _collection_at(self, path: str) -> tuple[Collection, str]:
        """The collection that an item's path names, and the last part of the path (Refused)."""
        parts = hrefs.split_path(path)
        if len(parts) != 3 or path.endswith("/"):
            raise Refused(405, "", "only items of collections can be written")
        collection = self._own_storage.collection(parts[0], parts[1])
        if collection is None:
            raise Refused(409, "", "there is no such collection")
        return collection, parts[2]

    def _propfind(self, path: str) -> Answer:
        """Many items at once are written without a tree; everything else is Radicale's."""
        depth = self._asked.header("depth").strip().lower() or "infinity"
        if depth == "infinity":
            raise Refused(403, "D:propfind-finite-depth")
        root = xmlbody.parse(self._asked.body)
        self._listing = _listing_of(root)
        if (
            depth != "1"
            or len(hrefs.split_path(path)) != 2
            or not (asks_only_items(root) or self._listing == "allprop")
        ):
            return self._found_by_radicale(path)
        collection = self._at(path)
        if not isinstance(collection, Collection):
            return self._found_by_radicale(path)
        tags = [each.tag for each in root[0]] if root is not None and not self._listing else [*ALL_OF_ITEMS]
        minimal, told = self._asked.minimal, self._telling()
        report = Report(collection, ET.Element("none"), "", minimal=minimal, most=self._options.max_results)
        report.props = multistatus.ItemProps(
            tags,
            collection.place.kind,
            minimal=minimal,
            tag_of=resources.tagger(self._scope, collection.place),
            shared=told.shared(collection, tags),
        )
        itself = told.everything(collection) if self._listing else told.of(collection, tags)
        first = [] if self._leaves_root_out() else [multistatus.fragment(itself)]
        return _multistatus(multistatus.document([*first, *report.responses(collection.entries)]))

    def _telling(self) -> Properties:
        """What tells properties of anything for this request."""
        return Properties(self, self._scope, minimal=self._asked.minimal, largest=self._options.max_request)

    def _leaves_root_out(self) -> bool:
        asked = self._asked
        return asked.method == "PROPFIND" and asked.without_root and asked.header("depth").strip() == "1"

    def _report(self, path: str) -> Answer:
        root = xmlbody.parse(self._asked.body)
        if root is None:
            raise BadRequest("a REPORT needs a body")
        answered = principals.report(self._scope, root, path)
        if answered is not None:
            return (
                _multistatus(answered)
                if root.tag != principals.SEARCH_PROPS
                else Answer(200, {**_XML}, answered)
            )
        if root.tag in following.REPORTS:
            found = following.REPORTS[root.tag](self._telling(), root, path)
            return _multistatus(super()._xml_response(found, {}))
        if root.tag == FREE_BUSY:
            return self._free_busy(path, root)
        if root.tag not in (SYNC, *MULTIGETS, *QUERIES):
            raise Refused(403, "D:supported-report")
        at = self._at(path)
        collection = at.collection if isinstance(at, StoredItem) else at
        if not isinstance(collection, Collection) or not _fits(collection, root.tag):
            raise Refused(403, "D:supported-report")
        report = Report(collection, root, "", minimal=self._asked.minimal, most=self._options.max_results)
        report.only = at.entry.source_key if isinstance(at, StoredItem) else None
        work = report.sync if root.tag == SYNC else report.multiget if root.tag in MULTIGETS else report.query
        return _multistatus(work())

    def _free_busy(self, path: str, root: ET.Element) -> Answer:
        collection = self._at(path)
        if not isinstance(collection, Collection) or collection.place.kind.name != "calendar":
            raise Refused(403, "D:supported-report")
        body = free_busy(collection, root, self._scope.shared.now())
        return Answer(200, {"Content-Type": "text/calendar; charset=utf-8"}, body)

    def _put(self, path: str) -> Answer:
        """PUT of one item."""
        collection, href = self._collection_at(path)
        return putting.put(collection, href, self._asked)

    def _delete(self, path: str) -> Answer:
        """DELETE; of a meeting others are told."""
        found = self._at(path)
        if isinstance(found, StoredItem):
            self._check_preconditions(found.place_collection, found)
            return items.delete_item(found, self._asked)
        if isinstance(found, Collection):
            return items.delete_collection(found, self._asked)
        raise Refused(403, "", "principals are not deleted")

    def _post(self, path: str) -> Answer:
        """POST to the scheduling Outbox (RFC 6638 5), or for push to a collection."""
        answer = register.post(self._scope, self._asked, path)
        if answer is not None:
            return answer
        if not outbox.is_outbox(self._scope, path):
            raise Refused(405, "", "nothing takes a POST here")
        return outbox.post(self._scope, self._asked.body)

    def _check_preconditions(self, collection: Collection, item: StoredItem | None) -> None:
        """If-Match and the like."""
        putting.check_conditions(collection, item, self._asked.headers)

    def _proppatch(self, path: str) -> Answer:
        """PROPPATCH, all or nothing."""
        changes = proppatch.changes_of(xmlbody.parse(self._asked.body))
        told = proppatch.patch(self._scope, self._at(path), path, changes, minimal=self._asked.minimal)
        return Answer(200) if told is None else _multistatus(told)

    def _acl(self, path: str) -> Answer:
        """ACL (RFC 3744 8.1), of collections."""
        found, root = self._at(path), xmlbody.parse(self._asked.body)
        if not isinstance(found, Collection) or found.place.home is None:
            raise Refused(403, "D:need-privileges", "rights are given on calendars and address books")
        if root is None:
            raise BadRequest("an ACL request has a body")
        self._scope.wait(lambda: acl.replace(self._scope, found.place, root))
        self._scope.stale()
        return Answer(200)


def _listing_of(root: ET.Element | None) -> str:
    """Which list a PROPFIND wants, "" when it names what it wants (RFC 4918 9.1, 14.20; BadRequest)."""
    if root is None:
        return "allprop"
    wanted = [each.tag for each in root if each.tag in _PROPFINDS]
    if root.tag != f"{_D}propfind" or len(wanted) != 1 or root[0].tag != wanted[0]:
        raise BadRequest("a PROPFIND has a propfind with prop, allprop or propname")
    return wanted[0].removeprefix(_D) if wanted[0] != _PROPFINDS[0] else ""


def _multistatus(body: bytes) -> Answer:
    return Answer(_MULTI_STATUS, {**_XML}, body)


def options_answer(shared: Shared) -> Answer:
    """What is spoken here."""
    return Answer(200, {"DAV": dav_classes(shared), "Allow": ", ".join(METHODS)})


def dav_classes(shared: Shared) -> str:
    """The DAV header; clients that read calendar-auto-schedule do not send invitations themselves."""
    found = [DAV_CLASSES]
    if shared.schedules:
        found += ["calendar-auto-schedule", "calendar-availability"]
    if shared.push is not None:
        found.append("webdav-push")
    return ", ".join(found)


def clean(path: str) -> str:
    """A path that is safe to take apart (BadRequest)."""
    if "\0" in path or any(part in (".", "..") for part in path.split("/")):
        raise BadRequest("the path makes no sense")
    cleaned: str = pathutils.sanitize_path(path)
    return cleaned


def _fits(collection: Collection, tag: str) -> bool:
    if tag == SYNC:
        return True
    return tag.startswith("{urn:ietf:params:xml:ns:caldav}") is collection.place.kind.is_calendar
