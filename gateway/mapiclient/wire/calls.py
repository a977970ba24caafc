"""Every call of the dialect under its name, for the server end, and all calls in one place for readers.

The four calls that Kopano has disabled for good (removeAllObjects, getUserClientUpdateStatus, getClientUpdate,
setClientUpdateStatus) are not declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.mapiclient.wire import (  # noqa: F401  (importing a module registers its calls)
    calls_directory,
    calls_folder,
    calls_notify,
    calls_object,
    calls_session,
    calls_store,
    calls_sync,
    calls_table,
)
from gateway.mapiclient.wire.schema import REGISTRY, Call, record_of

#: Call types by their name on the wire.
CALLS: Final[Mapping[str, type[Call[Any]]]] = MappingProxyType(
    {name: call for name, call in REGISTRY.items() if call.__module__.startswith("gateway.mapiclient.wire.")}
)

for _call in CALLS.values():
    record_of(_call)
    record_of(_call.reply_type)
