"""The application as it is served: writing in turns, items moved and copied, collections made only where they can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

from gateway.dav import (
    attaching,
    attachments,
    byreference,
    condition,
    hrefs,
    kopano,
    making,
    putting,
    transfer,
    whole,
    xmlbody,
)
from gateway.dav.app import Application, clean
from gateway.dav.asked import Asked, matches
from gateway.dav.collection import Collection, StoredItem
from gateway.dav.components import uid_of
from gateway.dav.errors import Answer, Refused
from gateway.dav.push import register
from gateway.dav.scope import RequestScope
from gateway.dav.turns import Key
from gateway.mapiclient.replacing import Outdated

_ATTEMPTS: Final = 3
_READING: Final = ("OPTIONS", "GET", "HEAD", "PROPFIND", "REPORT")


class Methods(Application):
    """The methods that need more than one look at the store, or have to be refused with a reason."""

    def serving(self, scope: RequestScope, asked: Asked) -> Self:
        """A copy that serves one request."""
        scope.base_url = asked.base_url
        asked = replace(asked, path=hrefs.with_own_name(asked.path, scope.user))
        scope.wants_zones = byreference.wants_definitions(asked.header(byreference.HEADER))
        return super().serving(scope, asked)

    def _answer(self) -> Answer:
        if self._asked.header("content-encoding").strip().lower() not in ("", "identity"):
            return Answer(415, {"Accept-Encoding": "identity"})
        path = clean(self._asked.path)
        if kopano.is_alias(self._scope, path):
            return self._aliased(path)
        return self._answer_here()

    def _aliased(self, path: str) -> Answer:
        """Addresses of kopano-ical; a whole calendar is given at once, because its readers may not follow."""
        target, method = kopano.target(self._scope, path), self._asked.method
        if not kopano.is_feed(path):
            return kopano.redirect(method, target)
        if method not in ("GET", "HEAD"):
            text = f"a whole calendar is only read here; single events are put below {target}"
            raise Refused(405, "", text)
        self._asked = replace(self._asked, path=target)
        return self._answer_here()

    def _answer_here(self) -> Answer:
        method = self._asked.method
        if method not in _READING:
            self._check_states()
        if method in ("MKCOL", "MKCALENDAR"):
            return self._make(clean(self._asked.path))
        if self._asked.content is not None:
            return self._attach(clean(self._asked.path))
        if method == "POST" and "action" in parse_qs(self._asked.query):
            raise Refused(403, "C:valid-action", "nothing like this is done here")
        if method in ("MOVE", "COPY"):
            return self._move(clean(self._asked.path), keep=method == "COPY")
        if method == "DELETE":
            ended = register.delete(self._scope, clean(self._asked.path))
            if ended is not None:
                return ended
            with self._turn(*self._keys(clean(self._asked.path))):
                return super()._answer()
        return super()._answer()

    def _page(self, path: str) -> Answer | None:
        """GET of the page, of a whole collection, and of an attachment."""
        found = super()._page(path)
        parts = hrefs.split_path(path)
        if found is None and len(parts) == 5:
            item = self._item_at("/".join(parts[:3]))
            return attachments.get(item.place_collection, item, parts[3], self._asked.header("if-none-match"))
        if found is not None or len(parts) != 2:
            return found
        collection = self._at(path)
        if not isinstance(collection, Collection):
            return None
        answer = whole.answer(collection)
        wanted = self._asked.header("if-none-match")
        etag = answer.headers["ETag"]
        return Answer(304, {"ETag": etag}) if wanted and matches(wanted, etag) else answer

    # Writing in turns

    @contextmanager
    def _turn(self, *keys: Key) -> Iterator[None]:
        """Nobody else of this process writes to these items meanwhile."""
        shared = self._scope.shared
        taken = self._scope.wait(lambda: shared.turns.take(keys))
        try:
            self._check_states()
            yield
        finally:
            shared.reactor.callFromThread(shared.turns.end, taken)

    def _check_states(self) -> None:
        """The If header (RFC 4918 10.4; Refused)."""
        header = self._asked.header("if")
        if header and not condition.holds(header, self._state_of):
            raise Refused(412, "", "something is not (any more) in the state that you mean")

    def _state_of(self, path: str) -> tuple[str, str]:
        """ETag and sync token of what lies at a path."""
        found = next(iter(self._own_storage.discover(clean(path or self._asked.path))), None)
        if isinstance(found, StoredItem):
            return found.entry.etag, ""
        return (found.etag, found.token) if isinstance(found, Collection) else ("", "")

    def _keys(self, path: str, uid: str = "") -> list[Key]:
        """What an item's path and its UID name; nothing for what is no item."""
        parts = hrefs.split_path(path)
        if len(parts) != 3:
            return []
        folder = self._collection_at(path)[0].place.source_key
        return [(folder, each) for each in (parts[2], uid) if each]

    def _put(self, path: str) -> Answer:
        body = self._asked.body
        with self._turn(*self._keys(path, uid_of(body))):
            put = super()._put
            return self._again(lambda: put(path))

    def _again(self, write: Callable[[], Answer]) -> Answer:
        """Write, once more when another gateway was faster: conditions and merging begin again then."""
        for _ in range(_ATTEMPTS):
            try:
                return write()
            except Outdated:
                continue
        raise Refused(503, "", "the item is changed all the time; try again later")

    def _attach(self, path: str) -> Answer:
        """POST of an attachment to its item (RFC 8607 3.3)."""
        content = self._asked.content
        assert content is not None
        most = self._options.max_attachment
        upload = attaching.Upload(self._asked.headers, self._asked.query, content, most)
        with self._turn(*self._keys(path)):
            answer = self._again(lambda: self._attached(path, upload))
        return putting.representation(self._item_at(path), answer) if self._asked.representation else answer

    def _attached(self, path: str, upload: attaching.Upload) -> Answer:
        item = self._item_at(path)
        self._check_preconditions(item.place_collection, item)
        return attaching.post(item.place_collection, item, upload)

    # Items elsewhere

    def _move(self, path: str, *, keep: bool) -> Answer:
        """MOVE and COPY of an item, MOVE of a collection (RFC 4918 9.8, 9.9)."""
        destination = clean(self._destination())
        at = self._at(path)
        if isinstance(at, Collection) and not keep:
            return self._move_collection(at, destination)
        source = self._item_at(path)
        self._collection_at(destination)
        uid = source.entry.uid
        with self._turn(*self._keys(path, uid), *self._keys(destination, uid)):
            source = self._item_at(path)
            self._check_preconditions(source.place_collection, source)
            target, href = self._collection_at(destination)
            overwrite = self._asked.header("overwrite").strip().upper() != "F"
            transfer.check(source, target, href, overwrite=overwrite, keep=keep)
            replaced = transfer.transfer(source, target, href, keep=keep)
        return Answer(204) if replaced else Answer(201, {"Location": quote(destination)})

    def _move_collection(self, source: Collection, destination: str) -> Answer:
        """Give a collection another name in its home; what lies in it stays as it is."""
        if self._asked.header("depth").strip().lower() not in ("", "infinity"):
            raise Refused(400, "", "a collection is moved with all that lies in it")
        there = next(iter(self._own_storage.discover(destination)), None)
        if there is not None and self._asked.header("overwrite").strip().upper() == "F":
            raise Refused(412, "", "there is something already")
        transfer.relocate(source, destination, there, self._asked.headers)
        return Answer(201, {"Location": quote(destination)}) if there is None else Answer(204)

    def _item_at(self, path: str) -> StoredItem:
        found = self._at(path)
        if not isinstance(found, StoredItem):
            raise Refused(403, "", "this is no item: collections are not copied, principals not even moved")
        return found

    def _destination(self) -> str:
        """The path of the Destination header (Refused)."""
        header = self._asked.header("destination")
        if not header:
            raise Refused(400, "", "there is no Destination header")
        try:
            destination = urlsplit(header)
        except ValueError as error:
            raise Refused(400, "", "the Destination is no address") from error
        if not self._asked.is_here(destination.netloc):
            raise Refused(502, "", "the destination is on another server")
        return hrefs.with_own_name(unquote(destination.path), self._scope.user)

    # Collections

    def _make(self, path: str) -> Answer:
        """MKCOL and MKCALENDAR (RFC 4918 9.3.1, RFC 4791 5.3.1.1)."""
        content_type = self._asked.header("content-type").lower()
        if self._asked.body.strip() and content_type and "xml" not in content_type:
            raise Refused(415, "", "the body of a new collection is XML")
        parts = hrefs.split_path(path)
        if len(parts) > 2:
            if len(parts) > 3 or self._own_storage.collection(parts[0], parts[1]) is None:
                raise Refused(409, "", "there is no collection to make this one in")
            raise Refused(403, "C:calendar-collection-location-ok", "there are no collections in collections")
        if next(iter(self._storage.discover(path)), None) is not None:
            if self._asked.method == "MKCOL":
                raise Refused(405, "", "there is a collection already")
            raise Refused(409, "D:resource-must-be-null", "there is a collection already")
        return making.make(self._scope, self._asked.method, path, xmlbody.parse(self._asked.body))
