"""Radicale as it is used here: it tells properties, without its users, locks, caches, delays and web pages.

One application is made for the process; each request is worked on by a copy of it that carries the request's storage
and rights, so nothing has to be looked up in hidden context.
"""

from __future__ import annotations

import copy
import logging
from typing import Any, Final, Self
from xml.etree import ElementTree as ET

import radicale.app
from radicale import config
from radicale.item import Item
from radicale.storage import BaseCollection, BaseStorage

from gateway.dav import liveprops, xmlbody
from gateway.dav.asked import Asked
from gateway.dav.errors import Answer, Refused
from gateway.dav.options import Options
from gateway.dav.rights import Rights
from gateway.dav.scope import RequestScope
from gateway.dav.storage import Storage
from gateway.dav.telling import Properties

_D: Final = "{DAV:}"


def configuration(options: Options) -> config.Configuration:
    """What Radicale is told."""
    found = config.load()
    found.update(
        {
            "auth": {"type": "denyall", "delay": "0"},
            "storage": {"type": lambda _: _Nowhere()},
            "rights": {"type": lambda _: None},
            "web": {"type": "none"},
            "server": {
                "max_content_length": str(options.max_request),
                "max_resource_size": str(options.max_resource),
                "delay_on_error": "0",
            },
        },
        "gateway",
        privileged=True,
    )
    return found


class _Nowhere(BaseStorage):
    """The storage of an application that serves nobody."""

    _supports_unicode = True
    _supports_trailing_whitespace = True
    _supports_problematic_chars = True

    def __init__(self) -> None:
        """Nothing is kept."""


class Engine(radicale.app.Application):
    """Radicale's PROPFIND for the user of one request, and how its answers are completed."""

    def __init__(self, options: Options) -> None:
        # Radicale writes several lines for every request; what matters is in the gateway's own log.
        logging.getLogger("radicale").setLevel(logging.CRITICAL)
        super().__init__(configuration(options))
        self._options = options
        self._scope: RequestScope
        self._asked: Asked
        self._own_storage: Storage
        self._listing = ""
        self._included: list[str] = []

    def serving(self, scope: RequestScope, asked: Asked) -> Self:
        """A copy that serves one request."""
        mine = copy.copy(self)
        mine._scope = scope
        mine._asked = asked
        mine._storage = mine._own_storage = Storage(scope)
        mine._rights = Rights(scope)
        return mine

    def __del__(self) -> None:
        """Radicale's profiler has nothing to tell."""

    def _found_by_radicale(self, path: str) -> Answer:
        """Have Radicale find properties."""
        environ = {"HTTP_DEPTH": self._asked.header("depth")}
        status, headers, body, _ = self.do_PROPFIND(environ, "", path, self._scope.user, set(), _info())
        data = body.encode("utf-8", "replace") if isinstance(body, str) else body or b""
        return Answer(
            int(status), {name: value for name, value in dict(headers).items() if name != "DAV"}, data
        )

    def _read_xml_request_body(self, environ: Any, request_info: dict[str, Any]) -> ET.Element | None:
        """The body's XML, within limits; Radicale takes no properties without a namespace."""
        root = xmlbody.parse(self._asked.body)
        for parent in root if root is not None else ():
            for element in [each for each in parent if not each.tag.startswith("{")]:
                parent.remove(element)
        return root

    def _xml_response(self, xml_content: ET.Element, request_info: dict[str, Any]) -> bytes:
        """Add what Radicale does not know, and write the answer."""
        if xml_content.tag == f"{_D}multistatus":
            liveprops.complete(
                xml_content,
                self._scope,
                minimal=self._asked.minimal,
                listing=self._listing,
                included=self._included,
            )
            if self._leaves_root_out():
                xml_content.remove(xml_content[0])
        return self.written(xml_content)

    def written(self, tree: ET.Element) -> bytes:
        """A tree as the text that is answered."""
        data: bytes = super()._xml_response(tree, {})
        return data

    def _telling(self) -> Properties:
        """What tells properties of anything for this request."""
        return Properties(self, self._scope, minimal=self._asked.minimal, largest=self._options.max_request)

    def _leaves_root_out(self) -> bool:
        asked = self._asked
        return asked.method == "PROPFIND" and asked.without_root and asked.header("depth").strip() == "1"

    def _at(self, path: str) -> BaseCollection | Item:
        """What lies at a path (Refused)."""
        found = next(iter(self._storage.discover(path)), None)
        if found is None:
            raise Refused(404, "", "there is nothing at this path")
        return found


def _info() -> dict[str, Any]:
    """What Radicale logs of a request: nothing."""
    return {"method": "", "login": "", "path": "", "useragent": "", "host": ""}
