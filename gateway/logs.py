"""The log: what is written, how, and where; a file is reopened when the administrator has moved it away.

Text lines are for people and journald, JSON lines for collectors. Events carry what happened, never passwords or mail.
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Any, Final, TextIO

from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
)
from zope.interface import implementer

from gateway import config

_HIDDEN: Final = ("log_legacy", "twisted.internet.protocol", "twisted.protocols.tls")
"""Parts of Twisted that report every factory start; shown from warnings on."""


@implementer(ILogObserver)
class Output:
    """Writes each event as one line to a file or to standard error."""

    def __init__(self, options: config.Log) -> None:
        self._path = Path(options.file) if options.file else None
        self._render = _json if options.format == "json" else _text
        self._file = self._open()

    def __call__(self, event: LogEvent) -> None:
        """Write one event."""
        self._file.write(self._render(event) + "\n")
        self._file.flush()

    def reopen(self) -> None:
        """Go on in a new file, after the old one was renamed."""
        if self._path is not None:
            old, self._file = self._file, self._open()
            old.close()

    def close(self) -> None:
        """Close the file."""
        if self._path is not None:
            self._file.close()

    def _open(self) -> TextIO:
        """The file, or standard error."""
        if self._path is None:
            return sys.__stderr__ or sys.stderr
        return self._path.open("a", encoding="utf-8", errors="backslashreplace")


def observer(options: config.Log, output: Output) -> ILogObserver:
    """An observer that writes the events of the wanted levels to `output`."""
    levels = LogLevelFilterPredicate(LogLevel.levelWithName(options.level))
    for namespace in _HIDDEN:
        levels.setLogLevelForNamespace(namespace, LogLevel.warn)
    for namespace, level in options.levels.items():
        levels.setLogLevelForNamespace(namespace, LogLevel.levelWithName(level))
    return FilteringLogObserver(output, [levels])


def _text(event: LogEvent) -> str:
    """``2026-01-31T12:00:00.123+01:00 info gateway.imap: text``; a traceback follows on its own lines."""
    when = datetime.datetime.fromtimestamp(event["log_time"]).astimezone().isoformat(timespec="milliseconds")
    line = f"{when} {_level(event)} {event.get('log_namespace', '-')}: {_message(event)}"
    return line.replace("\r", "\\r") + _traceback(event)


def _message(event: LogEvent) -> str:
    """The text of an event on one line; what clients sent cannot forge a second one."""
    return formatEvent(event).replace("\n", "\\n")


def _traceback(event: LogEvent) -> str:
    """The traceback of a failure, if there is one."""
    failure = event.get("log_failure")
    return "" if failure is None else "\n" + failure.getTraceback().rstrip()


def _json(event: LogEvent) -> str:
    """One JSON object: time, level, part, message and the event's plain values."""
    fields: dict[str, Any] = {
        "time": datetime.datetime.fromtimestamp(event["log_time"], datetime.UTC).isoformat(),
        "level": _level(event),
        "part": event.get("log_namespace", ""),
        "message": formatEvent(event),
    }
    fields |= {
        key: value
        for key, value in event.items()
        if not key.startswith("log_") and key not in fields and isinstance(value, (str, int, float, bool))
    }
    if trace := _traceback(event):
        fields["traceback"] = trace.strip()
    return json.dumps(fields, ensure_ascii=False)


def _level(event: LogEvent) -> str:
    """The name of an event's level."""
    level = event.get("log_level")
    return "info" if level is None else str(level.name)
