"""Responses about mailboxes: LIST, LSUB, STATUS, NAMESPACE, QUOTA, SELECT (RFC 9051 7.2, 7.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gateway.imap.codec.mailboxname import encode_name
from gateway.imap.codec.sequence import Range
from gateway.imap.codec.write_status import untagged
from gateway.imap.codec.write_values import astring, mailbox, quoted, string


def _words(words: Iterable[str]) -> bytes:
    return b" ".join(word.encode() for word in words)


def list_item(
    attributes: Iterable[str], name: str, *, utf8: bool, extended: Sequence[tuple[str, Sequence[str]]] = ()
) -> bytes:
    """``* LIST (attributes) "/" name``, with extended data such as CHILDINFO."""
    tail = b""
    if extended:
        items = (
            b'"%b" (%b)' % (tag.encode(), b" ".join(_extended(tag, value, utf8=utf8) for value in values))
            for tag, values in extended
        )
        tail = b" (%b)" % b" ".join(items)
    return b'* LIST (%b) "/" %b%b\r\n' % (_words(attributes), mailbox(name, utf8=utf8), tail)


def _extended(tag: str, value: str, *, utf8: bool) -> bytes:
    return string(encode_name(value, utf8=utf8), utf8=utf8) if tag == "OLDNAME" else quoted(value.encode())


def list_root() -> bytes:
    """The answer to ``LIST "" ""``: the delimiter."""
    return b'* LIST (\\Noselect) "/" ""\r\n'


def lsub_item(attributes: Iterable[str], name: str, *, utf8: bool) -> bytes:
    """``* LSUB (attributes) "/" name``."""
    return b'* LSUB (%b) "/" %b\r\n' % (_words(attributes), mailbox(name, utf8=utf8))


def status_item(name: str, values: Mapping[str, int | str], *, utf8: bool) -> bytes:
    """``* STATUS name (ITEM value ...)``."""
    pairs = b" ".join(b"%b %b" % (item.encode(), str(value).encode()) for item, value in values.items())
    return b"* STATUS %b (%b)\r\n" % (mailbox(name, utf8=utf8), pairs)


def namespaces(classes: Sequence[Sequence[str]], *, utf8: bool) -> bytes:
    """``* NAMESPACE personal other shared``: prefixes, all with the delimiter ``/``."""
    return b"* NAMESPACE %b\r\n" % b" ".join(_namespace(prefixes, utf8=utf8) for prefixes in classes)


def _namespace(prefixes: Sequence[str], *, utf8: bool) -> bytes:
    if not prefixes:
        return b"NIL"
    return b"(%b)" % b"".join(b'(%b "/")' % (mailbox(prefix, utf8=utf8) or b'""') for prefix in prefixes)


def quota(root: str, resources: Sequence[tuple[str, int, int]]) -> bytes:
    """``* QUOTA root (NAME usage limit ...)`` (RFC 9208 4.2.1)."""
    items = b" ".join(b"%b %d %d" % (name.encode(), usage, limit) for name, usage, limit in resources)
    return b"* QUOTA %b (%b)\r\n" % (string(root.encode()), items)


def quota_root(name: str, roots: Iterable[str], *, utf8: bool) -> bytes:
    """``* QUOTAROOT name root ...`` (RFC 9208 4.2.2)."""
    listed = b"".join(b" " + string(root.encode()) for root in roots)
    return b"* QUOTAROOT %b%b\r\n" % (mailbox(name, utf8=utf8), listed)


def acl(name: str, entries: Iterable[tuple[str, str]], *, utf8: bool) -> bytes:
    """``* ACL name identifier rights ...`` (RFC 4314 3.6)."""
    pairs = b"".join(b" %b %b" % (astring(who.encode()), astring(rights.encode())) for who, rights in entries)
    return b"* ACL %b%b\r\n" % (mailbox(name, utf8=utf8), pairs)


def list_rights(name: str, identifier: str, required: str, optional: Iterable[str], *, utf8: bool) -> bytes:
    """``* LISTRIGHTS name identifier required optional ...`` (RFC 4314 3.7)."""
    groups = b"".join(b" " + astring(rights.encode()) for rights in (required, *optional))
    return b"* LISTRIGHTS %b %b%b\r\n" % (mailbox(name, utf8=utf8), astring(identifier.encode()), groups)


def my_rights(name: str, rights: str, *, utf8: bool) -> bytes:
    """``* MYRIGHTS name rights`` (RFC 4314 3.8)."""
    return b"* MYRIGHTS %b %b\r\n" % (mailbox(name, utf8=utf8), astring(rights.encode()))


def metadata(name: str, entries: Iterable[tuple[str, bytes | None]], *, utf8: bool) -> bytes:
    """``* METADATA name (entry value ...)`` (RFC 5464 4.4.1)."""
    pairs = b" ".join(
        b"%b %b" % (astring(entry.encode()), b"NIL" if value is None else string(value))
        for entry, value in entries
    )
    where = mailbox(name, utf8=utf8) if name else b'""'
    return b"* METADATA %b (%b)\r\n" % (where, pairs)


def metadata_changed(name: str, entries: Iterable[str], *, utf8: bool) -> bytes:
    """``* METADATA name entry ...``: entries that changed, without their values (RFC 5464 4.4.2)."""
    where = mailbox(name, utf8=utf8) if name else b'""'
    return b"* METADATA %b %b\r\n" % (where, b" ".join(astring(entry.encode()) for entry in entries))


# -- SELECT


def exists(count: int) -> bytes:
    """``* n EXISTS``."""
    return b"* %d EXISTS\r\n" % count


def recent() -> bytes:
    """``* 0 RECENT``: nothing is ever recent here, as RFC 9051 has it."""
    return b"* 0 RECENT\r\n"


def permanent_flags(names: Iterable[str]) -> bytes:
    """``* OK [PERMANENTFLAGS (...)]``."""
    return untagged("OK", "Flags that can be changed", f"PERMANENTFLAGS ({' '.join(names)})")


def vanished_earlier(ranges: Iterable[Range]) -> bytes:
    """``* VANISHED (EARLIER) set`` (RFC 7162 3.2.10)."""
    text = ",".join(f"{low}:{high}" if high > low else str(low) for low, high in ranges)
    return b"* VANISHED (EARLIER) %b\r\n" % text.encode() if text else b""
