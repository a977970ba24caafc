"""Feed octets to a reader whole, byte by byte, or with something behind, and collect the events."""

from __future__ import annotations

from gateway.imap.codec.commands import Command
from gateway.imap.codec.cursor import PLAIN, Dialect
from gateway.imap.codec.parser import parse
from gateway.imap.codec.reader import Broken, Continue, Event, Hopeless, Limits, Need, Reader, Received


def drain(reader: Reader) -> list[Event]:
    events: list[Event] = []
    while not isinstance(event := reader.next(), Need):
        events.append(event)
        if isinstance(event, Hopeless):
            break
    return events


def whole(data: bytes, limits: Limits | None = None) -> list[Event]:
    reader = Reader(limits or Limits())
    reader.receive(data)
    return drain(reader)


def bytewise(data: bytes, limits: Limits | None = None) -> list[Event]:
    reader = Reader(limits or Limits())
    events: list[Event] = []
    for at in range(len(data)):
        reader.receive(data[at : at + 1])
        events += drain(reader)
    return events


def plain(events: list[Event]) -> list[object]:
    """Events as values that compare: literals by content, errors by text."""
    return [_plain(event) for event in events]


def _plain(event: Event) -> object:
    if isinstance(event, Received):
        return event.fragments, [(lit.size, lit.binary, lit.read()) for lit in event.literals]
    if isinstance(event, Broken):
        return "broken", event.error.tag, event.error.message
    return event


def command(data: bytes, dialect: Dialect = PLAIN) -> Command:
    """The one command in these octets, read in three ways that must agree in shape."""
    first = [event for event in whole(data) if not isinstance(event, Continue)]
    assert plain(first) == plain([event for event in bytewise(data) if not isinstance(event, Continue)])
    behind = [event for event in whole(data + b"zz NOOP\r\nzz") if not isinstance(event, Continue)]
    assert plain(behind) == [*plain(first), ((b"zz NOOP",), [])]
    [received] = first
    if isinstance(received, Broken):
        raise received.error
    assert isinstance(received, Received)
    request = parse(received, dialect)
    assert request.tag == "a"
    return request.command
