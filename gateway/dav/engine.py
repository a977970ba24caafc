"""Radicale as it is used here: its methods, without its users, locks, caches, delays and web pages."""

from __future__ import annotations

from typing import Any

from radicale import config
from radicale.storage import BaseStorage

from gateway.dav.options import Options


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
                "max_resource_size": str(options.max_request * 4 // 5),
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


def request_info() -> dict[str, Any]:
    """What Radicale logs of a request: nothing."""
    return {"method": "", "login": "", "path": "", "useragent": "", "host": ""}
