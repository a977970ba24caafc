"""The DAV application: what each method does, for the user of one request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from xml.etree import ElementTree as ET

from radicale import pathutils

from gateway.dav import (
    acl,
    following,
    hrefs,
    items,
    multistatus,
    page,
    principals,
    proppatch,
    putting,
    xmlbody,
)
from gateway.dav.collection import Collection, StoredItem
from gateway.dav.errors import Answer, BadRequest, Refused, answer_of
from gateway.dav.finding import Finding
from gateway.dav.push import register
from gateway.dav.reports import FREE_BUSY, MULTIGETS, QUERIES, SYNC, Report, free_busy
from gateway.dav.scheduling import outbox, resources
from gateway.dav.scope import Shared

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


class Application(Finding):
    """The methods for the user of one request."""

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
            return self._with_allow(answer_of(error))

    def _with_allow(self, answer: Answer) -> Answer:
        """A refusal of the method says which others there are (RFC 9110 15.5.6)."""
        if answer.status == 405:
            answer.headers["Allow"] = ", ".join(each for each in METHODS if each != self._asked.method)
        return answer

    def _answer(self) -> Answer:
        asked = self._asked
        if asked.method not in METHODS:
            raise Refused(405, "", "there is no such method here")
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

    def _collection_at(self, path: str) -> tuple[Collection, str]:
        """The collection that an item's path names, and the last part of the path (Refused)."""
        parts = hrefs.split_path(path)
        if len(parts) != 3 or path.endswith("/"):
            raise Refused(405, "", "only items of collections can be written")
        collection = self._own_storage.collection(parts[0], parts[1])
        if collection is None:
            raise Refused(409, "", "there is no such collection")
        return collection, parts[2]

    def _report(self, path: str) -> Answer:
        root = xmlbody.parse(self._asked.body)
        if root is None:
            raise BadRequest("a REPORT needs a body")
        answered = principals.report(self._scope, root, path)
        if answered is not None:
            return (
                multistatus.answer(answered)
                if root.tag != principals.SEARCH_PROPS
                else Answer(200, {**multistatus.TYPE}, answered)
            )
        if root.tag in following.REPORTS:
            found = following.REPORTS[root.tag](self._telling(), root, path)
            return multistatus.answer(self.written(found))
        if root.tag == FREE_BUSY:
            return self._free_busy(path, root)
        if root.tag not in (SYNC, *MULTIGETS, *QUERIES):
            raise Refused(403, "D:supported-report")
        at = self._at(path)
        collection = at.collection if isinstance(at, StoredItem) else at
        if not isinstance(collection, Collection) or not _fits(collection, root.tag):
            raise Refused(403, "D:supported-report")
        report = Report(
            collection,
            root,
            "",
            minimal=self._asked.minimal,
            most=self._options.max_results,
            shared=self._telling().shared,
        )
        report.only = at.entry.source_key if isinstance(at, StoredItem) else None
        work = report.sync if root.tag == SYNC else report.multiget if root.tag in MULTIGETS else report.query
        return work()

    def _free_busy(self, path: str, root: ET.Element) -> Answer:
        collection = self._at(path)
        if not isinstance(collection, Collection) or collection.place.kind.name != "calendar":
            raise Refused(403, "D:supported-report")
        body = free_busy(collection, root, self._scope.shared.now())
        return Answer(200, {"Content-Type": "text/calendar; charset=utf-8"}, body)

    def _put(self, path: str) -> Answer:
        """PUT of one item."""
        if self._asked.header("content-range"):
            raise BadRequest("items are put as a whole")
        collection, href = self._collection_at(path)
        return putting.put(collection, href, self._asked)

    def _delete(self, path: str) -> Answer:
        """DELETE; of a meeting others are told."""
        found = self._at(path)
        if isinstance(found, StoredItem):
            self._check_preconditions(found.place_collection, found)
            return items.delete_item(found, self._asked)
        if isinstance(found, Collection):
            if self._asked.header("depth").strip().lower() not in ("", "infinity"):
                raise BadRequest("a collection is deleted with all that lies in it")
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
        return Answer(200) if told is None else multistatus.answer(told)

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
